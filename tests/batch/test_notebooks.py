"""Notebooks are executed side by side; what they do not know they are not told."""

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from genesis_lib.batch.notebooks import Execution, Workers
from genesis_lib.errors import NotebookError


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers() as made:
        yield made


def notebook(folder: Path, name: str, *code: str) -> Path:
    cells = [nbformat.v4.new_code_cell('greeting = ""  # a parameter')]  # type: ignore[no-untyped-call]
    cells[0].metadata["tags"] = ["parameters"]
    cells += [nbformat.v4.new_code_cell(text) for text in code]  # type: ignore[no-untyped-call]
    path = folder / f"{name}.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)  # type: ignore[no-untyped-call]
    return path


def test_notebooks_run_with_their_parameters_and_a_crash_stops_only_its_own(workers: Workers, tmp_path: Path) -> None:
    good, bad = notebook(tmp_path, "good", "print(greeting * 2)"), notebook(tmp_path, "bad", "1 / 0", "print('never')")
    told: list[Execution] = []
    done = workers.execute(
        {good: tmp_path / "good.out.ipynb", bad: tmp_path / "bad.out.ipynb"}, {"greeting": "hi"}, progress=told.append
    )
    assert {e.notebook: e.error for e in done} == {"bad": "cell 3: ZeroDivisionError: division by zero", "good": ""}
    assert {e.notebook for e in told} == {"good", "bad"}
    assert "hihi" in (tmp_path / "good.out.ipynb").read_text()
    crashed = json.loads((tmp_path / "bad.out.ipynb").read_text())
    assert "ZeroDivisionError" in json.dumps(crashed)
    assert not any("never" in json.dumps(cell["outputs"]) for cell in crashed["cells"] if cell["cell_type"] == "code")


def test_a_parameter_that_a_notebook_does_not_have_is_refused_before_anything_runs(
    workers: Workers, tmp_path: Path
) -> None:
    good = notebook(tmp_path, "good")
    with pytest.raises(NotebookError, match=r"good\.ipynb has no parameter greting; it has greeting"):
        workers.execute({good: tmp_path / "out.ipynb"}, {"greting": "hi"}, progress=print)
    assert not (tmp_path / "out.ipynb").exists()
