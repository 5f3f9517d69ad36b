"""Names as Prometheus shows them, each once; what it could not show is refused; memory has an end."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from genesis_lib.observability import MetricKind, ObservabilityManager
from genesis_lib.telemetry.metrics import prometheus_name

_COUNTER, _GAUGE, _HISTOGRAM = MetricKind.COUNTER, MetricKind.GAUGE, MetricKind.HISTOGRAM


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def manager(registry: CollectorRegistry) -> Iterator[ObservabilityManager]:
    with ObservabilityManager(registry=registry) as manager:
        yield manager


@pytest.mark.parametrize(
    ("name", "unit", "kind", "shown"),
    [
        ("genesis.tests", "1", _COUNTER, "genesis_tests_total"),
        ("genesis_tests", "{tests}", _COUNTER, "genesis_tests_total"),
        ("genesis_tests_total", "count", _COUNTER, "genesis_tests_total"),
        ("genesis_tests_total_total", "", _COUNTER, "genesis_tests_total"),
        ("genesis.operation.duration", "s", _HISTOGRAM, "genesis_operation_duration_seconds"),
        ("genesis_operation_duration_seconds", "s", _HISTOGRAM, "genesis_operation_duration_seconds"),
        ("genesis.operation.duration", "seconds", _HISTOGRAM, "genesis_operation_duration_seconds"),
        ("genesis.last.run.timestamp", "s", _GAUGE, "genesis_last_run_timestamp_seconds"),
        ("genesis.cpu.seconds.total", "s", _COUNTER, "genesis_cpu_seconds_total"),
        ("genesis.memory", "By", _GAUGE, "genesis_memory_bytes"),
        ("genesis.spend", "USD", _GAUGE, "genesis_spend_USD"),
        ("genesis feature-flag:enabled", "1", _GAUGE, "genesis_feature_flag_enabled"),
    ],
)
def test_a_name_has_its_unit_and_its_total_once(name: str, unit: str, kind: MetricKind, shown: str) -> None:
    assert prometheus_name(name, unit, kind) == shown


@given(
    st.lists(st.sampled_from(["a", "seconds", "total", "bytes", ".", "_", "9"]), max_size=6)
    .map("_".join)
    .map("a{}".format),
    st.sampled_from(["1", "s", "By", "ms", "USD"]),
    st.sampled_from(MetricKind),
)
@example("a_total_seconds", "s", _COUNTER)
@example("a_seconds_total_seconds_total", "s", _COUNTER)
@example("total", "1", _COUNTER)
def test_a_name_as_shown_is_shown_as_it_is(name: str, unit: str, kind: MetricKind) -> None:
    shown = prometheus_name(name, unit, kind)
    assert prometheus_name(shown, unit, kind) == shown
    base = shown.removesuffix("_total") if kind is _COUNTER else shown
    assert (base == shown) is (kind is not _COUNTER)
    assert kind is not _COUNTER or not base.endswith("_total")
    assert unit != "s" or (base.endswith("_seconds") and not base.endswith("_seconds_seconds"))


@pytest.mark.parametrize(
    ("name", "recorded"),
    [
        pytest.param("a", {"value": float("nan")}, id="not a number"),
        pytest.param("a", {"value": float("-inf"), "unit": "s"}, id="infinite"),
        pytest.param("a", {"value": -1, "kind": _COUNTER}, id="a counter that falls"),
        pytest.param("a", {"value": -0.1, "unit": "s"}, id="a duration under zero"),
        pytest.param("", {}, id="no name"),
        pytest.param("5xx", {}, id="a name that begins with a digit"),
        pytest.param("a" * 300, {}, id="a name that is too long"),
        pytest.param("a", {"unit": "u" * 64}, id="a unit that is too long"),
        pytest.param("a", {"labels": {"": "x"}}, id="a label without a name"),
        pytest.param("a", {"unit": "s", "labels": {"le": "x"}}, id="a label of Prometheus' own"),
    ],
)
def test_what_prometheus_could_not_show_is_refused_by_name(
    manager: ObservabilityManager, name: str, recorded: dict[str, Any]
) -> None:
    arguments: dict[str, Any] = {"value": 1.0, "unit": "1"} | recorded
    with pytest.raises(ValueError, match=f"^'?{name}"):
        manager.record_metric(name, **arguments)
    assert manager.metrics == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(("a", "1", _COUNTER), ("a", "1", _GAUGE), id="one family of two kinds"),
        pytest.param(("a_total", "1", _GAUGE), ("a", "1", _COUNTER), id="a gauge called as a counter"),
        pytest.param(("a", "s", _HISTOGRAM), ("a.duration_seconds_count", "1", _GAUGE), id="no clash"),
        pytest.param(("a", "s", _HISTOGRAM), ("a_seconds_count", "1", _GAUGE), id="a part of a histogram"),
        pytest.param(("a", "s", _HISTOGRAM), ("a_seconds_sum", "1", _HISTOGRAM), id="a histogram that is a part"),
        pytest.param(("a", "1", _GAUGE), ("A", "1", _GAUGE), id="names that differ in case alone"),
    ],
)
def test_two_metrics_never_share_a_name(
    manager: ObservabilityManager,
    registry: CollectorRegistry,
    first: tuple[str, str, MetricKind],
    second: tuple[str, str, MetricKind],
    request: pytest.FixtureRequest,
) -> None:
    for number, (name, unit, kind) in enumerate((first, second)):
        if number and "no clash" not in request.node.name:
            with pytest.raises(ValueError, match=f"^{name}: "):
                manager.record_metric(name, 1, unit, kind=kind)
        else:
            manager.record_metric(name, 1, unit, kind=kind)
    samples = [sample.name for family in registry.collect() for sample in family.samples if not sample.labels]
    assert len(samples) == len(set(samples))


def test_units_that_say_the_same_are_one_metric(manager: ObservabilityManager, registry: CollectorRegistry) -> None:
    for name, unit in (("memory", "By"), ("memory.bytes", "By"), ("memory_bytes", "1")):
        manager.record_metric(name, 5, unit)
    assert [family.name for family in registry.collect()] == ["target", "memory_bytes"]


def test_labels_without_end_are_series_with_an_end(manager: ObservabilityManager, registry: CollectorRegistry) -> None:
    for number in range(2_100):
        manager.record_metric("visits", 1, "1", {"user": f"user {number}"}, kind=_COUNTER)
    [visits] = [family for family in registry.collect() if family.name == "visits"]
    assert sum(sample.value for sample in visits.samples) == 2_100
    [rest] = [sample.value for sample in visits.samples if sample.labels["otel_metric_overflow"] == "true"]
    assert rest == 2_100 - (len(visits.samples) - 1) >= 100


def test_names_without_end_are_refused(manager: ObservabilityManager) -> None:
    for number in range(1_000):
        manager.record_metric(f"user.{number}.visits", 1, "1")
    with pytest.raises(ValueError, match="put what varies into a label"):
        manager.record_metric("one.too.many", 1, "1")
    manager.record_metric("user.0.visits", 2, "1")
    assert len(manager.metrics) == 1_001


def test_labels_are_shown_whatever_they_hold(manager: ObservabilityManager, registry: CollectorRegistry) -> None:
    labels = {"http.method": "GET", "text": 'a"b\\c\nd\ud800'}
    manager.record_metric("a", 1, "1", labels)
    assert registry.get_sample_value("a", {"http_method": "GET", "text": 'a"b\\c\nd?'}) == 1
    assert manager.metrics[0].labels == labels


def test_a_gauge_stays_until_it_is_set_again(manager: ObservabilityManager, registry: CollectorRegistry) -> None:
    manager.record_metric("queue", 3, "1")
    assert [registry.get_sample_value("queue") for _ in range(3)] == [3] * 3
    manager.record_metric("queue", -1.5, "1")
    assert registry.get_sample_value("queue") == -1.5


def test_a_counter_is_there_before_it_counts(manager: ObservabilityManager, registry: CollectorRegistry) -> None:
    manager.record_metric("errors", 0, "1", kind=_COUNTER)
    assert registry.get_sample_value("errors_total") == 0


@pytest.mark.parametrize("most", [0, 1, 3])
def test_as_many_are_kept_as_asked_for(most: int) -> None:
    with ObservabilityManager(most_metrics=most) as manager:
        for value in range(5):
            manager.record_metric("a", value, "1")
        kept = list(manager.metrics)
        manager.metrics = manager.metrics * 2
        assert [one.value for one in kept] == [*range(5)][5 - most :]
        assert len(manager.metrics) == most


def test_first_uses_at_once_make_one_metric(manager: ObservabilityManager, registry: CollectorRegistry) -> None:
    together = threading.Barrier(8)

    def record() -> None:
        together.wait()
        for number in range(20):
            manager.record_metric(f"name.{number}", 1, "1", kind=_COUNTER)

    threads = [threading.Thread(target=record) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [registry.get_sample_value(f"name_{number}_total") for number in range(20)] == [8] * 20
