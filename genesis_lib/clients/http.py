"""Ask one source over HTTP: the one seam through which all clients go, recorded and replayed."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Self, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx
import orjson

from genesis_lib.clients import translation
from genesis_lib.clients.transport import LiveTransport, RecordingTransport
from genesis_lib.endpoint import Endpoint
from genesis_lib.errors import SourceError
from genesis_lib.evidence import Evidence, Exchange
from genesis_lib.model import Answer, Cause

__all__ = ["Http", "Params", "Reply"]

T = TypeVar("T")

_LONGEST_URL = 2_000
_NOT_READY = HTTPStatus.SERVICE_UNAVAILABLE
Params = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. `asked` is `<source> at <address and path>`, for messages; `evidence` the exchange's id, or empty."""

    status: int
    media_type: str
    content: bytes
    evidence: str
    asked_at: datetime
    asked: str

    def text(self) -> str:
        """The body as text.

        Raises:
            SourceError: it is a web page, so another server's answer.

        """
        if self.media_type == "text/html":
            raise self.malformed(
                "answered with a page (text/html), perhaps a login page or a proxy's; check the address and credentials"
            )
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        """The body decoded.

        Raises:
            SourceError: it is not JSON.

        """
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError as error:
            self.text()
            start = self.content[:40].decode(errors="replace")
            raise self.malformed(f"answered with something that is not JSON ({error}): {start!r}") from error

    def malformed(self, complaint: str) -> SourceError:
        """The error that says what is wrong with this reply."""
        return SourceError(Cause.MALFORMED, f"{self.asked} {complaint}", evidence=self.evidence)

    def answer(self, value: T) -> Answer[T]:
        """A value that was read out of this reply."""
        return Answer(value=value, evidence=self.evidence, asked_at=self.asked_at)


class Http:
    """One source. Nothing is connected, and no credential resolved, before a question is asked that the record cannot answer.

    Args:
        endpoint: address, limits and credentials.
        source: its name in the record and in messages (`prometheus`).
        evidence: the record; None: ask each time and keep nothing.

    """

    def __init__(self, endpoint: Endpoint, *, source: str, evidence: Evidence | None) -> None:
        self.endpoint = endpoint
        self.source = source
        parts = urlsplit(endpoint.url)
        self._socket_path = parts.netloc + parts.path if parts.scheme == "unix" else ""
        self._base = "http://localhost" if self._socket_path else endpoint.url
        self._evidence = evidence
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(
        self,
        path: str,
        params: Params = (),
        *,
        accept: str = "application/json",
        answers: Sequence[int] = (),
        scrub: Callable[[bytes], bytes] | None = None,
    ) -> Reply:
        """GET a path below the endpoint's address.

        Args:
            path: empty, or beginning with `/`.
            params: the query, in the order given.
            accept: the media types wanted.
            answers: error statuses that are rightful answers here; they are neither tried again nor raised.
            scrub: takes out of a good answer what may not be recorded.

        Raises:
            SourceError: no answer, or one with another error status; the same in replay.

        """
        extensions = {"answers": frozenset(answers), "scrub": scrub}
        return self._send("GET", path, query=urlencode(params), accept=accept, extensions=extensions)

    def get_long(self, path: str, params: Params) -> Reply:
        """GET, or POST as a form where the question is too long for a URL: for the paths that Prometheus lets read so.

        Raises:
            SourceError: as `get`.

        """
        query = urlencode(params)
        if len(self._base) + len(path) + len(query) <= _LONGEST_URL:
            return self._send("GET", path, query=query)
        return self._send("POST", path, content=query.encode(), media_type="application/x-www-form-urlencoded")

    def post_synthetic_alert(self, path: str, alert: bytes) -> Reply:
        """POST the opt-in synthetic alert as JSON: all else in this package only reads. It leaves no record of its own.

        Raises:
            ValueError: this source's exchanges are recorded; whoever posts records, as one exchange, what came of it in the end.
            SourceError: as `get`.

        """
        if self._evidence is not None:
            raise ValueError("a synthetic alert is not posted through a source whose exchanges are recorded")
        extensions = {"synthetic_alert": True}
        return self._send("POST", path, content=alert, media_type="application/json", extensions=extensions)

    def state(self, path: str) -> Answer[bool]:
        """Whether a `/-/ready` or `/-/healthy` says yes (200) or no (503, with its words in `infos`).

        Raises:
            SourceError: as `get`, or a web page answered.

        """
        reply = self.get(path, accept="*/*", answers=[_NOT_READY])
        words = reply.text().strip()
        if reply.status == _NOT_READY:
            return Answer(value=False, evidence=reply.evidence, asked_at=reply.asked_at, infos=(words,))
        return reply.answer(value=True)

    def close(self) -> None:
        """Close all connections; a later question opens them anew."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None

    def _send(
        self,
        method: str,
        path: str,
        *,
        query: str = "",
        content: bytes | None = None,
        media_type: str = "",
        accept: str = "application/json",
        extensions: Mapping[str, Any] = MappingProxyType({}),
    ) -> Reply:
        asked = f"{self.source} at {self.endpoint.url}{path}"
        url = f"{self._base}{path}?{query}" if query else self._base + path
        headers = {"Accept": accept} | ({"Content-Type": media_type} if media_type else {})
        try:
            response = self._opened().request(
                method, url, content=content, headers=headers, extensions=dict(extensions)
            )
        except httpx.InvalidURL as error:
            raise SourceError(Cause.UNREACHABLE, f"{asked}: the address is not a URL ({error}); correct it") from error
        exchange: Exchange | None = response.extensions.get("exchange")
        reply = Reply(
            status=response.status_code,
            media_type=response.headers.get("content-type", "").partition(";")[0].strip().lower(),
            content=response.content,
            evidence=exchange.id if exchange else "",
            asked_at=exchange.asked_at if exchange else datetime.now(UTC),
            asked=asked,
        )
        if response.is_success or reply.status in extensions.get("answers", ()):
            return reply
        refusal = translation.refusal(
            reply.status, reply.media_type, reply.content, asked=asked, endpoint=self.endpoint, source=self.source
        )
        raise SourceError(refusal.cause, refusal.detail, evidence=reply.evidence)

    def _opened(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                transport = RecordingTransport(
                    source=self.source,
                    socket_path=self._socket_path,
                    evidence=self._evidence,
                    live=lambda: LiveTransport(self.endpoint, source=self.source, socket_path=self._socket_path),
                )
                # identity: compressing is the largest single cost of an answer on a local network.
                headers = {"Accept-Encoding": "identity", "User-Agent": "genesis-readiness"}
                self._client = httpx.Client(transport=transport, headers=headers, trust_env=False)
            return self._client
