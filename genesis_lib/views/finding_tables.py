"""Draw findings as tables: all in full, all that a check found, and a report's lines with how findings answer them."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from genesis_lib.formatting import Unit
from genesis_lib.model import Finding, Verdict
from genesis_lib.readiness.checklist import Tick
from genesis_lib.readiness.decision import open_findings
from genesis_lib.views import markup
from genesis_lib.views.frame import Column, frame, nothing, row
from genesis_lib.views.markup import Html
from genesis_lib.views.tables import Cell, table
from genesis_lib.views.theme import VERDICT_LOOKS, WORST_FIRST

__all__ = ["checklist", "claims", "findings", "followers_of", "roots_first"]


def checklist(ticks: Sequence[Tick], *, caption: str = "Checklist") -> Html:
    """Lines with how findings answer them, each with its evidence folded under it."""
    columns = [
        Column(name="section", header="Section"),
        Column(name="text", header="Line of the report"),
        Column(name="verdict", header="Verdict"),
        Column(name="said", header="Seen"),
    ]
    body, lines, before = [], [], ""
    for tick in ticks:
        section, before = "" if tick.section == before else tick.section, tick.section
        verdict = "" if tick.verdict is None else markup.verdict(tick.verdict)
        # On paper the ids would drown the lines; they stand with the findings, too.
        said = f'{markup.text(tick.said)}<div class="g-screen">{markup.evidence(tick.evidence)}</div>'
        body.append(row([markup.text(section), markup.text(tick.text), verdict, said], columns))
        lines.append(
            [
                section,
                tick.text,
                "" if tick.verdict is None else f"{VERDICT_LOOKS[tick.verdict].glyph} {tick.verdict}",
                tick.said,
            ]
        )
    return Html(
        markup=frame(body or [nothing("Nothing to check.", columns)], columns, caption, kind="g-checklist"),
        plain=f"{caption}\n{markup.grid(lines) if lines else 'Nothing to check.'}",
    )


def claims(found: Sequence[Finding], *, caption: str) -> Html:
    """Every finding of a check on a line of its own: of what, which claim, how it was judged, what was seen and what was expected."""
    columns = [
        Column(name="subject", header="Of what"),
        Column(name="claim", header="Claim"),
        Column(name="verdict", header="Verdict"),
        Column(name="observed", header="Observed"),
        Column(name="expected", header="Expected"),
    ]
    subjects = list(dict.fromkeys(f.subject for f in found))
    rows: list[Mapping[str, Cell]] = [
        {
            "subject": f.subject,
            "claim": f.check.partition(".")[2].replace("_", " "),
            "verdict": f.verdict,
            "observed": f.observed,
            "expected": f.expected,
        }
        for f in sorted(found, key=lambda f: subjects.index(f.subject))
    ]
    return table(rows, columns=columns, caption=caption, empty="Nothing of this is part of the environment.")


def findings(
    found: Sequence[Finding], *, run: str, only: Collection[Verdict] = tuple(Verdict), caption: str = "Findings"
) -> Html:
    """Findings that are not PASS in full, worst first, each above what follows from it; those that are, one line per claim.

    Findings of one claim that differ in nothing but their subject share a row.

    Args:
        found: the findings.
        run: the folder of their run, as one would type it: beside each finding that blocks stands the command that waives it.
        only: leave out findings of other verdicts.
        caption: says what the table shows.

    """
    shown = [f for f in found if f.verdict in only]
    remarks = roots_first([f for v in WORST_FIRST for f in shown if f.verdict is v and v is not Verdict.PASS])
    passed = [f for f in shown if f.verdict is Verdict.PASS]
    parts = []
    if remarks:
        parts.append(
            frame(
                [_full_row(group, shown={f.id for f in remarks}, run=run) for group in _alike(remarks)],
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


def _full_row(alike: Sequence[Finding], *, shown: Collection[str], run: str) -> str:
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
        why += [
            _labelled("" if f.hint.endswith("?") else "Do", f.hint),
            f'<p class="g-muted">{" · ".join(filter(None, (follows, owner)))}</p>',
        ]
        why += [_waiver(alike, run)] if open_findings(alike) else []
    cells = [
        f"{subjects}<p>{markup.code(f.check)}</p>",
        markup.verdict(f.verdict) + _labelled("Waived:", f.waiver),
        "".join(seen),
        "".join(why),
    ]
    return row(cells, _FULL, kind="g-follower" if is_under_root else "")


def _waiver(alike: Sequence[Finding], run: str) -> str:
    """How to excuse these findings, folded away: it is the exception, and nothing to read on paper."""
    commands = (f"./genesis waive {run} {shlex.quote(f.id)} --reason '…' --owner '…' --until YYYY-MM-DD" for f in alike)
    listed = "".join(f"<p>{markup.code(command)}</p>" for command in commands)
    return f'<div class="g-screen">{markup.fold("If it must be excused", listed)}</div>'


def _labelled(label: str, words: str) -> str:
    shown = f'<span class="g-label">{label}</span> ' if label else ""
    return f"<p>{shown}{markup.text(words)}</p>" if words else ""


def _compact_row(check: str, passed: Sequence[Finding]) -> str:
    """All that passed one claim, on one line; what was seen for each is folded under it."""
    seen = "".join(
        f"<li><strong>{markup.text(f.subject)}</strong>: {markup.text(f.observed)} {markup.evidence(f.evidence)}</li>"
        for f in passed
    )
    subjects = markup.listed([f.subject for f in passed])
    folded = f'<div class="g-screen">{markup.fold("What was seen", f"<ul>{seen}</ul>")}</div>'
    return row([markup.code(check), f"{len(passed):,}", subjects + folded], _COMPACT)


def followers_of(root: Finding, findings: Sequence[Finding]) -> list[Finding]:
    """Those of the findings that follow from this one, directly or by others."""
    covered = {root.id}
    while grown := [f for f in findings if f.because_of in covered and f.id not in covered]:
        covered |= {f.id for f in grown}
    return [f for f in findings if f.id in covered - {root.id}]


def roots_first(found: Sequence[Finding]) -> list[Finding]:
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
