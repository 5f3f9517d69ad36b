"""Required files: there, not empty, and parseable; what they hold is not recorded."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from genesis_lib.checks.vitals import required_files
from genesis_lib.model import Finding, Verdict
from genesis_lib.run import Run
from tests.builders import policy
from tests.checks.healthy import replayed, run_of


def judged(run: Run) -> Finding:
    return required_files.judge(required_files.gather(run), policy())


def written(folder: Path, files: dict[str, bytes]) -> list[str]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return list(files)


@pytest.mark.parametrize(
    ("files", "verdict", "words"),
    [
        pytest.param({"a.yml": b"a: 1\n", "b.json": b"{}"}, Verdict.PASS, "2 files are there", id="all in order"),
        pytest.param({"deploy.sh": b"exit 0\n"}, Verdict.PASS, "but for deploy.sh", id="a suffix that tells nothing"),
        pytest.param({"a.yml": b"", "b.json": b"{}"}, Verdict.FAIL, "a.yml: is empty", id="an empty file"),
        pytest.param({"deploy.sh": b" \n"}, Verdict.FAIL, "deploy.sh: is empty", id="blanks only"),
        pytest.param(
            {"a.yml": b"a: 1\na: 2\n"}, Verdict.FAIL, "a.yml: is not YAML that can be parsed: line 2", id="a key twice"
        ),
    ],
)
def test_files(tmp_path: Path, files: dict[str, bytes], verdict: Verdict, words: str) -> None:
    found = judged(run_of(tmp_path, files=written(tmp_path, files)))
    assert (found.verdict, words in found.reason) == (verdict, True), found


@pytest.mark.parametrize(
    ("name", "words"),
    [pytest.param("none.yml", "is not there", id="not there"), pytest.param("outputs", "is no file", id="a folder")],
)
def test_what_is_no_file_fails(tmp_path: Path, name: str, words: str) -> None:
    written(tmp_path, {"a.yml": b"a: 1\n"})
    found = judged(run_of(tmp_path, files=["a.yml", name]))
    assert (found.verdict, found.observed, words in found.reason) == (Verdict.FAIL, "1 of 2 in order", True)


def test_none_named_is_unknown(tmp_path: Path) -> None:
    assert judged(run_of(tmp_path)).verdict is Verdict.UNKNOWN


def test_a_run_about_the_past_cannot_tell(tmp_path: Path) -> None:
    named = written(tmp_path, {"a.yml": b"a: 1\n"})
    found = judged(run_of(tmp_path, as_of=datetime(2025, 10, 20, tzinfo=UTC), files=named))
    assert (found.verdict, found.hint) == (Verdict.UNKNOWN, "open a run about now")


def test_a_file_with_a_credential_is_parsed_as_it_is_and_not_recorded(tmp_path: Path) -> None:
    named = written(tmp_path, {"a.toml": b'password="hunter2"\n', "b.py": b'connect(token="hunter2")\n'})
    run = run_of(tmp_path, files=named)
    found = judged(run)
    assert found.verdict is Verdict.PASS
    assert not any(b"hunter2" in run.evidence.body(e) for e in run.evidence.exchanges())
    for name in named:
        (tmp_path / name).unlink()
    assert judged(replayed(run)) == found
