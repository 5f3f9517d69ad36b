"""The example of docs/observability.md works as it stands there."""

import re
import urllib.request
from pathlib import Path
from typing import Any

import prometheus_client
import pytest

_PAGE = Path(__file__).parents[2] / "docs" / "observability.md"
_HEADERS = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01"}


def test_the_example_serves_a_request_and_its_page_tells_of_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    [example] = re.findall(r"^```python\n(.*?)^```", _PAGE.read_text(), re.DOTALL | re.MULTILINE)
    servers: list[Any] = []
    start = prometheus_client.start_http_server
    monkeypatch.setattr(prometheus_client, "start_http_server", lambda *a, **k: servers.append(start(*a, **k)))
    names: dict[str, Any] = {"port": 0}
    exec(example, names)  # noqa: S102 - it is ours
    caplog.set_level("INFO", "genesis")
    [(server, thread)] = servers
    try:
        outgoing = names["serve"]("Make me a website", _HEADERS)
        url = f"http://127.0.0.1:{server.server_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            page = answer.read().decode()
    finally:
        names["manager"].shutdown()
        server.shutdown()
        thread.join()
        server.server_close()
    assert 'genesis_operations_total{track="stable"} 1.0' in page
    assert "genesis_operation_duration_seconds_count 1.0" in page
    assert outgoing["traceparent"].split("-")[1] == _HEADERS["traceparent"].split("-")[1]
    assert '"agent": "builder"' in caplog.messages[0]
