"""Measure the instrumentation for a stack: run its tests and its benchmark, or take what was measured of the same code before.

    python -m genesis_lib.demo.measured PROJECT ARTEFACTS

Puts `telemetry-tests.xml` and `telemetry-overhead.json` into the folder ARTEFACTS. Each is measured by the files of the project's
checkout, kept in the user's cache folder, and renewed when it is six days old. Where one cannot be made, it is not there.
"""

import hashlib
import json
import os
import platform
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree
from filelock import FileLock
from platformdirs import user_cache_path

from genesis_lib.demo.children import Children

__all__ = ["begin", "code_digest", "main", "wait"]

_HOLDS_FOR = timedelta(days=6)  # policy lets results count for seven: a stack that starts today is judged tomorrow, too
_WITHIN_S = 180.0  # a calm machine of two cores takes 25 s, and several stacks may start at once
_EVERY_S = 0.05
_NICENESS = 2  # the stack itself comes first; with much more, a busy machine would never get it done
_PACKAGES = ("opentelemetry-sdk", "opentelemetry-exporter-prometheus", "prometheus-client")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measurement:
    """What makes a result: `script` in the project's checkout, run by Python with `arguments` for the file that it is to write."""

    script: str
    arguments: Callable[[Path, Path], tuple[str, ...]]


# Alone: neither the settings of this project nor what its other tests need is to matter.
_PYTEST = ("-m", "pytest", "-c", os.devnull, "--noconftest", "-p", "no:cacheprovider")
_MEASUREMENTS: Mapping[str, _Measurement] = {
    "telemetry-tests.xml": _Measurement(
        script="tests/test_observability.py",
        arguments=lambda script, out: (*_PYTEST, str(script), f"--junitxml={out}"),
    ),
    "telemetry-overhead.json": _Measurement(
        script="benchmarks/telemetry_overhead.py", arguments=lambda script, out: (str(script), f"--json={out}")
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
    at: datetime
    is_failed: bool


def begin(measuring: Children, *, project: Path, artefacts: Path) -> None:
    """Start to measure, in a process among `measuring`: apart from the stack's own, for this one may end."""
    arguments = ("-m", "genesis_lib.demo.measured", str(project.resolve()), str(artefacts.resolve()))
    measuring.start("measured", Path(sys.executable), *arguments, cwd=Path.cwd())


def wait(measuring: Children, parts: Children, *, progress: Callable[[str], None]) -> None:
    """Wait until all is measured, or for as long as a start can wait for it.

    Raises:
        StackError: one of the stack's parts has ended meanwhile.

    """
    if not measuring.ended():
        progress("measuring what the instrumentation costs")
    deadline = time.monotonic() + _WITHIN_S
    while not measuring.ended() and time.monotonic() < deadline:
        parts.check()
        time.sleep(_EVERY_S)
    measuring.end()


def code_digest(package: Path) -> str:
    """SHA-256 over the code that instruments: `observability.py` and `telemetry/*.py` of the package's folder, names and contents."""
    return _digest(package, [package / "observability.py", *package.glob("telemetry/*.py")])


def main() -> None:
    """Put the results into the folder, measuring those that are not in the cache."""
    project, artefacts = map(Path, sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    os.nice(_NICENESS)
    for name in [name for name in os.environ if name.startswith("PYTEST_")]:
        del os.environ[name]  # of a pytest that started us; its options are not for these tests
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # whatever plugins this Python happens to have
    os.environ["PYTHONPATH"] = str(project)  # the checkout's own package, installed or not
    children = Children(artefacts.parent, grace_s=1.0)
    try:
        _put(project, artefacts, children)
    finally:
        children.end()


def _put(project: Path, artefacts: Path, children: Children) -> None:
    for name, measurement in _MEASUREMENTS.items():
        script = project / measurement.script
        if not script.is_file():
            continue
        kept = user_cache_path("genesis-readiness") / "measured" / _key(project) / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{kept}.lock"):  # another stack that starts now waits for ours
            if not _is_of_use(kept):
                kept.unlink(missing_ok=True)
                partial = kept.with_name(f"partial-{name}")
                partial.unlink(missing_ok=True)
                children.start(
                    Path(name).stem, Path(sys.executable), *measurement.arguments(script, partial), cwd=project
                )
                while Path(name).stem not in children.ended():
                    time.sleep(_EVERY_S)
                if _read(partial) is not None:
                    partial.replace(kept)
            if kept.is_file():
                copy = artefacts / f".{name}.partial"
                shutil.copyfile(kept, copy)
                copy.replace(artefacts / name)


def _is_of_use(kept: Path) -> bool:
    """Whether a result need not be measured anew. Failed tests are shown, and run again at the next start: they may have been mended."""
    result = _read(kept)
    return result is not None and not result.is_failed and timedelta(0) <= datetime.now(UTC) - result.at < _HOLDS_FOR


def _read(file: Path) -> _Result | None:
    """What a result says of itself; None where it is missing or broken."""
    try:
        if file.suffix == ".json":
            at, is_failed = json.loads(file.read_bytes())["measured_at"], False
        else:
            suites = ElementTree.parse(file).findall("testsuite")
            at = suites[0].attrib["timestamp"]
            is_failed = any(int(suite.attrib[count]) for suite in suites for count in ("failures", "errors"))
        return _Result(at=datetime.fromisoformat(at).astimezone(UTC), is_failed=is_failed)
    except (OSError, ValueError, LookupError, TypeError, ParseError):
        return None


def _key(project: Path) -> str:
    """What results depend on: the code that instruments, what measures it, its libraries, Python and the machine."""
    package = project / "genesis_lib"
    files = [package / "observability.py", *package.glob("telemetry/*.py")]
    files += [package / "demo/telemetry.py", package / "demo/workload.py"]  # what the benchmark measures
    files += [project / measurement.script for measurement in _MEASUREMENTS.values()]
    machine = (platform.python_version(), platform.machine(), platform.node(), *map(metadata.version, _PACKAGES))
    return hashlib.sha256("\n".join((_digest(project, files), *machine)).encode()).hexdigest()[:16]


def _digest(root: Path, files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(filter(Path.is_file, files)):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()}\n{len(content)}\n".encode() + content)
    return digest.hexdigest()


if __name__ == "__main__":
    main()
