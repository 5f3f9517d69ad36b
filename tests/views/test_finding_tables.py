"""Findings as tables: everything said, roots first, hostile text escaped, and the command that excuses what blocks."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from genesis_lib.model import Blocking, Finding, Verdict
from genesis_lib.readiness.checklist import Tick
from genesis_lib.views.finding_tables import checklist, claims, findings
from genesis_lib.views.markup import Html
from tests.views import hostile
from tests.views.judgements import day0, finding, go, waived

RUN = "outputs/demo/20261124T060000Z"


def _words(html: str) -> str:
    """The text of markup."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html.replace("<wbr>", ""))).strip()


def shown_of(found: Sequence[Finding], *, only: Collection[Verdict] = tuple(Verdict)) -> Html:
    return findings(found, run=RUN, only=only)


def test_a_finding_that_is_not_good_is_shown_with_all_that_it_says() -> None:
    f = finding("targets.up", "node", Verdict.FAIL, observed="0 of 1", expected="1 of 1", reason="it is down", hint="start it",
                because_of="services.ready[prometheus]", waiver="until Monday")  # fmt: skip
    words = _words(shown_of([f]).markup)
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
    shown = shown_of(go().findings).markup
    assert shown.count("<table") == 1
    assert shown.count('<th scope="row"') == 12
    assert "IntermittentTestFailures" in _words(shown)


def test_every_finding_is_named_and_its_evidence_kept() -> None:
    judgement = day0()
    shown = shown_of(judgement.findings).markup
    for f in judgement.findings:
        assert f.subject.rpartition(" / ")[2] in _words(shown)
        assert f.evidence[0][:12] in shown


def test_what_follows_stands_behind_its_root_and_the_worst_comes_first() -> None:
    root = finding("targets.up", "node", Verdict.UNKNOWN)
    follower = finding("dashboards.panel", "CPU", Verdict.FAIL, because_of=root.id)
    worse = finding("rules.loaded", "HighCPUUsage", Verdict.FAIL)
    words = _words(shown_of([follower, root, worse]).markup)
    assert words.index("HighCPUUsage") < words.index("node") < words.index("CPU dashboards.panel")


def test_findings_that_follow_from_each_other_are_shown_all_the_same() -> None:
    one = finding("a.b", "one", Verdict.FAIL, because_of="a.b[two]")
    two = finding("a.b", "two", Verdict.FAIL, because_of="a.b[one]")
    words = _words(shown_of([one, two]).markup)
    assert "one" in words
    assert "two" in words


def test_only_the_verdicts_asked_for_are_shown() -> None:
    shown = shown_of(day0().findings, only=(Verdict.UNKNOWN,)).markup
    assert "grafana" in shown
    assert "FAIL" not in shown
    assert "node-exporter" not in shown


def test_a_waiver_is_shown_with_its_reason() -> None:
    assert "Waived: not deployed before Monday" in _words(shown_of(waived().findings).markup)


def test_no_findings_are_said_to_be_none() -> None:
    assert "There are no such findings." in shown_of([]).markup
    assert "There are no such findings." in repr(shown_of([]))


def test_hostile_findings_are_escaped_everywhere() -> None:
    everywhere = "".join(hostile.ALL)
    f = finding(everywhere, everywhere, Verdict.FAIL, observed=everywhere, expected=everywhere, reason=everywhere,
                hint=everywhere, because_of=everywhere, waiver=everywhere)  # fmt: skip
    for shown in (shown_of([f]), shown_of([finding(everywhere, everywhere, observed=everywhere)])):
        assert not re.search(r"<(script|img)|\u202e|\x1b", shown.markup)
        shown.markup.encode()


def test_five_thousand_findings_are_drawn() -> None:
    many = [
        finding("targets.up", f"node-{n}", Verdict.FAIL if n % 2 else Verdict.PASS, reason=f"reason {n}")
        for n in range(5000)
    ]
    shown = shown_of(many).markup
    assert shown.count("<tr") == 2500 + 1 + 1 + 1


def test_beside_what_blocks_stands_the_command_that_excuses_it() -> None:
    blocking = finding("targets.up", "it's node", Verdict.FAIL)
    words = _words(shown_of([blocking]).markup)
    assert f"./genesis waive {RUN} 'targets.up[it'\"'\"'s node]' --reason" in words.replace("&#x27;", "'").replace(
        "&quot;", '"'
    )


@pytest.mark.parametrize(
    "harmless",
    [
        finding("targets.up", "node"),
        finding("targets.up", "node", Verdict.WARN),
        replace(finding("targets.up", "node", Verdict.FAIL), blocking=Blocking.NONE),
        finding("targets.up", "node", Verdict.FAIL, waiver="until Monday"),
    ],
)
def test_what_does_not_block_needs_no_excuse(harmless: Finding) -> None:
    assert "genesis waive" not in _words(shown_of([harmless]).markup)


def test_a_ticked_line_shows_verdict_what_was_seen_and_evidence() -> None:
    lines = [
        Tick(section="Rules", text="13 rules loaded", verdict=Verdict.UNKNOWN, said="no answer", evidence=("e-3",)),
        Tick(section="Rules", text="Grafana is up", verdict=None, said="not part of this environment", evidence=()),
    ]
    shown = checklist(lines, caption="Final checklist")
    words = _words(shown.markup)
    assert "Rules 13 rules loaded ? UNKNOWN no answer Evidence (1) e-3" in words
    assert words.count("Rules") == 1
    assert words.endswith("Grafana is up not part of this environment")
    assert "UNKNOWN" in repr(shown)


def test_all_claims_of_a_subject_stand_together() -> None:
    found = [finding("resources.load", "b"), finding("resources.load", "a"), finding("resources.memory_total", "b")]
    words = _words(claims(found, caption="Resources").markup)
    assert words.index("memory total") < words.index(" a ")


def test_a_check_that_found_nothing_says_so() -> None:
    assert "Nothing of this is part of the environment." in claims([], caption="Containers").markup
