"""An objective's error budget: what is left of it, how it was spent, and when it will be gone. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from genesis_lib.model import Cause, Missing
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.facts import Floats, ObjectiveFacts
from genesis_lib.slo.indicators import TILE
from genesis_lib.slo.period import Period

__all__ = ["PACE", "Budget", "BurnDown", "Forecast", "budget", "burn_down", "forecast"]

PACE = timedelta(hours=6)  # a forecast takes it that things go on as in this time


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What is left of a period's budget, all of it negative where more was spent than there was.

    Of series that began within the period it is that of their life. `left` is a share of the whole; `left_time` is how long
    everything may fail; `left_events` is how many events may be bad, of `allowed_events` in all.
    """

    left: float
    left_time: timedelta
    left_events: float
    allowed_events: float

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left."""
        return self.left <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """When the budget will be spent if events and bad events go on as in the last `pace`: None means not within a period from now."""

    spent_at: datetime | None
    pace: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnDown:
    """How a period's budget was spent: the share that was left at each of `ends` (seconds since the epoch), and bad events by tile."""

    ends: Floats
    left: Floats
    bad: Floats


def budget(objective: Objective, period: Period) -> Budget | Missing:
    """The budget at the end of the period; Missing, too, where the target is 100 % and leaves none."""
    bad, total = period.counts.bad, period.counts.total
    if not objective.budget_ratio:
        detail = "a target of 100 % leaves no budget: one bad event breaks it, and burns infinitely; set a lower target"
        return Missing(cause=Cause.UNDEFINED, detail=detail)
    if isinstance(total, Missing):
        return total
    if isinstance(bad, Missing):
        return bad
    allowed = objective.budget_ratio * total
    left = round(1 - bad / allowed, 12) if allowed > 0 else 1.0  # where nothing happened, nothing was spent
    return Budget(
        left=left,
        left_time=left * objective.budget_ratio * (period.life if period.is_young else objective.period),
        left_events=allowed - bad,
        allowed_events=allowed,
    )


def forecast(facts: ObjectiveFacts, period: Period, *, at: datetime) -> Forecast | Missing:
    """When it will be spent: what leaves the rolling period gives back what it had spent, and the pace of the last hours goes on."""
    left = budget(facts.objective, period)
    if isinstance(left, Missing):
        return left
    if isinstance(facts.tiles, Missing):
        return facts.tiles
    tiles, count, recent = facts.tiles.value, facts.objective.period // TILE, PACE // TILE
    bad, total = np.nan_to_num(tiles.bad[-count:]), np.nan_to_num(tiles.total[-count:])
    steps = np.arange(1, count + 1)

    def ahead(events: Floats) -> Floats:
        still_counted = events.sum() - np.cumsum(events)
        coming = np.nanmean(events[-recent:]) * steps
        result: Floats = still_counted + coming
        return result

    spent = ahead(bad) > facts.objective.budget_ratio * ahead(total)
    at_step = int(steps[spent.argmax()]) if spent.any() else None
    return Forecast(spent_at=None if at_step is None else at + at_step * TILE, pace=PACE)


def burn_down(facts: ObjectiveFacts, period: Period) -> BurnDown | Missing:
    """The budget's course over the period, against what all of it allows; NaN before its series began."""
    left = budget(facts.objective, period)
    if isinstance(left, Missing):
        return left
    if isinstance(facts.tiles, Missing):
        return facts.tiles
    tiles, count = facts.tiles.value, facts.objective.period // TILE
    bad = np.nan_to_num(tiles.bad[-count:])
    spent = np.cumsum(bad) / left.allowed_events if left.allowed_events else np.zeros(count)
    if period.is_young:  # before its series began there was nothing that could be spent
        spent[: count - period.life // TILE] = np.nan
    return BurnDown(ends=tiles.ends[-count:], left=1 - spent, bad=bad)
