"""SLOs: of each objective whether it is met, has budget left, burns slowly, and can be judged; each with what it follows from."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest

from genesis_lib.checks import slos
from genesis_lib.checks.claims import identify
from genesis_lib.checks.slos import CLAIMS, SlosFacts
from genesis_lib.model import Blocking, Cause, Finding, Missing
from genesis_lib.policy import Policy
from genesis_lib.slo.facts import ObjectiveFacts
from tests.builders import AT, UNREACHABLE, vector
from tests.checks.slo_cases import (
    BUDGET,
    BURN,
    CASES,
    DAY,
    FAIL,
    GOOD,
    HOUR,
    PASS,
    SOUND,
    STATUS,
    UNKNOWN,
    WARN,
    Case,
    healthy,
    never_was,
    of_age,
    silent,
    spent,
    unreachable,
    within,
    without_bad,
    without_source,
)  # fmt: skip
from tests.checks.slo_facts import POLICY, asked, facts, lost, objective_facts, with_share


def judged(given: SlosFacts, by: Policy | None = None) -> dict[str, Finding]:
    found = slos.judge(given, by or POLICY, at=AT)
    assert len({f.id for f in found}) == len(found)
    return {f.check if len(found) <= len(CLAIMS) else f.id: f for f in found}


def written(found: Finding) -> str:
    text = f"{found.observed}\n{found.expected}\n{found.reason}\n{found.hint}"
    return text.replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_claim_is_judged_for_itself(case: Case) -> None:
    found = judged(case.given)
    assert tuple(found) == CLAIMS
    assert tuple(f.verdict for f in found.values()) == case.verdicts
    assert {claim: f.because_of for claim, f in found.items() if f.because_of} == case.roots
    for claim, parts in case.says.items():
        assert [part for part in parts if part not in written(found[claim])] == [], written(found[claim])


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_finding_stands_alone(case: Case) -> None:
    found = judged(case.given)
    ids = {f.id: f for f in found.values()}
    for claim, one in found.items():
        assert one.subject == "Errors"
        assert all((one.observed, one.expected, one.reason, one.evidence)), one
        assert one.hint or one.because_of or one.verdict is PASS, one
        assert one.verdict is not PASS or not (one.hint or one.because_of), one
        assert one.blocking is (Blocking.NONE if one.verdict is PASS else Blocking.HOLD)
        assert not re.search(r"\b(nan|inf|None|Missing|Cause|timedelta)\b|is not a number", written(one)), written(one)
        # What a finding follows from is itself not well, and follows in the end from something that follows from nothing.
        followed = [one.id]
        while (root := ids.get(followed[-1])) and root.because_of:
            assert root.because_of not in followed
            followed.append(root.because_of)
        assert root is None or root is one or root.verdict is not PASS, (claim, followed)
    proofs = {e for one in case.given.slos.objectives for e in one.evidence}
    assert all(proofs <= set(one.evidence) for one in found.values())


def test_the_status_names_the_proof_that_its_series_live_too() -> None:
    found = judged(facts(replace(healthy(), evidence=("e-slo", "e-tiles"))))
    assert found[STATUS].evidence == ("e-slo", "e-tiles", "e-1")
    assert found[BUDGET].evidence == found[BURN].evidence == found[SOUND].evidence == ("e-slo", "e-tiles")


# Machines that are no part of the deployment.


def of_the_host(given: SlosFacts) -> SlosFacts:
    def changed(one: ObjectiveFacts) -> ObjectiveFacts:
        about = one.objective.model_copy(update={"about": "host"})
        return replace(one, counting=replace(one.counting, objective=about))

    return replace(given, slos=replace(given.slos, objectives=tuple(map(changed, given.slos.objectives))))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_observed_machine_is_shown_and_blocks_nothing(case: Case) -> None:
    watched = judged(of_the_host(replace(case.given, is_observed=True)))
    for plain, one in zip(judged(case.given).values(), watched.values(), strict=True):
        assert one.verdict is (WARN if plain.verdict is FAIL else plain.verdict)
        assert one.blocking is Blocking.NONE
        assert ("this machine is only observed" in one.reason) is (plain.verdict is not PASS)
        assert one.reason.startswith(plain.reason)
        kept = ("id", "observed", "expected", "hint", "because_of", "evidence", "owner")
        assert [getattr(one, name) for name in kept] == [getattr(plain, name) for name in kept]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            of_the_host(CASES["a page fires while the status is critical, and follows from it"].given), id="judged"
        ),
        pytest.param(
            replace(CASES["a page fires while the status is critical, and follows from it"].given, is_observed=True),
            id="no part of the machine",
        ),
    ],
)
def test_only_what_is_about_an_observed_machine_is_let_off(given: SlosFacts) -> None:
    found = judged(given)
    assert (found[STATUS].verdict, found[STATUS].blocking) == (FAIL, Blocking.HOLD)
    assert (found[BURN].verdict, found[BURN].blocking) == (FAIL, Blocking.HOLD)


# Owners.


@pytest.mark.parametrize("is_observed", [False, True], ids=["of a service", "of an observed machine"])
@pytest.mark.parametrize(
    ("own", "owners", "expected"),
    [
        pytest.param("", {}, ("", "", "", ""), id="nobody, so that the environment's owner steps in"),
        pytest.param("team", {}, ("team", "team", "team", "team"), id="who answers for the objective"),
        pytest.param(
            "team", {SOUND: "sre"}, ("team", "team", "team", "sre"), id="policy's own word on a claim comes first"
        ),
        pytest.param("", {SOUND: "sre"}, ("", "", "", "sre"), id="policy's own word on a claim"),
        pytest.param("team", {"slos": "sre"}, ("sre", "sre", "sre", "sre"), id="policy's word on the whole check"),
    ],
)
def test_who_answers_for_it(
    own: str, owners: Mapping[str, str], expected: tuple[str, ...], *, is_observed: bool
) -> None:
    by = POLICY.model_copy(update={"readiness": POLICY.readiness.model_copy(update={"owners": owners})})
    given = facts(spent(healthy(owner=own, about="host")), is_observed=is_observed)
    assert tuple(f.owner for f in judged(given, by).values()) == expected


# How many findings there are.


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            without_source(silent(healthy(no_data="not_applicable", no_data_reason="x"))), id="its job is down"
        ),
        pytest.param(never_was(silent(healthy(no_data="not_applicable", no_data_reason="x"))), id="it never existed"),
        pytest.param(facts(silent(healthy(no_data="not_applicable", no_data_reason="x"))), id="nothing is found"),
    ],
)
def test_what_does_not_apply_without_data_has_no_findings_then(given: SlosFacts) -> None:
    assert judged(given) == {}


def test_what_does_not_apply_without_data_is_judged_where_there_is_data() -> None:
    given = healthy(no_data="not_applicable", no_data_reason="x")
    assert tuple(f.verdict for f in judged(facts(given)).values()) == GOOD
    assert judged(of_age(given, 400))[STATUS].verdict is UNKNOWN


def shipped() -> list[ObjectiveFacts]:
    """The objectives of policy, each in good health."""
    latencies = ("0.14", "0.15", "0.2", "+Inf")
    return [
        replace(
            objective_facts(one, edges=latencies if one.indicator.kind == "latency" else None, share=0.0),
            values=vector(({}, one.target / 2)),
        )
        for one in POLICY.slos.slos
    ]


LOST = {
    cause: Missing(cause=cause, detail=f"the answer was lost: {cause}", evidence="e-lost")
    for cause in (
        Cause.UNREACHABLE,
        Cause.TIMEOUT,
        Cause.REFUSED,
        Cause.MALFORMED,
        Cause.NOT_RECORDED,
        Cause.NO_HISTORY,
    )
}


def test_each_objective_of_policy_can_be_well() -> None:
    found = judged(facts(*shipped()))
    assert [f for f in found.values() if f.verdict is not PASS] == []
    assert list(found) == [identify(claim, one.title) for one in POLICY.slos.slos for claim in CLAIMS]


@pytest.mark.parametrize("missing", LOST.values(), ids=LOST)
@pytest.mark.parametrize("no_data", ["hold", "fail", "not_applicable"])
def test_a_lost_server_leaves_each_claim_of_each_objective_unknown(missing: Missing, no_data: str) -> None:
    def changed(one: ObjectiveFacts) -> ObjectiveFacts:
        update = {"no_data": no_data, "no_data_reason": "x"}
        return replace(one, counting=replace(one.counting, objective=one.objective.model_copy(update=update)))

    found = judged(unreachable(*map(changed, shipped()), missing=missing))
    assert list(found) == [identify(claim, one.title) for one in POLICY.slos.slos for claim in CLAIMS]
    assert {f.verdict for f in found.values()} == {UNKNOWN}
    assert all(missing.detail in f.reason and "e-lost" in f.evidence for f in found.values())
    assert {f.check for f in found.values() if not f.because_of} == {STATUS}


def part_lost(given: ObjectiveFacts, part: str) -> ObjectiveFacts:
    """The same, where one of the questions was lost: each is asked, and fails, as a whole."""
    match part:
        case "its buckets" if given.edges is not None:
            bare = without_bad(given)
            return replace(bare, edges=UNREACHABLE, counting=replace(bare.counting, edge=""))
        case "its short windows":
            return replace(with_share(given, UNREACHABLE, within(DAY)), values=UNREACHABLE)
        case "its long windows":
            return with_share(given, UNREACHABLE, lambda window: window > DAY)
    return replace(given, tiles=UNREACHABLE)


@pytest.mark.parametrize("part", ["its buckets", "its short windows", "its long windows", "its course"])
@pytest.mark.parametrize("given", shipped(), ids=lambda given: given.objective.name)
def test_whatever_question_is_lost_no_finding_is_and_none_fails(given: ObjectiveFacts, part: str) -> None:
    found = judged(facts(part_lost(given, part), ladder=asked(given)))
    assert tuple(found) == CLAIMS
    assert {f.verdict for f in found.values()} <= {PASS, UNKNOWN}
    assert UNKNOWN in {f.verdict for f in found.values()}
    for one in found.values():
        assert one.verdict is PASS or (UNREACHABLE.detail in one.reason and (one.hint or one.because_of)), one


def test_each_objective_is_judged_by_itself() -> None:
    bad, *others = shipped()
    given = spent(with_share(bad, 0.5, within(2 * HOUR)), 0.5)
    found = judged(facts(given, *others))
    assert {f.subject for f in found.values() if f.verdict is not PASS} == {bad.objective.title}
    blind = judged(facts(lost(bad, UNREACHABLE), *others))
    assert {f.subject for f in blind.values() if f.verdict is not PASS} == {bad.objective.title}
