"""Every check, on real servers: it passes where all is well, fails where something is spoiled, and cannot tell where nobody answers."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from genesis_lib.checks.registry import CHECKS
from genesis_lib.demo import parts
from genesis_lib.demo.stack import Stack
from genesis_lib.model import Verdict
from genesis_lib.params import load_environment
from genesis_lib.runbook import Runbook, begin
from tests.project import ROOT, make_project

# Seen to fail on a real engine, in test_containers.py.
NEEDS_DOCKER = {"containers"}
NOBODY = "127.0.0.1:1"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("project")).folder


def judged(root: Path, name: str, addresses: dict[str, str]) -> Runbook:
    """A run of `params/<name>.yaml`, whose servers are at these addresses."""
    path = root / "params" / f"{name}.yaml"
    text = path.read_text()
    for was, now in addresses.items():
        text = text.replace(was, now)
    path.write_text(text)
    return begin(load_environment(name, root=root), root=root, as_of="", interactive=False, embedded=None)


@pytest.fixture(scope="module")
def sound(root: Path, healthy_stack: Stack) -> Iterator[Runbook]:
    """Demo's own parameters; the stack is the same, only that these do not know of it as embedded."""
    copy(root, "sound", healthy_stack)
    (root / "monitoring").rename(root / "as_deployed")
    shutil.copytree(healthy_stack.folder / "configuration", root / "monitoring")
    shutil.copy(root / "as_deployed" / "grafana_dashboard.json", root / "monitoring")
    book = judged(root, "sound", healthy_stack.moved)
    yield book
    book.run.close()


@pytest.fixture(scope="module")
def spoiled(sound: Runbook, root: Path, healthy_stack: Stack) -> Iterator[Runbook]:
    """The same servers, held against parameters, files and a policy that each want something else."""
    assert sound
    copy(root, "spoiled", healthy_stack)
    path = root / "params" / "spoiled.yaml"
    settings = yaml.safe_load(path.read_text())
    settings["services"]["prometheus"]["version"] = "99"
    settings["targets"]["nobody"] = {"count": 1}
    settings["slos"] = {"latency_p95": {"target": 1e-6, "warning": 1e-6, "critical": 1e-6}}
    settings["policy"] = "strict"
    settings["files"] = {key: _in_spoiled(value) for key, value in settings["files"].items()}
    path.write_text(yaml.safe_dump(settings))
    shutil.copytree(root / "monitoring", root / "spoiled")
    for name, was, now in (
        ("production_alerts.yml", "genesis_tests_flaky > 3", "genesis_test_flaky > 3"),
        ("grafana_dashboard.json", "genesis_tests_flaky", "genesis_test_flaky"),
        ("alertmanager_config.yml", "receiver: warning", "receiver: default"),
    ):
        _edit(root / "spoiled" / name, was, now)
    shutil.copytree(root / "params" / "policy", root / "params" / "strict")
    _edit(root / "params/strict/readiness.yaml", "fail: 4.0e+9", "fail: 4.0e+18")
    _edit(root / "params/strict/alerting.yaml", "receivers: [critical]", "receivers: [warning]")
    _edit(root / "params/strict/telemetry.yaml", "TestIntegration: 3", "TestIntegration: 300")
    _edit(root / "params/strict/health.yaml", "least: 0.95", "least: 0.9999")
    _edit(root / "params" / "spoiled.yaml", "host: observed", "host: judged")
    book = judged(root, "spoiled", healthy_stack.moved)
    yield book
    book.run.close()


@pytest.fixture(scope="module")
def blind(root: Path, sound: Runbook, healthy_stack: Stack) -> Iterator[Runbook]:
    """Nobody answers."""
    assert sound
    copy(root, "blind_now", healthy_stack)
    book = judged(root, "blind_now", {f"localhost:{port}": NOBODY for port in parts.PORTS.values()})
    yield book
    book.run.close()


def copy(root: Path, name: str, stack: Stack) -> None:
    """Demo's parameters under another name, as of servers and files that are elsewhere."""
    text = (ROOT / "params" / "demo.yaml").read_text().replace("stack:", f"{stack.moved['stack:']}/")
    settings = yaml.safe_load(text)
    del settings["embedded"], settings["probes"]
    (root / "params" / f"{name}.yaml").write_text(yaml.safe_dump(settings))


def _in_spoiled(value: str | list[str]) -> str | list[str]:
    if isinstance(value, list):
        return [entry.replace("/monitoring/", "/spoiled/") for entry in value]
    return value.replace("/monitoring/", "/spoiled/")


def _edit(path: Path, was: str, now: str) -> None:
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, now))


@pytest.mark.parametrize("name", CHECKS)
def test_it_passes_where_all_is_well(sound: Runbook, name: str) -> None:
    wrong = [f for f in sound.findings(name) if f.verdict is not Verdict.PASS]
    # How busy this machine is decides nothing, and is no part of what is tested.
    is_remark = {f.id for f in wrong if f.verdict is Verdict.WARN and "this machine is only observed" in f.reason}
    assert not [f for f in wrong if not f.check.startswith("resources.") and f.id not in is_remark], wrong
    assert all(f.evidence for f in sound.findings(name))


@pytest.mark.parametrize("name", [name for name in CHECKS if name not in NEEDS_DOCKER])
def test_it_fails_where_something_is_spoiled(spoiled: Runbook, name: str) -> None:
    failed = [f for f in spoiled.findings(name) if f.verdict is Verdict.FAIL]
    assert failed
    assert all(f.reason and f.hint for f in failed), failed


@pytest.mark.parametrize("name", CHECKS)
def test_it_cannot_tell_where_nobody_answers_and_loses_no_finding(blind: Runbook, sound: Runbook, name: str) -> None:
    found = {f.id: f.verdict for f in blind.findings(name)}
    assert Verdict.UNKNOWN in found.values()
    assert Verdict.FAIL not in found.values()
    # How many machines and which metrics there would be is known only of a server that answers.
    general = ("resources.", "queries.metric")
    lost = {f.id for f in sound.findings(name) if not f.check.startswith(general)} - found.keys()
    assert not lost
