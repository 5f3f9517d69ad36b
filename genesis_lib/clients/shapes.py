"""Turn decoded JSON into frozen facts, or say what was expected: the edge at which every answer is checked."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, TypeAdapter, ValidationError

from genesis_lib.clients.http import Http, Params, Reply
from genesis_lib.model import Answer, Cause, Missing

__all__ = ["Instant", "Listed", "MaybeInstant", "Number", "Text", "as_number", "read", "shape"]

T = TypeVar("T")


def read(
    http: Http,
    path: str,
    kind: type[T],
    *,
    params: Params = (),
    answers: Sequence[int] = (),
    scrub: Callable[[bytes], bytes] | None = None,
) -> Answer[T]:
    """GET a path whose whole JSON is a `kind`.

    Raises:
        SourceError: as `Http.get` and `shape`.

    """
    reply = http.get(path, params, answers=answers, scrub=scrub)
    return reply.answer(shape(kind, reply.json(), reply))


def shape(kind: type[T], value: object, reply: Reply) -> T:
    """`value`, a part of the reply's JSON, as `kind`; keys that we do not know are passed over, as servers grow.

    Raises:
        SourceError: it has another shape; says where, and what was expected.

    """
    try:
        checked: T = _adapter(kind).validate_python(value)  # type: ignore[arg-type]  # types are hashable
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        problem = f"at {place}: {first['msg']}" if place else first["msg"]
        raise reply.malformed(
            f"answered in another shape than expected, {problem}; is it another kind of server?"
        ) from error
    return checked


def as_number(text: object) -> float | Missing:
    """A number as Prometheus writes it; NaN and the infinities are Missing."""
    value = float(text)  # type: ignore[arg-type]  # ValueError and TypeError are the caller's "not a number"
    if value - value != 0:  # true of NaN and of both infinities
        return Missing(cause=Cause.NOT_A_NUMBER, detail=f"the value is {text}")
    return value


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _instant(value: Any) -> datetime | None:
    """RFC 3339, down to nanoseconds. Go writes "never" as its zero time, the year 1."""
    if not isinstance(value, str):
        raise ValueError("a time such as 2026-01-31T12:00:00Z was expected")  # noqa: TRY004 - pydantic wants ValueError
    if not value or value.startswith("0001-01-01"):
        return None
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"a time such as 2026-01-31T12:00:00Z was expected, not {value!r}") from None
    return instant.astimezone(UTC)


def _number(value: Any) -> float | Missing:
    try:
        return as_number(value)
    except (TypeError, ValueError):
        raise ValueError(f"a number was expected, not {value!r}") from None


# JSON's null stands for an empty list, mapping or text in answers of Go programs.
Listed = BeforeValidator(lambda value: () if value is None else value)
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
MaybeInstant = Annotated[datetime | None, BeforeValidator(_instant)]
Number = Annotated[float | Missing, BeforeValidator(_number)]
