"""Chain the journal's lines by their digests, and tell from the lines alone whether one was changed, moved or taken out. Pure.

A line is canonical JSON: the entry, the digest of the line before, and the digest of both. The chain shows accidents and careless
edits, not an author who rewrites it all; lines cut from its end show only against a head digest that was noted elsewhere.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from genesis_lib.formatting import instant, plain, shortened
from genesis_lib.rollout.entries import Entry, Kind, Violation

__all__ = ["START", "Chain", "misdated", "read_chain", "sealed", "verify"]

START = "0" * 64  # what the first line follows
_KEYS = {"digest", "entry", "previous"}
_LONGEST_WORD = 60  # of text from a line that nobody vouches for


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A journal as read.

    `entries` are the lines that could be understood, by line number. `digests` has one for each line, understood or not.
    `violations` are breaks of the chain; `remarks` tell of what is unusual and harmless. `torn` is the start of a last line whose
    writing was cut off.
    """

    entries: Mapping[int, Entry]
    digests: tuple[str, ...]
    violations: tuple[Violation, ...]
    remarks: tuple[str, ...]
    torn: bytes

    @property
    def head(self) -> str:
        """The digest of the last line, which stands for all before it too."""
        return self.digests[-1] if self.digests else START


def sealed(entry: Entry, *, previous: str) -> bytes:
    """An entry as the line that follows the line of digest `previous`."""
    fields = json.dumps(_entries().dump_python(entry, mode="json"), ensure_ascii=False)
    # A lone surrogate, which a command line can bring in, is no text that could be read back: it becomes a question mark.
    body = {"entry": json.loads(fields.encode(errors="replace")), "previous": previous}
    return _canonical({**body, "digest": _digest(body)}) + b"\n"


def read_chain(content: bytes) -> Chain:
    """All lines of a journal, and every break between them."""
    *lines, torn = content.split(b"\n")
    if _is_whole(torn):  # it lacks only its line end: the digest vouches for the rest
        lines, torn = [*lines, torn], b""
    bodies = [_body(line) for line in lines]
    digests = [_stated(body, line) for body, line in zip(bodies, lines, strict=True)]
    numbers = {digest: number for number, digest in enumerate(digests, 1)}
    entries: dict[int, Entry] = {}
    violations: list[Violation] = []
    remarks: list[str] = []
    for number, (line, body) in enumerate(zip(lines, bodies, strict=True), 1):
        if isinstance(body, str):
            violations.append(_broken(number, body))
            continue
        is_changed = _digest(body) != body["digest"] or _canonical(body) != line
        if is_changed:
            violations.append(_broken(number, "its content and its digest do not agree"))
        follows = digests[number - 2] if number > 1 else START
        if body["previous"] != follows and not (number > 1 and isinstance(bodies[number - 2], str)):
            violations.append(_misplaced(number, numbers.get(str(body["previous"]))))
        try:
            entries[number] = _entries().validate_json(_canonical(body["entry"]), strict=True)
        except ValueError as error:
            if not is_changed:
                violations.append(_broken(number, f"its entry cannot be understood ({_first_line(error)})"))
            continue
        remarks += _novelties(number, entries[number], body["entry"])
    if torn:
        remarks.append(
            f"line {len(lines) + 1} is not whole: its writing was cut off, or is going on; it does not count"
        )
    return Chain(
        entries=entries, digests=tuple(digests), violations=tuple(violations), remarks=tuple(remarks), torn=torn
    )


def verify(chain: Chain, *, at: datetime, expected_head: str = "") -> list[Violation]:
    """Everything that is wrong with a journal, by line.

    Args:
        chain: the journal as read.
        at: now; entries after it are from the future.
        expected_head: a head digest that was noted earlier, in a report say; empty where none is known. The journal may have grown
            since, but must still hold that line.

    """
    found = [*chain.violations, *misdated(chain.entries, at=at)]
    if expected_head not in ("", START, *chain.digests):
        expected = f"a line of digest {plain(expected_head)}"
        observed = f"{len(chain.digests)} lines, the last of digest {chain.head}"
        found.append(_violation(len(chain.digests), "the journal was cut short or rewritten", expected, observed))
    return sorted(found, key=lambda violation: violation.line)


def misdated(entries: Mapping[int, Entry], *, at: datetime) -> list[Violation]:
    """Entries later than now, and entries earlier than the one above them."""
    found = []
    previous: datetime | None = None
    for number, entry in entries.items():
        if entry.at > at:
            expected = f"no entry later than now, {instant(at)}"
            found.append(_violation(number, "an entry from the future", expected, instant(entry.at)))
        if previous is not None and entry.at < previous:
            expected = f"not before the entry above, {instant(previous)}"
            found.append(_violation(number, "the clock jumped back", expected, instant(entry.at)))
        previous = entry.at
    return found


@cache
def _entries() -> TypeAdapter[Entry]:
    return TypeAdapter(Entry)


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(_canonical({"entry": body["entry"], "previous": body["previous"]})).hexdigest()


def _body(line: bytes) -> dict[str, Any] | str:
    """A line's parts, or why it has none."""
    try:
        body = json.loads(line)
        _canonical(body)  # NaN is no JSON
    except (ValueError, RecursionError) as error:
        return f"it is no JSON ({_first_line(error)})"
    if not isinstance(body, dict) or body.keys() != _KEYS:
        return f"it is not the line of a journal, which has {', '.join(sorted(_KEYS))}"
    return body


def _stated(body: dict[str, Any] | str, line: bytes) -> str:
    return hashlib.sha256(line).hexdigest() if isinstance(body, str) else str(body["digest"])


def _is_whole(tail: bytes) -> bool:
    body = _body(tail)
    return not isinstance(body, str) and _digest(body) == body["digest"]


def _novelties(number: int, entry: Entry, raw: Mapping[str, Any]) -> list[str]:
    unknown = sorted(raw.keys() - set(Entry.__slots__))
    names = [f"the kind {_word(entry.kind)}"] if not isinstance(entry.kind, Kind) else []
    names += [f"the field {_word(name)}" for name in unknown]
    return [f"line {number}: {name} is of a newer version; it is kept, and not understood" for name in names]


def _broken(number: int, observed: str) -> Violation:
    return _violation(number, "the line was changed after it was written", "a line as the journal writes it", observed)


def _misplaced(number: int, follows: int | None) -> Violation:
    expected = f"a line that follows line {number - 1}" if number > 1 else "a line that follows none"
    observed = f"it follows line {follows}" if follows else "it follows a line that is not here"
    return _violation(number, "lines were taken out, put in or moved", expected, observed)


def _violation(line: int, what: str, expected: str, observed: str) -> Violation:
    return Violation(line=line, what=what, expected=expected, observed=observed)


def _word(text: str) -> str:
    return shortened(plain(text), _LONGEST_WORD)


def _first_line(error: Exception) -> str:
    return shortened(plain(str(error)))
