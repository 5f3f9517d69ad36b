"""Does every panel of every dashboard show fresh data, and, where not, why?"""

from dataclasses import dataclass
from datetime import datetime

from genesis_lib.checks import ladder, panels
from genesis_lib.checks.claims import cannot_tell, finding
from genesis_lib.checks.ladder import LadderFacts, Rung
from genesis_lib.checks.panels import Dashboard, Panel
from genesis_lib.model import Finding, Missing, Verdict, worst
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "DashboardFacts", "gather", "judge"]

NAME = "dashboards"
CLAIMS = ("dashboards.panel", "dashboards.readable")


@dataclass(frozen=True, slots=True, kw_only=True)
class DashboardFacts:
    """The dashboards, and what Prometheus answered to the queries of their panels."""

    dashboards: tuple[Dashboard, ...]
    ladder: LadderFacts


def gather(run: Run) -> DashboardFacts:
    """Read the dashboards and ask each query of each panel."""
    dashboards = panels.gather(run)
    expressions = [e for d in dashboards if not isinstance(d.panels, Missing) for p in d.panels for e in p.expressions]
    return DashboardFacts(dashboards=dashboards, ladder=ladder.gather(run, expressions))


def judge(facts: DashboardFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """`dashboards.panel` for each panel; `dashboards.readable` for a dashboard that cannot be read or has none."""
    found = []
    for dashboard in facts.dashboards:
        if isinstance(dashboard.panels, Missing):
            found.append(
                cannot_tell(policy, "dashboards.readable", dashboard.source, dashboard.panels, expected="a dashboard")
            )
        elif not dashboard.panels:
            found.append(_no_panels(dashboard, policy))
        else:
            found += [_judge_panel(panel, dashboard, facts, policy, at=at) for panel in dashboard.panels]
    return found


def _no_panels(dashboard: Dashboard, policy: Policy) -> Finding:
    return finding(
        policy,
        "dashboards.readable",
        dashboard.source,
        Verdict.FAIL,
        observed="no panel",
        expected="panels that show data",
        reason=f"the dashboard {dashboard.title} has no panel that shows data",
        hint="see that the right file is named under files.dashboards",
        evidence=(dashboard.evidence,),
    )


def _judge_panel(panel: Panel, dashboard: Dashboard, facts: DashboardFacts, policy: Policy, *, at: datetime) -> Finding:
    rungs = [ladder.judge(text, facts.ladder, policy, at=at) for text in panel.expressions]
    verdict = worst(rung.verdict for rung in rungs)
    decisive = next((rung for rung in rungs if rung.verdict is verdict), _NO_QUERY)
    return finding(
        policy,
        "dashboards.panel",
        f"{dashboard.title} / {panel.title}",
        verdict,
        observed=decisive.observed,
        expected="fresh data for every query",
        reason=f"the panel “{panel.title}” "
        + (
            "shows data"
            if verdict is Verdict.PASS
            else f"shows nothing: {decisive.reason}"
            if verdict is not Verdict.WARN
            else f"has a remark: {decisive.reason}"
        ),
        hint=decisive.hint,
        because_of=decisive.because_of,
        evidence=(dashboard.evidence, *(e for rung in rungs for e in rung.evidence)),
    )


_NO_QUERY = Rung(
    verdict=Verdict.UNKNOWN,
    observed="no query",
    reason="it has no Prometheus query",
    hint="give the panel a query, or remove it",
    because_of="",
    evidence=(),
)
