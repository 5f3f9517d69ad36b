"""Print a judgement on a terminal: the decision, why, the section scores, and where the files are."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from genesis_lib.model import Finding, Verdict
from genesis_lib.readiness.decision import EXIT_COULD_NOT_RUN
from genesis_lib.readiness.judgement import Judgement
from genesis_lib.views.cover import grouped_roots, other_reasons
from genesis_lib.views.formatting import points

__all__ = ["show"]

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
