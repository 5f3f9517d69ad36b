"""Read the configuration of Prometheus and Alertmanager without their own programs, and say what is wrong in it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import yaml

from genesis_lib.checks.alert import matchers
from genesis_lib.checks.config import drift

__all__ = ["alertmanager", "prometheus"]

_PROMETHEUS = (
    "global runtime alerting rule_files scrape_config_files scrape_configs remote_write remote_read storage"
    " tracing otlp"
)
_ALERTMANAGER = "global route receivers inhibit_rules mute_time_intervals time_intervals templates tracing"
_DURATION = re.compile(r"0|(\d+(ms|[smhdwy]))+")
_DURATIONS = ("scrape_interval", "scrape_timeout", "evaluation_interval", "resolve_timeout")
_ROUTE_DURATIONS = ("group_wait", "group_interval", "repeat_interval")


def prometheus(content: bytes) -> list[str]:
    """What is wrong in a Prometheus configuration: its form, sections, jobs and intervals."""
    return _read(content, _PROMETHEUS.split(), _prometheus)


def alertmanager(content: bytes) -> list[str]:
    """What is wrong in an Alertmanager configuration: its form, sections, routes, receivers, matchers and time intervals."""
    return _read(content, _ALERTMANAGER.split(), _alertmanager)


def _read(content: bytes, sections: list[str], inspect: Callable[[Mapping[str, Any]], Iterator[str]]) -> list[str]:
    try:
        document = drift.load(content)
    except yaml.YAMLError as error:
        return [f"is not YAML: {' '.join(str(error).split())}"]
    if not isinstance(document, dict) or not document:
        return ["is empty, or is no mapping of sections"]
    unknown = [_unknown(key, sections) for key in document if key not in sections]
    try:
        return unknown + list(inspect(document))
    except (KeyError, TypeError, AttributeError) as error:
        return [*unknown, f"holds a part that lacks something or is of a wrong kind: {error!r}"]


def _prometheus(document: Mapping[str, Any]) -> Iterator[str]:
    yield from _durations(document.get("global") or {}, _DURATIONS, "global")
    jobs = document.get("scrape_configs") or []
    for index, job in enumerate(jobs):
        yield from _durations(job, _DURATIONS, f"scrape_configs[{index}]")
        if not job.get("job_name"):
            yield f"scrape_configs[{index}] has no job_name"
    yield from _twice("job", (job.get("job_name") for job in jobs))
    if not isinstance(document.get("rule_files") or [], list):
        yield "rule_files is no list"


def _alertmanager(document: Mapping[str, Any]) -> Iterator[str]:
    yield from _durations(document.get("global") or {}, _DURATIONS, "global")
    receivers = [receiver["name"] for receiver in document.get("receivers") or []]
    yield from _twice("receiver", receivers)
    muting = (document.get("time_intervals") or []) + (document.get("mute_time_intervals") or [])
    intervals = [interval["name"] for interval in muting]
    if not document.get("route"):
        yield "has no route"
    elif not document["route"].get("receiver"):
        yield "route has no receiver"
    for path, route in _routes(document.get("route") or {}, "route"):
        yield from _durations(route, _ROUTE_DURATIONS, path)
        yield from _matchers(route, "", path)
        if route.get("receiver") and route["receiver"] not in receivers:
            yield f"{path} names the receiver {route['receiver']!r}, which is not defined"
        for key in ("mute_time_intervals", "active_time_intervals"):
            for name in set(route.get(key) or []) - set(intervals):
                yield f"{path}.{key} names {name!r}, which is not defined"
    for index, rule in enumerate(document.get("inhibit_rules") or []):
        for side in ("source_", "target_"):
            yield from _matchers(rule, side, f"inhibit_rules[{index}]")


def _routes(route: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, route
    for index, child in enumerate(route.get("routes") or []):
        yield from _routes(child, f"{path}.routes[{index}]")


def _matchers(holder: Mapping[str, Any], prefix: str, path: str) -> Iterator[str]:
    try:
        matchers.of(holder, prefix)
    except ValueError as error:
        yield f"{path}: {error}"


def _durations(holder: Mapping[str, Any], keys: Iterable[str], path: str) -> Iterator[str]:
    for key in keys:
        if key in holder and not _DURATION.fullmatch(str(holder[key])):
            yield f"{path}.{key}: {holder[key]!r} is no duration such as 15s"


def _twice(what: str, names: Iterable[Any]) -> Iterator[str]:
    for name, times in Counter(names).items():
        if times > 1 and name:
            yield f"{times} entries define the {what} {name!r}; each needs a name of its own"


def _unknown(key: object, sections: list[str]) -> str:
    near = get_close_matches(str(key), sections, n=1)
    return f"the section {key!r} is unknown" + (f"; did you mean {near[0]}?" if near else "")
