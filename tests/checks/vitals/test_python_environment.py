"""The Python environment: the service's own interpreter, proven to be, with what is locked; of any other nothing is claimed."""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from genesis_lib.artefacts import Interpreter
from genesis_lib.checks.vitals import python_environment
from genesis_lib.checks.vitals.python_environment import PythonFacts
from genesis_lib.model import Cause, Finding, Missing, Verdict
from tests.builders import UNREACHABLE, answer, policy, vector
from tests.checks.healthy import replayed, run_of

DECLARED = Interpreter(
    interpreter="/srv/venv/bin/python", job="app", lock="requirements.lock", packages=("httpx", "numpy")
)
LOCK = b"httpx==0.28.1 --hash=sha256:aa\nnumpy==2.4.0\n"
DOWN = "targets.up[app]"


def told(executable: str = "/srv/venv/bin/python", python: str = "3.12.3", **packages: str | None) -> Any:
    have = {"httpx": "0.28.1", "numpy": "2.4.0", **packages}
    document = {"executable": executable, "markers": {"python_full_version": python}, "packages": have}
    return answer((0, f"\n{json.dumps(document)}\n"))


def runs_by(*paths: str, python: str = "3.12.3") -> Any:
    labels = [{"process_executable_path": path, "process_runtime_version": python} for path in paths]
    return vector(*(({"job": "app", "instance": str(i), **one}, 1.0) for i, one in enumerate(labels)))


OURS = "/srv/venv/bin/python3"


def judged(answered: Any = None, service: Any = None, *, lock: Any = LOCK, down: bool = False) -> Finding:
    facts = PythonFacts(
        declared=DECLARED,
        told=answered or told(),
        lock=lock if isinstance(lock, Missing) else answer(lock),
        service=service or runs_by(OURS),
    )
    return python_environment.judge(facts, policy(), down={"app": DOWN} if down else {})


def test_the_services_own_interpreter_with_what_is_locked_passes() -> None:
    found = judged()
    assert (found.verdict, found.observed) == (Verdict.PASS, "Python 3.12.3, httpx 0.28.1, numpy 2.4.0")


@pytest.mark.parametrize(
    ("answered", "service", "lock", "verdict", "words"),
    [
        pytest.param(
            told(numpy="2.3.0"),
            None,
            LOCK,
            Verdict.FAIL,
            "numpy is 2.3.0, and requirements.lock wants ==2.4.0",
            id="other version",
        ),
        pytest.param(told(numpy=None), None, LOCK, Verdict.FAIL, "numpy is not installed", id="not installed"),
        pytest.param(
            told(numpy="2.4.0+cpu"), None, LOCK, Verdict.PASS, "locked version", id="a build of the locked version"
        ),
        pytest.param(
            told(httpx="0.28.1.0"), None, LOCK, Verdict.PASS, "locked version", id="the same version, written longer"
        ),
        pytest.param(None, None, b"httpx==0.28.1\n", Verdict.UNKNOWN, "pins no version of numpy", id="not locked"),
        pytest.param(None, None, UNREACHABLE, Verdict.UNKNOWN, UNREACHABLE.detail, id="no lock file"),
        pytest.param(
            None,
            runs_by("/usr/bin/python3"),
            LOCK,
            Verdict.UNKNOWN,
            "another interpreter than the service's",
            id="another interpreter",
        ),
        pytest.param(
            told("/usr/bin/python3", numpy=None),
            None,
            LOCK,
            Verdict.UNKNOWN,
            "numpy is not installed",
            id="the report's false positive: what another lacks is no failure of the service's",
        ),
        pytest.param(
            None,
            runs_by(OURS, "/opt/bin/python"),
            LOCK,
            Verdict.UNKNOWN,
            "which is /opt/bin/python",
            id="one replica differs",
        ),
        pytest.param(
            told("/srv/app/../venv/bin/python"),
            None,
            LOCK,
            Verdict.PASS,
            "runs by it",
            id="the same folder by another way",
        ),
        pytest.param(
            told(python="3.12.4"), None, LOCK, Verdict.FAIL, "still runs Python 3.12.3", id="replaced under the service"
        ),
        pytest.param(None, vector(), LOCK, Verdict.UNKNOWN, "no target_info", id="the service tells nothing"),
        pytest.param(
            None,
            vector(({"job": "app"}, 1.0)),
            LOCK,
            Verdict.UNKNOWN,
            "process_executable_path",
            id="it tells something else",
        ),
        pytest.param(None, UNREACHABLE, LOCK, Verdict.UNKNOWN, UNREACHABLE.detail, id="no Prometheus"),
        pytest.param(
            answer((1, "Killed")), None, LOCK, Verdict.UNKNOWN, "exit code 1): Killed", id="the interpreter fails"
        ),
        pytest.param(
            Missing(cause=Cause.TIMEOUT, detail="no end after 60 s"),
            None,
            LOCK,
            Verdict.UNKNOWN,
            "no end",
            id="it hangs",
        ),
    ],
)
def test_interpreters(answered: Any, service: Any, lock: Any, verdict: Verdict, words: str) -> None:
    found = judged(answered, service, lock=lock)
    assert (found.verdict, words in found.reason) == (verdict, True), found
    assert bool(found.hint) is (verdict is not Verdict.PASS)


def test_what_a_service_that_is_down_does_not_tell_follows_from_that() -> None:
    assert judged(service=vector(), down=True).because_of == DOWN


def declared(interpreter: str) -> dict[str, Any]:
    return {"interpreter": interpreter, "job": "app", "lock": "lock", "packages": ["tiktoken", "pytest"]}


def test_our_own_interpreter_is_asked_and_replayed(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(f"tiktoken==0.7.0\npytest=={version('pytest')}\n")
    run = run_of(tmp_path, python=declared("own"))
    facts = python_environment.gather(run)
    assert isinstance(facts, PythonFacts)
    found = python_environment.judge(facts, policy(), down={})
    assert f"pytest {version('pytest')}" in found.observed
    assert "tiktoken is not installed, and lock wants ==0.7.0" in found.reason  # and its pin is no credential
    assert python_environment.gather(replayed(run)) == facts


def test_an_interpreter_is_asked_in_the_place_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("pytest==1\n")
    (tmp_path / "python").symlink_to(Path(sys.executable).resolve())
    facts = python_environment.gather(run_of(tmp_path, python=declared("python")))
    assert isinstance(facts, PythonFacts)
    assert not isinstance(facts.told, Missing)
    assert json.loads(facts.told.value[1].strip().splitlines()[-1])["executable"] == str(tmp_path / "python")


@pytest.mark.parametrize(
    ("interpreter", "words"),
    [
        pytest.param("nowhere/python", "No such file", id="no such interpreter"),
        pytest.param("lock", "Permission denied", id="not a program"),
    ],
)
def test_an_interpreter_that_cannot_be_run_is_unknown(tmp_path: Path, interpreter: str, words: str) -> None:
    (tmp_path / "lock").write_text("pytest==1\n")
    facts = python_environment.gather(run_of(tmp_path, python=declared(interpreter)))
    assert isinstance(facts, PythonFacts)
    found = python_environment.judge(facts, policy(), down={})
    assert (found.verdict, words in found.reason) == (Verdict.UNKNOWN, True), found


def test_one_that_is_not_named_is_unknown_and_one_declared_away_is_no_finding(tmp_path: Path) -> None:
    facts = python_environment.gather(run_of(tmp_path))
    assert facts is not None
    assert python_environment.judge(facts, policy(), down={}).verdict is Verdict.UNKNOWN
    assert python_environment.gather(run_of(tmp_path, python="none")) is None
