"""The cause ladder: why an expression answers, or why it does not."""

from dataclasses import replace
from typing import Any

import pytest

from genesis_lib.checks.ask import ladder
from genesis_lib.checks.ask.series import LadderFacts, Reply, alone, offered
from genesis_lib.model import Cause, Missing, Verdict
from tests.builders import AT, UNREACHABLE, answer, policy, vector
from tests.checks.facts import ladder_facts

ONE = vector(({}, 1.0))
NONE = vector()
NAN = Missing(cause=Cause.NOT_A_NUMBER, detail="NaN")
BAD_QUERY = Missing(cause=Cause.INVALID, detail="prometheus answered with 400 (bad_data)")
BROKEN = Missing(cause=Cause.REFUSED, detail="prometheus answered with 500")

WRONG_VALUE = {
    alone("up", ("job", "=", "nobody")): NONE,
    offered("up", "job"): vector(({"job": "node"}, 3.0), ({"job": "genesis-tests"}, 1.0)),
}
WRONG_LABEL = {alone("up", ("jib", "=", "node")): NONE, offered("up", "jib"): vector(({}, 4.0))}
TOGETHER = {
    alone("up", ("job", "=", "a")): ONE,
    offered("up", "job"): vector(({"job": "a"}, 1.0)),
    alone("up", ("instance", "=", "b")): ONE,
    offered("up", "instance"): vector(({"instance": "b"}, 1.0)),
}


def case(expr: str, verdict: Verdict, words: str, name: str, **facts: Any) -> Any:
    """One line of the table: facts default to an answer of nothing."""
    return pytest.param(expr, ladder_facts(**({"answers": {expr: NONE}} | facts)), verdict, words, id=name)


@pytest.mark.parametrize(
    ("expr", "facts", "verdict", "words"),
    [
        case("up", Verdict.PASS, "answered with data", "data from living series", answers={"up": ONE}, alive=("up",)),
        case("up > 5", Verdict.PASS, "inputs are alive", "a comparison that nothing meets", alive=("up",)),
        case(
            'ALERTS{alertstate="firing"}',
            Verdict.PASS,
            "inputs are alive",
            "no alert is no absence",
            dead=('ALERTS{alertstate="firing"}', "ALERTS"),
        ),
        case(
            "up / node_load1",
            Verdict.FAIL,
            "combining them leaves nothing",
            "labels that do not match",
            alive=("up", "node_load1"),
        ),
        case(
            "genesis_testz_total",
            Verdict.FAIL,
            "no source exposes a metric named genesis_testz_total",
            "a metric that never existed is a false claim",
            dead=("genesis_testz_total",),
        ),
        case(
            "genesis_tests_total",
            Verdict.UNKNOWN,
            "its source genesis-tests is down",
            "a declared metric whose source is down cannot be told",
            dead=("genesis_tests_total",),
            down=("genesis-tests",),
        ),
        case(
            "node_load1",
            Verdict.UNKNOWN,
            "its source node is down",
            "whose metric it was is read from the past",
            dead=("node_load1",),
            last_seen={"node_load1": 600.0},
            down=("node",),
        ),
        case(
            "node_load1",
            Verdict.FAIL,
            "it was exposed by node until between 1 and 2 hours ago, and has vanished",
            "a metric that vanished while its source lives is a fault, and it is said since when",
            dead=("node_load1",),
            last_seen={"node_load1": 3600.0},
        ),
        case(
            "node_load1",
            Verdict.WARN,
            "node did not answer its last scrape",
            "one missed scrape is no outage",
            dead=("node_load1",),
            last_seen={"node_load1": 60.0},
            missed=("node",),
        ),
        case(
            "genesis_tests_total",
            Verdict.FAIL,
            "genesis-tests is up, but does not expose it",
            "what the environment declares is expected of a source that is up",
            dead=("genesis_tests_total",),
        ),
        case(
            'up{job="nobody"}',
            Verdict.WARN,
            "no series of it has job=“nobody”",
            "a label value that matches nothing on a living metric is a remark",
            alive=("up",),
            dead=('up{job="nobody"}',),
            looks=WRONG_VALUE,
        ),
        case(
            'up{jib="node"}',
            Verdict.FAIL,
            "up has no label jib",
            "a label that the metric does not have can never match",
            alive=("up",),
            dead=('up{jib="node"}',),
            looks=WRONG_LABEL,
        ),
        case(
            'up{job="a", instance="b"}',
            Verdict.WARN,
            "no series has all",
            "labels that exist, but not together",
            alive=("up",),
            dead=('up{instance="b", job="a"}', 'up{job="a", instance="b"}'),
            looks=TOGETHER,
        ),
        case(
            'up{job="genesis-tests"}',
            Verdict.UNKNOWN,
            "its source genesis-tests is down",
            "what a job that is down does not have is no wrong label",
            alive=("up",),
            dead=('up{job="genesis-tests"}',),
            down=("genesis-tests",),
        ),
        case(
            '{team="a"}',
            Verdict.FAIL,
            "no series matches",
            "conditions without a name that match nothing",
            dead=('{team="a"}',),
        ),
        case(
            "absent(genesis_tests_total)",
            Verdict.PASS,
            "answered",
            "absent() of a known metric does its work",
            answers={"absent(genesis_tests_total)": ONE},
            dead=("genesis_tests_total",),
            down=("genesis-tests",),
        ),
        case(
            "absent(genesis_testz_total)",
            Verdict.FAIL,
            "no source exposes",
            "absent() of a metric that never existed fires for ever",
            answers={"absent(genesis_testz_total)": ONE},
            dead=("genesis_testz_total",),
        ),
        case("rate(up)", Verdict.FAIL, "cannot be parsed", "what is not PromQL is a fault", answers={}),
        case("up", Verdict.UNKNOWN, "refused the connection", "no answer leaves it open", answers={"up": UNREACHABLE}),
        case("up", Verdict.FAIL, "bad_data", "a query that is wrong is a fault", answers={"up": BAD_QUERY}),
        case("up", Verdict.UNKNOWN, "500", "a server in trouble leaves it open", answers={"up": BROKEN}),
        case(
            "up / up",
            Verdict.UNKNOWN,
            "not a number",
            "0/0 is no number, and no pass",
            answers={"up / up": vector(({}, NAN))},
            alive=("up",),
        ),
        case(
            "up / up",
            Verdict.WARN,
            "not a number in 1 of 2 series",
            "one of several that is no number is a remark",
            answers={"up / up": vector(({"disk": "idle"}, NAN), ({"disk": "busy"}, 1.0))},
            alive=("up",),
        ),
        case(
            "gone",
            Verdict.UNKNOWN,
            "refused the connection",
            "without a look at the past it cannot be told whether a metric ever existed",
            dead=("gone",),
            lost={"gone": UNREACHABLE},
        ),
        case(
            "up",
            Verdict.WARN,
            "the newest data of node for up is 45 s old",
            "data that is late is a remark",
            answers={"up": ONE},
            alive={"up": 45.0},
        ),
        case(
            "up",
            Verdict.FAIL,
            "is 200 s old; it should be within 30 s",
            "data that is stale is a fault",
            answers={"up": ONE},
            alive={"up": 200.0},
        ),
    ],
)
def test_the_cause_is_found(expr: str, facts: LadderFacts, verdict: Verdict, words: str) -> None:
    rung = ladder.judge(expr, facts, policy(), at=AT)
    assert (rung.verdict, words in rung.reason) == (verdict, True), rung


def test_values_that_the_label_has_are_offered() -> None:
    facts = ladder_facts(
        answers={'up{job="nobody"}': NONE}, alive=("up",), dead=('up{job="nobody"}',), looks=WRONG_VALUE
    )
    assert ladder.judge('up{job="nobody"}', facts, policy(), at=AT).hint == "job is, for example, node or genesis-tests"


def test_the_nearest_existing_name_is_offered_with_its_source() -> None:
    facts = ladder_facts(answers={"genesis_tests_total_total": NONE}, dead=("genesis_tests_total_total",))
    rung = ladder.judge("genesis_tests_total_total", facts, policy(), at=AT)
    assert rung.hint == "did you mean genesis_tests_total (exposed by genesis-tests)?"
    assert rung.because_of == "queries.metric[genesis_tests_total_total]"


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        pytest.param(
            "node_hwmon_temp_celsius", "collector hwmon works, and reports nothing of this name", id="no such hardware"
        ),
        pytest.param("node_systemd_units", "runs without a collector for node_systemd", id="the collector is off"),
        pytest.param(
            "node_md_disks",
            "collector mdadm found nothing on this machine, or failed",
            id="the collector found nothing or failed",
        ),
    ],
)
def test_why_the_node_exporter_lacks_a_metric_is_said(metric: str, words: str) -> None:
    collectors = vector(({"collector": "hwmon"}, 1.0), ({"collector": "mdadm"}, 0.0))
    facts = ladder_facts(answers={metric: NONE}, dead=(metric,), names=answer(()), collectors=collectors)
    assert words in ladder.judge(metric, facts, policy(), at=AT).reason


def test_what_follows_from_a_job_that_is_down_says_so() -> None:
    facts = ladder_facts(answers={"genesis_tests_total": NONE}, dead=("genesis_tests_total",), down=("genesis-tests",))
    assert ladder.judge("genesis_tests_total", facts, policy(), at=AT).because_of == "targets.up[genesis-tests]"


def test_the_worst_of_several_broken_selectors_decides() -> None:
    expr = "genesis_tests_total / genesis_tests_total_total"
    facts = ladder_facts(
        answers={expr: NONE}, dead=("genesis_tests_total", "genesis_tests_total_total"), down=("genesis-tests",)
    )
    rung = ladder.judge(expr, facts, policy(), at=AT)
    assert rung.verdict is Verdict.FAIL
    assert "genesis_tests_total_total" in rung.reason


def test_several_series_where_one_number_is_wanted_are_a_fault_that_names_them() -> None:
    two = vector(({"__name__": "up", "job": "a"}, 1.0), ({"__name__": "up", "job": "b"}, 1.0))
    facts = ladder_facts(answers={"up": two}, alive=("up",))
    assert ladder.judge("up", facts, policy(), at=AT).verdict is Verdict.PASS
    rung = ladder.judge("up", facts, policy(), at=AT, wants_one=True)
    assert rung.verdict is Verdict.FAIL
    assert '2 series are given: up{job="a"}, up{job="b"}' in rung.reason


def test_an_answer_too_long_to_fetch_is_counted() -> None:
    facts = ladder_facts(answers={}, alive=("up",))
    facts = replace(facts, replies={"up": answer(Reply(series=1_000_000, samples=None))})
    rung = ladder.judge("up", facts, policy(), at=AT)
    assert (rung.verdict, rung.observed) == (
        Verdict.PASS,
        "1,000,000 series (too many to fetch, so counted), inputs 2 s old",
    )


def test_an_answer_with_warnings_is_at_best_a_remark() -> None:
    facts = ladder_facts(answers={"up": ONE}, alive=("up",))
    warned = answer(Reply(series=1, samples=ONE.value), warnings=("partial response",))
    assert ladder.judge("up", replace(facts, replies={"up": warned}), policy(), at=AT).verdict is Verdict.WARN
