"""Decide whether a rollout may take its next step: ADVANCE, HOLD or ROLLBACK, with every reason. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from genesis_lib.formatting import duration
from genesis_lib.model import Missing
from genesis_lib.rollout.entries import GateDecision, Reading
from genesis_lib.rollout.gate_facts import GateFacts, GatePolicy
from genesis_lib.rollout.gate_ground import ground
from genesis_lib.rollout.gate_reasons import Claim, Reason, fine, hold, lost, rollback
from genesis_lib.rollout.gate_stage import shown_by_stage
from genesis_lib.rollout.triggers import TriggerReading, read_triggers

__all__ = ["GateAnswer", "ask_gate"]

_ORDER = (GateDecision.ADVANCE, GateDecision.HOLD, GateDecision.ROLLBACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateAnswer:
    """The decision, and all that it rests on: it is what the worst of the `reasons` calls for.

    `triggers` is what this evaluation read of each, for the journal. `ask_again_at` is the earliest instant at which another answer can
    be expected; until then an ADVANCE may be acted on.
    """

    decision: GateDecision
    reasons: tuple[Reason, ...]
    triggers: tuple[TriggerReading, ...]
    ask_again_at: datetime

    @property
    def against(self) -> tuple[Reason, ...]:
        """Every reason against the step, those for a rollback first."""
        against = [one for one in self.reasons if one.decision is not GateDecision.ADVANCE]
        return tuple(sorted(against, key=lambda one: -_ORDER.index(one.decision)))

    @property
    def remarks(self) -> tuple[Reason, ...]:
        """What speaks for the step with a reservation."""
        return tuple(one for one in self.reasons if one.is_remark)


def ask_gate(facts: GateFacts, policy: GatePolicy, *, at: datetime) -> GateAnswer:
    """May the stage's percentage be raised, at this instant?

    What is missing, and what is not a number, holds. Only a sustained trigger, or blindness where policy says so, rolls back, and only
    where somebody has the feature; whatever else is wrong meanwhile does not stop that.
    """
    readings = read_triggers(facts.triggers, policy.triggers)
    reasons = (*_of_triggers(facts, policy, readings), *ground(facts, policy), *shown_by_stage(facts, policy))
    waits = [one.wait for one in reasons if one.wait is not None]
    return GateAnswer(
        decision=max((one.decision for one in reasons), key=_ORDER.index),
        reasons=reasons,
        triggers=readings,
        ask_again_at=at + max([policy.check_interval, *waits]),
    )


def _of_triggers(facts: GateFacts, policy: GatePolicy, readings: tuple[TriggerReading, ...]) -> Iterator[Reason]:
    for one in readings:
        text = f"{one.trigger}: {one.reason}"
        if one.is_sustained:
            text = f"{text}; it held in {one.in_a_row} evaluations in a row"
            yield rollback(
                Claim.TRIGGERS, text, "find what broke; a person resumes the rollout", percentage=facts.percentage
            )
        elif one.reading is Reading.HOLDS:
            text = f"{text}; it held in {one.in_a_row} of {policy.triggers.sustained} evaluations in a row"
            yield hold(
                Claim.TRIGGERS, text, "the next evaluation clears it, or sustains it", wait=policy.check_interval
            )
        elif one.reading is Reading.UNKNOWN:
            yield hold(Claim.TRIGGERS, text, "it must be evaluated again")
        else:
            yield fine(Claim.TRIGGERS, text)
    if any(one.reading is Reading.UNKNOWN for one in readings):
        yield _of_blindness(facts, policy)
    else:
        yield fine(Claim.SIGHT, "every trigger was evaluated")


def _of_blindness(facts: GateFacts, policy: GatePolicy) -> Reason:
    blind, change = facts.blind_for, "mend the evidence of the triggers that cannot be evaluated"
    if isinstance(blind, Missing):
        return lost(Claim.SIGHT, "when every trigger was last evaluated", blind)
    limit = duration(policy.blind_limit)
    if blind <= policy.blind_limit:
        text = f"not every trigger was evaluated for {duration(blind)}; {limit} are allowed"
        return hold(Claim.SIGHT, text, change)
    text = f"not every trigger was evaluated for {duration(blind)}, beyond the limit of {limit}; a person must look"
    if policy.blind_rolls_back:
        return rollback(Claim.SIGHT, text, f"{change}; a person resumes the rollout", percentage=facts.percentage)
    return hold(Claim.SIGHT, text, change)
