"""Run the Genesis workload: one process that serves the /metrics pages of its jobs and simulates what they count.

    python -m genesis_lib.demo.workload --scenario healthy --started-at 1761000000 --port genesis-orchestration=8000 ...

No operation is waited for: each tick draws how many there were and how long they took, from the model that the history came from.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

import numpy as np
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)

from genesis_lib.demo import scenario as scenarios
from genesis_lib.demo.parts import WORKLOAD_JOBS
from genesis_lib.demo.scenario import Scenario
from genesis_lib.demo.traffic import BUCKETS_S, DURATIONS, TRACK, TrafficModel

__all__ = ["Instruments", "Simulation", "main"]

_TICK_S = 0.5
_LONGEST_TICK_S = 60.0


class Instruments:
    """All that the workload tells the world, and the only place that knows how it is told. One registry for each job."""

    def __init__(self, scenario: Scenario) -> None:
        self.registries: Mapping[str, CollectorRegistry] = {job: CollectorRegistry() for job in scenario.running}
        # What a job that does not run would have said goes into a registry that nobody serves.
        orchestration, app, tests = (self.registries.get(job, CollectorRegistry()) for job in WORKLOAD_JOBS)
        track = ["track"]
        self._operations = Counter(
            "genesis_operations", "Operations that ended.", track, registry=orchestration
        ).labels(TRACK)
        self._errors = Counter("genesis_errors", "Operations that failed.", track, registry=orchestration).labels(TRACK)
        self._durations = {
            stage: Histogram(metric, f"Duration: {stage}.", track, buckets=BUCKETS_S, registry=orchestration).labels(
                TRACK
            )
            for stage, metric in DURATIONS.items()
        }
        flags = Gauge("genesis_feature_flag_enabled", "Whether a feature flag is on.", ["flag"], registry=orchestration)
        for flag, is_on in scenario.flags.items():
            flags.labels(flag).set(int(is_on))
        ProcessCollector(registry=app)
        Info("genesis_app", "The application's version.", registry=app).info({"version": scenario.version})
        self._suite_counts = {
            "total": Counter("genesis_tests", "Tests of complete suite runs.", registry=tests),
            "passed": Counter("genesis_tests_passed", "Tests that passed.", registry=tests),
            "failed": Counter("genesis_tests_failed", "Tests that failed.", registry=tests),
            "skipped": Counter("genesis_tests_skipped", "Tests that were skipped.", registry=tests),
        }
        self._flaky = Gauge("genesis_tests_flaky", "Tests that were flaky in the last suite.", registry=tests)
        self._last_run = Gauge("genesis_tests_last_run_timestamp_seconds", "When the last suite ended.", registry=tests)

    def operations(self, durations_s: Mapping[str, Sequence[float]], *, errors: int) -> None:
        """Operations have ended; `durations_s` has, for each stage, the seconds that each operation took."""
        for stage, histogram in self._durations.items():
            for duration in durations_s[stage]:
                histogram.observe(duration)
        self._operations.inc(len(durations_s["operation"]))
        self._errors.inc(errors)

    def suite(self, results: Mapping[str, int], *, at: float) -> None:
        """A complete run of the test suite has ended, at `at` in Unix seconds."""
        for result, counter in self._suite_counts.items():
            counter.inc(results[result])
        self._flaky.set(results["flaky"])
        self._last_run.set(at)


class Simulation:
    """Lives through time and tells the instruments; `since` and all moments are in Unix seconds. A suite runs at once."""

    def __init__(
        self, traffic: TrafficModel, instruments: Instruments, *, since: float, suite_every: timedelta
    ) -> None:
        self._traffic, self._instruments = traffic, instruments
        self._suite_every_s = suite_every.total_seconds()
        self._since, self._next_suite, self._owed = since, since, 0.0
        self._rng = np.random.default_rng()

    def advance(self, now: float) -> None:
        """Do what happened between the last call and `now`."""
        if now >= self._next_suite:
            results = self._traffic.suites(self._rng, 1)
            self._instruments.suite({result: int(counts[0]) for result, counts in results.items()}, at=now)
            self._next_suite = now + self._suite_every_s
        # A clock that was set back, or a host that slept, must not become a burst of operations.
        elapsed_s = min(max(now - self._since, 0.0), _LONGEST_TICK_S)
        at = np.array([now])
        operations, errors, self._owed = self._traffic.arrivals(self._rng, at, seconds=elapsed_s, owed=self._owed)
        factor = float(self._traffic.latency_factor(at)[0])
        durations = self._traffic.durations_s(self._rng, int(operations[0]))
        stretched = {stage: (values * factor).tolist() for stage, values in durations.items()}
        self._instruments.operations(stretched, errors=int(errors[0]))
        self._since = now


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m genesis_lib.demo.workload")
    parser.add_argument("--scenario", required=True)
    parser.add_argument(
        "--started-at", required=True, type=float, help="the moment from which the scenario counts, in Unix seconds"
    )
    parser.add_argument("--port", action="append", required=True, metavar="JOB=PORT")
    options = parser.parse_args(arguments)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    scenario = scenarios.load(options.scenario)
    instruments = Instruments(scenario)
    for job, _, port in (text.partition("=") for text in options.port):
        start_http_server(int(port), addr="127.0.0.1", registry=instruments.registries[job])
    traffic = TrafficModel(scenario, started_at=options.started_at)
    simulation = Simulation(traffic, instruments, since=options.started_at, suite_every=scenario.tests.every)
    while True:
        simulation.advance(time.time())
        time.sleep(_TICK_S)


if __name__ == "__main__":
    main()
