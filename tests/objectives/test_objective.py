"""What follows from an objective's numbers: its budget, the events that are needed to judge it, and what meets or breaches it."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.objectives.objective import Objective
from tests import builders

SHIPPED = {one.name: one for one in builders.policy().slos.slos}
GOOD: dict[str, Any] = {"kind": "events", "good": "good_total", "total": "all_total"}
BAD: dict[str, Any] = {"kind": "events", "bad": "bad_total", "total": "all_total"}
LATENCY: dict[str, Any] = {"kind": "latency", "histogram": "x_seconds", "quantile": 0.99}
SLICES: dict[str, Any] = {"kind": "slices", "query": "up", "good": "== 1"}
VALUE: dict[str, Any] = {"kind": "value", "query": "x", "time_target": 0.9}


def make(indicator: dict[str, Any], *, better: str, target: float, critical: float, **other: Any) -> Objective:
    return Objective.model_validate(
        {
            "name": "one",
            "title": "One",
            "indicator": indicator,
            "unit": "seconds" if indicator is LATENCY else "ratio",
            "better": better,
            "target": target,
            "warning": critical,
            "critical": critical,
            "window": "7d",
            "period": "7d",
            "confidence": 0.95,
        }
        | other
    )


@pytest.mark.parametrize(
    ("name", "budget", "events"),
    [
        pytest.param("test_pass_rate", 0.02, 250, id="2 % of tests may fail, and 5 / 0.02 are needed"),
        pytest.param("error_rate", 0.001, 5_000, id="one operation in a thousand"),
        pytest.param("latency_p95", 0.05, 100, id="5 % may be slower than the P95"),
        pytest.param("service_uptime", 0.001, 500, id="critical decides how many are needed, not the target"),
        pytest.param("monitoring_uptime", 0.001, 500, id="the monitoring stack likewise"),
        pytest.param("htdag_p95", 0.05, 100, id="HTDAG"),
        pytest.param("halo_p95", 0.05, 100, id="HALO"),
        pytest.param("memory", 0.05, 1, id="5 % of the time; one value is enough to be judged"),
        pytest.param("cpu", 0.05, 1, id="CPU likewise"),
    ],
)
def test_the_objectives_of_the_report(name: str, budget: float, events: int) -> None:
    assert (SHIPPED[name].budget_ratio, SHIPPED[name].events_wanted) == (budget, events)


@pytest.mark.parametrize(
    ("objective", "budget", "events"),
    [
        pytest.param(make(GOOD, better="higher", target=1.0, critical=1.0), 0.0, 1, id="100 % leaves no budget"),
        pytest.param(make(BAD, better="lower", target=0.0, critical=0.0), 0.0, 1, id="nor does no bad event at all"),
        pytest.param(make(BAD, better="lower", target=0.03, critical=0.3), 0.03, 17, id="events are rounded up"),
        pytest.param(
            make(BAD, better="lower", target=0.1, critical=0.2, min_events=7), 0.1, 7, id="policy says how many"
        ),
        pytest.param(make(LATENCY, better="lower", target=0.2, critical=0.3), 0.01, 500, id="the slowest 1 %"),
        pytest.param(make(VALUE, better="lower", target=0.7, critical=0.9), 0.1, 1, id="10 % of the time"),
        pytest.param(make(SLICES, better="higher", target=0.999, critical=0.999), 0.001, 5_000, id="slices"),
    ],
)
def test_budget_and_events_follow_from_the_numbers(objective: Objective, budget: float, events: int) -> None:
    assert (objective.budget_ratio, objective.events_wanted) == (budget, events)


@given(st.floats(min_value=0.0001, max_value=0.9999))
def test_a_share_of_good_events_and_one_of_bad_events_have_the_same_budget(bad: float) -> None:
    of_bad = make(BAD, better="lower", target=bad, critical=bad)
    of_good = make(GOOD, better="higher", target=1 - bad, critical=1 - bad)
    assert of_good.budget_ratio == pytest.approx(of_bad.budget_ratio, abs=1e-12)  # it is rounded to so many places
    assert of_good.events_wanted == of_bad.events_wanted


@given(st.floats(min_value=0, max_value=1), st.floats(min_value=0, max_value=1))
def test_what_meets_the_target_is_never_worse_than_what_misses_it(one: float, other: float) -> None:
    for objective in (
        make(GOOD, better="higher", target=0.6, critical=0.5),
        make(BAD, better="lower", target=0.5, critical=0.6),
    ):
        if objective.meets_target(one) and not objective.meets_target(other):
            assert objective.is_worse(other, one)


@pytest.mark.parametrize("minutes", [1, 2, 5])
def test_a_window_that_just_holds_enough_slices_is_taken(minutes: int) -> None:
    indicator = SLICES | {"slice": f"{minutes}m"}
    made = make(indicator, better="higher", target=0.99, critical=0.98, window=f"{250 * minutes}m")
    assert made.window / timedelta(minutes=minutes) == made.events_wanted
    with pytest.raises(ValueError, match=f"holds 249 slices of {minutes}m, and 250 are needed"):
        make(indicator, better="higher", target=0.99, critical=0.98, window=f"{250 * minutes - 1}m")
