"""The test pass rate: of one suite, told alike by its file and by Prometheus, or not told at all."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from genesis_lib.checks.vitals import test_results
from genesis_lib.checks.vitals.commits import Commits
from genesis_lib.checks.vitals.suite_counts import SuiteFacts
from genesis_lib.checks.vitals.test_results import TestFacts
from genesis_lib.clients.junit import Dated, TestReport
from genesis_lib.model import Cause, Finding, Missing, Sample, Verdict
from tests.builders import AT, UNREACHABLE, answer, policy
from tests.checks.healthy import replayed, run_of

COMMIT = "5d1f0c7e9a3b4c2d8e6f7a1b0c9d8e7f6a5b4c3d"
ENDED = AT - timedelta(minutes=10)
REPORT = TestReport(
    tests=1000,
    passed=982,
    failed=15,
    errors=1,
    skipped=2,
    time_s=20.0,
    at=ENDED,
    dated=Dated.SUITE,
    commit=COMMIT,
    groups=(),
    failures=("tests.test_a::test_1",),
    remarks=(),
    digest="d",
    size=1,
    modified_at=ENDED,
)
DOWN = "targets.up[genesis-tests]"


def suite(*, total: float = 1000, passed: float = 982, ended: Any = ENDED, scraped: Any = AT) -> SuiteFacts:
    """Prometheus' word on a suite that followed upon others."""

    def vectors(**values: float) -> Any:
        return answer({n: (Sample(labels={"job": "genesis-tests"}, at=AT, value=float(v)),) for n, v in values.items()})

    return SuiteFacts(
        now=vectors(last=ended.timestamp(), scraped=scraped.timestamp(), total=5000 + total, passed=4900 + passed),
        before=vectors(last=ended.timestamp() - 1800, total=5000.0, passed=4900.0, ends=1.0, restarts=0.0),
    )


def judged(facts: SuiteFacts | None = None, *, judges: str = COMMIT, down: bool = False, **changed: Any) -> Finding:
    given = TestFacts(
        name="tests.xml",
        report=answer(replace(REPORT, **changed)),
        suite=facts or suite(),
        commits=Commits(judged=judges, of_artefacts=None),
    )
    return test_results.judge(given, policy(), at=AT, down={"genesis_tests_total": DOWN} if down else {})


def test_the_reports_pass_rate_passes_where_both_tell_it() -> None:
    found = judged()
    assert (found.verdict, found.check) == (Verdict.PASS, "health.tests")
    assert found.observed.startswith("98.20")
    assert "982 of 1000" in found.observed
    assert found.evidence


@pytest.mark.parametrize(
    ("passed", "verdict"),
    [
        pytest.param(950, Verdict.PASS, id="the bound itself"),
        pytest.param(949, Verdict.FAIL, id="one test fewer"),
        pytest.param(0, Verdict.FAIL, id="none"),
    ],
)
def test_the_pass_rate_is_of_all_tests(passed: int, verdict: Verdict) -> None:
    found = judged(suite(passed=passed), passed=passed, failed=997 - passed, errors=1)
    assert found.verdict is verdict
    assert ("tests.test_a::test_1" in found.reason) is (verdict is Verdict.FAIL)


@pytest.mark.parametrize(
    ("facts", "changed", "verdict", "words"),
    [
        pytest.param(
            suite(passed=981),
            {},
            Verdict.FAIL,
            "982 of 1000 tests passed, and Prometheus that 981 of 1000",
            id="they differ by one",
        ),
        pytest.param(
            suite(total=2000, passed=1964), {}, Verdict.FAIL, "1964 of 2000", id="the same rate of other counts"
        ),
        pytest.param(
            suite(ended=ENDED + timedelta(seconds=1.5)), {}, Verdict.PASS, "tell the same", id="ended a moment later"
        ),
        pytest.param(
            suite(ended=ENDED + timedelta(seconds=19)),
            {},
            Verdict.PASS,
            "tell the same",
            id="the file says when it began",
        ),
        pytest.param(
            suite(ended=ENDED + timedelta(minutes=5)),
            {},
            Verdict.UNKNOWN,
            "the file is of the suite of",
            id="an earlier file",
        ),
        pytest.param(
            suite(ended=ENDED - timedelta(minutes=5)),
            {},
            Verdict.UNKNOWN,
            "Prometheus' last ended",
            id="scraped since, and not counted",
        ),
        pytest.param(
            suite(ended=AT - timedelta(minutes=30), scraped=AT - timedelta(seconds=12)),
            {"at": AT - timedelta(seconds=3)},
            Verdict.WARN,
            "only the file tells of it",
            id="ended after the last scrape",
        ),
        pytest.param(
            suite(ended=AT - timedelta(minutes=30)),
            {"at": AT + timedelta(seconds=4)},
            Verdict.WARN,
            "only the file tells of it",
            id="ended while we asked",
        ),
        pytest.param(
            suite(), {"at": AT + timedelta(hours=1)}, Verdict.UNKNOWN, "after the instant", id="from the future"
        ),
        pytest.param(
            SuiteFacts(now=UNREACHABLE, before=UNREACHABLE), {}, Verdict.UNKNOWN, UNREACHABLE.detail, id="no Prometheus"
        ),
        pytest.param(suite(), {"tests": 0, "passed": 0}, Verdict.UNKNOWN, "no tests", id="an empty suite"),
        pytest.param(
            suite(), {"tests": 7, "passed": 0, "skipped": 7}, Verdict.UNKNOWN, "only skipped tests", id="all skipped"
        ),
        pytest.param(suite(), {"commit": "0" * 40}, Verdict.UNKNOWN, "is of commit 000000000000", id="another commit"),
        pytest.param(suite(), {"remarks": ("a test took -3 s",)}, Verdict.WARN, "-3 s", id="something is odd"),
    ],
)
def test_the_file_and_prometheus(facts: SuiteFacts, changed: dict[str, Any], verdict: Verdict, words: str) -> None:
    # An empty or skipped suite would also differ from what Prometheus counted.
    if "tests" in changed:
        facts = suite(total=changed["tests"], passed=0)
    found = judged(facts, **changed)
    assert (found.verdict, words in found.reason) == (verdict, True), found
    assert bool(found.hint) is (verdict is not Verdict.PASS)


@pytest.mark.parametrize(
    ("age", "verdict"),
    [
        pytest.param(timedelta(hours=2), Verdict.PASS, id="as old as it may be"),
        pytest.param(timedelta(hours=2, seconds=1), Verdict.UNKNOWN, id="older"),
    ],
)
def test_an_old_result_tells_nothing_of_now(age: timedelta, verdict: Verdict) -> None:
    assert judged(suite(ended=AT - age), at=AT - age).verdict is verdict


def test_too_few_that_pass_do_not_become_better_by_growing_old() -> None:
    old = AT - timedelta(days=3)
    assert judged(suite(ended=old, passed=10), at=old, passed=10).verdict is Verdict.FAIL


def test_no_commit_is_compared_where_none_is_judged() -> None:
    assert judged(judges="").verdict is Verdict.PASS


def test_what_is_missing_because_the_job_is_down_follows_from_that() -> None:
    nothing = answer({"last": (), "scraped": (), "total": (), "passed": ()})
    found = judged(SuiteFacts(now=nothing, before=nothing), down=True)
    assert (found.verdict, found.because_of) == (Verdict.UNKNOWN, DOWN)


def test_a_counter_without_a_sample_from_before_accuses_nobody() -> None:
    given = suite(total=2000)
    found = judged(SuiteFacts(now=given.now, before=answer({"ends": (), "restarts": ()})))
    assert (found.verdict, "no sample from before" in found.reason) == (Verdict.UNKNOWN, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(None, "No such file", id="no file"),
        pytest.param("<testsuites><testsuite", "is not XML", id="broken XML"),
        pytest.param("", "is empty", id="an empty file"),
    ],
)
def test_a_file_that_cannot_be_read_is_unknown_and_replays_so(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "tests.xml").write_text(text)
    run = run_of(tmp_path, tests="tests.xml")

    def found(of: Any) -> Finding:
        facts = test_results.gather(of)
        assert facts is not None
        return test_results.judge(facts, policy(), at=run.as_of, down={})

    first = found(run)
    assert (first.verdict, words in first.reason) == (Verdict.UNKNOWN, True), first
    (tmp_path / "tests.xml").unlink(missing_ok=True)
    assert found(replayed(run)) == first


def test_a_file_that_is_not_named_is_unknown_and_one_declared_away_is_no_finding(tmp_path: Path) -> None:
    facts = test_results.gather(run_of(tmp_path))
    assert facts is not None
    found = test_results.judge(facts, policy(), at=AT, down={})
    assert (found.verdict, "health.tests" in found.hint) == (Verdict.UNKNOWN, True)
    assert test_results.gather(run_of(tmp_path, tests="none")) is None


def test_a_report_that_is_missing_says_why() -> None:
    missing = Missing(cause=Cause.MALFORMED, detail="tests.xml, line 3: is not XML", evidence="e-2")
    facts = TestFacts(name="tests.xml", report=missing, suite=suite(), commits=Commits(judged="", of_artefacts=None))
    found = test_results.judge(facts, policy(), at=AT, down={})
    assert (found.verdict, found.reason, "e-2" in found.evidence) == (Verdict.UNKNOWN, missing.detail, True)
