"""Artefacts are of the commit that is judged, or tell nothing of it."""

from pathlib import Path

import pytest

from genesis_lib.checks.vitals import commits
from tests.checks.healthy import run_of

ONE, OTHER = "5d1f0c7e9a3b4c2d8e6f7a1b0c9d8e7f6a5b4c3d", "7c4f0e9b2d6a58e13f9072ab4c1d85e6f03b7a29"


@pytest.mark.parametrize(
    ("judged", "file", "own", "words"),
    [
        pytest.param("", OTHER, OTHER, None, id="nobody asks"),
        pytest.param(ONE, f"{ONE}\n", "", None, id="the file names it"),
        pytest.param(ONE, ONE[:7], "", None, id="in short"),
        pytest.param(ONE.upper(), ONE, "", None, id="in capitals"),
        pytest.param(ONE, OTHER, ONE, None, id="the artefact's own word wins"),
        pytest.param(
            ONE, ONE, OTHER, "is of commit 7c4f0e9b2d6a, and 5d1f0c7e9a3b is judged", id="of another, by its own word"
        ),
        pytest.param(ONE, OTHER, "", "is of commit 7c4f0e9b2d6a", id="of another, by the file"),
        pytest.param(ONE, ONE[:3], "", "is of commit", id="three characters tell nothing"),
        pytest.param(ONE, "", "", "nothing says of which commit", id="an empty file"),
        pytest.param(ONE, None, "", "No such file", id="no file"),
    ],
)
def test_the_commit_of_an_artefact(tmp_path: Path, judged: str, file: str | None, own: str, words: str | None) -> None:
    if file is not None:
        (tmp_path / "commit").write_text(file)
    found = commits.gather(run_of(tmp_path, commit=judged, commit_of_artefacts="commit"))
    trouble = commits.trouble(found, "coverage.json", own=own)
    assert (trouble is None) is (words is None)
    assert trouble is None or (words or "") in trouble.reason


def test_a_commit_that_nothing_could_be_compared_with_is_said() -> None:
    trouble = commits.trouble(commits.Commits(judged=ONE, of_artefacts=None), "coverage.json")
    assert trouble is not None
    assert "health.commit_of_artefacts" in trouble.hint
