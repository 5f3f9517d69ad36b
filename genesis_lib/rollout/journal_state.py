"""Derive where the rollout stands from its journal, and from nothing else. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from genesis_lib.model import Cause, Missing
from genesis_lib.rollout.entries import Entry, Kind, Reading

__all__ = ["ApprovedRun", "RolloutState", "next_state", "state_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovedRun:
    """Who accepted which run's report, and when."""

    run: str
    run_digest: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutState:
    """Where the rollout stands.

    `since` is when the stage began. `watched` is how much of the time since then was watched: between evaluations that could read
    every trigger and that were no further apart than allowed; `last_seen` is the last of them, or the stage's beginning.
    `in_a_row` says for each trigger in how many of this stage's evaluations in a row it held, up to the last.
    `latch` is the rollback and `hold` the person's hold that nobody has resumed from, or None. `plan_digest` is that of the plan that a
    person last accepted, by an approval or for itself.
    """

    percentage: float
    since: datetime | Missing
    watched: timedelta
    last_seen: datetime | Missing
    last_evaluation: Entry | Missing
    in_a_row: Mapping[str, int]
    approval: ApprovedRun | Missing
    latch: Entry | None
    hold: Entry | None
    overrides: tuple[Entry, ...]
    plan_digest: str | Missing


def state_of(entries: Iterable[Entry], *, watch_limit: timedelta) -> RolloutState:
    """Where the rollout stands after these entries.

    Args:
        entries: the journal's, in its order.
        watch_limit: how far apart two evaluations may be for the time between them to have been watched.

    """
    state = _before_all()
    for entry in entries:
        state = next_state(state, entry, watch_limit=watch_limit)
    return state


def next_state(state: RolloutState, entry: Entry, *, watch_limit: timedelta) -> RolloutState:
    """The state after one more entry. The percentage is what the entry says, whatever its kind."""
    if isinstance(state.since, Missing):
        state = replace(state, since=entry.at, last_seen=entry.at)
    if entry.kind is Kind.EVALUATION:
        state = _evaluated(state, entry, watch_limit)
    if entry.to_percentage != state.percentage or entry.kind is Kind.ROLLBACK:
        # Another exposure: what was read of the one before says nothing about it.
        state = replace(
            state,
            percentage=entry.to_percentage,
            since=entry.at,
            watched=timedelta(0),
            last_seen=entry.at,
            in_a_row={},
        )
    match entry.kind:
        case Kind.APPROVE:
            approval = ApprovedRun(run=entry.run, run_digest=entry.run_digest, who=entry.who, at=entry.at)
            return replace(state, approval=approval, plan_digest=entry.plan_digest)
        case Kind.PLAN_CHANGE:
            return replace(state, plan_digest=entry.plan_digest)
        case Kind.HOLD:
            return replace(state, hold=entry)
        case Kind.ROLLBACK:
            return replace(state, latch=entry)
        case Kind.RESUME:
            return replace(state, hold=None, latch=None)
        case Kind.OVERRIDE:
            return replace(state, overrides=(*state.overrides, entry))
    return state


def _before_all() -> RolloutState:
    return RolloutState(
        percentage=0.0,
        since=_nothing("the journal has no entry"),
        watched=timedelta(0),
        last_seen=_nothing("the journal has no entry"),
        last_evaluation=_nothing("the gate was never asked"),
        in_a_row={},
        approval=_nothing("no run was approved"),
        latch=None,
        hold=None,
        overrides=(),
        plan_digest=_nothing("no plan was accepted"),
    )


def _evaluated(state: RolloutState, entry: Entry, watch_limit: timedelta) -> RolloutState:
    last = state.last_evaluation
    is_next = not isinstance(last, Missing) and entry.at - last.at <= watch_limit
    in_a_row = _counted(state.in_a_row if is_next else {}, entry.triggers)
    state = replace(state, last_evaluation=entry, in_a_row=in_a_row)
    if not entry.saw or isinstance(state.last_seen, Missing):
        return state  # a blind evaluation is as good as none
    gap = entry.at - state.last_seen
    # A clock that jumped back must not let the same hour be watched twice: nothing counts until it has caught up.
    watched = state.watched + gap if timedelta(0) < gap <= watch_limit else state.watched
    return replace(state, watched=watched, last_seen=max(state.last_seen, entry.at))


def _counted(before: Mapping[str, int], triggers: Mapping[str, Reading]) -> dict[str, int]:
    """A trigger that could not be read neither adds to its row nor ends it: blinking does not save a bad canary."""
    return {
        name: 0 if reading is Reading.CLEAR else before.get(name, 0) + (reading is Reading.HOLDS)
        for name, reading in triggers.items()
    }


def _nothing(detail: str) -> Missing:
    return Missing(cause=Cause.NO_HISTORY, detail=detail)
