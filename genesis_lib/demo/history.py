"""Make the past of the embedded stack: every series that it will scrape, sampled at each interval up to now."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from genesis_lib.demo import telemetry
from genesis_lib.demo.node_history import node_series
from genesis_lib.demo.parts import JOBS, WORKLOAD_JOBS
from genesis_lib.demo.scenario import Alert, Scenario
from genesis_lib.demo.traffic import BUCKETS_S, DURATIONS, TRACK, TrafficModel
from genesis_lib.demo.tsdb import Series, write_block
from genesis_lib.errors import StackError

__all__ = ["INTERVAL_S", "write"]

INTERVAL_S = 15  # the scrape interval of monitoring/prometheus_config.yml
# Past operations are drawn from a pool of so many, a run of neighbours for each interval.
_POOL = 1 << 17
_EDGES = [str(edge) for edge in BUCKETS_S]  # as the exporter writes them: 1.0 is "1.0" and not "1"
_APP_CPU_SHARE = 0.015
_APP_MEMORY_PAGES = 12_800  # of 4096 bytes

Times = NDArray[np.float64]


def write(
    folder: Path, scenario: Scenario, *, now: float, addresses: Mapping[str, str], node_page: str, rules: Sequence[Path]
) -> Mapping[str, int]:
    """Write the scenario's past into Prometheus's data folder, before Prometheus starts.

    Args:
        folder: Prometheus's data folder.
        scenario: what happened.
        now: the moment of start in Unix seconds; the last sample stands at it, none later.
        addresses: job to `host:port`, as the live series will carry it in `instance`.
        node_page: what the running node exporter serves on /metrics; its series are led back from these values.
        rules: the rule files in force, for labels and `for` of past alerts.

    Returns:
        How many samples were written, by metric name.

    Raises:
        StackError: the scenario names an alert that no rule file holds.

    """
    end = int(now)
    length = int(scenario.history.total_seconds()) // INTERVAL_S
    times = np.arange(end - length * INTERVAL_S, end + 1, INTERVAL_S, dtype=np.float64)
    series = [*_up(scenario, times, addresses)]
    series += node_series(node_page, times, target={"job": "node", "instance": addresses["node"]})
    workload = {"genesis-orchestration": _orchestration, "genesis-python-app": _python_app, "genesis-tests": _tests}
    for job in scenario.running:
        born = _birth(scenario, job, times)
        target = {"job": job, "instance": addresses[job]}
        lived = [*workload[job](scenario, times[born:], target), *_target_info(scenario, times[born:], target)]
        series += [replace(one, first=born + one.first) for one in lived]
    alert_rules = _alert_rules(rules)
    for alert in scenario.alerts:
        series += _alert(alert, times, addresses, alert_rules)
    write_block(folder, series, start_ms=int(times[0]) * 1000, interval_ms=INTERVAL_S * 1000)
    counts: dict[str, int] = {}
    for one in series:
        name = one.labels["__name__"]
        counts[name] = counts.get(name, 0) + len(one.values)
    return counts


def _named(
    name: str, target: Mapping[str, str], values: NDArray[np.float64 | np.int64 | np.bool_], **labels: str
) -> Series:
    return Series(labels={"__name__": name, **target, **labels}, values=values.astype(np.float64))


def _up(scenario: Scenario, times: Times, addresses: Mapping[str, str]) -> Iterator[Series]:
    for job in JOBS:
        born = len(times) if job in set(WORKLOAD_JOBS) - set(scenario.running) else _birth(scenario, job, times)
        yield _named("up", {"job": job, "instance": addresses[job]}, np.arange(len(times)) >= born)


def _birth(scenario: Scenario, job: str, times: Times) -> int:
    """The index of the first moment at which a job ran."""
    return int(np.searchsorted(times - times[-1], scenario.born.get(job, -scenario.history).total_seconds()))


def _orchestration(scenario: Scenario, times: Times, target: Mapping[str, str]) -> Iterator[Series]:
    traffic, rng = TrafficModel(scenario, started_at=times[-1]), np.random.default_rng(scenario.seed)
    operations, errors, _ = traffic.arrivals(rng, times, seconds=INTERVAL_S, owed=0.0)
    operations = np.minimum(operations, _POOL)
    yield _named("genesis_operations_total", target, operations.cumsum(), track=TRACK)
    yield _named("genesis_errors_total", target, errors.cumsum(), track=TRACK)
    factors, pool = traffic.latency_factor(times), traffic.durations_s(rng, _POOL)
    begins = rng.integers(0, _POOL - operations, endpoint=True)
    for stage, metric in DURATIONS.items():
        below, total_s = np.zeros((len(times), len(BUCKETS_S))), np.zeros(len(times))
        for factor in np.unique(factors):
            here = factors == factor
            first, last = begins[here], (begins + operations)[here]
            durations = pool[stage] * factor
            so_far = _running_total(durations[:, None] <= np.array(BUCKETS_S))
            below[here] = so_far[last] - so_far[first]
            sums = _running_total(durations)
            total_s[here] = sums[last] - sums[first]
        for edge, counts in zip(_EDGES, below.T, strict=True):
            yield _named(f"{metric}_bucket", target, counts.cumsum(), track=TRACK, le=edge)
        yield _named(f"{metric}_bucket", target, operations.cumsum(), track=TRACK, le="+Inf")
        yield _named(f"{metric}_count", target, operations.cumsum(), track=TRACK)
        # To the microsecond: digits beyond would only fill the disk.
        yield _named(f"{metric}_sum", target, total_s.cumsum().round(6), track=TRACK)
    for flag, is_on in scenario.flags.items():
        yield _named("genesis_feature_flag_enabled", target, np.full(len(times), int(is_on)), flag=flag)


def _running_total(values: NDArray[np.float64 | np.bool_]) -> NDArray[np.float64 | np.int64]:
    """The sum of the first i values, for i from 0 on."""
    sums = np.cumsum(values, axis=0)
    return np.concatenate([np.zeros_like(sums[:1]), sums])


def _python_app(scenario: Scenario, times: Times, target: Mapping[str, str]) -> Iterator[Series]:
    rng = np.random.default_rng(scenario.seed + 1)
    cpu_s = rng.gamma(4.0, _APP_CPU_SHARE * INTERVAL_S / 4.0, len(times)).cumsum().round(2)
    drift = np.sin(2 * np.pi * times / timedelta(hours=7).total_seconds())
    yield from _of_each_version(
        scenario, times, lambda version: {"__name__": "genesis_app_info", **target, "version": version}
    )
    yield _named("process_cpu_seconds_total", target, cpu_s)
    yield _named("process_resident_memory_bytes", target, (_APP_MEMORY_PAGES * (1 + 0.05 * drift)).round() * 4096)
    yield _named("process_start_time_seconds", target, np.full(len(times), times[0]))


def _target_info(scenario: Scenario, times: Times, target: Mapping[str, str]) -> Iterator[Series]:
    def labels(version: str) -> Mapping[str, str]:
        return {"__name__": "target_info", **target, **telemetry.target_labels(target["job"], version=version)}

    return _of_each_version(scenario, times, labels)


def _of_each_version(scenario: Scenario, times: Times, labels: Callable[[str], Mapping[str, str]]) -> Iterator[Series]:
    """The series of ones that each version has for its own time."""
    ends = [int(np.searchsorted(times - times[-1], release.until.total_seconds())) for release in scenario.releases]
    versions = [*(release.version for release in scenario.releases), scenario.version]
    for version, begin, end in zip(versions, [0, *ends], [*ends, len(times)], strict=True):
        yield Series(labels=labels(version), values=np.ones(end - begin), first=begin)


def _tests(scenario: Scenario, times: Times, target: Mapping[str, str]) -> Iterator[Series]:
    traffic, rng = TrafficModel(scenario, started_at=times[-1]), np.random.default_rng(scenario.seed + 2)
    every = scenario.tests.every.total_seconds()
    # Which suite is the last that has run; one runs at the very start.
    number = (times // every - times[0] // every).astype(int)
    suites = traffic.suites(rng, number[-1] + 1)
    metrics = {"total": "", "passed": "passed_", "failed": "failed_", "skipped": "skipped_"}
    for result, part in metrics.items():
        yield _named(f"genesis_tests_{part}total", target, suites[result].cumsum()[number])
    yield _named("genesis_tests_flaky", target, suites["flaky"][number])
    yield _named("genesis_tests_last_run_timestamp_seconds", target, np.maximum(times // every * every, times[0]))


def _alert_rules(files: Sequence[Path]) -> dict[str, tuple[timedelta, dict[str, str]]]:
    """Name to how long it stays pending and its own labels."""
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    rules = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    return {rule["alert"]: (_prometheus_duration(rule.get("for", "0s")), rule.get("labels", {})) for rule in rules}


def _prometheus_duration(text: str) -> timedelta:
    units = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    return timedelta(**{units[text[-1]]: int(text[:-1])})


def _alert(
    alert: Alert, times: Times, addresses: Mapping[str, str], rules: Mapping[str, tuple[timedelta, dict[str, str]]]
) -> Iterator[Series]:
    """ALERTS and ALERTS_FOR_STATE as Prometheus writes them: from the last it restores, at its start, since when an alert is active."""
    if alert.name not in rules:
        raise StackError(f"the scenario has an alert {alert.name}, and no rule has; rules: {', '.join(sorted(rules))}")
    pending, labels = rules[alert.name]
    labels = {"alertname": alert.name, **labels, **alert.labels}
    if "instance" in labels:
        labels["instance"] = addresses[labels["instance"]]
    since_start = times - times[-1]
    began, fires, ended = (
        int(np.searchsorted(since_start, moment.total_seconds()))
        for moment in (alert.begins, alert.begins + pending, alert.ends)
    )
    ended += alert.ends == timedelta(0)  # still active: at the last moment, too
    fires = min(fires, ended)
    for state, first, last in (("pending", began, fires), ("firing", fires, ended)):
        name = {"__name__": "ALERTS", "alertstate": state}
        yield Series(labels={**name, **labels}, values=np.ones(last - first), first=first)
    since = np.full(ended - began, times[min(began, len(times) - 1)])
    yield Series(labels={"__name__": "ALERTS_FOR_STATE", **labels}, values=since, first=began)
