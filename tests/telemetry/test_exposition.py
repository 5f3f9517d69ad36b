"""A real Prometheus scrapes a real manager's page, and has every series under its right name, with its exemplar."""

import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, MetricsHandler, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics

from genesis_lib.demo import binaries, ready
from genesis_lib.demo.children import Children
from genesis_lib.demo.ports import Reservation
from genesis_lib.observability import MetricKind, ObservabilityManager, SpanType
from genesis_lib.telemetry.exposition import PrometheusReader

_SCRAPED_WITHIN_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Scraped:
    """What a Prometheus that has scraped a page knows, and what the page was told."""

    client: httpx.Client
    slow_trace: str

    def asked(self, path: str, **parameters: str) -> Any:
        """The data of an answer."""
        answer = self.client.get(f"/api/v1/{path}", params=parameters).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def series(self, query: str) -> Mapping[tuple[str, str], float]:
        """Values by name and track."""
        return {
            (one["metric"].get("__name__", ""), one["metric"].get("track", "")): float(one["value"][1])
            for one in self.asked("query", query=query)["result"]
        }


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    folder, registry = tmp_path_factory.mktemp("scraped"), CollectorRegistry()
    children, reservation = Children(folder), Reservation({"prometheus": 0}, locks=folder / "locks")
    with (
        ObservabilityManager(service_name="scraped", service_version="1.2.3", registry=registry) as manager,
        ThreadingHTTPServer(("127.0.0.1", 0), MetricsHandler.factory(registry)) as page,
        httpx.Client(base_url=f"http://{reservation.addresses['prometheus']}", trust_env=False) as client,
    ):
        slow_trace = _tell(manager)
        serving = Thread(target=page.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 100ms, scrape_timeout: 100ms}\nscrape_configs: "
            f"[{{job_name: genesis, static_configs: [{{targets: ['127.0.0.1:{page.server_port}']}}]}}]\n"
        )
        program, address = binaries.find("prometheus"), reservation.addresses["prometheus"]
        reservation.release("prometheus")
        arguments = [
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--enable-feature=exemplar-storage",
            f"--web.listen-address={address}",
        ]
        children.start("prometheus", program, *arguments, cwd=binaries.working_folder(program))
        try:
            ready.page(f"http://{address}/-/ready", children)
            found = Scraped(client=client, slow_trace=slow_trace)
            deadline = time.monotonic() + _SCRAPED_WITHIN_S
            while not found.series("target_info") and time.monotonic() < deadline:
                time.sleep(0.05)
            yield found
        finally:
            children.end()
            reservation.close()
            page.shutdown()
            serving.join()


def _tell(manager: ObservabilityManager) -> str:
    """A few operations, named in every manner; the trace of the slow one."""
    context = manager.create_correlation_context("scrape me")
    for name in ("genesis.tests", "genesis_tests_total"):
        manager.record_metric(name, 580, "1", kind=MetricKind.COUNTER)
    manager.record_metric("genesis.errors", 0, "1", {"track": "stable"}, kind=MetricKind.COUNTER)
    manager.record_metric("genesis_feature_flag_enabled", 1, "1", {"track": "stable"})
    slow = ""
    for took_s in (0.1, 0.12, 0.45):
        with manager.span("operation", SpanType.EXECUTION, context, started_at=1.0, took_s=took_s) as span:
            manager.record_metric("genesis.operation.duration", took_s, "s", {"track": "stable"})
            manager.record_metric("genesis_halo_routing_duration_seconds", took_s / 10, "seconds")
            slow = trace.format_trace_id(span.get_span_context().trace_id)
    return slow


def test_prometheus_has_each_series_under_its_name_and_no_other(scraped: Scraped) -> None:
    assert scraped.series("up") == {("up", ""): 1}
    names = {name for name in scraped.asked("label/__name__/values") if not name.startswith(("scrape_", "up"))}
    assert names == {
        "genesis_errors_total",
        "genesis_feature_flag_enabled",
        "genesis_halo_routing_duration_seconds_bucket",
        "genesis_halo_routing_duration_seconds_count",
        "genesis_halo_routing_duration_seconds_sum",
        "genesis_operation_duration_seconds_bucket",
        "genesis_operation_duration_seconds_count",
        "genesis_operation_duration_seconds_sum",
        "genesis_tests_total",
        "target_info",
    }
    labels = set(scraped.asked("labels"))
    assert not {label for label in labels if label.startswith(("otel_", "exported_"))}


def test_prometheus_has_the_values(scraped: Scraped) -> None:
    assert scraped.series("genesis_tests_total") == {("genesis_tests_total", ""): 1160}
    assert scraped.series("genesis_errors_total") == {("genesis_errors_total", "stable"): 0}
    [share] = scraped.series(
        'genesis_operation_duration_seconds_bucket{le="0.2"} / ignoring(le) genesis_operation_duration_seconds_count'
    ).values()
    assert share == pytest.approx(2 / 3)


def test_prometheus_knows_the_kinds(scraped: Scraped) -> None:
    kinds = {name: one[0]["type"] for name, one in scraped.asked("metadata").items()}
    assert kinds.get("genesis_tests", kinds.get("genesis_tests_total")) == "counter"  # by version of Prometheus
    assert kinds["genesis_feature_flag_enabled"] == "gauge"
    assert kinds["genesis_operation_duration_seconds"] == "histogram"


def test_prometheus_knows_what_runs_there(scraped: Scraped) -> None:
    [told] = [one["metric"] for one in scraped.asked("query", query="target_info")["result"]]
    assert (told["service_name"], told["service_version"]) == ("scraped", "1.2.3")
    assert told["process_runtime_name"]
    assert not {"process_pid", "process_command", "process_command_line", "process_owner"} & set(told)


def test_prometheus_leads_from_a_slow_bucket_to_its_trace(scraped: Scraped) -> None:
    now = datetime.now(UTC).timestamp()
    query = "genesis_operation_duration_seconds_bucket"
    found = scraped.asked("query_exemplars", query=query, start=str(now - 3600), end=str(now + 60))
    exemplars = {one["seriesLabels"]["le"]: one["exemplars"][-1] for one in found}
    assert set(exemplars) == {"0.1", "0.15", "0.5"}
    assert float(exemplars["0.5"]["value"]) == 0.45
    assert exemplars["0.5"]["labels"]["trace_id"] == scraped.slow_trace


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def manager(registry: CollectorRegistry) -> Iterator[ObservabilityManager]:
    with ObservabilityManager(registry=registry) as manager:
        yield manager


def test_exemplars_stand_in_openmetrics_alone_and_stay_there(
    manager: ObservabilityManager, registry: CollectorRegistry
) -> None:
    _tell(manager)
    manager.record_metric("genesis.operation.duration", 0.001, "s", {"track": "stable"})  # in no span: no exemplar
    classic = generate_latest(registry)
    first, second = openmetrics(registry), openmetrics(registry)  # type: ignore[no-untyped-call]
    assert first == second, "who else reads the page takes nothing from it"
    assert b"trace_id" not in classic
    buckets = [line for line in first.decode().splitlines() if "operation_duration_seconds_bucket" in line]
    assert [line.split('le="')[1].split('"')[0] for line in buckets if "trace_id" in line] == ["0.1", "0.15", "0.5"]


def test_the_latest_exemplar_of_a_bucket_stands_for_it(
    manager: ObservabilityManager, registry: CollectorRegistry
) -> None:
    first = _tell(manager)
    openmetrics(registry)  # type: ignore[no-untyped-call]
    second = _tell(manager)
    page = openmetrics(registry).decode()  # type: ignore[no-untyped-call]
    assert second in page
    assert first not in page


def test_a_value_on_a_bound_is_an_exemplar_of_the_bucket_that_counts_it(
    manager: ObservabilityManager, registry: CollectorRegistry
) -> None:
    for value in (0.2, 10.0, 11.0):
        with manager.span("x", SpanType.AOP, manager.create_correlation_context("")):
            manager.record_metric("took", value, "s")
    [took] = [family for family in registry.collect() if family.name == "took_seconds"]
    shown = {sample.labels["le"]: sample.exemplar.value for sample in took.samples if sample.exemplar}
    assert shown == {"0.2": 0.2, "10.0": 10.0, "+Inf": 11.0}


def test_scrapes_that_meet_do_not_mix(registry: CollectorRegistry) -> None:
    together = Barrier(2)

    class Meeting(PrometheusReader):
        """Lets two scrapes wait for each other where the SDK's collector would give one of them both, if they can."""

        def _receive_metrics(self, *args: Any, **kwargs: Any) -> None:
            super()._receive_metrics(*args, **kwargs)
            with suppress(BrokenBarrierError):
                together.wait(timeout=0.2)

    meters = MeterProvider([Meeting(registry)])
    meters.get_meter("test").create_gauge("queue").set(3)
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(generate_latest, [registry] * 2)
    meters.shutdown()
    assert first == second
    assert first.count(b"\nqueue 3.0\n") == 1


def test_after_shutdown_the_page_is_empty() -> None:
    registry = CollectorRegistry()
    manager = ObservabilityManager(registry=registry)
    manager.record_metric("a", 1, "1")
    assert [family.name for family in registry.collect()] == ["target", "a"]
    manager.shutdown()
    manager.shutdown()
    assert list(registry.collect()) == []
    manager.record_metric("a", 2, "1")


def test_one_page_has_one_resource(manager: ObservabilityManager, registry: CollectorRegistry) -> None:
    with pytest.raises(ValueError, match="Duplicated"):
        ObservabilityManager(registry=registry)
    manager.record_metric("a", 1, "1")
    assert [family.name for family in registry.collect()] == ["target", "a"]
