"""A judgement on a terminal: the decision first, why, the scores, and where the files are."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from genesis_lib.model import Blocking, Verdict
from genesis_lib.readiness.decision import decide
from genesis_lib.readiness.judgement import Judgement
from genesis_lib.readiness.score import score
from genesis_lib.views import terminal
from tests.builders import AT, make_finding, policy


def shown(*reasons: tuple[str, str], exit_code: int = 2, problems: tuple[str, ...] = ()) -> str:
    findings = tuple(
        make_finding("targets.up", subject, Verdict.FAIL, blocking=Blocking.NO_GO, reason=reason)
        for subject, reason in reasons
    )
    rubric = policy().readiness
    card = score(findings, rubric.sections)
    judgement = Judgement(
        environment="demo",
        title="Demo",
        owner="sre",
        chunk=1,
        run_id="r",
        as_of=AT,
        skew_s=0.1,
        findings=findings,
        card=card,
        decision=decide(findings, card, rubric, at=AT),
        not_applicable=("This environment declares that it has no Grafana; nothing of it was judged.",),
    )
    out = io.StringIO()
    console = Console(file=out, highlight=False, soft_wrap=True)
    terminal.show(
        judgement, files=[Path("/elsewhere/report.html")], problems=problems, exit_code=exit_code, console=console
    )
    return out.getvalue()


def test_the_decision_comes_first_and_the_files_last() -> None:
    lines = shown(("node", "node is down")).splitlines()
    assert lines[0].startswith("NO_GO  Demo, as of 2026-11-24 06:00:00 UTC, valid until 2026-11-25 06:00 UTC")
    assert lines[-1] == "/elsewhere/report.html"
    assert "  • node is down" in lines
    assert any("no Grafana" in line for line in lines)


def test_what_is_said_of_several_subjects_is_said_once() -> None:
    text = shown(*((f"job-{i}", "it does not answer") for i in range(6)))
    assert "  • job-0, job-1, job-2, job-3 and 2 more: it does not answer" in text
    assert text.count("it does not answer") == 1


def test_many_reasons_are_cut_short_and_counted() -> None:
    text = shown(*((f"job-{i}", f"job-{i} is down") for i in range(20)))
    assert "  • and 12 more, in the report" in text


def test_text_from_outside_is_no_markup() -> None:
    assert "[bold red]node[/] is [link=x]down" in shown(("[bold red]node[/]", "[bold red]node[/] is [link=x]down"))


@pytest.mark.parametrize("problem", ["report.pdf was not made: Pango is missing"])
def test_a_run_that_could_not_be_made_says_so_before_all_else(problem: str) -> None:
    text = shown(("node", "node is down"), exit_code=3, problems=(problem,))
    assert text.startswith("COULD NOT RUN")
    assert f"! {problem}" in text
