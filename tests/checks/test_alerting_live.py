"""Alerting against real servers: seen to pass, to fail and to be open."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from genesis_lib import run as runs
from genesis_lib.checks import alerting
from genesis_lib.demo import binaries
from genesis_lib.demo.ports import Reservation
from genesis_lib.demo.stack import Stack
from genesis_lib.model import Finding, Verdict
from genesis_lib.params import load_environment
from tests.builders import ROOT, policy


@contextmanager
def running(name: str, folder: Path, *arguments: str) -> Iterator[str]:
    """The `host:port` of a server of our own, ended afterwards."""
    reserved = Reservation({name: 0}, locks=folder)
    address = reserved.addresses[name]
    reserved.close()
    program = binaries.find(name)
    command = [str(program), *arguments, f"--web.listen-address={address}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=binaries.working_folder(program), stdout=log, stderr=log)
    try:
        until(lambda: httpx.get(f"http://{address}/-/ready").is_success)
        yield address
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def own_alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An Alertmanager that these tests may change, with the project's configuration."""
    folder = tmp_path_factory.mktemp("alertmanager")
    config = f"--config.file={ROOT}/monitoring/alertmanager_config.yml"
    with running("alertmanager", folder, config, f"--storage.path={folder}", "--cluster.listen-address=") as address:
        yield address


@pytest.fixture
def mute_prometheus(tmp_path: Path) -> Iterator[str]:
    """A Prometheus whose one alert fires, and whose Alertmanager is not there."""
    rules = {"groups": [{"name": "g", "rules": [{"alert": "Always", "expr": "vector(1)"}]}]}
    (tmp_path / "rules.yml").write_text(json.dumps(rules))
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(tmp_path / "rules.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["127.0.0.1:1"]}]}]},
        "scrape_configs": [{"job_name": "prometheus", "static_configs": [{"targets": ["SELF"]}]}],
    }
    path = tmp_path / "prometheus.yml"
    path.write_text("{}")
    flags = [f"--config.file={path}", f"--storage.tsdb.path={tmp_path}/data", "--web.enable-lifecycle"]
    flags.append("--rules.alert.resend-delay=1s")
    with running("prometheus", tmp_path, *flags) as address:
        path.write_text(json.dumps(config).replace("SELF", address))
        assert httpx.post(f"http://{address}/-/reload").is_success
        failed = {"query": "prometheus_notifications_errors_total > 0"}
        until(lambda: httpx.get(f"http://{address}/api/v1/query", params=failed).json()["data"]["result"])
        yield address


def until(holds: Any) -> None:
    """Wait until it does."""
    for _ in range(400):
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    pytest.fail("it never came to be")


def asked(root: Path, prometheus: str, alertmanager: str) -> dict[str, Finding]:
    """What the check finds of these two, judged as the demo."""
    addresses = {"localhost:9090": prometheus, "localhost:9093": alertmanager}
    run = runs.create(
        load_environment("demo", root=ROOT), policy(), root=root, as_of=None, interactive=False, addresses=addresses
    )
    try:
        return {f.id: f for f in alerting.judge(alerting.gather(run), policy(), at=run.as_of)}
    finally:
        run.close()


def test_the_healthy_stack_passes_with_one_finding_for_each_of_the_13_rules(
    healthy_stack: Stack, tmp_path: Path
) -> None:
    found = asked(tmp_path, healthy_stack.addresses["prometheus"], healthy_stack.addresses["alertmanager"])
    assert {name: f.reason for name, f in found.items() if f.verdict is not Verdict.PASS} == {}
    assert sum(f.check == "alerting.route" for f in found.values()) == 13
    assert all(f.evidence for f in found.values())


@pytest.mark.parametrize(
    ("matcher", "verdict", "words"),
    [
        (("alertname", ".+", True), Verdict.FAIL, "it hides everything: 13 of the 13 rules, 4 of them critical"),
        (("alertname", "HighCPUUsage", False), Verdict.WARN, "hides 1 of the 13 rules (HighCPUUsage)"),
    ],
)
def test_a_real_silence_is_found_with_what_it_hides_and_gone_once_expired(
    matcher: tuple[str, str, bool],
    verdict: Verdict,
    words: str,
    *,
    healthy_stack: Stack,
    own_alertmanager: str,
    tmp_path: Path,
) -> None:
    api, now = f"http://{own_alertmanager}/api/v2", datetime.now(UTC)
    name, value, is_regex = matcher
    alert = {"labels": {"alertname": "HighCPUUsage", "severity": "warning", "category": "performance"}}
    assert httpx.post(f"{api}/alerts", json=[alert]).is_success
    silence = {
        "matchers": [{"name": name, "value": value, "isRegex": is_regex, "isEqual": True}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "a test",
        "comment": "to be seen",
    }
    silence_id = httpx.post(f"{api}/silences", json=silence).json()["silenceID"]
    until(lambda: httpx.get(f"{api}/alerts").json()[0]["status"]["silencedBy"] == [silence_id])

    found = asked(tmp_path, healthy_stack.addresses["prometheus"], own_alertmanager)
    (silenced,) = (f for f in found.values() if f.check == "alerting.silences")
    assert silenced.verdict is verdict
    assert words in silenced.reason
    assert "now it suppresses 1 alerts (HighCPUUsage)" in silenced.reason
    # This Alertmanager is not the one that Prometheus sends to, and no alert fires that could tell.
    assert found["alerting.connected[prometheus]"].verdict is Verdict.WARN

    assert httpx.delete(f"{api}/silence/{silence_id}").is_success
    after = asked(tmp_path, healthy_stack.addresses["prometheus"], own_alertmanager)
    assert after["alerting.silences[silences]"].verdict is Verdict.PASS


def test_a_real_inhibition_is_named_and_alerts_of_probes_are_passed_over(
    healthy_stack: Stack, own_alertmanager: str, tmp_path: Path
) -> None:
    labels: list[dict[str, str]] = [
        {"alertname": "TestPassRateLow", "severity": "critical"},
        {"alertname": "TestPassRateDegrading", "severity": "warning", "category": "performance"},
    ]
    labels.append({**labels[1], "genesis_probe": "true"})
    api = f"http://{own_alertmanager}/api/v2/alerts"
    assert httpx.post(api, json=[{"labels": each} for each in labels]).is_success
    until(lambda: sum(bool(a["status"]["inhibitedBy"]) for a in httpx.get(api).json()) == 2)
    found = asked(tmp_path, healthy_stack.addresses["prometheus"], own_alertmanager)[
        "alerting.inhibitions[inhibitions]"
    ]
    assert found.verdict is Verdict.WARN
    assert "TestPassRateDegrading by TestPassRateLow" in found.reason
    assert found.observed.startswith("1 of ")


def test_a_real_prometheus_that_cannot_send_is_found(
    mute_prometheus: str, own_alertmanager: str, tmp_path: Path
) -> None:
    found = asked(tmp_path, mute_prometheus, own_alertmanager)
    verdicts = {name: f.verdict for name, f in found.items() if f.check in ("alerting.connected", "alerting.delivered")}
    assert verdicts == {
        "alerting.connected[prometheus]": Verdict.FAIL,
        "alerting.delivered[prometheus]": Verdict.FAIL,
        "alerting.delivered[alertmanager]": Verdict.UNKNOWN,
    }
    assert "sending to 127.0.0.1:1 failed" in found["alerting.delivered[prometheus]"].reason
    assert "none of the 1 alerts that fire is there" in found["alerting.connected[prometheus]"].reason


def test_an_alertmanager_that_is_gone_is_unknown_for_each_rule(healthy_stack: Stack, tmp_path: Path) -> None:
    found = asked(tmp_path, healthy_stack.addresses["prometheus"], "127.0.0.1:1")
    routes = [f for f in found.values() if f.check == "alerting.route"]
    assert len(routes) == 13
    assert {(f.verdict, f.because_of) for f in routes} == {(Verdict.UNKNOWN, "services.ready[alertmanager]")}
