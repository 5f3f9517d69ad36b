"""Take Grafana dashboards apart into panels and the queries behind them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genesis_lib.model import Answer, Cause, Missing
from genesis_lib.run import Run

__all__ = ["Dashboard", "Panel", "gather", "read"]

# What Grafana itself puts in for these at a range of six hours and a scrape interval of 15 s.
_BUILT_IN = {
    "__rate_interval": "1m",
    "__interval": "15s",
    "__interval_ms": "15000",
    "__range": "6h",
    "__range_s": "21600",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel that shows data: its title, unit (Grafana's name for it) and PromQL queries with the variables put in.

    `thresholds` are the lines that it draws, as (label, value) in its unit.
    """

    title: str
    kind: str
    unit: str
    thresholds: tuple[tuple[str, float], ...]
    expressions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A dashboard: its title and panels, or why it cannot be read."""

    source: str
    title: str
    panels: tuple[Panel, ...] | Missing
    evidence: str


def gather(run: Run) -> tuple[Dashboard, ...]:
    """Read every dashboard that the environment names."""
    return tuple(_read(run, path) for path in run.environment.files.dashboards)


def read(document: Mapping[str, Any]) -> tuple[Panel, ...]:
    """The panels of a dashboard's JSON that show data, rows unfolded."""
    variables = dict(_variables(document))
    return tuple(
        Panel(
            title=str(panel.get("title") or f"panel {panel.get('id', '?')}"),
            kind=str(panel.get("type", "")),
            unit=str(_defaults(panel).get("unit", "")),
            thresholds=tuple(_thresholds(panel)),
            expressions=tuple(_put_in(str(t["expr"]), variables) for t in panel.get("targets") or [] if t.get("expr")),
        )
        for panel in _flat(document.get("panels") or [])
        if panel.get("type") not in {"row", "text", "news", "dashlist"}
    )


def _read(run: Run, path: str) -> Dashboard:
    answer: Answer[bytes] | Missing = run.ask(lambda: run.evidence.file(run.environment.file(path), name=path))
    if isinstance(answer, Missing):
        return Dashboard(source=path, title=path, panels=answer, evidence=answer.evidence)
    try:
        document = json.loads(answer.value)
        panels: tuple[Panel, ...] | Missing = read(document)
        title = str(document.get("title") or path)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        detail = f"{path}: is no dashboard: {error}"
        panels, title = Missing(cause=Cause.MALFORMED, detail=detail, evidence=answer.evidence), path
    return Dashboard(source=path, title=title, panels=panels, evidence=answer.evidence)


def _flat(panels: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for panel in panels:
        yield panel
        yield from _flat(panel.get("panels") or [])


def _defaults(panel: Mapping[str, Any]) -> Mapping[str, Any]:
    return dict((panel.get("fieldConfig") or {}).get("defaults") or {})


def _thresholds(panel: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    defaults = _defaults(panel)
    if (defaults.get("custom") or {}).get("thresholdsStyle", {}).get("mode", "off") == "off":
        return
    for step in (defaults.get("thresholds") or {}).get("steps") or []:
        if step.get("value") is not None:  # the first step is the base, which has no value
            yield "threshold", float(step["value"])


def _variables(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from _BUILT_IN.items()
    for variable in document.get("templating", {}).get("list") or []:
        value = variable.get("current", {}).get("value", "")
        yield str(variable["name"]), "|".join(map(str, value)) if isinstance(value, list) else str(value)


def _put_in(expression: str, variables: Mapping[str, str]) -> str:
    for name in sorted(variables, key=len, reverse=True):
        for spelling in (f"${{{name}}}", f"[[{name}]]", f"${name}"):
            expression = expression.replace(spelling, variables[name])
    return expression
