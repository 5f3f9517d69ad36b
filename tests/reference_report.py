"""Read the day-0 report line by line: each line that says something is an item, and docs/coverage.md answers it.

What says nothing is told by rule: headings (they are the items' paths), rules, fences, the head of a table, lines of a drawing, and labels,
which are comments in code and lines that end in a colon, unless they hold a digit, a tick or a remark in parentheses.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

__all__ = ["REPORT", "Item", "Kind", "items", "sections"]

REPORT = Path(__file__).parent.parent / "docs/reference/day0_monitoring_setup_report.md"

_FRONT_MATTER = "Front matter"
_MARKUP = re.compile(r"\*\*|`|[─-╿▼◄]")  # emphasis, code spans, and what boxes and arrows are drawn with
_SAYS_SOMETHING = re.compile(r"[\d✅(]")
_TABLE_RULE = re.compile(r"\|[-|: ]+\|")


class Kind(StrEnum):
    """What an item is in the report's Markdown."""

    FRONT_MATTER = "front matter"
    CHECKBOX = "checkbox"
    ROW = "table row"
    NUMBERED = "numbered line"
    BULLET = "bullet"
    FIELD = "field"
    PROSE = "prose"
    COMMAND = "command"
    QUERY = "query"
    SETTING = "setting"
    CODE = "code"
    REMARK = "remark"
    OUTPUT = "output"


# The first that matches a line says what it is.
_TEXT = {
    Kind.CHECKBOX: r"- \[.\] ",
    Kind.ROW: r"\|",
    Kind.NUMBERED: r"\d+\. ",
    Kind.BULLET: r"- ",
    Kind.FIELD: r"\*\*[^*]+:\*\* ",
    Kind.PROSE: r"",
}
_BLOCKS = {
    "bash": {
        Kind.REMARK: r"# ",
        Kind.COMMAND: r"(curl|docker|promtool|pytest|python) ",
        Kind.SETTING: r"[A-Z_]+=",
        Kind.OUTPUT: r"",
    },
    "promql": {Kind.REMARK: r"# ", Kind.OUTPUT: r"Result: ", Kind.QUERY: r""},
    "python": {Kind.REMARK: r"# ", Kind.SETTING: r"\w+: \w+ = ", Kind.CODE: r""},
}
_BLOCK = {Kind.OUTPUT: r""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A line of the report: the headings above it, what it is, and what it says, without Markdown's marks."""

    path: tuple[str, ...]
    kind: Kind
    text: str


def items(markdown: str) -> list[Item]:
    """All items, in the report's order."""
    return [
        Item(path=path, kind=kind, text=text)
        for path, kind, line in _lines(markdown)
        if (text := _text(line)) and not _is_label(kind, text)
    ]


def sections(markdown: str) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Each line that is no heading and not empty, with the headings above it, and the language of the code block that it stands in.

    Outside of code blocks the language is "text". A page's title counts as a heading like those under it.
    """
    path: tuple[str, ...] = (_FRONT_MATTER,)
    language = "text"
    for raw in markdown.splitlines():
        line = raw.strip()
        if line.startswith("```"):
            language = line[3:] if language == "text" else "text"
        elif language == "text" and (heading := re.fullmatch(r"(#+) (.+?):?", line)):
            path = (*path[: max(len(heading[1]), 2) - 2], heading[2])
        elif line:
            yield path, language, line


def _lines(markdown: str) -> Iterator[tuple[tuple[str, ...], Kind, str]]:
    for (path, language, line), (_, _, following) in pairwise([*sections(markdown), ((), "text", "")]):
        if language == "text" and (line == "---" or _TABLE_RULE.fullmatch(line) or _TABLE_RULE.fullmatch(following)):
            continue
        kinds = _TEXT if language == "text" else _BLOCKS.get(language, _BLOCK)
        kind = next(kind for kind, pattern in kinds.items() if re.match(pattern, line))
        yield path, Kind.FRONT_MATTER if path == (_FRONT_MATTER,) else kind, line


def _text(line: str) -> str:
    """The line without what is Markdown's: list marks, outer pipes of a table, emphasis, code spans; single spaces."""
    return " ".join(_MARKUP.sub("", line).removeprefix("- ").strip("|").split())


def _is_label(kind: Kind, text: str) -> bool:
    return (kind is Kind.REMARK or text.endswith(":")) and not _SAYS_SOMETHING.search(text)
