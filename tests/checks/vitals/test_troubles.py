"""All that is wrong is told, and the worst of it decides."""

from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.checks.vitals.troubles import Trouble, conclude
from genesis_lib.model import Finding, Verdict, worst
from tests.builders import policy


def concluded(*troubles: Trouble) -> Finding:
    return conclude(
        policy(), "health.tests", "s", troubles, observed="o", expected="e", good="all is well", evidence=("e-1",)
    )


def trouble(verdict: Verdict, name: str, because_of: str = "") -> Trouble:
    return Trouble(verdict=verdict, reason=f"reason {name}", hint=f"hint {name}", because_of=because_of)


@given(st.lists(st.sampled_from([Verdict.WARN, Verdict.UNKNOWN, Verdict.FAIL])))
def test_the_worst_decides_and_nothing_is_lost(verdicts: list[Verdict]) -> None:
    found = concluded(*(trouble(verdict, str(i)) for i, verdict in enumerate(verdicts)))
    assert found.verdict is worst([Verdict.PASS, *verdicts])
    assert all(f"reason {i}" in found.reason for i in range(len(verdicts)))


def test_what_to_do_and_what_it_follows_from_are_those_of_the_worst() -> None:
    found = concluded(trouble(Verdict.WARN, "a", "x"), trouble(Verdict.FAIL, "b"), trouble(Verdict.FAIL, "c", "y"))
    assert (found.reason, found.hint, found.because_of) == ("reason b; reason c; reason a", "hint b; hint c", "y")


def test_without_trouble_it_is_good() -> None:
    assert (concluded().verdict, concluded().reason) == (Verdict.PASS, "all is well")
