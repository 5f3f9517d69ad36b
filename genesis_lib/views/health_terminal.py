"""Print the health checks on a terminal: a line for each, what to do about those that are not good, and the counts."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from genesis_lib.formatting import plain
from genesis_lib.model import Finding, Verdict
from genesis_lib.readiness.decision import Call
from genesis_lib.views.terminal import VERDICT_COLOURS, show_call

__all__ = ["show"]

_COUNTED = {Verdict.FAIL: "failed", Verdict.WARN: "warned", Verdict.UNKNOWN: "unknown"}


def show(findings: Sequence[Finding], *, call: Call, run: str, console: Console | None = None) -> None:
    """Print to standard output; text from outside is not read as markup. Remarks on waivers are shown, and not counted."""
    out = console or Console(highlight=False, soft_wrap=True)
    for f in findings:
        word = Text(f"{f.verdict:8}", style="dim" if f.waiver else VERDICT_COLOURS[f.verdict])
        out.print(word, Text(f"{plain(f.id)}: ", style="bold"), Text(plain(f.observed)), sep="")
        out.print(Text(f"        expected: {plain(f.expected)}", style="dim"))
        if f.verdict is Verdict.PASS:
            continue
        out.print(Text(f"        {plain(f.reason)}"))
        if f.waiver:
            out.print(Text(f"        waived: {plain(f.waiver)}"))
        elif f.hint:
            out.print(Text(f"        do: {plain(f.hint)}"))
    out.print()
    counted = [f.verdict for f in findings if f.check.startswith("health.")]
    rest = ", ".join(f"{word} {counted.count(verdict)}" for verdict, word in _COUNTED.items())
    out.print(Text(f"passed {counted.count(Verdict.PASS)} of {len(counted)}, {rest}"))
    show_call(findings, call=call, run=run, console=out)
