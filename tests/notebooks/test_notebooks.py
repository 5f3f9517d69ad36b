"""The notebooks are thin, clean, and one question each."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
LONGEST_CELL = 8
FORBIDDEN = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.While, ast.Try, ast.Lambda, ast.ListComp)


def cells(notebook: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == kind]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def is_parameters(cell: dict[str, Any]) -> bool:
    return "parameters" in cell["metadata"].get("tags", [])


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_there_are_notebooks() -> None:
    assert {n.stem for n in NOTEBOOKS} >= {"01_day0_monitoring", "06_readiness_report"}


def test_it_is_committed_without_outputs_counts_or_volatile_metadata(notebook: Path) -> None:
    document = json.loads(notebook.read_text())
    assert set(document["metadata"]) == {"kernelspec", "language_info"}
    assert document["metadata"]["language_info"] == {"name": "python"}
    for cell in document["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert set(cell["metadata"]) <= {"tags"}


def test_its_title_is_a_question(notebook: Path) -> None:
    title = source(cells(notebook, "markdown")[0]).splitlines()[0]
    assert title.startswith("# ")
    assert title.endswith("?")


def test_its_parameters_are_literals_each_with_a_comment(notebook: Path) -> None:
    tagged = [cell for cell in cells(notebook, "code") if is_parameters(cell)]
    assert len(tagged) == 1
    text = source(tagged[0])
    for node in ast.parse(text).body:
        assert isinstance(node, ast.Assign)
        ast.literal_eval(node.value)
    assert all("  # " in line for line in text.splitlines())
    names = [
        node.targets[0].id
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    ]
    assert names[:3] == ["environment", "run", "as_of"]


def test_its_code_is_thin(notebook: Path) -> None:
    for cell in cells(notebook, "code"):
        text = source(cell)
        lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
        assert is_parameters(cell) or len(lines) <= LONGEST_CELL, text
        tree = ast.parse(text)
        assert not [node for node in ast.walk(tree) if isinstance(node, FORBIDDEN)], text
        strings = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        assert not [s for s in strings if "http" in s or "{" in s or "rate(" in s], (
            "no PromQL and no HTTP in a notebook"
        )


def test_markdown_states_no_conclusion(notebook: Path) -> None:
    text = " ".join(source(cell) for cell in cells(notebook, "markdown"))
    for word in ("✓", "✅", "PASS", "healthy ✅", " is operational", "all systems"):
        assert word not in text
