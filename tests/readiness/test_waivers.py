"""A waiver covers one finding and what follows from it, stays visible, and ends."""

from datetime import date, timedelta

from genesis_lib.model import Finding, Verdict
from genesis_lib.policy import Waiver
from genesis_lib.readiness import waivers
from tests.builders import AT, make_finding

TODAY = AT.date()
ROOT = make_finding("targets.up", "genesis-tests", Verdict.FAIL)
FOLLOWER = make_finding("queries.answered", "Pass rate", Verdict.UNKNOWN, because_of=ROOT.id)
SECOND = make_finding("dashboards.panel", "Pass rate", Verdict.UNKNOWN, because_of=FOLLOWER.id)
OTHER = make_finding("targets.up", "node", Verdict.FAIL)


def waiver(check: str = "targets.up", subject: str = "genesis-tests", expires: date = TODAY) -> Waiver:
    return Waiver(check=check, subject=subject, reason="planned", owner="sre", expires=expires)


def by_id(findings: list[Finding]) -> dict[str, Finding]:
    return {f.id: f for f in findings}


def test_a_waived_root_covers_all_that_follows_from_it_and_nothing_else() -> None:
    found = by_id(waivers.apply([SECOND, OTHER, FOLLOWER, ROOT], [waiver()], today=TODAY))
    assert found[ROOT.id].waiver == f"planned (sre, until {TODAY})"
    assert found[FOLLOWER.id].waiver.startswith(f"follows from {ROOT.id}")
    assert found[SECOND.id].waiver.startswith(f"follows from {ROOT.id}")
    assert not found[OTHER.id].waiver


def test_the_verdict_of_a_waived_finding_stays_as_it_is() -> None:
    assert by_id(waivers.apply([ROOT], [waiver()], today=TODAY))[ROOT.id].verdict is Verdict.FAIL


def test_an_expired_waiver_covers_nothing_and_is_a_finding() -> None:
    found = waivers.apply([ROOT], [waiver(expires=TODAY - timedelta(days=1))], today=TODAY)
    assert not found[0].waiver
    assert (found[1].check, found[1].verdict) == ("waivers.current", Verdict.WARN)
    assert "expired" in found[1].reason


def test_a_waiver_that_matches_nothing_wrong_is_a_finding() -> None:
    healthy = make_finding("targets.up", "genesis-tests")
    for findings in ([], [healthy]):
        assert "excuses nothing" in waivers.apply(findings, [waiver()], today=TODAY)[-1].reason
