"""Grafana's API, as its documentation shows its answers."""

import gzip
import json

import pytest

from genesis_lib.clients.grafana import Grafana
from genesis_lib.errors import SourceError
from genesis_lib.evidence import Evidence
from genesis_lib.model import Cause
from tests.clients.conftest import Connect
from tests.clients.faulty import Faulty, page, reply


@pytest.fixture
def grafana(faulty: Faulty, connect: Connect) -> Grafana:
    return Grafana(connect(f"{faulty.url}/grafana", source="grafana"))


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"commit": "c", "database": "ok", "version": "12.2.0"}, ("ok", "12.2.0")),
        (200, {"database": "ok"}, ("ok", "")),
        (503, {"database": "failing", "version": "12.2.0"}, ("failing", "12.2.0")),
    ],
    ids=["well", "version hidden", "without its database"],
)
def test_health_is_told_in_good_days_and_bad(
    status: int, body: dict[str, str], expected: tuple[str, str], faulty: Faulty, grafana: Grafana
) -> None:
    faulty.script.on("/grafana/api/health", reply(status, json.dumps(body).encode()))
    health = grafana.health().value
    assert (health.database, health.version) == expected


def test_data_sources_are_listed_and_old_inline_passwords_never_recorded(
    faulty: Faulty, grafana: Grafana, evidence: Evidence
) -> None:
    source = {"uid": "u", "name": "Prometheus", "type": "prometheus", "url": "http://p:9090", "isDefault": True}
    body = json.dumps([source | {"password": "hunter2", "basicAuthPassword": "hunter2"}]).encode()
    faulty.script.on("/grafana/api/datasources", reply(body=body))
    (found,) = grafana.data_sources().value or ()
    assert (found.kind, found.url, found.is_default) == ("prometheus", "http://p:9090", True)
    assert all(b"hunter2" not in gzip.decompress(p.read_bytes()) for p in evidence.folder.glob("bodies/*"))


def test_a_dashboard_is_found_by_its_uid(faulty: Faulty, grafana: Grafana) -> None:
    body = {"dashboard": {"uid": "a b", "title": "T", "panels": []}, "meta": {"version": 3}}
    faulty.script.on("/grafana/api/dashboards/uid/a%20b", reply(body=json.dumps(body).encode()))
    dashboard = grafana.dashboard("a b").value
    assert (dashboard.model["title"], dashboard.meta["version"]) == ("T", 3)


def test_a_dashboard_that_is_not_there_is_refused(faulty: Faulty, grafana: Grafana) -> None:
    faulty.script.on("/grafana/api/dashboards/uid/x", reply(404, b'{"message":"Dashboard not found"}'))
    with pytest.raises(SourceError, match=r"\(404: Dashboard not found\)") as caught:
        grafana.dashboard("x")
    assert caught.value.cause is Cause.REFUSED


def test_a_library_panel_is_found_by_its_uid(faulty: Faulty, grafana: Grafana) -> None:
    body = {"result": {"uid": "a/b", "name": "n", "kind": 1, "model": {"type": "stat", "targets": []}}}
    faulty.script.on("/grafana/api/library-elements/a%2Fb", reply(body=json.dumps(body).encode()))
    assert grafana.library_panel("a/b").value.model == {"type": "stat", "targets": []}


@pytest.mark.parametrize(("settings", "expected"), [({"timeInterval": "30s"}, "30s"), ({}, ""), (None, "")])
def test_the_scrape_interval_that_a_data_source_was_told_is_read(
    settings: dict[str, str] | None, expected: str, faulty: Faulty, grafana: Grafana
) -> None:
    source = {"uid": "u", "name": "p", "type": "prometheus", "jsonData": settings}
    faulty.script.on("/grafana/api/datasources", reply(body=json.dumps([source]).encode()))
    assert [s.min_interval for s in grafana.data_sources().value or ()] == [expected]


def test_dashboards_are_searched_by_title(faulty: Faulty, grafana: Grafana) -> None:
    hit = {"uid": "u", "title": "T", "url": "/d/u/t", "tags": ["a"], "type": "dash-db"}
    faulty.script.on("/grafana/api/search", reply(body=json.dumps([hit]).encode()))
    (found,) = grafana.search("T").value
    assert (found.uid, found.folder, found.tags) == ("u", "", ("a",))
    assert faulty.script.seen[0].asked == {"type": "dash-db", "query": "T"}


def test_the_login_page_is_no_answer(faulty: Faulty, grafana: Grafana) -> None:
    faulty.script.on("/grafana/api/datasources", page())
    with pytest.raises(SourceError, match="perhaps a login page"):
        grafana.data_sources()
