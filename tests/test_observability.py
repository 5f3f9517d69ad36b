"""What a service tells of itself: spans, metrics and log lines. The demo runs this file by itself and counts its groups."""
# ruff: noqa: D102 - a test's name is its sentence

import asyncio
import json
import logging
import re
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import httpx
import pytest
from opentelemetry import metrics as otel_metrics
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Span, StatusCode
from opentelemetry.util.types import AttributeValue
from prometheus_client import REGISTRY, CollectorRegistry, MetricsHandler
from prometheus_client.parser import text_string_to_metric_families as classic

from genesis_lib import observability
from genesis_lib.observability import (
    CorrelationContext,
    MetricKind,
    MetricSnapshot,
    ObservabilityManager,
    SpanType,
    get_observability_manager,
    log_structured,
    traced_operation,
)

_OPENMETRICS = "application/openmetrics-text; version=1.0.0"
_AT = datetime(2025, 10, 20, 19, 12, 57, tzinfo=UTC)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def manager(exporter: InMemorySpanExporter, registry: CollectorRegistry) -> Iterator[ObservabilityManager]:
    with ObservabilityManager(
        service_name="genesis-test", service_version="1.2.3", registry=registry, span_exporter=exporter
    ) as manager:
        yield manager


@pytest.fixture
def context() -> CorrelationContext:
    return CorrelationContext("Make me a website")


def _by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def _told(span: ReadableSpan) -> Mapping[str, Any]:
    return span.attributes or {}


def _trace_id(span: ReadableSpan | Span) -> str:
    return trace.format_trace_id((span.get_span_context() or trace.INVALID_SPAN_CONTEXT).trace_id)


def _span_id(span: ReadableSpan | Span) -> str:
    return trace.format_span_id((span.get_span_context() or trace.INVALID_SPAN_CONTEXT).span_id)


def _parent_id(span: ReadableSpan) -> str | None:
    return None if span.parent is None else trace.format_span_id(span.parent.span_id)


@contextmanager
def _serving(server: HTTPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _page(registry: CollectorRegistry) -> AbstractContextManager[str]:
    """The address of a page that Prometheus could scrape."""
    return _serving(ThreadingHTTPServer(("127.0.0.1", 0), MetricsHandler.factory(registry)))


def _scraped(url: str, accept: str = "text/plain") -> str:
    request = urllib.request.Request(url, headers={"Accept": accept})  # noqa: S310 - a page of ours
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        text: str = answer.read().decode()
    return text


def _series(page: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    samples = [sample for family in classic(page) for sample in family.samples]
    series = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}
    assert len(series) == len(samples), "a series stands twice on the page"
    return series


class TestCorrelationContext:
    """A request keeps its identity, in this process and beyond."""

    def test_each_request_has_an_id_and_an_instant_of_its_own(self) -> None:
        contexts = [CorrelationContext("the same words") for _ in range(100)]
        assert len({str(UUID(context.correlation_id)) for context in contexts}) == 100
        assert all(context.timestamp.utcoffset() == timedelta(0) for context in contexts)

    def test_it_can_be_written_as_json(self) -> None:
        context = CorrelationContext("Ünïcode \n", "00f067aa0ba902b7", correlation_id="abc", timestamp=_AT)
        assert json.loads(json.dumps(context.to_dict())) == {
            "user_request": "Ünïcode \n",
            "parent_span_id": "00f067aa0ba902b7",
            "correlation_id": "abc",
            "timestamp": "2025-10-20T19:12:57+00:00",
        }

    def test_headers_carry_the_trace_and_the_correlation_id(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, context: CorrelationContext
    ) -> None:
        with manager.span("caller", SpanType.HTDAG, context) as span:
            headers = context.to_headers()
        received = CorrelationContext.from_headers({name.upper(): value for name, value in headers.items()}, "there")
        assert received.correlation_id == context.correlation_id
        assert received.parent_span_id == _span_id(span)
        with (
            manager.span("callee", SpanType.HALO, received) as continued,
            manager.span("inner", SpanType.HALO, received),
        ):
            assert _trace_id(continued) == _trace_id(span)
        spans = _by_name(exporter)
        assert [_parent_id(spans[name]) for name in ("callee", "inner")] == [_span_id(span), _span_id(continued)]


class TestMetricSnapshot:
    """A measurement is a fact."""

    def test_it_is_written_on_one_line(self) -> None:
        snapshot = MetricSnapshot("genesis.tests", 12, "1", {"suite": "a\nb"}, _AT)
        text = snapshot.to_json()
        assert "\n" not in text
        assert json.loads(text) == {
            "metric_name": "genesis.tests",
            "value": 12,
            "unit": "1",
            "labels": {"suite": "a\nb"},
            "timestamp": "2025-10-20T19:12:57+00:00",
        }

    def test_it_cannot_be_changed(self) -> None:
        snapshot = MetricSnapshot("genesis.tests", 12, "1", {}, _AT)
        with pytest.raises(FrozenInstanceError):
            snapshot.value = 13  # type: ignore[misc]


class TestObservabilityManager:
    """Spans and measurements, also when things go wrong or happen at once."""

    def test_a_span_says_what_it_is_about_and_whom_it_serves(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, context: CorrelationContext
    ) -> None:
        mine: dict[str, AttributeValue] = {"tasks": 3, "genesis.correlation_id": "not mine to say"}
        with manager.span("plan", SpanType.HTDAG, context, mine) as span:
            assert manager.active_spans == {_span_id(span): span}
        assert manager.active_spans == {}
        assert dict(_told(_by_name(exporter)["plan"])) == {
            "tasks": 3,
            "genesis.span_type": "htdag",
            "genesis.correlation_id": context.correlation_id,
            "genesis.user_request": "Make me a website",
        }

    def test_a_span_within_a_span_is_its_child(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, context: CorrelationContext
    ) -> None:
        with manager.span("outer", SpanType.ORCHESTRATION, context) as outer:
            with manager.span("first", SpanType.HTDAG, context):
                assert len(manager.active_spans) == 2
            with manager.span("second", SpanType.HALO, context):
                pass
        spans = _by_name(exporter)
        assert {_trace_id(span) for span in spans.values()} == {_trace_id(outer)}
        assert [_parent_id(spans[name]) for name in ("outer", "first", "second")] == [None, *[_span_id(outer)] * 2]
        assert "genesis.user_request" not in _told(spans["first"])

    @pytest.mark.parametrize("error", [ValueError("no plan"), KeyboardInterrupt(), asyncio.CancelledError()], ids=repr)
    def test_an_exception_marks_the_span_and_goes_on(
        self,
        manager: ObservabilityManager,
        exporter: InMemorySpanExporter,
        context: CorrelationContext,
        error: BaseException,
    ) -> None:
        with pytest.raises(type(error)) as raised, manager.span("plan", SpanType.HTDAG, context):
            raise error
        assert raised.value is error
        assert manager.active_spans == {}
        span = _by_name(exporter)["plan"]
        assert span.status.status_code is StatusCode.ERROR
        assert [(event.attributes or {})["exception.message"] for event in span.events] == [str(error)]
        assert not trace.get_current_span().get_span_context().is_valid

    def test_a_span_of_work_timed_elsewhere_has_that_works_time(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, context: CorrelationContext
    ) -> None:
        began = _AT.timestamp()
        with (
            pytest.raises(ValueError, match="late"),
            manager.span("whole", SpanType.ORCHESTRATION, context, started_at=began, took_s=0.25),
            manager.span("part", SpanType.AOP, context, started_at=began + 0.1, took_s=0.125),
        ):
            raise ValueError("late")
        whole, part = (_by_name(exporter)[name] for name in ("whole", "part"))
        assert whole.start_time == round(began * 1e9)
        assert whole.end_time == whole.start_time + 250_000_000
        assert part.end_time == whole.start_time + 225_000_000
        assert _parent_id(part) == _span_id(whole)
        assert [event.timestamp for event in part.events] == [part.end_time]

    def test_a_measurement_is_kept_as_it_was_recorded(self, manager: ObservabilityManager) -> None:
        before = datetime.now(UTC)
        labels = {"agent": "builder"}
        manager.record_metric("genesis.queue", 3, "1", labels)
        labels["agent"] = "changed afterwards"
        [one] = manager.metrics
        assert (one.metric_name, one.value, one.unit, one.labels) == ("genesis.queue", 3, "1", {"agent": "builder"})
        assert before <= one.timestamp <= datetime.now(UTC)

    def test_the_summary_counts_all_while_the_latest_are_kept(self) -> None:
        with ObservabilityManager(most_metrics=10) as manager:
            for value in range(1, 101):
                manager.record_metric("a", value, "1")
            manager.record_metric("b", -2, "1")
            assert [one.value for one in manager.metrics] == [*range(92, 101), -2]
            assert manager.get_metrics_summary() == {
                "total_metrics": 101,
                "unique_metrics": 2,
                "by_metric": {
                    "a": {"count": 100, "min": 1, "max": 100, "avg": 50.5, "sum": 5050},
                    "b": {"count": 1, "min": -2, "max": -2, "avg": -2, "sum": -2},
                },
            }

    def test_both_memories_can_be_emptied_by_assignment(
        self, manager: ObservabilityManager, context: CorrelationContext
    ) -> None:
        manager.record_metric("a", 1, "1")
        manager.metrics = []
        assert manager.get_metrics_summary() == {"total_metrics": 0, "unique_metrics": 0, "by_metric": {}}
        with manager.span("x", SpanType.AOP, context):
            manager.active_spans = {}
        manager.record_metric("a", 2, "1")
        assert (len(manager.metrics), manager.active_spans) == (1, {})

    def test_the_libraries_globals_stay_untouched(self, manager: ObservabilityManager) -> None:
        manager.record_metric("untouched", 1, "1")
        assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
        assert type(otel_metrics.get_meter_provider()).__name__ == "_ProxyMeterProvider"
        assert not [family for family in REGISTRY.collect() if family.name in ("untouched", "target")]


class TestTimedOperation:
    """How long it took, in seconds."""

    def test_its_duration_is_recorded(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, context: CorrelationContext
    ) -> None:
        with manager.timed_operation("genesis.operation", SpanType.EXECUTION, context):
            threading.Event().wait(0.01)
        [one] = manager.metrics
        span = _by_name(exporter)["genesis.operation"]
        assert (one.metric_name, one.unit) == ("genesis.operation.duration", "s")
        assert span.start_time is not None
        assert span.end_time is not None
        assert 0.01 <= one.value <= (span.end_time - span.start_time) / 1e9 + 0.001  # the clocks differ by so much

    def test_also_when_it_fails(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, context: CorrelationContext
    ) -> None:
        with (
            pytest.raises(LookupError),
            manager.timed_operation("genesis.operation", SpanType.EXECUTION, context),
        ):
            raise LookupError
        assert [one.metric_name for one in manager.metrics] == ["genesis.operation.duration"]
        assert _by_name(exporter)["genesis.operation"].status.status_code is StatusCode.ERROR

    def test_a_name_that_cannot_be_recorded_is_refused_before_the_work(
        self, manager: ObservabilityManager, context: CorrelationContext
    ) -> None:
        done: list[str] = []
        with pytest.raises(ValueError, match="no name"), manager.timed_operation("5xx", SpanType.AOP, context):
            done.append("work")
        assert done == []


class TestGlobalObservabilityManager:
    """One manager for a process that has none of its own."""

    def test_all_threads_get_the_same(self) -> None:
        observability._own_manager.cache_clear()
        together = threading.Barrier(8)

        def ask(_: int) -> ObservabilityManager:
            together.wait()
            return get_observability_manager()

        with ThreadPoolExecutor(8) as pool:
            managers = set(pool.map(ask, range(8)))
        assert managers == {get_observability_manager()}

    def test_its_metrics_stand_on_no_page(self) -> None:
        get_observability_manager().record_metric("nowhere", 1, "1")
        assert get_observability_manager().metrics[-1].metric_name == "nowhere"
        assert "nowhere" not in {family.name for family in REGISTRY.collect()}


class TestTracedOperationDecorator:
    """A span around each call."""

    def test_a_function_is_traced_and_given_the_context(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, context: CorrelationContext
    ) -> None:
        @traced_operation("plan", SpanType.HTDAG)
        def plan(tasks: int, *, context: CorrelationContext | None = None) -> tuple[int, CorrelationContext | None]:
            """Plan."""
            return tasks, context

        with manager.span("request", SpanType.ORCHESTRATION, context) as request:
            assert plan(3) == (3, context)
        other = CorrelationContext("another request")
        with manager.span("request", SpanType.ORCHESTRATION, context):
            assert plan(4, context=other) == (4, other)
        first, second = (span for span in exporter.get_finished_spans() if span.name == "plan")
        assert _parent_id(first) == _span_id(request)
        assert _told(second)["genesis.correlation_id"] == other.correlation_id
        assert (plan.__name__, plan.__doc__) == ("plan", "Plan.")

    def test_a_coroutine_is_traced_until_it_ends(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, context: CorrelationContext
    ) -> None:
        @traced_operation("route", SpanType.HALO)
        async def route(*, context: CorrelationContext | None = None) -> str:
            await asyncio.sleep(0)
            with manager.span("inside", SpanType.HALO, context or CorrelationContext("lost")):
                return "builder"

        async def request() -> list[str]:
            with manager.span("request", SpanType.ORCHESTRATION, context):
                return list(await asyncio.gather(route(), route()))

        assert asyncio.run(request()) == ["builder", "builder"]
        spans = exporter.get_finished_spans()
        routes = {_span_id(span) for span in spans if span.name == "route"}
        assert {_parent_id(span) for span in spans if span.name == "inside"} == routes
        assert {_told(span)["genesis.correlation_id"] for span in spans} == {context.correlation_id}

    def test_without_a_context_or_a_span_around_it_a_call_is_a_request_of_its_own(self) -> None:
        @traced_operation("plan", SpanType.HTDAG)
        def plan(context: CorrelationContext | None = None) -> tuple[str, dict[str, Span]]:
            assert context is not None
            return context.correlation_id, dict(get_observability_manager().active_spans)

        (first, active), (second, _) = plan(), plan(None)
        assert first != second
        assert [getattr(span, "name", "") for span in active.values()] == ["plan"]
        assert get_observability_manager().active_spans == {}

    def test_an_error_goes_on(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, context: CorrelationContext
    ) -> None:
        @traced_operation("validate", SpanType.AOP)
        def validate(amount: int) -> float:
            return 1 / amount

        with manager.span("request", SpanType.ORCHESTRATION, context), pytest.raises(ZeroDivisionError):
            validate(0)
        spans = _by_name(exporter)
        assert [spans[name].status.status_code for name in ("validate", "request")] == [
            StatusCode.ERROR,
            StatusCode.UNSET,
        ]

    def test_what_yields_is_refused(self) -> None:
        def stream() -> Iterator[int]:
            yield 1

        with pytest.raises(TypeError, match="yields"):
            traced_operation("stream", SpanType.EXECUTION)(stream)


class TestStructuredLogging:
    """One line of JSON for one event, and nobody writes a second one."""

    def test_a_line_names_its_span_and_its_request(
        self, manager: ObservabilityManager, context: CorrelationContext, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "genesis")
        with manager.span("plan", SpanType.HTDAG, context) as span:
            log_structured("planned", tasks=3, trace_id="forged", timestamp="forged")
        log_structured("idle", correlation_id="as told")
        inside, outside = (json.loads(message) for message in caplog.messages)
        assert datetime.fromisoformat(inside.pop("timestamp")).utcoffset() == timedelta(0)
        assert inside == {
            "message": "planned",
            "tasks": 3,
            "trace_id": _trace_id(span),
            "span_id": _span_id(span),
            "correlation_id": context.correlation_id,
        }
        assert set(outside) == {"timestamp", "message", "correlation_id"}

    def test_fields_of_any_kind_stay_on_the_line(self, caplog: pytest.LogCaptureFixture) -> None:
        class Broken:
            def __str__(self) -> str:
                raise RuntimeError

        caplog.set_level(logging.INFO, "genesis")
        circle: list[Any] = []
        circle.append(circle)
        deep: list[Any] = []
        for _ in range(100_000):
            deep = [deep]
        log_structured(
            'first\r\n{"message": "forged"}\u2028\ud800 %s',
            nan=float("nan"),
            at=_AT,
            inner={"at": _AT, "list": [1, None]},
            keys={(1, 2): 3},
            broken=Broken(),
            circle=circle,
            deep=deep,
        )
        [text] = caplog.messages
        assert len(text.splitlines()) == 1
        assert {name: value for name, value in json.loads(text).items() if name != "timestamp"} == {
            "message": 'first\r\n{"message": "forged"}\u2028\ud800 %s',
            "nan": "nan",
            "at": "2025-10-20 19:12:57+00:00",
            "inner": {"at": "2025-10-20 19:12:57+00:00", "list": [1, None]},
            "keys": "{(1, 2): 3}",
            "broken": "<Broken>",
            "circle": "[[...]]",
            "deep": "<list>",
        }


class TestEndToEndScenario:
    """A request's way through planner, router and validator, seen from outside."""

    def test_a_page_shows_each_metric_once_under_the_name_that_queries_use(
        self, manager: ObservabilityManager, registry: CollectorRegistry, context: CorrelationContext
    ) -> None:
        with manager.span("request", SpanType.ORCHESTRATION, context):
            for stage in ("htdag.decomposition", "halo.routing", "aop.validation"):
                with manager.timed_operation(f"genesis.{stage}", SpanType.HTDAG, context):
                    pass
        for name in ("genesis.tests", "genesis_tests_total", "genesis_tests_total_total"):
            manager.record_metric(name, 1, "1", kind=MetricKind.COUNTER)
        manager.record_metric("genesis_operation_duration_seconds", 0.138, "seconds", {"track": "stable"})
        manager.record_metric("genesis.operation.duration", 0.2, "s", {"track": "stable"})
        with _page(registry) as url:
            series, page = _series(_scraped(url)), _scraped(url, _OPENMETRICS)
        assert page.endswith("# EOF\n")
        assert sorted(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE)) == [
            "genesis_aop_validation_duration_seconds",
            "genesis_halo_routing_duration_seconds",
            "genesis_htdag_decomposition_duration_seconds",
            "genesis_operation_duration_seconds",
            "genesis_tests",
            "target",
        ]
        stable = ("track", "stable")
        assert series["genesis_tests_total", ()] == 3
        assert series["genesis_operation_duration_seconds_count", (stable,)] == 2
        assert series["genesis_operation_duration_seconds_sum", (stable,)] == pytest.approx(0.338)
        assert series["genesis_operation_duration_seconds_bucket", (("le", "0.2"), stable)] == 2
        [resource] = [dict(labels) for name, labels in series if name == "target_info"]
        assert (resource["service_name"], resource["service_version"]) == ("genesis-test", "1.2.3")
        assert set(resource) == {
            "process_executable_path",
            "process_runtime_name",
            "process_runtime_version",
            "service_name",
            "service_version",
        }
        assert not [labels for _, labels in series if any(label.startswith("otel_") for label, _ in labels)]

    def test_a_trace_goes_on_in_the_service_that_is_called(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, context: CorrelationContext
    ) -> None:
        received: list[CorrelationContext] = []

        class Callee(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                received.append(CorrelationContext.from_headers(self.headers, "a call"))
                with manager.span("callee", SpanType.HALO, received[-1]):
                    self.send_response(204)
                self.end_headers()  # which sends it: the span has ended when the caller goes on

            def log_message(self, *_: object) -> None: ...

        with (
            _serving(ThreadingHTTPServer(("127.0.0.1", 0), Callee)) as url,
            manager.span("caller", SpanType.HTDAG, context) as caller,
            httpx.Client(verify=False) as client,  # noqa: S501 - loopback; certificates take long to load
        ):
            assert client.get(url, headers=context.to_headers()).status_code == 204
            assert client.get(url, headers={"traceparent": "garbage"}).status_code == 204
        known, unknown = (span for span in exporter.get_finished_spans() if span.name == "callee")
        assert (_trace_id(known), _parent_id(known)) == (_trace_id(caller), _span_id(caller))
        assert (_trace_id(unknown) == _trace_id(caller), _parent_id(unknown)) == (False, None)
        assert received[0].correlation_id == context.correlation_id != received[1].correlation_id

    def test_spans_reach_a_collector(self, context: CorrelationContext) -> None:
        received: list[tuple[str, bytes]] = []

        class Collector(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        with (
            _serving(ThreadingHTTPServer(("127.0.0.1", 0), Collector)) as url,
            ObservabilityManager(service_name="sender", otlp_endpoint=url) as manager,
            manager.span("plan", SpanType.HTDAG, context) as span,
        ):
            pass
        [(path, body)] = received
        [told] = ExportTraceServiceRequest.FromString(body).resource_spans
        assert path == "/v1/traces"
        assert "sender" in [attribute.value.string_value for attribute in told.resource.attributes]
        assert [(one.name, one.trace_id.hex()) for one in told.scope_spans[0].spans] == [("plan", _trace_id(span))]


class TestIntegration:
    """Much at once."""

    def test_threads_and_tasks_keep_their_spans_apart_and_lose_no_count(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, registry: CollectorRegistry
    ) -> None:
        together = threading.Barrier(4)

        async def task(context: CorrelationContext) -> None:
            with manager.span("parent", SpanType.ORCHESTRATION, context):
                await asyncio.sleep(0)
                with manager.timed_operation("child", SpanType.EXECUTION, context):
                    await asyncio.sleep(0)
                    manager.record_metric("done", 1, "1", kind=MetricKind.COUNTER)

        async def tasks() -> None:
            await asyncio.gather(*(task(CorrelationContext(str(number))) for number in range(20)))

        def thread(_: int) -> None:
            together.wait()
            asyncio.run(tasks())

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(thread, range(4)))
        spans: Sequence[ReadableSpan] = exporter.get_finished_spans()
        parents = {_span_id(span): span for span in spans if span.name == "parent"}
        children = [span for span in spans if span.name == "child"]
        assert (len(parents), len(children), manager.active_spans) == (80, 80, {})
        for child in children:
            parent = parents[_parent_id(child) or ""]
            assert _told(child)["genesis.correlation_id"] == _told(parent)["genesis.correlation_id"]
        assert registry.get_sample_value("done_total") == 80
        assert registry.get_sample_value("child_duration_seconds_count") == 80
        assert manager.get_metrics_summary()["total_metrics"] == 160

    def test_a_thread_goes_on_with_the_span_that_it_is_told(
        self, manager: ObservabilityManager, exporter: InMemorySpanExporter, context: CorrelationContext
    ) -> None:
        def work(handed: CorrelationContext) -> None:
            with manager.span("work", SpanType.EXECUTION, handed), manager.span("part", SpanType.EXECUTION, handed):
                pass

        with ThreadPoolExecutor(1) as pool, manager.span("request", SpanType.ORCHESTRATION, context) as request:
            handed = CorrelationContext("work", _span_id(request), correlation_id=context.correlation_id)
            pool.submit(work, handed).result()
        spans = _by_name(exporter)
        assert _parent_id(spans["work"]) == _span_id(request)
        assert _parent_id(spans["part"]) == _span_id(spans["work"])

    def test_a_page_scraped_by_many_at_once_is_whole_for_each(
        self, manager: ObservabilityManager, registry: CollectorRegistry
    ) -> None:
        for number in range(20):
            manager.record_metric("queue", number, "1", {"agent": str(number)})
        manager.record_metric("took", 0.1, "s")
        with _page(registry) as url, ThreadPoolExecutor(8) as pool:
            pages = {frozenset(_series(page)) for page in pool.map(_scraped, [url] * 16)}
        [series] = pages
        assert len([name for name, _ in series if name == "queue"]) == 20
