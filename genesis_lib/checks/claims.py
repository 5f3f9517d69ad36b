"""Build findings: the policy adds what they block and who mends them."""

from dataclasses import replace

from genesis_lib.model import Answer, Blocking, Cause, Finding, Missing, Verdict
from genesis_lib.policy import Policy

__all__ = ["cannot_tell", "finding", "identify", "observed_only", "proof"]


def finding(
    policy: Policy,
    claim: str,
    subject: str,
    verdict: Verdict,
    *,
    observed: str,
    expected: str,
    reason: str,
    hint: str = "",
    because_of: str = "",
    evidence: tuple[str, ...] = (),
) -> Finding:
    """A finding of `claim` (`targets.up`) on `subject`; empty evidence ids are left out."""
    return Finding(
        check=claim,
        subject=subject,
        verdict=verdict,
        blocking=policy.blocking_of(claim) if verdict is not Verdict.PASS else Blocking.NONE,
        observed=observed,
        expected=expected,
        reason=reason,
        hint=hint,
        owner=policy.owner_of(claim, otherwise=""),
        because_of=because_of,
        evidence=tuple(dict.fromkeys(e for e in evidence if e)),
        waiver="",
    )


_MENDS = {Cause.NO_HISTORY: "open a run about now", Cause.NOT_RECORDED: "open a new run"}


def cannot_tell(
    policy: Policy, claim: str, subject: str, missing: Missing, *, expected: str, hint: str = "", because_of: str = ""
) -> Finding:
    """UNKNOWN, with the reason why it cannot be told."""
    return finding(
        policy,
        claim,
        subject,
        Verdict.UNKNOWN,
        observed=f"no data ({missing.cause})",
        expected=expected,
        reason=missing.detail,
        hint=hint or _MENDS.get(missing.cause, "mend the source, then open a new run"),
        because_of=because_of,
        evidence=(missing.evidence,),
    )


def identify(claim: str, subject: str) -> str:
    """The id that a finding of this claim on this subject has."""
    return f"{claim}[{subject}]"


def proof(*answers: Answer[object] | Missing) -> tuple[str, ...]:
    """The exchanges by which these answers came, or failed to."""
    return tuple(answer.evidence for answer in answers)


def observed_only(found: Finding) -> Finding:
    """The finding of a machine that is no part of the deployment: it is shown, at most as a remark, and blocks nothing."""
    if found.verdict is Verdict.PASS:
        return found
    return replace(
        found,
        verdict=Verdict.WARN if found.verdict is Verdict.FAIL else found.verdict,
        blocking=Blocking.NONE,
        reason=f"{found.reason}; this machine is only observed (`host: observed`), so it blocks nothing",
    )
