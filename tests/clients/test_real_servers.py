"""The clients against real servers, and against the record of them once they cannot be asked any more."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from genesis_lib.clients.alertmanager import Alertmanager, Matcher
from genesis_lib.clients.exposition import Exposition
from genesis_lib.clients.prometheus import Prometheus, to_frame
from genesis_lib.evidence import Evidence
from genesis_lib.model import Answer, Missing
from tests.clients.conftest import Connect

NOW = datetime.now(UTC)
RECENT = timedelta(minutes=10)


@pytest.fixture
def prometheus(servers: Mapping[str, str], connect: Connect) -> Prometheus:
    return Prometheus(connect(servers["prometheus"]))


@pytest.fixture
def alertmanager(servers: Mapping[str, str], connect: Connect) -> Alertmanager:
    return Alertmanager(connect(servers["alertmanager"], source="alertmanager"))


def test_prometheus_tells_how_it_is(prometheus: Prometheus) -> None:
    assert prometheus.ready().value
    assert prometheus.healthy().value
    assert prometheus.buildinfo().value.version.split(".")[0] in ("2", "3")
    runtime = prometheus.runtimeinfo().value
    assert timedelta() < datetime.now(UTC) - runtime.started_at < RECENT
    assert runtime.reload_config_success
    assert prometheus.flags().value["web.enable-lifecycle"] == "false"
    assert "job_name: dropped" in prometheus.config().value


def test_prometheus_tells_its_targets(prometheus: Prometheus, servers: Mapping[str, str]) -> None:
    targets = prometheus.targets().value
    by_job = {target.job: target for target in targets.active}
    assert {job: target.health for job, target in by_job.items()} == {"prometheus": "up", "node": "up", "dead": "down"}
    assert targets.dropped == 1
    node, dead = by_job["node"], by_job["dead"]
    assert f"http://{node.instance}" == servers["node"]
    assert (node.interval_s, node.last_error) == (1.0, "")
    assert "refused" in dead.last_error
    assert node.last_scrape is not None
    assert abs(datetime.now(UTC) - node.last_scrape) < timedelta(seconds=30)


def test_prometheus_tells_its_rules_and_alerts(prometheus: Prometheus, servers: Mapping[str, str]) -> None:
    (group,) = prometheus.rules().value
    recording, alerting = group.rules
    assert (group.interval_s, recording.kind, recording.name, recording.state) == (1, "recording", "job:up:sum", "")
    assert (alerting.kind, alerting.duration_s, alerting.health, alerting.state) == ("alerting", 3600, "ok", "pending")
    assert alerting.labels == {"severity": "critical"}
    assert alerting.last_evaluation is not None
    (alert,) = prometheus.alerts().value
    assert alert == alerting.alerts[0]
    assert (alert.annotations["summary"], alert.value, alert.state) == ("dead is down", 0.0, "pending")
    assert prometheus.alertmanagers().value.active == (f"{servers['alertmanager']}/api/v2/alerts",)


def test_prometheus_answers_queries(prometheus: Prometheus) -> None:
    at = datetime.now(UTC)
    up = {sample.labels["job"]: sample.value for sample in prometheus.query("up", at=at).value}
    assert up == {"prometheus": 1.0, "node": 1.0, "dead": 0.0}
    assert prometheus.number("count(up)", at=at).value == 3.0
    assert isinstance(prometheus.number("vector(0) / 0", at=at).value, Missing)
    series = prometheus.query_range("sum(up)", start=at - RECENT, end=at, step=timedelta(milliseconds=50)).value
    assert to_frame(series).iloc[-1].tolist() == [2.0]


def test_prometheus_tells_what_series_there_are(prometheus: Prometheus) -> None:
    between: dict[str, Any] = {"start": NOW - RECENT, "end": NOW + RECENT}
    assert {labels["job"] for labels in prometheus.series(["up"], **between).value} == {"prometheus", "node", "dead"}
    assert {"__name__", "job"} <= set(prometheus.labels(**between).value)
    assert prometheus.labels(matchers=["job:up:sum"], **between).value == ("__name__", "job")
    assert "up" in prometheus.label_values("__name__", **between).value
    assert prometheus.label_values("job", matchers=['up{job=~"d.*"}'], **between).value == ("dead",)
    assert prometheus.metadata("node_load1").value["node_load1"][0].kind == "gauge"


def test_alertmanager_tells_all_it_holds(servers: Mapping[str, str], alertmanager: Alertmanager) -> None:
    alert = {"labels": {"alertname": "Test", "severity": "P2"}, "annotations": {"summary": "s"}}
    silence = {
        "matchers": [{"name": "severity", "value": "P.", "isRegex": True, "isEqual": True}],
        "startsAt": (NOW - RECENT).isoformat(),
        "endsAt": (NOW + RECENT).isoformat(),
        "createdBy": "ann",
        "comment": "a test",
    }
    with httpx.Client(base_url=f"{servers['alertmanager']}/api/v2", trust_env=False) as client:
        made = client.post("/silences", json=silence).raise_for_status().json()["silenceID"]
        client.post("/alerts", json=[alert]).raise_for_status()

    assert alertmanager.ready().value
    assert alertmanager.healthy().value
    status = alertmanager.status().value
    assert (status.cluster, "receiver: ops" in status.config) == ("disabled", True)
    assert timedelta() < datetime.now(UTC) - status.started_at < RECENT
    (found,) = [a for a in alertmanager.alerts().value if a.labels["alertname"] == "Test"]
    assert (found.state, found.silenced_by, found.receivers) == ("suppressed", (made,), ("ops",))
    (told,) = alertmanager.silences().value
    assert (told.id, told.state, told.created_by) == (made, "active", "ann")
    assert told.matchers == (Matcher(name="severity", value="P.", is_regex=True, is_equal=True),)
    assert alertmanager.receivers().value == ("ops", "nobody")


def test_the_node_exporters_page_is_read(servers: Mapping[str, str], connect: Connect) -> None:
    page = Exposition(connect(f"{servers['node']}/metrics", source="node-exporter"))
    families = {family.name: family for family in page.families().value}
    assert families["node_exporter_build_info"].samples[0].labels["version"]
    memory = families["node_memory_MemTotal_bytes"].samples[0].value
    assert isinstance(memory, float)
    assert memory > 1e6
    assert families["node_cpu_seconds"].kind == "counter"


def test_replay_gives_every_answer_again(servers: Mapping[str, str], connect: Connect, evidence: Evidence) -> None:
    def questions(record: Evidence) -> list[Answer[Any]]:
        prometheus = Prometheus(connect(servers["prometheus"], record=record))
        alertmanager = Alertmanager(connect(servers["alertmanager"], source="alertmanager", record=record))
        page = Exposition(connect(f"{servers['node']}/metrics", source="node-exporter", record=record))
        ask: list[Callable[[], Answer[Any]]] = [
            prometheus.ready,
            prometheus.buildinfo,
            prometheus.runtimeinfo,
            prometheus.targets,
            prometheus.rules,
            prometheus.alerts,
            lambda: prometheus.query("up", at=NOW),
            alertmanager.status,
            alertmanager.alerts,
            page.families,
        ]
        return [question() for question in ask]

    assert questions(evidence) == questions(Evidence(evidence.folder, replay=True))


def test_a_scope_narrows_every_question(servers: Mapping[str, str], connect: Connect) -> None:
    narrowed = Prometheus(connect(servers["prometheus"]), scope={"job": "node"})
    assert {s.labels["job"] for s in narrowed.query("up", at=datetime.now(UTC)).value} == {"node"}
    series = narrowed.query_range("up", start=NOW - RECENT, end=NOW, step=timedelta(seconds=30)).value
    assert {s.labels["job"] for s in series} <= {"node"}
