"""The gate's truth table in sentences, and what must hold of every answer it can give."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from genesis_lib.model import Verdict
from genesis_lib.rollout.entries import GateDecision, Reading
from genesis_lib.rollout.gate import GateAnswer, ask_gate
from genesis_lib.rollout.gate_facts import (
    Compared,
    GateFacts,
    GatePolicy,
    Series,
    Stop,
)
from genesis_lib.rollout.gate_reasons import Claim
from tests.builders import AT
from tests.rollout.gate_cases import (
    DAY,
    FINE,
    HOUR,
    LOST,
    MINUTE,
    NAN,
    POLICY,
    compared,
    errors,
    facts,
    first_step,
    health,
    objective,
    policy,
    triggers,
    windows,
)

ADVANCE, HOLD, ROLLBACK = GateDecision.ADVANCE, GateDecision.HOLD, GateDecision.ROLLBACK
NIGHT = Stop(who="Ada", why="nobody is awake tonight")
GOING_BACK = Stop(who="the watcher", why="error_rate held")
BURNING = windows((1000, 60), (12_000, 80))


def ask(told: GateFacts = FINE, demands: GatePolicy = POLICY) -> GateAnswer:
    return ask_gate(told, demands, at=AT)


BLIND = errors(LOST, blind_for=16 * MINUTE)
SWIFT = policy(blind_rolls_back=True)
FIRST_STEP = policy(next_percentage=5, soak=timedelta(0), min_operations=0)
LAST_STAGE = policy(next_percentage=None)
ALL, ACCEPTED = facts(series=Series.ALL), policy(dilution_accepted=True)


def row(sentence: str, told: GateFacts, decision: GateDecision, *against: str, demands: GatePolicy = POLICY) -> Any:
    return pytest.param(told, demands, decision, against, id=sentence)


# What the gate is told, what it must answer, and the claims of all reasons against the step.
TABLE = [
    row("all is well: it advances", FINE, ADVANCE),
    # approval
    row("an approved GO run of two hours ago: the first step is taken", first_step(), ADVANCE, demands=FIRST_STEP),
    row(
        "an approved GO run just young enough: the first step is taken",
        first_step(age=DAY),
        ADVANCE,
        demands=FIRST_STEP,
    ),
    row(
        "an approved GO run that is too old: it holds",
        first_step(age=DAY + MINUTE),
        HOLD,
        "approval",
        demands=FIRST_STEP,
    ),
    row("an approved run from the future: it holds", first_step(age=-MINUTE), HOLD, "approval", demands=FIRST_STEP),
    row(
        "a person approved a run that is not GO: it holds",
        first_step(is_go=False),
        HOLD,
        "approval",
        demands=FIRST_STEP,
    ),
    row(
        "nothing acts on an expired GO: it holds",
        first_step(valid_for=timedelta(0)),
        HOLD,
        "approval",
        demands=FIRST_STEP,
    ),
    row("nobody approved a run: it holds", replace(first_step(), approval=LOST), HOLD, "approval", demands=FIRST_STEP),
    row("later steps need no approval: they stand on the stage before", facts(approval=LOST), ADVANCE),
    # soak and its coverage
    row("the soak is a minute short: it holds", facts(watched=DAY - MINUTE), HOLD, "soak"),
    row("only watched time counts: it holds", facts(watched=HOUR, stage_age=3 * DAY), HOLD, "soak"),
    row("how long it was watched is not known: it holds", facts(watched=LOST), HOLD, "soak"),
    row("samples cover 95 % of the soak: it advances", facts(coverage=0.95), ADVANCE),
    row("samples cover less than 95 % of the soak: it holds", facts(coverage=0.9499), HOLD, "coverage"),
    row("the coverage is NaN: it holds", facts(coverage=NAN), HOLD, "coverage"),
    # sample size
    row("just enough operations were seen: it advances", facts(operations=5000.0), ADVANCE),
    row("an operation too few was seen: it holds", facts(operations=4999.0), HOLD, "operations"),
    row("no operation was seen: it holds", facts(operations=0.0), HOLD, "operations"),
    row("NaN operations were seen: it holds", facts(operations=NAN), HOLD, "operations"),
    row(
        "the plan demands fewer than tell 0.1 %: it advances",
        facts(operations=300.0),
        ADVANCE,
        demands=policy(min_operations=100),
    ),
    # objectives, budgets and alerts
    row("an objective is WARN: it advances, with a remark", objective(Verdict.WARN), ADVANCE),
    row("a blocking objective is FAIL: it holds, and does not go back", objective(Verdict.FAIL), HOLD, "objectives"),
    row("a blocking objective is UNKNOWN: it holds", objective(Verdict.UNKNOWN), HOLD, "objectives"),
    row("no blocking objective was judged: it holds for each", facts(objectives=()), HOLD, "objectives", "objectives"),
    row(
        "policy names no blocking objective: it advances", facts(objectives=()), ADVANCE, demands=policy(objectives=())
    ),
    row("the budget is at its floor: it advances", objective(Verdict.PASS, budget_left=0.1), ADVANCE),
    row("the budget is under its floor: it holds", objective(Verdict.PASS, budget_left=0.09), HOLD, "budget"),
    row(
        "a spent budget is a freeze: it holds",
        objective(Verdict.PASS, budget_left=0.0),
        HOLD,
        "budget",
        demands=policy(budget_floor=0),
    ),
    row("the budget is NaN: it holds", objective(Verdict.PASS, budget_left=NAN), HOLD, "budget"),
    row("the budget is not known: it holds", objective(Verdict.PASS, budget_left=LOST), HOLD, "budget"),
    row(
        "two critical alerts are open: it holds for each",
        facts(critical_alerts=("HighErrorRate", "NodeDown")),
        HOLD,
        "alerts",
        "alerts",
    ),
    row("which alerts are open is not known: it holds", facts(critical_alerts=LOST), HOLD, "alerts"),
    # triggers
    row("a trigger holds once: it waits for the next evaluation", errors(60), HOLD, "triggers"),
    row("a trigger holds twice in a row: it goes back", errors(60, held_before=1), ROLLBACK, "triggers"),
    row("a trigger held, and is clear again: it advances", errors(0, held_before=1), ADVANCE),
    row("a trigger cannot be evaluated: it holds", errors(LOST), HOLD, "triggers", "sight"),
    row(
        "a trigger held, and cannot be evaluated now: it holds", errors(LOST, held_before=5), HOLD, "triggers", "sight"
    ),
    row(
        "traffic stopped in mid-stage: it holds",
        facts(triggers=triggers(errors=windows((0, 0), (9000, 0)))),
        HOLD,
        "triggers",
        "sight",
    ),
    row(
        "a trigger holds at 100 %: it goes back",
        errors(60, held_before=1, percentage=100),
        ROLLBACK,
        "triggers",
        "next step",
        demands=LAST_STAGE,
    ),
    row(
        "a trigger holds at 0 %: nothing to go back from, it holds",
        replace(first_step(), triggers=triggers(errors=BURNING, held_before={"error_rate": 1})),
        HOLD,
        "triggers",
        demands=FIRST_STEP,
    ),
    row(
        "a trigger holds while much else is wrong: it goes back, and says all",
        errors(
            60,
            held_before=1,
            journal_problems=("line 7 was edited",),
            accepted_plan_digest="other",
            heartbeat_age=LOST,
            critical_alerts=LOST,
        ),
        ROLLBACK,
        "triggers",
        "journal",
        "plan",
        "watcher",
        "alerts",
    ),
    # blindness
    row("blind beyond the limit, and policy pages: it holds", BLIND, HOLD, "triggers", "sight"),
    row(
        "blind beyond the limit, and policy rolls back: it goes back",
        BLIND,
        ROLLBACK,
        "sight",
        "triggers",
        demands=SWIFT,
    ),
    row(
        "blind up to the limit: it holds",
        replace(BLIND, blind_for=15 * MINUTE),
        HOLD,
        "triggers",
        "sight",
        demands=SWIFT,
    ),
    row(
        "blind, for nobody knows how long: it holds",
        replace(BLIND, blind_for=LOST),
        HOLD,
        "triggers",
        "sight",
        demands=SWIFT,
    ),
    row(
        "blind at 0 %: nothing to go back from, it holds",
        replace(BLIND, percentage=0),
        HOLD,
        "triggers",
        "sight",
        demands=SWIFT,
    ),
    row("it was blind, and sees again: it advances", facts(blind_for=HOUR), ADVANCE, demands=SWIFT),
    # dilution
    row("no track label below 100 %: it holds", ALL, HOLD, "dilution"),
    row(
        "no track label, and policy accepts dilution by name: it advances, with a remark",
        ALL,
        ADVANCE,
        demands=ACCEPTED,
    ),
    row(
        "no track label to compare by, and policy accepts that: it advances",
        replace(ALL, comparisons=LOST),
        ADVANCE,
        demands=ACCEPTED,
    ),
    row("whose operations were counted is not known: it holds", facts(series=LOST), HOLD, "dilution", demands=ACCEPTED),
    row(
        "at 100 % all is the canary's: dilution is no reason",
        replace(ALL, percentage=100),
        HOLD,
        "next step",
        demands=LAST_STAGE,
    ),
    # canary beside stable
    row("the canary is as good as stable: it advances", compared(Compared.SAME), ADVANCE),
    row("the canary is better than stable: it advances", compared(Compared.BETTER), ADVANCE),
    row("the canary is worse than stable: it holds, and does not go back", compared(Compared.WORSE), HOLD, "canary"),
    row(
        "too little data to compare by: it holds",
        compared(Compared.NOT_ENOUGH_DATA, effect=LOST, p_value=LOST),
        HOLD,
        "canary",
    ),
    row("the test gave NaN: it holds", compared(Compared.SAME, p_value=NAN), HOLD, "canary"),
    row("canary and stable were not compared: it holds", facts(comparisons=LOST), HOLD, "canary"),
    row(
        "a canary that could be compared was not, whatever dilution is accepted: it holds",
        facts(comparisons=LOST),
        HOLD,
        "canary",
        demands=ACCEPTED,
    ),
    row("nothing of them was compared: it holds", facts(comparisons=()), HOLD, "canary"),
    row(
        "they are compared at the end of the soak, and not before",
        replace(compared(Compared.WORSE), watched=HOUR),
        HOLD,
        "soak",
    ),
    # latch, hold, journal, plan, watcher
    row("it went back and nobody resumed: it holds", facts(latch=GOING_BACK), HOLD, "latch"),
    row("a person holds it: it holds", facts(hold=NIGHT), HOLD, "latch"),
    row(
        "it went back, and a person holds it: it holds for both",
        facts(latch=GOING_BACK, hold=NIGHT),
        HOLD,
        "latch",
        "latch",
    ),
    row("the journal does not verify: it holds", facts(journal_problems=("line 7 was edited",)), HOLD, "journal"),
    row("the journal cannot be read: it holds", facts(journal_problems=LOST), HOLD, "journal"),
    row("the plan changed in mid-rollout: it holds", facts(plan_digest="77aa"), HOLD, "plan"),
    row("nobody accepted a plan: it holds", facts(accepted_plan_digest=LOST), HOLD, "plan"),
    row("the watcher's heartbeat is just young enough: it advances", facts(heartbeat_age=3 * MINUTE), ADVANCE),
    row("the watcher's heartbeat is stale: it holds", facts(heartbeat_age=4 * MINUTE), HOLD, "watcher"),
    row("the clock jumped back: it holds", facts(heartbeat_age=-MINUTE), HOLD, "watcher"),
    row("nobody watches: it holds", facts(heartbeat_age=LOST), HOLD, "watcher"),
    # the evidence's own health
    row("the newest sample is just young enough: it advances", health(age=MINUTE), ADVANCE),
    row("Prometheus is stale: it holds", health(age=2 * MINUTE), HOLD, "evidence"),
    row("Prometheus cannot be reached: it holds", health(age=LOST), HOLD, "evidence"),
    row("Prometheus is half blind: it holds", health(targets_seen=3), HOLD, "evidence"),
    row("what Prometheus sees is not known: it holds", health(targets_seen=LOST), HOLD, "evidence"),
    row(
        "no target is expected, so nothing is seen: it holds",
        health(targets_seen=0, targets_expected=0),
        HOLD,
        "evidence",
    ),
    row("Prometheus warned: it advances, with a remark", health(warnings=("partial response",)), ADVANCE),
    # the end
    row(
        "everybody has it: there is nothing to advance to", facts(percentage=100), HOLD, "next step", demands=LAST_STAGE
    ),
    row("the next step would lead down: it holds", facts(percentage=25), HOLD, "next step"),
    row("the percentage is NaN: it holds", facts(percentage=NAN), HOLD, "next step"),
]


@pytest.mark.parametrize(("told", "demands", "decision", "against"), TABLE)
def test_the_truth_table(
    told: GateFacts, demands: GatePolicy, decision: GateDecision, against: tuple[str, ...]
) -> None:
    answer = ask(told, demands)
    assert answer.decision is decision
    assert tuple(one.claim for one in answer.against) == against
    assert all(one.text and one.change for one in answer.against)


@pytest.mark.parametrize(
    ("told", "demands", "remark"),
    [
        pytest.param(ALL, ACCEPTED, "at 5 % its errors are diluted by all others; policy accepts dilution", id="dilution"),
        pytest.param(replace(ALL, comparisons=LOST), ACCEPTED, "canary and stable were not compared", id="no comparison"),
        pytest.param(objective(Verdict.WARN), POLICY, "error_rate is WARN since the stage began", id="an objective"),
        pytest.param(health(warnings=("partial response",)), POLICY, "Prometheus warned: partial response", id="a warning"),
        pytest.param(facts(operations=300.0), policy(min_operations=100), "0.10 % would take 2,995", id="sample size"),
    ],
)  # fmt: skip
def test_what_is_let_pass_is_remarked_on(told: GateFacts, demands: GatePolicy, remark: str) -> None:
    answer = ask(told, demands)
    assert answer.decision is ADVANCE
    assert remark in " ".join(one.text for one in answer.remarks).replace("\N{NARROW NO-BREAK SPACE}", " ")
    assert ask().remarks == ()


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        pytest.param(FINE, MINUTE, id="an answer lasts until the next check"),
        pytest.param(facts(watched=20 * HOUR), 4 * HOUR, id="the soak ends in four hours"),
        pytest.param(facts(operations=4000.0, stage_age=24 * HOUR), 6 * HOUR, id="a fourth of the operations so far is missing"),
        pytest.param(facts(operations=4000.0, stage_age=24 * HOUR, watched=14 * HOUR), 10 * HOUR, id="of several waits the longest"),
        pytest.param(facts(coverage=0.9, stage_age=24 * HOUR), 24 * HOUR, id="a tenth is missing: as long again makes it a twentieth"),
        pytest.param(facts(operations=0.0), MINUTE, id="nobody can say when there will be operations"),
        pytest.param(facts(operations=1e-9), MINUTE, id="nor where it would take for ever"),
        pytest.param(facts(operations=9.0, stage_age=LOST), MINUTE, id="nor where the stage's age is not known"),
        pytest.param(facts(hold=NIGHT), MINUTE, id="nor when a person will resume"),
        pytest.param(errors(60), MINUTE, id="a trigger that held once is read again at the next check"),
    ],
)  # fmt: skip
def test_when_it_may_next_be_asked(told: GateFacts, wait: timedelta) -> None:
    assert abs(ask(told).ask_again_at - (AT + wait)) < timedelta(seconds=1)


def test_every_claim_has_its_say_in_order() -> None:
    """A stage below 100 % and the first step, together, touch on all that the gate ever looks at."""
    later, first = (
        [one.claim for one in ask(*asked).reasons] for asked in ((FINE, POLICY), (first_step(), FIRST_STEP))
    )
    assert set(later) | set(first) == set(Claim)
    for claims in (later, first):
        firsts = [claim for claim in dict.fromkeys(claims) if claim is not Claim.BUDGET]  # which follows its objective
        assert firsts == [claim for claim in Claim if claim in firsts]


def test_what_was_read_of_triggers_is_told_for_the_journal() -> None:
    assert {one.trigger: one.reading for one in ask(errors(60)).triggers} == {
        "error_rate": Reading.HOLDS,
        "latency": Reading.CLEAR,
        "failed_health_checks": Reading.CLEAR,
        "pass_rate": Reading.CLEAR,
    }
