"""Burn rates: the share of bad events over the budget, infinite without one, and alerts only where both windows burn."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.model import Cause, Missing
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.burn import burn_rate, burns
from genesis_lib.slo.recorded import Counts
from tests.slo.history import made
from tests.slo.invented import facts, lately

ONE_PERCENT = made()
NO_BUDGET = made(target=0.0, warning=0.0, critical=0.0)
TEN_PERCENT = made(target=0.1, warning=0.1, critical=0.2)
LOST = Missing(cause=Cause.NO_DATA, detail="there are no series of bad events")
ONE_HOUR, FIVE_MINUTES = timedelta(hours=1), timedelta(minutes=5)
EVENTS = st.floats(min_value=0, max_value=1e9)


@pytest.mark.parametrize(
    ("objective", "bad", "total", "rate"),
    [
        pytest.param(ONE_PERCENT, 10.0, 1000.0, 1.0, id="just the budget"),
        pytest.param(ONE_PERCENT, 1000.0, 1000.0, 100.0, id="at most 1 / budget"),
        pytest.param(ONE_PERCENT, 0.0, 1000.0, 0.0, id="nothing bad"),
        pytest.param(ONE_PERCENT, 0.0, 0.0, 0.0, id="nothing at all"),
        pytest.param(NO_BUDGET, 0.0, 1000.0, 0.0, id="no budget, and nothing bad"),
        pytest.param(NO_BUDGET, 0.001, 1000.0, math.inf, id="no budget, and the first bad event"),
        pytest.param(ONE_PERCENT, LOST, 1000.0, LOST, id="bad events that are not known"),
        pytest.param(ONE_PERCENT, 1.0, LOST, LOST, id="events that are not known"),
    ],
)
def test_rates(objective: Objective, bad: float | Missing, total: float | Missing, rate: float | Missing) -> None:
    assert burn_rate(objective, Counts(bad=bad, total=total)) == rate


@given(EVENTS, st.floats(min_value=1e-6, max_value=1e9), st.floats(min_value=0.0001, max_value=0.5))
def test_a_burn_rate_is_the_share_of_bad_events_over_the_budget(good: float, bad: float, budget: float) -> None:
    objective = made(target=budget, warning=budget, critical=budget)
    rate = burn_rate(objective, Counts(bad=bad, total=good + bad))
    assert isinstance(rate, float)
    assert rate * budget == pytest.approx(bad / (good + bad), rel=1e-9)
    assert 0 < rate <= 1 / budget * (1 + 1e-9)


@given(EVENTS, EVENTS, st.floats(min_value=1, max_value=1e9))
def test_more_bad_events_never_burn_slower(one: float, other: float, total: float) -> None:
    less, more = (burn_rate(ONE_PERCENT, Counts(bad=bad, total=total)) for bad in sorted((one, other)))
    assert isinstance(less, float)
    assert isinstance(more, float)
    assert less <= more


@pytest.mark.parametrize(
    ("hours", "share", "fires"),
    [
        pytest.param(24 * 7, 0.02, [False, False, True, True], id="a slow burn is for tickets"),
        pytest.param(1, 0.2, [True, False, False, False], id="a fast burn pages within the hour"),
        pytest.param(0.25, 0.9, [True, True, False, False], id="a faster one sooner"),
        pytest.param(6, 0.05, [False, True, False, False], id="a burn of six hours pages"),
    ],
)
def test_an_alert_needs_both_windows(hours: float, share: float, fires: list[bool]) -> None:
    found = burns(facts(ONE_PERCENT, bad=lately(1000 * share, hours=hours), total=1000))
    assert [one.fires for one in found] == fires
    assert [one.factor for one in found] == pytest.approx([13.44, 3.5, 1.4, 0.98])


def test_just_at_a_factor_is_not_beyond_it() -> None:
    eighth = made(target=0.125, warning=0.125, critical=0.2)  # the rate is 3.5 then, exactly
    assert [one.fires for one in burns(facts(eighth, bad=437.5, total=1000))] == [False, False, True, True]


def test_a_burn_that_is_over_no_longer_fires() -> None:
    bad = lately(500, hours=1)
    bad[-2:] = 0  # nothing bad for ten minutes
    page = burns(facts(ONE_PERCENT, bad=bad, total=1000))[0]
    assert isinstance(page.long, float)
    assert page.long > page.factor
    assert (page.short, page.fires) == (0.0, False)


@pytest.mark.parametrize(
    ("long", "short", "fires"),
    [
        pytest.param(LOST, 0.0, False, id="one that is calm settles it"),
        pytest.param(0.0, LOST, False, id="the long one as well"),
        pytest.param(LOST, 900.0, None, id="one that burns does not"),
        pytest.param(900.0, LOST, None, id="nor the long one"),
        pytest.param(LOST, LOST, None, id="nothing is known"),
        pytest.param(900.0, 900.0, True, id="both burn"),
    ],
)
def test_a_window_that_is_not_known(long: float | Missing, short: float | Missing, fires: bool | None) -> None:  # noqa: FBT001
    counts = {ONE_HOUR: Counts(bad=long, total=1000.0), FIVE_MINUTES: Counts(bad=short, total=1000.0)}
    assert burns(facts(ONE_PERCENT, bad=0, total=1000, counts=counts))[0].fires is fires


def test_a_factor_beyond_the_highest_rate_is_unreachable() -> None:
    found = burns(facts(TEN_PERCENT, bad=1000, total=1000))  # everything is bad: the rate is 10, and no more
    assert [one.is_reachable for one in found] == [False, True, True, True]
    assert [one.fires for one in found] == [False, True, True, True]


def test_without_a_budget_the_first_bad_event_fires_everything() -> None:
    found = burns(facts(NO_BUDGET, bad=lately(1, hours=0.1), total=1000))
    assert all(one.long == one.short == math.inf for one in found)
    assert all(one.fires and one.is_reachable for one in found)
