"""A stack comes up, is found, is stopped; and nothing of it outlives the one it belongs to."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from genesis_lib.demo import stack, state
from genesis_lib.demo.stack import Stack
from genesis_lib.errors import StackError
from tests.conftest import PROJECT
from tests.demo.test_children import wait_until
from tests.project import minds_ctrl_c

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

CALLER = """
import sys, time
from pathlib import Path
from genesis_lib.demo import stack

def tell(text):
    print(text, flush=True)

with stack.start("day0", environment=sys.argv[1], project=Path(sys.argv[2]), tie_to_caller=True, progress=tell):
    time.sleep(60)
"""


def family_of(pid: int) -> set[int]:
    """A process and its children, living or waiting to be buried."""
    found = {pid}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.add(int(entry.parent.name))
    return found


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture
def starting(request: pytest.FixtureRequest) -> Iterator[tuple[subprocess.Popen[str], state.State, Path]]:
    """A caller whose stack has all its processes and waits for first scrapes: the caller, what the stack says, its folder."""
    environment = f"test-tied-{request.node.name[:40]}-{os.getpid()}"
    command = [sys.executable, "-c", CALLER, environment, str(PROJECT)]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, preexec_fn=minds_ctrl_c) as caller:
        assert caller.stdout is not None
        assert any(line.startswith("waiting until") for line in caller.stdout)
        pattern = f"{state.folder_of(environment, PROJECT).name}-*/stack.json"
        (said,) = state.folder_of(environment, PROJECT).parent.glob(pattern)
        now = state.read(said.parent)
        assert now is not None
        yield caller, now, said.parent
        caller.kill()


@linux_only
def test_a_stack_dies_with_its_caller_even_if_that_is_killed(
    starting: tuple[subprocess.Popen[str], state.State, Path],
) -> None:
    caller, said, folder = starting
    family = family_of(said.pid)
    assert len(family) == 5  # the supervisor, webhook receiver, node exporter, Alertmanager, Prometheus
    caller.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, family)))
    wait_until(lambda: not folder.exists())


@linux_only
def test_no_process_outlives_a_supervisor_that_is_killed(
    starting: tuple[subprocess.Popen[str], state.State, Path],
) -> None:
    _, said, folder = starting
    family = family_of(said.pid)
    os.kill(said.pid, signal.SIGKILL)
    wait_until(lambda: not any(map(is_running, family)))
    assert folder.exists()

    def is_swept() -> bool:
        state.sweep(folder.parent)
        return not folder.exists()

    wait_until(is_swept)  # the last thread of a process may hold its files a moment longer than the process is listed


@linux_only
def test_ctrl_c_ends_a_starting_stack_in_order(starting: tuple[subprocess.Popen[str], state.State, Path]) -> None:
    caller, said, folder = starting
    family = family_of(said.pid)
    caller.send_signal(signal.SIGINT)
    assert caller.wait(15) != 0
    assert not any(map(is_running, family))
    assert not folder.exists()


def test_a_stack_that_is_tied_to_nobody_is_found_watched_and_stopped() -> None:
    environment = f"test-detached-{os.getpid()}"
    assert stack.find(environment, project=PROJECT) is None
    assert not stack.stop(environment, project=PROJECT)
    told: list[str] = []
    up = stack.start("day0", environment=environment, project=PROJECT, tie_to_caller=False, progress=told.append)
    try:
        assert stack.find(environment, project=PROJECT) == up
        assert told[-1] == "waiting until every target was scraped and every rule evaluated"
        assert httpx.get(f"http://{up.addresses['alertmanager']}/-/ready", trust_env=False).is_success
        with pytest.raises(StackError, match=f"the stack of {environment} is up, or starting; `genesis stack down"):
            stack.start("day0", environment=environment, project=PROJECT, tie_to_caller=False, progress=told.append)
        assert ended_parts(environment) == ()
        if sys.platform == "linux":
            node = next(
                pid for pid in family_of(up.pid) if b"node" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
            )
            os.kill(node, signal.SIGKILL)
            wait_until(lambda: ended_parts(environment) == ("node",))
    finally:
        assert stack.stop(environment, project=PROJECT)
    assert stack.find(environment, project=PROJECT) is None
    assert not up.folder.exists()
    Path(state.lock_of(up.folder).lock_file).unlink()  # no other stack has this name
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://{up.addresses['prometheus']}/-/ready", trust_env=False)


def ended_parts(environment: str) -> tuple[str, ...]:
    found = stack.find(environment, project=PROJECT)
    assert found is not None
    return found.ended


def test_a_tied_stack_is_its_callers_alone(healthy_stack: Stack) -> None:
    assert stack.find(healthy_stack.environment, project=PROJECT) is None


def test_two_stacks_run_side_by_side(healthy_stack: Stack, day0_stack: Stack) -> None:
    assert not set(healthy_stack.addresses.values()) & set(day0_stack.addresses.values())
    for up in (healthy_stack, day0_stack):
        assert httpx.get(f"http://{up.addresses['prometheus']}/-/ready", trust_env=False).is_success


def test_retention_holds_all_that_is_compared(healthy_stack: Stack) -> None:
    url = f"http://{healthy_stack.addresses['prometheus']}/api/v1/status/runtimeinfo"
    assert httpx.get(url, trust_env=False).json()["data"]["storageRetention"] == "30d"


def without_configuration(monitoring: Path) -> None:
    shutil.rmtree(monitoring)


def with_a_broken_route(monitoring: Path) -> None:
    (monitoring / "alertmanager_config.yml").write_text("rute: {}")


@pytest.mark.parametrize(
    ("scenario", "spoil", "complaint"),
    [
        pytest.param("helthy", None, "scenario 'helthy' is unknown", id="an unknown scenario"),
        pytest.param(
            "day0", without_configuration, "prometheus_config.yml is missing", id="a project without configuration"
        ),
        pytest.param(
            "day0",
            with_a_broken_route,
            "alertmanager ended with status 1; the end of its log:",
            id="a configuration that Alertmanager refuses",
        ),
    ],
)
def test_a_stack_that_cannot_come_up_says_why_and_leaves_nothing(
    scenario: str, spoil: Callable[[Path], None] | None, complaint: str, tmp_path: Path
) -> None:
    shutil.copytree(PROJECT / "monitoring", tmp_path / "monitoring")
    if spoil:
        spoil(tmp_path / "monitoring")
    with pytest.raises(StackError, match=complaint):
        stack.start(scenario, environment="test-broken", project=tmp_path, tie_to_caller=True, progress=print)
    folder = state.folder_of("test-broken", tmp_path)
    assert not list(folder.parent.glob(f"{folder.name}*"))
