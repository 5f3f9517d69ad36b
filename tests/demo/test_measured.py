"""What the instrumentation costs is measured for a stack, once for the same code, and nothing broken is taken for a result."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from defusedxml import ElementTree

from genesis_lib.demo.measured import code_digest
from tests.demo.test_children import wait_until
from tests.project import ROOT

TESTS, OVERHEAD = "telemetry-tests.xml", "telemetry-overhead.json"
# Each notes in a file beside itself that it ran.
TEST_FILE = """
from pathlib import Path

def test_it_works():
    with Path(__file__).with_suffix(".ran").open("a") as ran:
        ran.write("x")
"""
BENCHMARK = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path

with Path(__file__).with_suffix(".ran").open("a") as ran:
    ran.write("x")
result = {"measured_at": datetime.now(UTC).isoformat()}
Path(sys.argv[1].removeprefix("--json=")).write_text(json.dumps(result))
"""


@dataclass(frozen=True)
class Checkout:
    """A project of its own, whose tests and benchmark take no time, and a cache of its own."""

    folder: Path

    @property
    def tests(self) -> Path:
        """The telemetry tests."""
        return self.folder / "tests/test_observability.py"

    @property
    def benchmark(self) -> Path:
        """The benchmark."""
        return self.folder / "benchmarks/telemetry_overhead.py"

    def ran(self) -> tuple[int, int]:
        """How often tests and benchmark have run."""
        notes = (file.with_suffix(".ran") for file in (self.tests, self.benchmark))
        first, second = (len(note.read_text()) if note.exists() else 0 for note in notes)
        return first, second

    def kept(self, name: str) -> Path:
        """A result in the cache."""
        (found,) = self.folder.glob(f"cache/genesis-readiness/measured/*/{name}")
        return found

    def start(self, stack: str) -> subprocess.Popen[bytes]:
        """Begin to measure for a stack of this name."""
        artefacts = self.folder / stack / "artefacts"
        artefacts.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "genesis_lib.demo.measured", str(self.folder), str(artefacts)]
        return subprocess.Popen(command, cwd=ROOT, env=os.environ | {"XDG_CACHE_HOME": str(self.folder / "cache")})

    def measure(self, stack: str = "stack") -> set[str]:
        """Measure for a stack of this name; the names of the results that it has then."""
        assert self.start(stack).wait(60) == 0
        return {file.name for file in (self.folder / stack / "artefacts").iterdir()}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    made = Checkout(tmp_path_factory.mktemp("measured"))
    instrumented = made.folder / "genesis_lib/observability.py"
    for file, text in ((made.tests, TEST_FILE), (made.benchmark, BENCHMARK), (instrumented, "")):
        file.parent.mkdir()
        file.write_text(text)
    assert made.measure("first") == {TESTS, OVERHEAD}
    assert made.ran() == (1, 1)
    return made


@pytest.fixture
def checkout(measured: Checkout, tmp_path: Path) -> Checkout:
    """A checkout, and a cache that holds what was measured of it."""
    return Checkout(shutil.copytree(measured.folder, tmp_path / "checkout"))


def without_tests(checkout: Checkout) -> None:
    shutil.rmtree(checkout.tests.parent)


def test_the_same_code_is_measured_once_and_other_code_anew(checkout: Checkout) -> None:
    assert checkout.measure("second") == {TESTS, OVERHEAD}
    assert checkout.ran() == (1, 1)
    for name in (TESTS, OVERHEAD):
        assert (checkout.folder / "second/artefacts" / name).read_bytes() == checkout.kept(name).read_bytes()
    (checkout.folder / "genesis_lib/observability.py").write_text("# other code")
    assert checkout.measure("third") == {TESTS, OVERHEAD}
    assert checkout.ran() == (2, 2)


def aged(checkout: Checkout, by: timedelta) -> None:
    then = (datetime.now(UTC) - by).isoformat()
    checkout.kept(OVERHEAD).write_text(json.dumps({"measured_at": then}))
    suites = ElementTree.parse(checkout.kept(TESTS))
    suites.getroot()[0].set("timestamp", then)
    suites.write(checkout.kept(TESTS))


def cut_off(checkout: Checkout) -> None:
    for name in (TESTS, OVERHEAD):
        file = checkout.kept(name)
        file.write_bytes(file.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("spoil", "times"),
    [
        pytest.param(lambda c: aged(c, timedelta(days=5, hours=23)), 1, id="results of nearly six days hold"),
        pytest.param(lambda c: aged(c, timedelta(days=6, minutes=1)), 2, id="older ones are renewed"),
        pytest.param(lambda c: aged(c, timedelta(hours=-1)), 2, id="results of a clock that was set back are renewed"),
        pytest.param(cut_off, 2, id="broken files are renewed"),
    ],
)
def test_what_is_kept_is_taken_while_it_holds(
    checkout: Checkout, spoil: Callable[[Checkout], None], times: int
) -> None:
    spoil(checkout)
    assert checkout.measure() == {TESTS, OVERHEAD}
    assert checkout.ran() == (times, times)


def test_two_stacks_that_start_at_once_measure_once(checkout: Checkout) -> None:
    without_tests(checkout)
    checkout.benchmark.write_text(f"import time\ntime.sleep(0.5)\n{BENCHMARK}")
    both = [checkout.start("one"), checkout.start("other")]
    assert [process.wait(60) for process in both] == [0, 0]
    assert checkout.ran() == (0, 2)  # the first of the two was for other code
    for stack in ("one", "other"):
        assert {file.name for file in (checkout.folder / stack / "artefacts").iterdir()} == {OVERHEAD}


def test_failed_tests_are_shown_and_run_again_at_the_next_start(checkout: Checkout) -> None:
    checkout.tests.write_text(f"{TEST_FILE}    assert not 'working'\n")
    for runs in (2, 3):
        assert TESTS in checkout.measure()
        suite = ElementTree.parse(checkout.folder / "stack/artefacts" / TESTS).getroot()[0]
        assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
        assert checkout.ran() == (runs, 2)


@pytest.mark.parametrize(
    ("benchmark", "left"),
    [
        pytest.param(BENCHMARK, {OVERHEAD}, id="a checkout without tests"),
        pytest.param("raise SystemExit('no')", set(), id="a benchmark that fails"),
        pytest.param(BENCHMARK.replace("json.dumps(result)", "'{'"), set(), id="a benchmark that writes half a file"),
    ],
)
def test_what_cannot_be_measured_is_not_there(checkout: Checkout, benchmark: str, left: set[str]) -> None:
    without_tests(checkout)
    checkout.benchmark.write_text(benchmark)
    assert checkout.measure() == left


def test_what_is_being_measured_ends_with_the_start_that_is_cancelled(checkout: Checkout) -> None:
    note = checkout.folder / "pid"
    says_who = f"import os, time\nfrom pathlib import Path\nPath({str(note)!r}).write_text(str(os.getpid()))\n"
    checkout.tests.write_text(f"{says_who}{TEST_FILE}    time.sleep(60)\n")
    measuring = checkout.start("stack")
    wait_until(lambda: checkout.ran() == (2, 1))
    measuring.send_signal(signal.SIGTERM)
    assert measuring.wait(10) == 1
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)
    assert not list((checkout.folder / "stack/artefacts").iterdir())
    assert checkout.kept(TESTS)  # of the code before: of this one there is none


def test_the_benchmark_says_what_it_measured_and_of_which_code(tmp_path: Path) -> None:
    out = tmp_path / "overhead.json"
    command = [sys.executable, str(ROOT / "benchmarks/telemetry_overhead.py"), f"--json={out}", "--seconds=0.2"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    result = json.loads(out.read_bytes())
    assert (result["schema"], result["code"]) == (1, code_digest(ROOT / "genesis_lib"))
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(result["measured_at"]) < timedelta(minutes=5)
    overhead, collection, memory = (result[name] for name in ("overhead", "collection", "memory"))
    assert 0 < overhead["low"] <= overhead["ratio"] <= overhead["high"]
    assert overhead["operation_s"] == pytest.approx(0.0888)  # the sum of the scenario's stages
    assert overhead["cost_us"] == pytest.approx(overhead["ratio"] * 88_800)
    assert collection["share"] == pytest.approx(collection["cpu_s_per_scrape"] / 15)
    assert collection["series"] > 4 * 15  # of the buckets alone
    assert memory["operations"] == 1250
    assert set(memory) == {"operations", "growth_bytes", "growth_bytes_per_10k"}
    assert f"{overhead['ratio']:.3%}" in said


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only the most that memory ever was is known")
def test_a_leak_shows_in_what_operations_leave_behind() -> None:
    leaking = (  # in a process of its own: one that has worked before has memory to fill again, and does not grow
        f"import runpy; left_behind = runpy.run_path({str(ROOT / 'benchmarks/telemetry_overhead.py')!r})['left_behind']; kept = []; "
        "print(*left_behind(lambda: kept.append(bytes(1000)), 20_000))"
    )
    done = subprocess.run([sys.executable, "-c", leaking], capture_output=True, text=True, check=True)
    growth, per_10k = map(float, done.stdout.split())
    assert growth > 20_000 * 900
    assert 10_000 * 900 < per_10k < 10_000 * 1500
