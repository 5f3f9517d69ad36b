"""Carry one HTTP request within one deadline, however slowly the other side sends.

httpx limits each wait for bytes, not the whole call: a server that sends one byte a second could hold a run for ever. Here every
single wait on a socket (connect, TLS handshake, headers, body) ends when the time of the request that it belongs to is up.
"""

import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore
import httpx

__all__ = ["WireTransport", "within"]

# As many as a run asks at once; a pool that is too small would let questions wait for each other.
_CONNECTIONS = 32

_deadline: ContextVar[float] = ContextVar("deadline")


@contextmanager
def within(deadline: float) -> Iterator[None]:
    """Let every wait of this thread end at `deadline`, an instant of `time.monotonic()`."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def _left_s() -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time of the whole request is up")
    return left


class WireTransport(httpx.BaseTransport):
    """Sends a request as it is, once, and hands back the answer's head; the body is read from its stream.

    It must be called, and the body read, inside `within`. Raises httpcore's exceptions.

    Args:
        ssl_context: for https; None for plain HTTP.
        socket_path: the unix socket to connect to, whatever the URL says; empty: the URL's host.

    """

    def __init__(self, *, ssl_context: ssl.SSLContext | None, socket_path: str) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            uds=socket_path or None,
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_CONNECTIONS,
            keepalive_expiry=5.0,
            network_backend=_Backend(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and wait for the head of its answer."""
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                target,
                headers=request.headers.raw,
                content=request.read(),
                extensions={"timeout": {"pool": _left_s()}},
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline stands for it, here and below
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            return _Stream(super().connect_tcp(host, port, _left_s(), local_address, socket_options))
        except UnicodeError as error:  # what Python makes of a host's name that cannot be one
            raise httpcore.ConnectError(str(error)) from error

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        # Tried first, for httpcore leaves its socket open where it cannot connect.
        with socket.socket(socket.AF_UNIX) as trial:
            trial.settimeout(_left_s())
            try:
                trial.connect(path)
            except OSError as error:
                raise httpcore.ConnectError(str(error)) from error
        return _Stream(super().connect_unix_socket(path, _left_s(), socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._stream.read(max_bytes, _left_s())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        self._stream.write(buffer, _left_s())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left_s()))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
