"""Write the report of a run, `report.html` and `report.pdf`, from its executed notebook."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from genesis_lib.readiness.judgement import Judgement
from genesis_lib.report.exporters import GenesisHTMLExporter, GenesisPDFExporter
from genesis_lib.views.cover import page_facts

__all__ = ["write_html", "write_pdf"]


def write_html(
    notebook: Path, destination: Path, *, judgement: Judgement | None = None, crashed: Sequence[tuple[str, str]] = ()
) -> Path:
    """Write the executed notebook as one self-contained page, as a whole or not at all; returns where it lies.

    Args:
        notebook: run to its end or to its crash; where it was never begun, a page that says so is made.
        destination: the file to write.
        judgement: for the page's header; None: what the notebook's cover says.
        crashed: name and error of each notebook of the run that did not finish; the page says so before all else.

    """
    exporter = GenesisHTMLExporter()  # type: ignore[no-untyped-call]
    page, _ = exporter.from_notebook_node(_read(notebook), _resources(notebook, judgement, crashed))
    return _write(destination, page.encode("utf-8"))


def write_pdf(
    notebook: Path,
    destination: Path,
    *,
    judgement: Judgement | None = None,
    crashed: Sequence[tuple[str, str]] = (),
    library_path: Path | None = None,
) -> Path:
    """Write the executed notebook as a PDF, as `write_html` does.

    Args:
        notebook: as above.
        destination: as above.
        judgement: as above.
        crashed: as above.
        library_path: a folder with Pango's libraries where the system has none.

    Raises:
        PdfError: the PDF cannot be made; the message says how to mend it. No older file is left in its place.

    """
    destination.unlink(missing_ok=True)
    exporter = GenesisPDFExporter(library_path=str(library_path or ""))  # type: ignore[no-untyped-call]
    document, _ = exporter.from_notebook_node(_read(notebook), _resources(notebook, judgement, crashed))
    return _write(destination, document)


def _resources(notebook: Path, judgement: Judgement | None, crashed: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "metadata": {"name": notebook.stem},
        "genesis_crashed": list(crashed),
        "genesis_facts": dict(page_facts(judgement)) if judgement else {},
    }


def _read(path: Path) -> NotebookNode:
    notebook: NotebookNode
    if path.is_file():
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    else:
        cell = nbformat.v4.new_markdown_cell(f"# {path.stem}\n\nThis notebook was never begun.")  # type: ignore[no-untyped-call]
        notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    return notebook


def _write(path: Path, content: bytes) -> Path:
    fresh = path.with_name(f".{path.name}.part")
    fresh.write_bytes(content)
    return fresh.replace(path)
