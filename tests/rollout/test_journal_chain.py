"""The chain: whatever was changed, moved or taken out shows, and says where."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.rollout.entries import Kind, Reading
from genesis_lib.rollout.journal_chain import read_chain, verify
from tests.rollout.journal_entries import CONTENT, LATER, LINES, START_AT, entry, reckoned, written


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        pytest.param(lambda lines: lines, [], id="nothing was done"),
        pytest.param(lambda lines: [lines[0], lines[1].replace(b"5.0", b"9.0"), *lines[2:]], [2], id="one was edited"),
        pytest.param(lambda lines: lines[1:], [1], id="the first was deleted"),
        pytest.param(lambda lines: lines[:2] + lines[3:], [3], id="one was deleted"),
        pytest.param(lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], [2, 3, 4], id="two were swapped"),
        pytest.param(lambda lines: lines[:2] + lines[1:], [3], id="one was doubled"),
        pytest.param(lambda lines: [lines[0], b"\n", *lines[1:]], [2], id="an empty line was put in"),
        pytest.param(lambda lines: [lines[0], b"[" * 99_999 + b"\n", *lines[1:]], [2], id="a deep line was put in"),
        pytest.param(lambda lines: [lines[0], b'{"digest":NaN}\n', *lines[1:]], [2], id="a line of no JSON"),
        pytest.param(lambda lines: [lines[0].replace(b":", b": "), *lines[1:]], [1], id="one was formatted anew"),
        pytest.param(lambda lines: [lines[0].replace(b"\n", b"\r\n"), *lines[1:]], [1], id="a line end was changed"),
    ],
)
def test_careless_edits_are_named_by_line(edit: Callable[[list[bytes]], list[bytes]], lines: list[int]) -> None:
    found = verify(read_chain(b"".join(edit(LINES))), at=LATER)
    assert sorted({violation.line for violation in found}) == lines
    assert all(violation.what and violation.expected and violation.observed for violation in found)


def test_a_moved_line_says_what_it_follows() -> None:
    found = verify(read_chain(b"".join([LINES[0], LINES[2], LINES[1]])), at=LATER)
    assert found[0].observed == "it follows line 3"
    assert found[1].observed == "it follows line 1"


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_any_single_byte_changed_is_found(place: int, change: int) -> None:
    changed = bytearray(CONTENT)
    changed[place] ^= change
    chain = read_chain(bytes(changed))
    # The very last byte is the line end: without it the last line is torn, which is said and not counted.
    assert verify(chain, at=LATER) or (place == len(CONTENT) - 1 and chain.torn and chain.remarks)
    assert verify(chain, at=LATER, expected_head=read_chain(CONTENT).head)


@given(st.integers(0, len(CONTENT) - 2))
def test_a_journal_cut_short_shows_against_a_head_that_was_noted(kept: int) -> None:
    head = read_chain(CONTENT).head
    chain = read_chain(CONTENT[:kept])
    assert not verify(chain, at=LATER)
    (found,) = verify(chain, at=LATER, expected_head=head)
    assert (found.line, found.what) == (len(chain.digests), "the journal was cut short or rewritten")


def test_a_head_noted_before_the_journal_grew_is_still_in_it() -> None:
    for kept in range(len(LINES) + 1):
        head = read_chain(b"".join(LINES[:kept])).head
        assert not verify(read_chain(CONTENT), at=LATER, expected_head=head)


def test_entries_from_the_future_and_a_clock_that_jumps_back_are_found() -> None:
    times = [START_AT, START_AT + timedelta(hours=2), START_AT + timedelta(hours=1)]
    chain = read_chain(written([entry(Kind.HOLD, at) for at in times]))
    found = verify(chain, at=START_AT + timedelta(minutes=90))
    assert [(violation.line, violation.what) for violation in found] == [
        (2, "an entry from the future"),
        (3, "the clock jumped back"),
    ]
    assert found[1].observed == "2025-10-20 09:00:00 UTC"


def test_what_a_newer_version_wrote_is_kept_and_said() -> None:
    line = LINES[0]
    body = line.replace(b'"kind":"approve"', b'"kind":"paused","mood":"good"')
    digest = reckoned(body)
    chain = read_chain(body.replace(read_chain(line).head.encode(), digest.encode()))
    assert not verify(chain, at=LATER)
    assert chain.entries[1].kind == "paused"
    assert [remark.split(" is of")[0] for remark in chain.remarks] == [
        "line 1: the kind paused",
        "line 1: the field mood",
    ]
    again = read_chain(written([chain.entries[1]]))
    assert again.entries == chain.entries


@pytest.mark.parametrize(
    ("was", "made"),
    [
        pytest.param(b'"to_percentage":0.0', b'"to_percentage":101.0', id="a percentage over 100"),
        pytest.param(b'"at":"2025-10-20T08:00:00Z"', b'"at":"2025-10-20T08:00:00"', id="an instant without a zone"),
        pytest.param(b'"who":', b'"whom":', id="a field that is missing"),
        pytest.param(b'"decision":null', b'"decision":"MAYBE"', id="a decision that does not exist"),
    ],
)
def test_a_sealed_line_without_sense_is_found(was: bytes, made: bytes) -> None:
    assert was in LINES[0]
    body = LINES[0].replace(was, made)
    sealed_anew = body.replace(read_chain(LINES[0]).head.encode(), reckoned(body).encode())
    (found,) = verify(read_chain(sealed_anew), at=LATER)
    assert found.observed.startswith("its entry cannot be understood")


@pytest.mark.parametrize("percentage", [-0.1, 100.1, float("nan")])
def test_an_entry_has_a_percentage(percentage: float) -> None:
    with pytest.raises(ValueError, match="percentage"):
        entry(Kind.HOLD, start=percentage)


def test_an_entry_has_an_instant_with_a_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        entry(Kind.HOLD, START_AT.replace(tzinfo=None))


@given(st.lists(st.text(), max_size=3), st.datetimes(timezones=st.just(UTC)), st.floats(0, 100))
def test_any_entry_comes_back_as_it_was(reasons: list[str], at: datetime, percentage: float) -> None:
    odd = entry(Kind.EVALUATION, at, start=percentage, reasons=tuple(reasons), triggers={"p95": Reading.HOLDS})
    chain = read_chain(written([odd]))
    assert (chain.entries, chain.violations) == ({1: odd}, ())


def test_a_name_that_is_no_text_is_put_on_record_as_far_as_it_is() -> None:
    chain = read_chain(written([entry(Kind.HOLD, who="Ad\udcff")]))
    assert not chain.violations
    assert chain.entries[1].who == "Ad?"
