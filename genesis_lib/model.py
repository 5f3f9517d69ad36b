"""The words of the project as frozen facts: verdicts, findings, samples, and the absence of them. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

__all__ = ["Answer", "Blocking", "Cause", "Finding", "Missing", "Sample", "Verdict", "severity", "worst"]

T_co = TypeVar("T_co", covariant=True)


class Verdict(StrEnum):
    """How a claim was judged. Worst first: FAIL, UNKNOWN, WARN, PASS."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    WARN = "WARN"
    UNKNOWN = "UNKNOWN"
    FAIL = "FAIL"

    @property
    def is_good(self) -> bool:
        """Whether the claim holds, if only with a remark."""
        return self in (Verdict.PASS, Verdict.WARN)


_SEVERITY = {Verdict.PASS: 0, Verdict.WARN: 1, Verdict.UNKNOWN: 2, Verdict.FAIL: 3}


def severity(verdict: Verdict) -> int:
    """How bad a verdict is: 0 for PASS, and more for each that is worse."""
    return _SEVERITY[verdict]


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several verdicts; nothing checked is UNKNOWN."""
    return max(verdicts, key=_SEVERITY.__getitem__, default=Verdict.UNKNOWN)


class Blocking(StrEnum):
    """What a finding that is not good does to the decision; policy says."""

    NO_GO = "no_go"
    HOLD = "hold"
    NONE = "none"


class Cause(StrEnum):
    """Why a value is missing."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    REFUSED = "refused"  # the source answered, with an error status (4xx, 5xx) or an error document
    INVALID = "invalid question"  # the source answered that the question itself is wrong (400, 422)
    MALFORMED = "malformed"  # the answer could not be understood
    NO_DATA = "no data"
    NOT_A_NUMBER = "not a number"  # NaN, +Inf or -Inf
    AMBIGUOUS = "ambiguous"  # one number wanted, several series given
    NOT_RECORDED = "not recorded"
    NO_HISTORY = "no history"  # the source cannot be asked about a past instant
    UNDEFINED = "undefined"  # the question has no answer, by its own definition
    NOT_DECLARED = "not declared"  # the environment does not name this source
    UNREADABLE = "unreadable"  # a file or a command that could not be read or run


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A value that is not there, and why. Never 0, -1 or NaN.

    `evidence` is the id of the exchange that shows it, or empty where nothing could be asked.
    """

    cause: Cause
    detail: str
    evidence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[T_co]):
    """What a source answered: a typed value, the exchange that it came by, and what the source warned of."""

    value: T_co
    evidence: str
    asked_at: datetime
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One series at one instant. `at` is the sample's own time, in UTC."""

    labels: Mapping[str, str]
    at: datetime
    value: float | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One claim judged. It stands alone: a reader needs no other finding to understand it.

    `check` is `<check>.<claim>` (`targets.up`); `because_of` is the id of the finding that this one follows from, or
    empty; `evidence` lists exchange ids; `waiver` is the reason of the waiver that covers it, or empty.
    """

    check: str
    subject: str
    verdict: Verdict
    blocking: Blocking
    observed: str
    expected: str
    reason: str
    hint: str
    owner: str
    because_of: str
    evidence: tuple[str, ...]
    waiver: str

    @property
    def id(self) -> str:
        """`<check>[<subject>]`: unique within a run."""
        return f"{self.check}[{self.subject}]"
