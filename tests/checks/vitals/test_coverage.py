"""Coverage: enough of the code, of this commit, measured lately, and not edited."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from genesis_lib.checks.vitals import coverage
from genesis_lib.checks.vitals.commits import Commits
from genesis_lib.checks.vitals.coverage import CoverageFacts
from genesis_lib.model import Finding, Verdict
from tests.builders import AT, UNREACHABLE, answer, policy
from tests.checks.healthy import replayed, run_of

COMMIT = "5d1f0c7e9a3b4c2d8e6f7a1b0c9d8e7f6a5b4c3d"


def summary(covered: int, statements: int, branches: tuple[int, int] | None = None) -> dict[str, Any]:
    taken, of = branches or (0, 0)
    told = {
        "covered_lines": covered,
        "num_statements": statements,
        "percent_covered": 100 * (covered + taken) / (statements + of) if statements + of else 100.0,
        "percent_covered_display": "67",
        "missing_lines": statements - covered,
        "excluded_lines": 0,
    }
    return told | ({"covered_branches": taken, "num_branches": of} if branches else {})


def report(
    *counts: dict[str, Any], totals: dict[str, Any] | None = None, at: str | None = None, form: int = 3
) -> dict[str, Any]:
    """A report on a file for each of `counts`; the totals are theirs unless given."""
    added = summary(sum(c["covered_lines"] for c in counts), sum(c["num_statements"] for c in counts))
    return {
        "meta": {"format": form, "version": "7.6.1", "timestamp": at or (AT - timedelta(hours=1)).isoformat()},
        "files": {f"genesis/{i}.py": {"executed_lines": [], "summary": one} for i, one in enumerate(counts)},
        "totals": totals or added,
    }


def judged(document: Any, *, artefacts: str = COMMIT) -> Finding:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    facts = CoverageFacts(
        name="coverage.json",
        content=answer(content),
        commits=Commits(judged=COMMIT, of_artefacts=answer(artefacts.encode())),
    )
    return coverage.judge(facts, policy(), at=AT)


GOOD = (summary(300, 400), summary(370, 600))


def test_the_reports_coverage_passes_and_its_age_is_shown() -> None:
    found = judged(report(*GOOD))
    assert (found.verdict, found.observed) == (
        Verdict.PASS,
        "67\N{NARROW NO-BREAK SPACE}%, measured 1\N{NARROW NO-BREAK SPACE}h before",
    )
    assert "670 of 1,000 statements" in found.reason


@pytest.mark.parametrize(
    ("document", "verdict", "words"),
    [
        pytest.param(report(summary(65, 100)), Verdict.PASS, "65 of 100", id="the bar itself"),
        pytest.param(report(summary(649, 1000)), Verdict.FAIL, "too little", id="one statement fewer"),
        pytest.param(report(*GOOD, form=2), Verdict.PASS, "670", id="format 2"),
        pytest.param(report(*GOOD, form=1), Verdict.UNKNOWN, "meta.format", id="a format that is not known"),
        pytest.param(
            report(*GOOD, totals=summary(900, 1000)), Verdict.UNKNOWN, "edited or cut short", id="totals edited"
        ),
        pytest.param(
            report(*GOOD, totals=summary(670, 1000) | {"percent_covered": 97.0}),
            Verdict.UNKNOWN,
            "edited",
            id="percentage edited",
        ),
        pytest.param(
            report(GOOD[0], totals=summary(670, 1000)), Verdict.UNKNOWN, "edited or cut short", id="a file taken out"
        ),
        pytest.param(report(summary(0, 0)), Verdict.UNKNOWN, "no statement", id="nothing measured"),
        pytest.param(report(), Verdict.UNKNOWN, "no statement", id="no files"),
        pytest.param(
            report(summary(90, 100, (10, 100)), totals=summary(90, 100, (10, 100))),
            Verdict.FAIL,
            "too little",
            id="branches count",
        ),
        pytest.param(b"{", Verdict.UNKNOWN, "no report of coverage.py", id="broken JSON"),
        pytest.param([], Verdict.UNKNOWN, "no report of coverage.py", id="another JSON"),
        pytest.param(report(summary(-1, 10)), Verdict.UNKNOWN, "covered_lines", id="negative counts"),
        pytest.param(
            b'{"meta": {"format": 3, "timestamp": "yesterday"}, "files": {}, "totals": {}}',
            Verdict.UNKNOWN,
            "meta.timestamp",
            id="no time",
        ),
    ],
)
def test_counts(document: Any, verdict: Verdict, words: str) -> None:
    found = judged(document)
    assert (found.verdict, words in found.reason) == (verdict, True), found


@pytest.mark.parametrize(
    ("age", "zone", "verdict"),
    [
        pytest.param(timedelta(days=7), "+00:00", Verdict.PASS, id="as old as it may be"),
        pytest.param(timedelta(days=7, seconds=1), "+00:00", Verdict.UNKNOWN, id="older"),
        pytest.param(timedelta(minutes=-4), "+00:00", Verdict.PASS, id="measured while we asked"),
        pytest.param(timedelta(minutes=-6), "+00:00", Verdict.UNKNOWN, id="from the future"),
        pytest.param(timedelta(days=6), "", Verdict.PASS, id="in any zone young enough"),
        pytest.param(timedelta(days=7), "", Verdict.UNKNOWN, id="young enough in some zones only"),
        pytest.param(timedelta(days=8), "", Verdict.UNKNOWN, id="in any zone too old"),
        pytest.param(timedelta(hours=-13), "", Verdict.PASS, id="a clock far in the east"),
        pytest.param(timedelta(hours=-15), "", Verdict.UNKNOWN, id="in any zone from the future"),
    ],
)
def test_age(age: timedelta, zone: str, verdict: Verdict) -> None:
    told = (AT - age).replace(tzinfo=None).isoformat() + zone
    found = judged(report(*GOOD, at=told))
    assert (found.verdict, "names no zone" in found.observed) == (verdict, not zone)


def test_coverage_of_another_commit_proves_nothing() -> None:
    found = judged(report(*GOOD), artefacts="7c4f0e9b2d6a58e13f9072ab4c1d85e6f03b7a29")
    assert (found.verdict, "of commit 7c4f0e9b2d6a" in found.reason) == (Verdict.UNKNOWN, True)


def test_a_worse_value_of_another_commit_is_no_better() -> None:
    assert judged(report(summary(1, 10)), artefacts="7c4f0e9b2d6a").verdict is Verdict.FAIL


def test_a_file_is_read_once_and_replayed(tmp_path: Path) -> None:
    (tmp_path / "coverage.json").write_text(json.dumps(report(*GOOD)))
    run = run_of(tmp_path, coverage="coverage.json")
    facts = coverage.gather(run)
    (tmp_path / "coverage.json").unlink()
    assert facts is not None
    assert facts == coverage.gather(replayed(run))
    assert coverage.judge(facts, policy(), at=AT).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("named", "words"),
    [
        pytest.param({}, "does not name health.coverage", id="not named"),
        pytest.param({"coverage": "c.json"}, "No such file", id="not there"),
    ],
)
def test_without_a_file_it_cannot_be_told(tmp_path: Path, named: dict[str, str], words: str) -> None:
    facts = coverage.gather(run_of(tmp_path, health=named))
    assert facts is not None
    found = coverage.judge(facts, policy(), at=AT)
    assert (found.verdict, words in found.reason) == (Verdict.UNKNOWN, True)
    assert coverage.gather(run_of(tmp_path, coverage="none")) is None


def test_a_file_that_could_not_be_asked_for_says_so() -> None:
    facts = CoverageFacts(name="c", content=UNREACHABLE, commits=Commits(judged="", of_artefacts=None))
    assert coverage.judge(facts, policy(), at=AT).reason == UNREACHABLE.detail
