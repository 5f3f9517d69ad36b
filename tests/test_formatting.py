"""Values are written as people read them, and never as more than they are."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.formatting import Unit, adding_up, duration, instant, plain, points, quantity, shortened
from genesis_lib.model import Cause, Missing
from tests.views import hostile


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        pytest.param(0.9828, Unit.RATIO, "98.28 %", id="a ratio is written in percent"),
        pytest.param(98.28, Unit.PERCENT, "98.28 %", id="a percentage stays one"),
        pytest.param(0.5, Unit.RATIO, "50 %", id="a whole percentage has no decimals"),
        pytest.param(0.07, Unit.RATIO, "7 %", id="floating point leaves no trace"),
        pytest.param(0.99996, Unit.RATIO, "99.996 %", id="almost all is not all"),
        pytest.param(0.9999999999, Unit.RATIO, "99.99999999 %", id="even what is very nearly all is not all"),
        pytest.param(0.000001, Unit.RATIO, "0.0001 %", id="almost none is not none"),
        pytest.param(0.0, Unit.RATIO, "0 %", id="none is none"),
        pytest.param(-0.25, Unit.RATIO, "\N{MINUS SIGN}25 %", id="a negative ratio has a minus, not a hyphen"),
        pytest.param(0.138, Unit.SECONDS, "138 ms", id="under a second is milliseconds"),
        pytest.param(0.00042, Unit.SECONDS, "0.42 ms", id="under a millisecond too"),
        pytest.param(0.9999, Unit.SECONDS, "1 s", id="never 1000 ms"),
        pytest.param(59.99, Unit.SECONDS, "1 min", id="never 60 s"),
        pytest.param(0, Unit.SECONDS, "0 s", id="zero seconds"),
        pytest.param(16_372_408_320, Unit.BYTES, "15.2 GiB", id="bytes step by 1024"),
        pytest.param(512, Unit.BYTES, "512 B", id="few bytes are whole"),
        pytest.param(1044, Unit.COUNT, "1,044", id="thousands are grouped"),
        pytest.param(6.0 / 7, Unit.NUMBER, "0.8571", id="a plain number has four digits"),
        pytest.param(1.0, Unit.BOOLEAN, "yes", id="one is yes"),
        pytest.param(0.0, Unit.BOOLEAN, "no", id="zero is no"),
        pytest.param(0.5, Unit.BOOLEAN, "0.5", id="what is neither yes nor no is shown as it is"),
    ],
)
def test_quantities_are_written_in_their_unit(value: float, unit: Unit, written: str) -> None:
    assert quantity(value, unit).replace("\N{NARROW NO-BREAK SPACE}", " ") == written


@pytest.mark.parametrize("unit", Unit)
@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), float("-inf"), Missing(cause=Cause.NO_DATA, detail="why")]
)
def test_what_is_no_number_is_never_written_as_one(value: float | Missing, unit: Unit) -> None:
    assert quantity(value, unit).startswith("no data: ")


def test_missing_without_a_detail_says_its_cause() -> None:
    assert quantity(Missing(cause=Cause.TIMEOUT, detail=""), Unit.RATIO) == "no data: timeout"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(252, "4 min 12 s"), (10_830, "3 h"), (1_051_200, "12 d 4 h"), (-252, "\N{MINUS SIGN}4 min 12 s")],
)
def test_long_durations_name_their_two_largest_units(seconds: int, written: str) -> None:
    assert duration(timedelta(seconds=seconds)).replace("\N{NARROW NO-BREAK SPACE}", " ") == written


@given(st.floats(min_value=1e-7, max_value=1e10))
def test_a_duration_is_never_written_as_zero_and_never_with_an_exponent(seconds: float) -> None:
    written = duration(seconds)
    assert any(digit in written for digit in "123456789")
    assert "e" not in written


def test_instants_are_written_in_utc() -> None:
    berlin = timezone(timedelta(hours=2))
    assert instant(datetime(2025, 10, 20, 21, 12, 57, tzinfo=berlin)) == "2025-10-20 19:12:57 UTC"


def test_an_instant_without_a_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        instant(datetime(2025, 10, 20, tzinfo=UTC).replace(tzinfo=None))


@pytest.mark.parametrize(
    ("score", "written"),
    [
        (10.0, "10.0"),
        (9.8, "9.8"),
        (4.267, "4.3"),
        (8.96, "8.96"),
        (8.9996, "8.9996"),
        (9.97, "9.97"),
        (9.0 - 1e-15, "9.0"),
    ],
)
def test_a_score_is_not_rounded_onto_a_bar_that_it_misses(score: float, written: str) -> None:
    assert points(score) == written


@given(st.lists(st.floats(min_value=0, max_value=10), max_size=60), st.integers(min_value=0, max_value=4))
def test_written_parts_add_up_to_the_written_whole(values: list[float], decimals: int) -> None:
    parts = [float(part) for part in adding_up(values, decimals=decimals)]
    whole = float(adding_up([sum(values)], decimals=decimals)[0])
    assert sum(parts) == pytest.approx(whole, abs=10**-decimals * 1e-3)


@given(st.text())
def test_plain_text_holds_nothing_invisible(text: str) -> None:
    cleaned = plain(text)
    assert cleaned.isprintable() or " " in cleaned or "\N{NO-BREAK SPACE}" in cleaned
    cleaned.encode()
    assert not set(cleaned) & set("\x00\x1b\n\u202e\u2066\u200f\u200b\ufeff")


def test_characters_that_reorder_text_are_named() -> None:
    assert plain(hostile.BIDI) == "safe⟨U+202E⟩gnp.exe⟨U+2066⟩⟨U+200F⟩"


def test_text_in_other_scripts_stays_as_it_is() -> None:
    assert plain(hostile.OTHER_SCRIPTS) == hostile.OTHER_SCRIPTS


def test_long_text_keeps_both_ends_and_says_what_is_left_out() -> None:
    text = "start" + "x" * 10_000 + "end"
    short = shortened(text)
    assert short.startswith("start")
    assert short.endswith("end")
    assert "9,483 characters left out" in short
    assert len(short) < 650


def test_text_that_fits_is_not_shortened() -> None:
    assert shortened("x" * 600) == "x" * 600
