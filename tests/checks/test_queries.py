"""Queries: each question is judged, and a metric that nobody has is named once, with all who ask for it."""

from dataclasses import replace

from genesis_lib.checks import queries
from genesis_lib.checks.panels import Dashboard, Panel
from genesis_lib.checks.queries import QueryFacts
from genesis_lib.checks.rule_files import RuleFile
from genesis_lib.model import Finding, Verdict
from genesis_lib.policy import Query
from tests.builders import AT, policy, vector
from tests.checks.facts import ladder_facts
from tests.checks.test_rules import SPEC

MISSPELLED = "genesis_tests_total_total"
RULE = replace(SPEC, name="PassRateLow", expr=f"{MISSPELLED} < 1")
PANEL = Panel(title="Pass rate", kind="stat", unit="", thresholds=(), expressions=(MISSPELLED,))


def facts() -> QueryFacts:
    return QueryFacts(
        queries=(Query(name="up", title="Up", expr="up", unit="boolean"),),
        rules=(RuleFile(name="alerts.yml", rules=(RULE,), evidence="e"),),
        dashboards=(Dashboard(source="d.json", title="Genesis", panels=(PANEL,), evidence="e"),),
        ladder=ladder_facts(
            answers={"up": vector(({}, 1.0)), RULE.expr: vector(), MISSPELLED: vector()},
            alive=("up",),
            dead=(MISSPELLED,),
        ),
    )


def judged() -> dict[str, Finding]:
    return {f.id: f for f in queries.judge(facts(), policy(), at=AT)}


def test_every_query_and_every_rule_is_a_subject() -> None:
    assert {i: f.verdict for i, f in judged().items() if f.check == "queries.answered"} == {
        "queries.answered[Up]": Verdict.PASS,
        "queries.answered[rule PassRateLow]": Verdict.FAIL,
    }


def test_a_metric_that_nobody_has_is_one_root_that_names_all_who_ask() -> None:
    root = judged()[f"queries.metric[{MISSPELLED}]"]
    assert root.verdict is Verdict.FAIL
    assert "rule PassRateLow, panel Pass rate" in root.reason
    assert "genesis_tests_total (exposed by genesis-tests)" in root.hint
    assert judged()["queries.answered[rule PassRateLow]"].because_of == root.id
