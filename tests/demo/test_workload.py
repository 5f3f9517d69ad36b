"""What the workload serves while it runs is what its history says that it has served."""

import gzip
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from math import exp, hypot, log, sqrt
from pathlib import Path
from threading import Thread
from typing import ClassVar

import httpx
import numpy as np
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from prometheus_client import Metric
from prometheus_client import parser as text
from prometheus_client.openmetrics import parser as openmetrics

from genesis_lib.demo import artefacts, history, scenario, telemetry
from genesis_lib.demo.scenario import Phase, Range, Scenario
from genesis_lib.demo.stack import Stack
from genesis_lib.demo.traffic import BUCKETS_S, DURATIONS
from genesis_lib.demo.tsdb import Series
from genesis_lib.demo.workload import Instruments, Operation, Simulation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
DAY_S, LIVED_S = 86_400, 10 * 60
TARGET = {"job": "any", "instance": "any"}
# Two that do not differ are told apart once in a thousand times: by the normal distribution, and by Kolmogorov and Smirnov.
NORMAL, KOLMOGOROV = 3.29, sqrt(-log(0.001 / 2) / 2)

HEALTHY = scenario.load("healthy")
# Suites every 20 s, so that there are enough of them to compare.
USUAL = HEALTHY.model_copy(
    update={"phases": (), "tests": HEALTHY.tests.model_copy(update={"every": timedelta(seconds=20)})}
)
HARD = USUAL.model_copy(
    update={
        "phases": (Phase(begins=timedelta(days=-2), traffic_factor=0.6, error_ratio=0.05, latency_factor=1.8),),
        "tests": USUAL.tests.model_copy(update={"failed": Range(least=40, most=90)}),
        "flags": {**USUAL.flags, "caching_enabled": False},
        "seed": 7,
    }
)
Told = Mapping[tuple[str, str], float]  # by metric, and `le` or `flag`


def lived(genesis: Scenario, seconds: float = LIVED_S) -> Instruments:
    """Some time of the running workload, in two-second steps, of which none is waited for."""
    instruments = Instruments(genesis)
    simulation = Simulation(genesis, instruments, since=NOW)
    for moment in np.arange(NOW, NOW + seconds + 1, 2.0):
        simulation.advance(float(moment))
    return instruments


def told(instruments: Instruments, *, but: str = "-") -> Told:
    """What all pages say, `but` for metrics that begin so."""
    samples = (
        sample
        for registry in instruments.registries.values()
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.startswith(but)
    )
    return {(s.name, s.labels.get("le") or s.labels.get("flag", "")): s.value for s in samples}


def past(genesis: Scenario) -> list[Series]:
    """The history of the day before."""
    times = np.arange(NOW - DAY_S, NOW + 1, history.INTERVAL_S)
    return [*history._orchestration(genesis, times, TARGET), *history._tests(genesis, times, TARGET)]


def growth(series: Iterable[Series], seconds: int) -> Told:
    """By how much the series grew in so many seconds of the day before, from the same time of day on; what flags stood at."""
    until = seconds // history.INTERVAL_S
    return {
        (s.labels["__name__"], s.labels.get("le") or s.labels.get("flag", "")): s.values[until]
        - (0.0 if "flag" in s.labels else s.values[0])
        for s in series
    }


def disagreements(live: Told, genesis: Scenario) -> set[str]:
    """In what the workload and the history of a scenario differ by more than chance explains."""
    series, found = past(genesis), set()
    day, same_hour = growth(series, DAY_S), growth(series, LIVED_S)
    operations, before = live["genesis_operations_total", ""], same_hour["genesis_operations_total", ""]
    if abs(operations - before) > NORMAL * sqrt(operations + before):
        found.add("rate")
    # Errors come evenly, so their ratio is exact but for the one that is under way.
    ratio = day["genesis_errors_total", ""] / day["genesis_operations_total", ""]
    if abs(live["genesis_errors_total", ""] - operations * ratio) > 1:
        found.add("errors")
    # The history draws from a pool, so that it knows no more than that many durations.
    uncertain = sqrt(1 / operations + 1 / min(day["genesis_operations_total", ""], history._POOL))
    for stage, metric in DURATIONS.items():
        for edge in map(str, BUCKETS_S):
            share, usual = (d[f"{metric}_bucket", edge] / d[f"{metric}_count", ""] for d in (live, day))
            if abs(share - usual) > KOLMOGOROV * uncertain:
                found.add(stage)
        mean, usual = (d[f"{metric}_sum", ""] / d[f"{metric}_count", ""] for d in (live, day))
        varies = max(sqrt(exp(law.sigma**2) - 1) for law in genesis.traffic.stages.values())  # of a log-normal
        if abs(mean / usual - 1) > NORMAL * varies * uncertain:
            found.add(stage)
    suites = [d["genesis_tests_total", ""] / genesis.tests.total for d in (live, day)]
    failed = [d["genesis_tests_failed_total", ""] / n for d, n in zip((live, day), suites, strict=True)]
    bounds = genesis.tests.failed
    deviation = sqrt(((bounds.most - bounds.least + 1) ** 2 - 1) / 12)  # of a whole number, each equally likely
    if abs(failed[0] - failed[1]) > NORMAL * deviation * hypot(*(1 / sqrt(n) for n in suites)):
        found.add("failed")
    parts = [live[f"genesis_tests_{result}_total", ""] for result in ("passed", "failed", "skipped")]
    if sum(parts) != live["genesis_tests_total", ""] or parts[-1] / suites[0] != genesis.tests.skipped:
        found.add("suites")
    flags = [{key: value for key, value in d.items() if key[0].startswith("genesis_feature")} for d in (live, day)]
    if flags[0] != flags[1]:
        found.add("flags")
    return found


@cache
def lived_of(name: str) -> Told:
    return told(lived({"usual": USUAL, "hard": HARD}[name]))


@pytest.mark.parametrize(
    ("name", "genesis"), [pytest.param("usual", USUAL, id="good times"), pytest.param("hard", HARD, id="hard times")]
)
def test_the_workload_lives_as_its_history_says_it_has(name: str, genesis: Scenario) -> None:
    assert disagreements(lived_of(name), genesis) == set()


def slower(stage: str, factor: float) -> Scenario:
    law = USUAL.traffic.stages[stage]
    stages = {**USUAL.traffic.stages, stage: law.model_copy(update={"median_s": law.median_s * factor})}
    return USUAL.model_copy(update={"traffic": USUAL.traffic.model_copy(update={"stages": stages})})


@pytest.mark.parametrize(
    ("genesis", "differs"),
    [
        pytest.param(
            USUAL.model_copy(
                update={"traffic": USUAL.traffic.model_copy(update={"operations_per_s": 7.2, "error_ratio": 0.001})}
            ),
            {"rate", "errors"},
            id="a fifth more operations and five times the errors",
        ),
        pytest.param(slower("halo", 1.1), {"halo", "operation"}, id="routing that takes a tenth longer"),
        pytest.param(
            USUAL.model_copy(update={"tests": USUAL.tests.model_copy(update={"failed": Range(least=2, most=6)})}),
            {"failed"},
            id="one more failed test in each suite",
        ),
        pytest.param(
            USUAL.model_copy(update={"flags": {**USUAL.flags, "otel_enabled": False}}), {"flags"}, id="another flag"
        ),
    ],
)
def test_small_differences_would_be_noticed(genesis: Scenario, differs: set[str]) -> None:
    assert disagreements(lived_of("usual"), genesis) == differs


def test_a_life_is_repeated_by_its_seed() -> None:
    first, again, other = (
        told(lived(genesis, 20), but="process_") for genesis in (USUAL, USUAL, USUAL.model_copy(update={"seed": 1}))
    )
    assert first == again
    assert first != other


def test_a_clock_that_jumps_makes_no_burst() -> None:
    instruments = Instruments(USUAL)
    simulation = Simulation(USUAL, instruments, since=NOW)
    simulation.advance(NOW + DAY_S)
    simulation.advance(NOW - DAY_S)
    assert told(instruments)["genesis_operations_total", ""] < 6.6 * 60 * 1.5


def suite_in(folder: Path) -> dict[str, float]:
    """The last suite, by what its file says: counts, as the metrics name them, and its moment."""
    (suite,) = ET.parse(folder / artefacts.TESTS).getroot()  # noqa: S314 - it is ours
    total, failed, skipped = (int(suite.get(key, "")) for key in ("tests", "failures", "skipped"))
    passed = sum(len(case) == 0 for case in suite.findall("testcase"))
    at = datetime.fromisoformat(suite.get("timestamp", "")).timestamp()
    return {"total": total, "passed_total": passed, "failed_total": failed, "skipped_total": skipped} | {
        "last_run_timestamp_seconds": at
    }


def test_each_suite_leaves_a_file_with_what_it_added_to_the_counters(tmp_path: Path) -> None:
    idle = HEALTHY.model_copy(update={"traffic": HEALTHY.traffic.model_copy(update={"operations_per_s": 0.01})})
    instruments = Instruments(idle, folder=tmp_path)
    simulation = Simulation(idle, instruments, since=NOW)
    before = dict.fromkeys(("total", "passed_total", "failed_total", "skipped_total"), 0.0)
    for number in range(4):
        simulation.advance(NOW + number * HEALTHY.tests.every.total_seconds() + 0.25)
        counted, suite = told(instruments), suite_in(tmp_path)
        assert suite.pop("last_run_timestamp_seconds") == counted["genesis_tests_last_run_timestamp_seconds", ""]
        now = {part: counted[f"genesis_tests_{part}", ""] for part in before}
        assert suite == {part: now[part] - before[part] for part in before}
        before = now
    assert before["total"] == 4 * 1044
    assert {path.name for path in tmp_path.iterdir()} == {artefacts.TESTS}


def test_a_workload_without_the_tests_job_leaves_the_results_of_others_alone(tmp_path: Path) -> None:
    deaf = HEALTHY.model_copy(update={"running": ("genesis-orchestration",)})
    Simulation(deaf, Instruments(deaf, folder=tmp_path), since=NOW).advance(NOW)
    assert not list(tmp_path.iterdir())


TOOK_S = {"htdag": 0.04, "halo": 0.03, "aop": 0.02}


class Collector(BaseHTTPRequestHandler):
    """Takes spans as an OpenTelemetry collector does."""

    taken: ClassVar[list[Span]] = []

    def do_POST(self) -> None:
        """Take one batch."""
        assert self.path == "/v1/traces"
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        sent = gzip.decompress(sent) if self.headers["Content-Encoding"] == "gzip" else sent
        for of_resource in ExportTraceServiceRequest.FromString(sent).resource_spans:
            self.taken.extend(span for of_scope in of_resource.scope_spans for span in of_scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing on the test's standard error."""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Span]]:
    """The spans that arrived at the endpoint which the environment names."""
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        Collector.taken.clear()
        yield Collector.taken
        server.shutdown()


@pytest.mark.parametrize(
    ("operation", "in_error"),
    [
        pytest.param(Operation(took_s=TOOK_S, ended=NOW, has_failed=False), set(), id="that succeeds"),
        pytest.param(
            Operation(took_s=TOOK_S, ended=NOW, has_failed=True),
            {"genesis.operation", "genesis.aop.validation"},
            id="that fails",
        ),
    ],
)
def test_an_operation_is_a_trace_of_its_stages_end_to_end(
    operation: Operation, in_error: set[str], collector: list[Span]
) -> None:
    instruments = Instruments(HEALTHY)
    instruments.operation(operation)
    for manager in instruments.managers:
        manager.shutdown()
    (whole,) = (span for span in collector if not span.parent_span_id)
    stages = sorted((span for span in collector if span is not whole), key=lambda span: span.start_time_unix_nano)
    assert whole.name == "genesis.operation"
    assert [span.name for span in stages] == [
        "genesis.htdag.decomposition",
        "genesis.halo.routing",
        "genesis.aop.validation",
    ]
    assert {(span.trace_id, span.parent_span_id) for span in stages} == {(whole.trace_id, whole.span_id)}
    moments = [NOW - 0.09, NOW - 0.05, NOW - 0.02, NOW]
    for span, began, ended in zip(stages, moments, moments[1:], strict=False):
        assert span.start_time_unix_nano / 1e9 == pytest.approx(began, abs=1e-6)
        assert span.end_time_unix_nano / 1e9 == pytest.approx(ended, abs=1e-6)
    assert whole.start_time_unix_nano / 1e9 == pytest.approx(moments[0], abs=1e-6)
    assert whole.end_time_unix_nano / 1e9 == pytest.approx(NOW, abs=1e-6)
    assert {span.name for span in collector if span.status.code == Status.STATUS_CODE_ERROR} == in_error


OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


@pytest.mark.parametrize("headers", [pytest.param(OPENMETRICS, id="as OpenMetrics"), pytest.param({}, id="as text")])
@pytest.mark.parametrize(
    ("job", "metrics"),
    [
        pytest.param(
            "genesis-orchestration",
            {"genesis_operations_total", "genesis_errors_total", "genesis_feature_flag_enabled"}
            | {f"{metric}_{part}" for metric in DURATIONS.values() for part in ("bucket", "sum", "count")},
            id="genesis-orchestration",
        ),
        pytest.param("genesis-python-app", {"genesis_app_info"}, id="genesis-python-app"),
        pytest.param(
            "genesis-tests",
            {f"genesis_tests_{part}" for part in ("total", "passed_total", "failed_total", "skipped_total", "flaky")}
            | {"genesis_tests_last_run_timestamp_seconds"},
            id="genesis-tests",
        ),
    ],
)
def test_each_job_serves_its_metrics(
    job: str, metrics: set[str], headers: Mapping[str, str], healthy_stack: Stack
) -> None:
    response = httpx.get(f"http://{healthy_stack.addresses[job]}/metrics", headers=headers, trust_env=False)
    is_openmetrics = response.headers["content-type"].startswith("application/openmetrics-text")
    assert is_openmetrics == bool(headers)
    parse: Callable[[str], Iterable[Metric]] = (openmetrics if is_openmetrics else text).text_string_to_metric_families
    samples = [sample for family in parse(response.text) for sample in family.samples]
    names = {sample.name for sample in samples}
    assert {name for name in names if not name.startswith("process_")} == metrics | {"target_info"}
    (target,) = (sample.labels for sample in samples if sample.name == "target_info")
    assert target == telemetry.target_labels(job, version=HEALTHY.version)
    assert (target["service_name"], target["process_executable_path"]) == (job, sys.executable)
    carried = {sample.name for sample in samples if sample.exemplar}
    assert carried == (
        {name for name in metrics if name.endswith("_duration_seconds_bucket")} if is_openmetrics else set()
    )


def test_the_stack_has_the_artefacts_of_what_it_serves(healthy_stack: Stack) -> None:
    folder = healthy_stack.folder / "artefacts"
    page = httpx.get(f"http://{healthy_stack.addresses['genesis-tests']}/metrics", trust_env=False).text
    served = {
        sample.name: sample.value for family in text.text_string_to_metric_families(page) for sample in family.samples
    }
    # The stack is younger than its second suite: what is counted is what the file has.
    assert served.items() >= {f"genesis_tests_{part}": value for part, value in suite_in(folder).items()}.items()
    assert {path.name for path in folder.iterdir()} >= {"commit", "coverage.json", "flags.json", "tests.xml"}
