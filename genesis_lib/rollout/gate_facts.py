"""What the gate and its triggers are told: facts about the rollout's stage, and what policy demands of it. No I/O."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from genesis_lib.model import Cause, Missing, Verdict

__all__ = [
    "ApprovedRun",
    "Compared",
    "Comparison",
    "EvidenceHealth",
    "GateFacts",
    "GatePolicy",
    "Series",
    "StageObjective",
    "Stop",
    "Suite",
    "TriggerFacts",
    "TriggerPolicy",
    "Window",
    "finite",
]


def finite(value: float | Missing) -> float | Missing:
    """The number, or Missing where it is none: NaN compares false with everything, and so would pass whatever is asked of it."""
    if isinstance(value, Missing) or math.isfinite(value):
        return value
    return Missing(cause=Cause.NOT_A_NUMBER, detail=f"{value} is not a number")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerPolicy:
    """When a trigger holds: the keys of `rollout.yaml`, `triggers`.

    Ratios over windows need `min_events`, of which `min_bad_events` are bad. `sustained` is how many evaluations in a row must agree.
    """

    sustained: int
    min_events: int
    min_bad_events: int
    error_ratio_limit: float
    latency_limit_s: float
    latency_quantile: float
    failed_health_checks: int
    pass_ratio_limit: float
    suite_max_age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What happened in the last `length`: how many events, and how many of them were bad."""

    length: timedelta
    events: float | Missing
    bad: float | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """The last complete run of the test suite: the share of its tests that passed, and how long ago it ended."""

    pass_ratio: float | Missing
    age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerFacts:
    """What triggers are read from, at one evaluation.

    `errors` and `slow` are windows that all end now, the shortest (policy's 300 s) first, each within the next, the last one back to the
    stage's start; bad are failed operations, and those that took longer than the latency limit. `held_before` says for each trigger in
    how many evaluations in a row it held, up to the one before this.
    """

    errors: tuple[Window, ...]
    slow: tuple[Window, ...]
    failed_health_checks: int | Missing
    suite: Suite | Missing
    held_before: Mapping[str, int]


class Series(StrEnum):
    """Whose operations were counted."""

    CANARY = "canary"  # those of the new version alone, by its track label
    ALL = "all"  # no track label tells them apart


class Compared(StrEnum):
    """How the canary does beside the stable version."""

    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    NOT_ENOUGH_DATA = "not enough data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The canary's share of bad operations (`what` they are: "errors", "slow operations") beside the stable version's.

    `effect` is the canary's share less the stable version's.
    """

    what: str
    outcome: Compared
    effect: float | Missing
    p_value: float | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedRun:
    """A run whose report a person accepted. `age` is counted from its `as_of`, `valid_for` to the end of its validity."""

    run: str
    who: str
    is_go: bool
    age: timedelta
    valid_for: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class StageObjective:
    """A blocking objective, judged since the stage began. `budget_left` is a share of its budget; None where it has no budget."""

    name: str
    verdict: Verdict
    reason: str
    budget_left: float | Missing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceHealth:
    """Whether Prometheus can be believed: how old its newest sample is, and how many of the expected targets it sees.

    Only targets that the gate's own questions stand on count; `targets_seen` are those scraped within their last few intervals.
    """

    age: timedelta | Missing
    targets_seen: int | Missing
    targets_expected: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Who or what stopped the rollout, and why; nobody has resumed it since."""

    who: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """What the stage demands. `next_percentage` is None at the end of the plan.

    `min_operations` decides how many operations must be seen; `ratio_to_tell` is the error ratio that they should tell from none.
    `blind_limit` is how long triggers may be impossible to evaluate; then a person is called, and `blind_rolls_back` may go back too.
    """

    next_percentage: float | None
    soak: timedelta
    check_interval: timedelta
    least_coverage: float
    min_operations: int
    ratio_to_tell: float
    objectives: tuple[str, ...]
    budget_floor: float
    approval_max_age: timedelta
    evidence_max_age: timedelta
    heartbeat_max_age: timedelta
    dilution_accepted: bool
    blind_limit: timedelta
    blind_rolls_back: bool
    triggers: TriggerPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """The rollout's stage as it is now.

    `watched` is the journal's: how much of the time since the stage began, `stage_age` ago, was watched. `coverage` is the share of
    expected samples that are there, and `operations` how many there were at this percentage. `blind_for` is how long ago every trigger
    was last read. `latch` is the rollback, `hold` the person's hold, that nobody has resumed from. `journal_problems` is empty where the
    journal verified.
    """

    percentage: float
    stage_age: timedelta | Missing
    watched: timedelta | Missing
    coverage: float | Missing
    operations: float | Missing
    series: Series | Missing
    comparisons: tuple[Comparison, ...] | Missing
    approval: ApprovedRun | Missing
    objectives: tuple[StageObjective, ...]
    critical_alerts: tuple[str, ...] | Missing
    evidence: EvidenceHealth
    heartbeat_age: timedelta | Missing
    blind_for: timedelta | Missing
    plan_digest: str
    accepted_plan_digest: str | Missing
    latch: Stop | None
    hold: Stop | None
    journal_problems: tuple[str, ...] | Missing
    triggers: TriggerFacts
