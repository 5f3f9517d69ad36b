"""The Prometheus configuration is valid and scrapes what the monitoring promises to scrape."""

import subprocess
from pathlib import Path

import yaml

from genesis_lib.demo import binaries

_CONFIG = Path(__file__).parents[2] / "monitoring" / "prometheus_config.yml"


def test_promtool_accepts_the_configuration_with_its_rules() -> None:
    command: list[str | Path] = [binaries.find("promtool"), "check", "config", _CONFIG]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "13 rules found" in checked.stdout


def test_six_jobs_are_scraped_every_15_seconds_on_the_reports_ports() -> None:
    config = yaml.safe_load(_CONFIG.read_text(encoding="utf-8"))
    assert config["global"] == {"scrape_interval": "15s", "evaluation_interval": "15s"}
    assert {job.pop("job_name"): job for job in config["scrape_configs"]} == {
        name: {"static_configs": [{"targets": [f"localhost:{port}"]}]}
        for name, port in {
            "prometheus": 9090,
            "alertmanager": 9093,
            "node": 9100,
            "genesis-orchestration": 8000,
            "genesis-python-app": 8001,
            "genesis-tests": 8002,
        }.items()
    }


def test_alerts_go_from_prometheus_to_alertmanager() -> None:
    config = yaml.safe_load(_CONFIG.read_text(encoding="utf-8"))
    assert config["alerting"] == {"alertmanagers": [{"static_configs": [{"targets": ["localhost:9093"]}]}]}
