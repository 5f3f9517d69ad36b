"""Ask, as a run's first act and all at once, every source that only tells about now."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from genesis_lib.checks.services import default_login
from genesis_lib.model import Answer
from genesis_lib.run import Run, read_record, write_record

__all__ = ["take"]

_PARALLEL = 16


def take(run: Run) -> None:
    """Record what the sources say now, and how far that lies from `as_of` (`skew_s` in run.json).

    A source that fails is recorded as failed. A run about the past asks nothing here.
    """
    if run.historical:
        return
    questions = _questions(run)
    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        list(pool.map(run.ask, questions))
    asked = [exchange.asked_at for exchange in run.evidence.exchanges()]
    if asked:
        skew_s = (max(asked) - run.as_of).total_seconds()
        write_record(run.folder, read_record(run.folder) | {"skew_s": round(skew_s, 3)})


def _questions(run: Run) -> list[Callable[[], Answer[Any]]]:
    found: list[Callable[[], Answer[Any]]] = []
    if run.environment.prometheus:
        ask = run.prometheus
        found += [ask.ready, ask.buildinfo, ask.runtimeinfo, ask.flags, ask.config]
        found += [ask.clock, ask.targets, ask.rules, ask.alerts, ask.alertmanagers, ask.metadata]
    if run.environment.alertmanager:
        found += [run.alertmanager.ready, run.alertmanager.status, run.alertmanager.alerts]
        found += [run.alertmanager.silences, run.alertmanager.receivers]
    if run.environment.grafana:
        found += [run.grafana.health]
        found += [partial(run.grafana.dashboard, uid) for uid in run.environment.grafana_dashboards]
        found += [run.grafana.data_sources] if run.environment.grafana_dashboards else []
        if run.environment.probes.grafana_default_login:
            found += [partial(default_login, run)]
    if run.environment.docker:
        found += [run.docker.version, run.docker.containers]
        named = (service.container for service in run.environment.services.values())
        found += [partial(run.docker.inspect, name) for name in named if name]
    pages = [name for name, service in run.environment.services.items() if service.url]
    return found + [run.exposition(name).families for name in pages]
