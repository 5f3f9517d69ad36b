"""Objectives for machines: versioned, strict JSON, with infinity and absence told apart from numbers."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from genesis_lib.model import Verdict
from genesis_lib.report.slo_json import to_json
from genesis_lib.slo.budget import Forecast
from genesis_lib.slo.status import Status
from tests.builders import AT, make_finding
from tests.views import hostile
from tests.views.statuses import NO_SERIES, blind, burns, failing, objective, status, without_budget


def written(*statuses: Status, **other: Any) -> str:
    arguments: dict[str, Any] = {
        "findings": [],
        "environment": "demo",
        "run_id": "r",
        "as_of": AT,
        "exit_code": 1,
        "requests": 31,
    }
    return to_json(statuses, **(arguments | {"not_applicable": {}} | other))


def document(*statuses: Status, **other: Any) -> dict[str, Any]:
    def refuse(name: str) -> float:
        raise ValueError(f"{name} is no JSON")

    read: dict[str, Any] = json.loads(written(*statuses, **other), parse_constant=refuse)
    return read


def test_the_head_says_what_was_judged_when_and_how_it_ended() -> None:
    head = document(not_applicable={"HALO": "there is none"}, as_of=AT.astimezone(timezone(timedelta(hours=2))))
    assert head == {
        "schema_version": 1,
        "environment": "demo",
        "run_id": "r",
        "as_of": "2026-11-24T06:00:00Z",
        "exit_code": 1,
        "requests": 31,
        "not_applicable": {"HALO": "there is none"},
        "objectives": [],
        "findings": [],
    }


def test_ratios_are_ratios_and_lengths_are_seconds() -> None:
    (one,) = document(status(value=0.0003))["objectives"]
    assert (one["name"], one["value"], one["target"], one["budget_ratio"]) == ("error_rate", 0.0003, 0.001, 0.001)
    assert (one["window_s"], one["period_s"]) == (3600, 604_800)
    assert one["budget"] == {
        "left": 0.8,
        "left_s": 483.84,
        "left_events": 80,
        "allowed_events": 100,
        "is_spent": False,
    }
    assert one["burn_rates"][2] == {
        "long_s": 86_400,
        "short_s": 7200,
        "budget_share": 0.2,
        "severity": "ticket",
        "factor": 1.4,
        "is_reachable": True,
        "long": 0.2,
        "short": 0.2,
        "fires": False,
    }


def test_what_is_missing_says_why_everywhere() -> None:
    (one,) = document(blind())["objectives"]
    missing = {"missing": "no data", "detail": NO_SERIES.detail, "evidence": "e-none"}
    told = [one[key] for key in ("value", "distance", "events", "interval", "budget", "forecast")]
    told += [one["in_period"][key] for key in ("bad_events", "total_events", "attained", "trend")]
    told += [rate[side] for rate in one["burn_rates"] for side in ("long", "short")]
    assert told == [missing] * 18
    assert {rate["fires"] for rate in one["burn_rates"]} == {None}
    assert one["worst"] is None


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        pytest.param(math.inf, "+Inf", id="infinity is a string"),
        pytest.param(0.1 + 0.2, 0.3, id="noise is none"),
        pytest.param(1.234e-9, 1.234e-9, id="small is not zero"),
        pytest.param(-0.0, 0.0, id="zero has no sign"),
    ],
)
def test_numbers_are_what_json_can_hold(rate: float, shown: float | str) -> None:
    of = objective()
    (one,) = document(status(of, burns=burns(of, rate)))["objectives"]
    assert one["burn_rates"][0]["long"] == shown
    assert '": -0.0' not in written(status(of, burns=burns(of, rate)))


def test_a_target_of_all_has_no_budget() -> None:
    (one,) = document(without_budget())["objectives"]
    assert one["budget_ratio"] == 0
    assert one["budget"]["missing"] == "undefined"


@pytest.mark.parametrize(
    ("spent_at", "shown"),
    [
        pytest.param(None, None, id="it lasts"),
        pytest.param(datetime(2026, 11, 27, 14, 20, tzinfo=UTC), "2026-11-27T14:20:00Z", id="it does not"),
    ],
)
def test_a_forecast_is_an_instant_or_none(spent_at: datetime | None, shown: str | None) -> None:
    ahead = Forecast(spent_at=spent_at, pace=timedelta(hours=6))
    (one,) = document(status(forecast=ahead))["objectives"]
    assert one["forecast"] == {"spent_at": shown, "pace_s": 21_600}


def test_the_verdict_is_the_worst_finding_and_the_status_is_of_the_value() -> None:
    found = [make_finding("slos.status", "Error rate"), make_finding("slos.budget", "Error rate", Verdict.FAIL)]
    told = document(status(), findings=found)
    (one,) = told["objectives"]
    assert (one["verdict"], one["status"]["verdict"]) == ("FAIL", "PASS")
    assert [f["id"] for f in told["findings"]] == ["slos.status[Error rate]", "slos.budget[Error rate]"]


def test_the_same_facts_are_the_same_bytes_with_sorted_keys() -> None:
    failed, found = failing()
    first, second = (written(failed, blind(), findings=found) for _ in range(2))
    assert first == second
    assert json.dumps(json.loads(first), sort_keys=True, indent=1) == first
    assert [one["status"]["verdict"] for one in json.loads(first)["objectives"]] == ["FAIL", "UNKNOWN"]


@pytest.mark.parametrize("text", hostile.ALL)
def test_any_text_from_outside_survives(text: str) -> None:
    (one,) = document(status(reason=text, warnings=(text,)))["objectives"]
    assert one["status"]["reason"] == one["warnings"][0] == text
    written(status(reason=text)).encode("ascii")
