"""Build findings, policies and answers for tests, stating only what a test is about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from genesis_lib.model import Answer, Blocking, Cause, Finding, Missing, Sample, Verdict
from genesis_lib.policy import Policy, load_policy

ROOT = Path(__file__).parent.parent
AT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
UNREACHABLE = Missing(cause=Cause.UNREACHABLE, detail="prometheus refused the connection", evidence="e-down")


@cache
def policy() -> Policy:
    """The policy that is shipped."""
    return load_policy(ROOT / "params" / "policy", root=ROOT)


def make_finding(
    check: str = "targets.up", subject: str = "node", verdict: Verdict = Verdict.PASS, **other: Any
) -> Finding:
    """A finding of which only what matters is stated."""
    stated: dict[str, Any] = {
        "blocking": Blocking.HOLD,
        "observed": "something",
        "expected": "something else",
        "reason": f"{subject} was judged {verdict}",
        "hint": "",
        "owner": "monitoring",
        "because_of": "",
        "evidence": ("e-1",),
        "waiver": "",
    }
    return Finding(check=check, subject=subject, verdict=verdict, **(stated | other))


def answer(value: Any, *, warnings: Sequence[str] = ()) -> Answer[Any]:
    """An answer that came at the instant of these tests."""
    return Answer(value=value, evidence="e-1", asked_at=AT, warnings=tuple(warnings))


def vector(*samples: tuple[Mapping[str, str], float | Missing]) -> Answer[tuple[Sample, ...]]:
    """The answer to an instant query: (labels, value) for each series."""
    return answer(tuple(Sample(labels=labels, at=AT, value=value) for labels, value in samples))
