"""Text from outside stays text."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.formatting import LONGEST_TEXT, plain
from genesis_lib.model import Verdict
from genesis_lib.views import markup
from tests.views import hostile


class _Reader(HTMLParser):
    """What a browser would see: elements, and text."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


def _read(html: str) -> _Reader:
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


@given(st.text(max_size=LONGEST_TEXT // 10))
def test_a_browser_reads_exactly_the_text_and_no_element_of_it(text: str) -> None:
    for written, own in ((markup.text(text), "bdi"), (markup.code(text), "code")):
        seen = _read(written)
        assert seen.words == plain(text)
        assert set(seen.elements) <= {own, "wbr"}


@pytest.mark.parametrize("text", hostile.ALL)
def test_hostile_text_is_harmless_and_short(text: str) -> None:
    for written in (markup.text(text), markup.code(text)):
        assert set(_read(written).elements) <= {"bdi", "code", "wbr"}
        assert len(_read(written).words) <= LONGEST_TEXT + 50
        written.encode()


def test_a_dollar_starts_no_mathematics() -> None:
    assert "$" not in markup.text(hostile.MATHS)


@pytest.mark.parametrize("text", [hostile.LONG, hostile.LONG_WORDS, "ab_" * 60])
def test_no_piece_of_a_long_word_is_too_long_for_a_column(text: str) -> None:
    pieces = markup.code(text).split(">", 1)[1].rpartition("<")[0].replace("<wbr>", " ").split()
    assert max(map(len, pieces)) <= 40


def test_what_several_subjects_begin_with_is_said_once() -> None:
    listed = markup.listed(["Board / CPU", "Board / Memory"])
    assert _read(listed).words == "Board / CPU, Memory"


@pytest.mark.parametrize("subjects", [["a / b"], ["a / b", "c / d"], ["ab", "ac"], ["a / b", "a"]])
def test_subjects_that_share_no_beginning_are_named_in_full(subjects: list[str]) -> None:
    assert _read(markup.listed(subjects)).words == ", ".join(subjects)


def test_evidence_is_folded_and_whole() -> None:
    digest = "0123456789abcdef" * 2
    seen = _read(markup.evidence((digest, "e-1")))
    assert seen.elements[:2] == ["details", "summary"]
    assert digest in seen.words
    assert "Evidence (2)" in seen.words


def test_without_evidence_nothing_pretends_to_be_it() -> None:
    assert markup.evidence(()) == ""


@pytest.mark.parametrize("verdict", Verdict)
def test_a_verdict_is_a_word_and_not_only_a_colour(verdict: Verdict) -> None:
    assert verdict.value in _read(markup.verdict(verdict)).words


def test_a_terminal_shows_text_and_a_notebook_a_table() -> None:
    shown = markup.Html(markup="<b>x</b>", plain="x", facts={"environment": "demo"})
    data, metadata = shown._repr_mimebundle_()
    assert repr(shown) == data["text/plain"] == "x"
    assert "<b>x</b>" in data["text/html"]
    assert metadata == {"genesis": {"environment": "demo"}}


def test_rows_of_text_line_up() -> None:
    assert markup.grid([["a", "bb", "c"], ["aaa", "b", "c"]]) == "a    bb  c\naaa  b   c"


def test_what_stands_between_backticks_is_code_and_still_escaped() -> None:
    assert markup.text("use `sum(a)` here") == '<bdi>use <code dir="ltr">sum(a)</code> here</bdi>'
    assert "<script" not in markup.text("`<script>` and a lone ` backtick")
