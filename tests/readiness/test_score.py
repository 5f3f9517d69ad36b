"""The score follows the rubric, and its deductions add up to what was lost."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.model import Finding, Verdict
from genesis_lib.policy import Section
from genesis_lib.readiness.score import score
from tests.builders import make_finding

VERDICTS = st.sampled_from(list(Verdict))
CHECKS = ("a", "b", "c")
SECTIONS = (
    Section(name="one", title="One", weight=1.0, checks={"a": 2.0, "b": 1.0}),
    Section(name="two", title="Two", weight=3.0, checks={"c": 1.0}),
)
FINDINGS = st.lists(
    st.builds(
        lambda check, verdict, number: make_finding(f"{check}.claim", str(number), verdict),
        st.sampled_from(CHECKS),
        VERDICTS,
        st.integers(0, 99),
    ),
    max_size=30,
    unique_by=lambda f: f.id,
)


def graded(name: str, lost: float) -> tuple[Section, list[Finding]]:
    """A section that loses so many points: of twenty subjects, each WARN costs a quarter of a point."""
    warned = round(lost / 0.25)
    findings = [make_finding(f"{name}.claim", str(i), Verdict.WARN if i < warned else Verdict.PASS) for i in range(20)]
    return Section(name=name, title=name, weight=1.0, checks={name: 1.0}), findings


def test_equal_weights_and_10_10_10_95_95_give_the_reports_98() -> None:
    parts = [graded(f"s{i}", lost) for i, lost in enumerate([0, 0, 0, 0.5, 0.5])]
    card = score([f for _, findings in parts for f in findings], [section for section, _ in parts])
    assert [round(s.score, 9) for s in card.sections] == [10, 10, 10, 9.5, 9.5]
    assert card.overall == pytest.approx(9.8)


@given(FINDINGS)
def test_the_deductions_add_up_to_the_loss(findings: list[Finding]) -> None:
    card = score(findings, SECTIONS)
    assert sum(d.points for d in card.deductions) == pytest.approx(10 - card.overall)
    for section in card.sections:
        lost = sum(d.section_points for d in card.deductions if d.section == section.name)
        assert lost == pytest.approx(10 - section.score)
        assert -1e-9 <= section.score <= 10


@given(FINDINGS, VERDICTS)
def test_a_better_verdict_never_lowers_the_score(findings: list[Finding], verdict: Verdict) -> None:
    order = [Verdict.FAIL, Verdict.WARN, Verdict.PASS]
    scores = [
        score(
            [*(f for f in findings if f.subject != "changing"), make_finding("a.claim", "changing", v)], SECTIONS
        ).overall
        for v in order
    ]
    assert all(worse <= better + 1e-9 for worse, better in pairwise(scores))
    assert verdict in Verdict


def test_unknown_earns_nothing_as_fail_does() -> None:
    unknown, failed = (score([make_finding("a.x", "s", v)], SECTIONS).overall for v in (Verdict.UNKNOWN, Verdict.FAIL))
    assert unknown == failed


def test_a_check_without_findings_earns_nothing_and_says_so() -> None:
    card = score([make_finding("a.x", "s"), make_finding("b.x", "s")], SECTIONS)
    assert [s.score for s in card.sections] == [10, 0]
    assert [(d.finding, d.reason) for d in card.deductions] == [("c", "the check gave no finding")]


def test_a_waived_finding_costs_nothing() -> None:
    waived = make_finding("c.x", "s", Verdict.FAIL, waiver="accepted until Friday")
    card = score([make_finding("a.x", "s"), make_finding("b.x", "s"), waived], SECTIONS)
    assert card.overall == 10
    assert not card.deductions
