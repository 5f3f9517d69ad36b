"""Draw results as matplotlib figures that say their units, their thresholds and, where they are empty, why."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from genesis_lib.formatting import Unit, plain, points, quantity, shortened
from genesis_lib.readiness.score import FULL, Scorecard
from genesis_lib.views.panel import Panel
from genesis_lib.views.theme import LIGHT, SERIES_COLOURS, figure_style

__all__ = ["WIDTH_IN", "Picture", "label", "panels", "say", "scores", "set_time_axis", "time_series", "wrapped"]

WIDTH_IN = 7.6  # the text width of both outputs
_MOST_SERIES = 6  # as many as there are colours that a colour-blind reader tells apart
_LONGEST_LABEL = 56
_LONGEST_REASON = 200
_GRID_COLUMNS = 3


class Picture(Figure):
    """A figure that notebooks display by itself: SVG for screens, PNG for paper, and text for those who do not see it.

    It belongs to no pyplot state, so that nothing is shown twice. `alt` is the text.
    """

    def __init__(self, *, alt: str, size_in: tuple[float, float]) -> None:
        super().__init__(figsize=size_in, layout="constrained")
        self.alt = plain(alt)

    def svg(self) -> str:
        """The figure as SVG, whose inks and washes are CSS variables: a page that is dark may say so."""
        picture = self._drawn("svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))).decode()
        picture = picture[picture.index("<svg") :]
        picture = re.sub(r"font: ([^;\"']*?)'DejaVu Sans'[^;\"]*", r"font: \1system-ui, sans-serif", picture)
        for name, colour in LIGHT.items():
            picture = picture.replace(f": {colour}", f": var(--g-{name}, {colour})")
        return picture

    def png(self) -> bytes:
        """The figure as PNG, at 200 dots per inch."""
        return self._drawn("png", dpi=200, metadata={"Software": None})

    def _drawn(self, kind: str, **options: Any) -> bytes:
        buffer = BytesIO()
        with figure_style(), mpl.rc_context({"svg.hashsalt": self.alt}):
            self.savefig(buffer, format=kind, **options)
        self.set_layout_engine(
            "none"
        )  # laid out by the first drawing; the next one, of another kind, need not do it again
        return buffer.getvalue()

    def _repr_mimebundle_(
        self, include: Sequence[str] | None = None, **_kinds: object
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        width, height = (round(inches * 100) for inches in self.get_size_inches())
        size = {"alt": self.alt, "width": width, "height": height}
        kinds: dict[str, Callable[[], str | bytes]] = {"image/svg+xml": self.svg, "image/png": self.png}
        wanted = [kind for kind in kinds if include is None or kind in include]
        data = {kind: kinds[kind]() for kind in wanted} | {"text/plain": self.alt}
        return data, dict.fromkeys(wanted, size)


def scores(card: Scorecard, *, bar: float) -> Picture:
    """The score of each section as a bar of 10, and the bar for GO."""
    rows = [(section.title, section.score) for section in card.sections] + [("Overall", card.overall)]
    alt = (
        "Scores of 10: "
        + ", ".join(f"{title} {points(score)}" for title, score in rows)
        + f". The bar for GO is {bar:g}."
    )
    with figure_style():
        picture = Picture(alt=alt, size_in=(WIDTH_IN, 0.75 + 0.38 * len(rows)))
        axes = picture.add_subplot()
        at = range(len(rows), 0, -1)
        axes.barh(at, [FULL] * len(rows), height=0.5, color=LIGHT["line"])
        colours = [SERIES_COLOURS[0]] * len(card.sections) + [LIGHT["ink"]]
        axes.barh(at, [score for _, score in rows], height=0.5, color=colours)
        for y, (_, score) in zip(at, rows, strict=True):
            axes.text(FULL + 0.15, y, points(score), va="center", fontweight="bold")
        axes.axvline(bar, color=LIGHT["ink"], linewidth=1, linestyle=(0, (3, 2)))
        axes.annotate(f"bar for GO {bar:g}", (bar, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
                      textcoords="offset points", ha="center", va="bottom", fontsize=8, color=LIGHT["muted"])  # fmt: skip
        axes.set_yticks(at, [label(title) for title, _ in rows], color=LIGHT["ink"], fontsize=9)
        axes.set_xlim(0, FULL + 0.9)
        axes.set_xticks(range(0, 11, 2))
        axes.set_xlabel("score of 10")
        axes.grid(visible=False)
        axes.tick_params(left=False)
    return picture


def time_series(
    frame: pd.DataFrame,
    *,
    title: str,
    unit: Unit,
    thresholds: Sequence[tuple[str, float]] = (),
    empty_because: str = "",
) -> Picture:
    """Series over time, with thresholds named where they lie.

    Args:
        frame: index of instants (with a time zone), one column per series, NaN where there is a gap.
        title: what is shown.
        unit: of the values; the axis is written in it.
        thresholds: names and values, in the unit of the frame.
        empty_because: why there is nothing to draw, if there is nothing.

    """
    panel = Panel(
        title=title, frame=_checked(frame), unit=unit, thresholds=tuple(thresholds), empty_because=empty_because
    )
    with figure_style():
        legend_rows = min(len(panel.frame.columns), _MOST_SERIES + 1) if len(panel.frame.columns) > 1 else 0
        picture = Picture(alt=_alt(panel), size_in=(WIDTH_IN, 0.9 if panel.frame.empty else 2.6 + 0.17 * legend_rows))
        axes = picture.add_subplot()
        _draw(axes, panel, small=False)
        axes.set_title(label(title), pad=10)
    return picture


def panels(shown: Sequence[Panel], *, title: str = "") -> Picture:
    """A dashboard as small multiples: each with its title, its last value, and its course or why there is none."""
    rows = max(1, -(-len(shown) // _GRID_COLUMNS))
    with figure_style():
        alt = f"{label(title) or 'Dashboard'}, {len(shown)} panels. " + " ".join(_alt(panel) for panel in shown)
        picture = Picture(alt=alt, size_in=(WIDTH_IN, 1.45 * rows + (0.4 if title else 0)))
        if title:
            picture.suptitle(label(title), x=0.01, ha="left", fontsize=10, fontweight="bold")
        grid = picture.subplots(rows, _GRID_COLUMNS, squeeze=False)
        for axes in grid.flat[len(shown) :]:
            axes.set_axis_off()
        for axes, panel in zip(grid.flat, shown, strict=False):
            _draw(axes, panel, small=True)
            axes.set_title(label(panel.title, 34), fontsize=8, pad=17)
            last = axes.text(0, 1.04, label(_last(panel), 34), transform=axes.transAxes, fontsize=8.5, va="bottom")
            last.set_in_layout(False)
    return picture


def _draw(axes: Axes, panel: Panel, *, small: bool) -> None:
    """Lines, thresholds and axes; or, in words, why there are none."""
    frame = _checked(panel.frame)
    if frame.empty:
        axes.set_axis_off()
        say(axes, panel.empty_because or "no samples in this window", small=small)
        return
    lines: list[Line2D] = []
    for number, (name, series) in enumerate(frame.items()):
        extra = number >= _MOST_SERIES
        colour = LIGHT["line"] if extra else SERIES_COLOURS[number]
        lone = series.notna() & series.shift().isna() & series.shift(-1).isna()
        at = pd.DatetimeIndex(series.index).to_pydatetime()
        lines += axes.plot(at, series.to_numpy(), color=colour, zorder=1 if extra else 2, label=label(str(name)))
        # A sample between two gaps is no line; without a mark it would be invisible.
        axes.plot(at[lone], series[lone].to_numpy(), color=colour, linestyle="", marker="o", markersize=3)
    _set_axes(axes, frame, panel, small=small)
    _draw_thresholds(axes, panel.thresholds, panel.unit, small=small)
    if not small and len(frame.columns) > 1:
        more = len(lines) - _MOST_SERIES
        figure = axes.get_figure(root=True)
        assert figure is not None  # noqa: S101 - these axes were made in one
        figure.legend(handles=lines[:_MOST_SERIES], title=f"and {more} more, grey" if more > 0 else None, title_fontsize=8,
                      fontsize=8, frameon=False, loc="outside lower left", alignment="left")  # fmt: skip


def _draw_thresholds(axes: Axes, thresholds: Sequence[tuple[str, float]], unit: Unit, *, small: bool) -> None:
    """Lines with their names above them; or below, where the next line is too close."""
    low, high = axes.get_ylim()
    close = (high - low) * (0.18 if small else 0.09)
    ordered = sorted(thresholds, key=lambda threshold: threshold[1])
    above = [value for _, value in ordered[1:]] + [np.inf]
    for (name, value), next_one in zip(ordered, above, strict=False):
        axes.axhline(value, color=LIGHT["muted"], linewidth=0.9, linestyle=(0, (4, 2)), zorder=3)
        text = f"{label(name, 16 if small else _LONGEST_LABEL)} {quantity(value, unit)}"
        below = next_one - value < close
        named = axes.annotate(text, (1, value), xycoords=("axes fraction", "data"), xytext=(-2, -3 if below else 2),
                              textcoords="offset points", ha="right", va="top" if below else "bottom",
                              fontsize=6 if small else 8, color=LIGHT["muted"])  # fmt: skip
        named.set_in_layout(False)


def _set_axes(axes: Axes, frame: pd.DataFrame, panel: Panel, *, small: bool) -> None:
    values = [v for v in frame.to_numpy().ravel() if np.isfinite(v)] + [value for _, value in panel.thresholds]
    low, high = min(values), max(values)
    room = (high - low or abs(high) or 1.0) * 0.12
    # An axis never starts below zero for what cannot be below zero.
    axes.set_ylim(max(0.0, low - room) if low >= 0 else low - room, high + room)
    start, end = frame.index[0], frame.index[-1]
    margin = pd.Timedelta(minutes=5) if start == end else pd.Timedelta(0)
    axes.set_xlim((start - margin).to_pydatetime(), (end + margin).to_pydatetime())
    set_time_axis(axes, small=small)
    if panel.unit is Unit.BOOLEAN and {*values} <= {0.0, 1.0}:
        axes.set_ylim(-0.15, 1.15)
        axes.yaxis.set_major_locator(FixedLocator([0, 1]))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(nbins=2 if small else 5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: quantity(float(value), panel.unit)))
    if small:
        axes.tick_params(labelsize=6.5)
    else:
        axes.set_xlabel("time, UTC", loc="left")


def set_time_axis(axes: Axes, *, small: bool) -> None:
    """Ticks and their labels in UTC."""
    locator = AutoDateLocator(tz=UTC, minticks=2 if small else 3, maxticks=4 if small else 8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC, show_offset=not small))  # type: ignore[no-untyped-call]


def say(axes: Axes, words: str, *, small: bool, width: int = 0, lines: int = 0) -> None:
    """Why there is nothing to draw, in the place of the drawing; in so many lines of so many characters, where the place is unusual."""
    said = axes.text(0, 0.95, wrapped(words, width or (38 if small else 90), lines or (5 if small else 3)), transform=axes.transAxes,
                     va="top", fontsize=7 if small else 9, color=LIGHT["muted"], linespacing=1.4)  # fmt: skip
    said.set_in_layout(False)  # the figure's size is not for words to change


def _last(panel: Panel) -> str:
    """The last value of each series in words."""
    frame = _checked(panel.frame)
    if frame.empty:
        return "no data"
    last = [float(series.dropna().iloc[-1]) for _, series in frame.items()]
    bounds = dict.fromkeys(quantity(value, panel.unit) for value in (min(last), max(last)))
    return " to ".join(bounds) + (f", {len(last)} series" if len(last) > 1 else "")


def _alt(panel: Panel) -> str:
    """The panel in a sentence, for those who do not see it."""
    title = label(panel.title)
    if _checked(panel.frame).empty:
        reason = shortened(panel.empty_because, _LONGEST_REASON) or "there are no samples in this window"
        return f"{title}: empty, because {reason}."
    limits = "".join(f"; {label(name)} {quantity(value, panel.unit)}" for name, value in panel.thresholds)
    return f"{title}: last value {_last(panel)}{limits}."


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame in UTC, without series that hold nothing. Infinities are gaps."""
    finite = frame.replace([np.inf, -np.inf], np.nan).dropna(axis=1, how="all")
    if finite.empty:
        return pd.DataFrame()
    if not isinstance(finite.index, pd.DatetimeIndex) or finite.index.tz is None:
        raise ValueError("a time series needs an index of instants that names its time zone")
    return finite.set_axis(finite.index.tz_convert(UTC), axis=0).astype(float)


@cache
def _drawable() -> frozenset[int]:
    """The characters that figures can draw: those of the font that comes with matplotlib."""
    return frozenset(FT2Font(Path(mpl.get_data_path(), "fonts/ttf/DejaVuSans.ttf")).get_charmap())


def label(untrusted: str, longest: int = _LONGEST_LABEL) -> str:
    """One short line that the font can draw."""
    line = plain(untrusted)
    line = line if len(line) <= longest else f"{line[: longest - 1]}…"
    return "".join(char if ord(char) in _drawable() else "\N{REPLACEMENT CHARACTER}" for char in line)


def wrapped(untrusted: str, width: int, most_lines: int) -> str:
    """Prose in lines of about this width."""

    def pieces() -> Iterator[str]:
        for word in shortened(plain(untrusted), width * most_lines * 2).split(" "):
            yield from (word[i : i + width] for i in range(0, len(word), width))

    lines = [""]
    for word in pieces():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > most_lines:
        lines = [*lines[: most_lines - 1], f"{lines[most_lines - 1][: width - 1]}…"]
    return "\n".join(label(line, width) for line in lines)
