"""Objectives' statuses for tests of what draws them, stating only what a test is about."""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

from genesis_lib.model import Cause, Finding, Missing, Verdict
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.budget import Budget, Forecast
from genesis_lib.slo.burn import Burn
from genesis_lib.slo.period import Period
from genesis_lib.slo.recorded import Counts, Source
from genesis_lib.slo.status import Interval, Status, Worst
from tests.builders import make_finding, policy

SLOS = policy().slos
NO_SERIES = Missing(cause=Cause.NO_DATA, detail="there are no series of total events", evidence="e-none")
CENSUS = Missing(cause=Cause.UNDEFINED, detail="all events were counted (a census)")
YOUNG = Missing(cause=Cause.NO_DATA, detail="of the period before this one 0 % was seen")
NO_BUDGET = Missing(cause=Cause.UNDEFINED, detail="a target of 100 % leaves no budget")


def objective(name: str = "error_rate", **changes: Any) -> Objective:
    """An objective of the shipped policy, by its name, with changes."""
    (found,) = (one for one in SLOS.slos if one.name == name)
    return Objective.model_validate(found.model_dump(exclude_unset=True) | changes)


def status(of: Objective | None = None, **changes: Any) -> Status:
    """A status of which only what matters is stated; else all is well: 20 % of the budget is used, and it burns at 0.2."""
    of = of or objective()
    allowed = of.budget_ratio * 100_000
    counts = Counts(bad=0.2 * allowed, total=100_000.0)
    left = Budget(
        left=0.8, left_time=0.8 * of.budget_ratio * of.period, left_events=0.8 * allowed, allowed_events=allowed
    )
    stated: dict[str, Any] = {
        "objective": of,
        "verdict": Verdict.PASS,
        "reason": "the target is met",
        "hint": "",
        "value": of.target,
        "distance": 0.0,
        "events": 10_000.0,
        "interval": Interval(low=0.0001, high=0.0004),
        "period": Period(counts=counts, attained=0.9998, coverage=1.0, life=of.period, is_young=False, trend=0.0001),
        "worst": Worst(label="instance", name="app:8000", value=of.target),
        "budget": left,
        "burns": burns(of, 0.2),
        "forecast": Forecast(spent_at=None, pace=timedelta(hours=6)),
        "source": Source(is_recorded=False, difference=None, note="raw series; none are recorded"),
        "warnings": (),
        "evidence": ("e-1", "e-2", "e-3"),
    }
    return Status(**(stated | changes))


def burns(
    of: Objective, rate: float | Missing, *, short: float | Missing | None = None, fires: bool | None = False
) -> tuple[Burn, ...]:
    """The pairs of windows of an objective, all burning at one rate."""
    windows = SLOS.windows_of(of.period)
    return tuple(
        Burn(
            window=window,
            factor=window.factor(of.period),
            is_reachable=window.factor(of.period) * of.budget_ratio < 1,
            long=rate,
            short=rate if short is None else short,
            fires=fires,
        )
        for window in windows
    )


def blind() -> Status:
    """An objective of which nothing is known, as on day 0."""
    of = objective()
    lost = Period(
        counts=Counts(bad=NO_SERIES, total=NO_SERIES),
        attained=NO_SERIES,
        coverage=0.0,
        life=timedelta(0),
        is_young=False,
        trend=NO_SERIES,
    )
    nothing: dict[str, Any] = dict.fromkeys(
        ("value", "distance", "events", "interval", "budget", "forecast"), NO_SERIES
    )
    return status(
        of,
        verdict=Verdict.UNKNOWN,
        reason=NO_SERIES.detail,
        hint="see that its series are scraped",
        period=lost,
        worst=None,
        burns=burns(of, NO_SERIES, fires=None),
        **nothing,
    )


def failing() -> tuple[Status, list[Finding]]:
    """An objective whose budget is spent and burns on, and what was found about it."""
    of = objective()
    spent = Budget(left=-0.37, left_time=-timedelta(minutes=3, seconds=44), left_events=-37.0, allowed_events=100.0)
    failed = status(of, verdict=Verdict.FAIL, value=0.0023, budget=spent, burns=burns(of, 23.4, fires=True))
    said = {"status": "it is above critical", "budget": "it is spent", "burn": "it burns 23.4 times too fast"}
    found = [
        make_finding(f"slos.{claim}", of.title, Verdict.FAIL, reason=reason, hint=f"mend the {claim}")
        for claim, reason in said.items()
    ]
    return failed, [*found, make_finding("slos.sound", of.title)]


def without_budget() -> Status:
    """An objective that wants 100 %, after one bad event."""
    of = objective("service_uptime", target=1.0)
    return status(of, budget=NO_BUDGET, forecast=NO_BUDGET, burns=burns(of, math.inf, fires=True))


def young() -> Status:
    """An objective whose series began within the period."""
    usual = status()
    lived = replace(usual.period, is_young=True, life=timedelta(days=1, hours=3), trend=YOUNG)
    return replace(usual, period=lived)
