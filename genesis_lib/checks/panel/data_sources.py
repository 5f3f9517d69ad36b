"""Find out which data source a panel, a query or a variable of a dashboard asks: of what kind it is, and whether Grafana has it. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from genesis_lib.checks.ask.ladder import Rung
from genesis_lib.checks.panel.interpolation import SCRAPE_INTERVAL_S, Value, fill, seconds
from genesis_lib.clients.grafana import DataSource
from genesis_lib.model import Verdict

__all__ = ["DASHBOARD", "EXPRESSION", "MIXED", "DataSources", "Source", "another_kind", "by_variable"]

DASHBOARD, EXPRESSION, MIXED = "-- Dashboard --", "__expr__", "-- Mixed --"
_OWN = {
    **{name: name for name in (DASHBOARD, EXPRESSION, MIXED)},
    "-- Grafana --": "grafana",
    "grafana": "grafana",
}
_PROMETHEUS = "prometheus"
# Plugins that ask a server that speaks PromQL.
_PROMQL = {
    _PROMETHEUS,
    "grafana-amazonprometheus-datasource",
    "grafana-azureprometheus-datasource",
    "victoriametrics-datasource",
    "victoriametrics-metrics-datasource",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is asked: the kind (Grafana's name of the plugin, or one of Grafana's own sources), and its scrape interval in seconds."""

    kind: str
    scrape_interval_s: float

    @property
    def speaks_promql(self) -> bool:
        """Whether its queries are PromQL."""
        return self.kind in _PROMQL


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSources:
    """The data sources that Grafana lists, by the exchange `evidence`; None where there is no Grafana, or it does not tell."""

    listed: tuple[DataSource, ...] | None
    evidence: str

    def of_kind(self, kind: str) -> list[DataSource]:
        """Those of this plugin, the default first, then by name."""
        return sorted(
            (s for s in self.listed or () if s.kind == kind), key=lambda s: (not s.is_default, s.name.lower())
        )

    def find(self, reference: object, values: Mapping[str, Value], kinds: Mapping[str, str]) -> Source | Rung:
        """What a `datasource` of the JSON means: an object, a name, a variable, or null, which is the default; or why it shows nothing.

        `kinds` says of which kind the data sources are that a variable stands for.
        """
        named = reference if isinstance(reference, Mapping) else {"uid": reference}
        uid, kind = str(named.get("uid") or ""), str(named.get("type") or "")
        filled = fill(uid, values)
        name = filled.text
        if EXPRESSION in (kind, name) or name in _OWN:
            return Source(kind=EXPRESSION if kind == EXPRESSION else _OWN[name], scrape_interval_s=SCRAPE_INTERVAL_S)
        if self.listed is None:
            known = [kinds[v] for v in (*filled.used, *filled.unknown) if v in kinds]
            return Source(kind=(kind or (known or [_PROMETHEUS])[0]), scrape_interval_s=SCRAPE_INTERVAL_S)
        if not name and kind:
            found = next(iter(self.of_kind(kind)), None)
        elif name in ("", "default"):
            found = next((s for s in self.listed if s.is_default), None)
        else:
            found = next((s for s in self.listed if name in (s.uid, s.name)), None)
        if found is None:
            return self._not_there(name or kind)
        return Source(kind=found.kind, scrape_interval_s=seconds(found.min_interval, otherwise=SCRAPE_INTERVAL_S))

    def _not_there(self, name: str) -> Rung:
        what = f"the data source {name}, which Grafana does not have" if name else "Grafana's default, and it has none"
        have = ", ".join(f"{s.name} (uid {s.uid})" for s in self.listed or ()) or "none"
        return Rung(
            verdict=Verdict.FAIL,
            observed="no such data source",
            reason=f"it asks {what}",
            hint=f"name a data source that Grafana has: {have}",
            because_of="",
            evidence=(self.evidence,),
        )


def by_variable(document: Mapping[str, Any], variables: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Of which kind the data sources are that the dashboard's variables and inputs stand for."""
    inputs = document.get("__inputs")
    named = {
        str(i.get("name")): str(i.get("pluginId"))
        for i in (inputs if isinstance(inputs, list) else ())
        if isinstance(i, dict)
    }
    named |= {str(v.get("name")): str(v.get("query") or "") for v in variables if v.get("type") == "datasource"}
    return {name: kind for name, kind in named.items() if kind}


def another_kind(kind: str) -> Rung:
    """UNKNOWN: the data source is one that Genesis does not read."""
    return Rung(
        verdict=Verdict.UNKNOWN,
        observed=f"a data source of type {kind}",
        reason=f"it asks a data source of type {kind}, which Genesis does not read",
        hint="look at it yourself, and waive it by name",
        because_of="",
        evidence=(),
    )
