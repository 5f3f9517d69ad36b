"""Objectives on a terminal: as many columns as it is wide, the most important first, and reasons below."""

import io
import subprocess
import sys

import pytest
from rich.cells import cell_len
from rich.console import Console

from genesis_lib.model import Missing, Verdict
from genesis_lib.readiness.decision import call_of
from genesis_lib.slo.recorded import Source
from genesis_lib.views import objective_terminal
from tests.builders import make_finding
from tests.views import hostile
from tests.views.statuses import NO_SERIES, blind, burns, failing, objective, status, without_budget

NNBSP = "\N{NARROW NO-BREAK SPACE}"


def shown(*statuses: object, width: int = 120, is_terminal: bool = False, **other: object) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, highlight=False, soft_wrap=True, force_terminal=is_terminal)
    arguments = {
        "findings": [],
        "not_applicable": {},
        "run": "outputs/demo/r",
        "requests": 31,
        "console": console,
    } | other
    call = call_of(arguments["findings"])  # type: ignore[arg-type]
    objective_terminal.show(statuses, heading="Objectives of demo", call=call, **arguments)  # type: ignore[arg-type]
    assert "Objectives of demo" in out.getvalue().partition("\n")[0]
    return out.getvalue().partition("\n")[2].replace(NNBSP, " ")


def header(text: str) -> str:
    first, second = text.splitlines()[:2]
    return f"{first} {second}"


def test_a_line_has_the_verdict_the_value_and_how_the_budget_burns() -> None:
    line = shown(status(value=0.0003), width=80).splitlines()[2]
    assert " ".join(line.split()) == "Error rate ✓ PASS 0.03 % < 0.10 % 99.98 % 80 % 0.20 0.20 0.20 0.20"


@pytest.mark.parametrize(
    ("width", "there", "left_out"),
    [
        pytest.param(
            80, ["objective", "verdict", "value", "target", "left"], ["worst", "trend", "critical"], id="narrow"
        ),
        pytest.param(120, ["warning", "critical", "3 d"], ["worst", "interval"], id="usual"),
        pytest.param(200, ["trend", "interval", "worst"], [], id="wide"),
    ],
)
def test_a_terminal_that_is_too_narrow_leaves_out_what_matters_least_and_names_it(
    width: int, there: list[str], left_out: list[str]
) -> None:
    failed, found = failing()
    text = shown(status(), blind(), failed, width=width, findings=found)
    assert all(word in header(text) for word in there)
    assert not any(word in header(text) for word in left_out)
    note = next((line for line in text.splitlines() if line.startswith("too narrow for: ")), "")
    assert all(word in note for word in left_out)
    assert bool(note) == bool(left_out)
    assert max(cell_len(line) for line in text.splitlines()[:5]) <= width


def test_a_pipe_gets_plain_text_and_a_terminal_colours() -> None:
    assert "\x1b" not in shown(status())
    assert "\x1b[32m✓ PASS" in shown(status(), is_terminal=True)


def test_no_colour_is_shown_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" not in shown(status(), is_terminal=True)


def test_what_is_not_pass_says_why_and_what_to_do() -> None:
    failed, found = failing()
    lines = shown(failed, findings=found).splitlines()
    at = lines.index("Error rate")
    assert lines[at + 1 : at + 3] == ["  FAIL    status: it is above critical", "          do: mend the status"]
    assert "spent" in lines[2]
    assert "▲23.4" in lines[2]
    assert "▲ burns beyond the factor from which its alert fires" in lines


def test_what_is_missing_is_no_number() -> None:
    text = shown(blind())
    assert (
        " ".join(text.splitlines()[2].split())
        == "Error rate ? UNKNOWN no data < 0.10 % > 0.05 % > 0.10 % no data no data no data no data no data no data"
    )
    assert f"  UNKNOWN status: {NO_SERIES.detail}" in text


def test_a_rate_of_an_objective_without_a_budget_is_infinite() -> None:
    assert shown(without_budget()).splitlines()[2].endswith("none    ▲∞    ▲∞    ▲∞    ▲∞")


def test_objectives_of_different_periods_share_the_columns_that_they_both_have() -> None:
    of = objective("latency_p95")
    fewer = status(of, burns=burns(of, 0.5)[:1])
    assert "0.50" in shown(status(), fewer).splitlines()[3]


def test_it_ends_with_what_does_not_apply_the_sources_and_the_requests() -> None:
    recorded = [
        status(objective(name), source=Source(is_recorded=True, difference=difference, note="differs"))
        for name, difference in (("error_rate", 0.0004), ("latency_p95", 0.0012))
    ]
    assert shown(status(objective("cpu")), *recorded, not_applicable={"HALO": "there is none"}).splitlines()[-5:] == [
        "not applicable: HALO: there is none",
        "raw series; none are recorded: CPU usage",
        "recorded series, which differ from raw ones by at most 0.12 %: Error rate, P95 latency",
        "31 requests",
        "GO by these findings; evidence in outputs/demo/r",
    ]
    assert "raw series; none are recorded: all objectives" in shown(status())


def test_an_environment_without_objectives_still_says_what_does_not_apply() -> None:
    text = shown(status(), not_applicable={"Error rate": "no traffic here"})
    assert text.strip().splitlines()[0] == "not applicable: Error rate: no traffic here"


@pytest.mark.parametrize("text", hostile.ALL)
def test_text_from_outside_is_neither_markup_nor_control(text: str) -> None:
    of = objective().model_copy(update={"title": f"[bold]{text}"})
    lost = status(of, verdict=Verdict.FAIL, reason=text, hint=text, budget=Missing(cause=NO_SERIES.cause, detail=text))
    found = [make_finding("slos.sound", of.title, Verdict.WARN, reason=text, waiver=text)]
    for printed in (shown(lost), shown(lost, findings=found, not_applicable={text: text})):
        assert "[bold]" in printed
        assert not set("\x1b\x00\x07\u202e") & set(printed)


def test_it_starts_without_the_libraries_of_figures() -> None:
    code = "import sys, genesis_lib.views.objective_terminal; print({'pandas', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
