"""Run a webhook receiver: it takes what Alertmanager notifies of, and lists what came.

    python -m genesis_lib.demo.receiver --port 5001

POST /<receiver> takes Alertmanager's webhook JSON (version 4); GET /notifications lists the last ones as JSON, the oldest first. It
listens on loopback, and forgets: neither many notifications nor large ones can fill the memory.
"""

import argparse
import json
import re
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Receiver", "main"]

_KEPT = 200
_LARGEST_BYTES = 256 * 1024
_QUIET_S = 10.0
_STATES = ("firing", "resolved")


class Receiver(ThreadingHTTPServer):
    """The server. `notifications` are what it keeps, each as the JSON text that it lists."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.notifications: deque[str] = deque(maxlen=_KEPT)


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    timeout = _QUIET_S

    def do_POST(self) -> None:
        receiver = re.fullmatch(r"/([\w-]+)", self.path)
        length = self.headers.get("Content-Length", "")
        if receiver is None:
            return self.send_error(HTTPStatus.NOT_FOUND, "POST to /<receiver>")
        if not re.fullmatch(r"\d{1,9}", length):
            return self.send_error(HTTPStatus.LENGTH_REQUIRED)
        if int(length) > _LARGEST_BYTES:
            return self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        try:
            notification = _read(receiver[1], self.rfile.read(int(length)))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            return self.send_error(HTTPStatus.BAD_REQUEST, "not an Alertmanager webhook", repr(error))
        self.server.notifications.append(notification)
        return self._answer(HTTPStatus.OK, "{}")

    def do_GET(self) -> None:
        if self.path != "/notifications":
            return self.send_error(HTTPStatus.NOT_FOUND, "GET /notifications")
        return self._answer(HTTPStatus.OK, f"[{','.join(self.server.notifications)}]")

    def _answer(self, status: HTTPStatus, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what went well: a stack may run for weeks."""


def _read(receiver: str, body: bytes) -> str:
    """What of Alertmanager's message is kept; raises the errors of Python's own operations where it is none."""
    message = json.loads(body)
    alerts = [{"labels": dict(alert["labels"].items()), "status": alert["status"]} for alert in message["alerts"]]
    states = [message["status"], *(alert["status"] for alert in alerts)]
    texts = [text for alert in alerts for pair in alert["labels"].items() for text in pair]
    if message["version"] != "4" or not set(states) <= set(_STATES) or not all(isinstance(t, str) for t in texts):
        raise ValueError("it has another version, status or labels")
    at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"receiver": receiver, "received_at": at, "status": message["status"], "alerts": alerts})


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m genesis_lib.demo.receiver")
    parser.add_argument("--port", required=True, type=int)
    with Receiver(parser.parse_args(arguments).port) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
