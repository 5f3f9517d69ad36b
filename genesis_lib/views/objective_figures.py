"""Draw objectives: a page for one, and small multiples of all for the report."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from genesis_lib.formatting import Unit, duration, instant, quantity
from genesis_lib.model import Missing, Verdict
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.budget import burn_down
from genesis_lib.slo.course import Course, Lines
from genesis_lib.slo.facts import ObjectiveFacts
from genesis_lib.slo.status import Status
from genesis_lib.views import budget_axes, objective_axes
from genesis_lib.views import objective_parts as parts
from genesis_lib.views import objective_words as words
from genesis_lib.views.figures import WIDTH_IN, Picture, label, say, set_time_axis
from genesis_lib.views.objective_axes import SMALL
from genesis_lib.views.theme import LIGHT, VERDICT_LOOKS, figure_style

__all__ = ["multiples", "page"]

_ROW_IN = 0.64
_DAY_S = 86400
_POINTS = 120
_SHOWN = 3  # of alerts and deployments in the text


def page(status: Status, facts: ObjectiveFacts, course: Course, *, verdict: Verdict) -> Picture:
    """One objective on one page: its course, its budget and how fast it burns, its latencies, and where the budget went."""
    spent = burn_down(facts, status.period)
    rows: list[tuple[float, Callable[[SubFigure], None]]] = [
        (parts.HEADER_IN, lambda part: parts.header(part, status, verdict)),
        (parts.course_height(course), lambda part: parts.course(part, status, course)),
        (parts.budget_height(status, spent), lambda part: parts.budget(part, status, spent, at=course.at)),
        (parts.heat_height(course), lambda part: parts.heat(part, status.objective, course)),
        (parts.where_height(facts, course), lambda part: parts.where(part, status, facts, course)),
    ]
    rows = [(height, draw) for height, draw in rows if height]
    if reasons := parts.unknown(status, spent, course):
        rows = [rows[0], (parts.SAID_IN, lambda part: parts.unknowns(part, reasons))]
    with figure_style():
        heights = [height for height, _ in rows]
        picture = Picture(alt=_alt(status, facts, course, verdict), size_in=(WIDTH_IN, sum(heights)))
        grid = picture.subfigures(len(rows), 1, height_ratios=heights, squeeze=False)
        for part, (_, draw) in zip(grid.flat, rows, strict=True):
            draw(part)
    return picture


def multiples(
    statuses: Sequence[Status],
    facts: Sequence[ObjectiveFacts],
    courses: Mapping[str, Course],
    verdicts: Sequence[Verdict],
) -> Picture:
    """All objectives, one under the other: the verdict, the value's course with its thresholds, and what is left of the budget.

    `courses` are by the objective's name.
    """
    judged = list(zip(statuses, verdicts, strict=True))
    alt = " ".join(f"{_said(status, verdict)} Budget: {parts.left(status)}." for status, verdict in judged)
    with figure_style():
        picture = Picture(alt=f"Objectives. {alt}", size_in=(WIDTH_IN, 0.5 + _ROW_IN * max(1, len(statuses))))
        if not statuses:
            say(parts.blank(picture.add_subplot()), "no objective applies to this environment", small=False)
            return picture
        grid = picture.subplots(len(statuses), 3, squeeze=False, width_ratios=(1.5, 3.4, 1.3))
        for cells, (status, verdict), known in zip(grid, judged, facts, strict=True):
            _name(parts.blank(cells[0]), status, verdict)
            _small_course(cells[1], status.objective, courses.get(status.objective.name))
            _small_budget(cells[2], status, known)
        titles = ("Objective", "Value  (thin: target; dashed: warning; dotted: critical)", "Budget left")
        for axes, title in zip(grid[0], titles, strict=True):
            axes.set_title(title, fontsize=8, pad=10)
        for column in grid.T[1:]:
            lowest = next((axes for axes in reversed(column) if axes.axison), None)
            if lowest is not None:
                lowest.tick_params(labelbottom=True)
                lowest.set_xlabel("time, UTC", loc="left", fontsize=SMALL)
    return picture


def _name(axes: Axes, status: Status, verdict: Verdict) -> None:
    look, unit = VERDICT_LOOKS[verdict], Unit(status.objective.unit)
    value = "" if isinstance(status.value, Missing) else f"  {quantity(status.value, unit)}"
    for y, line, style in (
        (1.0, label(status.objective.title, 22), {"fontsize": 8.5, "fontweight": "bold"}),
        (0.6, f"{look.glyph} {look.word}{value}", {"fontsize": 8, "fontweight": "bold", "color": LIGHT[look.colour]}),
        (0.2, f"target {words.target(status.objective)}", {"fontsize": SMALL, "color": LIGHT["muted"]}),
    ):
        axes.text(0, y, line, transform=axes.transAxes, va="top", **style).set_in_layout(False)  # type: ignore[arg-type]


def _small_course(axes: Axes, objective: Objective, course: Course | None) -> None:
    if course is None or isinstance(course.lines, Missing):
        reason = "its course was not asked for" if course is None else parts.why(course.lines)  # type: ignore[arg-type]
        say(parts.blank(axes), reason, small=True, width=64, lines=3)
        return
    whole = course.lines.whole
    objective_axes.line(axes, course.lines.times, whole, color=LIGHT["ink"], linewidth=1.2, zorder=3)
    objective_axes.value_axis(axes, objective, [whole], ticks=2)
    axes.axhline(objective.target, color=LIGHT["ink"], linewidth=0.7)
    axes.axhline(objective.warning, color=LIGHT["warn"], linewidth=0.9, linestyle=(0, (5, 2)))
    axes.axhline(objective.critical, color=LIGHT["fail"], linewidth=1.1, linestyle=(0, (1, 1.2)))
    _small_time(axes, (course.at - course.window).timestamp(), course.at.timestamp())


def _small_budget(axes: Axes, status: Status, facts: ObjectiveFacts) -> None:
    left, spent = status.budget, burn_down(facts, status.period)
    if isinstance(left, Missing) or isinstance(spent, Missing):
        say(parts.blank(axes), parts.left(status), small=True, width=30, lines=4)
        return
    ends, course = (budget_axes.thinned(values, most=_POINTS) for values in (spent.ends, spent.left))
    objective_axes.line(axes, ends, course, color=LIGHT["ink"], linewidth=1.2)
    axes.fill_between(ends / _DAY_S, 0, course, color=LIGHT["line"], linewidth=0)
    axes.axhline(0, color=LIGHT["ink"], linewidth=0.7)
    budget_axes.budget_axis(axes, course, ticks=2)
    _small_time(axes, float(ends[0]), float(ends[-1]))
    axes.text(1.04, 0.5, f"{parts.left(status)}\n{duration(abs(left.left_time))}", transform=axes.transAxes, va="center",
              fontsize=SMALL, linespacing=1.4, fontweight="bold")  # fmt: skip


def _small_time(axes: Axes, start: float, end: float) -> None:
    axes.set_xlim(start / _DAY_S, end / _DAY_S)
    set_time_axis(axes, small=False)
    axes.tick_params(labelsize=6.5, labelbottom=False)
    axes.xaxis.get_offset_text().set_fontsize(SMALL)


def _said(status: Status, verdict: Verdict) -> str:
    return f"{label(status.objective.title)}: {verdict}, {status.reason}."


def _alt(status: Status, facts: ObjectiveFacts, course: Course, verdict: Verdict) -> str:
    """The page in sentences, for those who do not see it."""
    objective, unit, said = status.objective, Unit(status.objective.unit), [_said(status, verdict)]
    match course.lines:
        case Lines(whole=whole) if np.isfinite(whole).any():
            low, high = (quantity(float(bound), unit) for bound in (np.nanmin(whole), np.nanmax(whole)))
            said.append(f"Over the last {duration(course.window)} between {low} and {high}.")
        case Missing() as missing:
            said.append(f"Its course is empty, because {parts.why(missing)}.")
    forecast = "" if isinstance(status.budget, Missing) else f"; {parts.ahead(status)}"
    said.append(f"Budget: {parts.left(status)}{forecast}.")
    firing = [duration(burn.window.long) for burn in status.burns if burn.fires]
    said.append(f"Burn rates fire over {', '.join(firing)}." if firing else "No burn rate fires.")
    hours = parts.by_hour(facts)
    if hours is not None and np.nansum(hours[1]):
        dates, bad = hours
        day, hour = divmod(int(np.nanargmax(bad)), bad.shape[1])
        most = words.events(objective, round(float(bad[day, hour]), 1))
        said.append(f"Most {parts.events(objective)} on {dates[day]:%a %d %b} in the hour from {hour}:00 UTC: {most}.")
    if not isinstance(course.alerts, Missing) and course.alerts:
        named = list(dict.fromkeys(label(span.name) for span in course.alerts))[:_SHOWN]
        said.append(f"Alerts that fired, latest first: {', '.join(named)}.")
    if not isinstance(course.deployments, Missing) and course.deployments:
        named = [f"{label(one.name)} at {instant(one.at)}" for one in course.deployments[-_SHOWN:]]
        said.append(f"Deployed, or first seen: {', '.join(named)}.")
    return " ".join(said)
