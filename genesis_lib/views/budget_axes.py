"""Draw an objective's budget on axes of its own: how it was spent, how fast it burns, in which hours it went and by whom."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.ticker import FuncFormatter, MaxNLocator

from genesis_lib.formatting import Unit, duration, quantity
from genesis_lib.model import Missing
from genesis_lib.slo.budget import BurnDown, Forecast
from genesis_lib.slo.burn import Burn
from genesis_lib.slo.course import Spent
from genesis_lib.slo.facts import Floats, Tiles
from genesis_lib.slo.indicators import TILE
from genesis_lib.slo.status import Status
from genesis_lib.views import objective_words as words
from genesis_lib.views.figures import set_time_axis
from genesis_lib.views.objective_axes import DENSITY, HATCHES, INK, SMALL, days, line, told_apart
from genesis_lib.views.theme import LIGHT, SERIES_COLOURS

__all__ = ["bad_by_hour", "budget_axis", "burn_down", "burn_rates", "calendar", "spenders", "thinned"]

_WITHIN_PLOT = 0.35  # a forecast that lies further ahead than this share of the period is told in words alone
_DAY, _DAY_S, _HOUR_S = timedelta(days=1), 86400, 3600
_MOST_POINTS = 500
_NARROWEST, _EDGE = (
    1e-5,
    4,
)  # burn rates: the widest range that is drawn, and how far zero and infinity stand apart from it


def burn_down(axes: Axes, spent: BurnDown, forecast: Forecast | Missing, *, period: timedelta, at: datetime) -> None:
    """What was left of the budget, against the pace that would just use it up, and on to when it will be spent."""
    start, end = days(at - period), days(at)
    axes.plot([start, end], [1, 0], color=LIGHT["muted"], linewidth=1, linestyle=(0, (1, 1.5)))
    times, left = np.concatenate([[start * _DAY_S], spent.ends]), np.concatenate([[1.0], spent.left])
    line(axes, thinned(times, most=_MOST_POINTS), thinned(left, most=_MOST_POINTS), **INK)
    under = left[len(left) // 2] > 0.5  # noqa: PLR2004 - where the line is not, the name is
    pace = axes.annotate("even pace", ((start + end) / 2, 0.5), xytext=(-3, -3) if under else (3, 3),
                         textcoords="offset points", ha="right" if under else "left", va="top" if under else "bottom", fontsize=SMALL,
                         color=LIGHT["muted"])  # fmt: skip
    pace.set_in_layout(False)
    right = end
    if isinstance(forecast, Forecast) and forecast.spent_at is not None and left[-1] > 0:
        ahead = forecast.spent_at - at
        if ahead < period * _WITHIN_PLOT:
            axes.plot([end, end + ahead / _DAY], [left[-1], 0], color=LIGHT["fail"], linestyle=(0, (3, 1.5)))
            axes.axvline(end, color=LIGHT["muted"], linewidth=0.7)
            right = end + 1.1 * (ahead / _DAY)
    budget_axis(axes, left, ticks=5)
    axes.axhspan(axes.get_ylim()[0], 0, facecolor=LIGHT["fail-wash"], hatch="xx", edgecolor=HATCHES["critical"],
                 linewidth=0, zorder=0)  # fmt: skip
    axes.set_xlim(start, right)
    set_time_axis(axes, small=False)
    axes.set_xlabel("time, UTC", loc="left")


def budget_axis(axes: Axes, left: Floats, *, ticks: int) -> None:
    """An axis from what was overspent, if anything was, to all of it."""
    axes.yaxis.set_major_locator(MaxNLocator(nbins=ticks, steps=[1, 2.5, 5, 10]))
    low = min(0.0, float(left.min()))
    axes.set_ylim(low - 0.12 * (1 - low), 1 + 0.06 * (1 - low))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(float(value), Unit.RATIO)))


def thinned(values: Floats, *, most: int) -> Floats:
    """Every so many of the values, the last one among them: as many as can be told apart."""
    return values[:: -max(1, len(values) // most)][::-1]


def burn_rates(axes: Axes, status: Status) -> None:
    """Each pair of windows: the long one as a dot, the short one as a diamond, and the factor beyond which both alert as a bar.

    Where nothing burns stands at the left edge, what burns infinitely at the right one.
    """
    burns = status.burns
    known = [
        rate for b in burns for rate in (b.long, b.short, b.factor) if isinstance(rate, float) and 0 < rate < math.inf
    ]
    high = 10.0 ** (math.floor(math.log10(max(known))) + 1)
    low = max(10.0 ** math.floor(math.log10(min(known))), high * _NARROWEST)
    edges = (low / _EDGE, high * _EDGE)
    axes.set_xscale("log")
    axes.set_xlim(edges)
    for y, burn in enumerate(burns):
        axes.axhline(y, color=LIGHT["line"], linewidth=0.6, zorder=0)
        axes.plot(
            [burn.factor] * 2,
            [y - 0.32, y + 0.32],
            color=LIGHT["fail"],
            linewidth=2.2,
            alpha=1.0 if burn.is_reachable else 0.3,
        )
        for rate, marker, filling in ((burn.long, "o", SERIES_COLOURS[0]), (burn.short, "D", LIGHT["paper"])):
            if isinstance(rate, float):
                axes.plot(np.clip(rate, *edges), y, marker=marker, markersize=6, linestyle="", color=SERIES_COLOURS[0],
                          markerfacecolor=filling, clip_on=False, zorder=3)  # fmt: skip
        axes.text(1.07, y, _burn_words(status, burn), transform=axes.get_yaxis_transform(), va="center", fontsize=SMALL,
                  linespacing=1.25, color=LIGHT["fail" if burn.fires else "ink"],
                  fontweight="bold" if burn.fires else "normal")  # fmt: skip
    axes.set_ylim(len(burns) - 0.4, -0.6)
    axes.set_yticks(range(len(burns)), [f"{duration(b.window.long)} / {duration(b.window.short)}" for b in burns])
    axes.tick_params(axis="y", pad=7)
    decades = [10.0**n for n in range(round(math.log10(low)) + 1, round(math.log10(high)) + 1)]
    every = -(-len(decades) // 4)
    marks = {edges[0]: "0"} | {decade: f"{decade:g}" for decade in decades if round(math.log10(decade)) % every == 0}
    marks |= {edges[1]: "∞"} if any(rate == math.inf for b in burns for rate in (b.long, b.short)) else {}
    axes.set_xticks(list(marks), list(marks.values()))
    axes.minorticks_off()
    axes.grid(visible=False)
    axes.set_xlabel("burn rate: ● long, ◇ short window; ▎ both alert beyond", loc="left", fontsize=SMALL)


def _burn_words(status: Status, burn: Burn) -> str:
    long, short = burn.window.long, burn.window.short
    rates = f"{words.rate(status, burn.long, window=long)} / {words.rate(status, burn.short, window=short)}"
    limit = f"{burn.factor:.4g}"
    if not burn.is_reachable:
        return f"{rates}\n{limit}: unreachable"
    match burn.fires:
        case True:
            return f"{rates}\nfires: beyond {limit}"
        case False:
            return f"{rates}\n{'has stopped;' if words.is_beyond(burn) else 'calm:'} limit {limit}"
        case None:
            return f"{rates}\nlimit {limit}"


def bad_by_hour(tiles: Tiles, *, count: int) -> tuple[list[datetime], Floats]:
    """Bad events of the last `count` tiles by day (down) and hour of the day (across), in UTC; NaN where nothing is known."""
    middles = tiles.ends[-count:] - TILE.total_seconds() / 2
    bad = tiles.bad[-count:]
    hours = (middles // _HOUR_S).astype(int)
    first = hours[0] // 24
    cells = np.full((hours[-1] // 24 - first + 1) * 24, np.nan)
    known = np.isfinite(bad)
    cells[hours[known] - first * 24] = 0
    np.add.at(cells, hours[known] - first * 24, bad[known])
    table = cells.reshape(-1, 24)
    return [datetime.fromtimestamp((first + day) * _DAY_S, UTC) for day in range(len(table))], table


def calendar(axes: Axes, dates: Sequence[datetime], bad: Floats) -> AxesImage:
    """Bad events by day and hour; hours of which nothing is known are hatched."""
    shown = np.ma.masked_invalid(np.where(bad > 0, bad, np.nan))
    extent = (0.0, 24.0, float(len(dates)), 0.0)
    image = axes.imshow(shown, aspect="auto", interpolation="none", extent=extent, cmap=DENSITY, vmin=0)
    for row, unknown in enumerate(np.isnan(bad)):
        edges = np.flatnonzero(np.diff(unknown.astype(int), prepend=0, append=0))
        runs = [(first, after - first) for first, after in zip(edges[::2], edges[1::2], strict=True)]
        axes.broken_barh(runs, (row, 1), facecolor="none", edgecolor=LIGHT["line"], hatch="////", linewidth=0)
    every = -(-len(dates) // 8)
    axes.set_yticks(
        [row + 0.5 for row in range(0, len(dates), every)],
        [f"{day:%a %d %b}" for day in dates[::every]],
        fontsize=SMALL,
    )
    axes.set_xticks(range(0, 25, 3))
    axes.set_yticks(range(1, len(dates)), minor=True)
    axes.tick_params(which="minor", length=0)
    axes.grid(visible=False)
    axes.grid(visible=True, which="minor", axis="y")
    axes.set_xlabel(
        "hour of the day, UTC (hatched: nothing known)" if np.isnan(bad).any() else "hour of the day, UTC", loc="left"
    )
    return image


def spenders(axes: Axes, spent: Spent) -> None:
    """Bad events by value of the split label."""
    at = range(len(spent.bad))
    axes.barh(at, list(spent.bad.values()), height=0.55, color=SERIES_COLOURS[0])
    most = max(spent.bad.values())
    for y, value in zip(at, spent.bad.values(), strict=True):
        inside = value > most * 0.7
        axes.annotate(quantity(round(value), Unit.COUNT) if value >= 1 else f"{value:.2g}", (value, y), xytext=(-3 if inside else 3, 0),
                      textcoords="offset points", va="center", ha="right" if inside else "left", fontsize=SMALL,
                      color=LIGHT["paper" if inside else "ink"])  # fmt: skip
    axes.set_yticks(at, told_apart(list(spent.bad)), fontsize=SMALL)
    axes.set_ylim(max(len(spent.bad), 3) - 0.4, -0.6)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(float(value), Unit.COUNT)))
    axes.grid(visible=False)
