"""What runs is the project's own configuration, addresses apart."""

import re
from pathlib import Path

import pytest

from genesis_lib.demo import configuration, parts, scenario
from genesis_lib.errors import StackError
from tests.conftest import PROJECT

MONITORING = PROJECT / "monitoring"
ADDRESSES = {part: f"127.0.0.1:{40_000 + n}" for n, part in enumerate(parts.PORTS)}


def prepare(folder: Path, name: str = "healthy", monitoring: Path = MONITORING) -> configuration.Configuration:
    return configuration.prepare(folder, monitoring=monitoring, scenario_name=name, addresses=ADDRESSES)


@pytest.mark.parametrize("name", ["prometheus_config.yml", "alertmanager_config.yml"])
def test_nothing_but_the_addresses_differs(name: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    ours = {str(port): ADDRESSES[part] for part, port in parts.PORTS.items()}
    running, own = (tmp_path / name).read_text().splitlines(), (MONITORING / name).read_text().splitlines()
    for is_line, was_line in zip(running, own, strict=True):
        assert is_line == re.sub(r"localhost:(\d+)", lambda m: ours.get(m[1], m[0]), was_line)


def test_every_target_is_one_of_the_stack(tmp_path: Path) -> None:
    text = prepare(tmp_path).prometheus.read_text()
    assert "localhost:" not in re.sub("#.*", "", text)
    assert set(re.findall(r"127\.0\.0\.1:\d+", text)) == {ADDRESSES[job] for job in parts.JOBS}


def test_every_alert_goes_to_the_receiver_of_the_stack(tmp_path: Path) -> None:
    text = prepare(tmp_path).alertmanager.read_text()
    assert set(re.findall(r"https?://([^/\s]+)", text)) == {ADDRESSES["receiver"]}


def test_rule_files_lie_where_prometheus_looks_for_them(tmp_path: Path) -> None:
    (rules,) = prepare(tmp_path).rules
    assert rules == tmp_path / "production_alerts.yml"
    assert rules.read_text() == (MONITORING / "production_alerts.yml").read_text()


@pytest.mark.parametrize("name", ["day0", "day1"])
def test_a_file_of_the_scenario_or_of_its_base_stands_in_for_the_projects(name: str, tmp_path: Path) -> None:
    own = scenario.overriding("day0", "production_alerts.yml")
    assert own is not None
    (rules,) = prepare(tmp_path, name).rules
    assert rules.read_text() == own.read_text()
    assert rules.read_text() != (MONITORING / "production_alerts.yml").read_text()


def test_a_project_without_configuration_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"prometheus_config\.yml is missing"):
        prepare(tmp_path / "stack", monitoring=tmp_path)
