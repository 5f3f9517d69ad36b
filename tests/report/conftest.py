"""Executed notebooks for reports, and the libraries that PDFs need."""

from base64 import b64encode
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from nbformat import NotebookNode
from nbformat import v4 as untyped

from genesis_lib.demo import binaries
from genesis_lib.readiness.judgement import Judgement
from genesis_lib.views import cover, figures, finding_tables, tables
from genesis_lib.views.markup import Html
from tests.builders import ROOT
from tests.views.judgements import day0

new_code_cell: Callable[..., NotebookNode] = untyped.new_code_cell
new_markdown_cell: Callable[..., NotebookNode] = untyped.new_markdown_cell
new_notebook: Callable[..., NotebookNode] = untyped.new_notebook
new_output: Callable[..., NotebookNode] = untyped.new_output
write: Callable[[NotebookNode, Path], None] = nbformat.write
_STORY = """
from tests.views.judgements import day0
from genesis_lib.views import cover, figures, finding_tables
judgement = day0()
"""


def _findings(judgement: Judgement) -> Html:
    return finding_tables.findings(judgement.findings, run=f"outputs/{judgement.environment}/{judgement.run_id}")


def told(*, name: str = "Are we ready?", shown: Iterable[Any] = (), judgement: Judgement | None = None) -> NotebookNode:
    """A notebook as if executed: the cover, two chapters, and what else is shown."""
    judgement = judgement or day0()
    cells = [
        new_markdown_cell(f"# {name}"),
        _cell(cover.cover(judgement)),
        new_markdown_cell("## Score\n\nWhat it means."),
    ]
    cells += [_cell(tables.sections(judgement.card)), _cell(figures.scores(judgement.card, bar=9))]
    cells += [new_markdown_cell("## What is not proven"), _cell(_findings(judgement))]
    cells += [new_markdown_cell("## More & more"), *map(_cell, shown)]
    return new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})


def output_cell(kind: str, **content: Any) -> NotebookNode:
    """A code cell that holds one output."""
    return new_code_cell("secret_source = 1", execution_count=1, outputs=[new_output(kind, **content)])


def _cell(shown: Any) -> NotebookNode:
    """A cell that shows this, as a kernel would send it."""
    data, metadata = shown._repr_mimebundle_()
    data = {
        kind: b64encode(content).decode() if isinstance(content, bytes) else content for kind, content in data.items()
    }
    return output_cell("execute_result", data=data, metadata=metadata, execution_count=1)


@pytest.fixture(scope="session")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small notebook that papermill ran."""
    folder = tmp_path_factory.mktemp("executed")
    sources = [
        _STORY,
        "cover.cover(judgement)",
        "figures.scores(judgement.card, bar=9)",
        "finding_tables.findings(judgement.findings, run='outputs/r')",
    ]
    notebook = new_notebook(cells=[new_markdown_cell("# Are we ready?"), *map(new_code_cell, sources)])
    write(notebook, folder / "in.ipynb")
    papermill.execute_notebook(
        folder / "in.ipynb", folder / "out.ipynb", kernel_name="python3", progress_bar=False, cwd=ROOT
    )
    return folder / "out.ipynb"


@pytest.fixture(scope="session")
def library_path() -> Path | None:
    """Where Pango's libraries lie if the system has none."""
    variables = binaries.pango_environment()
    return Path(variables["LD_LIBRARY_PATH"]) if variables else None
