"""Say where spans go, and when a span began and ended that was timed elsewhere."""

import math
import os

from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter

__all__ = ["lifetime_ns", "provider"]

_OTLP_PATH, _OTLP_TIMEOUT_S = "/v1/traces", 5.0


def provider(resource: Resource, exporter: SpanExporter | None, otlp_endpoint: str) -> TracerProvider:
    """Spans go to `exporter` as they end, and in the background to `otlp_endpoint`, else to where the environment says."""
    traces = TracerProvider(resource=resource)
    if exporter is not None:
        traces.add_span_processor(SimpleSpanProcessor(exporter))
    # Left to itself, the SDK's exporter would send to localhost where nothing is set.
    is_set = any(map(os.environ.get, (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, OTEL_EXPORTER_OTLP_ENDPOINT)))
    if otlp_endpoint or is_set:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        url = otlp_endpoint.rstrip("/").removesuffix(_OTLP_PATH) + _OTLP_PATH if otlp_endpoint else None
        traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, timeout=_OTLP_TIMEOUT_S)))
    return traces


def lifetime_ns(started_at: float | None, took_s: float | None) -> tuple[int | None, int | None]:
    """Begin and end in Unix nanoseconds; None and None for a span that is timed by the clock.

    Raises:
        ValueError: only one is given, or they are no instant and no duration.

    """
    if started_at is None and took_s is None:
        return None, None
    if started_at is None or took_s is None:
        raise ValueError("a span that was timed elsewhere needs both started_at and took_s")
    if not (math.isfinite(started_at) and math.isfinite(took_s) and took_s >= 0):
        raise ValueError(f"a span cannot begin at {started_at} and take {took_s} s")
    began_ns = round(started_at * 1e9)
    return began_ns, began_ns + round(took_s * 1e9)
