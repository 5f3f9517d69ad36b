"""`genesis check` and `genesis waive` as an engineer uses them at night: the findings at once, and an exception written down."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.project import Project, make_project


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project with the stack of demo up."""
    made = make_project(tmp_path_factory.mktemp("project"))
    up = made.genesis("stack", "up", "demo")
    assert up.returncode == 0, up.stderr
    yield made
    made.genesis("stack", "down", "demo")


def checked(project: Project, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    done = project.genesis("check", *arguments, "--json")
    assert done.returncode == exit_code, done.stderr + done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["exit_code"] == exit_code
    return found


def test_demo_is_checked_without_notebooks(project: Project) -> None:
    found = checked(project)
    wrong = [f for f in found["findings"] if f["verdict"] != "PASS" and not f["check"].startswith("resources.")]
    assert not wrong
    run = project.folder / "outputs" / "demo" / found["run_id"]
    assert json.loads((run / "findings.json").read_text()) == found
    assert not list(run.glob("*.ipynb"))
    assert not (run.parent / "latest").exists()
    assert {f["check"] for f in found["findings"]}.isdisjoint({"alerting.synthetic"})


def test_one_check_asks_for_nothing_else(project: Project) -> None:
    found = checked(project, "demo", "--only", "targets")
    assert {f["check"].partition(".")[0] for f in found["findings"]} == {"targets"}


def test_the_synthetic_alert_is_posted_only_when_asked_for_and_arrives(project: Project) -> None:
    found = checked(project, "demo", "--only", "alerting", "--probe")
    (probe,) = [f for f in found["findings"] if f["check"] == "alerting.synthetic"]
    assert probe["verdict"] == "PASS", probe
    assert probe["subject"] == "critical"


def test_the_terminal_shows_counts_and_where_the_evidence_is(project: Project) -> None:
    done = project.genesis("check", "demo", "--only", "targets")
    assert "targets" in done.stdout
    assert "GO by these findings; evidence in outputs/demo/" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("demo", "--only", "target"), "no such check; known are services"),
        (("blind", "--probe"), "names no probes.synthetic_alert"),
        (("nowhere",), "no such environment"),
    ],
)
def test_what_cannot_be_asked_exits_3(project: Project, arguments: tuple[str, ...], words: str) -> None:
    done = project.genesis("check", *arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert words in done.stderr


def test_a_waiver_excuses_the_root_and_what_follows_and_stays_visible(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    before = checked(project, "blind", exit_code=1)
    roots = [f["id"] for f in before["findings"] if not f["because_of"] and f["blocking"] != "none"]
    assert "services.ready[prometheus]" in roots
    until = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
    for root in roots:
        excuse = ("--reason", "the move to the new host, ticket 12", "--owner", "anna", "--until", until)
        done = project.genesis("waive", f"outputs/blind/{before['run_id']}", root, *excuse)
        assert done.returncode == 0, done.stderr
    after = checked(project, "blind")
    assert {f["id"] for f in after["findings"]} == {f["id"] for f in before["findings"]}
    waived = [f for f in after["findings"] if f["verdict"] != "PASS" and f["blocking"] != "none"]
    assert waived
    assert all("ticket 12" in f["waiver"] for f in waived)


def test_a_waiver_that_has_expired_is_a_remark_on_its_check(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    (project.folder / "params/policy/waivers.yaml").write_text(
        "waivers:\n- {check: targets.up, subject: node, reason: r, owner: o, expires: 2020-01-01}\n"
    )
    found = checked(project, "blind", "--only", "targets", exit_code=1)
    (remark,) = [f for f in found["findings"] if f["check"] == "waivers.current"]
    assert "expired on 2020-01-01" in remark["reason"]
    shown = project.genesis("check", "blind", "--only", "targets").stdout
    assert "waivers.current[targets.up[node]]" in shown
    assert "more follow from this" in shown


def test_a_waiver_for_no_finding_is_refused(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    before = checked(project, "blind", exit_code=1)
    excuse = ("--reason", "r", "--owner", "o", "--until", "2099-01-01")
    done = project.genesis("waive", f"outputs/blind/{before['run_id']}", "services.redy[prometheus]", *excuse)
    assert done.returncode == 3
    assert "did you mean 'services.ready[prometheus]'" in done.stderr
