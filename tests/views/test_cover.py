"""The first page tells whether to go, and why, in plain words."""

import re
from dataclasses import replace

import pytest

from genesis_lib.model import Verdict
from genesis_lib.readiness.judgement import Judgement
from genesis_lib.views.cover import cover, page_facts
from tests.views import hostile
from tests.views.judgements import day0, finding, go, judged, waived


def _words(judgement: Judgement) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", cover(judgement).markup.replace("<wbr>", "")))


@pytest.mark.parametrize(
    ("judgement", "headline", "meaning"),
    [
        pytest.param(go(), "✓ GO", "Proceed.", id="all is proven"),
        pytest.param(waived(), "✓ GO with 2 waivers", "Proceed.", id="waivers are counted"),
        pytest.param(day0(), "✕ NO GO", "Do not proceed. 7 things stand in the way.", id="three targets are down"),
        pytest.param(
            judged([finding("rules.loaded", "HighCPUUsage", Verdict.UNKNOWN, reason="nobody knows")], environment="x", title="X"),
            "! HOLD", "Wait: readiness is not proven.", id="something cannot be told",
        ),
    ],
)  # fmt: skip
def test_the_decision_comes_first_in_plain_words(judgement: Judgement, headline: str, meaning: str) -> None:
    words = _words(judgement).strip()
    assert words.startswith(f"{headline} {meaning}")
    assert repr(cover(judgement)).startswith(headline)


def test_it_says_of_what_as_of_when_and_until_when() -> None:
    words = _words(day0())
    for said in (
        "Genesis on the morning of the day-0 report (day0)", "As of 2025-10-20 19:15:26 UTC", "Valid until 2025-10-21 19:15:26 UTC",
        "chunk 1 of 3", "2.0 of 10", "exit code 2", "genesis-team",
    ):  # fmt: skip
        assert said in words


def test_roots_that_forbid_come_first_and_what_follows_is_only_counted() -> None:
    words = _words(day0())
    order = [words.index(s) for s in ("genesis-orchestration", "genesis-tests", "genesis_tests_total_total", "grafana")]
    assert order == sorted(order)
    assert "12 other findings follow from this" in words
    assert "HTDAG latency" not in words


def test_a_root_says_what_to_do_and_who_does_it() -> None:
    words = _words(day0())
    assert "Do Start genesis-tests, or find out why nothing listens on port 8002. Owner: monitoring" in words


def test_what_the_environment_does_not_have_is_said() -> None:
    assert "This environment has no Docker engine" in _words(day0())


@pytest.mark.parametrize(("skew_s", "said"), [(42.0, "within 42 s after"), (-3.0, "within 3 s before")])
def test_the_distance_to_the_instant_judged_is_said(skew_s: float, said: str) -> None:
    assert said in _words(replace(go(), skew_s=skew_s)).replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_a_waiver_is_listed_with_its_reason() -> None:
    assert "genesis-tests (targets.up): not deployed before Monday" in _words(waived())


def test_many_roots_do_not_push_the_rest_off_the_page() -> None:
    down = [finding("targets.up", f"job-{n}", Verdict.FAIL, reason=f"port {n} is closed") for n in range(20)]
    words = _words(judged(down, environment="x", title="X"))
    assert "12 more in the findings below." in words
    assert "job-9" not in words


def test_every_reason_is_said_once() -> None:
    down = [finding("targets.up", "node", Verdict.FAIL, reason="node is down: connection refused")]
    words = _words(judged(down, environment="x", title="X"))
    assert words.count("node is down") == 1
    assert "node: node" not in words
    assert "is under the bar" in words


def test_roots_that_say_the_same_share_a_line() -> None:
    down = [finding("targets.up", f"job-{n}", Verdict.FAIL, reason="connection refused") for n in range(20)]
    assert cover(judged(down, environment="x", title="X")).markup.count("connection refused") == 1


def test_an_empty_section_is_a_reason_too() -> None:
    words = _words(judged([finding("services.ready", "prometheus")], environment="x", title="X"))
    assert "nothing was checked in it" in words


def test_hostile_text_is_escaped_on_the_first_page() -> None:
    everywhere = "".join(hostile.ALL)
    bad = [finding("targets.up", everywhere, Verdict.FAIL, reason=everywhere, hint=everywhere)]
    judgement = judged(bad, environment=everywhere, title=everywhere, not_applicable=[everywhere])
    assert not re.search(r"<(script|img)|\u202e|\x1b", cover(judgement).markup)


def test_the_page_learns_what_its_header_says() -> None:
    facts = cover(day0()).facts
    assert facts == page_facts(day0())
    assert facts["environment"] == "day0"
    assert facts["as_of"] == "2025-10-20T19:15:26+00:00"
    assert facts["decision"] == "NO GO"
