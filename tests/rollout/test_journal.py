"""The journal's file: what was added stays, whoever writes, dies or runs out of room."""

import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.rollout import journal as journal_module
from genesis_lib.rollout.entries import Kind
from genesis_lib.rollout.journal import Journal, JournalError
from genesis_lib.rollout.journal_chain import START, Chain, read_chain, verify
from tests.rollout.journal_entries import APPROVED, CONTENT, ENTRIES, LATER, LINES, entry

FULL = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    Journal(Path(sys.argv[1])).append(entry("hold"))
except JournalError as error:
    print(error)
"""


def in_a_child(script: str, *arguments: object) -> subprocess.Popen[str]:
    preamble = "import sys\nfrom pathlib import Path\nfrom genesis_lib.rollout.journal import Journal, JournalError\n"
    preamble += "from tests.rollout.journal_entries import *\n"
    command = [sys.executable, "-c", preamble + script, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def test_what_was_added_is_read_back_in_its_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "journal.jsonl")
    assert journal.read() == Chain(entries={}, digests=(), violations=(), remarks=(), torn=b"")
    heads = [journal.append(each) for each in ENTRIES]
    chain = journal.read()
    assert list(chain.entries.values()) == ENTRIES
    assert chain.digests == tuple(heads)
    assert (chain.violations, chain.remarks, chain.torn) == ((), (), b"")
    assert journal.path.read_bytes() == CONTENT
    assert heads[-1] in LINES[-1].decode()  # an operator can compare a report's head with the file by eye


@pytest.mark.parametrize("kept", [1, 40, len(LINES[1]) // 2, len(LINES[1]) - 2, len(LINES[1]) - 1])
def test_a_last_line_cut_off_anywhere_is_kept_aside_and_said(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(LINES[0] + LINES[1][:kept])
    is_whole = kept == len(LINES[1]) - 1  # only its line end is missing, and its digest vouches for it
    before = Journal(path).read()
    assert len(before.entries) == (2 if is_whole else 1)
    assert not verify(before, at=LATER)
    assert ["line 2 is not whole" in remark for remark in before.remarks] == ([] if is_whole else [True])
    Journal(path).append(ENTRIES[1])
    after = Journal(path).read()
    assert list(after.entries.values()) == [APPROVED, *[ENTRIES[1]] * (2 if is_whole else 1)]
    assert not verify(after, at=LATER)
    asides = list(tmp_path.glob("*.torn-*"))
    assert [aside.read_bytes() for aside in asides] == ([] if is_whole else [LINES[1][:kept]])
    assert [any(aside.name in remark for remark in after.remarks) for aside in asides] == [True] * len(asides)


@given(st.integers(0, len(CONTENT)))
def test_the_next_line_hangs_on_the_end_alone(kept: int) -> None:
    whole, end = read_chain(CONTENT[:kept]), read_chain(journal_module._end_of(CONTENT[:kept]))
    assert (end.head, end.torn) == (whole.head, whole.torn)


def test_an_entry_decided_on_an_older_journal_is_refused(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    seen = journal.append(APPROVED, after=START)
    journal.append(ENTRIES[1], after=seen)
    with pytest.raises(JournalError, match="another writer was faster"):
        journal.append(ENTRIES[1], after=seen)
    assert len(journal.read().entries) == 2


def test_two_writers_lose_nothing_and_break_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    script = "for _ in range(25): Journal(Path(sys.argv[1])).append(entry('hold', who=sys.argv[2]))"
    with in_a_child(script, path, "Ada") as one, in_a_child(script, path, "Grace") as other:
        assert (one.wait(), other.wait()) == (0, 0)
    chain = Journal(path).read()
    assert not verify(chain, at=LATER)
    assert sorted(each.who for each in chain.entries.values()) == ["Ada"] * 25 + ["Grace"] * 25


def test_a_writer_that_hangs_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_LOCK_TIMEOUT_S", 0.1)
    path = tmp_path / "journal.jsonl"
    with (
        FileLock(f"{path}.lock"),
        pytest.raises(JournalError, match=r"another writer has held the journal"),
    ):
        Journal(path).append(APPROVED)
    assert not path.exists()


@pytest.mark.parametrize(
    ("torn", "room"),
    [
        pytest.param(b"", 0, id="not one byte more"),
        pytest.param(b"", 100, id="part of a line"),
        pytest.param(b'{"dig', 100, id="part of a line, after one that was cut off"),
    ],
)
def test_a_full_disk_leaves_the_old_journal_whole(torn: bytes, room: int, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(LINES[0] + LINES[1] + torn)
    with in_a_child(FULL, path, len(LINES[0] + LINES[1]) + room) as child:
        told, _ = child.communicate()
    assert "nothing was written (File too large)" in told
    assert path.read_bytes() == LINES[0] + LINES[1]
    assert [aside.read_bytes() for aside in tmp_path.glob("*.torn-*")] == ([torn] if torn else [])
    Journal(path).append(ENTRIES[2])
    assert not verify(Journal(path).read(), at=LATER)


def test_a_torn_line_that_cannot_be_kept_aside_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(LINES[0] + b'{"dig')
    with in_a_child(FULL, path, 3) as child:
        told, _ = child.communicate()
    assert "nothing was written" in told
    assert path.read_bytes() == LINES[0] + b'{"dig'
    assert not any("is kept in" in remark for remark in Journal(path).read().remarks)


def test_a_journal_that_cannot_be_read_is_an_error_and_no_empty_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be read"):
        Journal(tmp_path).read()
    with pytest.raises(JournalError, match="nothing was written"):
        Journal(Path(__file__) / "journal.jsonl").append(APPROVED)


def test_a_rollback_is_put_on_record_though_the_journal_was_edited(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(LINES[0] + b"oh dear\n")
    Journal(path).append(entry(Kind.ROLLBACK, start=5.0, end=0.0))
    chain = Journal(path).read()
    assert chain.entries[3].kind is Kind.ROLLBACK
    assert [violation.line for violation in verify(chain, at=LATER)] == [2]
