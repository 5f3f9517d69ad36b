"""The Alertmanager configuration is valid, and each alert reaches the receiver that docs/monitoring.md names."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from genesis_lib.demo import binaries

_FOLDER = Path(__file__).parents[2] / "monitoring"
_CONFIG = _FOLDER / "alertmanager_config.yml"


def _amtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([binaries.find("amtool"), *arguments], capture_output=True, text=True, check=False)


def _rules() -> list[dict[str, dict[str, str]]]:
    document = yaml.safe_load((_FOLDER / "production_alerts.yml").read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def test_amtool_accepts_the_configuration_and_counts_four_receivers() -> None:
    checked = _amtool("check-config", _CONFIG)
    assert checked.returncode == 0, checked.stderr
    assert "4 receivers" in checked.stdout


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        pytest.param(["severity=critical", "priority=P1"], "critical", id="critical alerts reach whoever is on call"),
        pytest.param(["severity=warning", "priority=P2"], "warning", id="warnings do not page"),
        pytest.param(
            ["severity=warning", "priority=P3", "category=performance"], "performance", id="performance has its own"
        ),
        pytest.param(["severity=warning", "genesis_probe=false"], "warning", id="what is no test is routed as ever"),
        pytest.param(["severity=unheard-of"], "default", id="an unknown severity is not lost"),
        pytest.param([], "default", id="an alert without labels is not lost"),
    ],
)
def test_alerts_are_routed_by_severity(labels: list[str], receiver: str) -> None:
    routed = _amtool("config", "routes", "test", f"--config.file={_CONFIG}", *labels)
    assert routed.stdout.split() == [receiver]


@pytest.mark.parametrize(
    "labels", [[], ["severity=critical"], ["severity=warning"], ["severity=warning", "category=performance"]]
)
def test_a_test_alert_reaches_whoever_is_on_call_whatever_else_it_is(labels: list[str]) -> None:
    routed = _amtool("config", "routes", "test", f"--config.file={_CONFIG}", "genesis_probe=true", *labels)
    assert routed.stdout.split() == ["critical"]


def test_the_route_of_test_alerts_takes_no_other_alert() -> None:
    config = yaml.safe_load(_CONFIG.read_text(encoding="utf-8"))
    first, *others = config["route"]["routes"]
    assert first["matchers"] == ['genesis_probe = "true"']
    assert "genesis_probe" not in str([*others, *config["inhibit_rules"]])


def test_every_rule_reaches_a_receiver_of_its_own_severity() -> None:
    reached = {}
    for rule in _rules():
        labels = [f"{name}={value}" for name, value in rule["labels"].items()]
        routed = _amtool("config", "routes", "test", f"--config.file={_CONFIG}", *labels)
        reached[str(rule["alert"])] = routed.stdout.strip()
    assert sorted(reached.values()) == ["critical"] * 4 + ["performance"] * 4 + ["warning"] * 5


def test_an_outage_silences_only_its_consequences_and_never_a_page() -> None:
    config = yaml.safe_load(_CONFIG.read_text(encoding="utf-8"))
    severity = {str(rule["alert"]): rule["labels"]["severity"] for rule in _rules()}
    silenced = {}
    for inhibition in config["inhibit_rules"]:
        (source,), (target,) = inhibition["source_matchers"], inhibition["target_matchers"]
        silenced[re.split(r" = ", source)[1]] = set(re.findall(r"[A-Z]\w+", target))
    assert silenced == {
        "GenesisServiceDown": {
            "ObservabilityMetricsMissing",
            "HTDAGDecompositionSlow",
            "HALORoutingSlow",
            "SystemThroughputDegraded",
        },
        "TestPassRateLow": {"TestPassRateDegrading"},
    }
    assert {severity[name] for names in silenced.values() for name in names} == {"warning"}


def test_the_receivers_are_webhooks_on_this_host_without_credentials() -> None:
    config = yaml.safe_load(_CONFIG.read_text(encoding="utf-8"))
    assert {receiver["name"]: receiver["webhook_configs"] for receiver in config["receivers"]} == {
        name: [{"url": f"http://localhost:5001/{name}", "send_resolved": True}]
        for name in ("default", "critical", "warning", "performance")
    }
