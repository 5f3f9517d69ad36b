"""The decision never goes on what is not proven."""

from datetime import timedelta

import pytest

from genesis_lib.model import Blocking, Finding, Verdict
from genesis_lib.policy import Section
from genesis_lib.readiness.decision import Call, Decision, decide
from genesis_lib.readiness.score import score
from tests.builders import AT, make_finding, policy

SECTION = Section(name="all", title="All", weight=1.0, checks={"targets": 1.0})
MANY_GOOD = [make_finding("targets.up", f"good {i}") for i in range(99)]


def decided(*findings: Finding, bar: float = 9.0) -> Decision:
    rubric = policy().readiness.model_copy(update={"bar": bar, "sections": (SECTION,)})
    return decide(findings, score(findings, rubric.sections), rubric, at=AT)


@pytest.mark.parametrize(
    ("verdict", "blocking", "call"),
    [
        pytest.param(Verdict.FAIL, Blocking.NO_GO, Call.NO_GO, id="one no_go FAIL is NO_GO, whatever the score"),
        pytest.param(
            Verdict.UNKNOWN, Blocking.NO_GO, Call.HOLD, id="what cannot be told is no GO, but no NO_GO either"
        ),
        pytest.param(Verdict.FAIL, Blocking.HOLD, Call.HOLD, id="a hold FAIL is HOLD"),
        pytest.param(Verdict.UNKNOWN, Blocking.HOLD, Call.HOLD, id="a hold UNKNOWN is HOLD"),
        pytest.param(Verdict.FAIL, Blocking.NONE, Call.GO, id="what policy lets pass does not block"),
        pytest.param(Verdict.WARN, Blocking.NO_GO, Call.GO, id="a remark does not block"),
        pytest.param(Verdict.PASS, Blocking.NO_GO, Call.GO, id="what is proven does not block"),
    ],
)
def test_one_finding_among_many_good_ones(verdict: Verdict, blocking: Blocking, call: Call) -> None:
    decision = decided(*MANY_GOOD, make_finding("targets.up", "odd one", verdict, blocking=blocking))
    assert decision.call is call


def test_nothing_checked_is_hold() -> None:
    decision = decided()
    assert decision.call is Call.HOLD
    assert any("nothing was checked" in reason for reason in decision.reasons)


def test_a_score_under_the_bar_is_hold_and_one_at_the_bar_is_go() -> None:
    half = [make_finding("targets.up", "a"), make_finding("targets.up", "b", Verdict.WARN)]  # 7.5
    assert decided(*half, bar=7.5).call is Call.GO
    assert decided(*half, bar=7.6).call is Call.HOLD
    assert "The score of 7.5 is under the bar of 7.6." in decided(*half, bar=7.6).reasons


def test_a_score_just_under_the_bar_is_not_rounded_up_to_it() -> None:
    nearly = [make_finding("targets.up", str(i), Verdict.WARN if i < 26 else Verdict.PASS) for i in range(125)]
    assert "The score of 8.96 is under the bar of 9." in decided(*nearly, bar=9.0).reasons


def test_the_first_reasons_are_roots_and_what_makes_it_no_go_leads() -> None:
    root = make_finding("targets.up", "genesis-tests", Verdict.FAIL, blocking=Blocking.NO_GO)
    follower = make_finding("dashboards.panel", "Pass rate", Verdict.UNKNOWN, because_of=root.id)
    other = make_finding("rules.quiet", "HighErrorRate", Verdict.FAIL)
    decision = decided(other, follower, root)
    assert decision.roots == (other, root)
    assert decision.followers == (follower,)
    assert decision.reasons[0] == root.reason


def test_waived_findings_are_counted_in_the_headline() -> None:
    waived = [make_finding("targets.up", s, Verdict.FAIL, blocking=Blocking.NO_GO, waiver="known") for s in "ab"]
    decision = decided(*MANY_GOOD, *waived)
    assert decision.headline == "GO with 2 waivers"
    assert decision.waived == tuple(waived)
    assert decision.reasons == ("Every blocking claim was proven or waived.",)


def test_a_decision_holds_only_for_a_while() -> None:
    assert decided(*MANY_GOOD).valid_until == AT + timedelta(hours=policy().readiness.valid_for_h)


def test_exit_codes_are_fixed() -> None:
    assert {call: call.exit_code for call in Call} == {Call.GO: 0, Call.HOLD: 1, Call.NO_GO: 2}


def test_the_headline_counts_waivers_and_not_what_follows_from_them() -> None:
    root = make_finding("targets.up", "a", Verdict.FAIL, waiver="being moved (anna, until Friday)")
    follower = make_finding(
        "targets.fresh", "a", Verdict.UNKNOWN, because_of=root.id, waiver=f"follows from {root.id}: being moved"
    )
    decision = decided(*MANY_GOOD, root, follower)
    assert (decision.headline, len(decision.waived)) == ("GO with 1 waiver", 2)
