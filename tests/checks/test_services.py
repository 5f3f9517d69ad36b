"""Services: ready, not merely alive; of the version that is expected."""

from datetime import timedelta

import pytest

from genesis_lib.checks import services
from genesis_lib.checks.services import ServiceFact
from genesis_lib.model import Missing, Verdict
from tests.builders import AT, UNREACHABLE, answer, policy


def fact(*, ready: bool | Missing = True, version: str | Missing = "2.42.0", expected: str = "") -> ServiceFact:
    return ServiceFact(
        name="prometheus",
        url="http://localhost:9090",
        expected_version=expected,
        ready=ready if isinstance(ready, Missing) else answer(ready),
        version=version if isinstance(version, Missing) else answer(version),
        started_at=answer(AT - timedelta(hours=47)),
    )


def verdicts(*facts: ServiceFact) -> dict[str, Verdict]:
    return {f.check: f.verdict for f in services.judge(facts, policy(), at=AT)}


def test_ready_passes() -> None:
    assert verdicts(fact()) == {"services.ready": Verdict.PASS}


def test_alive_but_not_ready_fails() -> None:
    assert verdicts(fact(ready=False)) == {"services.ready": Verdict.FAIL}


def test_a_service_that_does_not_answer_cannot_be_told() -> None:
    found = services.judge([fact(ready=UNREACHABLE)], policy(), at=AT)
    assert [(f.verdict, f.reason, f.evidence) for f in found] == [
        (Verdict.UNKNOWN, UNREACHABLE.detail, (UNREACHABLE.evidence,))
    ]


@pytest.mark.parametrize(
    ("version", "expected", "verdict"),
    [
        ("2.42.0", "2.42.0", Verdict.PASS),
        pytest.param("v2.42.0", "2.42", Verdict.PASS, id="the first parts suffice, and a leading v is no matter"),
        pytest.param("2.42.0", "2.4", Verdict.FAIL, id="2.4 is not the beginning of 2.42"),
        ("12.2.0", "12.1.0", Verdict.FAIL),
        (UNREACHABLE, "12", Verdict.UNKNOWN),
    ],
)
def test_the_version_is_judged_where_one_is_expected(version: str | Missing, expected: str, verdict: Verdict) -> None:
    assert verdicts(fact(version=version, expected=expected))["services.version"] is verdict
