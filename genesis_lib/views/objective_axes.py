"""Draw an objective's course on axes of its own: the value between its thresholds, alerts and deployments, latencies by bucket."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from genesis_lib.formatting import Unit, duration, quantity
from genesis_lib.model import Missing
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.course import Course, HeatMap, Lines, Span
from genesis_lib.slo.facts import Floats
from genesis_lib.views import objective_words as words
from genesis_lib.views.figures import label, set_time_axis
from genesis_lib.views.theme import LIGHT, SERIES_COLOURS

__all__ = [
    "DENSITY",
    "HATCHES",
    "INK",
    "MOST_LANES",
    "SMALL",
    "Band",
    "alert_lanes",
    "bands",
    "course",
    "days",
    "latencies",
    "legend_rows",
    "line",
    "told_apart",
    "value_axis",
]

MOST_LANES = 5
_MOST_DEPLOYMENTS, _MOST_SAID = 6, 2
_LEGEND_COLUMNS = 4
_LONGEST_NAME = 22  # characters
_LINE = 0.11  # of the height of a course: what a line of text takes
_DAY_S = 86400
SMALL = 7
_DASHES = ((0, (5, 1)), (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (2, 1)), (0, (6, 2, 1, 2)))
INK: dict[str, Any] = {"color": LIGHT["ink"], "linewidth": 1.5, "zorder": 4}
_GROUND = {"facecolor": LIGHT["paper"], "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
# One hue from pale to dark: the order shows in grey as well.
DENSITY = LinearSegmentedColormap.from_list("density", ["#d3e6f3", SERIES_COLOURS[0], "#00223a"])


def course(axes: Axes, objective: Objective, lines: Lines, shown: Course) -> None:
    """The value, and those of its worst series, between the bands that its thresholds make; deployments as lines with their names."""
    drawn = [
        line(axes, lines.times, values, color=SERIES_COLOURS[number], linestyle=_DASHES[number], linewidth=1.1)
        for number, values in enumerate(lines.parts.values())
    ]
    drawn.append(line(axes, lines.times, lines.whole, **INK))
    value_axis(axes, objective, [lines.whole, *lines.parts.values()], ticks=5)
    _draw_bands(axes, objective)
    axes.axhline(objective.target, color=LIGHT["ink"], linewidth=0.9, linestyle=(0, (4, 2)), zorder=3)
    above = objective.better == "higher"
    target = axes.annotate(f"target {words.target(objective)}", (0, objective.target),
                           xycoords=("axes fraction", "data"), xytext=(3, -2 if above else 2), textcoords="offset points",
                           va="top" if above else "bottom", fontsize=SMALL, color=LIGHT["ink"], bbox=_GROUND, zorder=5)  # fmt: skip
    target.set_in_layout(False)
    _draw_deployments(axes, shown)
    if lines.parts:
        whole = "the worst" if objective.indicator.kind == "value" else "the whole"
        names = [*told_apart(list(lines.parts)), whole]
        axes.legend(drawn, names, loc="lower left", bbox_to_anchor=(0, 0.99), ncols=_LEGEND_COLUMNS, fontsize=SMALL,
                    frameon=False, borderpad=0.2)  # fmt: skip
    axes.set_xlim(days(shown.at - shown.window), days(shown.at))
    set_time_axis(axes, small=False)


def told_apart(names: Sequence[str]) -> list[str]:
    """Short names for several values of a label: without what long ones all begin with."""
    columns = zip(*names, strict=False) if max(map(len, names)) > _LONGEST_NAME and len(names) > 1 else ()
    shared = len(list(takewhile(lambda letters: len(set(letters)) == 1, columns)))
    return [label(f"…{name[shared:]}" if shared else name, _LONGEST_NAME) or "(none)" for name in names]


def legend_rows(lines: Lines) -> int:
    """How many lines the names of a course's series take above it."""
    return -(-(len(lines.parts) + 1) // _LEGEND_COLUMNS) if lines.parts else 0


def line(axes: Axes, times: Floats, values: Floats, **style: Any) -> Line2D:
    """A line with gaps where there are no values; a value between two gaps is a dot."""
    (drawn,) = axes.plot(times / _DAY_S, values, **style)
    there = np.concatenate([[False], np.isfinite(values), [False]])
    lone = there[1:-1] & ~there[:-2] & ~there[2:]
    axes.plot(times[lone] / _DAY_S, values[lone], color=style["color"], linestyle="", marker="o", markersize=2.5)
    return drawn


def value_axis(axes: Axes, objective: Objective, values: Sequence[Floats], *, ticks: int) -> None:
    """An axis of values that holds all thresholds, in the objective's unit."""
    limits = [objective.target, objective.warning, objective.critical]
    known = np.concatenate([*values, limits])
    known = known[np.isfinite(known)]
    low, high = float(known.min()), float(known.max())
    room = (high - low or abs(high) or 0.01) * 0.14
    # Nothing lies below zero, and no share above one; a line at the very edge still shows.
    top = min(high + room, 1 + room / 4) if objective.unit == "ratio" else high + room
    axes.set_ylim(max(-room / 4, low - room) if low >= 0 else low - room, top)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(float(value), Unit(objective.unit))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Values between two bounds, what they would mean (`ok`, `warning`, `critical`), and its limit in words."""

    name: str
    low: float
    high: float
    words: str


def bands(objective: Objective) -> tuple[Band, ...]:
    """What which values would mean, lowest first. The target counts as a warning: to miss it is to be warned."""
    higher, critical, unit = objective.better == "higher", objective.critical, Unit(objective.unit)
    warned = (max if higher else min)(objective.warning, objective.target)
    # A value at the target has met it where higher is better, and missed it where lower is.
    sign = "<" if higher else "≥" if warned == objective.target else ">"
    said = {
        "ok": "ok",
        "warning": f"warning {sign} {quantity(warned, unit)}"
        if warned == objective.warning
        else f"misses its target; warning {words.warning(objective)}",
        "critical": f"critical {words.critical(objective)}",
    }
    edges = {
        "ok": (warned, math.inf) if higher else (-math.inf, warned),
        "warning": (critical, warned) if higher else (warned, critical),
        "critical": (-math.inf, critical) if higher else (critical, math.inf),
    }
    found = [Band(name=name, low=low, high=high, words=said[name]) for name, (low, high) in edges.items() if low < high]
    return tuple(sorted(found, key=lambda band: band.low))


_BAND_LOOKS = {"ok": ("pass-wash", ""), "warning": ("warn-wash", "//"), "critical": ("fail-wash", "xx")}
HATCHES = {"ok": LIGHT["line"], "warning": "#e5cf9f", "critical": "#e5b49e"}


def _draw_bands(axes: Axes, objective: Objective) -> None:
    low, high = axes.get_ylim()
    shown = bands(objective)
    middles = []
    for band in shown:
        colour, hatch = _BAND_LOOKS[band.name]
        begins, ends = max(low, band.low), min(high, band.high)
        axes.axhspan(
            begins, ends, facecolor=LIGHT[colour], hatch=hatch, edgecolor=HATCHES[band.name], linewidth=0, zorder=0
        )
        middles.append(((begins + ends) / 2 - low) / (high - low))
    for band, y in zip(shown, _apart(middles), strict=True):
        colour = _BAND_LOOKS[band.name][0].removesuffix("-wash")
        axes.text(
            1.01,
            y,
            band.words,
            transform=axes.transAxes,
            va="center",
            fontsize=SMALL,
            color=LIGHT[colour],
            fontweight="bold",
        )
    axes.set_ylim(low, high)


def _apart(places: Sequence[float]) -> list[float]:
    """Ascending shares of the height, moved so far that lines of text there do not touch, and stay beside the axes."""
    found: list[float] = []
    for place in places:
        found.append(max(place, (found[-1] if found else -_LINE / 2) + _LINE))
    for i in range(len(found) - 1, -1, -1):
        found[i] = min(found[i], (found[i + 1] if i + 1 < len(found) else 1 + _LINE / 2) - _LINE)
    return found


def _draw_deployments(axes: Axes, shown: Course) -> None:
    found = () if isinstance(shown.deployments, Missing) else shown.deployments[-_MOST_DEPLOYMENTS:]
    for number, one in enumerate(found):
        axes.axvline(days(one.at), color=SERIES_COLOURS[4], linewidth=1.2, linestyle=(0, (1, 1.5)), zorder=3)
        is_late = one.at > shown.at - shown.window / 4
        seen = " first seen" if one.is_first else " deployed" if len(found) <= _MOST_SAID else ""
        name = axes.annotate(f"{label(one.name, 20)}{seen}", (days(one.at), 1), xycoords=("data", "axes fraction"),
                             xytext=(-3 if is_late else 3, -3 - 10 * number), textcoords="offset points", va="top",
                             ha="right" if is_late else "left", fontsize=SMALL, color=LIGHT["unknown"], bbox=_GROUND, zorder=5)  # fmt: skip
        name.set_in_layout(False)


def alert_lanes(axes: Axes, alerts: Sequence[Span], shown: Course) -> None:
    """When alerts fired: a lane for each of the latest few."""
    names = list(dict.fromkeys(span.name for span in alerts))[:MOST_LANES]
    least = shown.window / 300  # a short one is still seen
    for span in alerts:
        if span.name in names:
            begins, ends = min(span.begins, span.ends - least), span.ends
            axes.barh(
                names.index(span.name), days(ends) - days(begins), left=days(begins), height=0.6, color=LIGHT["fail"]
            )
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.yaxis.tick_right()
    axes.set_yticks(range(len(names)), [label(name, 24) for name in names], fontsize=SMALL)
    axes.tick_params(length=0)
    axes.set_ylabel("alerts\nfiring", rotation=0, ha="right", va="center", fontsize=SMALL)
    axes.set_facecolor(LIGHT["wash"])
    axes.spines["bottom"].set_visible(False)
    axes.grid(visible=False)


def latencies(axes: Axes, objective: Objective, heat: HeatMap) -> AxesImage:
    """How many operations took how long, over time; the target is a line between the buckets."""
    held = np.nansum(heat.counts, axis=1) >= 1
    bounds = np.concatenate([[0.0], heat.edges])
    below = min(
        int(np.searchsorted(heat.edges, objective.target)), len(heat.edges) - 1
    )  # the bucket that holds the target
    rows = min(len(heat.edges), max(int(np.flatnonzero(held).max(initial=0)), below) + 2)
    counts = np.ma.masked_less(np.ma.masked_invalid(heat.counts[:rows]), 0.5)
    step = heat.ends[1] - heat.ends[0]
    extent = ((heat.ends[0] - step) / _DAY_S, heat.ends[-1] / _DAY_S, 0.0, float(rows))
    image = axes.imshow(counts, origin="lower", aspect="auto", interpolation="none", extent=extent, cmap=DENSITY,
                        norm=LogNorm(1, max(10.0, float(counts.max() or 0))))  # fmt: skip
    width = bounds[below + 1] - bounds[below]
    y = below + (objective.target - bounds[below]) / width if math.isfinite(width) else below + 0.5
    axes.axhline(y, color=LIGHT["fail"], linewidth=1.2, linestyle=(0, (4, 2)))
    target = axes.annotate(f"target {duration(objective.target)}", (0, y), xycoords=("axes fraction", "data"), xytext=(3, 2),
                           textcoords="offset points", fontsize=SMALL, color=LIGHT["fail"], fontweight="bold", bbox=_GROUND)  # fmt: skip
    target.set_in_layout(False)
    every = -(-rows // 7)
    ticks = [i for i in range(1, rows + 1) if (i - below - 1) % every == 0 and math.isfinite(bounds[i])]
    axes.set_yticks(ticks, [duration(float(bounds[i])) for i in ticks])
    axes.grid(visible=False)
    set_time_axis(axes, small=False)
    axes.set_xlabel("time, UTC", loc="left")
    return image


def days(at: datetime) -> float:
    """The instant as matplotlib counts time."""
    return at.timestamp() / _DAY_S
