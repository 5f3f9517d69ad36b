"""An executed notebook becomes one page that asks nothing of any network and runs nothing."""

import re
import subprocess
import sys
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from genesis_lib.report.exporters import GenesisHTMLExporter
from tests.report.conftest import output_cell, told
from tests.views import hostile

_VOID = {"meta", "img", "br", "hr", "col", "wbr", "link", "input"}


class _Page(HTMLParser):
    """Every element with its attributes, and whether all were closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.misplaced: list[str] = []
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(tag)

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words += data

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


def _exported(notebook: NotebookNode, **resources: object) -> str:
    page, _ = GenesisHTMLExporter().from_notebook_node(notebook, resources)  # type: ignore[no-untyped-call]
    assert isinstance(page, str)
    return page


@pytest.fixture(scope="module")
def page(executed: Path) -> _Page:
    return _Page(_exported(nbformat.read(executed, as_version=4)))  # type: ignore[no-untyped-call]


def test_the_page_is_a_whole_document_in_a_known_language_and_encoding(page: _Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert {"charset": "utf-8"} in page.all("meta")
    assert page.words.count("Are we ready? · Genesis on the morning of the day-0 report") == 1
    assert (page.misplaced, page.open) == ([], [])


def test_nothing_in_the_page_leads_out_of_it(page: _Page) -> None:
    for tag, attributes in page.elements:
        assert tag not in ("script", "link", "iframe", "object", "embed", "form", "base")
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "data", "poster", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:"))


def test_styles_load_nothing_either(executed: Path) -> None:
    page = _exported(nbformat.read(executed, as_version=4))  # type: ignore[no-untyped-call]
    styles = " ".join(re.findall(r"<style.*?</style>", page, re.DOTALL))
    assert "@import" not in styles
    assert "url(" not in styles


def test_the_page_forbids_itself_all_requests_and_scripts(page: _Page) -> None:
    policies = [m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_the_code_of_the_notebook_is_not_in_the_page(page: _Page) -> None:
    assert "from genesis_lib" not in page.words
    assert "Out[" not in page.words


def test_styles_stand_once(executed: Path) -> None:
    page = _exported(nbformat.read(executed, as_version=4))  # type: ignore[no-untyped-call]
    assert page.count("<style") == 1


def test_the_header_says_environment_instant_and_decision(page: _Page) -> None:
    assert "day0 · as of 2025-10-20 19:15:26 UTC · NO GO · 20251020T191526Z" in page.words


def test_every_picture_tells_what_it_shows(page: _Page) -> None:
    pictures = page.all("img")
    assert pictures
    assert all(len(picture["alt"]) > 20 for picture in pictures)
    assert all(picture["src"].startswith("data:image/svg+xml;base64,") for picture in pictures)


def test_contents_name_each_chapter_and_lead_to_it() -> None:
    page = _Page(_exported(told()))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [a["href"].removeprefix("#") for a in page.all("a")]
    assert len(targets) == 3
    assert set(targets) <= set(ids)
    contents = page.words[page.words.index("Contents") : page.words.index("What it means.")]
    for title in ("Score", "What is not proven", "More & more"):
        assert title in contents
    assert (
        page.words.index("What stands in the way") < page.words.index("Contents") < page.words.index("What it means.")
    )


def test_dark_pages_get_dark_figures() -> None:
    svg = re.search(r"data:image/svg\+xml;base64,([^\"]+)", _exported(told()))
    assert svg
    assert "prefers-color-scheme: dark" in b64decode(svg[1]).decode()


@pytest.mark.parametrize("text", hostile.ALL)
def test_hostile_outputs_stay_text(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()  # a notebook file cannot hold half a pair
    notebook = told(name=text)
    notebook.cells += [
        output_cell("stream", name="stdout", text=text),
        output_cell("display_data", data={"text/plain": text}),
        output_cell("display_data", data={"application/javascript": "alert(1)"}),
        output_cell("error", ename="ValueError", evalue=text, traceback=[text]),
    ]
    notebook.cells[0].source = "# Title"
    page = _Page(_exported(notebook))
    assert page.all("script") == []
    assert "alert(1)" not in page.words.replace(hostile.MARKUP, "").replace("alert(1)</script>", "").replace(
        "onerror=alert(1)", ""
    )
    assert all("onerror" not in attributes for _, attributes in page.elements)


def test_a_crash_stands_before_all_else() -> None:
    notebook = told()
    notebook.cells.append(
        output_cell("error", ename="ValueError", evalue="no such thing", traceback=["Traceback: ValueError"])
    )
    words = _Page(_exported(notebook, metadata={"name": "06_readiness_report"})).words
    assert "06_readiness_report crashed: ValueError: no such thing" in words
    assert words.index("Incomplete") < words.index("Are we ready?", words.index("Incomplete"))
    assert "no decision follows from it" in words
    assert "Traceback: ValueError" in words


def test_the_header_of_an_incomplete_run_names_no_decision() -> None:
    words = _Page(_exported(told(), genesis_crashed=[("01_day0_monitoring", "boom")])).words
    assert "01_day0_monitoring crashed: boom" in words
    assert "UTC · NO GO" not in words


def test_a_whole_run_is_not_called_incomplete(page: _Page) -> None:
    assert "Incomplete" not in page.words


def test_a_notebook_without_a_cover_is_known_by_its_parameters() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Is it there?")])  # type: ignore[no-untyped-call]
    notebook.metadata["papermill"] = {"parameters": {"environment": "staging"}}
    page = _Page(_exported(notebook))
    assert "staging" in page.words
    assert "Contents" not in page.words


def test_papermills_own_notice_of_a_crash_is_left_out() -> None:
    notebook = told()
    notice = nbformat.v4.new_markdown_cell('<a href="#papermill-error-cell">In [2]</a>')  # type: ignore[no-untyped-call]
    notice.metadata["tags"] = ["papermill-error-cell-tag"]
    notebook.cells.insert(0, notice)
    assert "papermill" not in _exported(notebook)


def test_the_notebook_itself_is_left_as_it_was() -> None:
    notebook = told()
    before = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
    _exported(notebook)
    assert nbformat.writes(notebook) == before  # type: ignore[no-untyped-call]


def test_the_same_notebook_is_the_same_page() -> None:
    notebook = told()
    assert _exported(notebook) == _exported(notebook)


def test_nbconvert_finds_the_exporter_by_its_name(executed: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nbconvert", "--to", "genesis-html", "--output-dir", str(tmp_path), str(executed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "NO GO" in (tmp_path / "out.html").read_text(encoding="utf-8")
