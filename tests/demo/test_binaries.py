"""The programs are found on this system, or fetched without touching it."""

import ctypes.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from genesis_lib.demo import binaries, debian
from genesis_lib.errors import StackError

PROGRAMS = ("prometheus", "promtool", "alertmanager", "amtool", "node_exporter")
needs_debian = pytest.mark.skipif(not debian.is_here(), reason="this system has no apt")


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_is_found_and_runs(name: str) -> None:
    program = binaries.find(name)
    said = subprocess.run(
        [program, "--version"], check=True, capture_output=True, text=True, cwd=binaries.working_folder(program)
    )
    assert "version" in said.stdout + said.stderr


def test_a_program_is_found_under_its_debian_name_too() -> None:
    assert binaries.find("prometheus-alertmanager") == binaries.find("alertmanager")


def test_path_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    own = tmp_path / "promtool"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert binaries.find("promtool") == own


def test_without_apt_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> None:
    monkeypatch.setenv("PATH", str(empty_cache))
    with pytest.raises(StackError) as told:
        binaries.find("prometheus")
    for way in ("brew install prometheus", "release archives", "Docker", "apt-get install prometheus"):
        assert way in str(told.value)


@needs_debian
def test_unpacked_packages_are_whole_and_work_from_where_they_are(
    monkeypatch: pytest.MonkeyPatch, empty_cache: Path
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin:/usr/sbin:/sbin")
    told: list[str] = []
    program = binaries.find("alertmanager", progress=told.append)
    if not program.is_relative_to(empty_cache):
        pytest.skip("the system itself has Alertmanager")
    assert told[0].startswith("downloading prometheus, prometheus-alertmanager, prometheus-node-exporter")
    assert not list(program.parents[3].glob(".unpack-*"))
    assert b"/usr/share/prometheus" not in program.read_bytes()
    binaries.find("amtool", progress=told.append)
    assert len(told) <= 2  # nothing is fetched twice


@needs_debian
def test_pango_is_unpacked_where_the_system_has_none(monkeypatch: pytest.MonkeyPatch, empty_cache: Path) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", lambda _: None)
    environment = binaries.pango_environment()
    script = "import weasyprint, sys; sys.stdout.buffer.write(weasyprint.HTML(string='<p>Genesis</p>').write_pdf())"
    made = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **environment}, check=True, capture_output=True
    )
    assert made.stdout.startswith(b"%PDF-")
    assert environment["LD_LIBRARY_PATH"].startswith(str(empty_cache))


def test_where_the_system_has_pango_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes.util, "find_library", lambda name: f"lib{name}.so.0")
    assert binaries.pango_environment() == {}
