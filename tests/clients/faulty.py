"""A server of our own that misbehaves on demand, so that clients meet every fault that a network has."""

import contextlib
import json
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Script = Callable[["Handler"], None]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request as the server saw it."""

    method: str
    path: str
    asked: Mapping[str, str]
    headers: Mapping[str, str]


class Scripted:
    """What a server answers on each path, and what it was asked."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.stopped = threading.Event()
        self.otherwise: Script | None = None  # for paths that no script was given for; None: 404
        self._scripts: dict[str, list[Script]] = {}
        self._hits: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def on(self, path: str, *scripts: Script) -> None:
        """Answer the first request for `path` by the first script, and so on; the last one serves for all further requests."""
        self._scripts[path] = list(scripts)

    def hits(self, path: str) -> int:
        """How often `path` was asked for."""
        return self._hits[path]

    def next_script(self, seen: Seen) -> Script:
        """The script whose turn it is."""
        with self._lock:
            self.seen.append(seen)
            hit = self._hits[seen.path]
            self._hits[seen.path] += 1
        unknown = self.otherwise or reply(404, b"404 page not found", media="text/plain")
        scripts = self._scripts.get(seen.path, [unknown])
        return scripts[min(hit, len(scripts) - 1)]


class Handler(BaseHTTPRequestHandler):
    """Hands every request to the script whose turn it is."""

    protocol_version = "HTTP/1.1"
    scripted: Scripted

    def do_GET(self) -> None:
        """Answer a question that stands in the URL."""
        self._play(urlsplit(self.path).query)

    def do_POST(self) -> None:
        """Answer a question that stands in a form."""
        self._play(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _play(self, query: str) -> None:
        seen = Seen(
            method=self.command,
            path=urlsplit(self.path).path,
            asked=dict(parse_qsl(query, keep_blank_values=True)),
            headers=dict(self.headers),
        )
        with contextlib.suppress(OSError):  # the client had enough, which is what some tests are about
            self.scripted.next_script(seen)(self)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Quiet(socketserver.BaseServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off is no news here."""

    def shutdown_request(self, request: Any) -> None:
        request.close()  # without the polite farewell, so that `reset` can be rude


class _TcpServer(_Quiet, ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class _UnixServer(_Quiet, socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


@dataclass(frozen=True, kw_only=True)
class Faulty:
    """A running server."""

    url: str
    script: Scripted


@contextlib.contextmanager
def serve(*, context: ssl.SSLContext | None = None, socket_path: Path | None = None) -> Iterator[Faulty]:
    """Serve on a free port of the loopback, with TLS if given a context, or on a unix socket."""
    scripted = Scripted()
    handler = type("ScriptedHandler", (Handler,), {"scripted": scripted})
    server: _TcpServer | _UnixServer
    if socket_path:
        server = _UnixServer(str(socket_path), handler)
        url = f"unix://{socket_path}"
    else:
        server = _TcpServer(("127.0.0.1", 0), handler)
        url = f"{'https' if context else 'http'}://localhost:{server.server_address[1]}"
    if context:  # the handshake belongs into the thread of the connection
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Faulty(url=url, script=scripted)
    finally:
        scripted.stopped.set()
        server.shutdown()
        thread.join()
        server.server_close()


def reply(status: int = 200, body: bytes = b"", *, media: str = "application/json", **headers: str) -> Script:
    """A complete answer."""

    def play(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", media)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return play


def data(value: Any, **other: Any) -> Script:
    """A success as Prometheus' API writes it; `other` stands beside `data`."""
    return reply(body=json.dumps({"status": "success", "data": value, **other}).encode())


def page(status: int = 200) -> Script:
    """A login page."""
    return reply(status, b"<!doctype html><title>Sign in</title>", media="text/html; charset=utf-8")


def drip_body(handler: Handler) -> None:
    """A good head, then one byte every 50 ms."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.scripted.stopped.wait(0.05):
        handler.wfile.write(b" ")


def drip_head(handler: Handler) -> None:
    """A head that never ends, one byte every 50 ms."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.scripted.stopped.wait(0.05):
        handler.wfile.write(b"x")


def silent(handler: Handler) -> None:
    """No answer at all, and no end."""
    handler.scripted.stopped.wait(10)


def reset(handler: Handler) -> None:
    """The connection is reset."""
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def truncated(handler: Handler) -> None:
    """Half of the body that was announced."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"x" * 50)
    handler.close_connection = True


def not_http(handler: Handler) -> None:
    """A server that speaks something else."""
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    handler.close_connection = True


def endless(handler: Handler) -> None:
    """A body without an end, as fast as it goes."""
    handler.send_response(200)
    handler.end_headers()
    started = time.monotonic()
    while time.monotonic() - started < 10:
        handler.wfile.write(b"0" * 1_000_000)
