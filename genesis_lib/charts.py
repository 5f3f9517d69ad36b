"""Ask for the series behind queries and panels, and hand them to the figures; or say why there is nothing to draw."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from genesis_lib.checks.ask.series import LadderFacts
from genesis_lib.checks.dashboards import DashboardFacts
from genesis_lib.checks.queries import QueryFacts
from genesis_lib.clients.prometheus import to_frame
from genesis_lib.formatting import Unit
from genesis_lib.model import Answer, Finding, Missing, Verdict
from genesis_lib.run import Run
from genesis_lib.views.panel import Panel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["of_dashboards", "of_queries", "series"]

_POINTS = 180
# Nobody reads more lines than this in one small chart, and a range of many series is not fetched to be thrown away.
_MOST_SERIES = 100
_GRAFANA_UNITS = {
    "percentunit": Unit.RATIO,
    "percent": Unit.PERCENT,
    "s": Unit.SECONDS,
    "bytes": Unit.BYTES,
    "short": Unit.NUMBER,
    "bool_yes_no": Unit.BOOLEAN,
}


def series(run: Run, expression: str, *, window: timedelta, step: timedelta) -> "pd.DataFrame | Missing":
    """A PromQL expression over the window that ends at the run's instant: UTC times down, a column for each series."""
    start = run.as_of - window
    answer = run.ask(lambda: run.prometheus.query_range(expression, start=start, end=run.as_of, step=step))
    return answer if isinstance(answer, Missing) else to_frame(answer.value)


def of_queries(run: Run, facts: QueryFacts, findings: Sequence[Finding], *, window: timedelta) -> list[Panel]:
    """The policy's queries as small charts."""
    judged = {f.subject: f for f in findings if f.check == "queries.answered"}
    return [
        _panel(
            run,
            query.title,
            (query.expr,),
            unit=Unit(query.unit),
            known=facts.asked.ladder,
            finding=judged.get(query.title),
            window=window,
        )
        for query in facts.asked.queries
    ]


def of_dashboards(run: Run, facts: DashboardFacts, findings: Sequence[Finding], *, window: timedelta) -> list[Panel]:
    """What each panel of each dashboard shows, with the lines that it draws at its thresholds."""
    judged = {f.subject: f for f in findings if f.check == "dashboards.panel"}
    found = []
    for dashboard in facts.dashboards:
        for panel in () if isinstance(dashboard.panels, Missing) else dashboard.panels:
            finding = judged.get(f"{dashboard.title} / {panel.subject}")
            unit = _GRAFANA_UNITS.get(panel.unit, Unit.NUMBER)
            drawn = _panel(
                run, panel.title, panel.expressions, unit=unit, known=facts.ladder, finding=finding, window=window
            )
            found.append(replace(drawn, thresholds=tuple(panel.thresholds)))
    return found


def _panel(
    run: Run,
    title: str,
    expressions: Sequence[str],
    *,
    unit: Unit,
    known: LadderFacts,
    finding: Finding | None,
    window: timedelta,
) -> Panel:
    import pandas as pd

    # What is known to be empty, or to be too much, is not asked for again.
    counts = {text: r.value.series for text in expressions if isinstance(r := known.replies.get(text), Answer)}
    answers = [
        series(run, text, window=window, step=window / _POINTS) for text, n in counts.items() if n <= _MOST_SERIES
    ]
    frames = [a for a in answers if not isinstance(a, Missing) and not a.empty]
    missing = next((a.detail for a in answers if isinstance(a, Missing)), "no data in this window")
    if max(counts.values(), default=0) > _MOST_SERIES:
        missing = f"{max(counts.values()):,} series are too many to draw"
    reason = missing if finding is None or finding.verdict is Verdict.PASS else finding.reason
    if finding is not None and finding.verdict is Verdict.PASS and not max(counts.values(), default=0):
        reason = finding.observed
    return Panel(
        title=title,
        frame=pd.concat(frames, axis=1) if frames else pd.DataFrame(),
        unit=unit,
        thresholds=(),
        empty_because="" if frames else reason,
    )
