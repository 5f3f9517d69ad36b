"""The cause ladder: why an expression answers, or why it does not."""

import pytest

from genesis_lib.checks import ladder
from genesis_lib.checks.ladder import LadderFacts
from genesis_lib.model import Cause, Missing, Verdict
from tests.builders import AT, UNREACHABLE, policy, vector
from tests.checks.facts import ladder_facts

ONE = vector(({}, 1.0))
NONE = vector()
NAN = Missing(cause=Cause.NOT_A_NUMBER, detail="NaN")
BAD_QUERY = Missing(cause=Cause.INVALID, detail="prometheus answered with 400 (bad_data)")
BROKEN = Missing(cause=Cause.REFUSED, detail="prometheus answered with 500")


@pytest.mark.parametrize(
    ("expr", "facts", "verdict", "words"),
    [
        pytest.param(
            "up",
            ladder_facts(answers={"up": ONE}, alive=("up",)),
            Verdict.PASS,
            "answered with data",
            id="data from living series is a pass",
        ),
        pytest.param(
            "up > 5",
            ladder_facts(answers={"up > 5": NONE}, alive=("up",)),
            Verdict.PASS,
            "inputs are alive",
            id="a comparison that nothing meets is rightly empty",
        ),
        pytest.param(
            'ALERTS{alertstate="firing"}',
            ladder_facts(answers={'ALERTS{alertstate="firing"}': NONE}, dead=('ALERTS{alertstate="firing"}', "ALERTS")),
            Verdict.PASS,
            "inputs are alive",
            id="no alert is no absence",
        ),
        pytest.param(
            "up / node_load1",
            ladder_facts(answers={"up / node_load1": NONE}, alive=("up", "node_load1")),
            Verdict.FAIL,
            "combining them leaves nothing",
            id="labels that do not match are a fault of the query",
        ),
        pytest.param(
            "genesis_tests_total_total",
            ladder_facts(answers={"genesis_tests_total_total": NONE}, dead=("genesis_tests_total_total",)),
            Verdict.FAIL,
            "no source exposes a metric named genesis_tests_total_total",
            id="a metric that never existed is a false claim",
        ),
        pytest.param(
            "genesis_tests_total",
            ladder_facts(
                answers={"genesis_tests_total": NONE}, dead=("genesis_tests_total",), down=("genesis-tests",), names=()
            ),
            Verdict.UNKNOWN,
            "its source genesis-tests is down",
            id="a metric whose source is down cannot be told",
        ),
        pytest.param(
            "node_load1",
            ladder_facts(answers={"node_load1": NONE}, dead=("node_load1",)),
            Verdict.FAIL,
            "has vanished",
            id="a metric that vanished while its source lives is a fault",
        ),
        pytest.param(
            'up{job="nobody"}',
            ladder_facts(answers={'up{job="nobody"}': NONE}, alive=("up",), dead=('up{job="nobody"}',)),
            Verdict.WARN,
            "no series of it matches",
            id="a label value that matches nothing on a living metric is a remark",
        ),
        pytest.param(
            "absent(genesis_tests_total)",
            ladder_facts(
                answers={"absent(genesis_tests_total)": ONE}, dead=("genesis_tests_total",), down=("genesis-tests",)
            ),
            Verdict.PASS,
            "answered",
            id="absent() of a known metric does its work",
        ),
        pytest.param(
            "absent(genesis_testz_total)",
            ladder_facts(answers={"absent(genesis_testz_total)": ONE}, dead=("genesis_testz_total",)),
            Verdict.FAIL,
            "no source exposes",
            id="absent() of a metric that never existed fires for ever",
        ),
        pytest.param(
            "rate(up)", ladder_facts(answers={}), Verdict.FAIL, "cannot be parsed", id="what is not PromQL is a fault"
        ),
        pytest.param(
            "up",
            ladder_facts(answers={"up": UNREACHABLE}),
            Verdict.UNKNOWN,
            "refused the connection",
            id="a source that is down leaves it open",
        ),
        pytest.param(
            "up",
            ladder_facts(answers={"up": BAD_QUERY}),
            Verdict.FAIL,
            "bad_data",
            id="a query that is wrong is a fault",
        ),
        pytest.param(
            "up", ladder_facts(answers={"up": BROKEN}), Verdict.UNKNOWN, "500", id="a server in trouble leaves it open"
        ),
        pytest.param(
            "up / up",
            ladder_facts(answers={"up / up": vector(({}, NAN))}, alive=("up",)),
            Verdict.UNKNOWN,
            "not a number",
            id="0/0 is no number, and no pass",
        ),
        pytest.param(
            "gone",
            ladder_facts(answers={"gone": NONE}, dead=("gone",), names=UNREACHABLE),
            Verdict.UNKNOWN,
            "refused the connection",
            id="without the list of names it cannot be told whether a metric ever existed",
        ),
    ],
)
def test_the_cause_is_found(expr: str, facts: LadderFacts, verdict: Verdict, words: str) -> None:
    rung = ladder.judge(expr, facts, policy(), at=AT)
    assert (rung.verdict, words in rung.reason) == (verdict, True), rung


def test_the_nearest_existing_name_is_offered_with_its_source() -> None:
    facts = ladder_facts(answers={"genesis_tests_total_total": NONE}, dead=("genesis_tests_total_total",), names=())
    rung = ladder.judge("genesis_tests_total_total", facts, policy(), at=AT)
    assert rung.hint == "did you mean genesis_tests_total (exposed by genesis-tests)?"
    assert rung.because_of == "queries.metric[genesis_tests_total_total]"


def test_what_follows_from_a_job_that_is_down_says_so() -> None:
    facts = ladder_facts(
        answers={"genesis_tests_total": NONE}, dead=("genesis_tests_total",), down=("genesis-tests",), names=()
    )
    assert ladder.judge("genesis_tests_total", facts, policy(), at=AT).because_of == "targets.up[genesis-tests]"


def test_the_worst_of_several_broken_selectors_decides() -> None:
    expr = "genesis_tests_total / genesis_tests_total_total"
    facts = ladder_facts(
        answers={expr: NONE},
        dead=("genesis_tests_total", "genesis_tests_total_total"),
        down=("genesis-tests",),
        names=(),
    )
    rung = ladder.judge(expr, facts, policy(), at=AT)
    assert rung.verdict is Verdict.FAIL
    assert "genesis_tests_total_total" in rung.reason


def test_an_answer_with_warnings_is_at_best_a_remark() -> None:
    facts = ladder_facts(answers={"up": vector(({}, 1.0))}, alive=("up",))
    warned = LadderFacts(
        answers={"up": type(ONE)(value=ONE.value, evidence="e", asked_at=AT, warnings=("partial response",))},
        newest=facts.newest,
        names=facts.names,
        targets=facts.targets,
    )
    assert ladder.judge("up", warned, policy(), at=AT).verdict is Verdict.WARN
