"""Decide GO, HOLD or NO_GO from findings and their score."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from genesis_lib.model import Blocking, Finding, Verdict
from genesis_lib.policy import Readiness
from genesis_lib.readiness.score import Scorecard
from genesis_lib.readiness.waivers import is_inherited

__all__ = ["EXIT_COULD_NOT_RUN", "Call", "Decision", "call_of", "decide", "open_findings"]

EXIT_COULD_NOT_RUN = 3


class Call(StrEnum):
    """The three answers to "are we ready?"."""

    GO = "GO"
    HOLD = "HOLD"
    NO_GO = "NO_GO"

    @property
    def exit_code(self) -> int:
        """0 GO, 1 HOLD, 2 NO_GO."""
        return list(Call).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The call, until when it holds, and what it rests on.

    `reasons` are plain sentences, first one for each of the roots. `roots` are the blocking findings that follow from no other,
    `followers` the blocking findings that do, `waived` those that a waiver covers.
    """

    call: Call
    valid_until: datetime
    reasons: tuple[str, ...]
    roots: tuple[Finding, ...]
    followers: tuple[Finding, ...]
    waived: tuple[Finding, ...]

    @property
    def headline(self) -> str:
        """`GO`, `GO with 2 waivers`, `HOLD` or `NO_GO`."""
        count = sum(not is_inherited(finding) for finding in self.waived)
        return str(self.call) + (f" with {count} waiver{'s' if count > 1 else ''}" if count else "")


def decide(findings: Sequence[Finding], card: Scorecard, policy: Readiness, *, at: datetime) -> Decision:
    """Any `no_go` FAIL is NO_GO; any other blocking FAIL or UNKNOWN, a section without findings, or a score under the bar is HOLD.

    `at` is the instant judged; the decision holds from there for the policy's `valid_for_h`.
    """
    open_ones = open_findings(findings)
    roots, followers = _split_by_root(open_ones)
    no_go = [f for f in open_ones if f.verdict is Verdict.FAIL and f.blocking is Blocking.NO_GO]
    empty = [s.title for s in card.sections if not sum(s.verdicts.values())]

    # An infinitesimal float error must not turn a score that is at the bar into one that is under it.
    under_bar = card.overall < policy.bar - 1e-9
    call = call_of(findings) if open_ones else Call.HOLD if empty or under_bar else Call.GO
    reasons = [_sentence(f) for f in sorted(roots, key=lambda f: f not in no_go)]
    reasons += [f"Section “{title}” is in force, but nothing was checked in it." for title in empty]
    waived = tuple(f for f in findings if f.waiver and not f.verdict.is_good)
    if under_bar:
        reasons.append(f"The score of {_told_apart(card.overall, policy.bar)} is under the bar of {policy.bar:g}.")
    return Decision(
        call=call,
        valid_until=at + timedelta(hours=policy.valid_for_h),
        reasons=tuple(reasons) or ("Every blocking claim was proven" + (" or waived." if waived else "."),),
        roots=tuple(roots),
        followers=tuple(followers),
        waived=waived,
    )


def open_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Those that block: not good, not waived, and not without consequence by policy."""
    return [f for f in findings if not f.verdict.is_good and f.blocking is not Blocking.NONE and not f.waiver]


def call_of(findings: Sequence[Finding]) -> Call:
    """What these findings alone call for, whatever the score."""
    open_ones = open_findings(findings)
    if any(f.verdict is Verdict.FAIL and f.blocking is Blocking.NO_GO for f in open_ones):
        return Call.NO_GO
    return Call.HOLD if open_ones else Call.GO


def _told_apart(score: float, bar: float) -> str:
    """The score with as many places as tell it from the bar above it: 8.96 does not read "9.0 is under the bar of 9"."""
    written = (f"{score:.{places}f}" for places in range(1, 10))
    return next((text for text in written if float(text) < bar), f"{score}")


def _sentence(finding: Finding) -> str:
    """The reason, with its subject in front where it does not name it itself."""
    return finding.reason if finding.subject in finding.reason else f"{finding.subject}: {finding.reason}"


def _split_by_root(findings: Sequence[Finding]) -> tuple[list[Finding], list[Finding]]:
    """Findings that stand alone, and those that follow from one of the others."""
    ids = {f.id for f in findings}
    roots = [f for f in findings if f.because_of not in ids]
    return roots, [f for f in findings if f.because_of in ids]
