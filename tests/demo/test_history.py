"""The past of a running stack: complete, never from the future, and joined to the present without a seam."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import yaml

from genesis_lib.demo import history, parts, scenario
from genesis_lib.demo.scenario import Alert
from genesis_lib.demo.stack import Stack
from genesis_lib.errors import StackError
from tests.demo.test_children import wait_until
from tests.demo.test_tsdb import read_back

DAYS = 14
STEPS = DAYS * 86_400 // history.INTERVAL_S
Result = list[dict[str, Any]]


def ask(stack: Stack, path: str, **parameters: object) -> Result:
    url = f"http://{stack.addresses['prometheus']}/api/v1/{path}"
    answer = httpx.get(url, params={k: str(v) for k, v in parameters.items()}, trust_env=False, timeout=30).json()
    assert answer["status"] == "success", answer
    result: Result = answer["data"]["result"]
    return result


def value(stack: Stack, expr: str, **parameters: object) -> float:
    (one,) = ask(stack, "query", query=expr, **parameters)
    return float(one["value"][1])


def values(stack: Stack, expr: str, *, start: float, end: float, step_s: float) -> np.ndarray:
    (one,) = ask(stack, "query_range", query=expr, start=start, end=end, step=step_s)
    return np.array([float(text) for _, text in one["values"]])


def label_sets(result: Result) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(one["metric"].items()) for one in result}


def end_of_history(stack: Stack) -> int:
    return int(stack.started_at.timestamp())


def test_no_sample_was_lost(healthy_stack: Stack) -> None:
    end = end_of_history(healthy_stack)
    names = {one["metric"]["__name__"] for one in ask(healthy_stack, "query", query='{__name__=~".+"}', time=end)}
    assert len(names) > 40
    for name in names:
        # Versions followed one another: together they are as long as the history.
        query = f"sum without (version, service_version) (count_over_time({name}[15d]))"
        counts = ask(healthy_stack, "query", query=query, time=end)
        assert {one["value"][1] for one in counts} == {str(STEPS + 1)}, name


def test_a_deployment_replaced_the_version_before_this_one(healthy_stack: Stack) -> None:
    (before,) = scenario.load("healthy").releases
    end = end_of_history(healthy_stack)
    deployed = end + before.until.total_seconds()
    query = "count by (version) (genesis_app_info)"

    def versions(**window: object) -> dict[str, list[float]]:
        found = ask(healthy_stack, "query_range", query=query, step=60, **window)
        return {one["metric"]["version"]: [at for at, _ in one["values"]] for one in found}

    hour = versions(start=deployed - 1800, end=deployed + 1800)
    assert hour.keys() == {before.version, scenario.load("healthy").version}
    assert min(hour[scenario.load("healthy").version]) == deployed
    assert versions(start=end - 7 * 86_400, end=deployed - 60).keys() == {before.version}
    assert versions(start=deployed + 300, end=time.time()).keys() == {scenario.load("healthy").version}


def test_each_series_of_the_history_lives_on_under_the_same_labels(healthy_stack: Stack) -> None:
    end = end_of_history(healthy_stack)
    past = label_sets(ask(healthy_stack, "query", query='{__name__=~".+"}', time=end))
    url = f"http://{healthy_stack.addresses['prometheus']}/api/v1/series"
    scraped = httpx.get(url, params={"match[]": '{__name__=~".+"}', "start": end + 1}, trust_env=False).json()["data"]
    assert past <= {frozenset(labels.items()) for labels in scraped}


def test_the_history_reaches_up_to_the_start_and_no_further(healthy_stack: Stack) -> None:
    end = end_of_history(healthy_stack)
    last = value(healthy_stack, "timestamp(genesis_operations_total) ", time=end)
    assert end - history.INTERVAL_S < last <= healthy_stack.started_at.timestamp()


@pytest.mark.parametrize(
    ("expr", "least", "most"),
    [
        pytest.param("sum(rate(genesis_operations_total[5m]))", 4.6, 7.5, id="throughput"),
        pytest.param(
            "sum(rate(genesis_errors_total[1h])) / sum(rate(genesis_operations_total[1h]))", 1e-5, 5e-4, id="errors"
        ),
        pytest.param(
            "histogram_quantile(0.95, sum by (le) (rate(genesis_operation_duration_seconds_bucket[5m])))",
            0.1,
            0.15,
            id="P95",
        ),
        pytest.param("genesis_tests_passed_total / genesis_tests_total", 0.99, 1, id="pass rate"),
        pytest.param('1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m]))', 0, 1, id="CPU"),
        pytest.param("node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes", 0, 1, id="memory"),
        pytest.param("avg_over_time(up[7d:5m])", 1, 1, id="availability"),
    ],
)
def test_questions_are_answered_at_once_and_plausibly(
    expr: str, least: float, most: float, healthy_stack: Stack
) -> None:
    answers = [float(one["value"][1]) for one in ask(healthy_stack, "query", query=expr)]
    assert answers
    assert all(least <= answer <= most for answer in answers), answers


@pytest.mark.parametrize(
    ("expr", "least", "most"),
    [
        pytest.param("sum(rate(genesis_operations_total[2m]))", 4, 8.5, id="operations"),
        pytest.param(
            'avg(sum without (mode) (rate(node_cpu_seconds_total{mode=~"idle|user|system|iowait"}[2m])))',
            0.5,
            1.1,
            id="CPU",
        ),
        pytest.param(
            "sum(rate(genesis_operation_duration_seconds_sum[2m])) / sum(rate(genesis_operations_total[2m]))",
            0.08,
            0.11,
            id="mean",
        ),
    ],
)
def test_there_is_no_spike_where_past_and_present_meet(
    expr: str, least: float, most: float, healthy_stack: Stack
) -> None:
    end = end_of_history(healthy_stack)
    now = time.time()
    seam = values(healthy_stack, expr, start=end - 600, end=now, step_s=5)
    assert seam.min() > least
    assert seam.max() < most


def test_the_cpu_of_two_weeks_is_never_below_none_nor_above_all(healthy_stack: Stack) -> None:
    end = end_of_history(healthy_stack)
    expr = '1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m]))'
    used = values(healthy_stack, expr, start=end - DAYS * 86_400 + 600, end=end, step_s=300)
    assert len(used) > DAYS * 280
    assert used.min() >= -0.01
    assert used.max() <= 1.01


@pytest.mark.parametrize("alert", scenario.load("healthy").alerts, ids=lambda alert: alert.name)
def test_past_alerts_are_those_that_the_rules_would_have_raised(alert: Alert, healthy_stack: Stack) -> None:
    text = (healthy_stack.folder / "configuration" / "production_alerts.yml").read_text()
    rules = {rule["alert"]: rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]}
    end = end_of_history(healthy_stack)
    hour = timedelta(hours=1)
    first, last = ((moment).total_seconds() for moment in (alert.begins - hour, alert.ends + hour))
    window = {"start": end + first, "end": end + last, "step": 15}
    (holds,) = ask(healthy_stack, "query_range", query=rules[alert.name]["expr"], **window)
    active = ask(
        healthy_stack,
        "query_range",
        query=f'present_over_time(ALERTS{{alertname="{alert.name}"}}[15s])',
        **window,
    )
    assert {one["metric"]["alertstate"] for one in active} == {"pending", "firing"}
    assert all(rules[alert.name]["labels"].items() <= one["metric"].items() for one in active)
    moments = sorted(at for one in active for at, _ in one["values"])
    assert moments[0] == pytest.approx(holds["values"][0][0], abs=120)
    assert moments[-1] == pytest.approx(holds["values"][-1][0], abs=120)


def test_no_alert_is_active_in_good_health(healthy_stack: Stack) -> None:
    active = {one["metric"]["alertname"] for one in ask(healthy_stack, "query", query="ALERTS")}
    # The host's own load is not ours to vouch for.
    assert active <= {"HighCPUUsage", "HighMemoryUsage"}


def test_day0_monitors_itself_and_finds_no_genesis(day0_stack: Stack) -> None:
    up = {one["metric"]["job"]: one["value"][1] for one in ask(day0_stack, "query", query="up")}
    running, absent = ("prometheus", "alertmanager", "node"), parts.WORKLOAD_JOBS
    assert up == {**dict.fromkeys(running, "1"), **dict.fromkeys(absent, "0")}
    end = end_of_history(day0_stack)
    past = ask(day0_stack, "query", query="count_over_time(up[3d])", time=end)
    assert {one["value"][1] for one in past} == {str(47 * 240 + 1)}
    assert not ask(day0_stack, "query", query='{__name__=~"genesis_.+"}')


def test_day0_has_three_alerts_that_have_been_active_for_47_hours(day0_stack: Stack) -> None:
    url = f"http://{day0_stack.addresses['prometheus']}/api/v1/alerts"
    alerts = httpx.get(url, trust_env=False).json()["data"]["alerts"]
    assert {alert["labels"]["alertname"] for alert in alerts} == {alert.name for alert in scenario.load("day0").alerts}
    assert len(alerts) == 3
    end = end_of_history(day0_stack)
    past = ask(day0_stack, "query", query="ALERTS_FOR_STATE", time=end)
    present = ask(day0_stack, "query", query="ALERTS_FOR_STATE")
    assert label_sets(past) == label_sets(present)
    assert {one["value"][1] for one in past} == {str(end - 47 * 3600)}


def test_the_tests_exporter_of_day1_was_born_a_day_ago(day1_stack: Stack) -> None:
    up = {one["metric"]["job"]: one["value"][1] for one in ask(day1_stack, "query", query="up")}
    assert up["genesis-tests"] == "1"
    assert {up["genesis-orchestration"], up["genesis-python-app"]} == {"0"}
    end, day = end_of_history(day1_stack), 24 * 240 + 1
    assert value(day1_stack, 'count_over_time(up{job="genesis-tests"}[4d])', time=end) == 71 * 240 + 1
    assert value(day1_stack, 'sum_over_time(up{job="genesis-tests"}[4d])', time=end) == day
    assert value(day1_stack, "count_over_time(genesis_tests_total[4d])", time=end) == day
    assert value(day1_stack, "genesis_tests_total", time=end) == pytest.approx(1044 * 48, rel=0.05)
    assert value(day1_stack, "genesis_tests_total") >= 1044
    assert not ask(day1_stack, "query", query="genesis_tests_total_total")


def test_the_alerts_of_day1_are_those_of_day0_and_fire_since_its_monitoring_began(day1_stack: Stack) -> None:
    url = f"http://{day1_stack.addresses['prometheus']}/api/v1/alerts"

    def alerts() -> dict[str, tuple[str, float]]:
        found = httpx.get(url, trust_env=False).json()["data"]["alerts"]
        since = {a["labels"]["alertname"]: datetime.fromisoformat(a["activeAt"]).timestamp() for a in found}
        return {a["labels"]["alertname"]: (a["state"], since[a["labels"]["alertname"]]) for a in found}

    since_the_start = ("firing", end_of_history(day1_stack) - 71 * 3600)
    expected = {alert.name: since_the_start for alert in scenario.load("day1").alerts}
    wait_until(lambda: alerts() == expected, within_s=60)  # Prometheus restores a past at its second evaluation
    assert alerts() == expected


@pytest.mark.parametrize(("metric", "label"), [("genesis_app_info", "version"), ("target_info", "service_version")])
def test_each_version_has_series_for_its_own_time_only(metric: str, label: str, tmp_path: Path) -> None:
    changes = {
        "history": "1h",
        "running": ["genesis-python-app"],
        "born": {"genesis-python-app": "-30m"},
        "releases": [{"version": "0.8", "until": "-5d"}, {"version": "0.9", "until": "-10m"}],
        "alerts": [],
    }
    young = scenario.Scenario.model_validate(scenario.load("healthy").model_dump() | changes)
    now, addresses = 1_760_000_000, {job: f"127.0.0.1:{port}" for job, port in parts.PORTS.items()}
    history.write(tmp_path, young, now=now, addresses=addresses, node_page="node_load1 1\n", rules=[])
    found = {labels: samples for labels, samples in read_back(tmp_path).items() if f'"{metric}"' in labels}
    old, new = sorted(found)
    assert (f'{label}="0.9"' in old, f'{label}="1.0.0"' in new) == (True, True)
    assert [at // 1000 for _, at in found[old]] == list(range(now - 1800, now - 600, history.INTERVAL_S))
    assert [at // 1000 for _, at in found[new]] == list(range(now - 600, now + 1, history.INTERVAL_S))


def test_an_alert_that_no_rule_has_is_refused(tmp_path: Path) -> None:
    day0 = scenario.load("day0")
    invented = day0.model_copy(update={"alerts": (Alert(name="Invented", begins=timedelta(hours=-1)),)})
    rules = tmp_path / "rules.yml"
    rules.write_text("groups: [{name: g, rules: [{alert: Real, expr: vector(1)}]}]")
    with pytest.raises(StackError, match="an alert Invented, and no rule has; rules: Real"):
        history.write(
            tmp_path / "data",
            invented,
            now=1_760_000_000.0,
            addresses={job: f"127.0.0.1:{port}" for job, port in parts.PORTS.items()},
            node_page="node_load1 1\n",
            rules=[rules],
        )
