"""Where the rollout stands follows from its journal alone."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.model import Missing
from genesis_lib.rollout.entries import Entry, Kind, Reading
from genesis_lib.rollout.journal_state import ApprovedRun, RolloutState, state_of
from tests.rollout.journal_entries import (
    APPROVED,
    CLEAR,
    ENTRIES,
    LATER,
    LIMIT,
    MINUTE,
    PLAN,
    START_AT,
    advance,
    entry,
    looks,
)


def stand(entries: list[Entry]) -> RolloutState:
    return state_of(entries, watch_limit=LIMIT)


def test_before_all_nothing_is_exposed_and_nothing_known() -> None:
    state = stand([])
    assert (state.percentage, state.watched, state.latch, state.hold) == (0.0, timedelta(0), None, None)
    unknown = (state.since, state.last_seen, state.last_evaluation, state.approval, state.plan_digest)
    assert all(isinstance(value, Missing) for value in unknown)


def test_a_stage_in_progress() -> None:
    state = stand(ENTRIES)
    assert state.percentage == 5.0
    assert state.since == START_AT + MINUTE
    assert state.watched == 3 * LIMIT
    assert state.last_seen == START_AT + MINUTE + 3 * LIMIT
    assert state.last_evaluation == ENTRIES[-1]
    assert state.approval == ApprovedRun(run="r1", run_digest="d1", who=APPROVED.who, at=START_AT)
    assert state.plan_digest == PLAN


BLIND = {"error_rate": Reading.UNKNOWN, "p95": Reading.CLEAR}


def seen_at(*minutes: int, triggers: dict[str, Reading] = CLEAR) -> list[Entry]:
    return [entry(Kind.EVALUATION, START_AT + MINUTE * each, start=5.0, triggers=triggers) for each in minutes]


@pytest.mark.parametrize(
    ("evaluations", "minutes"),
    [
        pytest.param(seen_at(5, 10, 15), 15, id="watched all the time"),
        pytest.param(seen_at(10, 20), 20, id="just often enough"),
        pytest.param(seen_at(5, 16, 20), 9, id="a gap too long does not count"),
        pytest.param(seen_at(60), 0, id="looked at once, late"),
        pytest.param([*seen_at(5), *seen_at(8, triggers=BLIND), *seen_at(12)], 12, id="a blink between looks"),
        pytest.param([*seen_at(5), *seen_at(10, 15, triggers=BLIND), *seen_at(20)], 5, id="blind for too long"),
        pytest.param(seen_at(5, 10, triggers=BLIND), 0, id="blind all along"),
        pytest.param(seen_at(5, 10, triggers={}), 0, id="no trigger was asked for"),
        pytest.param(seen_at(5, 10, 2, 7, 12), 12, id="a clock set back does not watch the same minutes twice"),
        pytest.param([entry(Kind.HOLD, START_AT + MINUTE * 5, start=5.0)], 0, id="other entries are no looks"),
    ],
)
def test_only_time_that_was_watched_counts(evaluations: list[Entry], minutes: int) -> None:
    state = stand([advance(START_AT, 0.0, 5.0), *evaluations])
    assert state.watched == MINUTE * minutes


H, C, U = Reading.HOLDS, Reading.CLEAR, Reading.UNKNOWN


@pytest.mark.parametrize(
    ("readings", "count"),
    [
        pytest.param([C, C], 0, id="clear"),
        pytest.param([C, H], 1, id="once is not sustained"),
        pytest.param([C, H, H], 2, id="twice in a row"),
        pytest.param([H, C, H], 1, id="flapping"),
        pytest.param([H, U, H], 2, id="a blink does not end the row"),
        pytest.param([U, U], 0, id="blindness is no row"),
        pytest.param([H, H, None, H], 1, id="a row ends where nobody looked for too long"),
    ],
)
def test_how_often_in_a_row_a_trigger_held(readings: list[Reading | None], count: int) -> None:
    entries = [advance(START_AT, 0.0, 5.0)]
    for number, reading in enumerate(readings, 1):
        if reading is not None:
            entries += seen_at(number * 10, triggers={"p95": reading})
    assert stand(entries).in_a_row == {"p95": count}


def test_another_percentage_is_another_stage() -> None:
    at = START_AT + timedelta(hours=1)
    state = stand([*ENTRIES, *seen_at(40, triggers={"p95": H}), advance(at, 5.0, 10.0)])
    assert (state.percentage, state.since, state.watched, state.in_a_row) == (10.0, at, timedelta(0), {})


def test_a_rollback_latches_until_a_person_resumes() -> None:
    at = START_AT + timedelta(hours=1)
    back = entry(Kind.ROLLBACK, at, start=5.0, end=0.0)
    state = stand([*ENTRIES, back, *looks(at, LIMIT, 0.0)])
    assert (state.percentage, state.since, state.latch) == (0.0, at, back)
    assert stand([*ENTRIES, back, entry(Kind.RESUME, at + LIMIT)]).latch is None
    again = stand([*ENTRIES, back, *looks(at, LIMIT, 0.0), entry(Kind.ROLLBACK, at + LIMIT)])
    assert (again.since, again.watched) == (at + LIMIT, timedelta(0))  # nothing was exposed, and yet all begins anew


def test_a_hold_stands_until_it_is_resumed() -> None:
    held = entry(Kind.HOLD, START_AT + LIMIT, start=5.0)
    assert stand([ENTRIES[1], held]).hold == held
    assert stand([ENTRIES[1], held, entry(Kind.RESUME, START_AT + 2 * LIMIT, start=5.0)]).hold is None


def test_overrides_are_never_forgotten() -> None:
    forced = entry(Kind.OVERRIDE, START_AT + LIMIT, start=5.0, end=10.0)
    back = entry(Kind.ROLLBACK, START_AT + 2 * LIMIT, start=10.0, end=0.0)
    assert stand([*ENTRIES[:2], forced, back]).overrides == (forced,)


def test_a_plan_counts_once_a_person_accepted_it() -> None:
    assert stand([*ENTRIES, entry(Kind.FLAG_CHANGE, LATER, plan_digest="new")]).plan_digest == PLAN
    assert stand([*ENTRIES, entry(Kind.PLAN_CHANGE, LATER, plan_digest="new")]).plan_digest == "new"


@st.composite
def journals(draw: st.DrawFn) -> list[Entry]:
    """Any entries at any times, a clock that jumps both ways among them."""
    percentages, triggers = st.sampled_from([0.0, 5.0, 10.0]), st.dictionaries(st.just("p95"), st.sampled_from(Reading))
    at, percentage, entries = START_AT, 0.0, []
    for kind in draw(st.lists(st.sampled_from([Kind.EVALUATION] * 9 + [Kind.ADVANCE, Kind.ROLLBACK, Kind.HOLD]))):
        at += MINUTE * draw(st.integers(-20, 20))
        end = draw(percentages) if kind in (Kind.ADVANCE, Kind.ROLLBACK) else percentage
        entries.append(entry(kind, at, start=percentage, end=end, triggers=draw(triggers)))
        percentage = end
    return entries


@given(journals(), st.integers(0, 40))
def test_within_a_stage_time_watched_never_shrinks_nor_outruns_the_clock(entries: list[Entry], kept: int) -> None:
    before, after = stand(entries[:kept]), stand(entries)
    began = before.since
    if all(stand(entries[:count]).since == began for count in range(kept, len(entries) + 1)):
        assert before.watched <= after.watched
    if not isinstance(after.since, Missing) and not isinstance(after.last_seen, Missing):
        assert timedelta(0) <= after.watched <= after.last_seen - after.since
