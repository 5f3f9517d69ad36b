"""A waiver is written where policy keeps them, for a finding that there is, and nothing else in the file changes."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from genesis_lib.actions.waive import waive
from genesis_lib.errors import GenesisError, ParameterError, RunError
from genesis_lib.policy import load_policy
from tests.project import make_project

TODAY = date(2026, 11, 24)
LATER = TODAY + timedelta(days=30)
FINDING = "dashboards.panel[Genesis / Pass rate: “all”]"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project").folder


@pytest.fixture
def run(root: Path) -> Path:
    """A run with one finding that fails and one that passes."""
    folder = root / "outputs" / "demo" / "20261124T060000Z"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"environment": "demo", "parameters": "params/demo.yaml"}))
    found = [
        {"id": FINDING, "check": "dashboards.panel", "subject": "Genesis / Pass rate: “all”", "verdict": "FAIL"},
        {"id": "targets.up[node]", "check": "targets.up", "subject": "node", "verdict": "PASS"},
    ]
    (folder / "report.json").write_text(json.dumps({"findings": found}))
    return folder


def excused(root: Path, run: Path, finding: str = FINDING, until: date = LATER, reason: str = "being moved") -> Path:
    return waive(run, finding, reason=reason, owner="anna", until=until, root=root, today=TODAY)


def test_the_waiver_is_policy_from_the_next_run_on(root: Path, run: Path) -> None:
    excused(root, run, reason='new panel: "v2", see #12')
    (waiver,) = load_policy(root / "params" / "policy", root=root).waivers
    assert (waiver.check, waiver.subject) == ("dashboards.panel", "Genesis / Pass rate: “all”")
    assert (waiver.reason, waiver.owner, waiver.expires) == ('new panel: "v2", see #12', "anna", LATER)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# why\nwaivers: []\n", id="an empty list"),
        pytest.param("# why\nwaivers: []", id="no newline at the end"),
        pytest.param(
            "# why\nwaivers:\n- {check: a.b, subject: c, reason: d, owner: e, expires: 2027-01-01}  # keep\n",
            id="entries at the margin",
        ),
        pytest.param(
            "# why\nwaivers:\n    - check: a.b\n      subject: c\n      reason: d\n      owner: e\n      expires: 2027-01-01\n",
            id="entries indented",
        ),
        pytest.param("# why\nwaivers:\n  []\n# the end\n", id="a comment behind"),
    ],
)
def test_comments_and_other_waivers_stay(root: Path, run: Path, text: str) -> None:
    path = root / "params" / "policy" / "waivers.yaml"
    path.write_text(text)
    before = load_policy(path.parent, root=root).waivers
    assert excused(root, run) == path
    after = load_policy(path.parent, root=root).waivers
    assert (after[:-1], after[-1].check) == (before, "dashboards.panel")
    comments = [line[line.index("#") :] for line in text.splitlines() if "#" in line]
    assert all(comment in path.read_text() for comment in comments)


@pytest.mark.parametrize(
    ("finding", "until", "words"),
    [
        pytest.param("targets.up[nod]", LATER, "did you mean 'targets.up", id="no such finding"),
        pytest.param("targets.up[node]", LATER, "nothing to waive", id="a finding that passes"),
        pytest.param(FINDING, TODAY - timedelta(days=1), "lies in the past", id="a day that is past"),
    ],
)
def test_what_cannot_be_waived_is_refused(root: Path, run: Path, finding: str, until: date, words: str) -> None:
    path = root / "params" / "policy" / "waivers.yaml"
    before = path.read_bytes()
    with pytest.raises(GenesisError, match=words):
        excused(root, run, finding, until)
    assert path.read_bytes() == before


def test_a_finding_is_waived_once(root: Path, run: Path) -> None:
    excused(root, run)
    with pytest.raises(ParameterError, match="is waived already"):
        excused(root, run)


def test_a_folder_without_findings_is_refused(root: Path, run: Path) -> None:
    (run / "report.json").unlink()
    with pytest.raises(RunError, match="no findings"):
        excused(root, run)
