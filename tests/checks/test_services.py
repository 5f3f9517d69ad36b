"""Services: ready, not merely alive; of the version that is expected, up for long enough, right about the time, and closed to strangers."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genesis_lib import run as runs
from genesis_lib.checks import services
from genesis_lib.checks.services import ServiceFact
from genesis_lib.demo.stack import Stack
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.params import load_environment
from genesis_lib.run import Run
from tests.builders import AT, ROOT, UNREACHABLE, answer, policy
from tests.clients import faulty
from tests.clients.faulty import Faulty, Script, reply, serve

NOT_TOLD = Missing(cause=Cause.NO_DATA, detail="Grafana's API does not tell when it started")


GOOD = ServiceFact(
    name="prometheus",
    url="http://localhost:9090",
    expected_version="",
    up_for_h=0.0,
    ready=answer(value=True),
    version=answer("2.42.0"),
    started_at=answer(AT - timedelta(hours=47)),
    clock=None,
    default_login=None,
)


def fact(**changed: Any) -> ServiceFact:
    """A service in good order, with something changed; what it tells becomes an answer."""
    told = {"ready", "version", "started_at", "clock", "default_login"}
    as_it_is: dict[str, Any] = {
        key: answer(value) if key in told and not isinstance(value, Missing) else value
        for key, value in changed.items()
    }
    return replace(GOOD, **as_it_is)


def judged(*facts: ServiceFact) -> dict[str, Finding]:
    return {f.check.removeprefix("services."): f for f in services.judge(facts, policy(), at=AT)}


def test_a_service_in_good_order_passes() -> None:
    assert {claim: f.verdict for claim, f in judged(fact()).items()} == {
        "ready": Verdict.PASS,
        "uptime": Verdict.PASS,
    }


def test_alive_but_not_ready_fails() -> None:
    assert judged(fact(ready=False))["ready"].verdict is Verdict.FAIL


def test_a_service_that_does_not_answer_cannot_be_told_and_loses_no_finding() -> None:
    silent = dict.fromkeys(("ready", "version", "started_at", "clock", "default_login"), UNREACHABLE)
    found = judged(fact(**silent, expected_version="2"))
    assert set(found) == {"ready", "version", "uptime", "clock", "default_login"}
    assert {(f.verdict, f.reason, f.evidence) for f in found.values()} == {
        (Verdict.UNKNOWN, UNREACHABLE.detail, (UNREACHABLE.evidence,))
    }
    assert {f.because_of for claim, f in found.items() if claim != "ready"} == {"services.ready[prometheus]"}


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
    assert judged(fact(version=version, expected_version=expected))["version"].verdict is verdict


@pytest.mark.parametrize(
    ("started", "up_for_h", "verdict", "observed"),
    [
        pytest.param(AT - timedelta(hours=47), 0, Verdict.PASS, "up 47 h", id="any time will do"),
        pytest.param(AT - timedelta(hours=47), 47, Verdict.PASS, "up 47 h", id="exactly as long as is expected"),
        pytest.param(AT - timedelta(hours=47), 47.01, Verdict.WARN, "up 47 h", id="a little less"),
        pytest.param(AT - timedelta(minutes=119.9), 2, Verdict.WARN, "up 1.9 h", id="never rounded up to the bound"),
        pytest.param(AT - timedelta(seconds=90), 0, Verdict.PASS, "up 1.5 min", id="minutes"),
        pytest.param(AT + timedelta(seconds=2), 0, Verdict.PASS, "up 0 s", id="a clock that is a little ahead"),
        pytest.param(NOT_TOLD, 1, Verdict.UNKNOWN, "no data (no data)", id="expected, and not told"),
    ],
)
def test_uptime(started: datetime | Missing, up_for_h: float, verdict: Verdict, observed: str) -> None:
    found = judged(fact(started_at=started, up_for_h=up_for_h))["uptime"]
    assert (found.verdict, found.observed) == (verdict, observed)
    assert bool(found.hint) is (verdict is not Verdict.PASS)


def test_an_uptime_that_nobody_asks_for_and_nobody_tells_is_no_finding() -> None:
    assert "uptime" not in judged(fact(started_at=NOT_TOLD))


@pytest.mark.parametrize(
    ("ahead_s", "verdict", "observed"),
    [
        (0.25, Verdict.PASS, "0.2 s ahead of ours"),
        pytest.param(30, Verdict.PASS, "30 s ahead of ours", id="the bound itself"),
        pytest.param(30.5, Verdict.FAIL, "30.5 s ahead of ours", id="ahead"),
        pytest.param(-95, Verdict.FAIL, "1.5 min behind ours", id="behind"),
    ],
)
def test_a_clock_that_differs_falsifies_ages(ahead_s: float, verdict: Verdict, observed: str) -> None:
    found = judged(fact(clock=AT + timedelta(seconds=ahead_s)))["clock"]
    assert (found.verdict, found.observed) == (verdict, observed)
    assert ("falsifies every age" in found.reason) is (verdict is Verdict.FAIL)


def test_a_grafana_that_everybody_may_enter_fails() -> None:
    found = judged(fact(default_login=True))["default_login"]
    assert (found.verdict, found.observed) == (Verdict.FAIL, "admin/admin is accepted")
    assert judged(fact(default_login=False))["default_login"].verdict is Verdict.PASS


# Against servers.

GRAFANA = """\
title: A Grafana
owner: nobody
policy: {policy}
prometheus: none
alertmanager: none
grafana: {{url: {url}, username: readiness, password: env:GRAFANA_PASSWORD, retries: 2, timeout_s: 5}}
docker: none
services:
  grafana: {{source: grafana}}
targets: {{}}
probes: {{grafana_default_login: {probe}}}
"""
USER = json.dumps({"id": 1, "login": "admin", "isGrafanaAdmin": True}).encode()


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAFANA_PASSWORD", "s3cr3t-pa55")


def grafana_run(server: Faulty, folder: Path, *, probe: str = "true", as_of: datetime | None = None) -> Run:
    (folder / "own.yaml").write_text(GRAFANA.format(policy=ROOT / "params/policy", url=server.url, probe=probe))
    loaded = load_environment(str(folder / "own.yaml"), root=ROOT)
    server.script.on("/api/health", reply(body=b'{"database": "ok", "version": "12.2.0"}'))
    return runs.create(loaded, policy(), root=folder, as_of=as_of, interactive=False)


@pytest.mark.parametrize(
    ("script", "verdict"),
    [
        pytest.param(reply(body=USER), Verdict.FAIL, id="let in"),
        pytest.param(reply(401, b'{"message": "Invalid username or password"}'), Verdict.PASS, id="turned away"),
        pytest.param(reply(403, b'{"message": "Access denied"}'), Verdict.PASS, id="forbidden"),
        pytest.param(faulty.page(), Verdict.UNKNOWN, id="a login page"),
        pytest.param(reply(body=b"[]"), Verdict.UNKNOWN, id="something else than a user"),
        pytest.param(reply(302, Location="http://elsewhere/login"), Verdict.UNKNOWN, id="sent elsewhere"),
        pytest.param(reply(503), Verdict.UNKNOWN, id="busy"),
        pytest.param(reply(404), Verdict.UNKNOWN, id="not there"),
        pytest.param(faulty.reset, Verdict.UNKNOWN, id="broken off"),
    ],
)
def test_the_default_login_is_tried_once_by_an_account_of_its_own(
    script: Script, verdict: Verdict, tmp_path: Path
) -> None:
    with serve() as server:
        server.script.on("/api/user", script)
        run = grafana_run(server, tmp_path)
        found = judged(*services.gather(run))
        again = judged(*services.gather(run))
        run.close()
    assert found == again
    assert (found["ready"].verdict, found["default_login"].verdict) == (Verdict.PASS, verdict)
    tries = [seen.headers["Authorization"] for seen in server.script.seen if seen.path == "/api/user"]
    assert tries == [f"Basic {b64encode(b'admin:admin').decode()}"]
    asked = [e for e in run.evidence.exchanges() if e.question.endswith("/api/user")]
    assert [(e.source, e.id) for e in asked] == [("grafana default login", *found["default_login"].evidence)]
    replayed = runs.open_folder(run.folder, root=tmp_path, replay=True)
    assert judged(*services.gather(replayed)) == found


def test_what_a_default_login_shows_is_recorded_as_it_is_and_no_credential_is(tmp_path: Path) -> None:
    with serve() as server:
        server.script.on("/api/user", reply(body=USER))
        run = grafana_run(server, tmp_path)
        services.gather(run)
        run.close()
    (asked,) = [e for e in run.evidence.exchanges() if e.question.endswith("/api/user")]
    assert run.evidence.body(asked) == USER
    assert not any(b"s3cr3t" in path.read_bytes() for path in run.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("probe", "ago", "claims"),
    [
        pytest.param("false", timedelta(), {"ready"}, id="not opted in"),
        pytest.param("true", timedelta(days=1), {"ready", "default_login"}, id="a run about the past"),
    ],
)
def test_the_default_login_is_not_tried(probe: str, ago: timedelta, claims: set[str], tmp_path: Path) -> None:
    with serve() as server:
        run = grafana_run(server, tmp_path, probe=probe, as_of=datetime.now(UTC) - ago)
        found = judged(*services.gather(run))
        run.close()
    assert server.script.hits("/api/user") == 0
    assert set(found) == claims
    assert {f.verdict for claim, f in found.items() if claim != "ready"} <= {Verdict.UNKNOWN}


def test_the_healthy_stack_is_ready_up_and_right_about_the_time(healthy_stack: Stack, tmp_path: Path) -> None:
    demo = load_environment("demo", root=ROOT)
    run = runs.create(demo, policy(), root=tmp_path, as_of=None, interactive=False, addresses=healthy_stack.moved)
    facts = services.gather(run)
    run.close()
    found = services.judge(facts, policy(), at=run.as_of)
    assert {f.id: f.reason for f in found if f.verdict is not Verdict.PASS} == {}
    assert {f.id for f in found if f.check == "services.clock"} == {
        "services.clock[prometheus]",
        "services.clock[node-exporter]",
    }
    assert {f.subject for f in found if f.check == "services.uptime"} == set(demo.services)
    for fact in facts:
        assert not isinstance(fact.clock, Answer) or abs(fact.clock.value - fact.clock.asked_at) < timedelta(seconds=10)
