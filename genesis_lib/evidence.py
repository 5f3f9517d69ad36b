"""Record every exchange with the outside world once, and replay it exactly.

An exchange is one question and its outcome: an HTTP call, a file read, a command, a local fact. It is one readable JSON file,
`<id>.json`, where the id is the digest of the question; the body lies beside it, compressed, under the digest of its content.
Who asks a question first records its outcome, errors included; all others, in this process or in another, read the record.
"""

import gzip
import hashlib
import json
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock

from genesis_lib.errors import RunError, SourceError
from genesis_lib.masking import mask_text, mask_urls
from genesis_lib.model import Answer, Cause

__all__ = ["Evidence", "Exchange", "Outcome"]

_COMMAND_TIMEOUT_S = 60
_MEND = "the run can no longer be trusted; open a new one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came back: a status (HTTP status, exit code; 0 for files and facts), the media type and the body."""

    status: int
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One question and its outcome. `error` is empty, or `<cause>: <detail>` where no usable answer came.

    `asked_at` is in UTC, `took_s` in seconds, `size` in bytes; `digest` is the SHA-256 of the stored body.
    """

    id: str
    kind: str
    source: str
    question: str
    asked_at: datetime
    took_s: float
    status: int
    media_type: str
    digest: str
    size: int
    error_cause: str
    error_detail: str


class Evidence:
    """The record of one run.

    Args:
        folder: where exchanges lie; made when the first one is recorded.
        replay: never ask, only read: what was not recorded raises `SourceError(NOT_RECORDED)`.
        secrets: resolved credentials; wherever one turns up in a question, an answer or an error it is stored as `<secret>`.

    Whoever sets `on_asked` is told of each exchange that is recorded here, in the thread that asked.
    """

    def __init__(self, folder: Path, *, replay: bool, secrets: Iterable[str] = ()) -> None:
        self.folder = folder
        self.replay = replay
        self.on_asked: Callable[[Exchange], None] | None = None
        # As they are, and as URLs and JSON write them.
        spellings = {text for s in secrets if s for text in (s, quote(s, safe=""), json.dumps(s)[1:-1])}
        self._secrets = sorted(spellings, key=len, reverse=True)

    def ask(self, *, kind: str, source: str, question: str, perform: Callable[[], Outcome]) -> tuple[Exchange, bytes]:
        """Answer from the record, or perform and record.

        Raises:
            SourceError: as `perform` raised it, now or when it was first asked, with the exchange's id as evidence.

        """
        question = self._mask_text(question)
        key = _key(kind, source, question)
        exchange = self.find(key)
        if exchange is None and not self.replay:
            exchange = self._record(key, kind, source, question, perform)
        return self._outcome(exchange, f"{source}: {question}")

    def recorded(self, *, kind: str, source: str, question: str) -> tuple[Exchange, bytes]:
        """Answer from the record alone, live too: nothing is performed, and nothing recorded.

        Raises:
            SourceError: as it was recorded, with the exchange's id as evidence; or NOT_RECORDED.

        """
        question = self._mask_text(question)
        return self._outcome(self.find(_key(kind, source, question)), f"{source}: {question}")

    def file(self, path: Path, *, name: str) -> Answer[bytes]:
        """The content of a file; `name` is how the environment names it. Inline credentials come back masked."""

        def perform() -> Outcome:
            try:
                return Outcome(status=0, media_type="text/plain", body=mask_text(path.read_bytes()))
            except OSError as error:
                message = f"{name}: {error.strerror}; check `files` of the environment"
                raise SourceError(Cause.UNREADABLE, message) from error

        exchange, body = self.ask(kind="file", source="file", question=name, perform=perform)
        return Answer(value=body, evidence=exchange.id, asked_at=exchange.asked_at)

    def command(self, argv: Sequence[str], *, name: str, cwd: Path | None = None) -> Answer[tuple[int, str]]:
        """Exit code and combined output of a command that only reads; `name` is the command as a reader would type it in `cwd`."""

        def perform() -> Outcome:
            try:
                done = subprocess.run(  # noqa: S603 - the arguments are ours, and no shell reads them
                    argv,
                    cwd=cwd,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    timeout=_COMMAND_TIMEOUT_S,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise SourceError(Cause.TIMEOUT, f"{name}: no end after {_COMMAND_TIMEOUT_S} s") from error
            except OSError as error:
                raise SourceError(Cause.UNREADABLE, f"{name}: {error.strerror}") from error
            return Outcome(status=done.returncode, media_type="text/plain", body=done.stdout)

        exchange, body = self.ask(kind="command", source="command", question=name, perform=perform)
        value = (exchange.status, body.decode(errors="replace"))
        return Answer(value=value, evidence=exchange.id, asked_at=exchange.asked_at)

    def find(self, exchange_id: str) -> Exchange | None:
        """The exchange of this id, or None where it was not recorded.

        Raises:
            RunError: it was recorded, but its file is damaged.

        """
        path = self.folder / f"{exchange_id}.json"
        try:
            raw = json.loads(path.read_bytes())
            return Exchange(**{**raw, "asked_at": datetime.fromisoformat(raw["asked_at"])})
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"{path}: this exchange is damaged ({error}); the run cannot be used; open a new one"
            ) from error

    def body(self, exchange: Exchange) -> bytes:
        """The stored body of an exchange; empty for one that failed.

        Raises:
            RunError: the body is missing, or is not what was stored.

        """
        if not exchange.digest:
            return b""
        path = self._body_path(exchange.digest)
        try:
            body = gzip.decompress(path.read_bytes())
        except (OSError, EOFError, zlib.error) as error:
            raise RunError(
                f"{path}: this answer is damaged ({error}); the run cannot be used; open a new one"
            ) from error
        if hashlib.sha256(body).hexdigest() != exchange.digest:
            raise RunError(
                f"{path}: this answer was changed after it was recorded; the run cannot be used; open a new one"
            )
        return body

    def exchanges(self) -> list[Exchange]:
        """All that was recorded, in the order in which it was asked."""
        found = (self.find(path.stem) for path in self.folder.glob("*.json"))
        return sorted((e for e in found if e is not None), key=lambda e: (e.asked_at, e.id))

    def _outcome(self, exchange: Exchange | None, asked: str) -> tuple[Exchange, bytes]:
        if exchange is None:
            raise SourceError(Cause.NOT_RECORDED, f"{asked}: not recorded; open a new run")
        if exchange.error_cause:
            raise SourceError(Cause(exchange.error_cause), exchange.error_detail, evidence=exchange.id)
        return exchange, self.body(exchange)

    def _record(self, key: str, kind: str, source: str, question: str, perform: Callable[[], Outcome]) -> Exchange:
        (self.folder / "bodies").mkdir(parents=True, exist_ok=True)
        lock = self.folder / f"{key}.lock"
        with FileLock(lock):  # whoever waited here finds the record of who was faster
            exchange = self.find(key) or self._perform(key, kind, source, question, perform)
        lock.unlink(missing_ok=True)
        return exchange

    def _perform(self, key: str, kind: str, source: str, question: str, perform: Callable[[], Outcome]) -> Exchange:
        asked_at, started = datetime.now(UTC), time.perf_counter()
        status, media_type, body, cause, detail = 0, "", None, "", ""
        try:
            outcome = perform()
            status, media_type, body = outcome.status, outcome.media_type, self._mask(outcome.body)
        except SourceError as error:
            cause, detail = str(error.cause), self._mask_text(error.detail)
        took_s = time.perf_counter() - started
        digest = "" if body is None else hashlib.sha256(body).hexdigest()
        if body is not None:
            _write_atomically(self._body_path(digest), gzip.compress(body, compresslevel=3, mtime=0))
        exchange = Exchange(
            id=key,
            kind=kind,
            source=source,
            question=question,
            asked_at=asked_at,
            took_s=round(took_s, 6),
            status=status,
            media_type=media_type,
            digest=digest,
            size=len(body or b""),
            error_cause=cause,
            error_detail=detail,
        )
        _write_atomically(self.folder / f"{key}.json", _to_json(exchange))
        if self.on_asked:
            self.on_asked(exchange)
        return exchange

    def _body_path(self, digest: str) -> Path:
        return self.folder / "bodies" / f"{digest}.gz"

    def _mask(self, body: bytes) -> bytes:
        for secret in self._secrets:
            body = body.replace(secret.encode(), b"<secret>")
        return mask_urls(body)

    def _mask_text(self, text: str) -> str:
        return self._mask(text.encode()).decode()


def _key(kind: str, source: str, question: str) -> str:
    return hashlib.sha256(f"{kind}\0{source}\0{question}".encode()).hexdigest()[:16]


def _to_json(exchange: Exchange) -> bytes:
    fields = {name: getattr(exchange, name) for name in Exchange.__slots__}
    fields["asked_at"] = exchange.asked_at.isoformat()
    return json.dumps(fields, indent=1, ensure_ascii=False).encode()


def _write_atomically(path: Path, content: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as handle:
        handle.write(content)
    fresh = Path(handle.name)
    fresh.chmod(0o644)  # as any other file: whoever may read the report may read its proof
    fresh.replace(path)
