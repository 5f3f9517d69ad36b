"""Queries: each question is judged, by its answer and by what it means; a metric that nobody has is named once, with all who ask for it."""

from dataclasses import replace

from genesis_lib.checks import queries
from genesis_lib.checks.ask.questions import Questions
from genesis_lib.checks.ask.rule_files import RuleFile
from genesis_lib.checks.queries import QueryFacts
from genesis_lib.clients.prometheus import Metadata
from genesis_lib.model import Finding, Verdict
from genesis_lib.policy import Query
from genesis_lib.slo.indicators import counting
from tests.builders import AT, UNREACHABLE, answer, policy, vector
from tests.checks.dashboards_facts import dashboard, panel
from tests.checks.facts import ladder_facts
from tests.checks.slo_facts import BAD_TOTAL, TOTAL, objective
from tests.checks.test_rules import SPEC

MISSPELLED = "genesis_tests_total_total"
RATE = "rate(genesis_tests_total[5m]) * 100"
RULE = replace(SPEC, name="PassRateLow", subject="PassRateLow", expr=f"{MISSPELLED} < 1")
UP = Query(name="up", title="Up", expr="up", unit="boolean")


def facts(query: Query = UP, *, expr: str = "up") -> QueryFacts:
    query = query.model_copy(update={"expr": expr})
    two = vector(({"__name__": "up", "job": "a"}, 1.0), ({"__name__": "up", "job": "b"}, 1.0))
    asked = Questions(
        queries=(query,),
        objectives=(),
        rules=(RuleFile(name="alerts.yml", rules=(RULE,), evidence="e"),),
        dashboards=(dashboard(panel("Pass rate", MISSPELLED), panel("Rate", RATE, unit="percent")),),
        ladder=ladder_facts(
            answers={
                "up": vector(({}, 1.0)),
                "up > 0": two,
                RULE.expr: vector(),
                MISSPELLED: vector(),
                RATE: vector(({}, 1.0)),
            },
            alive=("up", "genesis_tests_total"),
            dead=(MISSPELLED,),
        ),
    )
    counter = {"genesis_tests_total": (Metadata(kind="counter"),)}
    return QueryFacts(asked=asked, metadata=answer(counter), loaded=UNREACHABLE, runtime=UNREACHABLE)


def judged(given: QueryFacts | None = None) -> dict[str, Finding]:
    return {f.id: f for f in queries.judge(given or facts(), policy(), at=AT)}


def test_every_query_and_every_rule_is_a_subject() -> None:
    assert {i: f.verdict for i, f in judged().items() if f.check == "queries.answered"} == {
        "queries.answered[Up]": Verdict.PASS,
        "queries.answered[rule PassRateLow]": Verdict.FAIL,
    }


def test_a_metric_that_nobody_has_is_one_root_that_names_all_who_ask() -> None:
    root = judged()[f"queries.metric[{MISSPELLED}]"]
    assert root.verdict is Verdict.FAIL
    assert "rule PassRateLow, panel Genesis / Pass rate" in root.reason
    assert "genesis_tests_total (exposed by genesis-tests)" in root.hint
    assert judged()["queries.answered[rule PassRateLow]"].because_of == root.id


def test_where_one_number_is_wanted_several_are_a_fault_and_where_many_are_they_are_not() -> None:
    one = judged(facts(expr="up > 0"))["queries.answered[Up]"]
    assert (one.verdict, one.expected) == (Verdict.FAIL, "one number from living series")
    many = judged(facts(UP.model_copy(update={"series": "many"}), expr="up > 0"))["queries.answered[Up]"]
    assert many.verdict is Verdict.PASS


def test_what_a_query_only_seems_to_say_is_found_in_panels_too() -> None:
    found = judged()
    assert found["queries.sound[Up]"].verdict is Verdict.PASS
    rate = found["queries.sound[panel Genesis / Rate]"]
    assert rate.verdict is Verdict.FAIL
    assert "percent" in rate.reason


def test_an_objective_is_sound_or_not_and_asks_for_metrics_and_its_own_check_says_what_it_is_worth() -> None:
    given, one = facts(), objective()
    total, bad = counting(one).questions()
    ladder = ladder_facts(
        answers={"up": vector(({}, 1.0)), total: vector(), bad: vector(({}, 1.0))},
        alive=("up", BAD_TOTAL),
        dead=(TOTAL,),
    )
    asked = replace(given.asked, rules=(), dashboards=(), objectives=(one,), ladder=ladder)
    found = judged(replace(given, asked=asked))
    assert {id_: f.verdict for id_, f in found.items()} == {
        "queries.answered[Up]": Verdict.PASS,
        "queries.sound[Up]": Verdict.PASS,
        "queries.sound[objective Errors]": Verdict.PASS,
        f"queries.metric[{TOTAL}]": Verdict.FAIL,
    }
    assert "objective Errors" in found[f"queries.metric[{TOTAL}]"].reason


def test_that_every_metric_exists_is_said_too() -> None:
    given = facts()
    asked = replace(given.asked, rules=(), dashboards=())
    ladder = ladder_facts(answers={"up": vector(({}, 1.0))}, alive=("up",))
    found = judged(replace(given, asked=replace(asked, ladder=ladder)))
    assert found["queries.metric[every metric that is asked for]"].verdict is Verdict.PASS
    blind = replace(ladder, replies={"up": UNREACHABLE}, pulses={"up": UNREACHABLE})
    found = judged(replace(given, asked=replace(asked, ladder=blind)))
    assert found["queries.metric[every metric that is asked for]"].verdict is Verdict.UNKNOWN


def test_what_is_no_promql_is_not_called_sound() -> None:
    given = facts(expr="rate(up)")
    given = replace(given, asked=replace(given.asked, rules=(), dashboards=(dashboard(panel("Odd", "sum(")),)))
    found = judged(given)
    assert found["queries.answered[Up]"].verdict is Verdict.FAIL
    sound, odd = found["queries.sound[Up]"], found["queries.sound[panel Genesis / Odd]"]
    assert (sound.verdict, sound.because_of) == (Verdict.UNKNOWN, "queries.answered[Up]")
    assert (odd.verdict, odd.because_of) == (Verdict.UNKNOWN, "dashboards.panel[Genesis / Odd]")


def test_kinds_that_targets_disagree_on_are_not_judged_by() -> None:
    given = facts(expr="rate(genesis_tests_flaky[5m])")
    answers = {"rate(genesis_tests_flaky[5m])": vector(({}, 1.0))}
    asked = replace(
        given.asked, rules=(), dashboards=(), ladder=ladder_facts(answers=answers, alive=("genesis_tests_flaky",))
    )
    for kinds, verdict in ((("gauge",), Verdict.WARN), (("gauge", "counter"), Verdict.PASS)):
        metadata = answer({"genesis_tests_flaky": tuple(Metadata(kind=kind) for kind in kinds)})
        assert judged(replace(given, asked=asked, metadata=metadata))["queries.sound[Up]"].verdict is verdict


def test_without_an_answer_of_prometheus_queries_stay_open() -> None:
    given = facts()
    blind = replace(given.asked.ladder, replies=dict.fromkeys(given.asked.ladder.replies, UNREACHABLE))
    found = judged(replace(given, asked=replace(given.asked, ladder=blind)))
    assert {f.verdict for f in found.values() if f.check == "queries.answered"} == {Verdict.UNKNOWN}
