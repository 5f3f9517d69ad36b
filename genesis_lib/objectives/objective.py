"""One objective: its indicator, target and thresholds, its windows, and what is done without data."""

import hashlib
import math
from typing import Annotated, Literal, Self

from pydantic import Field, FiniteFloat, PositiveInt, model_validator

from genesis_lib import syntax
from genesis_lib.objectives.indicator import (
    Duration,
    EventsIndicator,
    Indicator,
    LatencyIndicator,
    Share,
    SlicesIndicator,
    ValueIndicator,
)
from genesis_lib.strict_yaml import Name, Strict

__all__ = ["Objective", "ObjectiveOverride"]

# By default the bad events at which an objective is just at its critical threshold: with fewer, a share of them says little.
_BAD_EVENTS_WANTED = 5


class Objective(Strict):
    """One objective. Ratios are ratios, durations of operations seconds; `better` says which way is good.

    A target is met by `value >= target` where higher is better and by `value < target` where lower is; a threshold is breached only
    beyond it. `no_data` says what it means when there is none; `not_applicable` is the reason why the objective is not judged at all;
    `about: host` marks what is no part of the deployment where an environment's machine is only observed.
    """

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: Name
    indicator: Indicator
    unit: Literal["ratio", "seconds", "bytes", "count"]
    better: Literal["higher", "lower"]
    target: FiniteFloat
    warning: FiniteFloat
    critical: FiniteFloat
    window: Duration
    period: Duration
    confidence: Share
    census: bool = False
    min_events: PositiveInt | None = None
    no_data: Literal["hold", "fail", "not_applicable"] = "hold"
    no_data_reason: str = ""
    not_applicable: str = ""
    about: Literal["service", "host"] = "service"
    split: str = ""
    owner: str = ""
    runbook: str = ""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        self._check_unit()
        if self.is_worse(self.warning, self.critical):
            raise ValueError(
                f"critical {self.critical:g} is stricter than warning {self.warning:g}; where {self.better} is better, "
                f"critical must be {'at most' if self.better == 'higher' else 'at least'} warning"
            )
        if self.is_worse(self.target, self.critical):
            raise ValueError(
                f"critical {self.critical:g} is stricter than target {self.target:g}: what meets the target would fail"
            )
        if self.window > self.period:
            raise ValueError(
                f"window {syntax.duration(self.window)} is longer than period {syntax.duration(self.period)}"
            )
        if self.no_data == "not_applicable" and not self.no_data_reason:
            raise ValueError("no_data: not_applicable needs its reason, as no_data_reason")
        if isinstance(self.indicator, SlicesIndicator):
            self._check_slices(self.indicator)
        return self

    def _check_unit(self) -> None:
        wanted = {"events": "ratio", "slices": "ratio", "latency": "seconds"}.get(self.indicator.kind, self.unit)
        if self.unit != wanted:
            raise ValueError(
                f"unit {self.unit} does not fit: an indicator of kind {self.indicator.kind} is in {wanted}"
            )
        if self.unit == "ratio" and not all(0 <= number <= 1 for number in (self.target, self.warning, self.critical)):
            raise ValueError("target, warning and critical are ratios between 0 and 1: 98 % is 0.98")
        good = isinstance(self.indicator, EventsIndicator) and bool(self.indicator.good)
        wanted = {"slices": "higher", "latency": "lower", "events": "higher" if good else "lower"}.get(
            self.indicator.kind, self.better
        )
        if self.better != wanted:
            raise ValueError(f"better {self.better} does not fit: of this indicator {wanted} values are better")

    def _check_slices(self, indicator: SlicesIndicator) -> None:
        held = self.window // indicator.slice
        if self.events_wanted > held:
            needed = syntax.duration(self.events_wanted * indicator.slice)
            raise ValueError(
                f"window {syntax.duration(self.window)} holds {held:,} slices of {syntax.duration(indicator.slice)}, and "
                f"{self.events_wanted:,} are needed (min_events; by default {_BAD_EVENTS_WANTED} / critical error ratio): "
                f"it can never be judged; lengthen the window to {needed}, or lower min_events"
            )

    def is_worse(self, value: float, limit: float) -> bool:
        """Whether a value lies strictly beyond a limit, on its bad side."""
        return value < limit if self.better == "higher" else value > limit

    def meets_target(self, value: float) -> bool:
        """Whether a value meets the target; where lower is better it must lie under it."""
        return value >= self.target if self.better == "higher" else value < self.target

    @property
    def objective_ratio(self) -> float:
        """The share of events that must be good: 1 minus the budget."""
        match self.indicator:
            case LatencyIndicator(quantile=quantile):
                return quantile
            case ValueIndicator(time_target=ratio):
                return ratio
        return self.target if self.better == "higher" else 1 - self.target

    @property
    def budget_ratio(self) -> float:
        """The share of events that may be bad. 0: a single one is too many."""
        is_bad_share = isinstance(self.indicator, EventsIndicator) and bool(self.indicator.bad)
        return self.target if is_bad_share else round(1 - self.objective_ratio, 12)

    @property
    def definition(self) -> str:
        """A short digest of what counts as an event, and as a bad one: series recorded under another are of another objective."""
        counted = (self.indicator.model_dump_json(), self.better)
        limit = self.target if isinstance(self.indicator, LatencyIndicator | ValueIndicator) else None
        return hashlib.sha256(repr((counted, limit)).encode()).hexdigest()[:8]

    @property
    def events_wanted(self) -> int:
        """How many events the window must hold to be judged."""
        if self.min_events is not None:
            return self.min_events
        match self.indicator:
            case ValueIndicator():
                return 1
            case LatencyIndicator(quantile=quantile):
                ratio = 1 - quantile
            case _:
                ratio = 1 - self.critical if self.better == "higher" else self.critical
        return math.ceil(round(_BAD_EVENTS_WANTED / ratio, 6)) if ratio > 0 else 1


class ObjectiveOverride(Strict):
    """What this environment wants otherwise; `not_applicable` is the reason why it does not have the objective at all."""

    target: float | None = None
    warning: float | None = None
    critical: float | None = None
    window: Duration | None = None
    period: Duration | None = None
    min_events: PositiveInt | None = None
    indicator: Indicator | None = None
    not_applicable: str = ""
