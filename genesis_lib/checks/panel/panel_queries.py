"""Read the queries of a dashboard's panel: what each asks, with the variables put in; or why it cannot be asked. Pure."""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from genesis_lib.checks.ask.ladder import Rung
from genesis_lib.checks.panel import variables
from genesis_lib.checks.panel.data_sources import DASHBOARD, EXPRESSION, MIXED, DataSources, Source, another_kind
from genesis_lib.checks.panel.interpolation import Option, Value, built_ins, fill, seconds
from genesis_lib.checks.panel.panel_json import Placed, as_object, as_objects
from genesis_lib.checks.panel.variables import Trouble, Variable
from genesis_lib.model import Verdict

__all__ = ["POINTS", "Asked", "Reader", "Unasked"]

# How many points a panel wants where it does not say: about its width.
POINTS = 1000
# A panel that is repeated for each of many values is asked for the first few, and it is said so.
_MOST_REPEATS = 10
_OF_THE_VIEWER = {"__org", "__timezone", "__user"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unasked:
    """A query that cannot be asked, and why. `name` is its own, that of the variable that lacks a value, or empty: the whole panel."""

    name: str
    rung: Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a panel asks: by its name each query, what cannot be asked, notes on how it is asked, and the exchanges that it came from.

    A variable without a value gives two entries of one name (`$node`): why, and, as a query, what it looks for.
    """

    queries: list[tuple[str, str]] = field(default_factory=list)
    unasked: dict[Unasked, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    evidence: dict[str, None] = field(default_factory=dict)

    def refuse(self, name: str, rung: Rung) -> None:
        """Note a query that cannot be asked."""
        self.unasked[Unasked(name=name, rung=rung)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """One query of a panel as the JSON states it."""

    name: str
    json: Mapping[str, Any]
    source: Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """What is known of a dashboard when its panels are read.

    `kinds` says of which kind the data sources are that variables stand for; `panels` are the panels by id; `range_s` is the time range.
    """

    sources: DataSources
    variables: Mapping[str, Variable]
    kinds: Mapping[str, str]
    panels: Mapping[str, Mapping[str, Any]]
    range_s: float
    at: datetime

    def read(self, placed: Placed) -> Asked:
        """All that the panel asks."""
        asked = Asked()
        targets = [(target, str(target.json.get("expr") or "").strip()) for target in self._targets(placed.json, asked)]
        for target, text in targets:
            if text:
                self._put_in(text, target, placed, asked)
            else:  # one that was forgotten beside others takes nothing away from what the panel shows
                verdict = Verdict.WARN if any(other for _, other in targets) else Verdict.FAIL
                asked.refuse(target.name, replace(_EMPTY, verdict=verdict))
        return asked

    def _targets(self, panel: Mapping[str, Any], asked: Asked, way: tuple[str, ...] = ()) -> Iterator[_Target]:
        """The queries that are PromQL, those of another panel whose data this one shows too; what else there is, is refused."""
        targets = as_objects(panel.get("targets"), "targets")
        names = [str(target.get("refId") or number) for number, target in enumerate(targets, 1)]
        needed = self._needed(targets, names)
        for number, target in enumerate(targets):
            name = names[number]
            if self._is_calculated(target) or number not in needed:
                continue
            reference = self._reference(panel, target)
            trouble = self._trouble(str(reference))
            source = self.sources.find(reference, variables.values_of(self.variables), self.kinds)
            if trouble:
                self._refuse(trouble, asked)
            elif isinstance(source, Rung):
                asked.refuse(name, source)
            elif source.kind == DASHBOARD:
                yield from self._of_another(str(target.get("panelId")), asked, (*way, str(panel.get("id"))))
            elif not source.speaks_promql:
                asked.refuse(name, another_kind(source.kind))
            else:
                yield _Target(name=name, json=target, source=source)

    def _needed(self, targets: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[int]:
        """The queries that are shown, and the hidden ones that a shown calculation is made of."""
        needed = [number for number, target in enumerate(targets) if not target.get("hide")]
        for number in needed:  # it grows while it is walked
            if self._is_calculated(targets[number]):
                read = f"{targets[number].get('expression')} {targets[number].get('conditions')}"
                inputs = [n for n, name in enumerate(names) if re.search(rf"\b{re.escape(name)}\b", read)]
                needed += [n for n in inputs if n not in needed]
        return needed

    def _is_calculated(self, target: Mapping[str, Any]) -> bool:
        """Whether Grafana calculates it out of the panel's other queries."""
        reference = target.get("datasource")
        return EXPRESSION in (reference, as_object(reference).get("uid"), as_object(reference).get("type"))

    def _reference(self, panel: Mapping[str, Any], target: Mapping[str, Any]) -> object:
        """What a query is asked of: the panel's data source, unless that is mixed or not stated."""
        of_panel = panel.get("datasource")
        is_mixed = MIXED in (of_panel, as_object(of_panel).get("uid"))
        return target.get("datasource") if is_mixed or of_panel is None else of_panel

    def _of_another(self, panel_id: str, asked: Asked, way: tuple[str, ...]) -> Iterator[_Target]:
        other = self.panels.get(panel_id)
        if other is None or panel_id in way:
            asked.refuse("", _no_such_panel(panel_id))
        else:
            yield from self._targets(other, asked, way)

    def _put_in(self, text: str, target: _Target, placed: Placed, asked: Asked) -> None:
        """Put the values of the variables in; once for each value for which the panel is repeated."""
        values = self._values(target, placed.json)
        repeats = [name for name in placed.repeats if name in self.variables]
        filled = fill(text, values)
        used = {n: self.variables[n] for n in dict.fromkeys((*filled.used, *repeats)) if n in self.variables}
        asked.evidence.update(dict.fromkeys(e for variable in used.values() for e in variable.evidence))
        troubles = [variable.value for variable in used.values() if isinstance(variable.value, Trouble)]
        for trouble in troubles:
            self._refuse(trouble, asked)
        if filled.unknown:
            name = filled.unknown[0]
            asked.refuse(target.name, _of_the_viewer(name) if name in _OF_THE_VIEWER else _undefined(name))
        if troubles or filled.unknown:
            return
        choices = {name: values[name].chosen for name in repeats}
        for name, variable in used.items():
            put_in = min(len(values[name].chosen), _MOST_REPEATS if name in repeats else variable.offered)
            if put_in < variable.offered and (name in repeats or values[name].as_is is None):
                asked.notes[f"asked with the first {put_in} of {variable.offered:,} values of ${name}"] = None
        for chosen in itertools.product(*(options[:_MOST_REPEATS] for options in choices.values())):
            own = {name: _one(values[name], option) for name, option in zip(choices, chosen, strict=True)}
            which = ", ".join(f"${name} = {option.text}" for name, option in zip(choices, chosen, strict=True))
            label = f"{target.name} ({which})" if which else target.name
            asked.queries.append((label, fill(text, values | own).text))

    def _values(self, target: _Target, panel: Mapping[str, Any]) -> dict[str, Value]:
        """The dashboard's variables, and Grafana's own for this query."""
        values = variables.values_of(self.variables)
        stated = fill(str(target.json.get("interval") or panel.get("interval") or ""), values).text
        return values | built_ins(
            range_s=seconds(panel.get("timeFrom"), otherwise=self.range_s),
            step_s=seconds(stated, otherwise=target.source.scrape_interval_s),
            points=seconds(panel.get("maxDataPoints"), otherwise=POINTS),
            at=self.at,
        )

    def _trouble(self, text: str) -> Trouble | None:
        """That of the first variable in this text that has no value."""
        named = (self.variables.get(name) for name in fill(text, {}).unknown)
        return next((v.value for v in named if v is not None and isinstance(v.value, Trouble)), None)

    def _refuse(self, trouble: Trouble, asked: Asked) -> None:
        name = f"${trouble.variable}"
        asked.refuse(name, trouble.rung)
        if trouble.selector and (name, trouble.selector) not in asked.queries:
            asked.queries.append((name, trouble.selector))


def _one(value: Value, option: Option) -> Value:
    return Value(chosen=(option,), is_pattern=value.is_pattern, as_is=None)


def _no_such_panel(panel_id: str) -> Rung:
    return Rung(
        verdict=Verdict.FAIL,
        observed="no such panel",
        reason=f"it shows the data of panel {panel_id}, which this dashboard does not have, or which shows this one's",
        hint="choose a panel that asks a data source",
        because_of="",
        evidence=(),
    )


def _of_the_viewer(name: str) -> Rung:
    return Rung(
        verdict=Verdict.UNKNOWN,
        observed=f"no value for ${name}",
        reason=f"the query names ${name}, whose value depends on who looks at the panel",
        hint="look at it yourself, and waive it by name",
        because_of="",
        evidence=(),
    )


def _undefined(name: str) -> Rung:
    return Rung(
        verdict=Verdict.FAIL,
        observed=f"no variable ${name}",
        reason=f"the query names ${name}, which no variable of the dashboard defines",
        hint="define the variable, or correct the query",
        because_of="",
        evidence=(),
    )


_EMPTY = Rung(
    verdict=Verdict.FAIL,
    observed="an empty query",
    reason="the query is empty, and shows nothing",
    hint="give it an expression, or remove it",
    because_of="",
    evidence=(),
)
