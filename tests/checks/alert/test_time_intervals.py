"""Time intervals: active as Alertmanager's documentation defines."""

from datetime import UTC, datetime
from typing import Any

import pytest

from genesis_lib.checks.alert import time_intervals

HOURS = {"start_time": "09:00", "end_time": "17:00"}


@pytest.mark.parametrize(
    ("entry", "at", "expected"),
    [
        pytest.param({}, "2026-11-24 06:00", True, id="no condition is always"),
        ({"times": [HOURS]}, "2026-11-24 09:00", True),
        pytest.param({"times": [HOURS]}, "2026-11-24 17:00", False, id="the end of a time is not in it"),
        ({"times": [HOURS, {"start_time": "23:00", "end_time": "24:00"}]}, "2026-11-24 23:59", True),
        ({"weekdays": ["monday:friday"]}, "2026-11-27 12:00", True),  # a Friday
        ({"weekdays": ["monday:friday"]}, "2026-11-28 12:00", False),
        ({"weekdays": ["Saturday", "sunday"]}, "2026-11-29 12:00", True),
        pytest.param({"weekdays": ["sunday:monday"]}, "2026-11-29 12:00", True, id="a week begins on Sunday"),
        ({"days_of_month": ["1:5", "-3:-1"]}, "2026-11-28 12:00", True),
        ({"days_of_month": ["1:5", "-3:-1"]}, "2026-11-27 12:00", False),
        pytest.param({"days_of_month": ["29:31"]}, "2026-02-28 12:00", False, id="a day that the month does not have"),
        pytest.param({"days_of_month": ["25:31"]}, "2026-02-28 12:00", True, id="a span is cut to the month"),
        pytest.param({"days_of_month": ["-31:3"]}, "2026-02-01 12:00", True, id="from before the month began"),
        ({"months": ["october:12"]}, "2026-11-24 12:00", True),
        ({"months": ["may"]}, "2026-11-24 12:00", False),
        ({"years": ["2020:2025", "2027"]}, "2026-11-24 12:00", False),
        ({"years": ["2026"], "months": ["november"], "times": [HOURS]}, "2026-11-24 08:59", False),
        pytest.param({"times": [HOURS], "location": "Europe/Berlin"}, "2026-11-24 08:00", True, id="another zone"),
        pytest.param({"weekdays": ["friday"], "location": "Asia/Tokyo"}, "2026-11-26 16:00", True, id="another day"),
    ],
)
def test_an_interval_is_active(entry: dict[str, Any], at: str, *, expected: bool) -> None:
    instant = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert time_intervals.is_active([time_intervals.read(entry)], at=instant) is expected


def test_any_of_the_entries_of_a_name_is_enough_and_none_is_never() -> None:
    at = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    never, always = time_intervals.read({"years": ["1999"]}), time_intervals.read({})
    assert time_intervals.is_active([never, always], at=at)
    assert not time_intervals.is_active([never], at=at)
    assert not time_intervals.is_active([], at=at)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"weekday": ["monday"]}, "a time interval has no weekday"),
        ({"weekdays": ["mon"]}, "weekdays: 'mon' is none"),
        ({"weekdays": "monday"}, "weekdays is not a list"),
        ({"times": [{"start_time": "9"}]}, "has no start_time such as 09:00"),
        ({"days_of_month": ["first"]}, "days_of_month: 'first' is none"),
        ({"location": "Local"}, "the time zone 'Local' is not known here"),
        ({"location": "../etc/passwd"}, "is not known here"),
    ],
)
def test_what_is_wrong_in_an_interval_is_said(entry: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        time_intervals.read(entry)
