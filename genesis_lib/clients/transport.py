"""Send a request with credentials, retries and bounds (`LiveTransport`), or answer it from the record (`RecordingTransport`)."""

import base64
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable
from urllib.parse import parse_qsl, quote, urlsplit

import httpcore
import httpx
import stamina

from genesis_lib.clients import translation
from genesis_lib.clients.wire import WireTransport, within
from genesis_lib.endpoint import Endpoint, resolve
from genesis_lib.errors import SourceError
from genesis_lib.evidence import Evidence, Outcome
from genesis_lib.model import Cause

__all__ = ["LiveTransport", "RecordingTransport"]

# An answer larger than this is never what was asked for, and would not fit into a report.
_LIMIT_MB = 64
_BUSY = {429, 502, 503, 504}
# A source that refuses connections may be restarting, but one that is down must not hold up a run.
_PATIENCE_WITH_REFUSAL_S = 0.4
# What may be asked by POST, because a long question does not fit into a URL. Nothing else that changes or could change anything
# leaves this process: a request that is neither one of these nor a GET is refused below. The one exception is the synthetic alert,
# which goes to this path only, and only where the request's extension `synthetic_alert` says that it is one (Http.post_synthetic_alert).
_READING_POSTS = ("/api/v1/query", "/api/v1/query_range")
_SYNTHETIC_ALERT = "/api/v2/alerts"

logging.getLogger("stamina").addHandler(
    logging.NullHandler()
)  # retries are no news; without a handler they go to stderr


class RecordingTransport(httpx.BaseTransport):
    """Answers from the record; what is not in it is asked through `live`, which is made when first needed, and recorded.

    The question is the method, the URL and the form, without headers, so without credentials. A request's extension `scrub` is a
    function that takes out of a body what may not be recorded; `answers` names error statuses that are rightful answers.
    The response's extension `exchange` is the recorded exchange, or absent where there is no record.
    """

    def __init__(
        self, *, source: str, socket_path: str, evidence: Evidence | None, live: Callable[[], httpx.BaseTransport]
    ) -> None:
        self._source = source
        self._socket_path = socket_path
        self._evidence = evidence
        self._make_live = live
        self._live: httpx.BaseTransport | None = None
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Raises SourceError where the question has, or had, no outcome."""

        def perform() -> Outcome:
            response = self._connected().handle_request(request)
            media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            scrub = request.extensions.get("scrub")
            body = scrub(response.content) if scrub and response.is_success else response.content
            return Outcome(status=response.status_code, media_type=media_type, body=body)

        if self._evidence is None:
            outcome = perform()
            return _response(outcome.status, outcome.media_type, outcome.body)
        exchange, body = self._evidence.ask(
            kind="http", source=self._source, question=_question(request, self._socket_path), perform=perform
        )
        response = _response(exchange.status, exchange.media_type, body)
        response.extensions["exchange"] = exchange
        return response

    def close(self) -> None:
        """Close what was opened."""
        if self._live is not None:
            self._live.close()

    def _connected(self) -> httpx.BaseTransport:
        with self._lock:
            if self._live is None:
                self._live = self._make_live()
            return self._live


class LiveTransport(httpx.BaseTransport):
    """Asks the source itself: adds credentials, bounds the time and size of the whole call, tries again what may pass.

    Busy answers (429, 502, 503, 504) and broken connections are tried again, with exponential backoff and jitter, within the
    endpoint's `timeout_s`. Foreign errors end here, as SourceError.

    Raises:
        ParameterError: a credential cannot be resolved.
        SourceError: a certificate or key cannot be read.

    """

    def __init__(self, endpoint: Endpoint, *, source: str, socket_path: str) -> None:
        self._endpoint, self._source = endpoint, source
        self._where = f"{source} at {endpoint.url}"
        self._headers: list[tuple[bytes, bytes]] = []
        self._token = b""
        if endpoint.bearer:
            self._token = resolve(endpoint.bearer).encode()
            self._headers.append((b"Authorization", b"Bearer " + self._token))
        elif endpoint.username and endpoint.password:
            self._token = base64.b64encode(f"{endpoint.username}:{resolve(endpoint.password)}".encode())
            self._headers.append((b"Authorization", b"Basic " + self._token))
        if endpoint.tenant:
            self._headers.append((b"X-Scope-OrgID", endpoint.tenant.encode()))
        context = _trust(endpoint, source) if urlsplit(endpoint.url).scheme == "https" else None
        self._wire = WireTransport(ssl_context=context, socket_path=socket_path)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer, its body read. Raises SourceError where none came."""
        if not _is_allowed(request):
            raise ValueError(f"{request.method} {request.url.path}: the clients only read")
        started = time.monotonic()
        deadline = started + self._endpoint.timeout_s
        pause_s = min(1.0, self._endpoint.timeout_s / 10)

        def is_worth_another_try(error: Exception) -> bool:
            now = time.monotonic()
            if now + 1.2 * pause_s > deadline:  # the next try would start with no time left
                return False
            return _may_pass(error, refused_for_s=now - started)

        attempts = stamina.retry_context(
            on=is_worth_another_try,
            attempts=self._endpoint.retries + 1,
            timeout=self._endpoint.timeout_s,
            wait_initial=pause_s / 10,
            wait_max=pause_s,
            wait_jitter=pause_s / 10,
        )
        request.headers.update(self._headers)
        try:
            for attempt in attempts:
                with attempt, within(deadline):
                    response = self._once(request)
            return self._answer(response)
        except _BusyError as busy:
            return self._answer(busy.response)
        except httpcore.LocalProtocolError:  # its text and its causes show the header, so they end here
            detail = f"{self._where} cannot be asked: a credential holds characters that no HTTP header may carry; check {self._key}"
            raise SourceError(Cause.REFUSED, detail) from None
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpx.DecodingError) as error:
            raise translation.translate(error, endpoint=self._endpoint, source=self._source) from error

    def close(self) -> None:
        """Close all connections."""
        self._wire.close()

    @property
    def _key(self) -> str:
        return (
            f"{self._source}.bearer"
            if self._endpoint.bearer
            else f"{self._source}.username and {self._source}.password"
        )

    def _once(self, request: httpx.Request) -> httpx.Response:
        response = self._wire.handle_request(request)
        body = bytearray()
        try:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LIMIT_MB * 1_000_000:
                    detail = (
                        f"{self._where} gave an answer larger than {_LIMIT_MB} MB; ask for less, or with a coarser step"
                    )
                    raise SourceError(Cause.MALFORMED, detail)
        finally:
            response.close()
        headers = {name: response.headers[name] for name in ("content-type", "location") if name in response.headers}
        read = httpx.Response(response.status_code, headers=headers, content=bytes(body))
        if read.status_code in _BUSY and read.status_code not in request.extensions.get("answers", ()):
            raise _BusyError(read)
        return read

    def _answer(self, response: httpx.Response) -> httpx.Response:
        if response.is_redirect:  # where it points to is not part of an outcome, so this is said here
            to = response.headers.get("location", "nowhere").partition("?")[0]
            detail = f"{self._where} redirects ({response.status_code}) to {to}: perhaps a login page, or a path prefix; check the address"
            raise SourceError(Cause.REFUSED, detail)
        if not self._token:
            return response
        body = response.content.replace(self._token, b"<secret>")
        return _response(response.status_code, response.headers.get("content-type", ""), body)


class _BusyError(Exception):
    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def _is_allowed(request: httpx.Request) -> bool:
    allowed = (_SYNTHETIC_ALERT,) if request.extensions.get("synthetic_alert") else _READING_POSTS
    return request.method == "GET" or (request.method == "POST" and request.url.path.endswith(allowed))


def _may_pass(error: Exception, *, refused_for_s: float) -> bool:
    reason = translation.root(error)
    if isinstance(reason, ssl.SSLError):
        return False
    if isinstance(error, httpcore.ConnectError):
        passing = isinstance(reason, ConnectionError) or getattr(reason, "errno", None) == socket.EAI_AGAIN
        return passing and refused_for_s < _PATIENCE_WITH_REFUSAL_S
    return isinstance(error, (_BusyError, httpcore.NetworkError, httpcore.RemoteProtocolError))


def _trust(endpoint: Endpoint, source: str) -> ssl.SSLContext:
    """The system's certificate authorities, or the endpoint's own; and our certificate where it wants one."""
    try:
        key = "ca_file"
        context = ssl.create_default_context(cafile=endpoint.ca_file or None)
        if endpoint.client_cert:
            key = "client_cert and client_key"
            context.load_cert_chain(endpoint.client_cert, endpoint.client_key)
    except OSError as error:  # an ssl.SSLError is one
        reason = getattr(error, "reason", None) or error.strerror
        raise SourceError(Cause.UNREADABLE, f"{source}.{key}: cannot be used: {reason}") from error
    return context


def _response(status: int, media_type: str, body: bytes) -> httpx.Response:
    return httpx.Response(status, headers={"content-type": media_type}, content=body)


def _question(request: httpx.Request, socket_path: str) -> str:
    """`GET http://host:9090/api/v1/query?query=sum(up)`: as a person would write it, and still one text for one question."""
    url = f"unix://{socket_path}:{request.url.path}" if socket_path else str(request.url.copy_with(query=None))
    pairs = parse_qsl((request.url.query + request.read()).decode(), keep_blank_values=True)
    asked = "&".join(f"{name}={_readable(value)}" for name, value in pairs)
    return f"{request.method} {url}?{asked}" if asked else f"{request.method} {url}"


def _readable(value: str) -> str:
    return re.sub(r"[%&\x00-\x1f]", lambda match: quote(match[0]), value)
