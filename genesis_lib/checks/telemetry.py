"""Does the service's telemetry work: do its tests pass, does it cost what it may, loses it no memory, and do its series arrive?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from genesis_lib.checks.ask import ladder, series
from genesis_lib.checks.ask.ladder import LadderFacts
from genesis_lib.checks.claims import cannot_tell, finding, proof
from genesis_lib.clients import junit, overhead
from genesis_lib.clients.junit import Dated, Group, TestReport
from genesis_lib.clients.overhead import Measured
from genesis_lib.formatting import Unit, duration, instant, quantity
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.policy import Policy
from genesis_lib.quality import MostOf
from genesis_lib.run import Run

__all__ = ["ALL_GROUPS", "CLAIMS", "NAME", "TelemetryFacts", "gather", "judge"]

NAME = "telemetry"
_TESTS, _OVERHEAD, _COLLECTION, _MEMORY, _SERIES = CLAIMS = (
    "telemetry.tests",
    "telemetry.overhead",
    "telemetry.collection",
    "telemetry.memory",
    "telemetry.series",
)
ALL_GROUPS = "all groups"
_SUBJECT = "instrumentation"
_PASSED = "every test passed, and as many in each group as policy wants"
_RUN_TESTS = "run the telemetry tests, with `pytest --junitxml=FILE`"
_MEASURE = "measure it, with `python benchmarks/telemetry_overhead.py --json=FILE`"
_PERCENT = "\N{NARROW NO-BREAK SPACE}%"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryFacts:
    """What the tests and the benchmark left behind (None: declared not to exist), and what is known of the series."""

    tests: Answer[TestReport] | Missing | None
    measured: Answer[Measured] | Missing | None
    asked: LadderFacts


def gather(run: Run) -> TelemetryFacts:
    """Read the two files, and ask for the series."""
    named = run.environment.telemetry
    return TelemetryFacts(
        tests=_named(named.tests, "tests", lambda name: junit.read(run, name)),
        measured=_named(
            named.overhead, "overhead", lambda name: overhead.read(run.evidence, run.file(name), name=name)
        ),
        asked=series.gather(run, run.policy.telemetry.series),
    )


def judge(facts: TelemetryFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """`telemetry.tests` for each of policy's groups and for all, the three that the benchmark tells, `telemetry.series` for each metric."""
    tests = [] if facts.tests is None else _judge_tests(facts.tests, policy, at=at)
    costs = [] if facts.measured is None else _judge_measured(facts.measured, policy, at=at)
    return [*tests, *costs, *(_judge_series(name, facts.asked, policy, at=at) for name in policy.telemetry.series)]


def _named(name: str | None, key: str, read: Callable[[str], Answer[T] | Missing]) -> Answer[T] | Missing | None:
    """What is read of a file that the environment names; None where it declares that there is none."""
    if name == "":
        return Missing(cause=Cause.NOT_DECLARED, detail=f"the environment does not name a file as telemetry.{key}")
    return None if name is None else read(name)


def _judge_tests(tests: Answer[TestReport] | Missing, policy: Policy, *, at: datetime) -> list[Finding]:
    """A finding for each of policy's groups, and one for all that the file holds."""
    claims = [(_TESTS, ALL_GROUPS), *((_TESTS, name) for name in policy.telemetry.groups)]
    hint = _hint(tests, "tests", _RUN_TESTS)
    if isinstance(tests, Missing):
        return _untold(claims, tests, policy, expected=_PASSED, hint=hint)
    report = tests.value
    if not report.tests:
        nothing = Missing(
            cause=Cause.NO_DATA, detail="the file holds no test: nothing was tested", evidence=tests.evidence
        )
        return _untold(claims, nothing, policy, expected=_PASSED, hint=hint)
    if wrong := _untimely(report.at, tests, policy, at=at):
        return _untold(claims, wrong, policy, expected=_PASSED, hint=hint, observed=_all_shown(report, at=at))
    found = {group.name: group for group in report.groups}
    judged = [
        _judge_group(name, least, found.get(name), tests, policy) for name, least in policy.telemetry.groups.items()
    ]
    return [_judge_all(tests, judged, policy, at=at), *judged]


def _judge_all(tests: Answer[TestReport], groups: Sequence[Finding], policy: Policy, *, at: datetime) -> Finding:
    report = tests.value
    bad = report.failed + report.errors
    lacking = [group for group in groups if group.verdict is Verdict.FAIL]
    remarks = [*report.remarks, *([f"{report.skipped} skipped"] if report.skipped else [])]
    if report.dated is Dated.FILE:
        remarks.append("no suite says when it ran, and a file that was copied looks new")
    verdict = Verdict.FAIL if bad or lacking else Verdict.WARN if remarks else Verdict.PASS
    if bad:
        reason = f"{bad} of {report.tests} tests failed: {_first(report.failures, bad)}"
    elif lacking:
        reason = (
            f"{len(lacking)} of {len(groups)} groups are not as they should be: {', '.join(g.subject for g in lacking)}"
        )
    else:
        reason = "; ".join(remarks) or "every test of the file passed, and every group has as many as policy wants"
    return finding(
        policy,
        _TESTS,
        ALL_GROUPS,
        verdict,
        observed=_all_shown(report, at=at),
        expected=_PASSED,
        reason=reason,
        hint="" if verdict is Verdict.PASS else "mend the tests that failed, and run them all" if bad else _RUN_TESTS,
        because_of=lacking[0].id if lacking else "",
        evidence=proof(tests),
    )


def _judge_group(name: str, least: int, group: Group | None, tests: Answer[TestReport], policy: Policy) -> Finding:
    hint = ""
    if group is None:
        verdict, observed, reason = Verdict.FAIL, "no test", f"the file holds no test of {name}"
        hint = f"was {name} renamed, or left out of the run? {_RUN_TESTS}"
    else:
        bad, observed = group.failed + group.errors, f"{group.passed} of {group.tests} passed, {group.time_s:,.2f} s"
        skipped = f"{group.skipped} skipped" if group.skipped else ""
        if bad:
            verdict, reason = Verdict.FAIL, f"{bad} failed: {_first(group.failures, bad)}"
            hint = "mend what they show, and run the tests again"
        elif group.passed < least:
            verdict, hint = Verdict.FAIL, "write the tests that are missing, or run those that were skipped"
            reason = f"{group.passed} passed, and there must be {least}" + (
                f"; {skipped} count for nothing" if skipped else ""
            )
        elif skipped:
            verdict, reason, hint = Verdict.WARN, f"{skipped}, and enough others passed", "run those that were skipped"
        else:
            verdict, reason = Verdict.PASS, "all its tests passed"
    expected = f"at least {least} passed, none failed"
    return finding(
        policy,
        _TESTS,
        name,
        verdict,
        observed=observed,
        expected=expected,
        reason=reason,
        hint=hint,
        evidence=proof(tests),
    )


def _judge_measured(measured: Answer[Measured] | Missing, policy: Policy, *, at: datetime) -> list[Finding]:
    """What instrumentation costs: overhead, collection, memory."""
    claims = [(claim, _SUBJECT) for claim in (_OVERHEAD, _COLLECTION, _MEMORY)]
    expected, hint = "a measurement of it", _hint(measured, "overhead", _MEASURE)
    if isinstance(measured, Missing):
        return _untold(claims, measured, policy, expected=expected, hint=hint)
    result, wanted = measured.value, policy.telemetry
    when = f"measured {duration(max(timedelta(0), at - result.measured_at))} before"
    if wrong := _untimely(result.measured_at, measured, policy, at=at):
        return _untold(claims, wrong, policy, expected=expected, hint=hint, observed=when)
    added, collection, memory = result.overhead, result.collection, result.memory
    low, high = (quantity(value, Unit.RATIO) for value in (added.low, added.high))
    judged = partial(_judge_cost, measured=measured, policy=policy)
    return [
        judged(
            _OVERHEAD,
            added.high,
            wanted.overhead_ratio,
            Unit.RATIO,
            observed=f"{quantity(added.ratio, Unit.RATIO)} ({low.removesuffix(_PERCENT)} to {high}) of an operation of "
            f"{duration(added.operation_s)}, {when}",
            what="the upper end of what instrumentation adds to an operation",
        ),
        judged(
            _COLLECTION,
            collection.share,
            wanted.collection_share,
            Unit.RATIO,
            observed=f"{quantity(collection.share, Unit.RATIO)}: {duration(collection.cpu_s_per_scrape)} for {collection.series:,} "
            f"series every {duration(collection.interval_s)}, {when}",
            what="what scrapes take of the time between them",
        ),
        judged(
            _MEMORY,
            memory.growth_bytes_per_10k,
            wanted.memory_growth_bytes_per_10k,
            Unit.BYTES,
            observed=f"{quantity(memory.growth_bytes_per_10k, Unit.BYTES)} for each 10,000 of {memory.operations:,} operations, {when}",
            what="what 10,000 operations leave behind",
            too_few=""
            if memory.operations >= wanted.operations
            else f"memory was watched for {memory.operations:,} operations, and a leak may show only after {wanted.operations:,}",
        ),
    ]


def _judge_cost(
    claim: str,
    value: float,
    most: MostOf,
    unit: Unit,
    *,
    observed: str,
    what: str,
    measured: Answer[Measured],
    policy: Policy,
    too_few: str = "",
) -> Finding:
    verdict = Verdict.FAIL if value > most.fail else Verdict.WARN if value > most.warn else Verdict.PASS
    limit = quantity(most.fail if verdict is Verdict.FAIL else most.warn, unit)
    reason = f"{what} is {'within' if verdict is Verdict.PASS else 'over'} {limit}"
    if too_few:
        verdict, reason = Verdict.UNKNOWN, too_few
    mend = (
        _MEASURE
        if too_few
        else "find out what has grown: more spans, more labels, a slower exporter? then measure again"
    )
    return finding(
        policy,
        claim,
        _SUBJECT,
        verdict,
        observed=observed,
        expected=f"at most {quantity(most.warn, unit)}, and never over {quantity(most.fail, unit)}",
        reason=reason,
        hint="" if verdict is Verdict.PASS else mend,
        evidence=proof(measured),
    )


def _judge_series(name: str, asked: LadderFacts, policy: Policy, *, at: datetime) -> Finding:
    rung = ladder.judge(name, asked, policy, at=at)
    return finding(
        policy,
        _SERIES,
        name,
        rung.verdict,
        observed=rung.observed,
        expected="living series in Prometheus",
        reason=rung.reason,
        hint=rung.hint,
        because_of=rung.because_of,
        evidence=rung.evidence,
    )


def _untold(
    claims: Sequence[tuple[str, str]], missing: Missing, policy: Policy, *, expected: str, hint: str, observed: str = ""
) -> list[Finding]:
    """UNKNOWN for each claim on its subject; the others follow from the first."""
    found: list[Finding] = []
    for claim, subject in claims:
        root = found[0].id if found else ""
        one = cannot_tell(policy, claim, subject, missing, expected=expected, hint=hint, because_of=root)
        found.append(replace(one, observed=observed) if observed else one)
    return found


def _untimely(told: datetime, answer: Answer[object], policy: Policy, *, at: datetime) -> Missing | None:
    """Why a result from this moment tells nothing about `at`; None where it does."""
    age, most = at - told, timedelta(days=policy.telemetry.max_age_d)
    if age > most:
        cause, detail = Cause.NO_DATA, f"the result is {duration(age)} old, and holds for {duration(most)}"
    elif age < -timedelta(seconds=policy.readiness.limits.clock_skew_s):
        cause, detail = Cause.NO_HISTORY, f"the result is of {instant(told)}, after the instant that is judged"
    else:
        return None
    return Missing(cause=cause, detail=detail, evidence=answer.evidence)


def _all_shown(report: TestReport, *, at: datetime) -> str:
    ago = duration(max(timedelta(0), at - report.at))
    dated = "" if report.dated is Dated.SUITE else f" ({report.dated})"
    return f"{report.passed:,} of {report.tests:,} passed in {report.time_s:,.2f} s, {ago} before{dated}"


def _first(names: Sequence[str], count: int) -> str:
    more = f" and {count - len(names)} more" if count > len(names) else ""
    return ", ".join(names) + more


def _hint(answer: Answer[object] | Missing, key: str, do: str) -> str:
    """How to get a file that tells; empty where no file would help."""
    if isinstance(answer, Missing) and answer.cause is Cause.NOT_DECLARED:
        return f"name it as telemetry.{key} in the environment's file, or write `none` if there is none"
    is_elsewhere = isinstance(answer, Missing) and answer.cause not in (Cause.UNREADABLE, Cause.MALFORMED)
    return "" if is_elsewhere else do
