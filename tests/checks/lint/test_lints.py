"""What a query says wrongly is named, and what is right is left alone."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from genesis_lib import syntax
from genesis_lib.checks.ask.promql import Expression, parse
from genesis_lib.checks.lint.lints import Remark, Setting, lint
from genesis_lib.model import Verdict
from genesis_lib.policy import Bounds
from tests.conftest import PROJECT
from tests.expressions import EXPRESSIONS

DAY_S = 86400.0
KINDS = {
    "requests_total": "counter",
    "errors_total": "counter",
    "cpu_seconds_total": "counter",
    "received_bytes_total": "counter",
    "temperature": "gauge",
    "x": "histogram",
    "backlog_total": "gauge",
    "latency_seconds": "histogram",
    "native_seconds": "histogram",
    "fill": "histogram",
    "load": "summary",
    "raw": "unknown",
}


def setting(**changed: Any) -> Setting:
    usual: dict[str, Any] = {
        "interval_s": 15.0,
        "intervals_s": {"slow_total": 60.0},
        "kinds": KINDS,
        "retention_s": 15 * DAY_S,
        "for_s": None,
        "evaluation_s": 30.0,
        "unit": "",
        "recorded": frozenset({"recorded_rate"}),
        "window_intervals": Bounds(warn=4, fail=2),
    }
    return Setting(**(usual | changed))


def said(text: str, **changed: Any) -> dict[str, Verdict]:
    assert isinstance(parse(text), Expression), text
    return {remark.kind: remark.verdict for remark in lint(text, setting(**changed))}


def only(text: str, **changed: Any) -> Remark:
    (remark,) = lint(text, setting(**changed))
    return remark


FAIL, WARN = Verdict.FAIL, Verdict.WARN

WRONG = [
    # (a) windows
    ("rate(requests_total[20s])", {}, "rate-window", FAIL),
    ("rate(requests_total[30s])", {}, "rate-window", WARN),
    ("irate(requests_total[45s])", {}, "rate-window", WARN),
    ("delta(temperature[29s])", {}, "rate-window", FAIL),
    ("rate(slow_total[2m])", {}, "rate-window", WARN),
    ("rate(slow_total[1m])", {}, "rate-window", FAIL),
    ('rate({__name__="slow_total"}[1m])', {}, "rate-window", FAIL),
    ("deriv(recorded_rate[50s])", {}, "rate-window", FAIL),
    ("deriv(sum(temperature)[5m:3m])", {}, "rate-window", FAIL),
    ("deriv(sum(temperature)[1m:])", {}, "rate-window", WARN),
    ("rate(requests_total[30s:1s])", {}, "rate-window", WARN),
    ("max_over_time(rate(requests_total[20s])[1h:1m])", {}, "rate-window", FAIL),
    # (b) kinds
    ("rate(temperature[5m])", {}, "rate-of-gauge", WARN),
    ("increase(temperature[5m:1m])", {}, "rate-of-gauge", WARN),
    ("rate(backlog_total[5m])", {}, "rate-of-gauge", WARN),
    ("delta(requests_total[5m])", {}, "delta-of-counter", WARN),
    ("deriv(unheard_of_total[5m])", {}, "delta-of-counter", WARN),
    ("predict_linear(latency_seconds_count[1h], 3600)", {}, "delta-of-counter", WARN),
    # (c) histograms
    ("histogram_quantile(0.9, sum by (job) (rate(latency_seconds_bucket[5m])))", {}, "histogram-without-le", FAIL),
    ("histogram_quantile(0.9, sum(rate(latency_seconds_bucket[5m])) without (le))", {}, "histogram-without-le", FAIL),
    ("histogram_quantile(0.9, sum(job:latency_bucket:rate5m))", {}, "histogram-without-le", FAIL),
    ("histogram_quantile(0.9, latency_seconds_bucket)", {}, "histogram-since-start", WARN),
    ("histogram_quantile(0.9, sum by (le) (latency_seconds_bucket))", {}, "histogram-since-start", WARN),
    # (d) joins
    ("sum by (job) (a) / on (instance) b", {}, "join-on-dropped-label", FAIL),
    ("sum by (job) (a) / on (instance) group_right b", {}, "join-on-dropped-label", FAIL),
    ("sum by (job) (a) / sum by (instance) (b)", {}, "join-on-dropped-label", FAIL),
    ("sum(a) / b", {}, "join-on-dropped-label", FAIL),
    ("a / sum(b)", {}, "join-on-dropped-label", FAIL),
    ("a > sum(b)", {}, "join-on-dropped-label", FAIL),
    ("sum without (instance) (a) - b", {}, "join-on-dropped-label", FAIL),
    ("sum without (instance) (a) and on (job, instance) b", {}, "join-on-dropped-label", FAIL),
    ("a unless sum(b)", {}, "join-on-dropped-label", FAIL),
    ("a == vector(1)", {}, "join-on-dropped-label", FAIL),
    ("(sum by (job) (a) * on (job) group_right b) / sum(c)", {}, "join-on-dropped-label", FAIL),
    ('label_replace(sum(a), "job", "x", "", "") / b', {}, "join-on-dropped-label", FAIL),
    # (e) absence
    ("sum(requests) or vector(0)", {}, "hidden-absence", WARN),
    ("sum(requests) or on() vector(0)", {}, "hidden-absence", WARN),
    ("(requests or (vector(0))) > 1", {}, "hidden-absence", WARN),
    ("sum(requests) or vector(0) * 1", {}, "hidden-absence", WARN),
    ('sum by (job) (requests) or label_replace(vector(0), "job", "x", "", "")', {}, "hidden-absence", WARN),
    ("requests or absent(requests) * 0", {}, "hidden-absence", WARN),
    ("requests or (absent(requests) - 1)", {}, "hidden-absence", WARN),
    ("count(temperature > 40) or vector(0)", {}, "hidden-absence", WARN),
    # (f) absent()
    ("absent(requests_total)", {"for_s": 0.0}, "absent-too-soon", WARN),
    ("absent(requests_total)", {"for_s": 29.0}, "absent-too-soon", WARN),
    ("absent(slow_total)", {"for_s": 60.0}, "absent-too-soon", WARN),
    ("absent(sum(requests_total)) == 1", {"for_s": 0.0}, "absent-too-soon", WARN),
    ("absent_over_time(requests_total[20s])", {"for_s": 0.0}, "absent-too-soon", WARN),
    ("absent(recorded_rate)", {"for_s": 45.0}, "absent-too-soon", WARN),
    # (g) percentages
    ("rate(errors_total[5m]) * 100", {"unit": "percent"}, "rate-called-percentage", FAIL),
    ("100 * sum(rate(errors_total[5m])) > 0.1", {"for_s": 60.0}, "rate-called-percentage", FAIL),
    ("up == 0 or rate(errors_total[5m]) * 100 > 0.1", {}, "rate-called-percentage", FAIL),
    ("rate(errors_total[5m]) / 0.01", {"unit": "short"}, "rate-called-percentage", FAIL),
    ("sum(irate(errors_total[5m]))", {"unit": "percentunit"}, "rate-called-percentage", FAIL),
    ("rate(latency_seconds_count[5m])", {"unit": "ratio"}, "rate-called-percentage", FAIL),
    ("cpu_seconds_total", {"unit": "percent"}, "count-called-percentage", FAIL),
    ("sum(errors_total)", {"unit": "percentunit"}, "count-called-percentage", FAIL),
    ("increase(errors_total[1h])", {"unit": "percent"}, "count-called-percentage", FAIL),
    ("100 * rate(errors_total[5m]) / rate(requests_total[5m])", {"unit": "percentunit"}, "percent-called-ratio", FAIL),
    ("100 - avg(rate(cpu_seconds_total[5m])) * 100", {"unit": "ratio"}, "percent-called-ratio", FAIL),
    ("rate(errors_total[5m]) / rate(requests_total[5m])", {"unit": "percent"}, "ratio-called-percent", WARN),
    ("1 - free_bytes / size_bytes", {"unit": "percent"}, "ratio-called-percent", WARN),
    ("cache_hit_ratio", {"unit": "percent"}, "ratio-called-percent", WARN),
    # (h) retention
    ("increase(requests_total[16d])", {}, "beyond-retention", WARN),
    ("rate(requests_total[5m] offset 15d)", {}, "beyond-retention", WARN),
    ("requests offset 16d", {}, "beyond-retention", FAIL),
    ("avg_over_time(requests[8d] offset 8d)", {}, "beyond-retention", WARN),
    ("max_over_time(rate(requests_total[1h])[15d:1h])", {}, "beyond-retention", WARN),
    ("max_over_time(requests[1d:1h] offset 16d)", {}, "beyond-retention", FAIL),
]
RIGHT: list[tuple[str, Mapping[str, Any]]] = [
    ("rate(requests_total[1m])", {}),
    ("rate(slow_total[4m])", {}),
    ("increase(requests_total[2h]) / increase(errors_total[2h])", {}),
    ("max_over_time(temperature[10s])", {}),
    ("max_over_time(sum(temperature)[30s:15s])", {}),
    ("rate(requests_total[1m:15s])", {}),
    ("rate(raw[5m]) + delta(raw[5m]) + rate(unheard_of[5m])", {}),
    ("delta(temperature[5m])", {}),
    ("rate(native_seconds[5m])", {}),
    ("rate(latency_seconds_sum[5m]) / rate(latency_seconds_count[5m])", {}),
    ("rate(recorded_rate[5m])", {"kinds": {"recorded_rate": "gauge"}}),
    ("histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[5m])))", {}),
    ("histogram_quantile(0.9, sum without (instance) (rate(latency_seconds_bucket[5m])))", {}),
    ("histogram_quantile(0.9, sum by (job) (rate(native_seconds[5m])))", {}),
    ("histogram_quantile(0.9, native_seconds)", {}),
    ("histogram_quantile(0.9, job:latency_bucket:rate5m)", {}),
    ("histogram_quantile(0.9, latency_seconds_bucket - latency_seconds_bucket offset 1h)", {}),
    ("histogram_quantile(0.9, sizes_bucket)", {"kinds": {"sizes": "gaugehistogram"}}),
    ("sum(a) / sum(b)", {}),
    ("sum by (job) (a) / on (job) b", {}),
    ("a / on (job) group_left sum by (job) (b)", {}),
    ("sum by (job, instance) (a) / ignoring (instance, device) group_left b", {}),
    ("sum without (instance) (a) / ignoring (instance) b", {}),
    ("sum(a) / recorded_rate", {}),
    ("sum(a) / job:b:rate5m", {}),
    ("sum(a) / scalar(b) + time()", {}),
    ("topk(3, a) / b", {}),
    ("sum(a) > 5 and on () b", {}),
    ("sum(a) or b", {}),
    ('count_values("instance", a) / on (instance) b', {}),
    ('label_replace(sum by (job) (a), "instance", "x", "job", "(.*)") / b', {}),
    ("absent(a) and b", {}),
    ("up == 1 unless on (instance) absent(a)", {}),
    ('sum(a) / b{job="",instance=""}', {}),
    ("sum by (job) (a * on (instance) group_left (job) b) / on (job) c", {}),
    ("sum(a) / {__name__=~'x.*'}", {}),
    ("sum(a) / fill(0) b", {}),
    ('count(ALERTS{alertstate="firing"}) or vector(0)', {}),
    ("absent(a) or vector(0)", {}),
    ("up == 0 or absent(up)", {}),
    ("up == 0 or absent(up) * 0", {"for_s": 0.0}),
    ("a or b * 0", {}),
    ("a or (b + on () vector(1))", {}),
    ("a or b", {}),
    ("absent(requests_total)", {}),
    ("absent(requests_total)", {"for_s": 30.0}),
    ("absent_over_time(requests_total[2h])", {"for_s": 0.0}),
    ("absent(rate(requests_total[5m]))", {"for_s": 0.0}),
    ('absent(up{job="node"})', {"for_s": 0.0}),
    ("requests_total == 0 unless absent(requests_total)", {"for_s": 0.0}),
    ("rate(requests_total[5m])", {"unit": "ops"}),
    ("rate(requests_total[5m]) * 100", {"unit": "ops"}),
    ("rate(requests_total[5m]) * 60", {}),
    ("rate(cpu_seconds_total[5m]) * 100", {"unit": "percent"}),
    ("100 * (1 - avg by (instance) (rate(cpu_seconds_total[5m])))", {"unit": "percent"}),
    ("rate(node_gc_time_total[5m]) * 100", {"unit": "percent"}),
    ("rate(runtime_milliseconds_total[5m]) / 10", {"unit": "percent"}),
    ("rate(errors_total[5m]) * 100 / rate(requests_total[5m])", {"unit": "percent"}),
    ("rate(errors_total[5m]) / rate(requests_total[5m])", {"unit": "percentunit"}),
    ("100 * rate(errors_total[5m]) > 5 * rate(requests_total[5m])", {}),
    ("rate(received_bytes_total[5m]) * 8 / 1e9", {"unit": "percentunit"}),
    ("rate(received_bytes_total[5m]) / link_speed", {"unit": "percent"}),
    ("rate(received_bytes_total[5m]) / rate(requests_total[5m])", {"unit": "percent"}),
    ("rate(fill_sum[5m]) / rate(fill_count[5m])", {"unit": "percent"}),
    ("100 * sum(rate(load_sum[5m])) / sum(rate(load_count[5m]))", {"unit": "percentunit"}),
    ("rate(fill_sum[5m]) * 100", {}),
    ("count(errors_total)", {"unit": "percent"}),
    ("errors_total > bool 3", {"unit": "percentunit"}),
    ("temperature", {"unit": "percent"}),
    ("errors_total / requests_total * 100", {"unit": "percent"}),
    ("increase(requests_total[15d])", {}),
    ("requests offset 20d", {"retention_s": None}),
    ("requests @ 1600000000", {}),
    ("requests offset -20d", {}),
    ("max_over_time(requests[16d] offset -2d)", {}),
    ("(requests", {}),
    ("", {}),
]


@pytest.mark.parametrize(("text", "changed", "kind", "verdict"), WRONG)
def test_what_is_wrong_is_said(text: str, changed: Mapping[str, Any], kind: str, verdict: Verdict) -> None:
    assert said(text, **changed) == {kind: verdict}


@pytest.mark.parametrize(("text", "changed"), RIGHT)
def test_what_is_right_is_left_alone(text: str, changed: Mapping[str, Any]) -> None:
    assert lint(text, setting(**changed)) == ()


def test_all_faults_of_one_query_are_said_each_once() -> None:
    text = "rate(errors_total[20s]) * 100 + rate(errors_total[20s]) * 100 > 1 or vector(0)"
    assert said(text, unit="percent") == {
        "rate-window": FAIL,
        "hidden-absence": WARN,
        "rate-called-percentage": FAIL,
    }
    assert len(lint("rate(errors_total[20s]) + rate(errors_total[20s])", setting())) == 1


def test_limits_are_policys() -> None:
    text = "rate(requests_total[1m])"
    assert said(text, window_intervals=Bounds(warn=8, fail=2)) == {"rate-window": WARN}
    assert said(text, window_intervals=Bounds(warn=8, fail=5)) == {"rate-window": FAIL}


@pytest.mark.parametrize(
    ("text", "changed", "corrected"),
    [
        ('rate(errors_total{a="[20s]"}[20s])', {}, 'rate(errors_total{a="[20s]"}[1m])'),
        ("deriv(sum(temperature)[1m:])", {}, "deriv(sum(temperature)[2m:])"),
        ("rate(temperature[5m])", {}, "deriv(temperature[5m])"),
        ("increase(temperature[5m])", {}, "delta(temperature[5m])"),
        ("delta(errors_total[5m])", {}, "increase(errors_total[5m])"),
        ("histogram_quantile(0.9, latency_seconds_bucket)", {}, "rate(latency_seconds_bucket[5m])"),
        ("sum by (job) (a) / on (instance) b", {}, "sum by (job, instance) (a)"),
        ("errors_total / requests_total", {"unit": "percent"}, "100 * (errors_total / requests_total)"),
        ("count(temperature > 40) or vector(0)", {}, "sum(temperature > bool 40)"),
        ("count by (job) ((a == 0)) or vector(0)", {}, "sum by (job) ((a == bool 0))"),
    ],
)
def test_the_corrected_query_is_offered_and_has_no_fault(text: str, changed: Mapping[str, Any], corrected: str) -> None:
    assert f"`{corrected}`" in only(text, **changed).hint
    assert said(corrected, **changed) == {}


def test_a_remark_quotes_the_part_of_the_query_and_stands_alone() -> None:
    remark = only("label_replace(rate(errors_total[20s]), 'a', 'b', '', '') > 1")
    assert remark.reason == (
        "`rate(errors_total[20s])` looks at 20s, and there is a sample every 15s, "
        "so it often holds fewer than the two samples that it needs"
    )
    assert remark.hint == "Widen the window to 1m or more: `rate(errors_total[1m])`"


def test_a_long_part_is_quoted_in_one_line_and_its_strings_as_they_are() -> None:
    text = 'sum by (job) (rate(errors_total{path=~"/a  b/.*", method="GET", status=~"5.."}[5m])) / on (instance) requests_total'
    assert '`sum by (job) (rate(errors_total{method="GET",path=~"/a  b/.*",status=~"5.."}[5m]))`' in only(text).reason


def examples() -> list[tuple[str, ...]]:
    """The rows of the table in docs/checks/lints.md: remark, verdict, wrong, given, corrected."""
    page = (PROJECT / "docs/checks/lints.md").read_text(encoding="utf-8")
    rows = [
        tuple(cell.strip(" `") for cell in line.strip("|").split("|"))
        for line in page.splitlines()
        if line[:3] == "| `"
    ]
    assert len(rows) > 10
    return rows


@pytest.mark.parametrize(("kind", "verdict", "wrong", "given_", "corrected"), examples())
def test_the_examples_of_the_page_are_what_it_says(
    kind: str, verdict: str, wrong: str, given_: str, corrected: str
) -> None:
    changed: dict[str, Any] = {"unit": given_.removeprefix("shown as ")} if given_.startswith("shown") else {}
    changed |= {"for_s": 0.0} if given_ == "for` 0 s" else {}
    assert said(wrong, **changed) == {kind: Verdict(verdict)}
    assert said(corrected, **changed) == {}


def test_the_page_has_every_remark() -> None:
    assert {row[0] for row in examples()} == {kind for *_, kind, _ in WRONG}


def rules(path: str) -> list[tuple[str, Mapping[str, Any]]]:
    groups = yaml.safe_load((PROJECT / path).read_text(encoding="utf-8"))["groups"]
    return [
        (rule["expr"], {"for_s": 300.0 if rule.get("for") else 0.0, "kinds": {}}) for g in groups for rule in g["rules"]
    ]


def test_the_rules_of_this_project_have_no_fault() -> None:
    found = rules("monitoring/production_alerts.yml")
    assert len(found) == 13
    assert [r for text, changed in found for r in lint(text, setting(**changed))] == []


def test_the_faults_of_the_day_0_reports_rules_are_found() -> None:
    found = [
        r
        for text, changed in rules("genesis_lib/demo/scenarios/day0/production_alerts.yml")
        for r in lint(text, setting(**changed))
    ]
    assert {r.kind for r in found} == {"rate-called-percentage", "absent-too-soon"}
    (percentage,) = [r for r in found if r.kind == "rate-called-percentage"]
    assert "`rate(genesis_errors_total[5m]) * 100`" in percentage.reason


def test_a_query_too_deep_to_follow_is_not_called_sound() -> None:
    for text in ("(" * 400 + "errors_total" + ")" * 400, "+".join(["errors_total"] * 900)):
        remark = only(text)
        assert (remark.kind, remark.verdict) == ("too-deep", Verdict.UNKNOWN)


def test_what_the_parser_refuses_is_left_to_the_ladder() -> None:
    assert lint("+".join(["rate(errors_total[20s])"] * 5_000), setting()) == ()
    assert lint("rate(errors_total[3000000y])", setting()) == ()


SETTINGS = [
    setting(unit="percent", for_s=0.0),
    setting(unit="percentunit", for_s=0.0, interval_s=60.0),
    setting(interval_s=0.0, retention_s=0.0, kinds={}),
]


@given(st.one_of(st.text(max_size=80), st.text("{}()[]\"'`#=~,aby 5m+-@\\\n", max_size=60)), st.sampled_from(SETTINGS))
@settings(max_examples=200, deadline=None)
def test_any_text_is_taken(text: str, given_setting: Setting) -> None:
    remarks = lint(text, given_setting)
    try:
        syntax.tree(text)
    except ValueError:
        assert remarks == ()
    else:
        assert all(r.kind and r.reason and r.hint and r.verdict is not Verdict.PASS for r in remarks)


@given(EXPRESSIONS, st.sampled_from(SETTINGS))
@settings(max_examples=200, deadline=None)
def test_how_a_query_is_laid_out_changes_no_remark(text: str, given_setting: Setting) -> None:
    try:
        tree = syntax.tree(text)
    except ValueError:
        assume(False)  # noqa: FBT003 - hypothesis' way to pass over an example
    assert lint(tree.prettify(), given_setting) == lint(text, given_setting)
