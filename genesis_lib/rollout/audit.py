"""Find the steps of a rollout that its rules did not allow. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from genesis_lib.formatting import Unit, duration, instant, plain, quantity, shortened
from genesis_lib.model import Missing
from genesis_lib.rollout.entries import Entry, GateDecision, Kind, Violation
from genesis_lib.rollout.journal_state import RolloutState, next_state, state_of

__all__ = ["Rules", "audit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the plan asks of each step.

    `soaks` has the plan's percentages, ascending, each with how long it must have been watched before the next. `watch_limit` is how
    far apart two evaluations may be for the time between them to have been watched; `approval_age` how old an approval may be when
    the first users are let in.
    """

    soaks: Mapping[float, timedelta]
    watch_limit: timedelta
    approval_age: timedelta


def audit(entries: Mapping[int, Entry], rules: Rules) -> list[Violation]:
    """Every broken rule, by line.

    An override stands in for the gate's word, the soak and the approval. It does not stand in for the plan or for a resume.
    """
    found = []
    state = state_of((), watch_limit=rules.watch_limit)
    for line, entry in entries.items():
        broken = _of_entry(entry, state)
        if entry.to_percentage > state.percentage:
            broken += _of_raise(entry, state, rules)
        found += [
            Violation(line=line, what=what, expected=expected, observed=observed) for what, expected, observed in broken
        ]
        state = next_state(state, entry, watch_limit=rules.watch_limit)
    return found


_Broken = list[tuple[str, str, str]]  # what, expected, observed


def _of_entry(entry: Entry, state: RolloutState) -> _Broken:
    broken: _Broken = []
    start, end = entry.from_percentage, entry.to_percentage
    if start != state.percentage:
        broken.append(("the step begins where the rollout was not", _percent(state.percentage), _percent(start)))
    is_in_kind, expected = _direction(entry)
    if not is_in_kind:
        moved = f"{_percent(start)} → {_percent(end)}"
        broken.append((f"an entry of kind {entry.kind} does not move so", expected, moved))
    if entry.kind is Kind.OVERRIDE and not entry.why.strip():
        broken.append(("an override without a reason", "a reason", "none"))
    return broken


def _direction(entry: Entry) -> tuple[bool, str]:
    """Whether an entry moves the percentage as its kind does, and how that is."""
    start, end = entry.from_percentage, entry.to_percentage
    match entry.kind:
        case Kind.ADVANCE:
            return end > start, "a higher percentage"
        case Kind.ROLLBACK:
            return end <= start, "no higher percentage"
        case Kind.OVERRIDE:
            return True, ""
        case Kind():
            return end == start, "the same percentage"
        case _:  # of a newer version, which may know better
            return True, ""


def _of_raise(entry: Entry, state: RolloutState, rules: Rules) -> _Broken:
    broken = _off_plan(entry, state, rules) + _against_a_stop(state)
    if entry.kind is not Kind.OVERRIDE:
        broken += _not_allowed(entry) + _too_soon(entry, state, rules) + _not_approved(entry, state, rules)
    return broken


def _off_plan(entry: Entry, state: RolloutState, rules: Rules) -> _Broken:
    following = next((stage for stage in sorted(rules.soaks) if stage > state.percentage), None)
    if following is None or entry.to_percentage == following:
        if following is not None:
            return []
        return [("a step beyond the plan's last stage", "no further step", _percent(entry.to_percentage))]
    is_stage = entry.to_percentage in rules.soaks
    what = "a stage was jumped over" if is_stage else "a percentage that is no stage of the plan"
    return [(what, _percent(following), _percent(entry.to_percentage))]


def _against_a_stop(state: RolloutState) -> _Broken:
    stops = (("after a rollback that nobody resumed from", state.latch), ("while a person held it", state.hold))
    return [
        (f"the percentage was raised {what}", "a resume first", f"{stop.kind} by {_said(stop.who)}, {instant(stop.at)}")
        for what, stop in stops
        if stop is not None
    ]


def _not_allowed(entry: Entry) -> _Broken:
    if entry.decision is GateDecision.ADVANCE:
        return []
    reasons = _said("; ".join(entry.reasons))
    observed = f"the gate said {entry.decision}: {reasons}" if entry.decision else "the gate was not asked"
    return [("a step that the gate did not allow", "the gate's ADVANCE", observed)]


def _too_soon(entry: Entry, state: RolloutState, rules: Rules) -> _Broken:
    soak = rules.soaks.get(state.percentage, timedelta(0))
    if state.watched >= soak:
        return []
    elapsed = timedelta(0) if isinstance(state.since, Missing) else entry.at - state.since
    observed = f"{duration(state.watched)} watched in {duration(elapsed)}"
    return [(f"the soak at {_percent(state.percentage)} was cut short", f"{duration(soak)} watched", observed)]


def _not_approved(entry: Entry, state: RolloutState, rules: Rules) -> _Broken:
    if isinstance(state.approval, Missing):
        return [("a step without an approved run", "an approval before it", state.approval.detail)]
    broken: _Broken = []
    age = entry.at - state.approval.at
    if state.percentage == 0 and age > rules.approval_age:
        expected = f"an approval at most {duration(rules.approval_age)} old"
        broken.append(("the approval had grown old", expected, duration(age)))
    if entry.plan_digest != state.plan_digest:
        expected = f"the accepted plan, {_said(str(state.plan_digest))}"
        broken.append(("a step by a plan that nobody accepted", expected, _said(entry.plan_digest) or "none named"))
    return broken


def _percent(value: float) -> str:
    return quantity(value, Unit.PERCENT)


def _said(text: str) -> str:
    return shortened(plain(text))
