"""Does every panel of every dashboard show fresh data, and, where not, why?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from genesis_lib.checks.ask import ladder, questions
from genesis_lib.checks.ask.ladder import Rung
from genesis_lib.checks.ask.series import LadderFacts
from genesis_lib.checks.claims import cannot_tell, finding
from genesis_lib.checks.panel.panels import Dashboard, Panel
from genesis_lib.model import Cause, Finding, Missing, Verdict, worst
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "DashboardFacts", "gather", "judge"]

NAME = "dashboards"
CLAIMS = ("dashboards.panel", "dashboards.readable")
_PANEL, _READABLE = CLAIMS
_FRESH = "fresh data for every query"
_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardFacts:
    """The dashboards, and what Prometheus answered to the queries of their panels."""

    dashboards: tuple[Dashboard, ...]
    ladder: LadderFacts


def gather(run: Run) -> DashboardFacts:
    """Read the dashboards and ask each query of each panel."""
    asked = questions.gather(run)
    return DashboardFacts(dashboards=asked.dashboards, ladder=asked.ladder)


def judge(facts: DashboardFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """`dashboards.panel` for each panel; `dashboards.readable` for a dashboard that cannot be read or has none."""
    found = []
    for dashboard in facts.dashboards:
        if isinstance(dashboard.panels, Missing):
            found.append(_unreadable(dashboard, dashboard.panels, policy))
        elif not dashboard.panels:
            found.append(_no_panels(dashboard, policy))
        else:
            found += [_judge_panel(panel, dashboard, facts, policy, at=at) for panel in dashboard.panels]
    return found


def _unreadable(dashboard: Dashboard, why: Missing, policy: Policy) -> Finding:
    if not dashboard.is_absent:
        because_of = dashboard.because_of
        return cannot_tell(
            policy, _READABLE, dashboard.source, why, expected="a dashboard", hint=_hint(why), because_of=because_of
        )
    return finding(
        policy,
        _READABLE,
        dashboard.source,
        Verdict.FAIL,
        observed="no such dashboard",
        expected="a dashboard",
        reason=f"Grafana has no dashboard with the uid {dashboard.source}: {why.detail}",
        hint="import the dashboard, or correct grafana_dashboards",
        evidence=(why.evidence,),
    )


def _hint(why: Missing) -> str:
    return "open a run about now" if why.cause is Cause.NO_HISTORY else ""


def _no_panels(dashboard: Dashboard, policy: Policy) -> Finding:
    return finding(
        policy,
        _READABLE,
        dashboard.source,
        Verdict.FAIL,
        observed="no panel",
        expected="panels that show data",
        reason=f"the dashboard {dashboard.title} has no panel that shows data",
        hint="see that the right dashboard is named under files.dashboards or grafana_dashboards",
        evidence=(dashboard.evidence,),
    )


def _judge_panel(panel: Panel, dashboard: Dashboard, facts: DashboardFacts, policy: Policy, *, at: datetime) -> Finding:
    subject = f"{dashboard.title} / {panel.subject}"
    if dashboard.lost:
        because_of = dashboard.because_of
        return cannot_tell(
            policy,
            _PANEL,
            subject,
            dashboard.lost,
            expected=_FRESH,
            hint=_hint(dashboard.lost),
            because_of=because_of,
        )
    rungs = _rungs(panel, facts, policy, at=at) or [("", _NO_QUERY)]
    verdict = worst(rung.verdict for _, rung in rungs)
    decisive = next(rung for _, rung in rungs if rung.verdict is verdict)
    observed = decisive.observed
    if verdict is Verdict.PASS and len(rungs) > 1:
        observed = f"{len(rungs)} queries answered, the first with {observed}"
    notes = f" ({'; '.join(panel.notes)})" if panel.notes else ""
    return finding(
        policy,
        _PANEL,
        subject,
        verdict,
        observed=observed,
        expected=_FRESH,
        reason=f"the panel “{panel.title}” {_account(rungs, verdict)}{notes}",
        hint=decisive.hint,
        because_of=decisive.because_of,
        evidence=(dashboard.evidence, *panel.evidence, *(e for _, rung in rungs for e in rung.evidence)),
    )


def _rungs(panel: Panel, facts: DashboardFacts, policy: Policy, *, at: datetime) -> list[tuple[str, Rung]]:
    """How each query of the panel stands, with its name; one that cannot be asked stands as that says."""
    names = panel.names or [str(number) for number in range(1, len(panel.expressions) + 1)]
    found = [
        (name, ladder.judge(text, facts.ladder, policy, at=at, wants_one=panel.wants_one))
        for name, text in zip(names, panel.expressions, strict=True)
    ]
    # What a variable looks for tells best why it found nothing: a source that is down, a name that nobody exposes.
    causes = {name: rung for name, rung in found if name.startswith("$")}
    rows = [(name, rung) for name, rung in found if name not in causes]
    for unasked in panel.unasked:
        cause = causes.get(unasked.name)
        is_known = cause is not None and not cause.verdict.is_good
        told = replace(cause, reason=f"{unasked.rung.reason}: {cause.reason}") if cause and is_known else unasked.rung
        rows.append((unasked.name, told))
    return rows


def _account(rungs: Sequence[tuple[str, Rung]], verdict: Verdict) -> str:
    """What the panel shows, and of each query that is not good why."""
    if verdict is Verdict.PASS:
        return "shows data"
    names: dict[str, list[str]] = {}
    for name, rung in rungs:
        if rung.verdict is not Verdict.PASS:
            names.setdefault(rung.reason, []).append(name)
    bad = sum(not rung.verdict.is_good for _, rung in rungs)
    empty = all(rung.observed in ladder.MATCHES_NOTHING for _, rung in rungs)
    remark = "shows nothing" if empty else "has a remark"
    what = remark if verdict is Verdict.WARN else "shows nothing" if bad == len(rungs) else "is incomplete"
    if len(rungs) == 1 or (len(names) == 1 and bad == len(rungs)) or not all(map(all, names.values())):
        return f"{what}: {'; '.join(names)}"
    told = [f"{'query' if len(who) == 1 else 'queries'} {', '.join(who)}: {why}" for why, who in names.items()]
    more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return f"{what}: {'; '.join(told[:_SHOWN])}{more}"


_NO_QUERY = Rung(
    verdict=Verdict.UNKNOWN,
    observed="no query",
    reason="it has no Prometheus query",
    hint="give the panel a query, or remove it",
    because_of="",
    evidence=(),
)
