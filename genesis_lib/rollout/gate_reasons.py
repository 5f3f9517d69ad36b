"""The reasons that the gate gives: what each looked at, what it alone calls for, and what would change it. No I/O."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from genesis_lib.formatting import duration
from genesis_lib.model import Missing
from genesis_lib.rollout.entries import GateDecision

__all__ = ["Claim", "Reason", "fine", "fresh", "hold", "lost", "rollback"]


class Claim(StrEnum):
    """What must be true before a step, in the order in which reasons are given."""

    TRIGGERS = "triggers"
    SIGHT = "sight"
    LATCH = "latch"
    JOURNAL = "journal"
    PLAN = "plan"
    WATCHER = "watcher"
    EVIDENCE = "evidence"
    ALERTS = "alerts"
    APPROVAL = "approval"
    SOAK = "soak"
    COVERAGE = "coverage"
    OPERATIONS = "operations"
    DILUTION = "dilution"
    OBJECTIVES = "objectives"
    BUDGET = "budget"
    CANARY = "canary"
    NEXT_STEP = "next step"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that the gate looked at, and what it alone calls for.

    `change` says what would change it; empty where it speaks for the step. `wait` is how long that takes if all goes on as it does;
    None where nobody can say. A remark speaks for the step with a reservation, as WARN does.
    """

    claim: Claim
    decision: GateDecision
    text: str
    change: str
    wait: timedelta | None
    is_remark: bool


def fine(claim: Claim, text: str, *, is_remark: bool = False) -> Reason:
    """A reason for the step."""
    return Reason(claim=claim, decision=GateDecision.ADVANCE, text=text, change="", wait=None, is_remark=is_remark)


def hold(claim: Claim, text: str, change: str, *, wait: timedelta | None = None) -> Reason:
    """A reason to wait."""
    return Reason(claim=claim, decision=GateDecision.HOLD, text=text, change=change, wait=wait, is_remark=False)


def rollback(claim: Claim, text: str, change: str, *, percentage: float) -> Reason:
    """ROLLBACK, or HOLD where nobody has the feature: there is nothing to go back from."""
    decision = GateDecision.ROLLBACK if percentage > 0 else GateDecision.HOLD
    return Reason(claim=claim, decision=decision, text=text, change=change, wait=None, is_remark=False)


def lost(claim: Claim, what: str, missing: Missing) -> Reason:
    """HOLD, since what must be known is not."""
    return hold(claim, f"{what} is not known: {missing.detail or missing.cause}", "mend its source, then ask again")


def fresh(claim: Claim, what: str, age: timedelta | Missing, limit: timedelta, mend: str) -> Reason:
    """HOLD where something is too old, from the future or of unknown age."""
    if isinstance(age, Missing):
        return lost(claim, f"how old {what} is", age)
    if age < timedelta(0):
        return hold(claim, f"{what} is {duration(-age)} from the future", "set the clocks right")
    if age > limit:
        return hold(claim, f"{what} is {duration(age)} old, and may be {duration(limit)} old", mend)
    return fine(claim, f"{what} is {duration(age)} old")
