"""Spans go where they are told to, nowhere by default; work that was timed elsewhere has its own time."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.resources import Resource

from genesis_lib.telemetry import traces


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_the_environment_says_where_spans_go(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[str] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.handle_request).start()
        path = "/v1/traces" if "TRACES" in variable else ""
        monkeypatch.setenv(variable, f"http://127.0.0.1:{server.server_port}{path}")
        provider = traces.provider(Resource({}), None, "")
        provider.get_tracer("test").start_span("plan").end()
        provider.shutdown()
    assert received == ["/v1/traces"]


def test_without_an_endpoint_nothing_is_sent_or_started() -> None:
    before = threading.active_count()
    provider = traces.provider(Resource({}), None, "")
    provider.get_tracer("test").start_span("plan").end()
    assert threading.active_count() == before


@given(st.floats(0, 4e9), st.floats(0, 1e6))
def test_a_lifetime_is_as_long_as_the_work(started_at: float, took_s: float) -> None:
    began_ns, ended_ns = traces.lifetime_ns(started_at, took_s)
    assert began_ns is not None
    assert ended_ns is not None
    assert abs(ended_ns - began_ns - took_s * 1e9) <= 1
    assert abs(began_ns / 1e9 - started_at) < 1e-6


@pytest.mark.parametrize(
    ("started_at", "took_s"),
    [(1.0, None), (None, 1.0), (0.0, None), (None, 0.0), (1.0, -0.1), (1.0, float("nan")), (float("inf"), 1.0)],
)
def test_half_a_lifetime_is_refused(started_at: float | None, took_s: float | None) -> None:
    with pytest.raises(ValueError, match="a span"):
        traces.lifetime_ns(started_at, took_s)
