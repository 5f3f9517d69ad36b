"""Every check, listed explicitly in one place, and loaded when it is first asked for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any

from genesis_lib.model import Finding
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CHECKS", "Check"]

_MODULES = (
    "services",
    "containers",
    "targets",
    "resources",
    "rules",
    "alerting",
    "configuration",
    "queries",
    "dashboards",
    "telemetry",
    "health",
    "slos",
)


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


class _Checks(Mapping[str, Check]):
    def __getitem__(self, name: str) -> Check:
        if name not in _MODULES:
            raise KeyError(name)
        return _load(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)

    def __contains__(self, name: object) -> bool:
        return name in _MODULES


@cache
def _load(name: str) -> Check:
    module = import_module(f"genesis_lib.checks.{name}")
    return Check(name=module.NAME, claims=module.CLAIMS, gather=module.gather, judge=module.judge)


CHECKS: Mapping[str, Check] = _Checks()
