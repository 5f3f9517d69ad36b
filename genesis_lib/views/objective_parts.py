"""Draw the rows of a page about one objective, each with its title; where there is nothing to draw, why."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter

from genesis_lib.formatting import Unit, duration, quantity
from genesis_lib.model import Missing, Verdict
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.budget import Budget, BurnDown
from genesis_lib.slo.course import Course, Lines, Spent
from genesis_lib.slo.facts import Floats, ObjectiveFacts
from genesis_lib.slo.indicators import TILE
from genesis_lib.slo.status import Status
from genesis_lib.views import budget_axes, objective_axes
from genesis_lib.views import objective_words as words
from genesis_lib.views.figures import label, say, wrapped
from genesis_lib.views.objective_axes import MOST_LANES, SMALL, legend_rows
from genesis_lib.views.theme import LIGHT, VERDICT_LOOKS

__all__ = [
    "HEADER_IN",
    "SAID_IN",
    "ahead",
    "blank",
    "budget",
    "budget_height",
    "by_hour",
    "course",
    "course_height",
    "events",
    "header",
    "heat",
    "heat_height",
    "left",
    "unknown",
    "unknowns",
    "where",
    "where_height",
    "why",
]

HEADER_IN, SAID_IN = 0.62, 0.66  # of what a page begins with; of a row that only says why it is empty
_TITLE = 9
_WHOLE, _LEFT, _RIGHT = 130, 72, 54  # characters in a line of words in the place of a drawing


def header(part: SubFigure, status: Status, verdict: Verdict) -> None:
    """What it is, its verdict, its value, and the reason."""
    look, top = VERDICT_LOOKS[verdict], 1 - 0.06 / HEADER_IN
    value = "" if isinstance(status.value, Missing) else f"   {quantity(status.value, Unit(status.objective.unit))}"
    bold: dict[str, Any] = {"fontsize": 12, "fontweight": "bold", "va": "top"}
    part.text(0.01, top, label(status.objective.title), **bold)
    part.text(0.99, top, f"{look.glyph} {look.word}{value}", ha="right", color=LIGHT[look.colour], **bold)
    part.text(
        0.01,
        top - 0.24 / HEADER_IN,
        wrapped(status.reason, 120, 2),
        fontsize=8,
        va="top",
        color=LIGHT["muted"],
        linespacing=1.3,
    )


def unknown(status: Status, spent: BurnDown | Missing, shown: Course) -> dict[str, list[str]]:
    """Where nothing is known of it at all: the reasons, each with the names of what there is not; else nothing."""
    drawn = {"course": shown.lines, "budget": spent, "operations by duration": shown.heat, "split": shown.spent}
    if _burns(status) or not all(isinstance(one, Missing) for one in drawn.values() if one is not None):
        return {}
    return words.missing_by_reason(drawn)


def unknowns(part: SubFigure, reasons: Mapping[str, Sequence[str]]) -> None:
    """Why there is nothing to draw at all."""
    _empty(
        part,
        "Nothing to draw",
        "; ".join(f"no {', '.join(names)}: {reason}" for reason, names in reasons.items()),
        width=_WHOLE,
    )


def course_height(shown: Course) -> float:
    """How high, in inches, its row is."""
    if isinstance(shown.lines, Missing):
        return SAID_IN
    return 2.35 + 0.14 * legend_rows(shown.lines) + 0.15 * min(len(_alert_names(shown)), MOST_LANES)


def course(part: SubFigure, status: Status, shown: Course) -> None:
    """The value between its thresholds, and what happened meanwhile."""
    title = f"Value, last {duration(shown.window)}"
    if isinstance(shown.lines, Missing):
        _empty(part, title, why(shown.lines), width=_WHOLE)
        return
    lanes = min(len(_alert_names(shown)), MOST_LANES)
    if lanes:
        axes, lowest = part.subplots(2, 1, sharex=True, height_ratios=(2.0, 0.15 * lanes))
        objective_axes.alert_lanes(lowest, shown.alerts, shown)  # type: ignore[arg-type] # Missing has no names
    else:
        axes = lowest = part.subplots()
    objective_axes.course(axes, status.objective, shown.lines, shown)
    title += f": each point over {duration(status.objective.window)}{_of_split(shown, shown.lines)}"
    axes.set_title(title, fontsize=_TITLE, pad=6 + 11 * legend_rows(shown.lines))
    lowest.set_xlabel(_happened(shown), loc="left")


def budget_height(status: Status, spent: BurnDown | Missing) -> float:
    """How high, in inches, its row is."""
    return 2.05 if isinstance(spent, BurnDown) or _burns(status) else SAID_IN


def budget(part: SubFigure, status: Status, spent: BurnDown | Missing, *, at: datetime) -> None:
    """How the budget was spent, and how fast it burns."""
    one, other = part.subfigures(1, 2, width_ratios=(1.15, 1), squeeze=False).flat
    title = f"Error budget, {duration(status.objective.period)}"
    if isinstance(spent, Missing):
        _empty(one, title, why(spent), width=_LEFT)
    else:
        axes = one.subplots()
        budget_axes.burn_down(axes, spent, status.forecast, period=status.objective.period, at=at)
        axes.set_title(f"{title}: {left(status)}", fontsize=_TITLE, pad=26)
        said = f"{_left_in_events(status)}\n{ahead(status)}"
        axes.text(0, 1.03, said, transform=axes.transAxes, fontsize=SMALL, color=LIGHT["muted"], linespacing=1.3)
    if _burns(status):
        axes = other.subplots()
        budget_axes.burn_rates(axes, status)
        axes.set_title("Burn rate, by alert window", fontsize=_TITLE)
    else:
        gone = next((burn.long for burn in status.burns if isinstance(burn.long, Missing)), None)
        _empty(other, "Burn rate", why(gone) if gone else "policy names no alert windows", width=_RIGHT)


def heat_height(shown: Course) -> float:
    """How high, in inches, its row is; 0 for what is no histogram."""
    if shown.heat is None:
        return 0.0
    return SAID_IN if isinstance(shown.heat, Missing) else 1.7


def heat(part: SubFigure, objective: Objective, shown: Course) -> None:
    """How many operations took how long."""
    title = "Operations by duration"
    if shown.heat is None or isinstance(shown.heat, Missing):
        _empty(part, title, why(shown.heat) if shown.heat else "this is no histogram", width=_WHOLE)
        return
    axes = part.subplots()
    image = objective_axes.latencies(axes, objective, shown.heat)
    axes.set_title(title, fontsize=_TITLE)
    _scale(part, axes, image, f"in {duration(float(shown.heat.ends[1] - shown.heat.ends[0]))}")


def where_height(facts: ObjectiveFacts, shown: Course) -> float:
    """How high, in inches, its row is."""
    hours = by_hour(facts)
    if hours is not None and np.nansum(hours[1]):
        return 1.1 + 0.09 * min(max(len(hours[0]), 8), 14)
    return 1.4 if isinstance(shown.spent, Spent) and shown.spent.bad else SAID_IN


def where(part: SubFigure, status: Status, facts: ObjectiveFacts, shown: Course) -> None:
    """In which hours the budget went, and by whom."""
    one, other = part.subfigures(1, 2, width_ratios=(1.5, 1), squeeze=False).flat
    bad, hours = events(status.objective), by_hour(facts)
    title, period = f"Where it went: {bad} by hour", duration(status.objective.period)
    if hours is None:
        lost = next((m for m in (facts.tiles, status.period.counts.bad) if isinstance(m, Missing)), None)
        _empty(one, title, why(lost) if lost else "nothing is known of this period", width=_LEFT)
    elif not np.nansum(hours[1]):
        _empty(one, title, f"there were no {bad} in the last {period}", width=_LEFT)
    else:
        axes = one.subplots()
        image = budget_axes.calendar(axes, *hours)
        axes.set_title(title, fontsize=_TITLE)
        _scale(one, axes, image, "in an hour")
    split = f"By {label(shown.split, 20)}" if shown.split else "By component"
    match shown.spent:
        case Missing() as missing:
            _empty(other, split, why(missing), width=_RIGHT)
        case Spent() as spent if not spent.bad:
            _empty(other, split, f"there were no {bad} in the last {duration(shown.window)}", width=_RIGHT)
        case Spent() as spent:
            axes = other.subplots()
            budget_axes.spenders(axes, spent)
            axes.set_title(
                split if len(spent.bad) >= spent.among else f"{split}: {len(spent.bad)} of {spent.among}",
                fontsize=_TITLE,
            )
            axes.set_xlabel(f"{bad}, last {duration(shown.window)}", loc="left")


def by_hour(facts: ObjectiveFacts) -> tuple[list[datetime], Floats] | None:
    """Bad events of the period by day and hour; None where nothing is known of them."""
    if isinstance(facts.tiles, Missing):
        return None
    dates, bad = budget_axes.bad_by_hour(facts.tiles.value, count=facts.objective.period // TILE)
    return None if np.isnan(bad).all() else (dates, bad)


def events(objective: Objective) -> str:
    """What its bad events are called."""
    kinds = {"events": "bad events", "latency": "slow operations"}
    return kinds.get(objective.indicator.kind, "bad time slices")


def left(status: Status) -> str:
    """What is left of the budget, or why that is not known."""
    match status.budget:
        case Budget(left=share):
            return f"{quantity(abs(share), Unit.RATIO)} {'left' if share >= 0 else 'overspent'}"
        case Missing() as missing:
            return why(missing)


def ahead(status: Status) -> str:
    """When the budget will be spent."""
    is_spent = isinstance(status.budget, Budget) and status.budget.is_spent
    return words.forecast(status.objective, status.forecast, is_spent=is_spent)


def why(missing: Missing) -> str:
    """Why something is not there."""
    return missing.detail or str(missing.cause)


def blank(axes: Axes) -> Axes:
    """The axes without anything, for words."""
    axes.set_axis_off()
    return axes


def _left_in_events(status: Status) -> str:
    if isinstance(status.budget, Missing):
        return ""
    counted, time = (
        words.events(status.objective, round(abs(status.budget.left_events), 1)),
        abs(status.budget.left_time),
    )
    return f"{counted}, or {duration(time)} in which everything fails"


def _of_split(shown: Course, lines: Lines) -> str:
    if not lines.parts or isinstance(shown.spent, Missing):
        return ""
    drawn, among, split = len(lines.parts), shown.spent.among, label(shown.split, 20)
    return f", by {split}" if drawn >= among else f", worst {drawn} of {among} by {split}"


def _alert_names(shown: Course) -> tuple[str, ...]:
    return () if isinstance(shown.alerts, Missing) else tuple(dict.fromkeys(span.name for span in shown.alerts))


def _happened(shown: Course) -> str:
    """Beside the axis: what of alerts and deployments is not to be seen in the drawing."""
    said, more = ["time, UTC"], len(_alert_names(shown)) - MOST_LANES
    if isinstance(shown.alerts, Missing):
        said.append(f"alerts: {why(shown.alerts)}")
    elif not shown.alerts:
        said.append("no alert fired")
    elif more > 0:
        said.append(f"{more} more alerts fired")
    if isinstance(shown.deployments, Missing):
        said.append(f"deployments: {why(shown.deployments)}")
    elif not shown.deployments:
        said.append("nothing was deployed")
    return label(" · ".join(said), 100)


def _burns(status: Status) -> bool:
    return any(isinstance(rate, float) for burn in status.burns for rate in (burn.long, burn.short))


def _scale(part: SubFigure, axes: Axes, image: AxesImage, what: str) -> None:
    """The key to a picture's colours."""
    bar = part.colorbar(image, ax=axes, pad=0.015, aspect=14, fraction=0.05)
    assert bar.solids is not None  # noqa: S101 - the bar of an image is filled
    bar.solids.set_rasterized(True)  # else some hundred shapes of vector graphics
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(float(value), Unit.COUNT)))
    bar.ax.minorticks_off()
    bar.ax.tick_params(labelsize=SMALL, length=0)
    bar.set_label(what, fontsize=SMALL)


def _empty(part: SubFigure, title: str, reason: str, *, width: int) -> None:
    axes = blank(part.subplots())
    axes.set_title(title, fontsize=_TITLE)
    say(axes, reason, small=True, width=width, lines=3)
