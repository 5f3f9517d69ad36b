"""Whatever a source does, a run ends in findings: a source in trouble leaves claims open, never proven, never lost."""

from pathlib import Path

import pytest

from genesis_lib.checks.registry import CHECKS
from genesis_lib.errors import ParameterError
from genesis_lib.model import Verdict
from genesis_lib.params import load_environment
from genesis_lib.readiness.decision import Call
from genesis_lib.runbook import Runbook, begin, open_run, parse_instant
from tests.clients import faulty
from tests.clients.faulty import Script, serve
from tests.project import BLIND, OF_FILES, make_project


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project").folder


def judged_by(script: Script, root: Path) -> Runbook:
    """A run whose every source answers by this script."""
    with serve() as server:
        server.script.otherwise = script
        parameters = BLIND.replace("http://127.0.0.1:1", server.url).replace("retries: 0", "retries: 0, timeout_s: 1.0")
        (root / "params/faulty.yaml").write_text(parameters)
        loaded = load_environment("faulty", root=root)
        book = begin(loaded, root=root, as_of="", interactive=False, embedded=None)
        assert book.judgement  # asked while the server is there
        book.run.close()
    return book


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(faulty.page(), id="a login page"),
        pytest.param(faulty.reply(500, b"oops", media="text/plain"), id="a server error"),
        pytest.param(faulty.reply(401), id="no access"),
        pytest.param(faulty.reply(200, b"{}"), id="JSON of another kind"),
        pytest.param(faulty.reply(200, b"[1, 2"), id="JSON that breaks off"),
        pytest.param(faulty.reset, id="a connection that breaks"),
        pytest.param(faulty.not_http, id="no HTTP at all"),
    ],
)
def test_a_source_that_answers_rubbish_proves_nothing(script: Script, root: Path) -> None:
    judgement = judged_by(script, root).judgement
    # `/-/ready` and `/-/healthy` speak in status codes; any page with 200 is a yes to them, and to nothing else.
    yes = {"services.ready[prometheus]", "containers.running[prometheus]"}
    others = [f for f in judgement.findings if f.id not in yes and f.check not in OF_FILES]
    assert {f.verdict for f in others} == {Verdict.UNKNOWN}
    assert all(f.reason for f in others)
    assert judgement.decision.call is Call.HOLD


def test_a_blind_run_has_as_many_findings_as_a_seeing_one_has_subjects(root: Path) -> None:
    findings = judged_by(faulty.reply(503), root).findings()
    by_check = {
        check: sum(f.check == check for f in findings) for check in ("rules.loaded", "rules.quiet", "dashboards.panel")
    }
    assert by_check == {"rules.loaded": 13, "rules.quiet": 13, "dashboards.panel": 13}


def test_a_policy_that_lists_an_unknown_check_is_refused_before_anything_is_written(root: Path) -> None:
    policy = root / "params/policy/readiness.yaml"
    policy.write_text(policy.read_text().replace("services: 1", "servicez: 1"))
    with pytest.raises(ParameterError, match="lists unknown checks: servicez; known: services"):
        begin(load_environment("blind", root=root), root=root, as_of="", interactive=False, embedded=None)
    assert not (root / "outputs").exists()


def test_an_environment_may_name_a_policy_folder_of_its_own(root: Path) -> None:
    (root / "params/policy").rename(root / "params/strict")
    policy = root / "params/strict/readiness.yaml"
    policy.write_text(policy.read_text().replace("bar: 9.0", "bar: 9.9"))
    (root / "params/blind.yaml").write_text(BLIND + "policy: strict\n")
    book = begin(load_environment("blind", root=root), root=root, as_of="", interactive=False, embedded=None)
    book.run.close()
    assert book.bar == 9.9


def test_findings_can_be_asked_for_by_check(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENESIS_HOME", str(root))
    run = open_run("blind")
    assert {f.check for f in run.findings("targets")} == set(CHECKS["targets"].claims)
    assert {f.check.partition(".")[0] for f in run.findings("targets", "services")} == {"targets", "services"}
    assert "live, recorded as it is asked" in repr(run)
    run.run.close()


def test_an_instant_without_an_offset_is_utc() -> None:
    assert parse_instant("2026-11-24T06:00") == parse_instant("2026-11-24T07:00+01:00")
    with pytest.raises(ParameterError, match="is no ISO 8601 instant"):
        parse_instant("yesterday")
