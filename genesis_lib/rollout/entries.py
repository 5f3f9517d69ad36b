"""What the rollout's journal holds: one entry for each thing that was done or judged, by whom and why. No I/O."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

__all__ = ["Entry", "GateDecision", "Kind", "Reading", "Violation"]

_ALL = 100.0


class Kind(StrEnum):
    """What an entry tells of."""

    APPROVE = "approve"  # a person accepted a run's report
    ADVANCE = "advance"  # the percentage was raised, as the gate allowed
    HOLD = "hold"  # a person stopped the rollout where it stands, until it is resumed
    ROLLBACK = "rollback"  # the percentage was lowered; latched until a person resumes
    RESUME = "resume"  # a person lifted a hold or a latch
    OVERRIDE = "override"  # the percentage was moved against the gate, or without it
    PLAN_CHANGE = "plan_change"  # a person accepted that the plan is another one now
    FLAG_CHANGE = "flag_change"  # a feature flag was set
    EVALUATION = "evaluation"  # the gate was asked


class GateDecision(StrEnum):
    """What the gate says of the next step."""

    ADVANCE = "ADVANCE"
    HOLD = "HOLD"
    ROLLBACK = "ROLLBACK"


class Reading(StrEnum):
    """What an evaluation read of one rollback trigger."""

    HOLDS = "holds"
    CLEAR = "clear"
    UNKNOWN = "unknown"  # it could not be evaluated


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the journal.

    `kind` is a string of its own where a newer version wrote it. `from_percentage` and `to_percentage` are what was exposed before and
    after (0-100); they are the same where nothing moved. `decision` is the gate's, with its `reasons`; None where it was not asked.
    `triggers` is what was read of each. `run` and `run_digest` name the run that the entry stands on, and its report; `evidence` lists
    exchange ids; `plan_digest` is that of the plan in force. Text is empty where there is none.

    Raises:
        ValueError: the instant names no zone, or a percentage is outside 0-100.

    """

    kind: Annotated[Kind | str, Field(union_mode="left_to_right")]
    at: datetime
    who: str
    why: str
    from_percentage: float
    to_percentage: float
    decision: GateDecision | None
    reasons: tuple[str, ...]
    triggers: Mapping[str, Reading]
    run: str
    run_digest: str
    evidence: tuple[str, ...]
    plan_digest: str

    def __post_init__(self) -> None:
        if self.at.tzinfo is None:
            raise ValueError(f"{self.at.isoformat()} names no time zone")
        for percentage in (self.from_percentage, self.to_percentage):
            if not 0 <= percentage <= _ALL:  # NaN is not either
                raise ValueError(f"{percentage} is no percentage from 0 to 100")

    @property
    def saw(self) -> bool:
        """Whether this is an evaluation that asked for triggers and could read every one."""
        readings = set(self.triggers.values())
        return self.kind is Kind.EVALUATION and bool(readings) and Reading.UNKNOWN not in readings


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that a line of the journal (counted from 1) breaks: what is wrong, what was expected, what is there."""

    line: int
    what: str
    expected: str
    observed: str
