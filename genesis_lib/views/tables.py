"""Draw results as tables: generic ones, sections and deductions."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from genesis_lib.formatting import Quantity, Unit, adding_up, duration, instant, no_data, points, quantity
from genesis_lib.model import Missing, Verdict
from genesis_lib.readiness.score import FULL, Deduction, Scorecard
from genesis_lib.views import markup
from genesis_lib.views.frame import Column, Kind, frame, nothing, row
from genesis_lib.views.markup import Html
from genesis_lib.views.theme import VERDICT_LOOKS, WORST_FIRST

__all__ = ["Cell", "Column", "Kind", "deductions", "sections", "table"]

Cell = str | float | datetime | timedelta | Verdict | Quantity | Missing | Sequence[str] | None


def table(
    rows: Sequence[Mapping[str, Cell]],
    *,
    columns: Sequence[Column],
    caption: str,
    total: Mapping[str, Cell] | None = None,
    empty: str = "Nothing to show.",
) -> Html:
    """Rows as a table.

    Args:
        rows: cells by column name; one that is not there is empty. A sequence of strings becomes lines.
        columns: in the order shown; the first one names its row.
        caption: says what the table shows.
        total: a last row, set apart.
        empty: what to say where there are no rows.

    """
    body = [row([_cell(cells.get(c.name), c) for c in columns], columns) for cells in rows]
    if not rows:
        body = [nothing(empty, columns)]
    if total is not None:
        body.append(row([_cell(total.get(c.name), c) for c in columns], columns, kind="g-total"))
    lines = [[c.header for c in columns]]
    lines += [[_words(cells.get(c.name), c) for c in columns] for cells in (*rows, *([total] if total else ()))]
    words = markup.grid(lines) if rows else empty
    return Html(markup=frame(body, columns, caption), plain=f"{caption}\n{words}")


def sections(card: Scorecard) -> Html:
    """Each section's score of 10, its share of the whole, and how its findings were judged."""
    weights = sum(section.weight for section in card.sections)
    counts = [Column(name=v, header=VERDICT_LOOKS[v].word, unit=Unit.COUNT) for v in reversed(WORST_FIRST)]
    return table(
        [
            {
                "title": section.title,
                "score": points(section.score),
                "share": section.weight / weights,
                **{v: float(section.verdicts.get(v, 0)) for v in WORST_FIRST},
            }
            for section in card.sections
        ],
        columns=[
            Column(name="title", header="Section"),
            Column(name="score", header="Score of 10", unit=Unit.NUMBER),
            Column(name="share", header="Share", unit=Unit.RATIO),
            *counts,
        ],
        total={
            "title": "Overall",
            "score": points(card.overall),
            "share": 1.0,
            **{v: float(sum(s.verdicts.get(v, 0) for s in card.sections)) for v in WORST_FIRST},
        },
        caption="Score by section, with the number of findings per verdict",
    )


def deductions(card: Scorecard) -> Html:
    """Every lost point and what it was lost to; the lines add up to 10 minus the score.

    What one check lost for the same reason at several subjects is one line.
    """
    titles = {section.name: section.title for section in card.sections}
    groups: dict[tuple[str, str, str], list[Deduction]] = {}
    for d in card.deductions:
        groups.setdefault((d.section, d.finding.partition("[")[0], d.reason), []).append(d)
    groups = dict(sorted(groups.items(), key=lambda item: -sum(d.points for d in item[1])))
    written = adding_up([sum(d.points for d in group) for group in groups.values()], decimals=3)
    lost = adding_up([FULL - card.overall], decimals=3)[0]
    columns = [
        Column(name="finding", header="Lost to"),
        Column(name="section", header="Section"),
        Column(name="reason", header="Because"),
        Column(name="points", header="Points", unit=Unit.NUMBER),
    ]
    rows, lines = [], [[c.header for c in columns]]
    for ((section, check, reason), group), points_lost in zip(groups.items(), written, strict=True):
        # `targets.up[node]`: the claim, and in brackets its subject; a check without findings has none.
        subjects = [d.finding.partition("[")[2].removesuffix("]") for d in group if "[" in d.finding]
        named = f"<p>{markup.listed(subjects)}</p>" if subjects else ""
        title = titles.get(section, section)
        rows.append(
            row(
                [markup.code(check) + named, markup.text(title), markup.text(reason), f"{_MINUS}{points_lost}"], columns
            )
        )
        lines.append([f"{check} {', '.join(subjects)}", title, reason, f"{_MINUS}{points_lost}"])
    if rows:
        rows.append(row(["All deductions", "", "", f"{_MINUS}{lost}"], columns, kind="g-total"))
        lines.append(["All deductions", "", "", f"{_MINUS}{lost}"])
    else:
        rows.append(nothing("No points were lost.", columns))
        lines.append(["No points were lost.", "", "", ""])
    caption = "Deductions from 10 points (rounded so that the lines add up)"
    return Html(markup=frame(rows, columns, caption, kind="g-deductions"), plain=f"{caption}\n{markup.grid(lines)}")


_SHORT = 14  # characters that stay on one line: `< 200 ms`, `≥ 98 %`
_MINUS = "\N{MINUS SIGN}"


def _cell(value: Cell, column: Column) -> str:
    """A cell's markup."""
    match value:
        case Verdict():
            return markup.verdict(value)
        case Missing():
            return f'<span class="g-missing">{markup.text(no_data(value))}</span>{markup.evidence(_ids(value))}'
        case Quantity(value=Missing() as missing):
            return _cell(missing, column)
        case str() if column.unit is Kind.CODE:
            return markup.code(value)
        case Sequence() if not isinstance(value, str):
            each = markup.code if column.unit is Kind.CODE else markup.text
            return "<br>".join(each(line) for line in value)
    words = _words(value, column)
    return f'<span class="g-short">{markup.text(words)}</span>' if len(words) <= _SHORT else markup.text(words)


def _words(value: Cell, column: Column) -> str:
    """A cell as plain text."""
    match value:
        case None:
            return ""
        case Verdict():
            return f"{VERDICT_LOOKS[value].glyph} {value}"
        case str():
            return value
        case Missing():
            return no_data(value)
        case Quantity():
            return quantity(value.value, value.unit)
        case datetime():
            return instant(value)
        case timedelta():
            return duration(value)
        case float() | int():
            return quantity(value, column.unit if isinstance(column.unit, Unit) else Unit.NUMBER)
        case _:
            return "; ".join(value)


def _ids(missing: Missing) -> tuple[str, ...]:
    return (missing.evidence,) if missing.evidence else ()
