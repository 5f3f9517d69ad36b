"""What the stage has shown: soak, sample size, objectives, budgets, and the canary beside the stable version. Pure."""

from collections.abc import Iterator
from datetime import timedelta

from genesis_lib.formatting import Unit, duration, quantity
from genesis_lib.model import Missing, Verdict
from genesis_lib.rollout.gate_facts import Compared, Comparison, GateFacts, GatePolicy, Series, finite
from genesis_lib.rollout.gate_reasons import Claim, Reason, fine, hold, lost
from genesis_lib.rollout.sample_size import CONFIDENCE, operations_to_tell, ratio_told

__all__ = ["shown_by_stage"]

_ALL = 100
_LONGEST_WAIT_S = 366 * 86_400  # a wait of over a year is no answer to "when?"


def shown_by_stage(facts: GateFacts, policy: GatePolicy) -> Iterator[Reason]:
    """Whether the stage has shown enough for the next one, and whether there is a next one."""
    yield from _of_soak(facts, policy)
    yield from _of_operations(facts, policy)
    yield from _of_dilution(facts, policy)
    yield from _of_objectives(facts, policy)
    yield from _of_canary(facts, policy)
    yield _of_next_step(facts, policy)


def _of_soak(facts: GateFacts, policy: GatePolicy) -> Iterator[Reason]:
    if not policy.soak:
        return
    watched, demanded = facts.watched, duration(policy.soak)
    if isinstance(watched, Missing):
        yield lost(Claim.SOAK, "how long the stage was watched", watched)
    elif watched < policy.soak:
        left = policy.soak - watched
        text = f"the stage was watched for {duration(watched)} of {demanded}"
        yield hold(Claim.SOAK, text, f"watch it for another {duration(left)}", wait=left)
    else:
        yield fine(Claim.SOAK, f"the stage was watched for {duration(watched)}; {demanded} are demanded")
    yield _of_coverage(facts, policy)


def _of_coverage(facts: GateFacts, policy: GatePolicy) -> Reason:
    covered, least = finite(facts.coverage), quantity(policy.least_coverage, Unit.RATIO)
    if isinstance(covered, Missing):
        return lost(Claim.COVERAGE, "what share of the soak samples cover", covered)
    text = f"samples cover {quantity(covered, Unit.RATIO)} of the soak; {least} are demanded"
    if covered >= policy.least_coverage:
        return fine(Claim.COVERAGE, text)
    # Gaps stay; time without gaps is added until they are small enough: (covered * age + wait) / (age + wait) = least.
    share = (policy.least_coverage - covered) / (1 - policy.least_coverage) if policy.least_coverage < 1 else None
    return hold(Claim.COVERAGE, text, "watch on until the gaps weigh less", wait=_wait(share, facts.stage_age))


def _of_operations(facts: GateFacts, policy: GatePolicy) -> Iterator[Reason]:
    if not policy.min_operations:
        return
    seen, wanted = finite(facts.operations), policy.min_operations
    if isinstance(seen, Missing):
        yield lost(Claim.OPERATIONS, "how many operations were seen at this percentage", seen)
        return
    ratio, needed = quantity(policy.ratio_to_tell, Unit.RATIO), operations_to_tell(policy.ratio_to_tell)
    sure = f"with {quantity(CONFIDENCE, Unit.RATIO)} confidence"
    text = f"{seen:,.0f} operations were seen at {facts.percentage:g} %; {wanted:,} are demanded"
    if seen < wanted:
        text = f"{text} ({needed:,} tell an error ratio of {ratio} {sure})"
        share = (wanted - seen) / seen if seen > 0 else None
        yield hold(Claim.OPERATIONS, text, f"see {wanted - seen:,.0f} more", wait=_wait(share, facts.stage_age))
    elif seen < needed:
        told = quantity(ratio_told(seen), Unit.RATIO)
        text = f"{text}. That tells {told} errors {sure}; {ratio} would take {needed:,}"
        yield fine(Claim.OPERATIONS, text, is_remark=True)
    else:
        yield fine(Claim.OPERATIONS, f"{text}. That tells {quantity(ratio_told(seen), Unit.RATIO)} errors {sure}")


def _wait(share: float | None, stage_age: timedelta | Missing) -> timedelta | None:
    """This share of the stage's age so far; None where that is no answer."""
    if share is None or isinstance(stage_age, Missing):
        return None
    seconds = share * stage_age.total_seconds()
    return timedelta(seconds=seconds) if 0 < seconds < _LONGEST_WAIT_S else None


def _of_dilution(facts: GateFacts, policy: GatePolicy) -> Iterator[Reason]:
    if not 0 < facts.percentage < _ALL:
        return
    if isinstance(facts.series, Missing):
        yield lost(Claim.DILUTION, "whose operations were counted", facts.series)
    elif facts.series is Series.CANARY:
        yield fine(Claim.DILUTION, "the canary's own operations were counted")
    else:
        text = f"no track label tells the canary's operations apart: at {facts.percentage:g} % its errors are diluted by all others"
        if policy.dilution_accepted:
            yield fine(Claim.DILUTION, f"{text}; policy accepts dilution", is_remark=True)
        else:
            yield hold(Claim.DILUTION, text, "label the workload's series by track, or accept dilution in the plan")


def _of_objectives(facts: GateFacts, policy: GatePolicy) -> Iterator[Reason]:
    judged = {one.name: one for one in facts.objectives}
    for name in policy.objectives:
        one = judged.get(name)
        if one is None:
            yield hold(Claim.OBJECTIVES, f"{name} was not judged", "see that the objective is asked for")
            continue
        text = f"{name} is {one.verdict} since the stage began: {one.reason}"
        if one.verdict.is_good:
            yield fine(Claim.OBJECTIVES, text, is_remark=one.verdict is Verdict.WARN)
        else:
            yield hold(Claim.OBJECTIVES, text, "it must be met, on enough data, since the stage began")
        if one.budget_left is not None:
            yield _of_budget(name, finite(one.budget_left), policy.budget_floor)


def _of_budget(name: str, left: float | Missing, floor: float) -> Reason:
    if isinstance(left, Missing):
        return lost(Claim.BUDGET, f"what is left of the error budget of {name}", left)
    text = f"{quantity(left, Unit.RATIO)} of the error budget of {name} are left; the floor is {quantity(floor, Unit.RATIO)}"
    if left < floor or left <= 0:  # a spent budget is a freeze, whatever the floor
        return hold(Claim.BUDGET, text, "wait until what was spent leaves the budget's period")
    return fine(Claim.BUDGET, text)


def _of_canary(facts: GateFacts, policy: GatePolicy) -> Iterator[Reason]:
    """One look, at the end of the soak: whoever looks every five minutes finds a difference sooner or later.

    A canary that is worse holds; it takes a trigger to roll back.
    """
    is_early = isinstance(facts.watched, Missing) or facts.watched < policy.soak
    if not 0 < facts.percentage < _ALL or is_early:
        return
    found = facts.comparisons
    if isinstance(found, Missing):
        cannot = facts.series is Series.ALL and policy.dilution_accepted
        text = f"canary and stable were not compared: {found.detail or found.cause}"
        yield fine(Claim.CANARY, text, is_remark=True) if cannot else hold(Claim.CANARY, text, "compare them")
        return
    if not found:
        yield hold(Claim.CANARY, "nothing of canary and stable was compared", "compare them")
    for one in found:
        yield _of_comparison(one)


def _of_comparison(one: Comparison) -> Reason:
    effect, p_value = finite(one.effect), finite(one.p_value)
    text = f"the canary's share of {one.what} beside the stable version's: {one.outcome}"
    if one.outcome is Compared.NOT_ENOUGH_DATA:
        return hold(Claim.CANARY, text, "wait until both have seen more operations")
    if isinstance(effect, Missing) or isinstance(p_value, Missing):
        return hold(Claim.CANARY, f"{text}, by a test without a result", "see why the test gave no number")
    text = f"{text} (difference {quantity(effect, Unit.RATIO)}, p = {p_value:.2g})"
    if one.outcome is Compared.WORSE:
        return hold(Claim.CANARY, text, "find what is worse; a person may go back, or override with a reason")
    return fine(Claim.CANARY, text)


def _of_next_step(facts: GateFacts, policy: GatePolicy) -> Reason:
    to = policy.next_percentage
    if to is None or not facts.percentage < to:
        return hold(
            Claim.NEXT_STEP, f"at {facts.percentage:g} % there is nothing to advance to", "nothing: the plan ends here"
        )
    return fine(Claim.NEXT_STEP, f"the next step is from {facts.percentage:g} % to {to:g} %")
