"""A run is a folder: begun once, joined only with the same parameters, sealed when complete, replayed without a server."""

import shutil
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from genesis_lib import run as runs
from genesis_lib import snapshot
from genesis_lib.errors import RunError
from genesis_lib.model import Cause, Missing
from genesis_lib.params import Environment, load_environment
from genesis_lib.policy import load_policy
from genesis_lib.run import Run

ROOT = Path(__file__).parent.parent


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose environment `blind` names servers that are not there."""
    shutil.copytree(ROOT / "params" / "policy", tmp_path / "params" / "policy")
    port = closed_port()
    (tmp_path / "params" / "blind.yaml").write_text(
        f"""title: Nothing there
owner: nobody
prometheus: {{url: http://127.0.0.1:{port}, retries: 0, bearer: env:A_TOKEN}}
alertmanager: none
grafana: none
docker: none
services:
  prometheus: {{source: prometheus}}
targets:
  node: {{count: 1}}
"""
    )
    return tmp_path


@pytest.fixture(autouse=True)
def a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_TOKEN", "s3cr3t-t0ken")


def environment(root: Path) -> Environment:
    return load_environment("blind", root=root)


def new_run(root: Path, *, as_of: datetime | None = None) -> Run:
    loaded = environment(root)
    policy = load_policy(root / "params/policy", root=root)
    return runs.create(loaded, policy, root=root, as_of=as_of, interactive=False)


def test_a_new_run_copies_parameters_and_policy_and_says_that_it_is_not_complete(root: Path) -> None:
    run = new_run(root)
    assert (run.folder / "params/blind.yaml").read_bytes() == (root / "params/blind.yaml").read_bytes()
    assert (run.folder / "params/policy/readiness.yaml").is_file()
    record = runs.read_record(run.folder)
    assert (record["environment"], record["complete"], record["run_id"]) == ("blind", False, run.folder.name)


def test_two_runs_in_one_second_have_two_folders(root: Path) -> None:
    assert len({new_run(root).folder for _ in range(3)}) == 3


def test_the_future_cannot_be_judged(root: Path) -> None:
    with pytest.raises(RunError, match="lies in the future"):
        new_run(root, as_of=datetime.now(UTC) + timedelta(hours=1))


def test_what_only_tells_about_now_is_not_asked_about_the_past(root: Path) -> None:
    run = new_run(root, as_of=datetime.now(UTC) - timedelta(days=1))
    snapshot.take(run)
    answer = run.ask_now(lambda: run.prometheus.targets())
    assert isinstance(answer, Missing)
    assert answer.cause is Cause.NO_HISTORY
    assert not run.evidence.exchanges()


def test_a_source_that_is_down_is_recorded_as_down_and_replays_as_down(root: Path) -> None:
    run = new_run(root)
    snapshot.take(run)
    live = run.ask_now(lambda: run.prometheus.ready())
    again = runs.open_folder(run.folder, root=root, replay=True)
    replayed = again.ask_now(lambda: again.prometheus.ready())
    assert isinstance(live, Missing)
    assert (live.cause, live) == (Cause.UNREACHABLE, replayed)
    assert runs.read_record(run.folder)["skew_s"] >= 0


def test_what_was_not_recorded_is_missing_in_replay(root: Path) -> None:
    run = runs.open_folder(new_run(root).folder, root=root, replay=True)
    answer = run.ask(lambda: run.prometheus.query("up", at=run.as_of))
    assert isinstance(answer, Missing)
    assert answer.cause is Cause.NOT_RECORDED
    assert "open a new run" in answer.detail


def test_an_unfinished_run_is_joined_only_with_its_own_parameters(root: Path) -> None:
    run = new_run(root)
    assert runs.open_folder(run.folder, root=root, expect=environment(root)).run_id == run.run_id
    path = root / "params/blind.yaml"
    path.write_text(path.read_text().replace("owner: nobody", "owner: somebody"))
    with pytest.raises(RunError, match="begun with other parameters"):
        runs.open_folder(run.folder, root=root, expect=environment(root))


def test_a_complete_run_is_sealed(root: Path) -> None:
    run = new_run(root)
    runs.write_record(run.folder, runs.read_record(run.folder) | {"complete": True})
    assert runs.open_folder(run.folder, root=root).evidence.replay


def test_a_complete_run_replays_without_its_credentials_and_its_files(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = new_run(root)
    runs.write_record(run.folder, runs.read_record(run.folder) | {"complete": True})
    monkeypatch.delenv("A_TOKEN")
    (root / "params/blind.yaml").unlink()
    sealed = runs.open_folder(run.folder, root=root)
    answer = sealed.ask(lambda: sealed.prometheus.ready())
    assert isinstance(answer, Missing)
    assert answer.cause is Cause.NOT_RECORDED


def test_a_folder_that_is_no_run_is_refused(root: Path) -> None:
    with pytest.raises(RunError, match=r"is no run folder \(it has no run.json\)"):
        runs.open_folder(root, root=root)


def test_no_credential_is_ever_stored(root: Path) -> None:
    run = new_run(root)
    snapshot.take(run)
    for path in run.folder.rglob("*"):
        if path.is_file():
            assert b"s3cr3t" not in path.read_bytes(), path
