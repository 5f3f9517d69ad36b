"""Apply waivers to findings: what a waiver covers stays visible, but neither blocks nor costs points."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from genesis_lib.model import Blocking, Finding, Verdict
from genesis_lib.policy import Waiver

__all__ = ["CLAIM", "apply", "is_inherited"]

CLAIM = "waivers.current"
_FOLLOWS = "follows from "


def apply(findings: Iterable[Finding], waivers: Sequence[Waiver], *, today: date) -> list[Finding]:
    """Mark what is waived, with all that follows from it; a waiver that has expired or matches nothing is a WARN of its own."""
    marked = {finding.id: finding for finding in findings}
    remarks = []
    for waiver in waivers:
        root = marked.get(f"{waiver.check}[{waiver.subject}]")
        if today > waiver.expires:
            remarks.append(
                _remark(
                    waiver, f"the waiver expired on {waiver.expires}", "mend what it excused, or renew it with a reason"
                )
            )
        elif root is None or root.verdict is Verdict.PASS:
            remarks.append(_remark(waiver, "the waiver excuses nothing that is wrong", "remove it from waivers.yaml"))
        else:
            marked |= _covered(root, waiver, marked.values())
    return [*marked.values(), *remarks]


def is_inherited(finding: Finding) -> bool:
    """Whether it is waived only because what it follows from is."""
    return finding.waiver.startswith(_FOLLOWS)


def _covered(root: Finding, waiver: Waiver, findings: Iterable[Finding]) -> dict[str, Finding]:
    reason = f"{waiver.reason} ({waiver.owner}, until {waiver.expires})"
    covered = {root.id: replace(root, waiver=reason)}
    candidates = [f for f in findings if f.because_of and f.verdict is not Verdict.PASS]
    grown = True
    while grown:  # findings may follow from one another over several steps
        followers = [f for f in candidates if f.because_of in covered and f.id not in covered]
        grown = bool(followers)
        covered |= {f.id: replace(f, waiver=f"{_FOLLOWS}{root.id}: {reason}") for f in followers}
    return covered


def _remark(waiver: Waiver, reason: str, hint: str) -> Finding:
    return Finding(
        check=CLAIM,
        subject=f"{waiver.check}[{waiver.subject}]",
        verdict=Verdict.WARN,
        blocking=Blocking.NONE,
        observed=f"expires {waiver.expires}",
        expected="in force, and excusing something",
        reason=reason,
        hint=hint,
        owner=waiver.owner,
        because_of="",
        evidence=(),
        waiver="",
    )
