"""Draw what the checks gathered as the day-0 report's own tables: services, targets, alert rules, queries, panels."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from genesis_lib.checks.dashboards import DashboardFacts
from genesis_lib.checks.queries import QueryFacts
from genesis_lib.checks.rules import RuleFacts
from genesis_lib.checks.services import ServiceFact
from genesis_lib.checks.targets import TargetFacts
from genesis_lib.formatting import Quantity, Unit
from genesis_lib.model import Answer, Finding, Missing, Verdict
from genesis_lib.views.markup import Html
from genesis_lib.views.tables import Cell, Column, Kind, table

__all__ = ["dashboards", "queries", "rules", "services", "targets"]


def services(facts: Sequence[ServiceFact], findings: Sequence[Finding], *, at: datetime) -> Html:
    """Each expected service: its verdict, address, version and uptime at the run's instant."""
    verdicts = _verdicts(findings, "services.ready")
    rows: list[Mapping[str, Cell]] = [
        {
            "service": f.name,
            "verdict": verdicts.get(f.name),
            "address": f.url,
            "version": _value(f.version),
            "expected": f.expected_version or "any",
            "uptime": f.started_at if isinstance(f.started_at, Missing) else at - f.started_at.value,
        }
        for f in facts
    ]
    columns = [
        Column(name="service", header="Service"),
        Column(name="verdict", header="Ready"),
        Column(name="address", header="Address", unit=Kind.CODE),
        Column(name="version", header="Version"),
        Column(name="expected", header="Expected"),
        Column(name="uptime", header="Up for"),
    ]
    return table(rows, columns=columns, caption="Services", empty="The environment expects no service.")


def targets(facts: TargetFacts, findings: Sequence[Finding]) -> Html:
    """Each scrape target that Prometheus knows, beside what the environment expects of its job."""
    verdicts = _verdicts(findings, "targets.up")
    active = () if isinstance(facts.listing, Missing) else facts.listing.value.active
    jobs = dict.fromkeys([*facts.expected, *(t.job for t in active)])
    rows: list[Mapping[str, Cell]] = []
    for job in jobs:
        count = f"at least {facts.expected[job].count}" if job in facts.expected else "not expected"
        mine = [t for t in active if t.job == job]
        rows += [
            {
                "job": job,
                "verdict": verdicts.get(job),
                "instance": target.instance,
                "health": target.health,
                "scraped": target.last_scrape,
                "expected": count,
                "error": target.last_error,
            }
            for target in mine
        ]
        if not mine:
            error = facts.listing if isinstance(facts.listing, Missing) else "Prometheus has no such job"
            rows.append({"job": job, "verdict": verdicts.get(job), "expected": count, "error": error})
    columns = [
        Column(name="job", header="Job"),
        Column(name="verdict", header="Verdict"),
        Column(name="instance", header="Target", unit=Kind.CODE),
        Column(name="health", header="Health"),
        Column(name="scraped", header="Last scrape"),
        Column(name="expected", header="Expected"),
        Column(name="error", header="Error"),
    ]
    return table(rows, columns=columns, caption="Scrape targets", empty="No target is expected, and none is known.")


def rules(facts: RuleFacts, findings: Sequence[Finding]) -> Html:
    """Each rule on disk: severity, expression, whether it is loaded, and whether it is quiet."""
    loaded, quiet = _verdicts(findings, "rules.loaded"), _verdicts(findings, "rules.quiet")
    states = {f.subject: f.observed for f in findings if f.check == "rules.quiet"}
    rows: list[Mapping[str, Cell]] = [
        {
            "rule": rule.subject,
            "severity": " ".join(filter(None, (rule.labels.get("severity", ""), rule.labels.get("priority", "")))),
            "expression": rule.expr,
            "for": Quantity(value=rule.for_s, unit=Unit.SECONDS),
            "loaded": loaded.get(rule.subject),
            "quiet": quiet.get(rule.subject),
            "state": states.get(rule.subject, ""),
        }
        for file in facts.files
        if not isinstance(file.rules, Missing)
        for rule in file.rules
    ]
    columns = [
        Column(name="rule", header="Rule"),
        Column(name="severity", header="Severity"),
        Column(name="expression", header="Condition", unit=Kind.CODE),
        Column(name="for", header="For"),
        Column(name="loaded", header="Loaded"),
        Column(name="quiet", header="Quiet"),
        Column(name="state", header="State"),
    ]
    return table(
        rows, columns=columns, caption=f"Alert rules ({len(rows)})", empty="No rule could be read from the files."
    )


def queries(facts: QueryFacts, findings: Sequence[Finding]) -> Html:
    """Each of the policy's queries: what it answered, its SLO, and why there is no answer where there is none."""
    judged = {f.subject: f for f in findings if f.check == "queries.answered"}
    rows: list[Mapping[str, Cell]] = [
        {
            "query": query.title,
            "verdict": judged[query.title].verdict if query.title in judged else None,
            "expression": query.expr,
            "answer": _number(facts, query.expr, Unit(query.unit), judged.get(query.title)),
            "slo": query.slo,
        }
        for query in facts.asked.queries
    ]
    columns = [
        Column(name="query", header="Query"),
        Column(name="verdict", header="Answered"),
        Column(name="expression", header="PromQL", unit=Kind.CODE),
        Column(name="answer", header="Answer"),
        Column(name="slo", header="SLO (judged as an objective)"),
    ]
    return table(rows, columns=columns, caption="The report's queries")


def dashboards(facts: DashboardFacts, findings: Sequence[Finding]) -> Html:
    """Each panel of each dashboard: whether it shows data, and why not."""
    judged = {f.subject: f for f in findings if f.check == "dashboards.panel"}
    rows: list[Mapping[str, Cell]] = []
    for dashboard in facts.dashboards:
        for panel in () if isinstance(dashboard.panels, Missing) else dashboard.panels:
            found = judged.get(f"{dashboard.title} / {panel.subject}")
            rows.append(
                {
                    "panel": panel.subject,
                    "verdict": found.verdict if found else None,
                    "queries": panel.expressions,
                    "shows": "" if found is None else found.observed if found.verdict is Verdict.PASS else found.reason,
                }
            )
    columns = [
        Column(name="panel", header="Panel"),
        Column(name="verdict", header="Verdict"),
        Column(name="queries", header="Queries", unit=Kind.CODE),
        Column(name="shows", header="Shows"),
    ]
    return table(rows, columns=columns, caption=f"Dashboard panels ({len(rows)})", empty="No dashboard could be read.")


def _verdicts(findings: Sequence[Finding], claim: str) -> dict[str, Verdict]:
    return {f.subject: f.verdict for f in findings if f.check == claim}


def _value(answer: Answer[str] | Missing) -> Cell:
    return answer if isinstance(answer, Missing) else answer.value


def _number(facts: QueryFacts, expression: str, unit: Unit, finding: Finding | None) -> Cell:
    """The one number that was answered; how many series, where it is not one; the reason, where there is none."""
    reply = facts.asked.ladder.replies.get(expression)
    if reply is None or isinstance(reply, Missing) or not reply.value.series:
        return finding.reason if finding else ""
    if reply.value.samples is None or reply.value.series > 1:
        return f"{reply.value.series:,} series"
    value = reply.value.samples[0].value
    return value if isinstance(value, Missing) else Quantity(value=value, unit=unit)
