"""Write the report of a run, `report.html` and `report.pdf`, from its executed notebook."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat import NotebookNode
from nbformat import v4 as untyped

from genesis_lib.model import Missing
from genesis_lib.readiness.judgement import Judgement
from genesis_lib.report.exporters import GenesisHTMLExporter, GenesisPDFExporter
from genesis_lib.telemetry.spans import Span
from genesis_lib.views.cover import page_facts

if TYPE_CHECKING:
    from genesis_lib.views.figures import Picture
    from genesis_lib.views.markup import Html

__all__ = ["appendix", "write_html", "write_pdf"]


_new_code_cell: Callable[..., NotebookNode] = untyped.new_code_cell
_new_markdown_cell: Callable[..., NotebookNode] = untyped.new_markdown_cell
_new_output: Callable[..., NotebookNode] = untyped.new_output
_APPENDIX = """## Appendix: how this run spent its time

A bar is a step of the run, and each mark in it a question that was asked of a source. Where marks fill a bar, the source decides how
long it takes; where they do not, the work is done on this machine. The writing of this page, which comes last, is not drawn."""


def appendix(trace: Sequence[Span] | Missing) -> list[NotebookNode]:
    """The chapter that draws a run's trace. It is no notebook's, because it can be told only when all of them have ended."""
    from genesis_lib.views import timeline  # matplotlib takes its time to load, and a replay writes no report

    return [_new_markdown_cell(_APPENDIX), _shown(timeline.timeline(trace)), _shown(timeline.slowest(trace))]


def write_html(
    notebook: Path,
    destination: Path,
    *,
    judgement: Judgement | None = None,
    crashed: Sequence[tuple[str, str]] = (),
    appendix: Sequence[NotebookNode] = (),
) -> Path:
    """Write the executed notebook as one self-contained page, as a whole or not at all; returns where it lies.

    Args:
        notebook: run to its end or to its crash; where it was never begun, a page that says so is made.
        destination: the file to write.
        judgement: for the page's header; None: what the notebook's cover says.
        crashed: name and error of each notebook of the run that did not finish; the page says so before all else.
        appendix: cells that follow those of the notebook.

    """
    exporter = GenesisHTMLExporter()  # type: ignore[no-untyped-call]
    page, _ = exporter.from_notebook_node(_read(notebook, appendix), _resources(notebook, judgement, crashed))
    return _write(destination, page.encode("utf-8"))


def write_pdf(
    notebook: Path,
    destination: Path,
    *,
    judgement: Judgement | None = None,
    crashed: Sequence[tuple[str, str]] = (),
    appendix: Sequence[NotebookNode] = (),
    library_path: Path | None = None,
) -> Path:
    """Write the executed notebook as a PDF, as `write_html` does.

    Args:
        notebook: as above.
        destination: as above.
        judgement: as above.
        crashed: as above.
        appendix: as above.
        library_path: a folder with Pango's libraries where the system has none.

    Raises:
        PdfError: the PDF cannot be made; the message says how to mend it. No older file is left in its place.

    """
    destination.unlink(missing_ok=True)
    exporter = GenesisPDFExporter(library_path=str(library_path or ""))  # type: ignore[no-untyped-call]
    document, _ = exporter.from_notebook_node(_read(notebook, appendix), _resources(notebook, judgement, crashed))
    return _write(destination, document)


def _resources(notebook: Path, judgement: Judgement | None, crashed: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "metadata": {"name": notebook.stem},
        "genesis_crashed": list(crashed),
        "genesis_facts": dict(page_facts(judgement)) if judgement else {},
    }


def _read(path: Path, appendix: Sequence[NotebookNode]) -> NotebookNode:
    notebook: NotebookNode
    if path.is_file():
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    else:
        cell = _new_markdown_cell(f"# {path.stem}\n\nThis notebook was never begun.")
        notebook = nbformat.v4.new_notebook(cells=[cell])  # type: ignore[no-untyped-call]
    notebook.cells += appendix
    return notebook


def _shown(made: "Picture | Html") -> NotebookNode:
    """A cell that shows this, as a kernel would have sent it."""
    data, metadata = made._repr_mimebundle_()
    data = {kind: b64encode(it).decode() if isinstance(it, bytes) else it for kind, it in data.items()}
    return _new_code_cell("", outputs=[_new_output("display_data", data=data, metadata=metadata)])


def _write(path: Path, content: bytes) -> Path:
    fresh = path.with_name(f".{path.name}.part")
    fresh.write_bytes(content)
    return fresh.replace(path)
