"""The traffic of a healthy system stays inside its objectives, by its model and not by luck."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from genesis_lib.demo import scenario
from genesis_lib.demo.scenario import Phase
from genesis_lib.demo.traffic import TrafficModel

STARTED_AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC).timestamp()
STEP_S = 15
PER_HOUR, PER_FIVE_MINUTES = 240, 20


@pytest.fixture
def healthy() -> TrafficModel:
    return TrafficModel(scenario.load("healthy").model_copy(update={"phases": ()}), started_at=STARTED_AT)


def sums(counts: np.ndarray, window: int) -> np.ndarray:
    return np.convolve(counts, np.ones(window), mode="valid")


@pytest.mark.parametrize("seed", range(5))
def test_errors_occur_but_never_breach_an_objective_by_chance(healthy: TrafficModel, seed: int) -> None:
    times = STARTED_AT + np.arange(0, 7 * 86_400, STEP_S, dtype=np.float64)
    operations, errors, _ = healthy.arrivals(np.random.default_rng(seed), times, seconds=STEP_S, owed=0.0)
    hourly = sums(errors, PER_HOUR) / sums(operations, PER_HOUR)
    assert hourly.min() > 0
    assert hourly.max() < 0.0005  # the warning threshold
    assert (sums(errors, PER_FIVE_MINUTES) / sums(operations, PER_FIVE_MINUTES)).max() < 0.001  # the critical one
    assert sums(operations, PER_FIVE_MINUTES).min() / 300 > 4.6  # operations per second; the alert is at 4


def test_errors_are_the_same_whether_counted_in_large_steps_or_small(healthy: TrafficModel) -> None:
    rng, owed, in_small_steps, operations_in_all = np.random.default_rng(3), 0.0, 0, 0
    for moment in STARTED_AT + np.arange(0, 86_400, 20.0):
        operations, errors, owed = healthy.arrivals(rng, np.array([moment]), seconds=20.0, owed=owed)
        in_small_steps += int(errors[0])
        operations_in_all += int(operations[0])
    assert in_small_steps == int(operations_in_all * 0.0002)


def test_durations_stay_below_the_latency_objectives(healthy: TrafficModel) -> None:
    durations = healthy.durations_s(np.random.default_rng(1), 200_000)
    p95 = {stage: float(np.quantile(values, 0.95)) for stage, values in durations.items()}
    assert 0.12 < p95["operation"] < 0.14
    assert p95["htdag"] == pytest.approx(0.075, rel=0.1)
    assert p95["halo"] == pytest.approx(0.06, rel=0.1)
    assert p95["aop"] == pytest.approx(0.03, rel=0.1)
    np.testing.assert_allclose(durations["operation"], durations["htdag"] + durations["halo"] + durations["aop"])


def test_no_suite_of_a_healthy_system_falls_below_the_warning_threshold(healthy: TrafficModel) -> None:
    suites = healthy.suites(np.random.default_rng(1), 10_000)
    np.testing.assert_array_equal(suites["passed"] + suites["failed"] + suites["skipped"], suites["total"])
    assert (suites["passed"] / suites["total"]).min() > 0.99
    assert (suites["passed"] / suites["total"]).mean() == pytest.approx(0.995, abs=0.001)
    assert suites["flaky"].max() <= 3


def test_a_phase_changes_the_traffic_from_its_begin_to_its_end_and_not_a_second_longer() -> None:
    hour = timedelta(hours=1)
    phase = Phase(begins=-2 * hour, ends=-hour, traffic_factor=0.5, error_ratio=0.3, latency_factor=4.0)
    without = scenario.load("healthy").model_copy(update={"phases": ()})
    usual = TrafficModel(without, started_at=STARTED_AT)
    changed = TrafficModel(without.model_copy(update={"phases": (phase,)}), started_at=STARTED_AT)
    moments = STARTED_AT + np.array([-7201.0, -7200.0, -3601.0, -3600.0])
    expected = np.array([1, 0.5, 0.5, 1])
    np.testing.assert_allclose(changed.operations_per_s(moments) / usual.operations_per_s(moments), expected)
    np.testing.assert_allclose(changed.error_ratio(moments), [0.0002, 0.3, 0.3, 0.0002])
    np.testing.assert_allclose(changed.latency_factor(moments), [1, 4, 4, 1])


def test_a_phase_without_an_end_lasts_on() -> None:
    phase = Phase(begins=timedelta(minutes=-5), traffic_factor=0.0)
    stopped = TrafficModel(scenario.load("healthy").model_copy(update={"phases": (phase,)}), started_at=STARTED_AT)
    assert stopped.operations_per_s(np.array([STARTED_AT + 1e6])).tolist() == [0.0]
