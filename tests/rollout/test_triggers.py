"""Each trigger holds, is clear, or cannot be told; what cannot be told is never clear."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.rollout.entries import Kind, Reading
from genesis_lib.rollout.gate_facts import Suite, TriggerFacts
from genesis_lib.rollout.journal_state import state_of
from genesis_lib.rollout.triggers import Trigger, TriggerReading, read_triggers
from tests.rollout.gate_cases import HOUR, LOST, MINUTE, NAN, TRIGGER_POLICY, triggers, windows
from tests.rollout.journal_entries import LIMIT, START_AT, entry

HOLDS, CLEAR, UNKNOWN = Reading.HOLDS, Reading.CLEAR, Reading.UNKNOWN
BADNESS = (CLEAR, UNKNOWN, HOLDS)


def read(facts: TriggerFacts) -> dict[Trigger, TriggerReading]:
    return {one.trigger: one for one in read_triggers(facts, TRIGGER_POLICY)}


@pytest.mark.parametrize(
    ("counts", "reading", "reason"),
    [
        pytest.param([(1000, 5)], CLEAR, "0.50 % of operations failed in the last 5 min (5 of 1,000)", id="a few errors"),
        pytest.param([(1000, 10)], CLEAR, "1 % are allowed", id="1 % is not over 1 %"),
        pytest.param([(1000, 11)], HOLDS, "1.10 % of operations failed in the last 5 min (11 of 1,000), over 1 %", id="1.1 % is"),
        pytest.param([(100, 3)], HOLDS, "over 1 %", id="three bad ones of a hundred are just enough to hold"),
        pytest.param([(100, 2)], CLEAR, "3 bad events are needed", id="two bad events are no rate"),
        pytest.param([(100, 2), (200, 4)], HOLDS, "in the last 1 h", id="too few bad events: the window grows, and they add up"),
        pytest.param([(100, 2), (5000, 9)], CLEAR, "in the last 1 h", id="too few bad events: the window grows, and they do not"),
        pytest.param([(99, 50)], UNKNOWN, "99 events in the last 5 min, and 100 are needed", id="too few events to tell"),
        pytest.param([(99, 50), (150, 60)], HOLDS, "in the last 1 h", id="too few events: the window grows to where there are enough"),
        pytest.param([(20, 0), (60, 0), (90, 1)], UNKNOWN, "90 events in the last 1 d", id="too few since the stage began"),
        pytest.param([(150, 60), (90_000, 61)], HOLDS, "in the last 5 min", id="the shortest window that can tell decides"),
        pytest.param([(0, 0), (9000, 0)], UNKNOWN, "nothing happened in the last 5 min", id="traffic that stopped is no good news"),
        pytest.param([(LOST, 0), (9000, 0)], UNKNOWN, "refused the connection", id="how many there were is not known"),
        pytest.param([(9000, LOST)], UNKNOWN, "refused the connection", id="how many were bad is not known"),
        pytest.param([(20, 0), (LOST, LOST)], UNKNOWN, "refused the connection", id="the window grows into the unknown"),
        pytest.param([(NAN, 0)], UNKNOWN, "nan is not a number", id="NaN events"),
        pytest.param([(1000, NAN)], UNKNOWN, "nan is not a number", id="NaN bad events"),
        pytest.param([(float("inf"), 0)], UNKNOWN, "inf is not a number", id="infinitely many events"),
        pytest.param([], UNKNOWN, "no window was asked for", id="no window at all"),
    ],
)  # fmt: skip
def test_the_error_rate(counts: list[Any], reading: Reading, reason: str) -> None:
    found = read(triggers(errors=windows(*counts)))[Trigger.ERROR_RATE]
    assert found.reading is reading
    assert reason in found.reason.replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("facts", "trigger", "reading"),
    [
        pytest.param(triggers(slow=windows((1000, 50))), Trigger.LATENCY, CLEAR, id="5 % over 500 ms: P95 is not over it"),
        pytest.param(triggers(slow=windows((1000, 51))), Trigger.LATENCY, HOLDS, id="5.1 % over 500 ms: P95 is"),
        pytest.param(triggers(slow=windows((1000, LOST))), Trigger.LATENCY, UNKNOWN, id="latencies are not known"),
        pytest.param(triggers(failed_health_checks=0), Trigger.FAILED_HEALTH_CHECKS, CLEAR, id="the last check was passed"),
        pytest.param(triggers(failed_health_checks=4), Trigger.FAILED_HEALTH_CHECKS, CLEAR, id="four failed in a row"),
        pytest.param(triggers(failed_health_checks=5), Trigger.FAILED_HEALTH_CHECKS, HOLDS, id="five failed in a row"),
        pytest.param(triggers(failed_health_checks=LOST), Trigger.FAILED_HEALTH_CHECKS, UNKNOWN, id="nobody checked"),
        pytest.param(triggers(suite=Suite(pass_ratio=0.95, age=HOUR)), Trigger.PASS_RATE, CLEAR, id="95 % passed"),
        pytest.param(triggers(suite=Suite(pass_ratio=0.949, age=HOUR)), Trigger.PASS_RATE, HOLDS, id="94.9 % passed"),
        pytest.param(triggers(suite=Suite(pass_ratio=0.5, age=2 * HOUR)), Trigger.PASS_RATE, HOLDS, id="a suite of two hours ago tells"),
        pytest.param(triggers(suite=Suite(pass_ratio=1, age=2 * HOUR + MINUTE)), Trigger.PASS_RATE, UNKNOWN, id="an older one does not"),
        pytest.param(triggers(suite=Suite(pass_ratio=1, age=-MINUTE)), Trigger.PASS_RATE, UNKNOWN, id="a suite from the future"),
        pytest.param(triggers(suite=Suite(pass_ratio=NAN, age=HOUR)), Trigger.PASS_RATE, UNKNOWN, id="NaN passed"),
        pytest.param(triggers(suite=Suite(pass_ratio=LOST, age=HOUR)), Trigger.PASS_RATE, UNKNOWN, id="how many passed is not known"),
        pytest.param(triggers(suite=LOST), Trigger.PASS_RATE, UNKNOWN, id="no suite was run"),
    ],
)  # fmt: skip
def test_the_others(facts: TriggerFacts, trigger: Trigger, reading: Reading) -> None:
    found = read(facts)
    assert found[trigger].reading is reading
    assert [one.reading for one in found.values() if one.trigger is not trigger] == [CLEAR] * 3


@pytest.mark.parametrize(
    ("before", "bad", "in_a_row", "is_sustained"),
    [
        pytest.param(0, 50, 1, False, id="once is not sustained"),
        pytest.param(1, 50, 2, True, id="twice in a row is"),
        pytest.param(6, 50, 7, True, id="and stays so"),
        pytest.param(6, 0, 0, False, id="a clear evaluation ends the row"),
        pytest.param(1, LOST, 1, False, id="an evaluation that cannot tell neither adds to the row nor ends it"),
    ],
)
def test_a_row_of_evaluations(before: int, bad: Any, in_a_row: int, is_sustained: bool) -> None:  # noqa: FBT001 - a row
    facts = triggers(errors=windows((1000, bad)), held_before={"error_rate": before, "latency": 9})
    found = read(facts)
    assert (found[Trigger.ERROR_RATE].in_a_row, found[Trigger.ERROR_RATE].is_sustained) == (in_a_row, is_sustained)
    assert not found[Trigger.LATENCY].is_sustained


@given(st.lists(st.sampled_from([0, 50, LOST]), min_size=1, max_size=8))
def test_a_row_is_counted_as_the_journal_counts_it(course: list[Any]) -> None:
    entries = [entry(Kind.ADVANCE, start=0, end=5)]
    for step, bad in enumerate(course, start=1):
        before = state_of(entries, watch_limit=LIMIT).in_a_row
        found = read_triggers(triggers(errors=windows((1000, bad)), held_before=before), TRIGGER_POLICY)
        seen = {str(one.trigger): one.reading for one in found}
        entries.append(entry(Kind.EVALUATION, START_AT + step * MINUTE, start=5, triggers=seen))
        assert {str(one.trigger): one.in_a_row for one in found} == state_of(entries, watch_limit=LIMIT).in_a_row


EVENTS = st.integers(min_value=0, max_value=5000)


@given(EVENTS, EVENTS, EVENTS, EVENTS, st.integers(min_value=0, max_value=100))
def test_more_bad_events_never_read_better(short: int, more: int, bad: int, bad_before: int, worse: int) -> None:
    def reading(extra: int) -> Reading:
        lately = min(short, bad + extra)
        errors = windows((short, lately), (short + more, lately + min(more, bad_before)))
        return read(triggers(errors=errors))[Trigger.ERROR_RATE].reading

    assert BADNESS.index(reading(worse)) >= BADNESS.index(reading(0))


@given(EVENTS, EVENTS, EVENTS, st.sampled_from(["events", "bad"]), st.sampled_from([LOST, NAN]))
def test_what_is_lost_never_reads_clear_where_it_was_not(
    short: int, more: int, bad: int, field: str, lost: Any
) -> None:
    whole = windows((short, min(short, bad)), (short + more, min(short + more, bad)))
    for index in range(2):
        damaged = list(whole)
        damaged[index] = replace(damaged[index], **{field: lost})
        after = read(triggers(errors=tuple(damaged)))[Trigger.ERROR_RATE].reading
        assert after is not CLEAR or read(triggers(errors=whole))[Trigger.ERROR_RATE].reading is CLEAR


@given(st.floats(min_value=0, max_value=1), st.floats(min_value=0, max_value=1), st.integers(0, 240))
def test_a_lower_pass_rate_never_reads_better(one: float, other: float, minutes: int) -> None:
    lower, higher = sorted((one, other))
    worse, better = (
        read(triggers(suite=Suite(pass_ratio=ratio, age=timedelta(minutes=minutes))))[Trigger.PASS_RATE].reading
        for ratio in (lower, higher)
    )
    assert BADNESS.index(worse) >= BADNESS.index(better)
