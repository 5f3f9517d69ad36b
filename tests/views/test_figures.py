"""Figures name their units, their thresholds, and why they are empty."""

import re
from io import BytesIO

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from genesis_lib.formatting import Unit
from genesis_lib.views.figures import Picture, panels, scores, time_series
from genesis_lib.views.panel import Panel
from tests.views import hostile
from tests.views.judgements import day0

_INDEX = pd.date_range("2025-10-20T13:00Z", periods=60, freq="5min")


def _frame(*levels: float) -> pd.DataFrame:
    return pd.DataFrame(
        {f"series {n}": np.linspace(level, level * 1.2, 60) for n, level in enumerate(levels)}, index=_INDEX
    )


def _panel(title: str, frame: pd.DataFrame, unit: Unit = Unit.NUMBER, **other: str) -> Panel:
    return Panel(title=title, frame=frame, unit=unit, thresholds=(), empty_because=other.get("empty_because", ""))


def _words(picture: Picture) -> str:
    """All text that is drawn."""
    return " | ".join(re.findall(r">([^<>]+)</(?:text|tspan)>", picture.svg())).replace(
        "\N{NARROW NO-BREAK SPACE}", " "
    )


def test_scores_show_each_section_and_the_bar() -> None:
    picture = scores(day0().card, bar=9)
    words = _words(picture)
    for said in ("Monitoring infrastructure", "Dashboards", "SLOs", "Overall", "2.0", "bar for GO 9", "score of 10"):
        assert said in words
    assert "Overall 2.0" in picture.alt


def test_a_series_shows_its_unit_its_thresholds_and_utc() -> None:
    picture = time_series(_frame(0.1), title="P95 latency", unit=Unit.SECONDS, thresholds=[("critical", 0.2)])
    words = _words(picture)
    for said in ("P95 latency", "critical 200 ms", "time, UTC", "ms"):
        assert said in words
    assert "last value 120 ms; critical 200 ms" in picture.alt.replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_time_is_drawn_in_utc_whatever_zone_the_index_is_in() -> None:
    there = time_series(_frame(1).tz_convert("Asia/Tokyo"), title="x", unit=Unit.COUNT)
    here = time_series(_frame(1), title="x", unit=Unit.COUNT)
    assert there.svg() == here.svg()


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(pd.DataFrame(), id="nothing"),
        pytest.param(_frame(1) * np.nan, id="only gaps"),
        pytest.param(_frame(1) * np.inf, id="only infinities"),
    ],
)
def test_an_empty_figure_says_why_it_is_empty(frame: pd.DataFrame) -> None:
    picture = time_series(frame, title="Error rate", unit=Unit.RATIO, empty_because="genesis-orchestration is down")
    assert "genesis-orchestration is down" in _words(picture)
    assert "empty, because genesis-orchestration is down" in picture.alt


def test_even_an_unexplained_empty_figure_is_no_blank() -> None:
    assert "no samples in this window" in _words(time_series(pd.DataFrame(), title="x", unit=Unit.COUNT))


def test_a_sample_between_two_gaps_is_visible() -> None:
    values = np.full(60, np.nan)
    values[30] = 1.0
    lone = pd.DataFrame({"a": values}, index=_INDEX)
    picture = time_series(lone, title="x", unit=Unit.COUNT)
    assert [len(line.get_xdata()) for line in picture.axes[0].get_lines() if line.get_marker() == "o"] == [1]  # type: ignore[arg-type]


def test_times_without_a_zone_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="time zone"):
        time_series(_frame(1).tz_localize(None), title="x", unit=Unit.COUNT)


def test_more_series_than_can_be_told_apart_are_counted() -> None:
    picture = time_series(_frame(*range(1, 10)), title="x", unit=Unit.COUNT)
    words = _words(picture)
    assert "series 5" in words
    assert "series 6" not in words
    assert "and 3 more, grey" in words


def test_panels_show_each_title_with_its_last_value_or_the_reason() -> None:
    shown = [
        _panel("Memory", _frame(1e9), Unit.BYTES),
        _panel("Flaky tests", pd.DataFrame(), empty_because="genesis-tests is down"),
        *(_panel(f"Panel {n}", _frame(n + 1, n + 2)) for n in range(11)),
    ]
    picture = panels(shown, title="Dashboard")
    words = _words(picture)
    for said in ("Memory", "1.1 GiB", "Flaky tests", "no data", "genesis-tests is down", "Panel 10", "2 series"):
        assert said in words
    assert "Dashboard, 13 panels." in picture.alt


def test_series_that_agree_say_their_value_once() -> None:
    assert "100 %, 3 series" in _words(panels([_panel("Up", _frame(1, 1, 1) * 0 + 1, Unit.RATIO)]))


def test_thresholds_that_lie_close_together_are_named_on_both_sides() -> None:
    picture = time_series(_frame(0.1), title="x", unit=Unit.RATIO, thresholds=[("b", 0.9), ("a", 0.88), ("c", 0.3)])
    sides = {text.get_text()[0]: text.get_verticalalignment() for text in picture.axes[0].texts}
    assert sides == {"a": "top", "b": "bottom", "c": "bottom"}


def test_no_panels_make_an_empty_figure_and_no_crash() -> None:
    assert panels([], title="Dashboard").png()


@pytest.mark.parametrize("text", hostile.ALL)
def test_hostile_text_is_drawn_as_text(text: str) -> None:
    renamed = _frame(1, 2).set_axis([text, "other"], axis=1)
    threshold = ((text, 1.5),)
    pictures = [
        time_series(renamed, title=text, unit=Unit.COUNT, thresholds=threshold),
        time_series(pd.DataFrame(), title=text, unit=Unit.COUNT, empty_because=text),
        panels(
            [Panel(title=text, frame=renamed, unit=Unit.COUNT, thresholds=threshold, empty_because=text)] * 2,
            title=text,
        ),
    ]
    for picture in pictures:
        svg = picture.svg()
        assert "<script" not in svg
        assert "\u202e" not in svg
        assert len(_words(picture)) < 1500
        assert len(picture.alt) < 1000
        assert picture.png()


def test_a_series_whose_name_begins_with_an_underscore_is_named_too() -> None:
    renamed = _frame(1, 2).set_axis(["__name__", "_b"], axis=1)
    assert "__name__" in _words(time_series(renamed, title="x", unit=Unit.COUNT))


def test_dollars_are_dollars() -> None:
    assert r"$\frac{1}{0}$ costs $5" in _words(time_series(_frame(1), title=hostile.MATHS, unit=Unit.COUNT))


def test_a_notebook_gets_svg_png_and_the_text_for_those_who_do_not_see_it() -> None:
    picture = time_series(_frame(1), title="x", unit=Unit.COUNT)
    data, metadata = picture._repr_mimebundle_()
    image = Image.open(BytesIO(data["image/png"]))
    assert isinstance(picture, Figure)
    assert data["image/svg+xml"].startswith("<svg")
    assert data["text/plain"] == metadata["image/png"]["alt"] == metadata["image/svg+xml"]["alt"] == picture.alt
    assert (image.width, image.height) == (metadata["image/png"]["width"] * 2, metadata["image/png"]["height"] * 2)


def test_the_same_figure_is_the_same_bytes() -> None:
    one, two = (time_series(_frame(1), title="x", unit=Unit.COUNT) for _ in range(2))
    assert one.svg() == two.svg()
    assert one.png() == two.png()


def test_a_readers_own_style_changes_nothing() -> None:
    plain = time_series(_frame(1), title="x", unit=Unit.COUNT).svg()
    with mpl.rc_context({"axes.facecolor": "red", "font.size": 30}):
        assert time_series(_frame(1), title="x", unit=Unit.COUNT).svg() == plain


def test_inks_can_be_turned_for_dark_paper() -> None:
    svg = time_series(_frame(1), title="x", unit=Unit.COUNT).svg()
    assert "var(--g-ink, #1b2026)" in svg
    assert "var(--g-paper, #ffffff)" in svg
    assert ": #1b2026" not in svg
