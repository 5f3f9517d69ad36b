"""The stack's webhook receiver lists what really came, refuses what is no notification, and cannot be filled up."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from genesis_lib.demo.receiver import Receiver
from genesis_lib.demo.stack import Stack
from tests.demo.test_children import wait_until

ALERT = {"labels": {"alertname": "A", "who": "<b>Zoë</b>"}, "annotations": {"summary": "…"}, "status": "firing"}
MESSAGE = {"version": "4", "status": "firing", "receiver": "as it calls itself", "alerts": [ALERT]}


@pytest.fixture
def url() -> Iterator[str]:
    """A receiver of one's own, in this process."""
    with Receiver(0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def post(url: str, path: str, content: bytes) -> int:
    return httpx.post(url + path, content=content, trust_env=False).status_code


def listed(url: str) -> list[dict[str, Any]]:
    answer: list[dict[str, Any]] = httpx.get(f"{url}/notifications", trust_env=False).json()
    return answer


def test_a_notification_is_listed_under_the_path_that_it_was_posted_to(url: str) -> None:
    assert listed(url) == []
    assert post(url, "/critical", json.dumps(MESSAGE).encode()) == 200
    (one,) = listed(url)
    assert datetime.fromisoformat(one.pop("received_at")).tzinfo is not None
    expected = {"labels": ALERT["labels"], "status": "firing"}
    assert one == {"receiver": "critical", "status": "firing", "alerts": [expected]}


@pytest.mark.parametrize(
    ("path", "content", "status"),
    [
        pytest.param("/critical", b"", 400, id="nothing"),
        pytest.param("/critical", b"{", 400, id="half of a document"),
        pytest.param("/critical", b"\xff\xfe\x00", 400, id="bytes that are no text"),
        pytest.param("/critical", b"[" * 100_000, 400, id="a document without bottom"),
        pytest.param("/critical", b"[1]", 400, id="JSON of another kind"),
        pytest.param("/critical", json.dumps(MESSAGE | {"version": "3"}).encode(), 400, id="another version"),
        pytest.param("/critical", json.dumps(MESSAGE | {"status": "odd"}).encode(), 400, id="an unknown status"),
        pytest.param(
            "/critical",
            json.dumps(MESSAGE | {"alerts": [{"labels": {"a": 1}, "status": "firing"}]}).encode(),
            400,
            id="a label that is no text",
        ),
        pytest.param("/critical", json.dumps(MESSAGE).encode() + b" " * 300_000, 413, id="a huge document"),
        pytest.param("/", json.dumps(MESSAGE).encode(), 404, id="no receiver"),
        pytest.param("/a/b", json.dumps(MESSAGE).encode(), 404, id="a path below a receiver"),
    ],
)
def test_garbage_is_refused_and_not_listed(path: str, content: bytes, status: int, url: str) -> None:
    assert post(url, path, content) == status
    assert listed(url) == []


def test_a_body_of_unknown_length_is_refused(url: str) -> None:
    answer = httpx.post(f"{url}/critical", content=iter([b"{}"]), trust_env=False)
    assert answer.status_code == 411


def test_only_the_list_can_be_read(url: str) -> None:
    assert httpx.get(f"{url}/critical", trust_env=False).status_code == 404


def test_it_keeps_the_last_notifications_only(url: str) -> None:
    with httpx.Client(trust_env=False) as client:
        for number in range(205):
            client.post(f"{url}/r{number}", json=MESSAGE)
    assert [one["receiver"] for one in listed(url)] == [f"r{number}" for number in range(5, 205)]


def test_what_fires_in_the_stack_really_arrives(day1_stack: Stack) -> None:
    receiver = f"http://{day1_stack.addresses['receiver']}"

    def arrived() -> set[tuple[str, str]]:
        return {(one["receiver"], alert["labels"]["alertname"]) for one in listed(receiver) for alert in one["alerts"]}

    expected = {("critical", "GenesisServiceDown"), ("warning", "TestSuiteNotRunning")}
    wait_until(lambda: expected <= arrived(), within_s=90)
    assert expected <= arrived()
