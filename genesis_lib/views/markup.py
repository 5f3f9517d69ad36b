"""Make HTML from untrusted text: escaped, isolated, wrapped where it may break, and with a plain-text twin for terminals."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from genesis_lib.formatting import plain, shortened
from genesis_lib.model import Verdict
from genesis_lib.views.theme import VERDICT_LOOKS, notebook_stylesheet

__all__ = ["Html", "code", "evidence", "fold", "grid", "listed", "text", "verdict"]

# Where a long expression, path or name may wrap: behind separators, and where a lower-case letter meets a capital.
_SEAMS = re.compile(r"(?<=[,(){}\[\]_/=+*:.&|-])(?![,(){}\[\]_/=+*:.&|0-9-])|(?<=[a-z0-9])(?=[A-Z])")
_LONGEST_PIECE = 24  # characters; longer pieces without a seam may wrap anywhere
_LONG_WORD = 14  # characters; longer ones may break inside
_QUOTED = re.compile(r"`([^`]+)`")
_DIGEST = re.compile(r"[0-9a-f]{20,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Html:
    """Markup for notebooks and reports, with the same in plain text for a terminal.

    `facts` go into the notebook's output metadata under `genesis`: the report takes its running header from there.
    """

    markup: str
    plain: str
    facts: Mapping[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """The plain text, as a terminal may show it."""
        return "\n".join(shortened(plain(line)) for line in self.plain.split("\n"))

    def _repr_html_(self) -> str:
        return f'<style data-genesis="">{notebook_stylesheet()}</style>\n<div class="genesis">{self.markup}</div>'

    def _repr_mimebundle_(self, **_kinds: object) -> tuple[dict[str, str], dict[str, Any]]:
        data = {"text/html": self._repr_html_(), "text/plain": repr(self)}
        return data, {"genesis": dict(self.facts)} if self.facts else {}


def text(untrusted: str) -> str:
    """Prose from outside: escaped, shortened, with invisible characters shown, and unable to reorder what stands beside it.

    What stands between backticks is set as code.
    """
    if not untrusted:
        return ""
    parts = _QUOTED.split(shortened(plain(untrusted)))
    return f"<bdi>{''.join(_code(part) if i % 2 else _breakable(part) for i, part in enumerate(parts))}</bdi>"


def code(untrusted: str) -> str:
    """PromQL, a path, a label or an id from outside, which may wrap behind its operators."""
    return _code(shortened(plain(untrusted))) if untrusted else ""


def listed(subjects: Sequence[str]) -> str:
    """Several subjects in a line; what neighbours begin with (`dashboard / `) is said once."""
    shown, before = [], ""
    for subject in subjects:
        start = subject.rpartition(" / ")[0]
        shown.append(text(subject.removeprefix(f"{start} / ") if start and start == before else subject))
        before = start
    return ", ".join(shown)


def verdict(which: Verdict) -> str:
    """A verdict as glyph, word and colour."""
    look = VERDICT_LOOKS[which]
    return f'<span class="g-verdict g-{look.colour}"><span aria-hidden="true">{look.glyph}</span> {look.word}</span>'


def evidence(ids: Sequence[str]) -> str:
    """The exchanges behind a claim, folded away; nothing where there are none."""
    if not ids:
        return ""
    # On paper the first characters of an id must do; they suffice to find its file.
    listed = [
        f'<li><code dir="ltr"><span>{escape(plain(i))[:12]}</span><span class="g-screen">{escape(plain(i)[12:])}</span></code></li>'
        if _DIGEST.fullmatch(i)
        else f"<li>{code(i)}</li>"
        for i in ids
    ]
    return fold(f"Evidence ({len(ids)})", f'<ul class="g-ids">{" ".join(listed)}</ul>')


def fold(summary: str, inside: str) -> str:
    """Markup that opens on a click; `summary` is text, `inside` is markup."""
    return f"<details><summary>{escape(summary)}</summary>{inside}</details>"


def grid(rows: Iterable[Sequence[str]]) -> str:
    """Rows of text as aligned columns, for terminals."""
    lines = [[shortened(plain(cell), 80) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def _code(cleaned: str) -> str:
    return f'<code dir="ltr">{_breakable(cleaned)}</code>'


def _breakable(cleaned: str) -> str:
    """Escape text, with places to break in words so long that they would not fit a column."""
    return "".join(
        "\0".join(_pieces(part)) if len(part) > _LONG_WORD else part for part in re.split(r"(\s+)", cleaned)
    ).translate(_ESCAPES)


def _pieces(word: str) -> Iterator[str]:
    for piece in _SEAMS.split(word):
        yield from (piece[i : i + _LONGEST_PIECE] for i in range(0, len(piece), _LONGEST_PIECE))


# One pass, so that the break mark (a character that `plain` never lets through) and escapes cannot meet.
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;", "$": "&#36;", "\0": "<wbr>"}
)
