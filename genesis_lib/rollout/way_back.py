"""When a rollout turns back, and how: the triggers, blindness and rollback of its plan."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from genesis_lib import syntax
from genesis_lib.objectives.indicator import Duration, Share
from genesis_lib.strict_yaml import Listed, Name, Strict

__all__ = [
    "Blindness",
    "ErrorTrigger",
    "HealthCheck",
    "LatencyTrigger",
    "Names",
    "PassRateTrigger",
    "Ports",
    "Rollback",
    "Triggers",
]


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"names {twice[0]} twice; name it once")
    return names


Names = Annotated[tuple[Name, ...], Listed, AfterValidator(_each_once), Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65535)]


class ErrorTrigger(Strict):
    """Turn back where the bad events of an objective are over this share."""

    objective: Name
    over: Share


class LatencyTrigger(Strict):
    """Turn back where the quantile of a latency objective is over this duration."""

    objective: Name
    over: Duration


class PassRateTrigger(Strict):
    """Turn back where under this share of the last complete suite's tests passed; an older suite than `max_age` tells nothing."""

    under: Share
    max_age: Duration


class Triggers(Strict):
    """When to turn back. One holds if it is true `sustained` evaluations in a row.

    Errors and latency are judged over `window`, on at least `min_events`, of which `min_bad_events` or more are bad.
    `failed_health_checks` in a row are enough.
    """

    window: Duration
    sustained: PositiveInt
    min_events: PositiveInt
    min_bad_events: PositiveInt
    error_rate: ErrorTrigger
    latency: LatencyTrigger
    failed_health_checks: PositiveInt
    pass_rate: PassRateTrigger

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        if self.min_bad_events > self.min_events:
            raise ValueError(f"min_bad_events {self.min_bad_events} must not be over min_events {self.min_events}")
        return self


class Blindness(Strict):
    """How long triggers may be impossible to evaluate, and what is done then."""

    limit: Duration
    then: Literal["page", "rollback"]


class HealthCheck(Strict):
    """How the version that was gone back to is asked whether it is well."""

    interval: Duration
    timeout: Duration
    attempts: PositiveInt

    @model_validator(mode="after")
    def _one_at_a_time(self) -> Self:
        if self.timeout > self.interval:
            raise ValueError(
                f"timeout {syntax.duration(self.timeout)} must not be over interval {syntax.duration(self.interval)}"
            )
        return self


class Ports(Strict):
    """Where the two versions listen."""

    blue: Port
    green: Port

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.blue == self.green:
            raise ValueError(f"blue and green are both {self.blue}; two versions need two ports")
        return self


class Rollback(Strict):
    """The way back: the time it may take in all, and what it does. `flags_off` come first, in this order."""

    budget: Duration
    health_check: HealthCheck
    ports: Ports
    flags_off: Names

    @model_validator(mode="after")
    def _in_time(self) -> Self:
        waiting = self.health_check.interval * self.health_check.attempts
        if waiting > self.budget:
            raise ValueError(
                f"health_check waits up to {syntax.duration(waiting)}, over the budget of {syntax.duration(self.budget)}; "
                "lower attempts or interval"
            )
        return self
