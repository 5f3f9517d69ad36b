"""Tables of objectives: every number with its limits, every absence with its reason, and nothing from outside as markup."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from genesis_lib.model import Finding, Missing, Verdict
from genesis_lib.slo.recorded import Source
from genesis_lib.slo.status import Status, Worst
from genesis_lib.views.markup import Html
from genesis_lib.views.objective_tables import budgets, burn_rates, objectives
from tests.builders import make_finding
from tests.views import hostile
from tests.views.statuses import CENSUS, NO_SERIES, blind, failing, objective, status, without_budget, young


def _words(html: str) -> str:
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html.replace("<wbr>", ""))).strip()
    return text.replace("&lt;", "<").replace("&gt;", ">")


def _table(*shown: Status, found: Sequence[Finding] = ()) -> str:
    return _words(objectives(shown, found).markup)


def test_a_row_shows_the_value_its_limits_the_period_the_budget_and_the_burn_rates() -> None:
    said = _table(status(value=0.0003, source=Source(is_recorded=True, difference=0.0004, note="recorded series; …")))
    for part in (
        "Error rate ✓ PASS",
        "0.03 % last 1 h 95 % sure: 0.01 to 0.04 % worst: app:8000, 0.10 %",
        "< 0.10 % warning > 0.05 % critical > 0.10 %",
        "99.98 % wanted 99.90 % 7 d, coverage 100 % trend +0.01 points",
        "80 % 8 min 04 s 80 events",
        "1 h 0.20 6 h 0.20 1 d 0.20 3 d 0.20",
        "recorded series recorded and raw differ by 0.04 % e-1 e-2 …",
    ):
        assert part in said


def test_what_is_not_pass_says_why_and_what_to_do_under_its_row() -> None:
    failed, found = failing()
    said = _table(failed, found=found)
    row, _, remarks = said.partition("✕ FAIL status: it is above critical Do mend the status")
    assert "Error rate ✕ FAIL" in row
    assert "spent 37 % too much 3 min 44 s too much 37 events too much" in row
    assert "1 h 23.4 ▲ 6 h 23.4 ▲" in row
    assert "budget: it is spent Do mend the budget" in remarks
    assert "▲ burns beyond the factor" in remarks
    assert "▲" not in _table(status())


def test_a_waived_finding_shows_the_waiver_in_place_of_what_to_do() -> None:
    waived = make_finding("slos.status", "Error rate", Verdict.FAIL, hint="mend it", waiver="a known fault")
    said = _table(status(), found=[waived])
    assert "Waived: a known fault" in said
    assert "mend it" not in said


@pytest.mark.parametrize(
    "draw", [lambda s: objectives(s, []), budgets, burn_rates], ids=["objectives", "budgets", "burns"]
)
def test_what_is_missing_is_no_number_and_says_why(draw: Callable[[Sequence[Status]], Html]) -> None:
    said = _words(draw([blind()]).markup)
    assert "no data" in said
    assert said.count(NO_SERIES.detail) == 1
    assert not re.search(r"nan|None|Missing", said)


def test_of_an_objective_without_data_no_value_and_no_budget_is_shown() -> None:
    cells = re.findall(r"<td[^>]*>(.*?)</td>", objectives([blind()], []).markup)
    mains = [_words(cell).partition(" last")[0] for cell in (cells[0], cells[3])]
    assert mains == ["no data", "no data"]
    assert _words(cells[4]) == "1 h no data 6 h no data 1 d no data 3 d no data"


def test_why_there_is_no_interval_or_trend_is_said_once_for_all_under_the_table() -> None:
    counted = [status(objective(name), interval=CENSUS) for name in ("test_pass_rate", "error_rate")]
    said = _table(*counted, young())
    assert f"No interval for Test pass rate, Error rate: {CENSUS.detail}." in said
    assert "No trend for Error rate: of the period before this one 0 % was seen." in said


def test_a_young_objective_says_which_life_its_numbers_are_of() -> None:
    said = _table(young())
    assert "life of 1 d 3 h, coverage 100 %" in said
    assert "by its life of 1 d 3 h" in said


def test_a_series_that_never_began_has_no_life() -> None:
    nothing = blind()
    unborn = replace(nothing, period=replace(nothing.period, is_young=True))
    assert "no data wanted 99.90 % 7 d, coverage 0 %" in _table(unborn)


def test_a_target_of_all_has_no_budget_and_burns_infinitely() -> None:
    said = _table(without_budget())
    assert "none 1 h ∞ ▲ 6 h ∞ ▲" in said
    assert "budget: a target of 100 % leaves no budget" in said


def test_what_does_not_apply_says_why_and_is_not_judged() -> None:
    shown = objectives([blind()], [], not_applicable={"Error rate": "no traffic here", "CPU usage": "observed only"})
    said = _words(shown.markup)
    assert "objectives (0)" in said
    assert "Error rate not applicable: no traffic here" in said
    assert "CPU usage not applicable: observed only" in said
    assert NO_SERIES.detail not in said
    assert "not applicable: no traffic here" in repr(shown)


@pytest.mark.parametrize(
    "draw", [lambda s: objectives(s, []), budgets, burn_rates], ids=["objectives", "budgets", "burns"]
)
def test_an_environment_without_objectives_says_so(draw: Callable[[Sequence[Status]], Html]) -> None:
    assert "The environment has no objective." in draw([]).markup
    assert "The environment has no objective." in repr(draw([]))


def test_budgets_are_in_percent_time_and_events() -> None:
    said = _words(budgets([status()]).markup)
    assert "0.10 % 10 min 05 s in 7 d 100 events 20 % 2 min 01 s 20 events 80 % 8 min 04 s 80 events" in said
    assert "at the pace of the last 6 h it lasts beyond the next 7 d" in said


def test_budgets_of_time_are_in_slices() -> None:
    assert "slices of 1 min" in _words(budgets([status(objective("service_uptime"))]).markup)


def test_a_spent_budget_has_no_forecast() -> None:
    failed, _ = failing()
    assert "137 % 13 min 49 s 137 events spent 37 % too much" in _words(budgets([failed]).markup)
    assert "it is spent already" in _words(budgets([failed]).markup)


def test_burn_rates_show_each_pair_of_windows_with_its_factor() -> None:
    failed, _ = failing()
    said = _words(burn_rates([failed]).markup)
    assert "Error rate 1 h and 5 min page 13.44 8 % in 1 h 23.4 23.4 fires" in said
    assert "3 d and 6 h ticket 0.98 42 % in 3 d 23.4 23.4 fires" in said
    assert burn_rates([failed]).markup.count("<strong><bdi>fires</bdi></strong>") == len(failed.burns)
    assert "A burn rate of 1 spends the whole budget in just the period" in said


def test_an_unreachable_alert_is_not_shown_as_calm() -> None:
    of = objective("test_pass_rate", target=0.9, warning=0.9, critical=0.9)
    assert "1 / 10 % = 10" in _words(burn_rates([status(of)]).markup)


@pytest.mark.parametrize("text", hostile.ALL)
def test_text_from_outside_is_escaped(text: str) -> None:
    of = objective().model_copy(update={"title": text, "owner": text})
    odd = Missing(cause=NO_SERIES.cause, detail=text, evidence=text)
    lost = status(
        of,
        reason=text,
        hint=text,
        verdict=Verdict.FAIL,
        interval=odd,
        budget=odd,
        forecast=odd,
        burns=tuple(replace(burn, long=odd) for burn in status(of).burns),
        worst=Worst(label="instance", name=text, value=1.0),
        source=Source(is_recorded=False, difference=None, note=text),
        warnings=(text,),
        evidence=(text,),
    )
    found = [make_finding("slos.budget", of.title, Verdict.FAIL, reason=text, hint=text, waiver=text)]
    for shown in (
        objectives([lost], found, not_applicable={text: text}),
        objectives([lost], []),
        budgets([lost]),
        burn_rates([lost]),
    ):
        assert not re.search(r"<(script|img)|\u202e|\x1b", shown.markup)
        assert "\x1b" not in repr(shown)
        assert max(map(len, repr(shown).splitlines())) < 800
