"""Translate what can go wrong with an HTTP call, once, into a cause and a message: what, where and how to mend."""

import socket
import ssl
from http import HTTPStatus

import httpcore
import httpx
import orjson

from genesis_lib.endpoint import Endpoint
from genesis_lib.errors import SourceError
from genesis_lib.model import Cause

__all__ = ["refusal", "root", "translate"]

_SHOWN_CHARACTERS = 300
_RIGHT = "is it running, and is the address in the environment's file right?"


def root(error: BaseException) -> BaseException:
    """The operating system's error at the bottom of a chain, else the chain's first error.

    The context is looked at as well as the cause, for httpcore raises from its pool `from None`.
    """
    while not isinstance(error, OSError):
        inner = error.__cause__ or error.__context__
        if inner is None:
            break
        error = inner
    return error


def translate(error: Exception, *, endpoint: Endpoint, source: str) -> SourceError:
    """The error of a call that had no answer."""
    where, reason = f"{source} at {endpoint.url}", root(error)
    if isinstance(error, httpcore.TimeoutException):
        limit = f"{endpoint.timeout_s:g} s"
        return SourceError(
            Cause.TIMEOUT,
            f"{where} gave no complete answer within {limit}; is it overloaded, or is {source}.timeout_s too short?",
        )
    if isinstance(reason, ssl.SSLError):
        return SourceError(Cause.UNREACHABLE, f"{where}: {_tls(reason, source)}")
    if isinstance(error, httpcore.ConnectError):
        return SourceError(Cause.UNREACHABLE, f"{where} {_connect(reason)}")
    if isinstance(error, httpcore.NetworkError):
        return SourceError(
            Cause.UNREACHABLE,
            f"{where} broke the connection off before its answer was complete; see its log, or a proxy's between",
        )
    if isinstance(error, httpx.DecodingError):
        return SourceError(Cause.MALFORMED, f"{where} gave an answer whose compression is broken")
    return SourceError(Cause.MALFORMED, f"{where} gave no complete HTTP answer ({error}); is this the right port?")


def refusal(
    status: int, media_type: str, content: bytes, *, asked: str, endpoint: Endpoint, source: str
) -> SourceError:
    """The error that an answer with an error status stands for; `asked` is `<source> at <address and path>`."""
    said = _said(media_type, content)
    told = f" ({said})" if said else ""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        if endpoint.bearer:
            keys = f"check {source}.bearer"
        elif endpoint.username:
            keys = f"check {source}.username and {source}.password"
        else:
            keys = f"it wants credentials: name {source}.bearer, or {source}.username and {source}.password, in the environment's file"
        detail = f"{asked} refused access with {status}{told}; {keys}"
    elif status == HTTPStatus.NOT_FOUND:
        status_line = f"404: {said}" if said else "404"
        detail = f"{asked} does not exist ({status_line}); does this kind of server offer it, and is the address right?"
    else:
        detail = f"{asked} answered with {status}{told}" + (
            "; see its log" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ""
        )
    wrong_question = status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
    return SourceError(Cause.INVALID if wrong_question else Cause.REFUSED, detail)


def _tls(reason: ssl.SSLError, source: str) -> str:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate cannot be trusted ({reason.verify_message}); name the CA that signed it in {source}.ca_file"
    name = (reason.reason or str(reason)).replace("_", " ").lower()
    if name in ("wrong version number", "record layer failure", "packet length too long"):
        return f"does not speak TLS ({name}); should the address begin with http:// instead?"
    return f"TLS failed ({name}); does it want our certificate, in {source}.client_cert and {source}.client_key?"


def _connect(reason: BaseException) -> str:
    if isinstance(reason, ConnectionRefusedError):
        return f"refused the connection; {_RIGHT}"
    if isinstance(reason, FileNotFoundError):
        return f"has no such socket; {_RIGHT}"
    if isinstance(reason, PermissionError):
        return "may not be opened by this user; add the user to the group that owns the socket"
    if isinstance(reason, (socket.gaierror, UnicodeError)):
        why = getattr(reason, "strerror", "no host can have this name")
        return f"cannot be found: {why}; is the host's name in the environment's file right?"
    return f"cannot be reached: {getattr(reason, 'strerror', None) or reason}; {_RIGHT}"


def _said(media_type: str, content: bytes) -> str:
    """What an error document says, in one line."""
    if media_type == "text/html":
        return "a page, perhaps of a proxy"
    text = content.decode(errors="replace")
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError:
        document = None
    if isinstance(document, str):
        text = document
    elif isinstance(document, dict):
        text = str(document.get("error") or document.get("message") or text)
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
