"""Every check, listed explicitly in one place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from genesis_lib.checks import (
    alerting,
    configuration,
    containers,
    dashboards,
    queries,
    resources,
    rules,
    services,
    slos,
    targets,
)
from genesis_lib.model import Finding
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CHECKS", "Check"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`gather(run)` asks and gives facts; `judge(facts, policy, at=...)` turns them into findings, and is pure.

    `claims` are all that it may make a finding of.
    """

    name: str
    claims: tuple[str, ...]
    gather: Callable[[Run], Any]
    judge: Callable[..., list[Finding]]

    def findings(self, facts: Any, policy: Policy, *, at: datetime) -> list[Finding]:
        """The findings on these facts."""
        return self.judge(facts, policy, at=at)


CHECKS: Mapping[str, Check] = {
    module.NAME: Check(name=module.NAME, claims=module.CLAIMS, gather=module.gather, judge=module.judge)
    for module in (
        services,
        containers,
        targets,
        resources,
        rules,
        alerting,
        configuration,
        queries,
        dashboards,
        slos,
    )
}
