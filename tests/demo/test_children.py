"""Child processes are ended, whatever they do, and their end is told."""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from genesis_lib.demo.children import Children
from genesis_lib.errors import StackError

PYTHON = Path(sys.executable)


def wait_until(holds: Callable[[], object], *, within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_child_that_ends_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    children = Children(tmp_path)
    children.start("short", PYTHON, "-c", "import sys; sys.exit('no disk left')", cwd=tmp_path)
    wait_until(children.ended)
    assert children.ended() == ("short",)
    with pytest.raises(StackError, match="short ended with status 1; the end of its log:\nno disk left"):
        children.check()


def test_a_child_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    children = Children(tmp_path, grace_s=0.3)
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    children.start("stubborn", PYTHON, "-c", stubborn, cwd=tmp_path)
    wait_until(lambda: "deaf" in children.logs())
    assert not children.ended()
    children.end()
    assert children.ended() == ("stubborn",)


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"ghost cannot be started: .*/nothing: No such file"):
        Children(tmp_path).start("ghost", tmp_path / "nothing", cwd=tmp_path)
