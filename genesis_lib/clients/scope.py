"""Narrow a PromQL expression to a part of what Prometheus holds: the same question, asked of the series with certain labels."""

import re
from collections.abc import Iterator, Mapping

from genesis_lib.syntax import STRING, quote, tokens, tree

__all__ = ["put_in"]

_MATCHER = re.compile(rf"""(?P<label>{STRING}|\w+)\s*(?:=~|!~|!=|=)\s*(?:{STRING})|\#[^\n]*|{STRING}""")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_NUMBERS = {"inf", "nan"}


def put_in(expr: str, scope: Mapping[str, str]) -> str:
    """The expression with `label="value"` added to every selector that has no matcher on that label; all else as it was written.

    Raises:
        ValueError: there is a scope, and the text is no PromQL that we know: asked as it is, it would ask for what is not ours.

    """
    if not scope:
        return expr
    tree(expr)
    parts, written = [], 0
    for start, end, matchers in _selectors(expr):
        found = [m for m in _MATCHER.finditer(matchers) if not m[0].startswith("#")]
        taken = {(m["label"] or "").strip("\"'`") for m in found}
        added = ",".join(
            f"{label if _LABEL.fullmatch(label) else quote(label)}={quote(value)}"
            for label, value in scope.items()
            if label not in taken
        )
        if added:
            parts += [expr[written:start], "{", added, "," if found else "", matchers.removeprefix("{") or "}"]
            written = end
    return "".join([*parts, expr[written:]])


def _selectors(expr: str) -> Iterator[tuple[int, int, str]]:
    """Where the matchers of each selector stand, or would stand, and what they are, `{` to `}`, or nothing."""
    operand_next = True  # else an operator comes next: `and and and` is the intersection of two metrics of that name
    named_at: int | None = None  # the end of a metric's name, whose matchers may follow
    for token in tokens(expr):
        kind, word = token.lastgroup, token[0]
        if kind == "blank":
            continue
        if kind == "matchers":
            yield token.start(), token.end(), word
            named_at, operand_next = None, False
            continue
        if named_at is not None:
            yield named_at, named_at, ""
            named_at = None
        match kind:
            case "string" | "number":
                operand_next = False
            case "word" if operand_next and word.lower() != "bool":
                named_at = token.end() if word.lower() not in _NUMBERS else None
                operand_next = False
            case "word" if word.lower() != "offset":
                operand_next = True
            case "sign":
                operand_next = word != ")"
    if named_at is not None:
        yield named_at, named_at, ""
