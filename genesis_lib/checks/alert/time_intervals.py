"""Tell whether an Alertmanager time interval is active at an instant. Pure."""

import calendar
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["Span", "TimeInterval", "is_active", "read"]

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")  # as Alertmanager counts them
_MONTHS = tuple(name.lower() for name in calendar.month_name)
Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeInterval:
    """One entry of a named interval; a span has both ends in it, an empty tuple is no condition.

    `times` are minutes of the day without their end; `days_of_month` below zero count from the month's end.
    """

    times: tuple[Span, ...]
    weekdays: tuple[Span, ...]
    days_of_month: tuple[Span, ...]
    months: tuple[Span, ...]
    years: tuple[Span, ...]
    location: tzinfo


def read(entry: Mapping[str, object]) -> TimeInterval:
    """An entry as a configuration writes it, all its scalars texts.

    Raises:
        ValueError: it has a part that is unknown or malformed.

    """
    unknown = set(entry) - {"times", "weekdays", "days_of_month", "months", "years", "location"}
    if unknown:
        raise ValueError(f"a time interval has no {', '.join(sorted(unknown))}")
    return TimeInterval(
        times=tuple((_minute(time, "start_time"), _minute(time, "end_time")) for time in _listed(entry, "times")),
        weekdays=_spans(entry, "weekdays", _DAYS.index),
        days_of_month=_spans(entry, "days_of_month", int),
        months=_spans(entry, "months", lambda text: int(text) if text.isdigit() else _MONTHS.index(text)),
        years=_spans(entry, "years", int),
        location=_zone(str(entry.get("location") or "UTC")),
    )


def is_active(intervals: Sequence[TimeInterval], *, at: datetime) -> bool:
    """Whether any of the entries of a named interval holds `at`."""
    return any(_holds(interval, at.astimezone(interval.location)) for interval in intervals)


def _holds(interval: TimeInterval, local: datetime) -> bool:
    month_days = calendar.monthrange(local.year, local.month)[1]

    def from_start(day: int) -> int:
        return day + month_days + 1 if day < 0 else day

    minute = local.hour * 60 + local.minute
    days = tuple((from_start(first), from_start(last)) for first, last in interval.days_of_month)
    return (
        (not interval.times or any(start <= minute < end for start, end in interval.times))
        and _is_in(days, local.day)
        and _is_in(interval.weekdays, local.isoweekday() % 7)
        and _is_in(interval.months, local.month)
        and _is_in(interval.years, local.year)
    )


def _is_in(spans: Sequence[Span], number: int) -> bool:
    return not spans or any(first <= number <= last for first, last in spans)


def _spans(entry: Mapping[str, object], key: str, number: Callable[[str], int]) -> tuple[Span, ...]:
    """`monday:friday`, `1:5`, `-3:-1`, `may`: one number or a first and a last."""
    found = []
    for text in _listed(entry, key):
        first, _, last = str(text).lower().partition(":")
        try:
            found.append((number(first.strip()), number((last or first).strip())))
        except ValueError as error:
            raise ValueError(f"{key}: {text!r} is none: {error}") from error
    return tuple(found)


def _minute(time: object, key: str) -> int:
    """The minute of the day; an end may be 24:00."""
    try:
        hour, minute = str(time[key]).split(":")  # type: ignore[index]  # whatever it is: the error says so
        return int(hour) * 60 + int(minute)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"times: {time!r} has no {key} such as 09:00") from error


def _listed(entry: Mapping[str, object], key: str) -> list[object]:
    value = entry.get(key) or []
    if not isinstance(value, list):
        raise ValueError(f"{key} is not a list: {value!r}")  # noqa: TRY004 - one error for all
    return value


def _zone(name: str) -> tzinfo:
    """`Local` is the zone of Alertmanager's host, which it tells nobody."""
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"location: the time zone {name!r} is not known here") from error
