"""The compose file starts four pinned services that only this host can reach, with no default password."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

_FOLDER = Path(__file__).parents[2] / "monitoring"
_COMPOSE = yaml.safe_load((_FOLDER / "docker-compose.yml").read_text(encoding="utf-8"))
_SERVICES: dict[str, dict[str, Any]] = _COMPOSE["services"]
_each = pytest.mark.parametrize("name", _SERVICES)


def _mounts(name: str) -> list[tuple[str, str, str]]:
    return [(*volume.split(":"), "")[:3] for volume in _SERVICES[name]["volumes"]]


def test_the_four_services_of_the_report_are_there_under_their_names_and_pinned() -> None:
    assert {service["container_name"]: service["image"] for service in _SERVICES.values()} == {
        "prometheus": "prom/prometheus:v3.5.0",
        "alertmanager": "prom/alertmanager:v0.28.1",
        "grafana": "grafana/grafana:12.2.0",
        "node-exporter": "prom/node-exporter:v1.9.1",
    }


@_each
def test_a_service_listens_on_loopback_only(name: str) -> None:
    service = _SERVICES[name]
    assert service["network_mode"] == "host"
    assert "ports" not in service  # without effect on the host's network, and so misleading
    settings = "\n".join([*service.get("command", []), *map("=".join, service.get("environment", {}).items())])
    (address,) = re.findall(r"(?:web\.listen-address|GF_SERVER_HTTP_ADDR)=(\S+)", settings)
    assert address.split(":")[0] == "127.0.0.1"


@_each
def test_a_service_is_watched_and_started_again(name: str) -> None:
    service = _SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["healthcheck"]["test"][-1].startswith("http://127.0.0.1:")


@_each
def test_what_is_mounted_exists_and_is_read_only_unless_it_is_the_services_own_data(name: str) -> None:
    for source, _, mode in _mounts(name):
        if source in _COMPOSE["volumes"]:
            assert mode == ""
        else:
            assert mode.split(",")[0] == "ro"
            assert (_FOLDER / source).exists()


@_each
def test_a_service_reads_its_configuration_where_it_is_mounted(name: str) -> None:
    configured = [option.split("=")[1] for option in _SERVICES[name].get("command", []) if "config.file" in option]
    assert set(configured) <= {target for _, target, _ in _mounts(name)}


def test_configuration_keeps_its_name_in_the_container() -> None:
    files = [(source, target) for name in _SERVICES for source, target, _ in _mounts(name) if Path(source).suffix]
    assert [Path(source).name for source, _ in files] == [Path(target).name for _, target in files]
    rules = yaml.safe_load((_FOLDER / "prometheus_config.yml").read_text(encoding="utf-8"))["rule_files"]
    mounted = {target for _, target, _ in _mounts("prometheus")}
    assert {f"/etc/prometheus/{path}" for path in rules} <= mounted


def test_grafana_has_no_default_password_and_none_in_its_environment() -> None:
    passwords = {key: value for key, value in _SERVICES["grafana"]["environment"].items() if "PASSWORD" in key}
    assert passwords == {"GF_SECURITY_ADMIN_PASSWORD__FILE": "/run/secrets/grafana_admin_password"}
    assert _SERVICES["grafana"]["secrets"] == ["grafana_admin_password"]
    (secret,) = _COMPOSE["secrets"].values()
    assert re.fullmatch(r"\$\{GRAFANA_ADMIN_PASSWORD_FILE:\?.+\}", secret["file"])  # `:?` refuses unset and empty


def test_grafana_finds_its_data_source_and_the_dashboard_and_sends_no_alerts() -> None:
    provisioning = _FOLDER / "grafana" / "provisioning"
    sources = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))
    assert [(source["type"], source["url"]) for source in sources["datasources"]] == [
        ("prometheus", "http://localhost:9090")
    ]
    providers = yaml.safe_load((provisioning / "dashboards" / "genesis.yml").read_text(encoding="utf-8"))
    (folder,) = (provider["options"]["path"] for provider in providers["providers"])
    dashboards = [source for source, target, _ in _mounts("grafana") if Path(target).parent == Path(folder)]
    assert [json.loads((_FOLDER / path).read_text(encoding="utf-8"))["uid"] for path in dashboards] == ["genesis-48h"]
    assert _SERVICES["grafana"]["environment"]["GF_UNIFIED_ALERTING_ENABLED"] == "false"
