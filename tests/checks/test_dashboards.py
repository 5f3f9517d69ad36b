"""Dashboards: every panel counts only by the data that it shows."""

from typing import Any

import pytest

from genesis_lib.checks import dashboards, panels
from genesis_lib.checks.dashboards import DashboardFacts
from genesis_lib.checks.panels import Dashboard, Panel
from genesis_lib.model import Cause, Finding, Missing, Verdict
from tests.builders import AT, policy, vector
from tests.checks.facts import ladder_facts

LADDER = ladder_facts(
    answers={"up": vector(({}, 1.0)), "genesis_tests_total_total": vector()},
    alive=("up",),
    dead=("genesis_tests_total_total",),
)


def judged(*shown: Panel) -> list[Finding]:
    dashboard = Dashboard(source="d.json", title="Genesis", panels=shown, evidence="e")
    return dashboards.judge(DashboardFacts(dashboards=(dashboard,), ladder=LADDER), policy(), at=AT)


def panel(*expressions: str) -> Panel:
    return Panel(title="Pass rate", kind="stat", unit="percentunit", thresholds=(), expressions=expressions)


@pytest.mark.parametrize(
    ("expressions", "verdict"),
    [
        pytest.param(("up",), Verdict.PASS, id="fresh data is a pass"),
        pytest.param(("genesis_tests_total_total",), Verdict.FAIL, id="a panel that shows nothing fails"),
        pytest.param(("up", "genesis_tests_total_total"), Verdict.FAIL, id="one dead query of two fails the panel"),
        pytest.param((), Verdict.UNKNOWN, id="a panel without a query proves nothing"),
    ],
)
def test_a_panel(expressions: tuple[str, ...], verdict: Verdict) -> None:
    (finding,) = judged(panel(*expressions))
    assert (finding.verdict, finding.subject) == (verdict, "Genesis / Pass rate")


def test_a_dashboard_without_panels_fails() -> None:
    assert [f.check for f in judged()] == ["dashboards.readable"]
    assert judged()[0].verdict is Verdict.FAIL


def test_a_dashboard_that_cannot_be_read_is_unknown() -> None:
    broken = Missing(cause=Cause.MALFORMED, detail="d.json: is no dashboard", evidence="e")
    facts = DashboardFacts(
        dashboards=(Dashboard(source="d.json", title="d", panels=broken, evidence="e"),), ladder=LADDER
    )
    assert [f.verdict for f in dashboards.judge(facts, policy(), at=AT)] == [Verdict.UNKNOWN]


def dashboard(*shown: dict[str, Any], variables: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"title": "d", "panels": list(shown), "templating": {"list": variables or []}}


def test_rows_are_unfolded_and_what_shows_no_data_is_left_out() -> None:
    inner = {"title": "inner", "type": "stat", "targets": [{"expr": "a"}]}
    row = {"title": "row", "type": "row", "panels": [inner]}
    assert [p.title for p in panels.read(dashboard(row, {"type": "text"}))] == ["inner"]


def test_variables_are_put_in_the_longest_name_first() -> None:
    shown = {
        "title": "p",
        "type": "stat",
        "targets": [{"expr": 'rate(x{job="$job",i=~"${instance}"}[$__rate_interval])'}],
    }
    variables = [
        {"name": "job", "current": {"value": "node"}},
        {"name": "instance", "current": {"value": ["a", "b"]}},
        {"name": "j", "current": {"value": "wrong"}},
    ]
    (found,) = panels.read(dashboard(shown, variables=variables))
    assert found.expressions == ('rate(x{job="node",i=~"a|b"}[1m])',)


def test_threshold_lines_are_read_only_where_the_panel_draws_them() -> None:
    steps = {"steps": [{"color": "green", "value": None}, {"color": "red", "value": 0.98}]}
    drawn = {"custom": {"thresholdsStyle": {"mode": "line"}}, "thresholds": steps, "unit": "percentunit"}
    shown = [
        {"title": "p", "type": "timeseries", "fieldConfig": {"defaults": d}} for d in (drawn, {"thresholds": steps})
    ]
    assert [p.thresholds for p in panels.read(dashboard(*shown))] == [(("threshold", 0.98),), ()]
