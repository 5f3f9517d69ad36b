"""The one model of what Genesis does, from which both the running workload and its history are drawn."""

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from genesis_lib.demo.scenario import Phase, Range, Scenario

__all__ = ["BUCKETS_S", "DURATIONS", "TRACK", "SuiteRuns", "TrafficModel"]

# Upper bounds of the histograms' buckets in seconds: the report's thresholds (0.14, 0.15, 0.18, 0.2, 0.5) are among them.
BUCKETS_S = (0.01, 0.025, 0.05, 0.075, 0.1, 0.12, 0.14, 0.15, 0.18, 0.2, 0.3, 0.5, 1.0, 2.5)

TRACK = "stable"  # who serves the operation; a canary's series will carry another

# The stages of an operation, and the metric that times each. `operation` is the whole: the sum of the others.
DURATIONS: Mapping[str, str] = {
    "operation": "genesis_operation_duration_seconds",
    "htdag": "genesis_htdag_decomposition_duration_seconds",
    "halo": "genesis_halo_routing_duration_seconds",
    "aop": "genesis_aop_validation_duration_seconds",
}

Times = NDArray[np.float64]
Counts = NDArray[np.int64]
SuiteRuns = Mapping[str, Counts]


class TrafficModel:
    """Rates, errors and durations at any moment; `started_at` is the stack's start, in Unix seconds. Holds no state."""

    def __init__(self, scenario: Scenario, *, started_at: float) -> None:
        self._scenario = scenario
        self._started_at = started_at

    def operations_per_s(self, times: Times) -> Times:
        """The mean rate of operations."""
        traffic = self._scenario.traffic
        days = times / timedelta(days=1).total_seconds()
        day = -np.cos(2 * np.pi * days)  # lowest at midnight UTC, highest at noon
        rate = traffic.operations_per_s * (1 + traffic.day_wave * day)
        for phase in self._scenario.phases:
            rate = np.where(self._within(phase, times), rate * phase.traffic_factor, rate)
        return rate

    def error_ratio(self, times: Times) -> Times:
        """The share of operations that fail."""
        ratio = np.full(len(times), self._scenario.traffic.error_ratio)
        for phase in self._scenario.phases:
            if phase.error_ratio is not None:
                ratio[self._within(phase, times)] = phase.error_ratio
        return ratio

    def latency_factor(self, times: Times) -> Times:
        """By how much all durations are longer than usual."""
        factor = np.ones(len(times))
        for phase in self._scenario.phases:
            factor[self._within(phase, times)] *= phase.latency_factor
        return factor

    def arrivals(
        self, rng: np.random.Generator, times: Times, *, seconds: float, owed: float
    ) -> tuple[Counts, Counts, float]:
        """Operations and errors in the `seconds` before each of `times`.

        Errors come evenly, one in every 1 / ratio operations: were they drawn at random, two of them would meet in one five-minute
        window every few hours, and a system in good health would alarm by chance. `owed` carries the fraction of an error on to the
        next call; the new one is returned.
        """
        operations = rng.poisson(self.operations_per_s(times) * seconds)
        debt = owed + np.cumsum(operations * self.error_ratio(times))
        errors = np.diff(np.floor(debt), prepend=np.floor(owed)).astype(np.int64)
        return operations, errors, float(debt[-1] % 1)

    def durations_s(self, rng: np.random.Generator, count: int) -> dict[str, NDArray[np.float64]]:
        """How long `count` operations take in usual times, by stage; each array has one value per operation, in seconds."""
        stages = {
            name: rng.lognormal(np.log(stage.median_s), stage.sigma, count)
            for name, stage in self._scenario.traffic.stages.items()
        }
        return {"operation": np.sum(list(stages.values()), axis=0), **stages}

    def suites(self, rng: np.random.Generator, count: int) -> SuiteRuns:
        """The results of `count` complete runs of the test suite: total, passed, failed, skipped, flaky."""
        tests = self._scenario.tests
        failed = _between(rng, tests.failed, count)
        total, skipped = np.full(count, tests.total), np.full(count, tests.skipped)
        return {
            "total": total,
            "passed": total - skipped - failed,
            "failed": failed,
            "skipped": skipped,
            "flaky": _between(rng, tests.flaky, count),
        }

    def _within(self, phase: Phase, times: Times) -> NDArray[np.bool_]:
        ends = np.inf if phase.ends is None else phase.ends.total_seconds()
        since_start = times - self._started_at
        return (since_start >= phase.begins.total_seconds()) & (since_start < ends)


def _between(rng: np.random.Generator, bounds: Range, count: int) -> Counts:
    return rng.integers(bounds.least, bounds.most, count, endpoint=True)
