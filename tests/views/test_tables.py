"""Tables show every fact with its evidence, and escape whatever comes from outside."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from genesis_lib.formatting import Quantity, Unit
from genesis_lib.model import Cause, Missing, Verdict
from genesis_lib.views.tables import (
    Cell,
    Column,
    Kind,
    deductions,
    sections,
    table,
)
from tests.views import hostile
from tests.views.judgements import day0, go


def _words(html: str) -> str:
    """The text of markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html.replace("<wbr>", ""))).strip()


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        pytest.param("text", "text", id="text"),
        pytest.param(0.9828, "98.28 %", id="a number in the column's unit"),
        pytest.param(Quantity(value=0.138, unit=Unit.SECONDS), "138 ms", id="a number in its own unit"),
        pytest.param(datetime(2025, 10, 20, 19, tzinfo=UTC), "2025-10-20 19:00:00 UTC", id="an instant"),
        pytest.param(timedelta(hours=47), "1 d 23 h", id="a duration"),
        pytest.param(Verdict.FAIL, "✕ FAIL", id="a verdict"),
        pytest.param(Missing(cause=Cause.TIMEOUT, detail="took over 5 s"), "no data: took over 5 s", id="what is missing"),
        pytest.param(Quantity(value=Missing(cause=Cause.TIMEOUT, detail="slow"), unit=Unit.BYTES), "no data: slow",
                     id="a missing number"),
        pytest.param(("one", "two"), "one two", id="several lines"),
        pytest.param(None, "", id="nothing"),
    ],
)  # fmt: skip
def test_every_kind_of_cell_is_written_for_people(cell: Cell, written: str) -> None:
    shown = table([{"x": cell}], columns=[Column(name="x", header="X", unit=Unit.RATIO)], caption="C")
    assert _words(shown.markup).replace("\N{NARROW NO-BREAK SPACE}", " ") == f"C X {written}".strip()


def test_a_missing_value_names_its_evidence() -> None:
    missing = Missing(cause=Cause.TIMEOUT, detail="slow", evidence="e-7")
    assert "e-7" in table([{"x": missing}], columns=[Column(name="x", header="X")], caption="C").markup


def test_a_table_is_captioned_and_its_headers_say_what_they_head() -> None:
    shown = table([{"a": "1", "b": 2.0}], columns=[Column(name="a", header="A"), Column(name="b", header="B", unit=Unit.COUNT)],
                  caption="What it shows")  # fmt: skip
    assert "<caption><bdi>What it shows</bdi></caption>" in shown.markup
    assert shown.markup.count('scope="col"') == 2
    assert shown.markup.count('scope="row"') == 1
    assert '<td class="g-number">' in shown.markup


def test_an_empty_table_says_so() -> None:
    shown = table([], columns=[Column(name="a", header="A")], caption="C", empty="No target is expected.")
    assert "No target is expected." in shown.markup
    assert "No target is expected." in repr(shown)


@pytest.mark.parametrize("text", hostile.ALL)
@pytest.mark.parametrize("kind", Kind)
def test_hostile_cells_and_captions_are_escaped(text: str, kind: Kind) -> None:
    shown = table([{"x": text}], columns=[Column(name="x", header="X", unit=kind)], caption=text)
    assert not re.search(r"<(script|img)|\u202e|\x1b", shown.markup)
    assert "\x1b" not in repr(shown)
    assert max(map(len, repr(shown).splitlines())) < 800


def test_sections_show_their_score_and_count_every_finding() -> None:
    judgement = day0()
    words = _words(sections(judgement.card).markup)
    assert "Monitoring infrastructure" in words
    assert f"Overall {judgement.card.overall:.1f} 100" in words
    assert len(judgement.findings) == sum(sum(s.verdicts.values()) for s in judgement.card.sections)


def test_deductions_as_written_add_up_to_the_loss_as_written() -> None:
    judgement = day0()
    numbers = [
        float(n) for n in re.findall('class="g-number">\N{MINUS SIGN}([0-9.]+)<', deductions(judgement.card).markup)
    ]
    *lines, total = numbers
    assert len(lines) > 5
    assert sum(lines) == pytest.approx(total)
    assert total == pytest.approx(10 - judgement.card.overall, abs=5e-4)


def test_every_deduction_names_its_finding() -> None:
    judgement = day0()
    words = _words(deductions(judgement.card).markup)
    for deduction in judgement.card.deductions:
        subject = deduction.finding.partition("[")[2].removesuffix("]").rpartition(" / ")[2]
        assert subject in words


def test_a_full_score_has_no_deductions() -> None:
    assert "No points were lost." in deductions(go().card).markup
