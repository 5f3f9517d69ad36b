"""The health checks on a terminal: a line for each, what to do, and how many passed."""

import io

from rich.console import Console

from genesis_lib.model import Finding, Verdict
from genesis_lib.readiness.decision import call_of
from genesis_lib.views import health_terminal
from tests.builders import make_finding


def shown(*findings: Finding) -> str:
    out = io.StringIO()
    console = Console(file=out, highlight=False, soft_wrap=True)
    health_terminal.show(findings, call=call_of(findings), run="outputs/demo/r", console=console)
    return out.getvalue()


def test_each_check_has_its_line_and_the_counts_come_last() -> None:
    lines = shown(
        make_finding("health.tests", "test pass rate", observed="98.28 %"),
        make_finding("health.coverage", "code coverage", Verdict.UNKNOWN, hint="measure anew"),
        make_finding("health.flags", "feature flags", Verdict.FAIL, observed="16 of 17 flags there"),
        make_finding("health.files", "required files", Verdict.WARN),
    ).splitlines()
    assert lines[0] == "PASS    health.tests[test pass rate]: 98.28 %"
    assert "FAIL    health.flags[feature flags]: 16 of 17 flags there" in lines
    assert "        do: measure anew" in lines
    assert "passed 1 of 4, failed 1, warned 1, unknown 1" in lines
    assert lines[-2].startswith("HOLD by these findings; evidence in outputs/demo/r")


def test_a_check_that_passed_gives_no_reason_and_no_advice() -> None:
    text = shown(make_finding("health.tests", "test pass rate", reason="because", hint="never"))
    assert "because" not in text
    assert "do:" not in text
    assert "GO by these findings" in text


def test_a_waived_check_says_why_and_a_remark_on_waivers_is_not_counted() -> None:
    text = shown(
        make_finding("health.flags", "feature flags", Verdict.FAIL, waiver="until the move, ticket 12", hint="mend"),
        make_finding("waivers.current", "health.flags[feature flags]", Verdict.WARN),
    )
    assert "waived: until the move, ticket 12" in text
    assert "do: mend" not in text
    assert "passed 0 of 1, failed 1, warned 0, unknown 0" in text


def test_text_from_outside_is_no_markup() -> None:
    assert "[red]x\u27e8U+202E\u27e9" in shown(make_finding("health.tests", "s", observed="[red]x\u202e"))
