"""report.json holds the whole judgement, the same bytes each time."""

import json
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest

from genesis_lib.model import Verdict
from genesis_lib.report.machine import to_json
from tests.views import hostile
from tests.views.judgements import day0, finding, go, judged, waived


def _read(written: bytes) -> dict[str, Any]:
    return dict(json.loads(written))


def test_it_holds_what_a_machine_acts_upon() -> None:
    document = _read(to_json(day0()))
    assert document["schema_version"] == 1
    assert (document["decision"], document["exit_code"]) == ("NO_GO", 2)
    assert (document["environment"], document["run_id"]) == ("day0", "20251020T191526Z")
    assert document["as_of"] == "2025-10-20T19:15:26Z"
    assert document["valid_until"] == "2025-10-21T19:15:26Z"
    assert document["score"] == pytest.approx(day0().card.overall, abs=1e-6)
    assert document["not_applicable"] == ["This environment has no Docker engine, so containers were not looked at."]
    assert any("genesis-tests" in reason for reason in document["reasons"])


def test_every_finding_is_whole() -> None:
    judgement = day0()
    found = {f["id"]: f for f in _read(to_json(judgement))["findings"]}
    assert len(found) == len(judgement.findings)
    for f in judgement.findings:
        written = found[f.id]
        for name in (
            "check",
            "subject",
            "verdict",
            "blocking",
            "observed",
            "expected",
            "reason",
            "hint",
            "owner",
            "because_of",
            "waiver",
        ):
            assert written[name] == getattr(f, name)
        assert written["evidence"] == list(f.evidence)


def test_sections_count_their_findings_and_deductions_add_up() -> None:
    document = _read(to_json(day0()))
    counted = sum(sum(section["verdicts"].values()) for section in document["sections"])
    assert counted == len(document["findings"])
    assert sum(d["points"] for d in document["deductions"]) == pytest.approx(10 - document["score"], abs=1e-4)


def test_waivers_are_kept_with_their_reason() -> None:
    document = _read(to_json(waived()))
    assert document["headline"] == "GO with 2 waivers"
    assert len(document["waived"]) == 2
    assert {f["waiver"] for f in document["findings"]} == {"", "not deployed before Monday"}


def test_a_go_lost_nothing() -> None:
    document = _read(to_json(go()))
    assert (document["decision"], document["exit_code"], document["score"], document["deductions"]) == (
        "GO",
        0,
        10.0,
        [],
    )


def test_the_same_judgement_is_the_same_bytes_in_any_zone() -> None:
    there = timezone(timedelta(hours=9))
    assert to_json(day0()) == to_json(replace(day0(), as_of=day0().as_of.astimezone(there)))


def test_keys_are_sorted_and_numbers_have_no_noise() -> None:
    written = to_json(replace(day0(), skew_s=-1e-12))
    assert json.dumps(json.loads(written), sort_keys=True, indent=1, ensure_ascii=False) + "\n" == written.decode()
    assert b"-0.0" not in written
    assert max(len(str(d["points"])) for d in json.loads(written)["deductions"]) <= 8


@pytest.mark.parametrize("text", hostile.ALL)
def test_hostile_text_is_kept_exactly(text: str) -> None:
    written = to_json(judged([finding("targets.up", text, Verdict.FAIL, reason=text)], environment="x", title=text))
    document = json.loads(written.decode("utf-8"))
    assert document["findings"][0]["reason"] == text
    assert document["title"] == text
