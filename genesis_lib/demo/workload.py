"""Run the Genesis workload: one process that serves the /metrics pages of its jobs and simulates what they count.

    python -m genesis_lib.demo.workload --scenario healthy --started-at 1761000000 --artefacts DIR --port genesis-tests=8002 ...

No operation is waited for: each tick draws how many there were and how long they took, from the model that the history came from.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

from genesis_lib.demo import artefacts, telemetry
from genesis_lib.demo import scenario as scenarios
from genesis_lib.demo.parts import WORKLOAD_JOBS
from genesis_lib.demo.scenario import Scenario
from genesis_lib.demo.traffic import TRACK, TrafficModel
from genesis_lib.observability import CorrelationContext, MetricKind, ObservabilityManager, SpanType

__all__ = ["Instruments", "Operation", "Simulation", "main"]

_TICK_S = 0.5
_LONGEST_TICK_S = 60.0
# The stages that an operation passes through, in their order.
_STAGES: Mapping[str, tuple[str, SpanType]] = {
    "htdag": ("genesis.htdag.decomposition", SpanType.HTDAG),
    "halo": ("genesis.halo.routing", SpanType.HALO),
    "aop": ("genesis.aop.validation", SpanType.AOP),
}


class PlanRefusedError(Exception):
    """The AOP validator refused a plan: how an operation of this workload fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation: the seconds that each stage of it took, by the stage's name, and when it ended, in Unix seconds."""

    took_s: Mapping[str, float]
    ended: float
    has_failed: bool


class Instruments:
    """All that the workload tells the world, and the only place that knows how it is told. One registry for each job."""

    def __init__(self, scenario: Scenario, *, folder: Path | None = None) -> None:
        self.registries: Mapping[str, CollectorRegistry] = {job: CollectorRegistry() for job in scenario.running}
        self._scenario = scenario
        self._folder = folder if "genesis-tests" in scenario.running else None
        # What a job that does not run would have said goes into a registry that nobody serves.
        served = [self.registries.get(job, CollectorRegistry()) for job in WORKLOAD_JOBS]
        self.managers = tuple(
            telemetry.of_job(job, version=scenario.version, registry=registry)
            for job, registry in zip(WORKLOAD_JOBS, served, strict=True)
        )
        self._orchestration, app, self._tests = self.managers
        self._count_operation(0, errors=0)  # a counter that is born with its first error hides it
        for flag, is_on in scenario.flags.items():
            _set(self._orchestration, "genesis.feature_flag.enabled", int(is_on), flag=flag)
        ProcessCollector(registry=served[WORKLOAD_JOBS.index("genesis-python-app")])
        _set(app, "genesis.app.info", 1, version=scenario.version)

    def operation(self, one: Operation) -> None:
        """An operation has ended."""
        context = self._orchestration.create_correlation_context("a request of the simulation")
        took_s = sum(one.took_s.values())
        began = one.ended - took_s
        with (
            suppress(PlanRefusedError),
            self._timed("genesis.operation", SpanType.ORCHESTRATION, context, began, took_s),
        ):
            for stage, (name, kind) in _STAGES.items():
                with self._timed(name, kind, context, began, one.took_s[stage]):
                    if one.has_failed and kind is SpanType.AOP:
                        raise PlanRefusedError("the plan breaks a constraint")
                began += one.took_s[stage]
        self._count_operation(1, errors=int(one.has_failed))

    def suite(self, results: Mapping[str, int], *, at: float) -> None:
        """A complete run of the test suite has ended, at `at` in Unix seconds."""
        if self._folder is not None:
            text = artefacts.suite(results, self._scenario, at=datetime.fromtimestamp(at, UTC))
            artefacts.write(self._folder, artefacts.TESTS, text)
        for result, name in {"total": "", "passed": ".passed", "failed": ".failed", "skipped": ".skipped"}.items():
            self._tests.record_metric(f"genesis.tests{name}", results[result], "", kind=MetricKind.COUNTER)
        _set(self._tests, "genesis.tests.flaky", results["flaky"])
        # Last of all: who sees this moment finds the file and the counts of the same run.
        self._tests.record_metric("genesis.tests.last_run.timestamp", at, "s", kind=MetricKind.GAUGE)

    @contextmanager
    def _timed(
        self, name: str, kind: SpanType, context: CorrelationContext, began: float, took_s: float
    ) -> Iterator[None]:
        """The span of work that began at `began` and took so long; its duration is recorded inside, and so carries its trace."""
        with self._orchestration.span(name, kind, context, started_at=began, took_s=took_s):
            try:
                yield
            finally:
                self._orchestration.record_metric(f"{name}.duration", took_s, "s", {"track": TRACK})

    def _count_operation(self, operations: int, *, errors: int) -> None:
        for name, count in (("genesis.operations", operations), ("genesis.errors", errors)):
            self._orchestration.record_metric(name, count, "", {"track": TRACK}, kind=MetricKind.COUNTER)


class Simulation:
    """Lives through time and tells the instruments; `since` and all moments are in Unix seconds. A suite runs at once."""

    def __init__(self, scenario: Scenario, instruments: Instruments, *, since: float) -> None:
        self._traffic, self._instruments = TrafficModel(scenario, started_at=since), instruments
        self._suite_every_s = scenario.tests.every.total_seconds()
        self._since, self._next_suite, self._owed = since, since, 0.0
        self._rng = np.random.default_rng(scenario.seed + 3)  # the history is drawn from the three before

    def advance(self, now: float) -> None:
        """Do what happened between the last call and `now`."""
        if now >= self._next_suite:
            results = self._traffic.suites(self._rng, 1)
            counts = {result: int(runs[0]) for result, runs in results.items()}
            self._instruments.suite(counts, at=float(int(now)))  # files say it to the second
            self._next_suite = now + self._suite_every_s
        # A clock that was set back, or a host that slept, must not become a burst of operations.
        elapsed_s = min(max(now - self._since, 0.0), _LONGEST_TICK_S)
        at = np.array([now])
        operations, errors, self._owed = self._traffic.arrivals(self._rng, at, seconds=elapsed_s, owed=self._owed)
        factor = float(self._traffic.latency_factor(at)[0])
        durations = self._traffic.durations_s(self._rng, int(operations[0]))
        ends = np.sort(self._rng.uniform(now - elapsed_s, now, int(operations[0])))
        for number, ended in enumerate(ends):
            took_s = {stage: float(durations[stage][number]) * factor for stage in _STAGES}
            self._instruments.operation(
                Operation(took_s=took_s, ended=float(ended), has_failed=number < int(errors[0]))
            )
        self._since = now


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m genesis_lib.demo.workload")
    parser.add_argument("--scenario", required=True)
    parser.add_argument(
        "--started-at", required=True, type=float, help="the moment from which the scenario counts, in Unix seconds"
    )
    parser.add_argument("--artefacts", required=True, type=Path, help="the folder for the files of the last test suite")
    parser.add_argument("--port", action="append", required=True, metavar="JOB=PORT")
    options = parser.parse_args(arguments)
    scenario = scenarios.load(options.scenario)
    instruments = Instruments(scenario, folder=options.artefacts)
    simulation = Simulation(scenario, instruments, since=options.started_at)
    simulation.advance(options.started_at)  # before the pages are served: who finds them, finds the first suite's file
    for job, _, port in (text.partition("=") for text in options.port):
        start_http_server(int(port), addr="127.0.0.1", registry=instruments.registries[job])
    while True:
        simulation.advance(time.time())
        time.sleep(_TICK_S)


def _set(manager: ObservabilityManager, name: str, value: float, **labels: str) -> None:
    manager.record_metric(name, value, "", labels, kind=MetricKind.GAUGE)


if __name__ == "__main__":
    main()
