"""Instrument a service: spans, metrics and log lines that belong together, on the OpenTelemetry SDK (docs/observability.md)."""

import functools
import inspect
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Any, ParamSpec, Self, TypeVar, cast

from opentelemetry import context as otel
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider, TraceBasedExemplarFilter
from opentelemetry.sdk.resources import ProcessResourceDetector, Resource
from opentelemetry.sdk.trace.export import SpanExporter
from opentelemetry.trace import NonRecordingSpan, Span, Status, StatusCode
from opentelemetry.util.types import AttributeValue
from prometheus_client import CollectorRegistry

from genesis_lib.telemetry import traces
from genesis_lib.telemetry.correlation import CorrelationContext
from genesis_lib.telemetry.log_lines import log_line
from genesis_lib.telemetry.metrics import MetricKind, Metrics, MetricSnapshot

__all__ = [
    "CorrelationContext",
    "MetricKind",
    "MetricSnapshot",
    "ObservabilityManager",
    "SpanType",
    "get_observability_manager",
    "log_structured",
    "traced_operation",
]

P = ParamSpec("P")
R = TypeVar("R")

# Upper bounds in seconds, from what a cache answers to what a person gives up on; 0.2 and 0.5 are the report's thresholds.
_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)
_RUNTIME = ("process.executable.path", "process.runtime.name", "process.runtime.version")
_CURRENT = otel.create_key("genesis")  # the manager and the correlation context of the current span
_MAKING = threading.Lock()


class SpanType(StrEnum):
    """Which part of the system a span is about."""

    ORCHESTRATION = "orchestration"
    HTDAG = "htdag"
    HALO = "halo"
    AOP = "aop"
    EXECUTION = "execution"
    INFRASTRUCTURE = "infrastructure"


class ObservabilityManager:
    """The telemetry of one service. Thread- and asyncio-safe; a context manager that shuts it down.

    Args:
        service_name: as in `target_info` and in each span's resource.
        service_version: likewise.
        registry: whose page shows the metrics; without one they are only kept in `metrics`.
        span_exporter: is given each span as it ends, in the thread that ended it.
        otlp_endpoint: `http://host:4318`, sent spans in the background. Empty: as OTEL_EXPORTER_OTLP_TRACES_ENDPOINT or
            OTEL_EXPORTER_OTLP_ENDPOINT say; nowhere, if they are unset.
        buckets_s: upper bounds of the buckets of durations, in seconds.
        most_metrics: how many of the latest measurements `metrics` holds.

    """

    def __init__(
        self,
        *,
        service_name: str = "genesis",
        service_version: str = "",
        registry: CollectorRegistry | None = None,
        span_exporter: SpanExporter | None = None,
        otlp_endpoint: str = "",
        buckets_s: Sequence[float] = _BUCKETS_S,
        most_metrics: int = 10_000,
    ) -> None:
        detected = ProcessResourceDetector().detect().attributes
        service = {"service.name": service_name, "service.version": service_version}
        resource = Resource(service | {name: detected[name] for name in _RUNTIME})
        self._traces = traces.provider(resource, span_exporter, otlp_endpoint)
        self._meters = MeterProvider(
            [] if registry is None else [_prometheus_reader(registry)], resource, TraceBasedExemplarFilter()
        )
        self._metrics = Metrics(
            meter=self._meters.get_meter("genesis"),
            buckets_s=sorted({float(bound) for bound in buckets_s if math.isfinite(bound)}),
            most=most_metrics,
        )
        self._active: dict[str, Span] = {}
        self._is_shut = False
        self.tracer = self._traces.get_tracer("genesis")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.shutdown()

    def shutdown(self) -> None:
        """Send what is still to be sent, and take the metrics off their page. What is recorded afterwards goes nowhere."""
        if not self._is_shut:
            self._is_shut = True
            self._traces.shutdown()
            self._meters.shutdown()

    def flush(self) -> None:
        """Send the spans that wait."""
        self._traces.force_flush()

    @property
    def active_spans(self) -> dict[str, Span]:
        """The spans that have begun and not ended, by id in hex."""
        return self._active

    @active_spans.setter
    def active_spans(self, spans: Mapping[str, Span]) -> None:
        self._active = dict(spans)

    @property
    def metrics(self) -> list[MetricSnapshot]:
        """The latest measurements. Assigning a list starts the summary anew, from that list."""
        return self._metrics.recent

    @metrics.setter
    def metrics(self, recent: Sequence[MetricSnapshot]) -> None:
        self._metrics.restart(recent)

    def create_correlation_context(self, user_request: str) -> CorrelationContext:
        """The context of a request that begins here."""
        return CorrelationContext(user_request)

    @contextmanager
    def span(
        self,
        name: str,
        span_type: SpanType,
        context: CorrelationContext,
        attributes: Mapping[str, AttributeValue] | None = None,
        *,
        started_at: float | None = None,
        took_s: float | None = None,
    ) -> Iterator[Span]:
        """A span around a block: a child of the span around it, else of the one that `context` names, else a trace's first.

        An exception marks it as failed and goes on. With `started_at` (Unix seconds) and `took_s` it is the span of work that
        was timed elsewhere.
        """
        began_ns, ended_ns = traces.lifetime_ns(started_at, took_s)
        within = self._within(context)
        own: dict[str, AttributeValue] = {
            "genesis.span_type": str(span_type),
            "genesis.correlation_id": context.correlation_id,
        }
        if not trace.get_current_span(within).get_span_context().is_valid:
            own["genesis.user_request"] = context.user_request  # once in a trace
        span = self.tracer.start_span(name, within, attributes={**(attributes or {}), **own}, start_time=began_ns)
        span_id = trace.format_span_id(span.get_span_context().span_id)
        self._active[span_id] = span
        token = otel.attach(otel.set_value(_CURRENT, (self, context), trace.set_span_in_context(span)))
        try:
            yield span
        except GeneratorExit:  # whoever iterated has had enough: no error
            raise
        except BaseException as error:
            span.record_exception(error, timestamp=ended_ns)
            span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
            raise
        finally:
            otel.detach(token)
            self._active.pop(span_id, None)
            span.end(ended_ns)

    @contextmanager
    def timed_operation(self, name: str, span_type: SpanType, context: CorrelationContext) -> Iterator[Span]:
        """A span whose duration is recorded as the metric `<name>.duration` in seconds, on error too."""
        metric = f"{name}.duration"
        self._metrics.instrument(metric, "s")  # what cannot be recorded is refused before the work is done
        with self.span(name, span_type, context) as span:
            began = time.perf_counter()
            try:
                yield span
            finally:
                self.record_metric(metric, time.perf_counter() - began, "s")

    def record_metric(
        self,
        metric_name: str,
        value: float,
        unit: str,
        labels: Mapping[str, str] | None = None,
        *,
        kind: MetricKind | None = None,
    ) -> None:
        """One measurement; inside a span it carries the trace as an exemplar.

        Args:
            metric_name: `genesis.tests`, or as Prometheus will show it, `genesis_tests_total`: both are the same counter.
            value: what a counter grows by, what a gauge now is, one observation of a histogram.
            unit: as in UCUM (`s`, `By`, `1`); it ends the name.
            labels: few values each; past 2,000 combinations a metric counts the others together.
            kind: without one, seconds are a histogram and all else is a gauge.

        Raises:
            ValueError: not finite, or negative where nothing can fall, or a name that Prometheus could not show.

        """
        self._metrics.record(metric_name, value, unit, labels, kind)

    def get_metrics_summary(self) -> dict[str, Any]:
        """`total_metrics`, `unique_metrics` and, `by_metric`, count, min, max, avg and sum, of all that was recorded."""
        return self._metrics.summary()

    def _within(self, context: CorrelationContext) -> otel.Context:
        current = trace.get_current_span().get_span_context()
        if context.remote is not None and context.remote.trace_id != current.trace_id:
            return trace.set_span_in_context(NonRecordingSpan(context.remote))
        parent = self._active.get(context.parent_span_id or "")
        if parent is not None and not current.is_valid:
            return trace.set_span_in_context(parent)
        return otel.get_current()


def get_observability_manager() -> ObservabilityManager:
    """The process' own manager, made when first asked for: its metrics go nowhere, its traces where the environment says."""
    with _MAKING:
        return _own_manager()


def traced_operation(name: str, span_type: SpanType) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Put a span around each call of a function, by the manager of the surrounding span, else by the process' own.

    A function that takes a `context` is given one if its caller does not: that of the surrounding span, else a new one.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(f"{function.__qualname__} yields; open a span inside it, where the work is done")
        signature = inspect.signature(function)

        @contextmanager
        def call(*args: Any, **kwargs: Any) -> Iterator[inspect.BoundArguments]:
            bound = signature.bind(*args, **kwargs)
            manager, surrounding = _current() or (get_observability_manager(), None)
            given = bound.arguments.get("context")
            context = given if isinstance(given, CorrelationContext) else surrounding or CorrelationContext(name)
            if given is None and "context" in signature.parameters:
                bound.arguments["context"] = context
            with manager.span(name, span_type, context):
                yield bound

        @functools.wraps(function)
        def traced(*args: P.args, **kwargs: P.kwargs) -> R:
            with call(*args, **kwargs) as bound:
                return function(*bound.args, **bound.kwargs)

        @functools.wraps(function)
        async def traced_async(*args: P.args, **kwargs: P.kwargs) -> Any:
            with call(*args, **kwargs) as bound:
                return await cast("Any", function)(*bound.args, **bound.kwargs)

        return cast("Callable[P, R]", traced_async) if inspect.iscoroutinefunction(function) else traced

    return decorate


def log_structured(message: str, **fields: Any) -> None:
    """One line of JSON to the logger `genesis`, at INFO, with the ids of the current span. What is not JSON becomes text."""
    ids = {}
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        ids = {"trace_id": trace.format_trace_id(span.trace_id), "span_id": trace.format_span_id(span.span_id)}
    if (current := _current()) is not None:
        ids["correlation_id"] = current[1].correlation_id
    logging.getLogger("genesis").info("%s", log_line(message, fields, ids, at=datetime.now(UTC)))


@functools.cache
def _own_manager() -> ObservabilityManager:
    return ObservabilityManager()


def _current() -> tuple[ObservabilityManager, CorrelationContext] | None:
    return cast("tuple[ObservabilityManager, CorrelationContext] | None", otel.get_value(_CURRENT))


def _prometheus_reader(registry: CollectorRegistry) -> Any:
    from genesis_lib.telemetry.exposition import PrometheusReader

    return PrometheusReader(registry)
