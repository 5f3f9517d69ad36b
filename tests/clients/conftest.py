"""Servers that the clients are tried on: a misbehaving one of our own, and real ones."""

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from genesis_lib.clients.http import Http
from genesis_lib.demo import binaries
from genesis_lib.demo.children import Children
from genesis_lib.endpoint import Endpoint
from genesis_lib.evidence import Evidence
from tests.clients.faulty import Faulty, serve

Connect = Callable[..., Http]


@pytest.fixture
def faulty() -> Iterator[Faulty]:
    """A server that answers as it is told."""
    with serve() as server:
        yield server


@pytest.fixture
def evidence(tmp_path: Path) -> Evidence:
    """An empty record."""
    return Evidence(tmp_path / "evidence", replay=False)


@pytest.fixture
def connect(evidence: Evidence) -> Iterator[Connect]:
    """Open a source: `connect(url, timeout_s=1)`; recorded in `evidence`, closed at the end."""
    opened: list[Http] = []

    def connect(
        url: str, *, record: Evidence | None = evidence, source: str = "prometheus", **settings: object
    ) -> Http:
        endpoint = Endpoint.model_validate({"url": url, "timeout_s": 5.0, **settings})
        opened.append(Http(endpoint, source=source, evidence=record))
        return opened[-1]

    yield connect
    for http in opened:
        http.close()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """A real Prometheus, Alertmanager and node exporter, each by its address; Prometheus has scraped and alerted."""
    folder = tmp_path_factory.mktemp("servers")
    ports = {name: _free_port() for name in ("prometheus", "alertmanager", "node", "dead")}
    addresses = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    (folder / "prometheus.yml").write_text(json.dumps(_prometheus_config(addresses)))
    (folder / "rules.yml").write_text(json.dumps(_RULES))
    (folder / "alertmanager.yml").write_text(json.dumps(_ALERTMANAGER_CONFIG))
    children = Children(folder)
    try:
        _start(children, "node", "node_exporter", f"--web.listen-address={addresses['node']}", "--no-collector.systemd")
        _start(
            children,
            "alertmanager",
            "alertmanager",
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'alerts'}",
            f"--web.listen-address={addresses['alertmanager']}",
            "--cluster.listen-address=",
        )
        _start(
            children,
            "prometheus",
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={addresses['prometheus']}",
        )
        urls = {name: f"http://{address}" for name, address in addresses.items()}
        _wait_until_alerted(urls["prometheus"], children)
        yield urls
    finally:
        children.end()


_RULES = {
    "groups": [
        {
            "name": "availability",
            "rules": [
                {"record": "job:up:sum", "expr": "sum by (job) (up)"},
                {
                    "alert": "Down",
                    "expr": "up == 0",
                    "for": "1h",
                    "labels": {"severity": "critical"},
                    "annotations": {"summary": "{{ $labels.job }} is down"},
                },
            ],
        }
    ]
}
_ALERTMANAGER_CONFIG = {
    "route": {"receiver": "ops"},
    "receivers": [{"name": "ops", "webhook_configs": [{"url": "http://127.0.0.1:1/"}]}, {"name": "nobody"}],
}


def _prometheus_config(addresses: Mapping[str, str]) -> object:
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [addresses[job]]}]} for job in ("prometheus", "node", "dead")
    ]
    drop = {
        "job_name": "dropped",
        "static_configs": [{"targets": [addresses["dead"]]}],
        "relabel_configs": [{"action": "drop", "source_labels": ["__address__"]}],
    }
    return {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [addresses["alertmanager"]]}]}]},
        "scrape_configs": [*jobs, drop],
    }


def _start(children: Children, name: str, program: str, *arguments: str) -> None:
    path = binaries.find(program)
    children.start(name, path, *arguments, cwd=binaries.working_folder(path))


def _wait_until_alerted(url: str, children: Children) -> None:
    deadline = time.monotonic() + 30
    with httpx.Client(base_url=url, trust_env=False) as client:
        while time.monotonic() < deadline:
            children.check()
            with contextlib.suppress(httpx.TransportError):
                found = client.get("/api/v1/query", params={"query": "ALERTS and on() count(up) == 3"})
                if found.is_success and found.json()["data"]["result"]:
                    return
            time.sleep(0.1)
    pytest.fail(f"Prometheus did not come to alert:\n{children.logs()}")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
