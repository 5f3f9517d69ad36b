"""Know which request work belongs to, in this process and over HTTP (W3C Trace Context and Baggage)."""

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, Self
from uuid import uuid4

from opentelemetry import baggage, trace
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

__all__ = ["CorrelationContext", "Headers"]

_CORRELATION_ID = "genesis.correlation_id"
_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")  # what comes from outside ends up in logs and traces
_TRACE, _BAGGAGE = TraceContextTextMapPropagator(), W3CBaggagePropagator()


class Headers(Protocol):
    """Headers as any HTTP library gives them: httpx's, http.server's, or a dict."""

    def items(self) -> Any:
        """Pairs of name and value."""


@dataclass(frozen=True, slots=True)
class CorrelationContext:
    """The request that all its spans, metrics and log lines belong to.

    `parent_span_id` (16 hex digits) is the span that asked for the work. Given the id of an active span of this process, another
    thread continues its trace; `remote` is its like from another process, and comes from `from_headers`.
    """

    user_request: str
    parent_span_id: str | None = None
    _: KW_ONLY
    correlation_id: str = field(default_factory=lambda: str(uuid4()))
    timestamp: datetime = field(default_factory=lambda: datetime.now(UTC))
    remote: SpanContext | None = field(default=None, repr=False)

    @classmethod
    def from_headers(cls, headers: Headers, user_request: str = "") -> Self:
        """What incoming headers tell. Headers that are absent or damaged begin a new trace, with a new correlation id."""
        carrier = {str(name).lower(): str(value) for name, value in headers.items()}
        remote = trace.get_current_span(_TRACE.extract(carrier, Context())).get_span_context()
        told = baggage.get_baggage(_CORRELATION_ID, _BAGGAGE.extract(carrier, Context()))
        context = cls(user_request)
        return cls(
            user_request,
            trace.format_span_id(remote.span_id) if remote.is_valid else None,
            correlation_id=str(told) if _ACCEPTABLE_ID.fullmatch(str(told or "")) else context.correlation_id,
            timestamp=context.timestamp,
            remote=remote if remote.is_valid else None,
        )

    def to_headers(self) -> dict[str, str]:
        """The headers of an outgoing request: `traceparent` of the current span, and the correlation id as baggage."""
        carrier: dict[str, str] = {}
        current = None
        if self.remote is not None and not trace.get_current_span().get_span_context().is_valid:
            current = trace.set_span_in_context(NonRecordingSpan(self.remote))  # passed on by whom it does not concern
        _TRACE.inject(carrier, current)
        _BAGGAGE.inject(carrier, baggage.set_baggage(_CORRELATION_ID, self.correlation_id))
        return carrier

    def to_dict(self) -> Mapping[str, str | None]:
        """The context as JSON could hold it."""
        return {
            "user_request": self.user_request,
            "parent_span_id": self.parent_span_id,
            "correlation_id": self.correlation_id,
            "timestamp": self.timestamp.isoformat(),
        }
