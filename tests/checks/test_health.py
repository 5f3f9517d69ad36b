"""The five health checks on the real stack: good where all is well, and each of them seen to fail or not to know."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from genesis_lib import run as runs
from genesis_lib.checks import health
from genesis_lib.checks.vitals import suite_counts
from genesis_lib.demo.stack import Stack
from genesis_lib.model import Finding, Missing, Verdict
from genesis_lib.params import load_environment
from genesis_lib.run import Run
from tests.builders import AT, ROOT, policy
from tests.checks.healthy import replayed, run_of


def of_demo(stack: Stack, folder: Path, **changed: Any) -> Run:
    """A run of demo's own parameters on this stack, of which some health sources are others."""
    document = yaml.safe_load((ROOT / "params" / "demo.yaml").read_text().replace("../", f"{ROOT}/"))
    document["policy"] = str(ROOT / "params" / "policy")
    document["health"] |= changed
    (folder / "demo.yaml").write_text(yaml.safe_dump(document))
    loaded = load_environment(str(folder / "demo.yaml"), root=ROOT)
    return runs.create(loaded, policy(), root=folder, as_of=None, interactive=False, addresses=stack.moved)


def judged(run: Run) -> dict[str, Finding]:
    found = health.judge(health.gather(run), policy(), at=run.as_of)
    run.close()
    return {f.check: f for f in found}


def test_demo_is_healthy_and_a_replay_says_the_same(healthy_stack: Stack, tmp_path: Path) -> None:
    run = of_demo(healthy_stack, tmp_path)
    found = judged(run)
    assert tuple(found) == health.CLAIMS
    assert {f.verdict for f in found.values()} == {Verdict.PASS}, found
    assert all(f.evidence for f in found.values())
    assert judged(replayed(run)) == found


def test_prometheus_counts_the_suite_that_the_file_tells_of(healthy_stack: Stack, tmp_path: Path) -> None:
    run = of_demo(healthy_stack, tmp_path)
    told = suite_counts.count(suite_counts.gather(run))
    run.close()
    assert not isinstance(told, Missing)
    text = (healthy_stack.folder / "artefacts" / "tests.xml").read_text()
    assert (told.tests, told.is_step) == (text.count("<testcase"), True)
    assert told.tests - told.passed == text.count("<failure") + text.count("<skipped")


def test_each_fails_where_its_source_is_spoiled(healthy_stack: Stack, tmp_path: Path) -> None:
    artefacts = tmp_path / "artefacts"
    shutil.copytree(healthy_stack.folder / "artefacts", artefacts)
    tests, coverage, flags = (artefacts / name for name in ("tests.xml", "coverage.json", "flags.json"))
    # One test that failed is made one that passed, as an edited file would.
    tests.write_text(re.sub(r"<failure[^>]*/>", "", tests.read_text(), count=1))
    document = json.loads(coverage.read_text())
    document["totals"]["covered_lines"] += 400
    coverage.write_text(json.dumps(document))
    flags.write_text(flags.read_text().replace('"off"\n', '"on"\n'))
    lock = artefacts / "requirements.lock"
    lock.write_text("httpx==0.1\n")
    python = {"interpreter": "own", "job": "genesis-orchestration", "lock": str(lock), "packages": ["httpx"]}
    named = {
        "tests": str(tests),
        "coverage": str(coverage),
        "flags": str(flags),
        "files": [str(artefacts / "none.yml")],
    }
    found = judged(of_demo(healthy_stack, tmp_path, **named, python=python))
    assert {claim: f.verdict for claim, f in found.items()} == {
        "health.tests": Verdict.FAIL,
        "health.coverage": Verdict.UNKNOWN,  # an edited report tells nothing
        "health.flags": Verdict.FAIL,
        "health.files": Verdict.FAIL,
        "health.python": Verdict.FAIL,
    }, found
    assert "and Prometheus that" in found["health.tests"].reason
    assert all(f.hint for f in found.values())


def test_a_service_that_is_down_leaves_tests_and_python_unknown_and_is_named(day0_stack: Stack, tmp_path: Path) -> None:
    found = judged(of_demo(day0_stack, tmp_path))
    assert found["health.tests"].verdict is Verdict.UNKNOWN
    assert found["health.tests"].because_of == "targets.up[genesis-tests]"
    assert found["health.python"].verdict is Verdict.UNKNOWN
    assert found["health.python"].because_of == "targets.up[genesis-orchestration]"


def test_what_is_not_named_is_unknown_and_what_is_declared_away_is_no_finding(tmp_path: Path) -> None:
    not_named = health.judge(health.gather(run_of(tmp_path)), policy(), at=AT)
    assert tuple(f.check for f in not_named) == health.CLAIMS
    assert {f.verdict for f in not_named} == {Verdict.UNKNOWN}
    assert all(f"health.{f.check.partition('.')[2]}" in f.hint for f in not_named)
    away = run_of(tmp_path, tests="none", coverage="none", flags="none", python="none", files=["own.yaml"])
    assert [f.id for f in health.judge(health.gather(away), policy(), at=AT)] == ["health.files[required files]"]


@pytest.mark.parametrize("name", ["tests.xml", "coverage.json", "flags.json"])
def test_a_file_that_is_gone_is_not_a_failure_of_what_it_would_tell(tmp_path: Path, name: str) -> None:
    key = name.partition(".")[0]
    found = {f.check: f for f in health.judge(health.gather(run_of(tmp_path, health={key: name})), policy(), at=AT)}
    assert (found[f"health.{key}"].verdict, name in found[f"health.{key}"].reason) == (Verdict.UNKNOWN, True)
