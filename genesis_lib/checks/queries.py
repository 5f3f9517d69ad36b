"""Does every question that the policy and the rules ask have an answer, and, where not, why?"""

from dataclasses import dataclass
from datetime import datetime

from genesis_lib.checks import ladder, panels, rule_files
from genesis_lib.checks.claims import finding
from genesis_lib.checks.ladder import LadderFacts
from genesis_lib.checks.panels import Dashboard
from genesis_lib.checks.rule_files import RuleFile
from genesis_lib.model import Finding, Missing
from genesis_lib.policy import Policy, Query
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "QueryFacts", "gather", "judge"]

NAME = "queries"
CLAIMS = ("queries.answered", "queries.metric")


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryFacts:
    """The policy's queries as this environment asks them, the rules, the dashboards, and what Prometheus answered to all of them."""

    queries: tuple[Query, ...]
    rules: tuple[RuleFile, ...]
    dashboards: tuple[Dashboard, ...]
    ladder: LadderFacts

    def subjects(self) -> list[tuple[str, str]]:
        """What is judged here, as (subject, expression): the policy's queries and the rules."""
        asked = [(query.title, query.expr) for query in self.queries]
        return asked + [
            (f"rule {rule.name}", rule.expr)
            for file in self.rules
            if not isinstance(file.rules, Missing)
            for rule in file.rules
        ]


def gather(run: Run) -> QueryFacts:
    """Ask every distinct question once, those of the dashboards too: one mechanism, one set of answers."""
    overrides = run.environment.queries
    queries = tuple(
        q.model_copy(update={"expr": overrides[q.name].expr}) if q.name in overrides else q for q in run.policy.queries
    )
    rules, dashboards = rule_files.gather(run), panels.gather(run)
    expressions = [q.expr for q in queries]
    expressions += [r.expr for f in rules if not isinstance(f.rules, Missing) for r in f.rules]
    expressions += [e for d in dashboards if not isinstance(d.panels, Missing) for p in d.panels for e in p.expressions]
    return QueryFacts(queries=queries, rules=rules, dashboards=dashboards, ladder=ladder.gather(run, expressions))


def judge(facts: QueryFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """`queries.answered` for each query and rule; `queries.metric` for each metric that is named anywhere and that nobody exposes."""
    found = []
    for subject, expression in facts.subjects():
        rung = ladder.judge(expression, facts.ladder, policy, at=at)
        found.append(
            finding(
                policy,
                "queries.answered",
                subject,
                rung.verdict,
                observed=rung.observed,
                expected="an answer from living series",
                reason=rung.reason,
                hint=rung.hint,
                because_of=rung.because_of,
                evidence=rung.evidence,
            )
        )
    unknown = [m for text in facts.ladder.answers for m in ladder.unknown_metrics(text, facts.ladder)]
    return found + [_judge_metric(name, facts, policy) for name in dict.fromkeys(unknown)]


def _judge_metric(name: str, facts: QueryFacts, policy: Policy) -> Finding:
    rung = ladder.no_such_metric(name, facts.ladder)
    users = [subject for subject, text in facts.subjects() if name in ladder.unknown_metrics(text, facts.ladder)]
    users += [
        f"panel {panel.title}"
        for dashboard in facts.dashboards
        if not isinstance(dashboard.panels, Missing)
        for panel in dashboard.panels
        if any(name in ladder.unknown_metrics(text, facts.ladder) for text in panel.expressions)
    ]
    return finding(
        policy,
        "queries.metric",
        name,
        rung.verdict,
        observed=rung.observed,
        expected="a metric that some source exposes",
        reason=f"{rung.reason}; asked for by: {', '.join(users)}",
        hint=rung.hint,
        evidence=rung.evidence,
    )
