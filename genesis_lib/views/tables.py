"""Draw results as tables: generic ones, sections, deductions, findings and checklists."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

from genesis_lib.model import Finding, Missing, Verdict
from genesis_lib.readiness.score import FULL, Deduction, Scorecard
from genesis_lib.views import markup
from genesis_lib.views.formatting import Quantity, Unit, adding_up, duration, instant, no_data, points, quantity
from genesis_lib.views.frame import Column, Kind, frame, nothing, row
from genesis_lib.views.markup import Html
from genesis_lib.views.theme import VERDICT_LOOKS, WORST_FIRST

__all__ = ["Cell", "Column", "Kind", "Tick", "checklist", "deductions", "findings", "sections", "table"]

Cell = str | float | datetime | timedelta | Verdict | Quantity | Missing | Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line of a checklist; how it was judged comes from findings, never from whoever writes the list."""

    text: str
    verdict: Verdict
    evidence: tuple[str, ...]


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


def checklist(items: Sequence[Tick], *, caption: str = "Checklist") -> Html:
    """Lines with their verdicts, each with its evidence folded under it."""
    columns = [Column(name="text", header="Item"), Column(name="verdict", header="Verdict")]
    body = [
        row([markup.text(item.text) + markup.evidence(item.evidence), markup.verdict(item.verdict)], columns)
        for item in items
    ]
    lines = [[VERDICT_LOOKS[item.verdict].glyph, item.verdict, item.text] for item in items]
    return Html(
        markup=frame(body, columns, caption, kind="g-checklist"),
        plain=f"{caption}\n{markup.grid(lines)}" if items else f"{caption}\nNothing to check.",
    )


def findings(
    found: Sequence[Finding], *, only: Collection[Verdict] = tuple(Verdict), caption: str = "Findings"
) -> Html:
    """Findings that are not PASS in full, worst first, each above what follows from it; those that are, one line per claim.

    Findings of one claim that differ in nothing but their subject share a row.

    Args:
        found: the findings.
        only: leave out findings of other verdicts.
        caption: says what the table shows.

    """
    shown = [f for f in found if f.verdict in only]
    remarks = _roots_first([f for v in WORST_FIRST for f in shown if f.verdict is v and v is not Verdict.PASS])
    passed = [f for f in shown if f.verdict is Verdict.PASS]
    parts = []
    if remarks:
        parts.append(
            frame(
                [_full_row(group, shown={f.id for f in remarks}) for group in _alike(remarks)],
                _FULL,
                f"{caption}: what is not PASS",
                kind="g-findings",
            )
        )
    if passed:
        by_claim = groupby(sorted(passed, key=lambda f: f.check), key=lambda f: f.check)
        rows = [_compact_row(check, list(group)) for check, group in by_claim]
        parts.append(frame(rows, _COMPACT, f"{caption}: what was proven", kind="g-passed"))
    lines = [[f.verdict, f.check, f.subject, f.observed, f.expected, f.reason] for f in (*remarks, *passed)]
    none = "There are no such findings."
    return Html(
        markup="".join(parts) or f'<p class="g-note">{none}</p>',
        plain=f"{caption}\n{markup.grid(lines) if lines else none}",
    )


_SHORT = 14  # characters that stay on one line: `< 200 ms`, `≥ 98 %`
_MINUS = "\N{MINUS SIGN}"
_FULL = (
    Column(name="claim", header="Finding"),
    Column(name="verdict", header="Verdict"),
    Column(name="seen", header="Observed and expected"),
    Column(name="why", header="Why, and what to do"),
)
_COMPACT = (
    Column(name="claim", header="Claim"),
    Column(name="count", header="Proven", unit=Unit.COUNT),
    Column(name="subjects", header="Of what"),
)


def _alike(found: Sequence[Finding]) -> list[list[Finding]]:
    """Findings that differ in subject and evidence only, together, where the first of them stood."""
    groups: dict[Finding, list[Finding]] = {}
    for f in found:
        groups.setdefault(replace(f, subject="", evidence=()), []).append(f)
    return list(groups.values())


def _full_row(alike: Sequence[Finding], *, shown: Collection[str]) -> str:
    """Findings that say the same of one or several subjects; one that stands under its root leaves what to do, and to whom, to that."""
    f = alike[0]
    is_under_root = f.because_of in shown
    subjects = f"<strong>{markup.listed([each.subject for each in alike])}</strong>"
    seen = [_labelled("Observed", f.observed), _labelled("Expected", f.expected)]
    seen.append(markup.evidence(list(dict.fromkeys(i for each in alike for i in each.evidence))))
    why = [f"<p>{markup.text(f.reason)}</p>"]
    if not is_under_root:
        follows = f"Follows from {markup.code(f.because_of)}" if f.because_of else ""
        owner = f"Owner: {markup.text(f.owner)}" if f.owner else ""
        why += [_labelled("Do", f.hint), f'<p class="g-muted">{" · ".join(filter(None, (follows, owner)))}</p>']
    cells = [
        f"{subjects}<p>{markup.code(f.check)}</p>",
        markup.verdict(f.verdict) + _labelled("Waived:", f.waiver),
        "".join(seen),
        "".join(why),
    ]
    return row(cells, _FULL, kind="g-follower" if is_under_root else "")


def _labelled(label: str, words: str) -> str:
    return f'<p><span class="g-label">{label}</span> {markup.text(words)}</p>' if words else ""


def _compact_row(check: str, passed: Sequence[Finding]) -> str:
    """All that passed one claim, on one line; what was seen for each is folded under it."""
    seen = "".join(
        f"<li><strong>{markup.text(f.subject)}</strong>: {markup.text(f.observed)} {markup.evidence(f.evidence)}</li>"
        for f in passed
    )
    subjects = markup.listed([f.subject for f in passed])
    folded = f'<div class="g-screen">{markup.fold("What was seen", f"<ul>{seen}</ul>")}</div>'
    return row([markup.code(check), f"{len(passed):,}", subjects + folded], _COMPACT)


def _roots_first(found: Sequence[Finding]) -> list[Finding]:
    """Each finding directly before those that follow from it."""
    ids = {f.id for f in found}
    followers: dict[str, list[Finding]] = {}
    for f in found:
        if f.because_of in ids - {f.id}:
            followers.setdefault(f.because_of, []).append(f)
    ordered: dict[str, Finding] = {}
    waiting = [f for f in reversed(found) if f.because_of not in ids - {f.id}]
    while waiting:
        f = waiting.pop()
        ordered[f.id] = f
        waiting += reversed(followers.get(f.id, []))
    # Findings that name each other in a circle have no root; they are shown all the same.
    return [*ordered.values(), *(f for f in found if f.id not in ordered)]


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
