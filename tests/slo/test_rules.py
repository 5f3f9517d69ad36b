"""The rules that are written for objectives are right for promtool, for policy and for our own lints, and fire when they should."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from genesis_lib import syntax
from genesis_lib.checks.alert import routing
from genesis_lib.checks.lint.lints import Setting, lint
from tests.builders import ROOT, policy
from tests.slo.four_kinds import KINDS, NAMES, SHIPPED, promtool, rules_in, slos, written

POLICY = policy()
SCOPE = {"env": "staging"}


def comment_of(text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))


UNREACHABLE = KINDS[0] | {"name": "lenient", "target": 0.08, "warning": 0.08, "critical": 0.09}
PERFECT = KINDS[0] | {"name": "perfect", "target": 0.0, "warning": 0.0, "critical": 0.01}
FILES = [
    pytest.param(written(slos()), id="as shipped"),
    pytest.param(written(slos(period="28d")), id="28 days"),
    pytest.param(written(slos(period="30d")), id="30 days"),
    pytest.param(written(slos(), scope=SCOPE), id="in a scope"),
    pytest.param(written(slos(UNREACHABLE)), id="with an unreachable pair"),
    pytest.param(written(slos(PERFECT)), id="with a target of 100 %"),
    pytest.param(written(slos(*KINDS)), id="of each kind"),
    pytest.param(written(slos(KINDS[1]), edges={"latency": ("0.5", "2.5", "+Inf")}), id="without the bucket"),
]


@pytest.mark.parametrize("text", FILES)
def test_promtool_and_we_have_nothing_to_say_against_them(text: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(text, encoding="utf-8")
    promtool("check", "rules", "--lint=all", "--lint-fatal", tmp_path / "rules.yml")
    rules = rules_in(text)
    for rule in rules:
        syntax.tree(rule["expr"])
        setting = Setting(
            interval_s=15,
            intervals_s={},
            kinds={},
            retention_s=30 * 86400,
            for_s=0 if "alert" in rule else None,
            evaluation_s=15,
            unit="",
            recorded=frozenset(r["record"] for r in rules if "record" in r),
            window_intervals=POLICY.readiness.limits.rate_window_intervals,
        )
        assert lint(rule["expr"], setting) == (), rule


@pytest.mark.parametrize("text", FILES)
def test_alerts_are_as_policy_wants_and_reach_whom_it_wants(text: str) -> None:
    wanted = POLICY.alerting
    tree = routing.read((ROOT / "monitoring/alertmanager_config.yml").read_text(encoding="utf-8"))
    for rule in rules_in(text, "alert"):
        labels = rule["labels"] | {"alertname": rule["alert"]}
        assert all(labels.get(name) for name in wanted.required_labels)
        assert all(rule["annotations"].get(name) for name in (*wanted.required_annotations, "description"))
        route = next(route for route in wanted.routes if route.labels.items() <= labels.items())
        assert set(routing.receivers(tree, labels)) == set(route.receivers)


def test_each_objective_pages_and_files_tickets_under_a_name_of_its_own() -> None:
    alerts = rules_in(written(slos()), "alert")
    assert [(a["alert"], a["labels"]["severity"]) for a in alerts if a["labels"]["slo"] == "latency_p95"] == [
        ("LatencyP95BudgetBurn", "critical"),
        ("LatencyP95BudgetBurn", "warning"),
    ]
    assert len({(a["alert"], a["labels"]["severity"]) for a in alerts}) == 2 * len(SHIPPED["slos"])
    assert {a["annotations"]["runbook_url"] for a in rules_in(written(slos(*KINDS)), "alert")} == {"docs/runbooks.md"}


def test_what_can_never_fire_is_left_out_and_said() -> None:
    text = written(slos(UNREACHABLE))
    page, ticket = rules_in(text, "alert")
    assert "> 3.5 * 0.08" in page["expr"]
    assert "rate1h" not in page["expr"]
    assert "> 1.4 * 0.08" in ticket["expr"]
    said = "lenient: the page on 1h and 5m can never fire: 13.44 times the budget of 0.08 is 1.075 of all events"
    assert said in comment_of(text)
    assert "Left out" not in comment_of(written(slos()))


@pytest.mark.parametrize(
    ("text", "recorded", "why"),
    [
        pytest.param(written(slos(PERFECT)), {"slo:bad_events:increase5m", "slo:error_ratio:rate1h"}, "no budget"),
        pytest.param(written(slos(KINDS[1]), edges={"latency": ("0.5",)}), set(), "no bucket of lat_seconds ends at"),
    ],
    ids=[
        "a target of 100 % has no budget that could burn",
        "without a bucket at the target nothing is known to be bad",
    ],
)
def test_what_cannot_alert_is_recorded_as_far_as_it_can_be(text: str, recorded: set[str], why: str) -> None:
    names = {rule["record"] for rule in rules_in(text, "record")}
    assert names >= recorded | {"slo:total_events:increase5m"}
    assert len(names) == (9 if recorded else 1)
    assert rules_in(text, "alert") == []
    assert why in comment_of(text)


def test_an_objective_that_the_environment_does_not_have_gets_no_rules() -> None:
    of = slos(*KINDS)
    without = [one.model_copy(update={"not_applicable": "no\ntraffic"}) for one in of.slos[:1]]
    text = written(of, objectives=[*without, *of.slos[1:]])
    assert {rule["labels"]["slo"] for rule in rules_in(text)} == set(NAMES[1:])
    assert "events: not applicable here: no\n# traffic" in comment_of(text)
    assert rules_in(written(of, objectives=without)) == []


def test_a_scope_narrows_every_selector_and_labels_what_is_recorded() -> None:
    plain, scoped = (rules_in(written(slos(*KINDS), scope=scope)) for scope in ({}, SCOPE))
    for rule, narrowed in zip(plain, scoped, strict=True):
        selectors = sum(map(rule["expr"].count, ("ev_total", "ev_bad_total", "lat_", "works", "filled", "slo:")))
        assert narrowed["expr"].count('env="staging"') == selectors > 0
        assert narrowed["labels"] == rule["labels"] | (SCOPE if "record" in rule else {})


# --- What they do, by `promtool test rules`: a sample each minute, evaluated every five. Each minute is good or bad as a whole.

PER_MINUTE = 60  # events
FIRING = 'count by (slo, severity) (ALERTS{{alertstate="firing", severity=~"{}"}})'
Expected = tuple[str, int, Mapping[str, float]]  # an expression, the minute, and its value by labels


def series_of(bad: Iterable[int], minutes: int, *, per_minute: int = PER_MINUTE) -> dict[str, str]:
    """What the four objectives stand on, with these minutes bad; two instances have a histogram, and spell its bound differently."""
    bad = frozenset(bad)
    total = [20_000 + per_minute * minute for minute in range(minutes)]
    slow = [10_000 + per_minute * sum(passed in bad for passed in range(1, minute + 1)) for minute in range(minutes)]
    held: dict[str, Iterable[float]] = {
        'ev_total{job="a", instance="i"}': total,
        'ev_bad_total{job="a", instance="i"}': slow,
        'works{job="a", instance="i"}': [minute not in bad for minute in range(minutes)],
        'filled{job="a", instance="i"}': [0.9 if minute in bad else 0.5 for minute in range(minutes)],
    }
    for edge in ("1", "1.0"):
        instance = f'job="a", instance="writes {edge}"'
        held[f"lat_seconds_count{{{instance}}}"] = total
        held[f'lat_seconds_bucket{{{instance}, le="{edge}"}}'] = [t - s for t, s in zip(total, slow, strict=True)]
    return {name: " ".join(f"{value:g}" for value in values) for name, values in held.items()}


def evaluate(folder: Path, held: Mapping[str, str], expected: Sequence[Expected], **more: Any) -> None:
    """Evaluate the rules of the four objectives over `held`.

    promtool compares exactly, so values are rounded to three places. Its scrapes fall on the very instants of evaluation, where
    Prometheus 2 takes the sample at the far end of a window too; with a scrape interval of a second less it does not.
    """
    (folder / "rules.yml").write_text(written(slos(*KINDS, scrape_interval="59s")), encoding="utf-8")
    asked = [
        {"expr": f"round({expr}, 1e-3)", "eval_time": f"{minute}m"}
        | {"exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()]}
        for expr, minute, samples in expected
    ]
    given = [{"series": name, "values": values} for name, values in held.items()]
    document = {
        "rule_files": [str(folder / "rules.yml")],
        "group_eval_order": ["slo_events", "slo_burn_rates", "slo_alerts"],
        "evaluation_interval": "5m",
        "tests": [{"interval": "1m", "input_series": given, "promql_expr_test": asked} | more],
    }
    (folder / "cases.yml").write_text(yaml.safe_dump(document, width=10**6), encoding="utf-8")
    promtool("test", "rules", folder / "cases.yml")


def firing(severity: str, minute: int, *names: str) -> Expected:
    """That exactly these objectives' alerts of this severity fire in that minute."""
    return FIRING.format(severity), minute, {f'{{slo="{n}", severity="{severity}"}}': 1.0 for n in names}


def each(expr: str, minute: int, **values: float) -> Expected:
    """The value for each objective in that minute, and for no other."""
    return f"sum by (slo) ({expr})", minute, {f'{{slo="{name}"}}': value for name, value in values.items()}


def test_a_fast_burn_pages_in_time_and_stops_soon_after(tmp_path: Path) -> None:
    """13.44 % of an hour are 8.1 minutes, so nine bad ones page; 3.5 % of six hours are 12.6, so the other pair stays calm."""
    fast = "8 % of the budget of 7d in 1h, and still in the last 5m; or 12.5 % of the budget of 7d in 6h, and still in the last 30m"
    slow = "20 % of the budget of 7d in 1d, and still in the last 2h; or 42 % of the budget of 7d in 3d, and still in the last 6h"
    page, ticket = (
        {
            "exp_labels": {"severity": severity, "slo": "events"},
            "exp_annotations": {
                "summary": f"events: its error budget burns {how}",
                "description": f"{share} of all events were bad, where 1 % may be: a pace that spends more than {spent}.",
                "runbook_url": "docs/runbooks.md",
            },
        }
        for severity, how, share, spent in (("critical", "fast", "15%", fast), ("warning", "steadily", "2.432%", slow))
    )
    bad_events = "sum_over_time(slo:bad_events:increase5m[14m])"
    expected = [
        each("slo:total_events:increase5m", 360, events=300, latency=600, slices=5, value=5),
        each("slo:bad_events:increase5m", 360, events=0, latency=0, slices=0, value=0),
        each("slo:error_ratio:rate6h", 360, events=0, latency=0, slices=0, value=0),
        firing("critical|warning", 360),
        firing("critical", 365),
        firing("critical", 370, *NAMES),
        firing("critical", 380),
        each(bad_events, 375, events=540, latency=1080, slices=9, value=9),
        # A subquery's steps at both ends of the hour are counted by Prometheus 2: 9 of 61.
        each("slo:error_ratio:rate1h", 370, events=0.15, latency=0.15, slices=0.148, value=0.148),
        each("slo:error_ratio:rate1d", 380, events=0.024, latency=0.024, slices=0.024, value=0.024),
    ]
    alerts = [{"eval_time": "370m", "alertname": "EventsBudgetBurn", "exp_alerts": [page, ticket]}]
    evaluate(tmp_path, series_of(range(362, 371), 390), expected, alert_rule_test=alerts)


def test_a_burn_just_under_the_factor_pages_nobody(tmp_path: Path) -> None:
    never = [firing("critical", minute) for minute in range(360, 390, 5)]
    evaluate(tmp_path, series_of(range(363, 371), 390), never)


def test_a_slow_burn_files_a_ticket_and_pages_nobody(tmp_path: Path) -> None:
    """One minute of fifty is bad: twice what the budget allows, of which 1.4 times makes a ticket and 3.5 times a page."""
    expected = [firing("critical", minute) for minute in range(5, 241, 5)]
    expected += [firing("warning", 235, *NAMES)]
    evaluate(tmp_path, series_of(range(47, 241, 50), 241), expected)


def test_nothing_is_recorded_of_nothing_and_no_alert_fires(tmp_path: Path) -> None:
    expected: list[Expected] = [('{__name__=~"slo:.*|ALERTS"}', minute, {}) for minute in (5, 30)]
    evaluate(tmp_path, {'up{job="a", instance="i"}': "1x30"}, expected)


def test_where_data_ends_alerts_end(tmp_path: Path) -> None:
    all_bad = series_of(range(60), 60)
    evaluate(tmp_path, all_bad, [firing("critical", 55, *NAMES), firing("critical", 100), firing("warning", 450)])


def test_without_events_nothing_burns(tmp_path: Path) -> None:
    ratios = '{__name__=~"slo:error_ratio:.*", slo=~"events|latency"}'
    idle = series_of(range(60), 60, per_minute=0)
    evaluate(
        tmp_path,
        idle,
        [each(ratios, 55, events=0, latency=0), each(f"count({ratios}) by (slo)", 55, events=7, latency=7)],
    )


def test_the_first_bad_events_of_a_new_series_are_counted(tmp_path: Path) -> None:
    """A series that begins with what it counts never grew; one that a new instance brings along may be old."""
    born = {'ev_bad_total{job="a", instance="i", kind="new"}': "_x31 " + "5 " * 30}
    brought_along = {'ev_bad_total{job="a", instance="fresh"}': "_x31 " + "7 " * 30}
    bad, ratio = "slo:bad_events:increase5m", "slo:error_ratio:rate5m"
    expected: list[Expected] = [
        (f'sum({metric}{{slo="events"}})', minute, {"{}": value})
        for metric, minute, value in ((bad, 30, 0), (bad, 35, 5), (ratio, 35, 0.017), (bad, 40, 0), (ratio, 40, 0))
    ]
    evaluate(tmp_path, series_of((), 61) | born | brought_along, expected)
