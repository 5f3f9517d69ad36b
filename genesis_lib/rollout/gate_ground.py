"""What the gate stands on: no stop, a sound journal, the accepted plan, a living watcher, evidence to believe, an approved run. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from genesis_lib.model import Missing
from genesis_lib.rollout.gate_facts import GateFacts, GatePolicy
from genesis_lib.rollout.gate_reasons import Claim, Reason, fine, fresh, hold, lost

__all__ = ["ground"]


def ground(facts: GateFacts, policy: GatePolicy) -> Iterator[Reason]:
    """Whether the gate may be believed, and the rollout may move at all."""
    yield from _of_stops(facts)
    yield from _of_journal(facts)
    yield from _of_plan(facts)
    yield from _of_watcher(facts, policy)
    yield from _of_evidence(facts, policy)
    yield from _of_alerts(facts)
    yield from _of_approval(facts, policy)


def _of_stops(facts: GateFacts) -> Iterator[Reason]:
    if facts.latch:
        text = f"{facts.latch.who} rolled back, and nobody has resumed since: {facts.latch.why}"
        yield hold(Claim.LATCH, text, "a person finds the cause, then resumes")
    if facts.hold:
        text = f"{facts.hold.who} holds the rollout: {facts.hold.why}"
        yield hold(Claim.LATCH, text, "a person resumes")
    if not facts.latch and not facts.hold:
        yield fine(Claim.LATCH, "no rollback and nobody's hold waits to be resumed from")


def _of_journal(facts: GateFacts) -> Iterator[Reason]:
    problems, change = facts.journal_problems, "a person finds out what happened to the journal"
    if isinstance(problems, Missing):
        yield lost(Claim.JOURNAL, "whether the journal verifies", problems)
    elif problems:
        yield from (hold(Claim.JOURNAL, f"the journal does not verify: {one}", change) for one in problems)
    else:
        yield fine(Claim.JOURNAL, "the journal verifies")


def _of_plan(facts: GateFacts) -> Iterator[Reason]:
    accepted = facts.accepted_plan_digest
    if isinstance(accepted, Missing):
        yield lost(Claim.PLAN, "which plan was accepted", accepted)
    elif accepted != facts.plan_digest:
        text = f"the plan is another one ({facts.plan_digest}) than the one that a person accepted ({accepted})"
        yield hold(Claim.PLAN, text, "a person accepts the changed plan, or takes the change back")
    else:
        yield fine(Claim.PLAN, "the plan is the one that was accepted")


def _of_watcher(facts: GateFacts, policy: GatePolicy) -> Iterator[Reason]:
    limit = policy.heartbeat_max_age
    yield fresh(Claim.WATCHER, "the watcher's heartbeat", facts.heartbeat_age, limit, "start the watcher again")


def _of_evidence(facts: GateFacts, policy: GatePolicy) -> Iterator[Reason]:
    health = facts.evidence
    mend = "see that Prometheus scrapes"
    yield fresh(Claim.EVIDENCE, "the newest sample", health.age, policy.evidence_max_age, mend)
    if isinstance(health.targets_seen, Missing):
        yield lost(Claim.EVIDENCE, "how many targets Prometheus sees", health.targets_seen)
    elif health.targets_seen < health.targets_expected or not health.targets_expected:
        text = f"Prometheus sees {health.targets_seen} of {health.targets_expected} targets that the gate stands on"
        yield hold(Claim.EVIDENCE, text, "see why the others are not scraped")
    else:
        yield fine(Claim.EVIDENCE, f"Prometheus sees all {health.targets_expected} targets that the gate stands on")
    for warning in health.warnings:
        yield fine(Claim.EVIDENCE, f"Prometheus warned: {warning}", is_remark=True)


def _of_alerts(facts: GateFacts) -> Iterator[Reason]:
    alerts = facts.critical_alerts
    if isinstance(alerts, Missing):
        yield lost(Claim.ALERTS, "which critical alerts are open", alerts)
    elif alerts:
        yield from (hold(Claim.ALERTS, f"the critical alert {one} is open", "it must end") for one in alerts)
    else:
        yield fine(Claim.ALERTS, "no critical alert is open")


def _of_approval(facts: GateFacts, policy: GatePolicy) -> Iterator[Reason]:
    """Only the first step stands on it; later ones stand on what the stages before have shown."""
    run, again = facts.approval, "a person approves the report of a new run that is GO"
    if facts.percentage > 0:
        return
    if isinstance(run, Missing):
        yield hold(Claim.APPROVAL, f"no run was approved: {run.detail or run.cause}", again)
    elif not run.is_go:
        yield hold(Claim.APPROVAL, f"{run.who} approved {run.run}, which is not GO", again)
    elif run.valid_for <= timedelta(0):
        yield hold(Claim.APPROVAL, f"the GO of {run.run}, approved by {run.who}, is no longer valid", again)
    else:
        yield fresh(Claim.APPROVAL, f"{run.run}, approved by {run.who},", run.age, policy.approval_max_age, again)
