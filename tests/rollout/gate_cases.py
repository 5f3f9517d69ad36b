"""A stage at 5 % that may advance, for the tests of the gate: each states only what is otherwise."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from genesis_lib.model import Cause, Missing, Verdict
from genesis_lib.rollout.gate_facts import (
    ApprovedRun,
    Compared,
    Comparison,
    EvidenceHealth,
    GateFacts,
    GatePolicy,
    Series,
    StageObjective,
    Suite,
    TriggerFacts,
    TriggerPolicy,
    Window,
)

LOST = Missing(cause=Cause.UNREACHABLE, detail="prometheus refused the connection")
NAN = float("nan")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)

TRIGGER_POLICY = TriggerPolicy(
    sustained=2,
    min_events=100,
    min_bad_events=3,
    error_ratio_limit=0.01,
    latency_limit_s=0.5,
    latency_quantile=0.95,
    failed_health_checks=5,
    pass_ratio_limit=0.95,
    suite_max_age=2 * HOUR,
)
POLICY = GatePolicy(
    next_percentage=10,
    soak=DAY,
    check_interval=MINUTE,
    least_coverage=0.95,
    min_operations=5000,
    ratio_to_tell=0.001,
    objectives=("error_rate", "latency_p95"),
    budget_floor=0.1,
    approval_max_age=DAY,
    evidence_max_age=MINUTE,
    heartbeat_max_age=3 * MINUTE,
    dilution_accepted=False,
    blind_limit=15 * MINUTE,
    blind_rolls_back=False,
    triggers=TRIGGER_POLICY,
)


def windows(*counts: tuple[float | Missing, float | Missing]) -> tuple[Window, ...]:
    """Windows of 5, 60, ... minutes: (events, bad events) of each."""
    lengths = (5 * MINUTE, HOUR, DAY)
    return tuple(
        Window(length=long, events=events, bad=bad) for long, (events, bad) in zip(lengths, counts, strict=False)
    )


def triggers(**other: Any) -> TriggerFacts:
    """Facts of which every trigger reads clear, but for what is stated."""
    calm: dict[str, Any] = {
        "errors": windows((1000, 1), (12_000, 8)),
        "slow": windows((1000, 10), (12_000, 100)),
        "failed_health_checks": 0,
        "suite": Suite(pass_ratio=0.98, age=HOUR),
        "held_before": {},
    }
    return TriggerFacts(**(calm | other))


FINE = GateFacts(
    percentage=5,
    stage_age=25 * HOUR,
    watched=DAY,
    coverage=0.99,
    operations=6000.0,
    series=Series.CANARY,
    comparisons=(
        Comparison(what="errors", outcome=Compared.SAME, effect=0.0001, p_value=0.6),
        Comparison(what="slow operations", outcome=Compared.BETTER, effect=-0.02, p_value=0.001),
    ),
    approval=ApprovedRun(run="run-7", who="Ada", is_go=True, age=2 * HOUR, valid_for=2 * HOUR),
    objectives=(
        StageObjective(name="error_rate", verdict=Verdict.PASS, reason="0.05 %", budget_left=0.8),
        StageObjective(name="latency_p95", verdict=Verdict.PASS, reason="138 ms", budget_left=None),
    ),
    critical_alerts=(),
    evidence=EvidenceHealth(age=15 * timedelta(seconds=1), targets_seen=4, targets_expected=4, warnings=()),
    heartbeat_age=MINUTE,
    blind_for=MINUTE,
    plan_digest="9f2c",
    accepted_plan_digest="9f2c",
    latch=None,
    hold=None,
    journal_problems=(),
    triggers=triggers(),
)


def facts(**other: Any) -> GateFacts:
    """The stage that may advance, with something otherwise."""
    return replace(FINE, **other)


def policy(**other: Any) -> GatePolicy:
    """The policy of that stage, with something otherwise."""
    return replace(POLICY, **other)


def first_step(**approval: Any) -> GateFacts:
    """At 0 %, with a run approved, of which something is otherwise."""
    assert isinstance(FINE.approval, ApprovedRun)
    return facts(percentage=0, operations=0.0, watched=timedelta(0), approval=replace(FINE.approval, **approval))


def objective(verdict: Verdict, **other: Any) -> GateFacts:
    """The first of its objectives judged so."""
    first, second = FINE.objectives
    return facts(objectives=(replace(first, verdict=verdict, **other), second))


def compared(outcome: Compared, **other: Any) -> GateFacts:
    """The canary's errors beside the stable version's."""
    numbers: Mapping[str, Any] = {"effect": 0.004, "p_value": 0.003} | other
    return facts(comparisons=(Comparison(what="errors", outcome=outcome, **numbers),))


def errors(share: Any, *, held_before: int = 0, **other: Any) -> GateFacts:
    """The canary's errors in the last 1,000 operations, and in how many evaluations in a row that held before."""
    told = triggers(errors=windows((1000, share)), held_before={"error_rate": held_before})
    return facts(triggers=told, **other)


def health(**other: Any) -> GateFacts:
    """Prometheus otherwise."""
    return facts(evidence=replace(FINE.evidence, **other))
