"""A report is written as a whole, says when a run is incomplete, and never stands in for another."""

from pathlib import Path

import pytest
from pypdf import PdfReader

from genesis_lib.model import Cause, Missing
from genesis_lib.report.document import appendix, write_html, write_pdf
from genesis_lib.report.pdf import PdfError
from genesis_lib.telemetry.spans import Span
from tests.views.judgements import day0, go
from tests.views.test_timeline import a_run


def test_both_are_written_where_asked_and_nothing_else_is_left(
    executed: Path, tmp_path: Path, library_path: Path | None
) -> None:
    html = write_html(executed, tmp_path / "report.html")
    paper = write_pdf(executed, tmp_path / "report.pdf", library_path=library_path)
    assert sorted(tmp_path.iterdir()) == [html, paper]
    assert "NO GO" in html.read_text(encoding="utf-8")
    assert "NO GO" in PdfReader(paper).pages[0].extract_text()


def test_the_header_is_the_judgements_where_there_is_one(executed: Path, tmp_path: Path) -> None:
    page = write_html(executed, tmp_path / "report.html", judgement=go()).read_text(encoding="utf-8")
    assert "demo · as of 2025-10-20 19:15:26 UTC · GO · 20251020T191526Z" in page


def test_a_crash_elsewhere_is_said_first(executed: Path, tmp_path: Path) -> None:
    crashed = [("01_day0_monitoring", "KeyError: <b>'x'</b>")]
    page = write_html(executed, tmp_path / "report.html", judgement=day0(), crashed=crashed).read_text(encoding="utf-8")
    assert "01_day0_monitoring</strong> crashed: KeyError: &lt;b&gt;" in page
    assert page.index("did not finish") < page.index("Do not proceed")


@pytest.mark.parametrize(
    ("trace", "words"),
    [
        pytest.param(a_run(12), "The slowest of 12 questions", id="traced"),
        pytest.param(
            Missing(cause=Cause.NOT_RECORDED, detail="this run was not traced"), "this run was not traced", id="not"
        ),
    ],
)
def test_an_appendix_follows_the_notebook_and_stands_in_the_contents(
    executed: Path, tmp_path: Path, trace: list[Span] | Missing, words: str
) -> None:
    page = write_html(executed, tmp_path / "report.html", appendix=appendix(trace)).read_text(encoding="utf-8")
    assert page.index("Do not proceed") < page.index("Appendix: how this run spent its time</h2>") < page.index(words)
    assert page.count('src="data:image/svg+xml') == 2  # the notebook's own, and the timeline
    assert 'alt="The run took 20' in page or 'alt="Timeline of the run: empty, because' in page


def test_a_notebook_that_was_never_begun_makes_a_report_that_says_so(tmp_path: Path) -> None:
    crashed = [("06_readiness_report", "no kernel")]
    page = write_html(
        tmp_path / "06_readiness_report.ipynb", tmp_path / "report.html", judgement=day0(), crashed=crashed
    )
    words = page.read_text(encoding="utf-8")
    assert "never begun" in words
    assert "no kernel" in words


def test_a_pdf_that_cannot_be_made_leaves_no_older_one_in_its_place(executed: Path, tmp_path: Path) -> None:
    (tmp_path / "libpango-1.0.so.0").write_bytes(b"")
    old = tmp_path / "report.pdf"
    old.write_bytes(b"yesterday's GO")
    with pytest.raises(PdfError):
        write_pdf(executed, old, library_path=tmp_path)
    assert not old.exists()
