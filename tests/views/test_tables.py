"""Tables show every fact with its evidence, and escape whatever comes from outside."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from genesis_lib.model import Cause, Missing, Verdict
from genesis_lib.views.formatting import Quantity, Unit
from genesis_lib.views.tables import (
    Cell,
    Column,
    Kind,
    Tick,
    checklist,
    deductions,
    findings,
    sections,
    table,
)
from tests.views import hostile
from tests.views.judgements import day0, finding, go, waived


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


def test_a_finding_that_is_not_good_is_shown_with_all_that_it_says() -> None:
    f = finding("targets.up", "node", Verdict.FAIL, observed="0 of 1", expected="1 of 1", reason="it is down", hint="start it",
                because_of="services.ready[prometheus]", waiver="until Monday")  # fmt: skip
    words = _words(findings([f]).markup)
    for said in (
        "node",
        "targets.up",
        "FAIL",
        "0 of 1",
        "1 of 1",
        "it is down",
        "start it",
        "monitoring",
        "until Monday",
    ):
        assert said in words
    assert "services.ready[ prometheus]" in words.replace("[prometheus]", "[ prometheus]")
    assert f.evidence[0][:12] in words


def test_what_was_proven_takes_one_line_for_each_claim() -> None:
    shown = findings(go().findings).markup
    assert shown.count("<table") == 1
    assert shown.count('<th scope="row"') == 5
    assert "IntermittentTestFailures" in _words(shown)


def test_every_finding_is_named_and_its_evidence_kept() -> None:
    judgement = day0()
    shown = findings(judgement.findings).markup
    for f in judgement.findings:
        assert f.subject.rpartition(" / ")[2] in _words(shown)
        assert f.evidence[0][:12] in shown


def test_what_follows_stands_behind_its_root_and_the_worst_comes_first() -> None:
    root = finding("targets.up", "node", Verdict.UNKNOWN)
    follower = finding("dashboards.panel", "CPU", Verdict.FAIL, because_of=root.id)
    worse = finding("rules.loaded", "HighCPUUsage", Verdict.FAIL)
    words = _words(findings([follower, root, worse]).markup)
    assert words.index("HighCPUUsage") < words.index("node") < words.index("CPU dashboards.panel")


def test_findings_that_follow_from_each_other_are_shown_all_the_same() -> None:
    one = finding("a.b", "one", Verdict.FAIL, because_of="a.b[two]")
    two = finding("a.b", "two", Verdict.FAIL, because_of="a.b[one]")
    words = _words(findings([one, two]).markup)
    assert "one" in words
    assert "two" in words


def test_only_the_verdicts_asked_for_are_shown() -> None:
    shown = findings(day0().findings, only=(Verdict.UNKNOWN,)).markup
    assert "grafana" in shown
    assert "FAIL" not in shown
    assert "node-exporter" not in shown


def test_a_waiver_is_shown_with_its_reason() -> None:
    assert "Waived: not deployed before Monday" in _words(findings(waived().findings).markup)


def test_no_findings_are_said_to_be_none() -> None:
    assert "There are no such findings." in findings([]).markup
    assert "There are no such findings." in repr(findings([]))


def test_hostile_findings_are_escaped_everywhere() -> None:
    everywhere = "".join(hostile.ALL)
    f = finding(everywhere, everywhere, Verdict.FAIL, observed=everywhere, expected=everywhere, reason=everywhere,
                hint=everywhere, because_of=everywhere, waiver=everywhere)  # fmt: skip
    for shown in (findings([f]), findings([finding(everywhere, everywhere, observed=everywhere)])):
        assert not re.search(r"<(script|img)|\u202e|\x1b", shown.markup)
        shown.markup.encode()


def test_five_thousand_findings_are_drawn() -> None:
    many = [
        finding("targets.up", f"node-{n}", Verdict.FAIL if n % 2 else Verdict.PASS, reason=f"reason {n}")
        for n in range(5000)
    ]
    shown = findings(many).markup
    assert shown.count("<tr") == 2500 + 1 + 1 + 1


def test_a_ticked_line_shows_verdict_and_evidence() -> None:
    shown = checklist(
        [Tick(text="13 rules loaded", verdict=Verdict.UNKNOWN, evidence=("e-3",))], caption="Final checklist"
    )
    assert _words(shown.markup) == "Final checklist Item Verdict 13 rules loaded Evidence (1) e-3 ? UNKNOWN"
    assert "UNKNOWN" in repr(shown)
