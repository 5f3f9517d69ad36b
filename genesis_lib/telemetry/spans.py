"""Keep the spans of a run in its folder, a line of JSON each, and read them back (docs/tracing.md)."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import format_span_id, format_trace_id

from genesis_lib.formatting import shortened
from genesis_lib.model import Cause, Missing

__all__ = ["FOLDER", "SOURCE", "Attribute", "Span", "SpanFile", "read_spans"]

FOLDER = "trace"  # in the run's folder
SOURCE = "genesis.source"  # the attribute that tells a question from a step

Attribute = str | bool | int | float

_NANO = 10**9
_LONGEST_TEXT = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One step of a run, or one question that was asked in it. Instants are Unix nanoseconds.

    `parent_span_id` is empty for the run itself; `error` is empty where all went well.
    """

    name: str
    trace_id: str
    span_id: str
    parent_span_id: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Attribute]
    error: str

    @property
    def took_s(self) -> float:
        """How long it took, in seconds."""
        return (self.end_ns - self.start_ns) / _NANO

    @property
    def source(self) -> str:
        """Who was asked; empty for a step."""
        return str(self.attributes.get(SOURCE, ""))


class SpanFile(SpanExporter):
    """Writes each span as it ends, so that a crash loses no other than those still open; a file of its own for each process.

    Spans that end before there is a run folder wait for it.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._waiting: list[bytes] = []

    def write_into(self, run_folder: Path) -> None:
        """Write what waits, and all that comes, into the run's folder."""
        self._folder = run_folder / FOLDER
        self._folder.mkdir(exist_ok=True)
        for line in self._waiting:
            _append(self._folder, line)
        self._waiting = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Write these spans."""
        for line in map(_line, spans):
            if self._folder is None:
                self._waiting.append(line)
            else:
                _append(self._folder, line)
        return SpanExportResult.SUCCESS


def read_spans(run_folder: Path) -> tuple[Span, ...] | Missing:
    """All spans of a run in the order in which they began; a line that a crash broke off is passed over."""
    lines = [line for path in (run_folder / FOLDER).glob("*.jsonl") for line in path.read_bytes().splitlines()]
    spans = [span for line in lines if (span := _span(line)) is not None]
    if not spans:
        return Missing(cause=Cause.NOT_RECORDED, detail="this run was not traced; `genesis report` traces its runs")
    return tuple(sorted(spans, key=lambda span: (span.start_ns, span.span_id)))


def _append(folder: Path, line: bytes) -> None:
    # Opened anew each time: a forked child has a file of its own, and threads need no lock to append.
    with (folder / f"{os.getpid()}.jsonl").open("ab", buffering=0) as file:
        file.write(line)


def _line(span: ReadableSpan) -> bytes:
    context, status = span.get_span_context(), span.status
    assert context is not None  # noqa: S101 - whatever was recorded has one
    attributes = {
        name: shortened(value, _LONGEST_TEXT) if isinstance(value, str) else value
        for name, value in (span.attributes or {}).items()
    }
    fields: dict[str, Any] = {
        "name": span.name,
        "trace_id": format_trace_id(context.trace_id),
        "span_id": format_span_id(context.span_id),
        "parent_span_id": format_span_id(span.parent.span_id) if span.parent else "",
        "start_time_unix_nano": span.start_time,
        "end_time_unix_nano": span.end_time,
        "attributes": attributes,
        "status": {"code": status.status_code.name, "message": shortened(status.description or "", _LONGEST_TEXT)},
    }
    return json.dumps(fields, default=str).encode() + b"\n"


def _span(line: bytes) -> Span | None:
    try:
        fields = json.loads(line)
        status = fields["status"]
        return Span(
            name=str(fields["name"]),
            trace_id=str(fields["trace_id"]),
            span_id=str(fields["span_id"]),
            parent_span_id=str(fields["parent_span_id"]),
            start_ns=int(fields["start_time_unix_nano"]),
            end_ns=int(fields["end_time_unix_nano"]),
            attributes=dict(fields["attributes"]),
            error=str(status["message"]) or "failed" if status["code"] == "ERROR" else "",
        )
    except (ValueError, KeyError, TypeError):
        return None
