"""Export an executed notebook of ours as one HTML page or as a PDF, by nbconvert.

nbconvert finds both by their entry points: `jupyter nbconvert --to genesis-html out.ipynb`, `--to genesis-pdf`.
"""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from traitlets import Bool, Unicode, default
from traitlets.config import Config

from genesis_lib import __version__
from genesis_lib.formatting import instant, plain, shortened
from genesis_lib.report import pdf
from genesis_lib.views.theme import DARK, css_variables, stylesheet

__all__ = ["GenesisHTMLExporter", "GenesisPDFExporter"]

_TEMPLATES = Path(__file__).parent / "templates"
_OWN_STYLE = re.compile(r"<style data-genesis.*?</style>\s*", re.DOTALL)
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Headings of the notebook's own story; those inside our tables have a class.
_CHAPTER = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)
_PAPERMILL_NOTICES = {"papermill-error-cell-tag"}  # its own notice of a crash, with links that lead nowhere here
_FEWEST_CHAPTERS = 3  # a list of fewer helps nobody
_SHOWN = {"text/html", "text/markdown", "image/svg+xml", "image/png", "text/plain"}
_DARK_SCREEN = "@media screen and (prefers-color-scheme: dark)"


class GenesisHTMLExporter(HTMLExporter):
    """One self-contained HTML page: no request leaves it, no script runs in it.

    `resources["genesis_crashed"]` may list name and error of each notebook of the run that crashed; this notebook's own crash is seen
    without being told. `resources["genesis_facts"]` may state what else comes from the cover: environment, title, owner, as_of, ...
    """

    export_from_notebook = "Genesis report (HTML)"
    exclude_anchor_links = Bool(default_value=True).tag(config=True)

    @default("template_name")
    def _our_template(self) -> str:
        return "genesis"

    @default("extra_template_basedirs")
    def _our_templates(self) -> list[str]:
        return [str(_TEMPLATES)]

    @default("exclude_input")
    def _without_code(self) -> bool:
        return True

    @default("exclude_output_prompt")
    def _without_numbers(self) -> bool:
        return True

    @property
    def default_config(self) -> Config:
        """What is shown of an output that comes in several forms."""
        config: Config = super().default_config.copy()
        config.merge(Config({"NbConvertBase": {"display_data_priority": self._priority()}}))
        return config

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **options: Any
    ) -> tuple[Any, dict[str, Any]]:
        """The page as text, and nbconvert's resources."""
        resources = dict(resources or {})
        nb = _prepared(nb)
        name = resources.get("metadata", {}).get("name", "this notebook")
        crashed = resources.get("genesis_crashed") or _own_crash(nb, name)
        resources["genesis"] = _page(nb, resources.get("genesis_facts") or _facts(nb), crashed)
        page, resources = super().from_notebook_node(nb, resources, **options)
        return _with_contents(page), resources

    def _priority(self) -> list[str]:
        return ["text/html", "text/markdown", "image/svg+xml", "image/png", "text/plain"]


class GenesisPDFExporter(GenesisHTMLExporter):
    """The same page set for paper, by WeasyPrint.

    `library_path` names a folder with Pango's libraries where the system has none.
    """

    export_from_notebook = "Genesis report (PDF)"
    library_path = Unicode("", help="a folder with Pango's libraries").tag(config=True)

    def from_notebook_node(  # type: ignore[override]  # bytes, as nbconvert's own PDF exporters give
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **options: Any
    ) -> tuple[bytes, dict[str, Any]]:
        """The document as bytes, and nbconvert's resources.

        Raises:
            PdfError: Pango cannot be loaded, or WeasyPrint failed.

        """
        page, resources = super().from_notebook_node(nb, resources, **options)
        # WeasyPrint breaks lines at a zero-width space, but at a <wbr> only where words are not long already.
        page = page.replace("<wbr/>", "\u200b")
        resources["output_extension"] = ".pdf"
        return pdf.render(page, library_path=Path(self.library_path) if self.library_path else None), resources

    def _priority(self) -> list[str]:
        # PNG is drawn six times faster than SVG there, and looks the same at 200 dots per inch.
        return ["text/html", "text/markdown", "image/png", "image/svg+xml", "text/plain"]


def _prepared(notebook: NotebookNode) -> NotebookNode:
    """A copy without what the page has once for all, and with figures that follow the page into the dark."""
    notebook = deepcopy(notebook)
    notebook.cells = [c for c in notebook.cells if not _PAPERMILL_NOTICES & set(c.metadata.get("tags", ()))]
    dark = f"<style>{_DARK_SCREEN} {{ svg {{ {css_variables(DARK)} }} }}</style>"
    for output in _outputs(notebook):
        data = output.get("data", {})
        for kind in data.keys() - _SHOWN:
            del data[kind]  # scripts, widgets and whatever else a page at rest cannot show
        if "data" in output and not data:
            data["text/plain"] = ""
        if "text/html" in data:
            data["text/html"] = _OWN_STYLE.sub("", data["text/html"])
        if "image/svg+xml" in data:
            data["image/svg+xml"] = re.sub(r"<svg\b[^>]*>", lambda m: m[0] + dark, data["image/svg+xml"], count=1)
    return notebook


def _own_crash(notebook: NotebookNode, name: str) -> list[tuple[str, str]]:
    """The error that ended this notebook, if one did."""
    return [(name, f"{o.ename}: {o.evalue}") for o in _outputs(notebook) if o.output_type == "error"][:1]


def _page(notebook: NotebookNode, facts: Mapping[str, str], crashed: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What the template needs to know of the page as a whole."""
    heading = next((m[1] for c in notebook.cells if (m := re.match(r"\s*# (.+)", c.source))), "Genesis readiness")
    as_of = datetime.fromisoformat(facts["as_of"]) if facts.get("as_of") else None
    decision = "" if crashed else facts.get("decision", "")
    running = [
        facts.get("environment", ""),
        f"as of {instant(as_of)}" if as_of else "",
        decision,
        facts.get("run_id", ""),
    ]
    page_css = (_TEMPLATES / "genesis" / "page.css").read_text(encoding="utf-8")
    return {
        "title": plain(" · ".join(t for t in (heading.strip(), facts.get("title", "")) if t)),
        "owner": plain(facts.get("owner", "")),
        "as_of": as_of.isoformat() if as_of else "",
        "version": __version__,
        "running": [shortened(plain(fact), 80) for fact in running if fact],
        "crashed": [(plain(name), shortened(plain(_ANSI.sub("", error)))) for name, error in crashed],
        "css": f"{stylesheet()}\n{page_css}\n{_DARK_SCREEN} {{ .genesis {{ {css_variables(DARK)} }} }}",
    }


def _facts(notebook: NotebookNode) -> Mapping[str, str]:
    """What the cover left in its output's metadata; without one, what papermill was told."""
    for output in _outputs(notebook):
        if found := output.get("metadata", {}).get("genesis"):
            return dict(found)
    told = notebook.metadata.get("papermill", {}).get("parameters", {})
    return {"environment": str(told["environment"])} if told.get("environment") else {}


def _with_contents(page: str) -> str:
    """The page with a list of its chapters, behind the cover if there is one."""
    titles: list[str] = []

    def numbered(heading: re.Match[str]) -> str:
        titles.append(re.sub("<[^>]+>", "", heading[1]))
        return f'<h2 id="chapter-{len(titles)}">{heading[1]}</h2>'

    page = _CHAPTER.sub(numbered, page)
    chapters = [
        m.start() for m in re.finditer('<div class="told">\\s*<h2 id=', page) if m.start() > page.find('"g-cover')
    ]
    if not chapters or len(titles) < _FEWEST_CHAPTERS:
        return page
    links = "".join(f'<li><a href="#chapter-{number}">{title}</a></li>' for number, title in enumerate(titles, 1))
    nav = f'<nav class="contents" aria-label="Contents"><p>Contents</p><ol>{links}</ol></nav>'
    return page[: chapters[0]] + nav + page[chapters[0] :]


def _outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]
