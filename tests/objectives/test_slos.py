"""`slos.yaml` is refused with file, line, key and mend wherever it says what cannot be meant, and so is what an environment overrides."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from genesis_lib import strict_yaml
from genesis_lib.errors import ParameterError
from genesis_lib.objectives.slos import Slos
from genesis_lib.params import Environment, load_environment
from genesis_lib.policy import load_policy

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "params" / "policy" / "slos.yaml"


def load(folder: Path, old: str, new: str) -> Slos:
    """The shipped objectives with one thing changed."""
    text = SHIPPED.read_text()
    assert old in text
    (folder / "slos.yaml").write_text(text.replace(old, new, 1))
    return strict_yaml.load(folder / "slos.yaml", shown_as="slos.yaml").parse(Slos)


def shipped() -> Slos:
    return load_policy(SHIPPED.parent, root=ROOT).slos


ERROR_RATE = "target: 0.001\n    warning: 0.0005\n    critical: 0.001"
TEST_RATE = "target: 0.98\n    warning: 0.99\n    critical: 0.98"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            TEST_RATE,
            "target: 0.98\n    warning: 0.97\n    critical: 0.98",
            "slos.0 critical 0.98 is stricter than warning 0.97; where higher is better, critical must be at most warning",
            id="critical above warning, where higher is better",
        ),
        pytest.param(
            ERROR_RATE,
            "target: 0.0005\n    warning: 0.002\n    critical: 0.001",
            "slos.1 critical 0.001 is stricter than warning 0.002; where lower is better, critical must be at least warning",
            id="critical below warning, where lower is better",
        ),
        pytest.param(
            TEST_RATE,
            "target: 0.97\n    warning: 0.99\n    critical: 0.98",
            "slos.0 critical 0.98 is stricter than target 0.97: what meets the target would fail",
            id="critical stricter than the target, where higher is better",
        ),
        pytest.param(
            ERROR_RATE,
            "target: 0.002\n    warning: 0.0005\n    critical: 0.001",
            "slos.1 critical 0.001 is stricter than target 0.002: what meets the target would fail",
            id="critical stricter than the target, where lower is better",
        ),
        pytest.param("unit: ratio", "", "slos.0.unit is missing; add it", id="no unit"),
        pytest.param(
            "unit: ratio", "unit: percent", "slos.0.unit must be 'ratio', 'seconds'", id="a unit that there is not"
        ),
        pytest.param(
            "unit: seconds",
            "unit: ratio",
            "slos.2 unit ratio does not fit: an indicator of kind latency is in seconds",
            id="a unit that does not fit",
        ),
        pytest.param(
            "better: higher",
            "better: lower",
            "slos.0 better lower does not fit: of this indicator higher values are better",
            id="good events of which fewer are better",
        ),
        pytest.param(
            "{kind: events, bad: genesis_errors_total,",
            "{kind: events, good: genesis_errors_total,",
            "slos.1 better lower does not fit: of this indicator higher values are better",
            id="bad events given as good",
        ),
        pytest.param(
            TEST_RATE,
            "target: 98\n    warning: 99\n    critical: 98",
            "slos.0 target, warning and critical are ratios between 0 and 1: 98 % is 0.98",
            id="percentages",
        ),
        pytest.param(
            "target: 0.7\n    warning: 0.8\n    critical: 0.9",
            "target: 70\n    warning: 80\n    critical: 90",
            "slos.7 target, warning and critical are ratios between 0 and 1",
            id="percentages of a value, which would always be met",
        ),
        pytest.param("target: 0.2\n", "target: .nan\n", "slos.2.target must be a finite number", id="no number"),
        pytest.param(
            "good: genesis_tests_passed_total",
            "good: 'genesis_tests_passed_total{'",
            "slos.0.indicator.good is no PromQL: ",
            id="a selector with a syntax error",
        ),
        pytest.param(
            "query: 1 - node_memory_MemAvailable_bytes / node",
            "query: 1 - node_memory_MemAvailable_bytes // node",
            "slos.7.indicator.query is no PromQL: ",
            id="a query with a syntax error",
        ),
        pytest.param(
            "total: genesis_tests_total",
            "total: sum(genesis_tests_total)",
            "slos.0.indicator.total must be one metric's name, with matchers or without",
            id="a function where a selector is wanted",
        ),
        pytest.param(
            "total: genesis_tests_total",
            "total: genesis_tests_total offset 5m",
            "slos.0.indicator.total must be one metric's name, with matchers or without",
            id="a selector of another time",
        ),
        pytest.param(
            "good: genesis_tests_passed_total",
            "bad: x_total, good: genesis_tests_passed_total",
            "slos.0.indicator needs either good or bad, and total",
            id="good events and bad ones",
        ),
        pytest.param(
            "good: genesis_tests_passed_total,", "", "slos.0.indicator needs either good or bad", id="neither of them"
        ),
        pytest.param(
            "good: genesis_tests_passed_total",
            "absent_bad: zero, good: genesis_tests_passed_total",
            "slos.0.indicator absent_bad is about bad events, and this counts good ones",
            id="absent bad events where good ones are counted",
        ),
        pytest.param(
            "good: genesis_tests_passed_total",
            "goood: genesis_tests_passed_total",
            "slos.0.indicator.goood is unknown; did you mean slos.0.indicator.good?",
            id="a misspelled key inside an indicator",
        ),
        pytest.param(
            "quantile: 0.95",
            "quantle: 0.95",
            "slos.2.indicator.quantle is unknown; did you mean slos.2.indicator.quantile?",
            id="a misspelled key of another kind of indicator",
        ),
        pytest.param(
            "kind: latency",
            "kind: latncy",
            "slos.2.indicator.kind must be one of 'events', 'latency', 'slices', 'value'",
            id="a kind that there is not",
        ),
        pytest.param("kind: latency, ", "", "slos.2.indicator.kind is missing; add it", id="no kind"),
        pytest.param("long: 1h,", "lnog: 1h,", "did you mean burn_windows.7d.0.long?", id="a misspelled alert window"),
        pytest.param(
            "{long: 1h, short: 5m,",
            "{long: 1h, short: 1h,",
            "burn_windows.7d.0 short must be shorter than long",
            id="a short window that is none",
        ),
        pytest.param("window: 2h", "window: 2 hours", "slos.0.window must be a duration such as 5m", id="a duration"),
        pytest.param("window: 2h", "window: 7200", "slos.0.window must be a duration such as 5m", id="bare seconds"),
        pytest.param("window: 2h", "window: 0s", "slos.0.window must be a duration such as 5m", id="no length at all"),
        pytest.param("window: 2h", "window: 8d", "slos.0 window 8d is longer than period 7d", id="a window too long"),
        pytest.param(
            "window: 2h",
            "window: 2h\n    period: 14d",
            "has no burn_windows for the period 14d; known: 7d, 28d, 30d; add them",
            id="a period without alert windows",
        ),
        pytest.param(
            "{long: 3d, short: 6h, budget: 0.42",
            "{long: 8d, short: 6h, budget: 0.42",
            "burn_windows: 8d is longer than 7d",
            id="an alert window longer than its period",
        ),
        pytest.param(
            "critical: 0.99\n    window: 1d",
            "critical: 0.99\n    window: 6h",
            "slos.3 window 6h holds 360 slices of 1m, and 500 are needed (min_events; by default 5 / critical error ratio): "
            "it can never be judged; lengthen the window to 500m, or lower min_events",
            id="a window that can never hold enough slices",
        ),
        pytest.param(
            "name: error_rate",
            "name: test_pass_rate",
            "names test_pass_rate twice; names are unique",
            id="two of a name",
        ),
        pytest.param("name: error_rate", "name: Error rate", "slos.1.name", id="a name that is no label"),
        pytest.param(
            "census: true",
            "no_data: not_applicable",
            "slos.0 no_data: not_applicable needs its reason, as no_data_reason",
            id="not applicable without a reason",
        ),
        pytest.param("confidence: 0.95", "confidence: 95", "confidence must be less than 1", id="a share over 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError) as refusal:
        load(tmp_path, old, new)
    assert str(refusal.value).startswith("slos.yaml")
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        pytest.param("good: genesis_tests_passed_total", "goood: x_total", "goood", id="a misspelled key"),
        pytest.param("total: genesis_operations_total", "total: sum(x_total)", "sum(x_total)", id="a value"),
        pytest.param(
            "      time_target: 0.95", "      tim_target: 0.95", "tim_target", id="a key on a line of its own"
        ),
    ],
)
def test_the_line_named_is_the_line_in_the_file(old: str, new: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError) as refusal:
        load(tmp_path, old, new)
    lines = (tmp_path / "slos.yaml").read_text().splitlines()
    named = re.match(r"slos.yaml, line (\d+): ", str(refusal.value))
    assert named
    assert key in lines[int(named[1]) - 1]


def test_policy_is_read_the_same_way(tmp_path: Path) -> None:
    for file in SHIPPED.parent.glob("*.yaml"):
        (tmp_path / file.name).write_text(file.read_text().replace("title: CPU usage", "ttile: CPU usage"))
    with pytest.raises(
        ParameterError, match=r"slos\.yaml, line \d+: slos\.8\.ttile is unknown; did you mean slos\.8\.title\?"
    ):
        load_policy(tmp_path, root=tmp_path)


@pytest.mark.parametrize(
    ("period", "factors"),
    [
        pytest.param("7d", [13.44, 3.5, 1.4, 0.98], id="7 days"),
        pytest.param("28d", [13.44, 5.6, 2.8, 28 / 30], id="28 days"),
        pytest.param("30d", [14.4, 6, 3, 1], id="30 days: the SRE workbook's"),
    ],
)
def test_alert_factors_follow_from_the_period(period: str, factors: list[float], tmp_path: Path) -> None:
    slos = load(tmp_path, "period: 7d", f"period: {period}")
    length = slos.slos[0].period
    assert [w.factor(length) for w in slos.windows_of(length)] == pytest.approx(factors, rel=1e-12)


def environment(folder: Path, overrides: str) -> Environment:
    path = folder / "elsewhere.yaml"
    text = (ROOT / "params" / "production.yaml").read_text().replace("../monitoring", str(ROOT / "monitoring"))
    path.write_text(f"{text}\nslos:\n  {overrides}\n")
    return load_environment(str(path), root=ROOT)


def test_an_environment_has_its_own_target_and_the_rest_of_policy(tmp_path: Path) -> None:
    overrides = environment(tmp_path, "error_rate: {target: 0.01, critical: 0.02, window: 2h, period: 30d}").slos
    found = {one.name: one for one in shipped().in_environment(overrides, shown_as="elsewhere.yaml")}
    changed, policy = found["error_rate"], {one.name: one for one in shipped().slos}
    assert (changed.target, changed.warning, changed.critical) == (0.01, 0.0005, 0.02)
    assert (changed.window, changed.period) == (timedelta(hours=2), timedelta(days=30))
    assert changed.indicator == policy["error_rate"].indicator
    assert [one for name, one in found.items() if name != "error_rate"] == [
        one for name, one in policy.items() if name != "error_rate"
    ]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        pytest.param(
            "eror_rate: {target: 0.01}",
            "elsewhere.yaml: slos.eror_rate is no objective of policy; known: test_pass_rate, error_rate,",
            id="of an objective that there is not",
        ),
        pytest.param(
            "error_rate: {target: 0.01}",
            "elsewhere.yaml: slos.error_rate: critical 0.001 is stricter than target 0.01",
            id="that makes the thresholds wrong",
        ),
        pytest.param(
            "error_rate: {period: 14d}",
            "elsewhere.yaml: slos.error_rate has no burn_windows for the period 14d; known: 7d, 28d, 30d; add them",
            id="of a period without alert windows",
        ),
        pytest.param(
            "service_uptime: {window: 1h}",
            "elsewhere.yaml: slos.service_uptime: window 1h holds 60 slices of 1m, and 500 are needed",
            id="that can never be judged",
        ),
        pytest.param(
            "error_rate: {indicator: {kind: events, bda: x_total, total: y_total}}",
            "slos.error_rate.indicator.bda is unknown; did you mean slos.error_rate.indicator.bad?",
            id="that misspells a key inside an indicator",
        ),
        pytest.param(
            "error_rate: {unit: seconds}", "slos.error_rate.unit is unknown; known here: critical", id="of the unit"
        ),
    ],
)
def test_an_override_is_refused(override: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError) as refusal:
        shipped().in_environment(environment(tmp_path, override).slos, shown_as="elsewhere.yaml")
    assert message in str(refusal.value)
