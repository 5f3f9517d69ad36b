"""Write a log entry as one line of JSON, whatever it is given."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

__all__ = ["log_line"]


def log_line(message: str, fields: Mapping[str, Any], ids: Mapping[str, str], *, at: datetime) -> str:
    """The entry in ASCII, so that no character ends the line. A field cannot pass for the time, the message or an id."""
    own = {"timestamp": at.isoformat(), "message": _text(message)}
    told = {name: _json_value(value) for name, value in fields.items()}
    return json.dumps({**own, **told, **own, **ids})


def _json_value(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=_text))
    except (TypeError, ValueError, RecursionError):  # odd keys; NaN and circles; too deep
        return _text(value)


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - what others' code raises must not be raised by logging
        return f"<{type(value).__name__}>"
