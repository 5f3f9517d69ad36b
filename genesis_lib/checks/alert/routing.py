"""Read an Alertmanager configuration, and say where an alert goes and when it is muted. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from genesis_lib.checks.alert import matchers, time_intervals
from genesis_lib.checks.alert.time_intervals import TimeInterval
from genesis_lib.clients.alertmanager import Matcher

__all__ = ["InhibitRule", "Route", "Tree", "hidden_pairs", "muted_by", "read", "receivers", "routes"]

Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A node of the routing tree; `receiver` is its parent's where it names none. Mutes are its own, never its parent's."""

    receiver: str
    matchers: tuple[Matcher, ...]
    goes_on: bool
    mute_times: tuple[str, ...]
    active_times: tuple[str, ...]
    routes: tuple["Route", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InhibitRule:
    """While an alert of `source` fires, alerts of `target` with the same values of `equal` are not notified of."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...]

    def __str__(self) -> str:
        sides = ("{" + ", ".join(map(matchers.spelled, side)) + "}" for side in (self.source, self.target))
        return " hides ".join(sides) + (f" of equal {', '.join(self.equal)}" if self.equal else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What a configuration says of where alerts go. `receivers` are the kinds of integration (`webhook`) that each has."""

    root: Route
    inhibit_rules: tuple[InhibitRule, ...]
    receivers: Mapping[str, tuple[str, ...]]
    intervals: Mapping[str, tuple[TimeInterval, ...]]


def read(text: str) -> Tree:
    """The tree of a configuration, as YAML.

    Raises:
        ValueError: it is no configuration that can be read; says what is wrong.

    """
    try:
        document = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it makes nothing but texts, as Alertmanager compares only texts
        named = [*document.get("time_intervals", ()), *document.get("mute_time_intervals", ())]
        tree = Tree(
            root=_route(document["route"], receiver=""),
            inhibit_rules=tuple(map(_inhibit_rule, document.get("inhibit_rules", ()))),
            receivers={r["name"]: tuple(_integrations(r)) for r in document["receivers"]},
            intervals={n["name"]: tuple(map(time_intervals.read, n.get("time_intervals", ()))) for n in named},
        )
    except yaml.YAMLError as error:
        raise ValueError(f"is not YAML: {error}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"lacks a part or has one of a wrong kind: {error!r}") from error
    for route in _all(tree.root):
        if undefined := {*route.mute_times, *route.active_times} - set(tree.intervals):
            raise ValueError(f"a route names time intervals that are not defined: {', '.join(sorted(undefined))}")
    return tree


def routes(tree: Tree, labels: Labels) -> tuple[Route, ...]:
    """The routes that an alert with these labels takes, in Alertmanager's order.

    Of each level the first that matches, and further ones where `continue` says so; the deepest of each branch.
    """
    return tuple(_taken(tree.root, labels))


def receivers(tree: Tree, labels: Labels) -> tuple[str, ...]:
    """The receivers that an alert with these labels goes to; one that two routes name comes twice."""
    return tuple(route.receiver for route in routes(tree, labels))


def muted_by(tree: Tree, route: Route, *, at: datetime) -> str:
    """The interval that mutes this route at this instant (`weekend`, `outside of office-hours`); empty where none does."""

    def is_active(name: str) -> bool:
        return time_intervals.is_active(tree.intervals[name], at=at)

    muting = [name for name in route.mute_times if is_active(name)]
    if route.active_times and not any(map(is_active, route.active_times)):
        muting.append(f"outside of {', '.join(route.active_times)}")
    return muting[0] if muting else ""


def hidden_pairs(rule: InhibitRule, alerts: Sequence[Labels]) -> set[tuple[int, int]]:
    """Which of these alerts, were all to fire, hides which other: (its position, the other's).

    As Alertmanager has it, an alert that matches both sides is not hidden by one that does so too, and so never by itself.
    """
    sources = [n for n, labels in enumerate(alerts) if _match(rule.source, labels)]
    targets = [n for n, labels in enumerate(alerts) if _match(rule.target, labels)]
    both = set(sources) & set(targets)
    same = [tuple(labels.get(name, "") for name in rule.equal) for labels in alerts]
    return {(s, t) for s in sources for t in targets if same[s] == same[t] and not (s in both and t in both)}


def _taken(route: Route, labels: Labels) -> list[Route]:
    found: list[Route] = []
    for child in route.routes:
        if _match(child.matchers, labels):
            found += _taken(child, labels)
            if not child.goes_on:
                break
    return found or [route]


def _all(route: Route) -> Iterator[Route]:
    yield route
    for child in route.routes:
        yield from _all(child)


def _match(conditions: Sequence[Matcher], labels: Labels) -> bool:
    return all(matchers.holds(condition, labels) for condition in conditions)


def _route(entry: Mapping[str, Any], *, receiver: str) -> Route:
    receiver = entry.get("receiver") or receiver
    return Route(
        receiver=receiver,
        matchers=matchers.of(entry),
        goes_on=entry.get("continue", "").lower() in ("true", "yes", "on", "y"),
        mute_times=tuple(entry.get("mute_time_intervals", ())),
        active_times=tuple(entry.get("active_time_intervals", ())),
        routes=tuple(_route(child, receiver=receiver) for child in entry.get("routes", ())),
    )


def _inhibit_rule(entry: Mapping[str, Any]) -> InhibitRule:
    return InhibitRule(
        source=matchers.of(entry, "source_"), target=matchers.of(entry, "target_"), equal=tuple(entry.get("equal", ()))
    )


def _integrations(receiver: Mapping[str, Any]) -> Iterator[str]:
    """One for each integration, by kind: `webhook`, `webhook`, `email`."""
    for key, entries in receiver.items():
        if key.endswith("_configs"):
            yield from [key.removesuffix("_configs")] * len(entries)
