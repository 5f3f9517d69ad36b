"""How fast an objective's error budget burns: by window, and whether an alert's pair of windows burns beyond its factor. Pure."""

import math
from dataclasses import dataclass
from datetime import timedelta

from genesis_lib.model import Missing
from genesis_lib.objectives.objective import Objective
from genesis_lib.objectives.slos import BurnWindow
from genesis_lib.slo.facts import ObjectiveFacts
from genesis_lib.slo.recorded import Counts

__all__ = ["Burn", "burn_rate", "burns"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """One pair of alert windows. Rates are 1 where the budget would last just for the period, infinite where there is none.

    `factor` is the rate beyond which it alerts; `is_reachable` says whether the rate can be that high at all: it is highest,
    1 / budget, where every event is bad. `fires` is None where it cannot be told.
    """

    window: BurnWindow
    factor: float
    is_reachable: bool
    long: float | Missing
    short: float | Missing
    fires: bool | None


def burn_rate(objective: Objective, counts: Counts) -> float | Missing:
    """Share of bad events / budget. Without events nothing burns; without a budget the first bad event burns infinitely."""
    match counts:
        case Counts(bad=float() as bad, total=float() as total):
            if total <= 0 or bad <= 0:
                return 0.0
            return bad / total / objective.budget_ratio if objective.budget_ratio else math.inf
        case Counts(total=Missing() as missing) | Counts(bad=Missing() as missing):
            return missing
    raise AssertionError


def burns(facts: ObjectiveFacts) -> tuple[Burn, ...]:
    """Each pair of windows, in the order of policy."""
    return tuple(_burn(facts, window) for window in facts.windows)


def _burn(facts: ObjectiveFacts, window: BurnWindow) -> Burn:
    objective = facts.objective
    factor = window.factor(objective.period)
    long, short = (_rate(facts, length) for length in (window.long, window.short))
    return Burn(
        window=window,
        factor=factor,
        is_reachable=factor * objective.budget_ratio < 1,
        long=long,
        short=short,
        fires=_fires(long, short, factor),
    )


def _rate(facts: ObjectiveFacts, length: timedelta) -> float | Missing:
    return burn_rate(facts.objective, facts.counts[length])


def _fires(long: float | Missing, short: float | Missing, factor: float) -> bool | None:
    """Both must be beyond the factor; one that is not settles it, whatever the other."""
    known = [rate for rate in (long, short) if not isinstance(rate, Missing)]
    if any(rate <= factor for rate in known):
        return False
    return True if len(known) == 2 else None  # noqa: PLR2004 - both
