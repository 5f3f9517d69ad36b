"""Frame tables: columns, rows, and the box that scrolls by itself so that the page never does."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from genesis_lib.formatting import Unit, plain
from genesis_lib.views import markup

__all__ = ["Column", "Kind", "frame", "nothing", "row"]


class Kind(StrEnum):
    """How the text of a column is set."""

    PROSE = "prose"
    CODE = "code"  # PromQL, paths, labels, ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: the key of its cells, what stands above them, and the unit of its numbers or the kind of its text."""

    name: str
    header: str
    unit: Unit | Kind = Kind.PROSE

    @property
    def is_numeric(self) -> bool:
        """Whether its cells are set to the right."""
        return isinstance(self.unit, Unit) and self.unit is not Unit.BOOLEAN


def frame(body: Sequence[str], columns: Sequence[Column], caption: str, *, kind: str = "g-plain") -> str:
    """Rows of markup as a captioned table; `kind` is its CSS class."""
    heads = "".join(f'<th scope="col"{_aligned(c)}>{escape(c.header)}</th>' for c in columns)
    widths = "".join(f'<col class="g-col-{escape(c.name)}">' for c in columns)
    return (
        f'<div class="g-scroll" role="group" tabindex="0" aria-label="{escape(plain(caption))}">'
        f'<table class="{kind}"><caption>{markup.text(caption)}</caption><colgroup>{widths}</colgroup>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def row(cells: Sequence[str], columns: Sequence[Column], *, kind: str = "") -> str:
    """A row of markup; its first cell is its header."""
    first, *others = zip(cells, columns, strict=True)
    rest = "".join(f"<td{_aligned(column)}>{cell}</td>" for cell, column in others)
    return f'<tr{f" class={kind}" if kind else ""}><th scope="row"{_aligned(first[1])}>{first[0]}</th>{rest}</tr>'


def nothing(words: str, columns: Sequence[Column]) -> str:
    """The row of a table that has none."""
    return f'<tr><td class="g-muted" colspan="{len(columns)}">{escape(words)}</td></tr>'


def _aligned(column: Column) -> str:
    return ' class="g-number"' if column.is_numeric else ""
