"""Gather every question that policy, objectives, rules and dashboards ask, and what Prometheus answers: one mechanism."""

from collections.abc import Iterator
from dataclasses import dataclass

from genesis_lib.checks.ask import rule_files, series
from genesis_lib.checks.ask.rule_files import RuleFile
from genesis_lib.checks.ask.series import LadderFacts
from genesis_lib.checks.panel import panels
from genesis_lib.checks.panel.panels import Dashboard
from genesis_lib.model import Missing
from genesis_lib.objectives.objective import Objective
from genesis_lib.policy import Query
from genesis_lib.run import Run
from genesis_lib.slo.indicators import counting

__all__ = ["Question", "Questions", "gather"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One expression and who asks it.

    `unit` is what readers are told that the answer is (Grafana's name for it); `for_s` an alert's `for`, in seconds, or None;
    `wants_one` says that a single number is wanted.
    """

    subject: str
    expr: str
    unit: str
    for_s: float | None
    wants_one: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The policy's queries and objectives as this environment asks them, rules, dashboards, and what Prometheus answered to all of them."""

    queries: tuple[Query, ...]
    objectives: tuple[Objective, ...]
    rules: tuple[RuleFile, ...]
    dashboards: tuple[Dashboard, ...]
    ladder: LadderFacts

    def of_queries_and_rules(self) -> Iterator[Question]:
        """What policy and rules ask."""
        for query in self.queries:
            unit, wants_one = _GRAFANA_UNITS.get(query.unit, ""), query.series == "one"
            yield Question(subject=query.title, expr=query.expr, unit=unit, for_s=None, wants_one=wants_one)
        for rule in rule_files.all_rules(self.rules):
            for_s = rule.for_s if rule.is_alert else None
            yield Question(subject=f"rule {rule.subject}", expr=rule.expr, unit="", for_s=for_s, wants_one=False)

    def of_objectives(self) -> Iterator[Question]:
        """What the objectives stand on; one with several counters comes several times."""
        for objective in self.objectives:
            for expr in counting(objective).questions():
                yield Question(subject=f"objective {objective.title}", expr=expr, unit="", for_s=None, wants_one=False)

    def of_panels(self) -> Iterator[Question]:
        """What the panels ask; a panel with several queries comes several times."""
        for dashboard in self.dashboards:
            for panel in () if isinstance(dashboard.panels, Missing) else dashboard.panels:
                subject = f"panel {dashboard.title} / {panel.subject}"
                for expr in panel.expressions:
                    yield Question(subject=subject, expr=expr, unit=panel.unit, for_s=None, wants_one=panel.wants_one)


_GRAFANA_UNITS = {"ratio": "percentunit", "percent": "percent"}


def gather(run: Run) -> Questions:
    """Read rules and dashboards, and ask every distinct question once."""
    return run.once("questions", _gather)


def _gather(run: Run) -> Questions:
    overrides = run.environment.queries
    queries = tuple(
        q.model_copy(update={"expr": overrides[q.name].expr}) if q.name in overrides else q for q in run.policy.queries
    )
    objectives = run.policy.slos.in_environment(run.environment.slos, shown_as=run.environment.name)
    objectives = tuple(one for one in objectives if not one.not_applicable)
    rules, dashboards = rule_files.gather(run), panels.gather(run)
    expressions = [q.expr for q in queries] + [rule.expr for rule in rule_files.all_rules(rules)]
    expressions += [expr for objective in objectives for expr in counting(objective).questions()]
    expressions += [e for d in dashboards if not isinstance(d.panels, Missing) for p in d.panels for e in p.expressions]
    return Questions(
        queries=queries,
        objectives=objectives,
        rules=rules,
        dashboards=dashboards,
        ladder=series.gather(run, expressions),
    )
