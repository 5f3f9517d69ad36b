"""Write values as people read them: units, instants, absence, and untrusted text made harmless to the eye. No markup."""

import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from genesis_lib.model import Missing

__all__ = [
    "LONGEST_TEXT",
    "Quantity",
    "Unit",
    "adding_up",
    "duration",
    "instant",
    "no_data",
    "plain",
    "points",
    "quantity",
    "shortened",
]

LONGEST_TEXT = 600  # characters; the full text stays in evidence
_MINUS = "\N{MINUS SIGN}"
_NOISE = 1e-9  # what floating-point arithmetic leaves behind
_THIN = "\N{NARROW NO-BREAK SPACE}"
_SHOWN_IN_MS, _SHOWN_IN_S = 0.9995, 59.95  # under these, rounding does not reach 1000 ms or 60 s
_HOUR_S, _DAY_S = 3600, 86400
_MOST_PLACES = 8
_FOUR_DIGITS = 10_000
_MOST_EXACT = 2**53  # whole numbers under this are exact in a float
_BYTE_STEP = 1024
_BYTE_STEPS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
# Categories that are invisible or that reorder their neighbours: controls, formats (bidi marks, zero-width), surrogates, private use,
# unassigned, line and paragraph separators.
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


class Unit(StrEnum):
    """How a number is meant. Ratios are stored as ratios and durations in seconds; `percent` is a number that already is a percentage."""

    RATIO = "ratio"
    PERCENT = "percent"
    SECONDS = "seconds"
    BYTES = "bytes"
    COUNT = "count"
    NUMBER = "number"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number with its unit, for tables whose rows differ in unit."""

    value: float | Missing
    unit: Unit


def quantity(value: float | Missing, unit: Unit) -> str:
    """A number in its unit: `98.28 %`, `138 ms`, `15.2 GiB`, `1,044`, `yes`. Never a number where there is none.

    A value never looks as if it had reached what it has not: 0.99996 is `99.996 %`, 0.000001 is not `0 %`.
    """
    if isinstance(value, Missing):
        return no_data(value)
    if not math.isfinite(value):
        return f"no data: {value} is not a number"
    match unit:
        case Unit.RATIO:
            return _percent(value * 100)
        case Unit.PERCENT:
            return _percent(value)
        case Unit.SECONDS:
            return duration(value)
        case Unit.BYTES:
            return _bytes(value)
        case Unit.BOOLEAN:
            return {0.0: "no", 1.0: "yes"}.get(float(value), _number(value))
        case Unit.COUNT | Unit.NUMBER:
            return _number(value)


def duration(value: float | timedelta) -> str:
    """Seconds as `0.42 ms`, `138 ms`, `12.4 s`, `4 min 12 s`, `3 h 05 min` or `12 d 4 h`."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    sign, seconds = (_MINUS if seconds < 0 else ""), abs(seconds)
    if seconds == 0:
        return f"0{_THIN}s"
    if seconds < _SHOWN_IN_MS:
        return f"{sign}{_digits(seconds * 1000)}{_THIN}ms"
    if seconds < _SHOWN_IN_S:
        return f"{sign}{_digits(seconds)}{_THIN}s"
    whole = round(seconds)
    if whole < _HOUR_S:
        parts = (f"{whole // 60}{_THIN}min", whole % 60, "02d", "s")
    elif whole < _DAY_S:
        parts = (f"{whole // _HOUR_S}{_THIN}h", whole % _HOUR_S // 60, "02d", "min")
    else:
        parts = (f"{whole // _DAY_S}{_THIN}d", whole % _DAY_S // _HOUR_S, "d", "h")
    large, rest, width, small = parts
    return f"{sign}{large}" + (f" {rest:{width}}{_THIN}{small}" if rest else "")


def instant(at: datetime) -> str:
    """An instant in UTC, to the second: `2025-10-20 19:12:57 UTC`. A time without a zone is a mistake and raises ValueError."""
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} names no time zone")
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def no_data(missing: Missing) -> str:
    """A missing value in words."""
    return f"no data: {missing.detail or missing.cause}"


def points(score: float) -> str:
    """A score of 0-10 to one place, and to more where rounding would lift it onto a whole or half number that it has not reached.

    Bars are such numbers: 8.96 under a bar of 9 is `8.96`, never `9.0`.
    """
    decimals = 1
    while (
        decimals < _MOST_PLACES
        and round(score, decimals) > score + _NOISE
        and (round(score, decimals) * 2).is_integer()
    ):
        decimals += 1
    return f"{score:.{decimals}f}"


def adding_up(values: Iterable[float], *, decimals: int) -> list[str]:
    """Values rounded such that the written ones add up to the written total of all."""
    written, exact, shown = [], 0.0, 0.0
    for value in values:
        exact += value
        written.append(f"{round(exact, decimals) - shown:.{decimals}f}")
        shown = round(exact, decimals)
    return written


def plain(text: str, *, keep_lines: bool = False) -> str:
    """Text from outside with every invisible or text-reordering character made visible, as `⟨U+202E⟩`.

    Args:
        text: untrusted.
        keep_lines: leave line ends and tabs as they are; else they become spaces.

    """
    text = text.replace("\r\n", "\n")
    spaces = str.maketrans({} if keep_lines else {"\n": " ", "\t": " "})
    return "".join(
        f"\N{MATHEMATICAL LEFT ANGLE BRACKET}U+{ord(char):04X}\N{MATHEMATICAL RIGHT ANGLE BRACKET}"
        if unicodedata.category(char) in _UNSEEN and char not in "\n\t"
        else char
        for char in text.translate(spaces)
    )


def shortened(text: str, longest: int = LONGEST_TEXT) -> str:
    """Text cut in its middle to about this many characters, saying how many are left out."""
    if len(text) <= longest:
        return text
    head, tail = longest * 3 // 4, longest // 8
    left_out = len(text) - head - tail
    return f"{text[:head]}… [{left_out:,} characters left out] …{text[-tail:]}"


def _percent(value: float) -> str:
    if abs(value - round(value)) < _NOISE:
        return f"{round(value):,}{_THIN}%".replace("-", _MINUS)
    # Three digits that tell something, two places at least; more where fewer would round onto 0 or 100, which mean "none" and "all".
    decimals = max(2, 2 - math.floor(math.log10(abs(value))))
    while decimals < _MOST_PLACES and round(value, decimals) in (0, 100):
        decimals += 1
    whole, _, places = f"{value:,.{min(decimals, _MOST_PLACES)}f}".partition(".")
    text = f"{whole}.{places[:2]}{places[2:].rstrip('0')}"
    return f"{text.replace('-', _MINUS)}{_THIN}%"


def _bytes(value: float) -> str:
    size, step = abs(value), 0
    while size >= _BYTE_STEP and step < len(_BYTE_STEPS) - 1:
        size, step = size / _BYTE_STEP, step + 1
    text = f"{size:.0f}" if step == 0 else f"{size:.1f}"
    return f"{_MINUS if value < 0 else ''}{text}{_THIN}{_BYTE_STEPS[step]}"


def _number(value: float) -> str:
    is_whole = float(value).is_integer() or abs(value) >= _FOUR_DIGITS  # places would tell nothing
    text = f"{value:,.0f}" if is_whole and abs(value) < _MOST_EXACT else f"{value:,.4g}"
    return text.replace("-", _MINUS)


def _digits(value: float) -> str:
    """Three significant digits without an exponent and without trailing zeros."""
    decimals = max(0, 2 - math.floor(math.log10(value)))
    text = f"{value:.{min(decimals, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
