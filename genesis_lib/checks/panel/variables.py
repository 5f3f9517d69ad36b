"""Find the value that each template variable of a dashboard has now, asking for what it can be; or say why it has none."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from genesis_lib.checks.ask.ladder import Rung
from genesis_lib.checks.panel import variable_options
from genesis_lib.checks.panel.data_sources import DataSources, another_kind
from genesis_lib.checks.panel.interpolation import Option, Value, automatic, fill, known_value, seconds
from genesis_lib.model import Answer, Cause, Missing, Verdict

__all__ = ["MOST_VALUES", "Ask", "Trouble", "Variable", "resolve", "values_of"]

# Grafana puts every value into one query; a query of thousands is asked with the first few, and it is said so.
MOST_VALUES = 50
_ALL = "$__all"
_WITHOUT_EFFECT = {"adhoc", "groupby"}

Ask = Callable[[str], Answer[tuple[str, ...]] | Missing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a variable has no value; `selector` is what its query looks for, to see why that is not there, or empty."""

    variable: str
    rung: Rung
    selector: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable: its value or trouble, how many values it could have, and the exchanges that show it."""

    value: Value | Trouble
    offered: int
    evidence: tuple[str, ...]


def resolve(
    specs: Iterable[Mapping[str, Any]],
    *,
    sources: DataSources,
    kinds: Mapping[str, str],
    range_s: float,
    ask: Ask,
    built_in: Mapping[str, Value],
) -> dict[str, Variable]:
    """Each variable of `templating.list`, those that others depend on first.

    Args:
        specs: the variables as the JSON states them.
        sources: the data sources that they are asked of.
        kinds: of which kind the data sources are that variables stand for.
        range_s: the dashboard's time range, in seconds.
        ask: answers a variable's query (`label_values(up, job)`), with the variables put in, by the texts that it finds.
        built_in: Grafana's own variables.

    """
    by_name = {str(spec.get("name") or ""): spec for spec in specs}
    resolver = _Resolver(specs=by_name, sources=sources, kinds=kinds, range_s=range_s, ask=ask, built_in=built_in)
    return {name: resolver.get(name) for name in by_name if name}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Resolver:
    specs: Mapping[str, Mapping[str, Any]]
    sources: DataSources
    kinds: Mapping[str, str]
    range_s: float
    ask: Ask
    built_in: Mapping[str, Value]
    found: dict[str, Variable] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)

    def get(self, name: str) -> Variable:
        if name not in self.found:
            if name in self.open:
                return _in_trouble(
                    name, Verdict.FAIL, f"it depends on itself ({' → '.join([*self.open, name])})", "break the circle"
                )
            self.open.append(name)
            self.found[name] = self._resolve(name, self.specs[name])
            self.open.pop()
        return self.found[name]

    def _resolve(self, name: str, spec: Mapping[str, Any]) -> Variable:
        kind, query = str(spec.get("type") or ""), spec.get("query")
        text = "" if query is None or isinstance(query, Mapping) else str(query)
        match kind:
            case "query":
                return self._query(name, spec)
            case "custom":
                filled = self._fill(name, text)
                if isinstance(filled, Variable):
                    return filled
                return self._chosen(name, spec, variable_options.listed(filled) or _saved_options(spec))
            case "interval":
                return self._chosen(name, spec, self._intervals(spec, text))
            case "datasource":
                return self._data_source(name, spec, text)
            case "constant":
                return _typed(text or _saved(spec))
            case "textbox":
                return _typed(_saved(spec) or text)
            case _ if kind in _WITHOUT_EFFECT:
                return _plain("")
        return _in_trouble(
            name,
            Verdict.UNKNOWN,
            f"it is of the type “{kind}”, which Genesis does not know",
            "look at the panel yourself, and waive it by name",
        )

    def _query(self, name: str, spec: Mapping[str, Any]) -> Variable:
        query = spec.get("query")
        stated = query.get("query") if isinstance(query, Mapping) else query
        filled = self._fill(name, str(stated or spec.get("definition") or "").strip())
        if isinstance(filled, Variable):
            return filled
        reference = spec.get("datasource")
        if troubled := self._troubled(str(reference)):
            return troubled
        asked = self.sources.find(reference, self._values(str(reference)), self.kinds)
        if isinstance(asked, Rung):
            return _in_trouble(name, asked.verdict, asked.reason, asked.hint, evidence=asked.evidence)
        if not asked.speaks_promql:
            other = another_kind(asked.kind)
            return _in_trouble(name, other.verdict, other.reason, other.hint)
        answer = self.ask(filled)
        if isinstance(answer, Missing):
            verdict = Verdict.FAIL if answer.cause is Cause.INVALID else Verdict.UNKNOWN
            return _in_trouble(
                name, verdict, answer.detail, "mend the source or the query", evidence=(answer.evidence,)
            )
        regex = self._fill(name, str(spec.get("regex") or ""))
        if isinstance(regex, Variable):
            return regex
        try:
            options = variable_options.filtered(answer.value, regex=regex, sort=_number(spec.get("sort")))
        except re.error as error:
            reason = f"its regex {regex} cannot be read ({error})"
            return _in_trouble(name, Verdict.UNKNOWN, reason, "correct the regex, or waive the panel by name")
        left = f", and its regex {regex} leaves nothing" if answer.value and not options else " finds nothing"
        return self._chosen(name, spec, options, evidence=(answer.evidence,), why=f"{filled}{left}", asked=filled)

    def _chosen(
        self,
        name: str,
        spec: Mapping[str, Any],
        options: list[Option],
        *,
        evidence: tuple[str, ...] = (),
        why: str = "it has no options",
        asked: str = "",
    ) -> Variable:
        """The saved values that live now; else all where “All” can be chosen; else the first."""
        saved, has_all, multi = _saved_values(spec), bool(spec.get("includeAll")), bool(spec.get("multi"))
        kept = [o for o in options if o.value in saved]
        wants_all = has_all and (_ALL in saved or not kept)
        custom = self._fill(name, str(spec.get("allValue") or "")) if wants_all else ""
        if isinstance(custom, Variable):
            return custom
        chosen = options if wants_all else kept or options[:1]
        chosen = chosen if wants_all or multi else chosen[:1]
        if not chosen and not custom:
            hint = "correct the variable, or see why what it looks for is not there"
            return _in_trouble(name, Verdict.FAIL, why, hint, evidence=evidence, selector=_selector(asked))
        value = Value(chosen=tuple(chosen[:MOST_VALUES]), is_pattern=multi or has_all, as_is=custom or None)
        return Variable(value=value, offered=len(chosen), evidence=evidence)

    def _intervals(self, spec: Mapping[str, Any], text: str) -> list[Option]:
        options = variable_options.listed(text)
        if not spec.get("auto"):
            return options
        count = _number(spec.get("auto_count")) or 30
        least_s = seconds(spec.get("auto_min"), otherwise=10.0)
        value = automatic(self.range_s, count=count, least_s=least_s)
        is_saved = {f"$__auto_interval_{spec.get('name')}", "$__auto", "auto"} & _saved_values(spec)
        return [Option(text="auto", value=value), *([] if is_saved else options)]

    def _data_source(self, name: str, spec: Mapping[str, Any], kind: str) -> Variable:
        if self.sources.listed is None:
            return _plain(_saved(spec))
        regex = str(spec.get("regex") or "")
        try:
            wanted = variable_options.pattern(regex) if regex else None
        except re.error as error:
            return _in_trouble(
                name, Verdict.UNKNOWN, f"its regex {regex} cannot be read ({error})", "correct the regex"
            )
        saved, evidence = _saved_values(spec), (self.sources.evidence,)
        there = [s for s in self.sources.of_kind(kind) if wanted is None or wanted.search(s.name)]
        if not there:
            which = f" whose name matches {regex}" if regex else ""
            reason = f"Grafana has no data source of type {kind}{which}"
            return _in_trouble(name, Verdict.FAIL, reason, "add one, or correct the variable", evidence=evidence)
        chosen = next((s for s in there if saved & {s.uid, s.name}), there[0])
        return Variable(value=known_value(chosen.uid), offered=len(there), evidence=evidence)

    def _fill(self, name: str, text: str) -> str | Variable:
        """The text with the variables put in; or this variable's trouble, or that of one that it depends on."""
        filled = fill(text, self._values(text))
        if filled.unknown:
            reason = f"its query names ${filled.unknown[0]}, which no variable defines"
            return _in_trouble(name, Verdict.FAIL, reason, "define that variable, or correct the query")
        return self._troubled(text) or filled.text

    def _named(self, text: str) -> dict[str, Variable]:
        return {name: self.get(name) for name in fill(text, {}).unknown if name in self.specs}

    def _troubled(self, text: str) -> Variable | None:
        return next((v for v in self._named(text).values() if isinstance(v.value, Trouble)), None)

    def _values(self, text: str) -> dict[str, Value]:
        """The built-in variables, and those of the dashboard that this text names."""
        return {**self.built_in, **values_of(self._named(text))}


def values_of(variables: Mapping[str, Variable]) -> dict[str, Value]:
    """The values, by name; that of one in trouble is empty."""
    return {n: known_value("") if isinstance(v.value, Trouble) else v.value for n, v in variables.items()}


def _plain(text: str) -> Variable:
    return Variable(value=known_value(text), offered=1, evidence=())


def _typed(text: str) -> Variable:
    """What a person typed: a label's value, which is escaped, or a piece of PromQL with quotes of its own, which is left alone."""
    value = Value(chosen=(Option(text=text, value=text),), is_pattern=False, as_is=text if '"' in text else None)
    return Variable(value=value, offered=1, evidence=())


def _in_trouble(
    name: str, verdict: Verdict, why: str, hint: str, *, evidence: tuple[str, ...] = (), selector: str = ""
) -> Variable:
    rung = Rung(
        verdict=verdict,
        observed=f"no value for ${name}",
        reason=f"the variable ${name} has no value: {why}",
        hint=hint,
        because_of="",
        evidence=evidence,
    )
    return Variable(value=Trouble(variable=name, rung=rung, selector=selector), offered=0, evidence=evidence)


def _saved_values(spec: Mapping[str, Any]) -> set[str]:
    current = spec.get("current")
    value = current.get("value") if isinstance(current, Mapping) else None
    return {str(v) for v in (value if isinstance(value, list) else [value]) if v not in (None, "")}


def _saved(spec: Mapping[str, Any]) -> str:
    return next(iter(_saved_values(spec)), "")


def _saved_options(spec: Mapping[str, Any]) -> list[Option]:
    options = spec.get("options")
    stated = [o for o in (options if isinstance(options, list) else []) if isinstance(o, Mapping)]
    return [
        Option(text=str(o.get("text")), value=str(o["value"])) for o in stated if o.get("value") not in (None, "", _ALL)
    ]


def _selector(query: str) -> str:
    """What the series must be that `label_values(selector, label)` looks at; empty for any other query."""
    match = re.fullmatch(r"label_values\((.+),\s*[\w$]+\s*\)", query, re.DOTALL)
    return match[1].strip() if match else ""


def _number(value: object) -> int:
    return int(str(value)) if re.fullmatch(r"[0-9]{1,9}", str(value)) else 0
