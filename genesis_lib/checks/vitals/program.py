"""Read what a program of ours says in the last line of its output."""

import json
from typing import Any

from genesis_lib.formatting import plain, shortened
from genesis_lib.model import Answer, Cause, Missing

__all__ = ["last_line"]


def last_line(answer: Answer[tuple[int, str]] | Missing | None, failed: str) -> dict[str, Any] | Missing:
    """The JSON object there; libraries may have written before it. `failed` begins the reason why there is none."""
    if answer is None:
        return Missing(cause=Cause.NOT_DECLARED, detail=failed)
    if isinstance(answer, Missing):
        return Missing(cause=answer.cause, detail=f"{failed}: {answer.detail}", evidence=answer.evidence)
    status, output = answer.value
    lines = output.strip().splitlines() or ["nothing"]
    if status == 0 and lines[-1].startswith("{"):
        try:
            return dict(json.loads(lines[-1]))
        except ValueError:
            pass
    detail = f"{failed} (exit code {status}): {plain(shortened(lines[-1]))}"
    return Missing(cause=Cause.UNREADABLE, detail=detail, evidence=answer.evidence)
