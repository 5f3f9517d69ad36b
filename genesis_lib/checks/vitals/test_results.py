"""Do enough tests of the last suite pass, and do its JUnit file and Prometheus tell the same of it?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from genesis_lib.checks.claims import proof
from genesis_lib.checks.vitals import commits, suite_counts
from genesis_lib.checks.vitals.commits import Commits
from genesis_lib.checks.vitals.suite_counts import SuiteCount, SuiteFacts
from genesis_lib.checks.vitals.troubles import Trouble, conclude, lost, named, not_named, when
from genesis_lib.clients import junit
from genesis_lib.clients.junit import TestReport
from genesis_lib.formatting import Unit, duration, instant, quantity
from genesis_lib.model import Answer, Finding, Missing, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import PAST, Run

__all__ = ["CLAIM", "TestFacts", "gather", "judge"]

CLAIM = "health.tests"
_SUBJECT = "test pass rate"
_ABOUT_NOW = "open a run about now; if this is one, correct a clock"
_AGAIN = "run the tests, and keep the file of the run that Prometheus counted last"
# The file and the metric are written one after the other, by one clock.
_SAME_RUN = timedelta(seconds=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFacts:
    """What the JUnit file says, what Prometheus counted, and which commit this is. `report` is None where no file is named."""

    __test__ = False  # for pytest, which takes it for tests

    name: str
    report: Answer[TestReport] | Missing | None
    suite: SuiteFacts
    commits: Commits


def gather(run: Run) -> TestFacts | None:
    """Read the file first, so that Prometheus is not behind it by more than a scrape. None: declared not to exist."""
    name = run.environment.health.tests
    if name is None:
        return None
    report = junit.read(run, name) if name else None
    return TestFacts(name=name, report=report, suite=suite_counts.gather(run), commits=commits.gather(run))


def judge(facts: TestFacts, policy: Policy, *, at: datetime, down: Mapping[str, str]) -> Finding:
    """`down` has, for each metric of a job that is down, the finding that says so."""
    wanted = policy.health.tests
    old = duration(timedelta(hours=wanted.max_age_h))
    expected = f"at least {quantity(wanted.least, Unit.RATIO)} of all tests pass, in file and Prometheus alike, at most {old} ago"
    report = facts.report
    if report is None:
        return not_named(policy, CLAIM, _SUBJECT, CLAIM, expected=expected)
    troubles: list[Trouble] = []
    observed = "no data"
    if isinstance(report, Missing):
        observed = f"no data ({report.cause})"
        troubles.append(lost(report, hint="have the tests write this file, or correct health.tests"))
    else:
        tests = report.value
        if tests.tests:
            observed = f"{quantity(tests.passed / tests.tests, Unit.RATIO)} ({tests.passed} of {tests.tests}), {when(tests.at, at)}"
        troubles += _of_file(facts.name, tests, policy, at=at)
        troubles += [t] if (t := commits.trouble(facts.commits, facts.name, own=tests.commit)) else []
        if tests.at > at + PAST:
            reason = f"{facts.name} is of {instant(tests.at)}, after the instant that is judged ({tests.dated})"
            troubles.append(Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint=_ABOUT_NOW))
        else:
            troubles += _of_both(tests, facts.suite, policy, down)
    return conclude(
        policy,
        CLAIM,
        _SUBJECT,
        troubles,
        observed=observed,
        expected=expected,
        good=f"{facts.name} and Prometheus tell the same of the last suite: all but {_not_passed(report)} of its tests passed",
        evidence=(*proof(report, facts.suite.now, facts.suite.before), facts.commits.evidence),
    )


def _of_file(name: str, tests: TestReport, policy: Policy, *, at: datetime) -> Iterator[Trouble]:
    wanted = policy.health.tests
    if not tests.tests or tests.tests == tests.skipped:
        what = "only skipped tests" if tests.tests else "no tests"
        yield Trouble(verdict=Verdict.UNKNOWN, reason=f"{name} holds {what}, which prove nothing", hint=_AGAIN)
    elif tests.passed / tests.tests < wanted.least:
        short = f"{tests.failed} failed, {tests.errors} broke off, {tests.skipped} were skipped"
        which = f": {named(tests.failures)}" if tests.failures else ""
        yield Trouble(verdict=Verdict.FAIL, reason=f"too few tests pass, as {short}{which}", hint="mend what fails")
    if at - tests.at > timedelta(hours=wanted.max_age_h):
        reason = f"{name} is {duration(at - tests.at)} old ({tests.dated}), and tells nothing of now"
        yield Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint="run the tests")
    for remark in tests.remarks:
        yield Trouble(verdict=Verdict.WARN, reason=f"{name}: {remark}", hint="look at the file, and at what writes it")


def _of_both(tests: TestReport, facts: SuiteFacts, policy: Policy, down: Mapping[str, str]) -> Iterator[Trouble]:
    suite, wanted = suite_counts.count(facts), policy.health.tests
    if isinstance(suite, Missing):
        because_of = next((down[m] for m in (wanted.last_run, wanted.total, wanted.passed) if m in down), "")
        yield lost(suite, hint="have the job that runs the tests scraped", because_of=because_of)
        return
    warnings = [w for answer in (facts.now, facts.before) if isinstance(answer, Answer) for w in answer.warnings]
    if warnings:
        yield Trouble(verdict=Verdict.WARN, reason=f"Prometheus warned: {warnings[0]}", hint="mend what it warns of")
    # Runners differ in whether a suite's timestamp is of its begin or of its end.
    ended_latest = tests.at + timedelta(seconds=tests.time_s)
    if tests.at - _SAME_RUN <= suite.ended <= ended_latest + _SAME_RUN:
        yield from _compared(tests, suite)
    elif tests.at > suite.ended and ended_latest > suite.scraped - _SAME_RUN:
        reason = (
            f"the suite of {instant(tests.at)} ended when Prometheus had scraped for the last time, at "
            f"{instant(suite.scraped)}, so only the file tells of it"
        )
        yield Trouble(verdict=Verdict.WARN, reason=reason, hint="judge again when it was scraped")
    else:
        reason = f"the file is of the suite of {instant(tests.at)} ({tests.dated}), and Prometheus' last ended {instant(suite.ended)}"
        yield Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint=_AGAIN)


def _compared(tests: TestReport, suite: SuiteCount) -> Iterator[Trouble]:
    if (suite.tests, suite.passed) == (tests.tests, tests.passed):
        return
    reason = (
        f"of one suite, the file tells that {tests.passed} of {tests.tests} tests passed, and Prometheus that "
        f"{suite.passed:.10g} of {suite.tests:.10g} did"
    )
    if suite.is_step:
        yield Trouble(verdict=Verdict.FAIL, reason=reason, hint="find out which of both counts wrongly")
    else:
        reason += ", which may be those of earlier suites too: it has no sample from before"
        yield Trouble(verdict=Verdict.UNKNOWN, reason=reason, hint="wait for the next suite")


def _not_passed(report: Answer[TestReport] | Missing) -> int:
    return 0 if isinstance(report, Missing) else report.value.tests - report.value.passed
