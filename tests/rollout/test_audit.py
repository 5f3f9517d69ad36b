"""The audit: a rollout that kept the plan passes, and each way of breaking it is named by line."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.errors import ParameterError
from genesis_lib.rollout.audit import Rules, audit
from genesis_lib.rollout.entries import Entry, GateDecision, Kind
from genesis_lib.rollout.journal_chain import misdated
from genesis_lib.rollout.journal_history import read_history
from tests.rollout.journal_entries import LIMIT, START_AT, advance, entry, looks

HOUR = timedelta(hours=1)
RULES = Rules(
    soaks={0.0: timedelta(0), 5.0: HOUR, 10.0: HOUR, 25.0: HOUR, 100.0: HOUR}, watch_limit=LIMIT, approval_age=24 * HOUR
)
DAY = timedelta(days=1)
WEEK = replace(RULES, soaks={0.0: timedelta(0), **dict.fromkeys((5.0, 10.0, 25.0, 50.0, 75.0, 100.0), DAY)})


def whats(entries: list[Entry]) -> list[tuple[int, str]]:
    return [(each.line, each.what) for each in audit(dict(enumerate(entries, 1)), RULES)]


def rollout() -> list[Entry]:
    """0 → 5 → 10 %, an hour each, as the plan wants it: 27 entries."""
    at = START_AT + timedelta(minutes=1)
    return [
        entry(Kind.APPROVE, run="r1"),
        advance(at, 0.0, 5.0),
        *looks(at, HOUR, 5.0),
        advance(at + HOUR, 5.0, 10.0),
        *looks(at + HOUR, HOUR, 10.0),
    ]


ENDS_AT = START_AT + timedelta(minutes=1) + 2 * HOUR
NEXT = advance(ENDS_AT, 10.0, 25.0)
LINE = len(rollout()) + 1


def test_a_rollout_by_the_plan_breaks_no_rule() -> None:
    assert whats([*rollout(), NEXT]) == []


@pytest.mark.parametrize(
    ("more", "what"),
    [
        pytest.param(replace(NEXT, decision=None), "a step that the gate did not allow", id="the gate was not asked"),
        pytest.param(
            replace(NEXT, decision=GateDecision.HOLD, reasons=("too few operations",)),
            "a step that the gate did not allow",
            id="the gate said HOLD",
        ),
        pytest.param(replace(NEXT, to_percentage=100.0), "a stage was jumped over", id="a jump"),
        pytest.param(replace(NEXT, to_percentage=30.0), "a percentage that is no stage of the plan", id="off the plan"),
        pytest.param(
            replace(NEXT, from_percentage=5.0), "the step begins where the rollout was not", id="from elsewhere"
        ),
        pytest.param(replace(NEXT, plan_digest="new"), "a step by a plan that nobody accepted", id="another plan"),
        pytest.param(
            replace(NEXT, kind=Kind.OVERRIDE, why=" "), "an override without a reason", id="an unreasoned override"
        ),
        pytest.param(
            replace(NEXT, kind=Kind.OVERRIDE, to_percentage=100.0),
            "a stage was jumped over",
            id="an override is bound to the plan's stages",
        ),
        pytest.param(
            replace(NEXT, to_percentage=5.0),
            "an entry of kind advance does not move so",
            id="an advance that goes down",
        ),
        pytest.param(
            replace(NEXT, kind=Kind.FLAG_CHANGE),
            "an entry of kind flag_change does not move so",
            id="a step in disguise",
        ),
    ],
)
def test_each_broken_rule_is_named_by_line(more: Entry, what: str) -> None:
    assert whats([*rollout(), more]) == [(LINE, what)]


def test_the_gates_reasons_are_shown() -> None:
    held = replace(NEXT, decision=GateDecision.HOLD, reasons=("too few operations",))
    (found,) = audit(dict(enumerate([*rollout(), held], 1)), RULES)
    assert (found.expected, found.observed) == ("the gate's ADVANCE", "the gate said HOLD: too few operations")


@pytest.mark.parametrize(
    ("gone", "observed"),
    [
        pytest.param(slice(26, 27), "55 min watched in 1 h", id="asked five minutes early"),
        pytest.param(slice(17, 20), "40 min watched in 1 h", id="nobody watched for twenty minutes"),
        pytest.param(slice(16, 27), "5 min watched in 1 h", id="looked at once"),
    ],
)
def test_a_soak_that_was_not_watched_is_cut_short(gone: slice, observed: str) -> None:
    kept = dict(enumerate(rollout(), 1))
    for line in list(kept)[gone]:
        del kept[line]
    kept[LINE] = NEXT
    (found,) = audit(kept, RULES)
    assert (found.line, found.what) == (
        LINE,
        "the soak at 10 % was cut short".replace("10 %", "10\N{NARROW NO-BREAK SPACE}%"),
    )
    assert found.observed.replace("\N{NARROW NO-BREAK SPACE}", " ") == observed


def test_an_override_with_a_reason_stands_in_for_the_gate_the_soak_and_the_approval() -> None:
    assert whats([entry(Kind.OVERRIDE, end=5.0), entry(Kind.OVERRIDE, START_AT + LIMIT, start=5.0, end=10.0)]) == []


@pytest.mark.parametrize("kind", [Kind.ADVANCE, Kind.OVERRIDE])
@pytest.mark.parametrize(
    ("stop", "what"),
    [
        pytest.param(
            Kind.ROLLBACK, "the percentage was raised after a rollback that nobody resumed from", id="latched"
        ),
        pytest.param(Kind.HOLD, "the percentage was raised while a person held it", id="held"),
    ],
)
def test_nothing_is_raised_before_a_resume(kind: Kind, stop: Kind, what: str) -> None:
    back = entry(Kind.ROLLBACK, ENDS_AT, start=10.0, end=0.0)
    stopped = [*rollout(), back, entry(Kind.RESUME, ENDS_AT), entry(stop, ENDS_AT)]
    again = replace(advance(ENDS_AT + LIMIT, 0.0, 5.0), kind=kind)
    assert whats([*stopped, again]) == [(LINE + 3, what)]
    assert whats([*stopped, entry(Kind.RESUME, ENDS_AT), again]) == []


def test_a_step_needs_an_approval_and_the_first_a_fresh_one() -> None:
    assert whats([advance(START_AT, 0.0, 5.0)]) == [(1, "a step without an approved run")]
    late = START_AT + 25 * HOUR
    assert whats([entry(Kind.APPROVE), advance(late, 0.0, 5.0)]) == [(2, "the approval had grown old")]
    slow = replace(RULES, approval_age=HOUR)
    assert audit(dict(enumerate([*rollout(), NEXT], 1)), slow) == []  # it may grow old while the rollout goes on
    accepted = [entry(Kind.APPROVE), entry(Kind.PLAN_CHANGE, plan_digest="new")]
    assert whats([*accepted, advance(START_AT + HOUR, 0.0, 5.0, plan_digest="new")]) == []


def test_a_rollback_may_come_at_any_time_and_from_anybody() -> None:
    for count in range(1, len(rollout()) + 1):
        kept = rollout()[:count]
        start = kept[-1].to_percentage
        assert whats([*kept, entry(Kind.ROLLBACK, kept[-1].at, start=start, end=0.0)]) == []


def test_there_is_nothing_beyond_the_last_stage() -> None:
    rules = replace(RULES, soaks={0.0: timedelta(0), 5.0: timedelta(0)})
    steps = {1: entry(Kind.APPROVE), 2: advance(START_AT, 0.0, 5.0), 3: advance(START_AT, 5.0, 10.0)}
    (found,) = audit(steps, rules)
    assert (found.line, found.what) == (3, "a step beyond the plan's last stage")


@given(st.lists(st.sampled_from([0.0, 5.0, 10.0, 25.0, 60.0, 100.0]), max_size=8))
def test_no_raise_gets_by_without_gate_and_approval(percentages: list[float]) -> None:
    entries, before = [], 0.0
    for number, percentage in enumerate(percentages):
        kind = Kind.ADVANCE if percentage > before else Kind.ROLLBACK
        entries.append(entry(kind, START_AT + number * DAY, start=before, end=percentage))
        before = percentage
    found = whats(entries)
    for line, each in enumerate(entries, 1):
        is_raise = each.to_percentage > each.from_percentage
        assert ((line, "a step that the gate did not allow") in found) is is_raise
        assert ((line, "a step without an approved run") in found) is is_raise


# Histories of others


def history(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "history.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def step(percentage: Any, minute: float, action: str = "set_percentage", **more: Any) -> dict[str, Any]:
    at = datetime(2025, 10, 20, 8, tzinfo=UTC) + timedelta(minutes=minute)
    return {"action": action, "percentage": percentage, "timestamp": at.isoformat(), **more}


TWENTY_FIVE_MINUTES = [
    step(percentage, minute)
    for percentage, minute in zip((0, 5, 10, 25, 50, 75, 100), (0, 4, 8, 12, 16, 20, 25), strict=True)
]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(TWENTY_FIVE_MINUTES, id="a list"),
        pytest.param({"feature": "phase_4", "steps": TWENTY_FIVE_MINUTES, "tags": [], "n": [1]}, id="in an object"),
    ],
)
def test_seven_steps_in_25_minutes_are_violations(content: Any, tmp_path: Path) -> None:
    found = audit(read_history(history(tmp_path, content)).entries, WEEK)
    raises = {2, 3, 4, 5, 6, 7}
    assert {each.line for each in found if each.what == "a step that the gate did not allow"} == raises
    assert {each.line for each in found if each.what == "a step without an approved run"} == raises
    cut = [each for each in found if each.what.endswith("was cut short")]
    assert [each.line for each in cut] == [3, 4, 5, 6, 7]
    assert cut[0].expected.replace("\N{NARROW NO-BREAK SPACE}", " ") == "1 d watched"
    assert cut[-1].observed.replace("\N{NARROW NO-BREAK SPACE}", " ") == "0 s watched in 5 min"


def test_a_history_is_judged_by_its_numbers_before_its_words(tmp_path: Path) -> None:
    steps = [
        step(10, 0, "rollback"),
        step(10, 1, "paused for lunch"),
        step(0, 2, "advance"),
        step(0, 3, "resume"),
        step(5, 4, "override"),
    ]
    read = read_history(history(tmp_path, steps))
    assert [each.kind for each in read.entries.values()] == [
        Kind.ADVANCE,
        "paused for lunch",
        Kind.ROLLBACK,
        Kind.RESUME,
        Kind.ADVANCE,
    ]
    assert (1, "a stage was jumped over") in [(each.line, each.what) for each in audit(read.entries, WEEK)]


def test_times_may_be_seconds_or_lack_a_zone_which_is_said(tmp_path: Path) -> None:
    steps = [
        {"action": "a", "percentage": 0, "timestamp": 1_760_947_200},
        {"action": "b", "percentage": 5.5, "timestamp": "2025-10-20T07:59:00"},
    ]
    read = read_history(history(tmp_path, steps))
    assert [each.at for each in read.entries.values()] == [START_AT, START_AT - timedelta(minutes=1)]
    assert read.remarks == ("1 timestamps name no time zone and are read as UTC",)
    assert [(each.line, each.what) for each in misdated(read.entries, at=START_AT)] == [(2, "the clock jumped back")]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("{", "no JSON", id="no JSON"),
        pytest.param("[" * 99_999, "no JSON", id="deeper than can be read"),
        pytest.param([], "no histories", id="an empty list"),
        pytest.param(7, "no histories", id="a number"),
        pytest.param({"a": [{"percentage": 5}]}, "no histories", id="steps without time"),
        pytest.param({"a": TWENTY_FIVE_MINUTES, "b": TWENTY_FIVE_MINUTES}, "2 histories", id="two of them"),
        pytest.param([step(5, 0), step("10 %", 1)], "step 2 cannot be understood", id="a percentage in words"),
        pytest.param([{**step(0, 0), "percentage": True}], "True is no number", id="yes is no percentage"),
        pytest.param([step(101, 0)], "no percentage from 0 to 100", id="over 100"),
        pytest.param([{**step(5, 0), "timestamp": "noon"}], "step 1 cannot be", id="a time in words"),
        pytest.param([{**step(5, 0), "timestamp": 1e300}], "step 1 cannot be", id="a time beyond all calendars"),
    ],
)
def test_what_is_no_history_is_refused(content: Any, told: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=told):
        read_history(history(tmp_path, content))


def test_a_history_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="cannot be read"):
        read_history(tmp_path / "none.json")
