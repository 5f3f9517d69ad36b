"""Entries of an invented rollout, for the journal's tests."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from genesis_lib.rollout.entries import Entry, GateDecision, Kind, Reading
from genesis_lib.rollout.journal_chain import START, read_chain, sealed

START_AT = datetime(2025, 10, 20, 8, tzinfo=UTC)
LIMIT = timedelta(minutes=10)
PLAN = "9f2c"
CLEAR = {"error_rate": Reading.CLEAR, "p95": Reading.CLEAR}


def entry(
    kind: Kind | str, at: datetime = START_AT, *, start: float = 0.0, end: float | None = None, **more: Any
) -> Entry:
    """An entry that stands on plan PLAN and says little; `more` sets any other field."""
    fields: dict[str, Any] = {
        "who": "Ada",
        "why": "it was time",
        "decision": None,
        "reasons": (),
        "triggers": {},
        "run": "",
        "run_digest": "",
        "evidence": (),
        "plan_digest": PLAN,
        **more,
    }
    return Entry(kind=kind, at=at, from_percentage=start, to_percentage=start if end is None else end, **fields)


def looks(
    begin: datetime, length: timedelta, percentage: float, triggers: Mapping[str, Reading] = CLEAR
) -> list[Entry]:
    """Evaluations every five minutes, the first five minutes after `begin`, the last at `begin + length`."""
    step = timedelta(minutes=5)
    times = [begin + step * count for count in range(1, length // step + 1)]
    return [entry(Kind.EVALUATION, at, start=percentage, triggers=triggers) for at in times]


def advance(at: datetime, start: float, end: float, **more: Any) -> Entry:
    """A step that the gate allowed."""
    return entry(Kind.ADVANCE, at, start=start, end=end, **{"decision": GateDecision.ADVANCE, **more})


def written(entries: list[Entry]) -> bytes:
    """A journal's content."""
    content, head = b"", START
    for each in entries:
        line = sealed(each, previous=head)
        head = read_chain(line).head
        content += line
    return content


def reckoned(line: bytes) -> str:
    """The digest of a line's body, reckoned by the letter of the format: SHA-256 of the canonical JSON of entry and previous."""
    body = json.loads(line)
    kept = {name: body[name] for name in ("entry", "previous")}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


LATER = START_AT + timedelta(days=30)
APPROVED = entry(Kind.APPROVE, run="r1", run_digest="d1", who="Grace \u202e\u03a9", why='"yes"\n{}')
MINUTE = timedelta(minutes=1)
ENTRIES = [APPROVED, advance(START_AT + MINUTE, 0.0, 5.0), *looks(START_AT + MINUTE, 3 * LIMIT, 5.0)]


CONTENT = written(ENTRIES)
LINES = CONTENT.splitlines(keepends=True)
