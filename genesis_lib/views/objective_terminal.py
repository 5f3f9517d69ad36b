"""Print the status of objectives on a terminal: one table as wide as it is, why what is not PASS is not, and by which series."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from rich.table import Table
from rich.text import Text

from genesis_lib.formatting import Unit, duration, plain, quantity
from genesis_lib.model import Finding, Missing, Verdict
from genesis_lib.readiness.decision import Call
from genesis_lib.slo.status import Status
from genesis_lib.views import objective_words as words
from genesis_lib.views.terminal import VERDICT_COLOURS, show_call
from genesis_lib.views.theme import VERDICT_LOOKS

__all__ = ["show"]

_GAP = 2  # blanks between columns
_ALWAYS_SHOWN = 3  # the rank up to which columns are never left out
_LONGEST_NAME = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A header, of one line or two, and a cell for each objective; the higher the `rank`, the sooner it is left out."""

    rank: float
    header: str
    cells: Sequence[Text]
    is_numeric: bool = True

    @property
    def width(self) -> int:
        return max(*map(len, self.header.split("\n")), *(cell.cell_len for cell in self.cells)) + _GAP


def show(
    statuses: Sequence[Status],
    findings: Sequence[Finding],
    *,
    call: Call,
    heading: str,
    not_applicable: Mapping[str, str],
    run: str,
    requests: int,
    console: Console | None = None,
) -> None:
    """Print to standard output; colour only on a terminal, and never where NO_COLOR is set. Text from outside is not read as markup.

    Where the terminal is narrow the least important columns are left out, and named.
    """
    out = console or Console(highlight=False, soft_wrap=True)
    out.print(Text(plain(heading), style="bold"))
    judged = [status for status in statuses if status.objective.title not in not_applicable]
    if judged:
        _show_table(out, _columns(judged, findings))
        if any(words.is_beyond(burn) for status in judged for burn in status.burns):
            out.print(Text(f"{words.BEYOND} burns beyond the factor from which its alert fires", style="dim"))
    for status in judged:
        _explain(out, status, findings)
    out.print()
    for title, reason in not_applicable.items():
        out.print(Text(f"not applicable: {plain(title)}: {plain(reason)}", style="dim"))
    for note, titles in _sources(judged).items():
        who = ", ".join(titles) if len(titles) < len(judged) else "all objectives"
        out.print(Text(f"{note}: {plain(who)}", style="dim"))
    out.print(Text(f"{requests} requests", style="dim"))
    show_call(findings, call=call, run=run, console=out)


def _show_table(out: Console, columns: Sequence[_Column]) -> None:
    by_rank = sorted(columns, key=lambda column: column.rank)
    while sum(column.width for column in by_rank) - _GAP > out.width and by_rank[-1].rank > _ALWAYS_SHOWN:
        by_rank.pop()
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
    shown = [column for column in columns if column in by_rank]
    for column in shown:
        table.add_column(column.header, justify="right" if column.is_numeric else "left", vertical="bottom")
    for cells in zip(*(column.cells for column in shown), strict=True):
        table.add_row(*cells)
    out.print(table)
    if left_out := [column.header.replace("\n", " ") for column in columns if column not in shown]:
        out.print(Text(f"too narrow for: {', '.join(left_out)}; --json has all", style="dim"))


def _columns(judged: Sequence[Status], findings: Sequence[Finding]) -> list[_Column]:
    def column(rank: float, header: str, cells: Sequence[str | Text], *, is_numeric: bool = True) -> _Column:
        texts = [cell if isinstance(cell, Text) else Text(plain(cell)) for cell in cells]
        return _Column(rank=rank, header=header, cells=texts, is_numeric=is_numeric)

    wanted = [status.objective for status in judged]
    windows = sorted({burn.window.long for status in judged for burn in status.burns})
    burns = [
        column(6 + i / len(windows), f"burn\n{duration(window)}", [_burn(status, window) for status in judged])
        for i, window in enumerate(windows)
    ]
    return [
        column(1, "objective", [_name(one.title) for one in wanted], is_numeric=False),
        column(2, "verdict", [_verdict(words.verdict(status, findings)) for status in judged], is_numeric=False),
        column(3, "value", [words.value(status.objective, status.value) for status in judged]),
        column(4, "target", [words.target(one) for one in wanted]),
        column(8, "warning", [words.warning(one) for one in wanted]),
        column(9, "critical", [words.critical(one) for one in wanted]),
        column(7, "good in\nperiod", [words.attained(status) for status in judged]),
        column(5, "budget\nleft", [_left(status) for status in judged]),
        column(10, "budget left\nin time", [_left_time(status) for status in judged]),
        *burns,
        column(11, "trend", [words.trend(status) for status in judged]),
        column(12, "interval", [words.interval(status) for status in judged]),
        column(13, "worst", [status.worst.name if status.worst else "" for status in judged], is_numeric=False),
    ]


def _name(title: str) -> str:
    return title if len(title) <= _LONGEST_NAME else f"{title[: _LONGEST_NAME - 1]}…"


def _verdict(verdict: Verdict) -> Text:
    return Text(f"{VERDICT_LOOKS[verdict].glyph} {verdict}", style=VERDICT_COLOURS[verdict])


def _left(status: Status) -> str:
    left = status.budget
    if isinstance(left, Missing):
        return words.short(left)
    return "spent" if left.is_spent else quantity(left.left, Unit.RATIO)


def _left_time(status: Status) -> str:
    return words.short(status.budget) if isinstance(status.budget, Missing) else duration(status.budget.left_time)


def _burn(status: Status, window: timedelta) -> Text:
    burn = next((burn for burn in status.burns if burn.window.long == window), None)
    if burn is None:
        return Text("")
    written = words.rate(status, burn.long, window=window)
    if not words.is_beyond(burn):
        return Text(written)
    return Text(f"{words.BEYOND}{written}", style="red" if burn.fires else "yellow")


def _explain(out: Console, status: Status, findings: Sequence[Finding]) -> None:
    remarks = words.remarks(status, findings)
    if remarks:
        out.print()
        out.print(Text(plain(status.objective.title), style="bold"))
    for remark in remarks:
        word = f"{remark.verdict:8}" if remark.verdict else " " * 8
        out.print(
            Text(f"  {word}", style=VERDICT_COLOURS[remark.verdict] if remark.verdict else ""),
            Text(f"{', '.join(remark.about)}: {plain(remark.reason)}"),
            sep="",
        )
        if remark.waiver:
            out.print(Text(f"          waived: {plain(remark.waiver)}"))
        elif remark.hint:
            out.print(Text(f"          do: {plain(remark.hint)}"))


def _sources(judged: Sequence[Status]) -> dict[str, list[str]]:
    """By which series the objectives were counted: what is to be said of it, to their titles; agreeing recorded ones are one line."""
    agreeing = [s.source.difference or 0.0 for s in judged if s.source.is_recorded]
    notes: dict[str, list[str]] = {}
    for status in judged:
        note = status.source.note
        if status.source.is_recorded:
            note = f"recorded series, which differ from raw ones by at most {quantity(max(agreeing), Unit.RATIO)}"
        notes.setdefault(plain(note), []).append(status.objective.title)
    return notes
