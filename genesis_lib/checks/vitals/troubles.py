"""Add up all that is wrong with one subject to its one finding."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from genesis_lib.checks.claims import cannot_tell, finding
from genesis_lib.formatting import duration
from genesis_lib.model import Cause, Finding, Missing, Verdict, severity, worst
from genesis_lib.policy import Policy

__all__ = ["Trouble", "conclude", "lost", "mend", "named", "not_named", "when"]

_SHOWN = 5
_MENDS = {Cause.NO_HISTORY: "open a run about now", Cause.NOT_RECORDED: "open a new run"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """One thing that is wrong or cannot be told, what to do first, and the finding that it follows from, or empty."""

    verdict: Verdict
    reason: str
    hint: str
    because_of: str = ""


def lost(missing: Missing, *, hint: str, because_of: str = "") -> Trouble:
    """What cannot be told, because this is not there."""
    return Trouble(verdict=Verdict.UNKNOWN, reason=missing.detail, hint=mend(missing, hint), because_of=because_of)


def mend(missing: Missing, otherwise: str) -> str:
    """What to do first about what is missing: of a run that cannot be told more, open another."""
    return _MENDS.get(missing.cause, otherwise)


def conclude(
    policy: Policy,
    claim: str,
    subject: str,
    troubles: Sequence[Trouble],
    *,
    observed: str,
    expected: str,
    good: str,
    evidence: tuple[str, ...],
) -> Finding:
    """The finding: the worst of the troubles decides, all are told, and without any it is PASS for the reason `good`."""
    verdict = worst([Verdict.PASS, *(t.verdict for t in troubles)])
    first = [t for t in troubles if t.verdict is verdict]
    told = sorted(troubles, key=lambda t: -severity(t.verdict))
    return finding(
        policy,
        claim,
        subject,
        verdict,
        observed=observed,
        expected=expected,
        reason="; ".join(dict.fromkeys(t.reason for t in told)) or good,
        hint="; ".join(dict.fromkeys(t.hint for t in first if t.hint)),
        because_of=next((t.because_of for t in first if t.because_of), ""),
        evidence=evidence,
    )


def not_named(policy: Policy, claim: str, subject: str, key: str, *, expected: str) -> Finding:
    """UNKNOWN: the environment does not say where to look."""
    missing = Missing(cause=Cause.NOT_DECLARED, detail=f"the environment's file does not name {key}")
    hint = f"fill in {key}, or declare it `none` where there is no such thing"
    return cannot_tell(policy, claim, subject, missing, expected=expected, hint=hint)


def named(names: Sequence[str]) -> str:
    """A few names, and how many more."""
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def when(moment: datetime, at: datetime) -> str:
    """How long before the instant that is judged something happened, or after it."""
    return f"{duration(abs(at - moment))} {'before' if moment <= at else 'after'}"
