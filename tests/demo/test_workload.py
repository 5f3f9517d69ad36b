"""What the workload serves while it runs is what its history says that it has served."""

from datetime import UTC, datetime, timedelta

import httpx
import numpy as np
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from genesis_lib.demo import history, scenario
from genesis_lib.demo.scenario import Scenario
from genesis_lib.demo.stack import Stack
from genesis_lib.demo.traffic import BUCKETS_S, DURATIONS, TrafficModel
from genesis_lib.demo.workload import Instruments, Simulation

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()
HOURS = 4
TARGET = {"job": "genesis-orchestration", "instance": "127.0.0.1:8000"}


@pytest.fixture(scope="module")
def healthy() -> Scenario:
    return scenario.load("healthy")


@pytest.fixture(scope="module")
def lived(healthy: Scenario) -> Instruments:
    """Four hours of the running workload, in two-second steps."""
    instruments = Instruments(healthy)
    traffic = TrafficModel(healthy, started_at=NOW)
    simulation = Simulation(traffic, instruments, since=NOW, suite_every=timedelta(minutes=30))
    for moment in np.arange(NOW, NOW + HOURS * 3600 + 1, 2.0):
        simulation.advance(float(moment))
    return instruments


@pytest.fixture(scope="module")
def past(healthy: Scenario) -> dict[tuple[str, str], float]:
    """By metric and `le`: what the history's counters grew by in a day, per second."""
    times = np.arange(NOW - 86_400, NOW + 1, history.INTERVAL_S)
    series = list(history._orchestration(healthy, times, TARGET))
    return {(s.labels["__name__"], s.labels.get("le", "")): (s.values[-1] - s.values[0]) / 86_400 for s in series}


def lived_rate(instruments: Instruments, name: str, **labels: str) -> float:
    value = instruments.registries["genesis-orchestration"].get_sample_value(name, {"track": "stable", **labels})
    assert value is not None
    return value / (HOURS * 3600)


@pytest.mark.parametrize("metric", DURATIONS.values())
def test_durations_are_distributed_as_in_the_history(
    metric: str, lived: Instruments, past: dict[tuple[str, str], float]
) -> None:
    for edge in (*map(str, BUCKETS_S), "+Inf"):
        lived_share = lived_rate(lived, f"{metric}_bucket", le=edge) / lived_rate(lived, f"{metric}_count")
        past_share = past[f"{metric}_bucket", edge] / past[f"{metric}_count", ""]
        assert lived_share == pytest.approx(past_share, abs=0.01), edge
    lived_mean = lived_rate(lived, f"{metric}_sum") / lived_rate(lived, f"{metric}_count")
    assert lived_mean == pytest.approx(past[f"{metric}_sum", ""] / past[f"{metric}_count", ""], rel=0.01)


def test_operations_come_at_the_rate_of_the_history(lived: Instruments, past: dict[tuple[str, str], float]) -> None:
    # The workload lived from noon to four, the busiest hours; the history's day has the mean of all.
    assert lived_rate(lived, "genesis_operations_total") == pytest.approx(
        past["genesis_operations_total", ""], rel=0.12
    )


def test_errors_have_the_ratio_of_the_history(lived: Instruments, past: dict[tuple[str, str], float]) -> None:
    lived_ratio = lived_rate(lived, "genesis_errors_total") / lived_rate(lived, "genesis_operations_total")
    past_ratio = past["genesis_errors_total", ""] / past["genesis_operations_total", ""]
    assert lived_ratio == pytest.approx(past_ratio, rel=0.1)


def test_a_suite_runs_at_the_start_and_then_every_half_hour(lived: Instruments) -> None:
    tests = lived.registries["genesis-tests"]
    assert tests.get_sample_value("genesis_tests_total") == 1044 * (HOURS * 2 + 1)
    assert tests.get_sample_value("genesis_tests_last_run_timestamp_seconds") == NOW + HOURS * 3600


def test_a_clock_that_jumps_makes_no_burst(healthy: Scenario) -> None:
    instruments = Instruments(healthy)
    simulation = Simulation(
        TrafficModel(healthy, started_at=NOW), instruments, since=NOW, suite_every=timedelta(minutes=30)
    )
    simulation.advance(NOW + 86_400)
    simulation.advance(NOW - 86_400)
    operations = instruments.registries["genesis-orchestration"].get_sample_value(
        "genesis_operations_total", {"track": "stable"}
    )
    assert operations is not None
    assert operations < 6.6 * 60 * 1.5


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
def test_each_job_serves_its_metrics_as_openmetrics(job: str, metrics: set[str], healthy_stack: Stack) -> None:
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    response = httpx.get(f"http://{healthy_stack.addresses[job]}/metrics", headers=accept, trust_env=False)
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    families = text_string_to_metric_families(response.text)  # type: ignore[no-untyped-call]
    served = {sample.name for family in families for sample in family.samples}
    own = {name for name in served if name.startswith("genesis_")}
    assert own == metrics
