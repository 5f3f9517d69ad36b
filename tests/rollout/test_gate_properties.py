"""What must hold of every answer of the gate, whatever it is told."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.model import Verdict
from genesis_lib.rollout.entries import GateDecision, Reading
from genesis_lib.rollout.gate import ask_gate
from genesis_lib.rollout.gate_facts import (
    Compared,
    Comparison,
    GateFacts,
    GatePolicy,
    Series,
    StageObjective,
    Stop,
    TriggerFacts,
)
from tests.builders import AT
from tests.rollout.gate_cases import DAY, FINE, HOUR, LOST, MINUTE, NAN, POLICY, facts, policy, triggers, windows

ADVANCE, HOLD, ROLLBACK = GateDecision.ADVANCE, GateDecision.HOLD, GateDecision.ROLLBACK
ORDER = (ADVANCE, HOLD, ROLLBACK)
STOP = Stop(who="Ada", why="nobody is awake tonight")


def decide(told: GateFacts, demands: GatePolicy = POLICY) -> GateDecision:
    return ask_gate(told, demands, at=AT).decision


# Each fact from its best to its worst. Only numbers that are there: what is missing has a property of its own.
LADDERS: dict[str, list[Any]] = {
    "watched": [2 * DAY, DAY, HOUR],
    "coverage": [1.0, 0.95, 0.6, 0.0],
    "operations": [9000.0, 5000.0, 2000.0, 0.0],
    "series": [Series.CANARY, Series.ALL],
    "objectives": [
        tuple(StageObjective(name=name, verdict=verdict, reason="", budget_left=left) for name in POLICY.objectives)
        for verdict, left in ((Verdict.PASS, 0.9), (Verdict.WARN, 0.1), (Verdict.UNKNOWN, 0.05), (Verdict.FAIL, -1.0))
    ],
    "critical_alerts": [(), ("one",), ("one", "two")],
    "comparisons": [
        (Comparison(what="errors", outcome=outcome, effect=0.1, p_value=0.1),)
        for outcome in (Compared.BETTER, Compared.SAME, Compared.NOT_ENOUGH_DATA, Compared.WORSE)
    ],
    "evidence": [replace(FINE.evidence, age=age, targets_seen=seen) for age, seen in ((MINUTE, 4), (HOUR, 4), (DAY, 1))],
    "heartbeat_age": [MINUTE, HOUR],
    "accepted_plan_digest": [FINE.plan_digest, "other"],
    "latch": [None, STOP],
    "hold": [None, STOP],
    "journal_problems": [(), ("torn",)],
    "triggers": [
        triggers(errors=windows((1000, bad)), failed_health_checks=failed, held_before={"error_rate": before})
        for bad, failed, before in ((0, 0, 0), (10, 4, 0), (11, 4, 0), (11, 4, 1), (900, 9, 4))
    ],
}  # fmt: skip
FIELDS = st.sampled_from(sorted(LADDERS))
STATES = st.fixed_dictionaries(
    {"percentage": st.sampled_from([0, 5, 99, 100])} | {name: st.sampled_from(rungs) for name, rungs in LADDERS.items()}
)
MOSTLY_FINE = st.dictionaries(FIELDS, st.integers(0, 9), max_size=3).map(
    lambda chosen: {name: LADDERS[name][rung % len(LADDERS[name])] for name, rung in chosen.items()}
)
DEMANDS = st.builds(policy, dilution_accepted=st.booleans(), blind_rolls_back=st.booleans())


@given(MOSTLY_FINE | STATES, DEMANDS, FIELDS)
def test_a_worse_fact_never_gets_a_better_decision(state: dict[str, Any], demands: GatePolicy, field: str) -> None:
    ranks = [ORDER.index(decide(facts(**state | {field: rung}), demands)) for rung in LADDERS[field]]
    assert ranks == sorted(ranks)


def without(told: GateFacts, field: str, lost: Any) -> GateFacts:
    """The same facts with one of them gone: a list is empty, anything else is `lost`."""
    gone: dict[str, Any] = {field: () if field in {"errors", "slow", "objectives"} else lost}
    if field in TriggerFacts.__dataclass_fields__:
        return replace(told, triggers=replace(told.triggers, **gone))
    return replace(told, **gone)


NUMBERS = ("coverage", "operations")
OF_STAGE = (
    "accepted_plan_digest",
    "comparisons",
    "critical_alerts",
    "heartbeat_age",
    "journal_problems",
    "objectives",
    "series",
    "watched",
)
REMOVABLE = (*NUMBERS, *OF_STAGE, "errors", "slow", "failed_health_checks", "suite")


@pytest.mark.parametrize("field", REMOVABLE)
def test_a_fact_that_is_gone_holds(field: str) -> None:
    assert decide(without(FINE, field, LOST)) is HOLD
    if field in NUMBERS:
        assert decide(without(FINE, field, NAN)) is HOLD


@given(MOSTLY_FINE | STATES, DEMANDS, st.sampled_from(REMOVABLE), st.sampled_from([LOST, NAN]))
def test_removing_data_never_turns_hold_into_advance(
    state: dict[str, Any], demands: GatePolicy, field: str, lost: Any
) -> None:
    told = facts(**state)
    after = decide(without(told, field, lost if field in NUMBERS else LOST), demands)
    assert after is not ADVANCE or decide(told, demands) is ADVANCE


@given(MOSTLY_FINE | STATES, DEMANDS, st.none() | st.sampled_from(REMOVABLE), st.integers(0, 60))
def test_only_a_sustained_trigger_or_blindness_by_policy_goes_back(
    state: dict[str, Any], demands: GatePolicy, field: str | None, minutes: int
) -> None:
    told = facts(**state | {"blind_for": minutes * MINUTE})
    told = without(told, field, LOST) if field else told
    answer = ask_gate(told, demands, at=AT)
    is_blind = Reading.UNKNOWN in {one.reading for one in answer.triggers} and minutes > 15
    holds = any(one.is_sustained for one in answer.triggers)
    expected = told.percentage > 0 and (holds or (is_blind and demands.blind_rolls_back))
    assert (answer.decision is ROLLBACK) == expected
