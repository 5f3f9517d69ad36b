"""Verdicts by the report's thresholds, exact at their boundaries; what stands beside them; and Wilson's interval."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.model import Cause, Missing, Verdict, worst
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.facts import ObjectiveFacts
from genesis_lib.slo.recorded import Counts
from genesis_lib.slo.status import Status, status, verdict_of, wilson
from tests import builders
from tests.slo.history import made
from tests.slo.invented import facts

SHIPPED = {one.name: one for one in builders.policy().slos.slos}
UNKNOWN, PASS, WARN, FAIL = Verdict.UNKNOWN, Verdict.PASS, Verdict.WARN, Verdict.FAIL
LOST = Missing(cause=Cause.UNREACHABLE, detail="prometheus refused the connection")
NONE = Missing(cause=Cause.NO_DATA, detail="there are no series of total events")
GOOD = {"kind": "events", "good": "good_total", "total": "all_total"}
VALUE = {"kind": "value", "query": "x", "time_target": 0.95}


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        pytest.param("test_pass_rate", 0.995, PASS, id="99.5 % of tests"),
        pytest.param("test_pass_rate", 0.99, PASS, id="99 %: not beyond warning"),
        pytest.param("test_pass_rate", 0.9828, WARN, id="98.28 %, the report's own"),
        pytest.param("test_pass_rate", 0.98, WARN, id="98 %: not beyond critical"),
        pytest.param("test_pass_rate", 0.979999, FAIL, id="a little under 98 %"),
        pytest.param("error_rate", 0.0005, PASS, id="0.05 % of errors"),
        pytest.param("error_rate", 0.00051, WARN, id="a little over 0.05 %"),
        pytest.param("error_rate", 0.001, WARN, id="0.1 %: the target is to be under it"),
        pytest.param("error_rate", 0.0010001, FAIL, id="a little over 0.1 %"),
        pytest.param("latency_p95", 0.15, PASS, id="P95 150 ms"),
        pytest.param("latency_p95", 0.151, WARN, id="P95 151 ms"),
        pytest.param("latency_p95", 0.2, WARN, id="P95 200 ms"),
        pytest.param("latency_p95", 0.2001, FAIL, id="P95 over 200 ms"),
        pytest.param("service_uptime", 0.999, PASS, id="uptime 99.9 %"),
        pytest.param("service_uptime", 0.998, WARN, id="uptime 99.8 %: the target is missed, within warning"),
        pytest.param("service_uptime", 0.9949, WARN, id="uptime under 99.5 %"),
        pytest.param("service_uptime", 0.99, WARN, id="uptime 99 %"),
        pytest.param("service_uptime", 0.9899, FAIL, id="uptime under 99 %"),
        pytest.param("monitoring_uptime", 1.0, PASS, id="monitoring always up"),
        pytest.param("htdag_p95", 0.149, PASS, id="HTDAG 149 ms"),
        pytest.param("htdag_p95", 0.15, WARN, id="HTDAG 150 ms: the target is to be under it"),
        pytest.param("htdag_p95", 0.2, WARN, id="HTDAG 200 ms"),
        pytest.param("htdag_p95", 0.201, FAIL, id="HTDAG 201 ms"),
        pytest.param("halo_p95", 0.139, PASS, id="HALO 139 ms"),
        pytest.param("halo_p95", 0.14, WARN, id="HALO 140 ms"),
        pytest.param("halo_p95", 0.18, WARN, id="HALO 180 ms"),
        pytest.param("halo_p95", 0.181, FAIL, id="HALO 181 ms"),
        pytest.param("memory", 0.69, PASS, id="memory 69 %"),
        pytest.param("memory", 0.7, WARN, id="memory 70 %: the target is missed, within warning"),
        pytest.param("memory", 0.9, WARN, id="memory 90 %"),
        pytest.param("memory", 0.901, FAIL, id="memory over 90 %"),
        pytest.param("cpu", 0.59, PASS, id="CPU 59 %"),
        pytest.param("cpu", 0.6, WARN, id="CPU 60 %"),
        pytest.param("cpu", 0.9, WARN, id="CPU 90 %"),
        pytest.param("cpu", 0.901, FAIL, id="CPU over 90 %"),
    ],
)
def test_the_reports_objectives(name: str, value: float, verdict: Verdict) -> None:
    found, reason = verdict_of(SHIPPED[name], value)
    assert found is verdict
    if found is not FAIL:
        assert ("is met" if SHIPPED[name].meets_target(value) else "is missed") in reason


@given(st.lists(st.floats(min_value=0, max_value=1), min_size=5, max_size=5), st.sampled_from(["higher", "lower"]))
def test_a_worse_value_never_gets_a_better_verdict(numbers: list[float], better: str) -> None:
    target, warning, any_number, one, other = numbers
    critical = (min if better == "higher" else max)(target, warning, any_number)
    objective = made(indicator=VALUE, better=better, target=target, warning=warning, critical=critical)
    worse, kinder = sorted((one, other), reverse=better == "lower")
    verdicts = [verdict_of(objective, value)[0] for value in (worse, kinder)]
    assert worst(verdicts) is verdicts[0]


def of(found: ObjectiveFacts) -> Status:
    return status(found, at=builders.AT)


@pytest.mark.parametrize(
    ("other", "bad", "value", "distance"),
    [
        pytest.param({}, 5, 0.005, 0.005, id="bad events under the target lie on its good side"),
        pytest.param({}, 20, 0.02, -0.01, id="bad events over it do not"),
        pytest.param(
            {"indicator": GOOD, "better": "higher", "target": 0.98, "warning": 0.98, "critical": 0.9},
            10,
            0.99,
            0.01,
            id="good events over the target lie on its good side",
        ),
    ],
)
def test_the_distance_to_the_target(other: dict[str, Any], bad: float, value: float, distance: float) -> None:
    found = of(facts(made(**other), bad=bad, total=1000))
    assert (found.value, found.distance, found.events) == (value, distance, 12_000.0)


@pytest.mark.parametrize(
    ("no_data", "missing", "verdict"),
    [
        pytest.param({}, NONE, UNKNOWN, id="is unknown"),
        pytest.param({"no_data": "fail"}, NONE, FAIL, id="fails where policy says so"),
        pytest.param({"no_data": "fail"}, LOST, UNKNOWN, id="does not fail where nobody could be asked"),
        pytest.param(
            {"no_data": "not_applicable", "no_data_reason": "not deployed yet"}, NONE, UNKNOWN, id="is not a pass"
        ),
    ],
)
def test_no_data(no_data: dict[str, Any], missing: Missing, verdict: Verdict) -> None:
    objective = made(**no_data)
    found = of(facts(objective, bad=0, total=1000, counts={objective.window: Counts(bad=missing, total=missing)}))
    assert (found.verdict, found.reason, found.value) == (verdict, missing.detail, missing)


def test_an_answer_that_the_server_warns_of_is_at_best_a_remark() -> None:
    assert of(facts(made(), bad=0, total=1000)).verdict is PASS
    warned = of(facts(made(), bad=0, total=1000, warnings=("store gateway unreachable",)))
    assert warned.verdict is WARN
    assert warned.reason.endswith("Prometheus warned: store gateway unreachable")
    assert of(facts(made(), bad=900, total=1000, warnings=("x",))).verdict is FAIL


def test_a_window_of_which_too_little_was_seen_is_unknown() -> None:
    total = np.full(2 * 2016, 1000.0)
    total[-3] = np.nan
    assert of(facts(made(), bad=0, total=total)).verdict is UNKNOWN
    assert of(facts(made(window="2h"), bad=0, total=total)).verdict is PASS


@pytest.mark.parametrize(
    ("objective", "reason"),
    [
        pytest.param(made(census=True), "a census", id="a census"),
        pytest.param(made(indicator=VALUE), "time slices follow from one another", id="time slices"),
    ],
)
def test_there_is_no_interval_where_there_is_nothing_to_estimate(objective: Objective, reason: str) -> None:
    interval = of(facts(objective, bad=1, total=1000)).interval
    assert isinstance(interval, Missing)
    assert reason in interval.detail


def test_the_interval_is_of_the_value_that_is_shown() -> None:
    bad = of(facts(made(), bad=5, total=1000)).interval
    good = of(
        facts(made(indicator=GOOD, better="higher", target=0.9, critical=0.9, warning=0.9), bad=5, total=1000)
    ).interval
    assert not isinstance(bad, Missing)
    assert not isinstance(good, Missing)
    assert (bad.low, bad.high) == pytest.approx((1 - good.high, 1 - good.low))
    assert bad.low < 0.005 < bad.high


@pytest.mark.parametrize(
    ("some", "count", "low", "high"),
    [
        pytest.param(81, 263, 0.2553, 0.3662, id="81 of 263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="15 of 148"),
        pytest.param(0, 20, 0.0, 0.1611, id="none of 20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1 of 29"),
    ],
)
def test_wilsons_interval_is_the_published_one(some: int, count: int, low: float, high: float) -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I, method 3."""
    found = wilson(some / count, count, confidence=0.95)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(
    st.floats(min_value=0, max_value=1),
    st.floats(min_value=0.5, max_value=1e9),
    st.floats(min_value=0.5, max_value=0.999),
)
def test_wilsons_interval_stays_between_none_and_all_and_holds_the_share(
    share: float, count: float, confidence: float
) -> None:
    found = wilson(share, count, confidence=confidence)
    assert 0 <= found.low <= share + 1e-12
    assert share - 1e-12 <= found.high <= 1
    more = wilson(share, 4 * count, confidence=confidence)
    assert more.high - more.low <= found.high - found.low + 1e-12


def test_windows_of_an_hour_hold_twelve_tiles() -> None:
    assert facts(made(), bad=1, total=10).counts[timedelta(hours=1)] == Counts(bad=12.0, total=120.0)
