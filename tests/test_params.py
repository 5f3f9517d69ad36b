"""Parameter files are refused with file, line, key and mend, before anything is written."""

import shutil
from pathlib import Path

import pytest

from genesis_lib.endpoint import resolve
from genesis_lib.errors import ParameterError
from genesis_lib.params import Environment, load_environment
from genesis_lib.policy import load_policy

ROOT = Path(__file__).parent.parent


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what parameters stand on, to break one thing in."""
    for name in ("params", "monitoring"):
        shutil.copytree(ROOT / name, tmp_path / name)
    scenarios = Path("genesis_lib/demo/scenarios")
    shutil.copytree(ROOT / scenarios, tmp_path / scenarios)
    return tmp_path


def edit(project: Path, old: str, new: str, file: str = "params/demo.yaml") -> None:
    path = project / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("name", ["demo", "day0", "staging", "production"])
def test_every_environment_that_is_shipped_loads(name: str) -> None:
    environment = load_environment(name, root=ROOT)
    assert environment.name == name
    assert load_policy(environment.file(environment.policy), root=ROOT).readiness.sections


def test_demo_has_neither_grafana_nor_docker_and_production_has_both() -> None:
    assert set(load_environment("demo", root=ROOT).sources()) == {"prometheus", "alertmanager"}
    assert set(load_environment("production", root=ROOT).sources()) == {
        "prometheus",
        "alertmanager",
        "grafana",
        "docker",
    }


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        pytest.param(
            "prometheus: {url: http://localhost:9090}",
            "prometheus: {ulr: http://localhost:9090}",
            ["params/demo.yaml, line ", "prometheus.ulr is unknown; did you mean prometheus.url?"],
            id="a misspelled key is named with the nearest known one",
        ),
        pytest.param("chunk: 1", "chunk: one", ["chunk must be a whole number"], id="a wrong type says what is wanted"),
        pytest.param("owner: genesis-team", "owner: 7", ["owner must be text"], id="a number is not taken for text"),
        pytest.param("owner: genesis-team", "", ["owner is missing; add it"], id="a missing key is named"),
        pytest.param(
            "docker: none",
            "docker: none\ndocker: none",
            ["docker stands here twice"],
            id="a key that stands twice is refused",
        ),
        pytest.param(
            "../monitoring/production_alerts.yml",
            "../monitoring/alerts.yml",
            ["files.rules.0", "names a file that is not there: ../monitoring/alerts.yml"],
            id="a file that is not there is named with its key",
        ),
        pytest.param(
            "alertmanager: {source: alertmanager}",
            "grafana: {source: grafana}",
            ["services.grafana.source", "declared `none`"],
            id="a service cannot be a source that the environment does not have",
        ),
        pytest.param(
            "{url: http://localhost:9090}",
            "{url: http://localhost:9090, bearer: hunter2}",
            ["prometheus.bearer must be a reference"],
            id="a credential must be a reference",
        ),
        pytest.param(
            "{url: http://localhost:9090}",
            "{url: http://me:hunter2@localhost:9090}",
            ["prometheus.url must hold no user"],
            id="a credential cannot hide in a URL",
        ),
        pytest.param("title:", "title: [", ["is not YAML"], id="broken YAML is said to be broken"),
        pytest.param(
            "scenario: healthy", "scenarios: healthy", ["embedded.scenarios is unknown"], id="nested keys are checked"
        ),
        pytest.param(
            "genesis-python-app:\n    count: 1",
            "genesis-python-app:\n    count: 0",
            ["targets.genesis-python-app.count"],
            id="an expectation of nothing is refused",
        ),
    ],
)
def test_a_wrong_parameter_file_is_refused(project: Path, old: str, new: str, words: list[str]) -> None:
    edit(project, old, new)
    with pytest.raises(ParameterError) as refusal:
        load_environment("demo", root=project)
    for word in words:
        assert word in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


def test_the_line_named_is_the_line_in_the_file(project: Path) -> None:
    edit(project, "owner: genesis-team", "ownr: genesis-team")
    lines = (project / "params/demo.yaml").read_text().splitlines()
    line = 1 + next(i for i, text in enumerate(lines) if text.startswith("ownr"))
    with pytest.raises(ParameterError, match=f"line {line}: ownr is unknown; did you mean owner"):
        load_environment("demo", root=project)


def test_an_unknown_environment_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(
        ParameterError, match="nowhere: no such environment; known are day0, day1, demo, production, staging"
    ):
        load_environment("nowhere", root=ROOT)


def test_a_new_environment_is_one_yaml_file_anywhere(tmp_path: Path) -> None:
    elsewhere = tmp_path / "my-own.yaml"
    text = (ROOT / "params/demo.yaml").read_text()
    elsewhere.write_text(text.replace("../monitoring", str(ROOT / "monitoring")))
    environment = load_environment(str(elsewhere), root=ROOT)
    assert environment.name == "my-own"
    assert load_policy(environment.file(environment.policy), root=ROOT) == load_policy(
        ROOT / "params/policy", root=ROOT
    )


def test_an_unknown_key_in_policy_is_refused(project: Path) -> None:
    edit(project, "bar: 9.0", "baar: 9.0", "params/policy/readiness.yaml")
    with pytest.raises(ParameterError, match=r"readiness.yaml, line \d+: baar is unknown; did you mean bar\?"):
        load_policy(project / "params/policy", root=project)


def test_addresses_move_wherever_they_are_named() -> None:
    moved = load_environment("demo", root=ROOT).at_addresses(
        {"localhost:9090": "127.0.0.1:4090", "localhost:9100": "127.0.0.1:4100"}
    )
    assert moved.prometheus is not None
    assert moved.prometheus.url == "http://127.0.0.1:4090"
    assert moved.services["node-exporter"].url == "http://127.0.0.1:4100/metrics"
    assert isinstance(moved, Environment)


def test_an_overridden_objective_moves_as_it_was_written(project: Path) -> None:
    counters = "{kind: events, bad: genesis_errors_total, total: genesis_operations_total}"
    path = project / "params/demo.yaml"
    path.write_text(f"{path.read_text()}\nslos: {{error_rate: {{indicator: {counters}, target: 0.002}}}}\n")
    written = load_environment("demo", root=project)
    assert written.at_addresses({"localhost:9090": "127.0.0.1:4090"}).slos == written.slos


def test_a_credential_is_resolved_from_variable_or_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text("from-file\n")
    monkeypatch.setenv("A_TOKEN", "from-variable")
    assert resolve("env:A_TOKEN") == "from-variable"
    assert resolve(f"file:{tmp_path}/token") == "from-file"
    with pytest.raises(ParameterError, match="env:NOT_SET: the environment variable NOT_SET is not set"):
        resolve("env:NOT_SET")
