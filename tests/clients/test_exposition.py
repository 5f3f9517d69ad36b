"""Any page of metrics, in either format; and pages that are none."""

import pytest

from genesis_lib.clients.exposition import Exposition
from genesis_lib.errors import SourceError
from genesis_lib.model import Cause, Missing
from tests.clients.conftest import Connect
from tests.clients.faulty import Faulty, page, reply

TEXT = b"""\
# HELP app_requests_total Requests.
# TYPE app_requests_total counter
app_requests_total{path="/a\\"b"} 3
# TYPE app_latency_seconds summary
app_latency_seconds{quantile="0.5"} NaN
app_latency_seconds_sum 0
app_latency_seconds_count 0
process_start_time_seconds 1.7955e+09
"""
OPENMETRICS = b"""\
# TYPE app_requests counter
app_requests_total 3 # {trace_id="x"} 1
# TYPE app info
app_info{version="1.2"} 1
# EOF
"""


@pytest.fixture
def page_of(faulty: Faulty, connect: Connect) -> Exposition:
    return Exposition(connect(f"{faulty.url}/metrics", source="node-exporter"))


def test_the_text_format_is_read(faulty: Faulty, page_of: Exposition) -> None:
    faulty.script.on("/metrics", reply(body=TEXT, media="text/plain; version=0.0.4; charset=utf-8"))
    requests, latency, start = page_of.families().value
    assert (requests.kind, requests.help, requests.samples[0].name) == ("counter", "Requests.", "app_requests_total")
    assert requests.samples[0].labels == {"path": '/a"b'}
    quantile = latency.samples[0].value
    assert isinstance(quantile, Missing)
    assert quantile.cause is Cause.NOT_A_NUMBER
    assert (start.name, start.samples[0].value) == ("process_start_time_seconds", 1795500000.0)


def test_openmetrics_is_read(faulty: Faulty, page_of: Exposition) -> None:
    faulty.script.on("/metrics", reply(body=OPENMETRICS, media="application/openmetrics-text; version=1.0.0"))
    requests, info = page_of.families().value
    assert (requests.samples[0].name, requests.samples[0].value) == ("app_requests_total", 3.0)
    assert info.samples[0].labels == {"version": "1.2"}


@pytest.mark.parametrize(
    ("body", "media"),
    [
        pytest.param(b'{"status": "up"}', "application/json", id="JSON"),
        pytest.param(b"hello there, all is well", "text/plain", id="prose"),
        pytest.param(b"# TYPE a counter\n", "application/openmetrics-text", id="OpenMetrics cut short"),
        pytest.param(b"a 1\nb\n", "text/plain", id="a line without a value"),
    ],
)
def test_a_page_without_metrics_is_refused(body: bytes, media: str, faulty: Faulty, page_of: Exposition) -> None:
    faulty.script.on("/metrics", reply(body=body, media=media))
    with pytest.raises(SourceError, match="holds no metrics") as caught:
        page_of.families()
    assert caught.value.cause is Cause.MALFORMED


def test_a_login_page_is_refused(faulty: Faulty, page_of: Exposition) -> None:
    faulty.script.on("/metrics", page())
    with pytest.raises(SourceError, match="perhaps a login page"):
        page_of.families()
