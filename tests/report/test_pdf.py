"""The report on paper: the same bytes for the same page, nothing fetched, and a mend where it cannot be made."""

import re
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Thread

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from genesis_lib.report import pdf
from genesis_lib.report.exporters import GenesisPDFExporter
from genesis_lib.views.tables import Cell, Column, table
from tests.report.conftest import told
from tests.views.judgements import AS_OF

_ROWS = 60


@pytest.fixture(scope="module")
def document(library_path: Path | None) -> bytes:
    """A report with a table that takes more than one page."""
    rows: list[Mapping[str, Cell]] = [
        {"name": f"begin{n} " + "middle " * 40 + f"end{n}", "value": float(n)} for n in range(_ROWS)
    ]
    columns = [Column(name="name", header="HEADING"), Column(name="value", header="Value")]
    exporter = GenesisPDFExporter(library_path=str(library_path or ""))  # type: ignore[no-untyped-call]
    made, resources = exporter.from_notebook_node(told(shown=[table(rows, columns=columns, caption="Long")]))
    assert resources["output_extension"] == ".pdf"
    return made


@pytest.fixture(scope="module")
def reader(document: bytes) -> PdfReader:
    return PdfReader(BytesIO(document))


@pytest.fixture(scope="module")
def pages(reader: PdfReader) -> list[str]:
    return [page.extract_text() for page in reader.pages]


def test_it_says_what_it_is_and_of_when(reader: PdfReader) -> None:
    assert reader.metadata is not None
    assert reader.metadata.title == "Are we ready? · Genesis on the morning of the day-0 report"
    assert reader.metadata.author == "genesis-team"
    assert reader.metadata.creation_date == AS_OF


def test_it_is_set_on_a4(reader: PdfReader) -> None:
    assert {(round(page.mediabox.width), round(page.mediabox.height)) for page in reader.pages} == {(595, 842)}


def test_the_first_page_decides(pages: list[str]) -> None:
    for said in ("NO GO", "Do not proceed", "genesis-orchestration", "Docker"):
        assert said in pages[0]


def test_every_page_is_counted_and_every_later_one_says_of_what_and_when(pages: list[str]) -> None:
    assert len(pages) > 3
    for number, words in enumerate(pages, 1):
        assert f"page {number} of {len(pages)}" in words
    for words in pages[1:]:
        assert "day0 · as of 2025-10-20 19:15:26 UTC · NO GO" in words


def test_contents_name_the_pages_of_the_chapters(pages: list[str]) -> None:
    listed = next(words for words in pages if "Contents" in words)
    for title in ("Score", "What is not proven", "More & more"):
        named = re.search(rf"{title}[ .\n]+(\d+)", listed)
        assert named, listed
        begins = [n for n, words in enumerate(pages, 1) if re.search(rf"^{title}$", words, re.MULTILINE)]
        assert int(named[1]) in begins


def test_chapters_are_bookmarks(reader: PdfReader) -> None:
    def titles(outline: list[object]) -> list[str]:
        return [t for o in outline for t in (titles(o) if isinstance(o, list) else [str(getattr(o, "title", ""))])]

    assert titles(list(reader.outline)) == ["Are we ready?", "Score", "What is not proven", "More & more"]


def test_no_row_is_split_and_each_page_of_a_table_repeats_its_head(pages: list[str]) -> None:
    for n in range(_ROWS):
        assert [f"begin{n} " in words for words in pages] == [bool(re.search(rf"end{n}\b", words)) for words in pages]
    with_rows = [words for words in pages if re.search(r"begin\d", words)]
    assert len(with_rows) > 1
    assert all("HEADING" in words for words in with_rows)


def test_pictures_tell_what_they_show(reader: PdfReader) -> None:
    told = [str(node["/Alt"]) for node in _nodes(reader) if "/Alt" in node]
    assert any("The bar for GO is 9" in text for text in told), told


def test_its_fonts_are_its_own(reader: PdfReader) -> None:
    fonts = {str(node["/BaseFont"]) for node in _nodes(reader) if "/BaseFont" in node}
    assert fonts
    assert {font.partition("+")[2] for font in fonts} <= {"Genesis-Sans", "Genesis-Sans-Bold", "DejaVu-Sans-Mono"}


def test_the_same_page_is_the_same_bytes(library_path: Path | None) -> None:
    page = '<html lang="en"><head><title>x</title></head><body><p>Same.</p></body></html>'
    assert pdf.render(page, library_path=library_path) == pdf.render(page, library_path=library_path)


def test_nothing_is_fetched_from_anywhere(library_path: Path | None, tmp_path: Path) -> None:
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    (tmp_path / "secret.css").write_text("p::after { content: 'fetched from disk' }", encoding="utf-8")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        there = f"http://127.0.0.1:{server.server_port}"
        page = (
            f'<link rel="stylesheet" href="{there}/a.css"><link rel="stylesheet" href="{(tmp_path / "secret.css").as_uri()}">'
            f'<style>@import url("{there}/b.css"); @font-face {{ font-family: x; src: url({there}/c.ttf) }}</style>'
            f'<p style="font-family: x; background: url({there}/d.png)">words<img src="{there}/e.png" alt="gone"></p>'
        )
        made = pdf.render(page, library_path=library_path)
        server.shutdown()
    assert asked == []
    words = PdfReader(BytesIO(made)).pages[0].extract_text()
    assert "words" in words
    assert "fetched from disk" not in words


def test_without_pango_it_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "libpango-1.0.so.0").write_bytes(b"")  # found first, and no library
    with pytest.raises(pdf.PdfError, match="apt-get install libpango"):
        pdf.render("<p>x</p>", library_path=tmp_path)


def _nodes(reader: PdfReader) -> list[DictionaryObject]:
    """The objects of the document's structure tree."""
    objects = (reader.get_object(n) for n in range(1, int(str(reader.trailer["/Size"]))))
    return [o for o in objects if isinstance(o, DictionaryObject)]
