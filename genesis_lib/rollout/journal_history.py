"""Read a rollout's history that something else wrote, so that it can be audited like a journal."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genesis_lib.errors import ParameterError
from genesis_lib.formatting import plain, shortened
from genesis_lib.rollout.entries import Entry, Kind

__all__ = ["History", "read_history"]

_SHAPE = "a JSON list of {action, percentage, timestamp}, or an object with one such list"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The steps as entries, numbered from 1; `remarks` tell how what the file leaves open was read."""

    entries: dict[int, Entry]
    remarks: tuple[str, ...]


def read_history(path: Path) -> History:
    """The steps of a history file, in its order.

    A timestamp is ISO 8601, or seconds since 1970; without a zone it is read as UTC. The gate's word, watching and reasons are not in
    such a file, so an audit finds that they are missing.

    Raises:
        ParameterError: the file cannot be read, or holds no such history.

    """
    try:
        raw = json.loads(path.read_bytes())
    except OSError as error:
        raise ParameterError(f"{path}: the history cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"{path}: this is no JSON ({error}); a history is {_SHAPE}") from error
    entries: dict[int, Entry] = {}
    percentage, without_zone = 0.0, 0
    for number, step in enumerate(_steps(raw, path), 1):
        try:
            at = _instant(step["timestamp"])
            without_zone += at.tzinfo is None
            at = at.replace(tzinfo=at.tzinfo or UTC)
            entries[number] = _entry(str(step["action"]), at, percentage, _number(step["percentage"]))
        except (ValueError, OverflowError, OSError) as error:
            message = f"{path}: step {number} cannot be understood ({shortened(plain(str(error)))})"
            raise ParameterError(message) from error
        percentage = entries[number].to_percentage
    remarks = (f"{without_zone} timestamps name no time zone and are read as UTC",) if without_zone else ()
    return History(entries=entries, remarks=remarks)


def _steps(raw: Any, path: Path) -> list[dict[str, Any]]:
    lists = [raw] if isinstance(raw, list) else list(raw.values()) if isinstance(raw, dict) else []
    fitting = [each for each in lists if _is_history(each)]
    if len(fitting) != 1:
        raise ParameterError(f"{path}: {len(fitting) or 'no'} histories in this file; it must be {_SHAPE}")
    return fitting[0]


def _is_history(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(step, dict) and step.keys() >= {"action", "percentage", "timestamp"} for step in value)
    )


def _instant(value: Any) -> datetime:
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return datetime.fromtimestamp(_number(value), UTC)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{value!r} is no number")  # noqa: TRY004 - of a file, not of a caller
    return float(value)


def _entry(action: str, at: datetime, before: float, after: float) -> Entry:
    return Entry(
        kind=_kind(action, before, after),
        at=at,
        who="",
        why="",
        from_percentage=before,
        to_percentage=after,
        decision=None,
        reasons=(),
        triggers={},
        run="",
        run_digest="",
        evidence=(),
        plan_digest="",
    )


def _kind(action: str, before: float, after: float) -> Kind | str:
    """What a step did, by its numbers before its words: whatever raises the percentage is a step that the rules are for."""
    if after < before:
        return Kind.ROLLBACK
    if after > before:
        return Kind.ADVANCE
    return Kind(action) if action in list(Kind) else action
