"""Read the triggers that roll a feature back: each holds, is clear, or cannot be told. Pure.

They use no p-values: in 288 looks a day, one errs always.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from genesis_lib.formatting import Unit, duration, quantity
from genesis_lib.model import Missing
from genesis_lib.rollout.entries import Reading
from genesis_lib.rollout.gate_facts import Suite, TriggerFacts, TriggerPolicy, Window, finite

__all__ = ["Trigger", "TriggerReading", "read_triggers"]


class Trigger(StrEnum):
    """The four triggers, by their names in `rollout.yaml`."""

    ERROR_RATE = "error_rate"
    LATENCY = "latency"
    FAILED_HEALTH_CHECKS = "failed_health_checks"
    PASS_RATE = "pass_rate"  # noqa: S105 - a trigger, not a password


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerReading:
    """What was read of one trigger. `in_a_row` is in how many evaluations in a row it held, this one included."""

    trigger: Trigger
    reading: Reading
    in_a_row: int
    is_sustained: bool
    reason: str


def read_triggers(facts: TriggerFacts, policy: TriggerPolicy) -> tuple[TriggerReading, ...]:
    """Read all four. One that holds now must be sustained before anything is rolled back."""
    slow = round(1 - policy.latency_quantile, 12)  # P95 is over a limit where more than 5 % of operations are
    longer = f"of operations took longer than {duration(policy.latency_limit_s)}"
    found = {
        Trigger.ERROR_RATE: _ratio(facts.errors, policy, limit=policy.error_ratio_limit, what="of operations failed"),
        Trigger.LATENCY: _ratio(facts.slow, policy, limit=slow, what=longer),
        Trigger.FAILED_HEALTH_CHECKS: _health(facts.failed_health_checks, policy.failed_health_checks),
        Trigger.PASS_RATE: _pass_rate(facts.suite, policy),
    }
    return tuple(
        _counted(trigger, reading, reason, facts.held_before.get(trigger, 0), policy.sustained)
        for trigger, (reading, reason) in found.items()
    )


def _counted(trigger: Trigger, reading: Reading, reason: str, before: int, sustained: int) -> TriggerReading:
    holds = reading is Reading.HOLDS
    return TriggerReading(
        trigger=trigger,
        reading=reading,
        in_a_row=before + 1 if holds else 0 if reading is Reading.CLEAR else before,  # as the journal counts
        is_sustained=holds and before + 1 >= sustained,
        reason=reason,
    )


def _ratio(windows: Sequence[Window], policy: TriggerPolicy, *, limit: float, what: str) -> tuple[Reading, str]:
    """By the shortest window with enough events, and with enough bad ones if its ratio is over the limit.

    A first window without a single event tells nothing, whatever the longer ones say: traffic that stopped is no good news.
    """
    found = Reading.UNKNOWN, "no window was asked for"
    for index, window in enumerate(windows):
        events, bad, during = finite(window.events), finite(window.bad), f"in the last {duration(window.length)}"
        if isinstance(events, Missing):
            return _unknown(f"how much happened {during}", events)
        if isinstance(bad, Missing):
            return _unknown(f"what share {what} {during}", bad)
        if index == 0 and events <= 0:
            return Reading.UNKNOWN, f"nothing happened {during}: there were no events"
        if events < policy.min_events:
            found = Reading.UNKNOWN, f"{events:,.0f} events {during}, and {policy.min_events:,} are needed to tell"
            continue
        share, allowed = bad / events, quantity(limit, Unit.RATIO)
        told = f"{quantity(share, Unit.RATIO)} {what} {during} ({bad:,.0f} of {events:,.0f})"
        if share <= limit:
            return Reading.CLEAR, f"{told}; {allowed} are allowed"
        if bad >= policy.min_bad_events:
            return Reading.HOLDS, f"{told}, over {allowed}"
        found = (
            Reading.CLEAR,
            f"{told}, over {allowed}, but {policy.min_bad_events} bad events are needed to call it a rate",
        )
    return found


def _unknown(what: str, missing: Missing) -> tuple[Reading, str]:
    return Reading.UNKNOWN, f"{what} is not known: {missing.detail or missing.cause}"


def _health(failed: int | Missing, limit: int) -> tuple[Reading, str]:
    if isinstance(failed, Missing):
        return _unknown("how many health checks failed", failed)
    if not failed:
        return Reading.CLEAR, "the last health check was passed"
    reading = Reading.HOLDS if failed >= limit else Reading.CLEAR
    return reading, f"health checks failed {failed} times in a row; {limit} are the limit"


def _pass_rate(suite: Suite | Missing, policy: TriggerPolicy) -> tuple[Reading, str]:
    if isinstance(suite, Missing):
        return _unknown("how many tests passed", suite)
    passed = finite(suite.pass_ratio)
    if isinstance(passed, Missing):
        return _unknown("how many tests passed", passed)
    if not timedelta(0) <= suite.age <= policy.suite_max_age:
        when = "ended in the future" if suite.age < timedelta(0) else f"is {duration(suite.age)} old"
        return Reading.UNKNOWN, f"the last complete suite {when}, and may be {duration(policy.suite_max_age)} old"
    least = quantity(policy.pass_ratio_limit, Unit.RATIO)
    told = f"{quantity(passed, Unit.RATIO)} of the last complete suite's tests passed"
    if passed < policy.pass_ratio_limit:
        return Reading.HOLDS, f"{told}, under {least}"
    return Reading.CLEAR, f"{told}; {least} are demanded"
