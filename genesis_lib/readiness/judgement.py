"""One environment judged at one instant: what notebooks show and reports are made of."""

from dataclasses import dataclass
from datetime import datetime

from genesis_lib.model import Finding
from genesis_lib.readiness.decision import Decision
from genesis_lib.readiness.score import Scorecard

__all__ = ["Judgement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The findings of one run with their score and decision.

    `not_applicable` are sentences on what the environment declares not to have; `skew_s` is how long after (or, negative, before)
    `as_of` the sources without a time argument were asked.
    """

    environment: str
    title: str
    owner: str
    chunk: int
    run_id: str
    as_of: datetime
    skew_s: float
    findings: tuple[Finding, ...]
    card: Scorecard
    decision: Decision
    not_applicable: tuple[str, ...]
