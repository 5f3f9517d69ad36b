"""A report's line is worth the worst of the findings that prove it."""

from genesis_lib.model import Verdict
from genesis_lib.policy import Line
from genesis_lib.readiness.checklist import tick
from tests.builders import make_finding, policy

UP = Line(section="Services", text="All is up", claims=("targets.up", "targets.fresh"))


def test_a_line_without_a_subject_is_answered_by_all_findings_of_its_claims() -> None:
    found = [make_finding("targets.up", "a"), make_finding("targets.fresh", "a", Verdict.FAIL, observed="old")]
    (line,) = tick([UP], [*found, make_finding("rules.loaded", "r", Verdict.UNKNOWN)])
    assert (line.verdict, line.said) == (Verdict.FAIL, "1 of 2 proven; a: old")


def test_a_line_of_a_subject_is_answered_by_that_alone() -> None:
    found = [make_finding("targets.up", "a"), make_finding("targets.up", "b", Verdict.FAIL)]
    (line,) = tick([UP.model_copy(update={"subject": "a"})], found)
    assert (line.verdict, line.said) == (Verdict.PASS, "something")


def test_a_line_about_what_is_not_there_is_neither_ticked_nor_failed() -> None:
    (line,) = tick([UP], [])
    assert (line.verdict, line.said) == (None, "not part of this environment")


def test_a_waiver_excuses_and_does_not_tick() -> None:
    (line,) = tick([UP], [make_finding("targets.up", "a", Verdict.FAIL, waiver="moved")])
    assert line.verdict is Verdict.FAIL


def test_every_line_of_the_shipped_checklist_names_claims_that_there_are() -> None:
    from genesis_lib.checks.registry import CHECKS

    claims = {claim for check in CHECKS.values() for claim in check.claims}
    assert {c for line in policy().checklist for c in line.claims} <= claims
