"""The Docker engine's API over a unix socket and TCP: read, never written, and no environment variable recorded."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from genesis_lib.clients.docker import Docker
from genesis_lib.errors import SourceError
from genesis_lib.evidence import Evidence
from genesis_lib.model import Cause
from tests.clients.conftest import Connect
from tests.clients.faulty import Faulty, reply, serve
from tests.docker_engine import Engine

INSPECT: dict[str, Any] = {
    "Id": "abc",
    "Name": "/grafana",
    "Created": "2026-11-24T05:00:00.5Z",
    "RestartCount": 2,
    "Args": ["--admin-password=hunter2", "--port=3000"],
    "State": {
        "Status": "running",
        "Running": True,
        "ExitCode": 0,
        "OOMKilled": False,
        "StartedAt": "2026-11-24T06:00:00.123456789Z",
        "FinishedAt": "0001-01-01T00:00:00Z",
        "Health": {"Status": "healthy", "FailingStreak": 0},
    },
    "Config": {"Image": "grafana:12", "Env": ["GF_SECURITY_ADMIN_PASSWORD=hunter2", "HOME=/root"], "Labels": None},
}


@pytest.fixture(params=["unix", "tcp"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Faulty]:
    with serve(socket_path=tmp_path / "docker.sock" if request.param == "unix" else None) as server:
        yield server


@pytest.fixture
def docker(engine: Faulty, connect: Connect) -> Docker:
    return Docker(connect(engine.url, source="docker"))


def test_version_and_containers_are_read(engine: Faulty, docker: Docker, evidence: Evidence) -> None:
    listed = {
        "Id": "abc",
        "Names": ["/grafana", "/other/alias"],
        "Image": "grafana:12",
        "State": "running",
        "Status": "Up 3 hours (healthy)",
        "Labels": {"a": "b"},
        "Created": 1795500000,
        "Command": "grafana --admin-password=hunter2",
    }
    engine.script.on("/version", reply(body=b'{"Version":"20.10.24","ApiVersion":"1.41","Os":"linux","Arch":"amd64"}'))
    engine.script.on("/containers/json", reply(body=json.dumps([listed]).encode()))
    assert docker.version().value.version == "20.10.24"
    (container,) = docker.containers().value
    assert (container.name, container.state) == ("grafana", "running")
    assert container.created_at == datetime.fromtimestamp(1795500000, UTC)
    assert engine.script.seen[1].asked == {"all": "1"}
    assert f"GET {engine.url}" in evidence.exchanges()[0].question
    assert b"hunter2" not in _record(evidence)


def test_inspect_tells_the_state_and_records_no_environment(engine: Faulty, docker: Docker, evidence: Evidence) -> None:
    engine.script.on("/containers/grafana/json", reply(body=json.dumps(INSPECT).encode()))
    details = docker.inspect("grafana").value
    assert (details.name, details.state, details.health, details.restart_count) == ("grafana", "running", "healthy", 2)
    assert details.started_at == datetime(2026, 11, 24, 6, 0, 0, 123456, tzinfo=UTC)
    assert details.finished_at is None
    recorded = _record(evidence)
    assert b"hunter2" not in recorded
    assert b"HOME" not in recorded
    assert b"--port=3000" in recorded


@pytest.mark.parametrize("health", [None, {"Status": ""}, "absent"], ids=["null", "empty, as podman has it", "absent"])
def test_a_container_without_a_health_check_has_no_health(health: object, engine: Faulty, docker: Docker) -> None:
    state = {k: v for k, v in INSPECT["State"].items() if k != "Health"} | (
        {} if health == "absent" else {"Health": health}
    )
    engine.script.on("/containers/x/json", reply(body=json.dumps(INSPECT | {"State": state}).encode()))
    assert docker.inspect("x").value.health == ""


def test_an_answer_that_is_no_engines_is_refused_and_its_environment_not_recorded(
    engine: Faulty, docker: Docker, evidence: Evidence
) -> None:
    engine.script.on("/containers/x/json", reply(body=b'[{"Config": {"Env": ["PASSWORD=hunter2"]}}]'))
    with pytest.raises(SourceError) as caught:
        docker.inspect("x")
    assert caught.value.cause is Cause.MALFORMED
    assert b"hunter2" not in _record(evidence)


def test_a_container_that_is_not_there_is_refused_in_the_engines_words(engine: Faulty, docker: Docker) -> None:
    engine.script.on("/containers/a%2F..%2Fb/json", reply(404, b'{"message":"No such container: a/../b"}'))
    with pytest.raises(SourceError, match="No such container"):
        docker.inspect("a/../b")


def test_only_get_is_sent(engine: Faulty, docker: Docker) -> None:
    for ask in (docker.version, docker.containers, lambda: docker.inspect("x")):
        with pytest.raises(SourceError):
            ask()
    assert {seen.method for seen in engine.script.seen} == {"GET"}
    for path in ("/containers/x/stop", "/containers/create", "/build"):
        with pytest.raises(ValueError, match="the clients only read"):
            docker._http.get_long(path, [("x", "y" * 3000)])


def test_a_real_engine_is_read(connect: Connect, evidence: Evidence, docker_engine_up: Engine) -> None:
    name = docker_engine_up.run("read-me", "/bin/sleep", "60", Env=["PASSWORD=hunter2"])
    docker = Docker(connect(docker_engine_up.url, source="docker"))
    assert docker.version().value.api_version.startswith("1.")
    assert name in [container.id for container in docker.containers().value]
    details = docker.inspect(name).value
    assert (details.id, details.name, details.state) == (name, "read-me", "running")
    assert b"hunter2" not in _record(evidence)
    with pytest.raises(SourceError, match=r"(?i)no such container"):
        docker.inspect("no-container-has-this-name")


def _record(evidence: Evidence) -> bytes:
    return b"".join(gzip.decompress(path.read_bytes()) for path in evidence.folder.glob("bodies/*"))
