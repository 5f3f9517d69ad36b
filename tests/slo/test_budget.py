"""Budgets: spent and left add up in every unit, and a forecast says when nothing will be left."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.model import Cause, Missing
from genesis_lib.slo.budget import Budget, budget, burn_down, forecast
from genesis_lib.slo.facts import ObjectiveFacts
from genesis_lib.slo.indicators import TILE
from genesis_lib.slo.period import Period, of_period
from genesis_lib.slo.recorded import Counts
from tests.builders import AT
from tests.slo.history import made
from tests.slo.invented import COUNT, PERIOD, facts, lately

ONE_PERCENT = made()
NO_BUDGET = made(target=0.0, warning=0.0, critical=0.0)
LOST = Missing(cause=Cause.NO_DATA, detail="there are no series of bad events")
SHARES = st.floats(min_value=0, max_value=1)


def period(bad: float | Missing, total: float | Missing) -> Period:
    counts = Counts(bad=bad, total=total)
    return Period(counts=counts, attained=LOST, coverage=1.0, life=PERIOD, is_young=False, trend=LOST)


def spent_at(found: ObjectiveFacts) -> datetime | None:
    told = forecast(found, of_period(found), at=AT)
    assert not isinstance(told, Missing)
    return told.spent_at


@pytest.mark.parametrize(
    ("bad", "total", "left"),
    [
        pytest.param(
            250.0, 100_000.0, (0.75, timedelta(minutes=75.6), 750.0, 1000.0), id="a quarter is spent of 1 % of a week"
        ),
        pytest.param(1000.0, 100_000.0, (0.0, timedelta(0), 0.0, 1000.0), id="all is spent"),
        pytest.param(
            1500.0, 100_000.0, (-0.5, timedelta(minutes=-50.4), -500.0, 1000.0), id="more was spent than there was"
        ),
        pytest.param(0.0, 0.0, (1.0, timedelta(minutes=100.8), 0.0, 0.0), id="nothing happened, so nothing was spent"),
    ],
)
def test_what_is_left(bad: float, total: float, left: tuple[float, timedelta, float, float]) -> None:
    share, time, events, allowed = left
    found = budget(ONE_PERCENT, period(bad, total))
    assert found == Budget(left=share, left_time=time, left_events=events, allowed_events=allowed)
    assert found.is_spent is (share <= 0)


def test_of_series_that_began_within_the_period_it_is_that_of_their_life() -> None:
    total = np.full(2 * COUNT, np.nan)
    total[-COUNT // 7 :] = 1800.0  # for the last day of seven
    found = facts(ONE_PERCENT, bad=np.where(np.isfinite(total), 9.0, np.nan), total=total)
    judged = of_period(found)
    left, down = budget(ONE_PERCENT, judged), burn_down(found, judged)
    assert isinstance(left, Budget)
    assert not isinstance(down, Missing)
    assert left.left_time == pytest.approx(timedelta(days=1) * 0.5 * 0.01, abs=timedelta(seconds=5))
    seen = np.isfinite(down.left)
    assert (seen[0], seen.sum()) == (False, -(-COUNT // 7))
    assert down.left[-1] == pytest.approx(left.left)


@given(SHARES, st.floats(min_value=1, max_value=1e9), st.floats(min_value=0.0001, max_value=0.5))
def test_spent_and_left_add_up_in_every_unit(share: float, total: float, ratio: float) -> None:
    objective = made(target=ratio, warning=ratio, critical=ratio)
    found = budget(objective, period(share * total, total))
    assert isinstance(found, Budget)
    assert found.left_events + share * total == pytest.approx(ratio * total)
    assert found.left * found.allowed_events == pytest.approx(found.left_events, abs=1e-9 * total)
    assert found.left_time / PERIOD == pytest.approx(found.left * ratio, abs=1e-9)
    assert found.left + share / ratio == pytest.approx(1)


@pytest.mark.parametrize(
    ("bad", "total"),
    [
        pytest.param(LOST, 1.0, id="bad events"),
        pytest.param(0.0, LOST, id="events"),
        pytest.param(LOST, LOST, id="both"),
    ],
)
def test_what_is_not_known_leaves_no_budget(bad: float | Missing, total: float | Missing) -> None:
    assert budget(ONE_PERCENT, period(bad, total)) == LOST


def test_a_target_of_100_percent_has_no_budget_and_says_what_to_do() -> None:
    found = facts(NO_BUDGET, bad=0, total=1000)
    for told in (
        budget(NO_BUDGET, of_period(found)),
        forecast(found, of_period(found), at=AT),
        burn_down(found, of_period(found)),
    ):
        assert isinstance(told, Missing)
        assert told.cause is Cause.UNDEFINED
        assert "set a lower target" in told.detail


def test_a_forecast_counts_on_from_the_pace_of_the_last_hours() -> None:
    """20,160 of 2,016,000 events may be bad. 30 in each five minutes of six hours are 2,160; another 600 times 30 are just all."""
    assert spent_at(facts(ONE_PERCENT, bad=lately(30, hours=6), total=1000)) == AT + 601 * TILE


@pytest.mark.parametrize(
    ("bad", "spent"),
    [
        pytest.param(lately(0, hours=1), None, id="never, where nothing is bad"),
        pytest.param(lately(10, hours=24 * 14), None, id="never, at just the pace that the budget allows"),
        pytest.param(lately(10.01, hours=24 * 14), AT + TILE, id="at once, where it is spent already"),
        pytest.param(lately(0, hours=24, before=20), AT + TILE, id="at once, though it comes back as the past leaves"),
        pytest.param(lately(9, hours=6, before=9.9), None, id="never, where less comes than leaves"),
    ],
)
def test_a_forecast(bad: "np.ndarray[tuple[int], np.dtype[np.float64]]", spent: datetime | None) -> None:
    assert spent_at(facts(ONE_PERCENT, bad=bad, total=1000)) == spent


@given(
    st.floats(min_value=0, max_value=100), st.floats(min_value=0, max_value=100), st.floats(min_value=0, max_value=12)
)
def test_a_slower_pace_is_never_spent_earlier(one: float, other: float, before: float) -> None:
    slow, fast = (
        spent_at(facts(ONE_PERCENT, bad=lately(pace, hours=6, before=before), total=1000))
        for pace in sorted((one, other))
    )
    assert slow is None or (fast is not None and fast <= slow)


@given(st.lists(st.floats(min_value=0, max_value=50), min_size=14, max_size=14))
def test_a_burn_down_only_falls_and_ends_at_what_is_left(bad_by_day: list[float]) -> None:
    found = facts(ONE_PERCENT, bad=np.repeat(bad_by_day, COUNT // 7), total=1000)
    down, left = burn_down(found, of_period(found)), budget(ONE_PERCENT, of_period(found))
    assert not isinstance(down, Missing)
    assert isinstance(left, Budget)
    assert (np.diff(down.left) <= 0).all()
    assert down.left[-1] == pytest.approx(left.left, abs=1e-9)
    assert down.ends[-1] == AT.timestamp()
    assert down.bad.sum() == pytest.approx(left.allowed_events - left.left_events)
