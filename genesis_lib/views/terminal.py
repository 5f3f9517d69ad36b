"""Print a judgement on a terminal: the decision, why, the section scores, and where the files are."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from genesis_lib.formatting import plain, points
from genesis_lib.model import Finding, Verdict
from genesis_lib.readiness.decision import EXIT_COULD_NOT_RUN, Call, open_findings
from genesis_lib.readiness.judgement import Judgement
from genesis_lib.views import finding_tables
from genesis_lib.views.cover import grouped_roots, other_reasons
from genesis_lib.views.theme import WORST_FIRST

__all__ = ["VERDICT_COLOURS", "show", "show_call", "show_findings"]

VERDICT_COLOURS = {Verdict.FAIL: "red", Verdict.UNKNOWN: "magenta", Verdict.WARN: "yellow", Verdict.PASS: "green"}
_COLOURS = {"GO": "bold green", "HOLD": "bold yellow", "NO_GO": "bold red"}
_MOST_REASONS = 8
_MOST_SUBJECTS = 4


def show(
    judgement: Judgement,
    *,
    files: Sequence[Path],
    problems: Sequence[str],
    exit_code: int,
    console: Console | None = None,
) -> None:
    """Print to standard output; colour only on a terminal, and never where NO_COLOR is set. Text from outside is not read as markup."""
    out = console or Console(highlight=False, soft_wrap=True)
    decision = judgement.decision
    if exit_code == EXIT_COULD_NOT_RUN:
        out.print(Text("COULD NOT RUN", style="bold red"), Text("what follows is incomplete"))
    else:
        out.print(Text(decision.headline, style=_COLOURS[decision.call]), end="  ")
        out.print(
            Text(
                f"{judgement.title}, as of {judgement.as_of:%Y-%m-%d %H:%M:%S} UTC, valid until {decision.valid_until:%Y-%m-%d %H:%M} UTC"
            )
        )
    out.print()
    reasons = [_sentence(group) for group in grouped_roots(decision)]
    for reason in reasons[:_MOST_REASONS]:
        out.print(Text(f"  • {reason}"))
    if len(reasons) > _MOST_REASONS:
        out.print(Text(f"  • and {len(reasons) - _MOST_REASONS} more, in the report"))
    for reason in other_reasons(decision):
        out.print(Text(f"  • {reason}"))
    if decision.followers:
        out.print(Text(f"  • {len(decision.followers)} further findings follow from these"))
    for line in judgement.not_applicable:
        out.print(Text(f"  • {line}", style="dim"))
    out.print()
    out.print(_scores(judgement))
    for problem in problems:
        out.print(Text(f"! {problem}", style="yellow"))
    for file in files:
        out.print(Text(_shown(file)))


def show_findings(findings: Sequence[Finding], *, call: Call, run: str, console: Console | None = None) -> None:
    """Print findings without a report: what is not PASS, with how much follows from it, then counts by check."""
    out = console or Console(highlight=False, soft_wrap=True)
    wrong = [f for f in findings if f.verdict is not Verdict.PASS]
    ids = {f.id for f in wrong}
    roots = [f for f in wrong if f.because_of not in ids - {f.id}]
    for f in sorted(roots, key=lambda f: (bool(f.waiver), WORST_FIRST.index(f.verdict))):
        word = Text(f"{f.verdict:8}", style="dim" if f.waiver else VERDICT_COLOURS[f.verdict])
        out.print(word, Text(plain(f.id), style="dim" if f.waiver else "bold"), sep="")
        out.print(Text(f"        {plain(f.reason)}"))
        if f.hint and not f.waiver:
            out.print(Text(f"        do: {plain(f.hint)}"))
        if f.waiver:
            out.print(Text(f"        waived: {plain(f.waiver)}"))
        if followers := finding_tables.followers_of(f, wrong):
            out.print(
                Text(
                    f"        {len(followers)} more {'follows' if len(followers) == 1 else 'follow'} from this",
                    style="dim",
                )
            )
    if wrong:
        out.print()
    out.print(_counts(findings))
    out.print()
    show_call(findings, call=call, run=run, console=out)


def show_call(findings: Sequence[Finding], *, call: Call, run: str, console: Console) -> None:
    """Print what findings call for, where their evidence lies, and how one is excused."""
    console.print(Text(str(call), style=_COLOURS[call]), Text(f"by these findings; evidence in {run}"))
    if open_findings(findings):
        command = f"./genesis waive {run} 'FINDING' --reason '…' --owner '…' --until YYYY-MM-DD"
        console.print(Text(f"to excuse one: {command}", style="dim"))


def _counts(findings: Sequence[Finding]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("check")
    for verdict in Verdict:
        table.add_column(verdict.value, justify="right")
    table.add_column("waived", justify="right")
    for check in dict.fromkeys(f.check.partition(".")[0] for f in findings):
        mine = [f for f in findings if f.check.partition(".")[0] == check]
        counts = [str(sum(f.verdict is verdict for f in mine)) for verdict in Verdict]
        table.add_row(check, *counts, str(sum(bool(f.waiver) for f in mine)))
    return table


def _sentence(group: Sequence[Finding]) -> str:
    """The reason that these findings share, with their subjects in front where it does not name them itself."""
    reason, subjects = group[0].reason, [f.subject for f in group]
    if len(group) == 1 and subjects[0] in reason:
        return reason
    more = f" and {len(subjects) - _MOST_SUBJECTS} more" if len(subjects) > _MOST_SUBJECTS else ""
    return f"{', '.join(subjects[:_MOST_SUBJECTS])}{more}: {reason}"


def _scores(judgement: Judgement) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("section")
    table.add_column("score", justify="right")
    for verdict in Verdict:
        table.add_column(verdict.value, justify="right")
    for section in judgement.card.sections:
        counts = [str(section.verdicts[verdict]) for verdict in Verdict]
        table.add_row(Text(section.title), points(section.score), *counts)
    table.add_row(Text("overall", style="bold"), Text(points(judgement.card.overall), style="bold"))
    return table


def _shown(file: Path) -> str:
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)
