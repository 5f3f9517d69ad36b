"""Read PromQL as Prometheus does: its words, and its tree by promql-parser, where that one reads differently."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import promql_parser as promql

__all__ = ["STRING", "Token", "duration", "quote", "tokens", "tree"]

_COMMENT = r"\#[^\n]*+"
_BLANK = rf"(?:\s|{_COMMENT})"
STRING = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`"""
# What stands in parentheses after these words are labels, or numbers, and never selectors.
_WITH_LABELS = "by|without|on|ignoring|group_left|group_right|fill|fill_left|fill_right"
_TOKEN = re.compile(
    rf"""(?P<blank>{_BLANK}++)
    | (?P<string>{STRING})
    | (?P<range>\[[^\]]*\])
    | (?P<matchers>\{{(?:{STRING}|{_COMMENT}|[^}}"'`\#])*\}})
    | (?P<grouping>(?i:{_WITH_LABELS}){_BLANK}*+\((?:{STRING}|{_COMMENT}|[^)"'`\#])*\))
    | (?P<number>(?:0[xX][0-9a-fA-F]+|[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+\.)\w*)
    | (?P<call>[a-zA-Z_:][\w:]*(?={_BLANK}*+\(|{_BLANK}++(?i:by|without){_BLANK}*+\())
    | (?P<word>[a-zA-Z_:][\w:]*)
    | (?P<sign>.)""",
    re.VERBOSE | re.ASCII | re.DOTALL,
)
_OPERATORS = frozenset({"and", "or", "unless", "atan2"})
_MOST_NESTED = 1000  # promql-parser recurses, and from about 4,000 on it overflows the stack, which ends the process
# More than the 292 years that Prometheus takes, and on the way to what Python's timedelta cannot hold.
_TOO_LONG = re.compile(r"[0-9]{7,}[ywd]|[0-9]{11,}(?:h|m(?!s)|s)|[0-9]{14,}ms")
_UNITS_MS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1))
# Known to Prometheus until version 3, and not to promql-parser.
promql.register_extra_functions(
    [
        promql.Function(
            "holt_winters",
            [promql.ValueType.Matrix, promql.ValueType.Scalar, promql.ValueType.Scalar],
            promql.ValueType.Vector,
        )
    ]
)

Token = re.Match[str]


def tokens(text: str) -> Iterator[Token]:
    """The words of PromQL text one after the other, blanks and comments too; `lastgroup` names the kind of each."""
    return _TOKEN.finditer(text)


def tree(text: str) -> Any:
    """The syntax tree of a PromQL expression; raises ValueError, with the reason, where it is none."""
    nested = 0
    for token in tokens(text):
        kind, word = token.lastgroup, token[0]
        nested += (kind == "sign" and word not in "),;") or word.lower() in _OPERATORS
        if kind in {"range", "number"} and _TOO_LONG.search(word):
            raise ValueError(f"duration out of range: {word}")
    if nested > _MOST_NESTED:
        raise ValueError(f"more than {_MOST_NESTED:,} operators and parentheses cannot be followed")
    return promql.parse(re.sub(rf"{STRING}|{_COMMENT}", _escaped, text))


def duration(length: timedelta) -> str:
    """The length as a duration of PromQL, in the largest unit that holds it in whole numbers: `90m`, `1h`, `7d`."""
    milliseconds = round(length / timedelta(milliseconds=1))
    unit, size = next((unit, size) for unit, size in _UNITS_MS if milliseconds % size == 0)
    return f"{milliseconds // size}{unit}"


def quote(value: str) -> str:
    """The value as a string of PromQL."""
    return json.dumps(value, ensure_ascii=False)


def _escaped(found: re.Match[str]) -> str:
    # promql-parser takes a backslash between backquotes for an escape; Prometheus takes it as it is.
    return quote(found[0][1:-1]) if found[0].startswith("`") else found[0]
