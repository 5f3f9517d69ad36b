"""Do the tests execute enough of the code, by a coverage report that is recent, whole, and of the commit that is judged?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from genesis_lib.checks.claims import cannot_tell, proof
from genesis_lib.checks.vitals import commits
from genesis_lib.checks.vitals.commits import Commits
from genesis_lib.checks.vitals.troubles import Trouble, conclude, mend, not_named, when
from genesis_lib.formatting import Unit, duration, quantity
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import PAST, Run

__all__ = ["CLAIM", "CoverageFacts", "gather", "judge"]

CLAIM = "health.coverage"
_SUBJECT = "code coverage"
_WRITE = "measure anew, with `coverage json`"
_ROUNDED = 1e-6  # percentage points by which a recomputed share may differ
# coverage.py writes the time of day where it ran, without saying where that was: clocks are set from 14 h before UTC to 12 h behind it.
_ZONES = (timedelta(hours=14), timedelta(hours=-12))


class _Loose(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class _Summary(_Loose):
    """Of a file, or of all: branches count where they were measured."""

    covered_lines: NonNegativeInt
    num_statements: NonNegativeInt
    covered_branches: NonNegativeInt = 0
    num_branches: NonNegativeInt = 0
    percent_covered: Annotated[float, Field(ge=0, le=100)]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        return self.covered_lines, self.num_statements, self.covered_branches, self.num_branches

    @property
    def ratio(self) -> float:
        return (self.covered_lines + self.covered_branches) / (self.num_statements + self.num_branches)


class _File(_Loose):
    summary: _Summary


class _Meta(_Loose):
    format: Literal[2, 3]
    timestamp: Annotated[datetime, Field(strict=False)]


class _Report(_Loose):
    """The parts of coverage.py's JSON report that count."""

    meta: _Meta
    files: Mapping[str, _File]
    totals: _Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageFacts:
    """The report as it was read, None where none is named; and which commit this is."""

    name: str
    content: Answer[bytes] | Missing | None
    commits: Commits


def gather(run: Run) -> CoverageFacts | None:
    """Read the report. None: declared not to exist."""
    name = run.environment.health.coverage
    if name is None:
        return None
    content = run.ask(lambda: run.evidence.file(run.file(name), name=name)) if name else None
    return CoverageFacts(name=name, content=content, commits=commits.gather(run))


def judge(facts: CoverageFacts, policy: Policy, *, at: datetime) -> Finding:
    """The share in the totals decides, once they are those of the files."""
    wanted = policy.health.coverage
    expected = (
        f"at least {quantity(wanted.least, Unit.RATIO)} of all statements executed, measured at most "
        f"{duration(timedelta(days=wanted.max_age_d))} ago"
    )
    if facts.content is None:
        return not_named(policy, CLAIM, _SUBJECT, CLAIM, expected=expected)
    report = _read(facts.name, facts.content)
    if isinstance(report, Missing):
        return cannot_tell(policy, CLAIM, _SUBJECT, report, expected=expected, hint=mend(report, _WRITE))
    troubles = [*_of_counts(facts.name, report, wanted.least), *_of_age(facts.name, report, policy, at=at)]
    troubles += [t] if (t := commits.trouble(facts.commits, facts.name)) else []
    totals = report.totals
    observed = f"{quantity(totals.percent_covered, Unit.PERCENT)}, measured {_age(report, at)}"
    return conclude(
        policy,
        CLAIM,
        _SUBJECT,
        troubles,
        observed=observed,
        expected=expected,
        good=f"the tests execute {totals.covered_lines:,} of {totals.num_statements:,} statements"
        + (f" and {totals.covered_branches:,} of {totals.num_branches:,} branches" if totals.num_branches else ""),
        evidence=(*proof(facts.content), facts.commits.evidence),
    )


def _read(name: str, content: Answer[bytes] | Missing) -> _Report | Missing:
    if isinstance(content, Missing):
        return content
    try:
        return _Report.model_validate_json(content.value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        detail = f"{name} is no report of coverage.py, format 2 or 3: {f'{place}: ' if place else ''}{first['msg']}"
        return Missing(cause=Cause.MALFORMED, detail=detail, evidence=content.evidence)


def _of_counts(name: str, report: _Report, least: float) -> Iterator[Trouble]:
    totals = report.totals
    sums = tuple(map(sum, zip(*(file.summary.counts for file in report.files.values()), strict=True)))
    if not totals.num_statements:
        yield Trouble(verdict=Verdict.UNKNOWN, reason=f"{name} knows no statement", hint=_WRITE)
    elif sums != totals.counts or abs(100 * totals.ratio - totals.percent_covered) > _ROUNDED:
        reason = f"{name} was edited or cut short: its totals are not those of its files"
        yield Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint=_WRITE)
    elif totals.ratio < least:
        yield Trouble(
            verdict=Verdict.FAIL, reason="the tests execute too little of the code", hint="test what is not executed"
        )


def _of_age(name: str, report: _Report, policy: Policy, *, at: datetime) -> Iterator[Trouble]:
    """A time without a zone is somewhen within a day: what holds for all of it is told, and the rest cannot be."""
    earliest, latest = _between(report)
    youngest, oldest = at - latest, at - earliest
    longest = timedelta(days=policy.health.coverage.max_age_d)
    if oldest < -PAST:
        yield Trouble(
            verdict=Verdict.UNKNOWN,
            reason=f"{name} was measured after the instant that is judged",
            hint="open a run about now; if this is one, correct a clock",
        )
    elif youngest > longest:
        yield Trouble(verdict=Verdict.UNKNOWN, reason=f"{name} is too old to tell of now", hint=_WRITE)
    elif oldest > longest:
        reason = f"{name} may be too old: its time names no zone"
        yield Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint=_WRITE)


def _between(report: _Report) -> tuple[datetime, datetime]:
    """When it was measured, at the earliest and at the latest."""
    told = report.meta.timestamp
    if told.tzinfo is not None:
        return told, told
    ahead, behind = _ZONES
    return told.replace(tzinfo=UTC) - ahead, told.replace(tzinfo=UTC) - behind


def _age(report: _Report, at: datetime) -> str:
    earliest, latest = _between(report)
    return when(latest, at) if earliest == latest else f"{when(earliest, at)} or later: its time names no zone"
