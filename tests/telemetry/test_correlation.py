"""A request keeps its identity over HTTP; what comes from outside is believed only where it can be. Real HTTP: test_observability.py."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from genesis_lib.telemetry.correlation import CorrelationContext

_PARENT = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01", "tracestate": "vendor=x"}


def test_who_opens_no_span_passes_the_trace_on() -> None:
    outgoing = CorrelationContext.from_headers(_PARENT).to_headers()
    assert {name: outgoing[name] for name in _PARENT} == _PARENT


def test_a_known_trace_without_a_correlation_id_is_given_one() -> None:
    context = CorrelationContext.from_headers(_PARENT | {"baggage": "other=1"})
    assert context.parent_span_id == "00f067aa0ba902b7"
    assert UUID(context.correlation_id)


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no headers"),
        pytest.param({"traceparent": ""}, id="an empty one"),
        pytest.param({"traceparent": "garbage", "baggage": ";;;,=,%"}, id="garbage"),
        pytest.param({"traceparent": f"00-{'0' * 32}-{'0' * 16}-01"}, id="ids of zeros"),
        pytest.param({"traceparent": f"ff-{'a' * 32}-{'b' * 16}-01"}, id="a forbidden version"),
        pytest.param({"traceparent": "00-" + "a" * 100_000}, id="far too long"),
        pytest.param({"baggage": "genesis.correlation_id=%0A%22forged"}, id="an id that would forge a log line"),
        pytest.param({"baggage": "genesis.correlation_id=" + "a" * 65}, id="an id that is too long"),
    ],
)
def test_headers_that_tell_nothing_begin_anew(headers: Mapping[str, str]) -> None:
    context = CorrelationContext.from_headers(headers)
    assert UUID(context.correlation_id)
    assert (context.parent_span_id, context.remote) == (None, None)
