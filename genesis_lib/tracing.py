"""Trace a run: a span for each of its steps and for each question that is really asked, of one trace in all its processes."""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from opentelemetry.trace import Span, StatusCode, format_span_id

from genesis_lib import __version__
from genesis_lib.evidence import Evidence, Exchange
from genesis_lib.formatting import shortened
from genesis_lib.observability import CorrelationContext, ObservabilityManager, SpanType
from genesis_lib.telemetry.spans import SOURCE, Attribute, SpanFile

__all__ = ["Carried", "Trace"]

_MOST_QUESTIONS = 2000  # of one process; a report asks a tenth of it
_LONGEST_QUESTION = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What another process needs to add to a trace: the run's folder, and W3C headers that name the span it works for."""

    folder: Path
    headers: Mapping[str, str]

    @property
    def variables(self) -> dict[str, str]:
        """The headers as environment variables, `TRACEPARENT` and `BAGGAGE`, for a process that it starts in turn."""
        return {name.upper(): value for name, value in self.headers.items()}


class Trace:
    """What one process adds to the trace of a run.

    Spans lie in the run's folder, and go to a collector too where OTEL_EXPORTER_OTLP_ENDPOINT names one.

    Made in the process that it is for: a collector's sender is a thread, and does not survive a fork.
    """

    def __init__(self, request: str, headers: Mapping[str, str] | None = None) -> None:
        self._file = SpanFile()
        self._manager = ObservabilityManager(
            service_name="genesis-readiness", service_version=__version__, span_exporter=self._file
        )
        self._context = CorrelationContext.from_headers(headers or {}, request)
        self._questions = itertools.count()

    @classmethod
    def joined(cls, carried: Carried) -> Self:
        """The trace that another process began."""
        trace = cls("", carried.headers)
        trace._file.write_into(carried.folder)
        return trace

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Send what is still to be sent."""
        self._manager.shutdown()

    @contextmanager
    def step(self, name: str, **attributes: Attribute) -> Iterator[Span]:
        """A span around a block of this thread. What is asked inside it, in whatever thread, is a child of it."""
        outer = self._context
        own = {f"genesis.{key}": value for key, value in attributes.items()}
        with self._manager.span(name, SpanType.ORCHESTRATION, outer, own) as span:
            self._context = replace(outer, parent_span_id=format_span_id(span.get_span_context().span_id))
            try:
                yield span
            finally:
                self._context = outer

    def watch(self, folder: Path, evidence: Evidence) -> None:
        """Keep the spans in this run's folder, and make one of each question that is asked for its evidence."""
        self._file.write_into(folder)
        evidence.on_asked = self._asked

    def carried(self, folder: Path) -> Carried:
        """For another process, the step that this one is at."""
        return Carried(folder=folder, headers=self._context.to_headers())

    def _asked(self, exchange: Exchange) -> None:
        if next(self._questions) >= _MOST_QUESTIONS:
            return
        attributes: dict[str, Attribute] = {
            SOURCE: exchange.source,
            "genesis.kind": exchange.kind,
            "genesis.question": shortened(exchange.question, _LONGEST_QUESTION),
            "genesis.exchange": exchange.id,
            "genesis.status": exchange.status,
            "genesis.size_bytes": exchange.size,
        }
        if exchange.error_cause:
            attributes["error.type"] = exchange.error_cause
        began, name = exchange.asked_at.timestamp(), f"ask {exchange.source}"
        with self._manager.span(
            name, SpanType.EXECUTION, self._context, attributes, started_at=began, took_s=exchange.took_s
        ) as span:
            if exchange.error_cause:
                span.set_status(StatusCode.ERROR, exchange.error_cause)
