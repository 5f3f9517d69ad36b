"""Answer a report's ticked lines from findings: a line is as good as the worst of the findings that prove it."""

from collections.abc import Sequence
from dataclasses import dataclass

from genesis_lib.model import Finding, Verdict, worst
from genesis_lib.policy import Line

__all__ = ["Tick", "tick"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line of a checklist, judged by findings and by nobody's hand.

    `verdict` is None where the environment has nothing of what the line is about. `said` is what was seen, in a few words.
    """

    section: str
    text: str
    verdict: Verdict | None
    said: str
    evidence: tuple[str, ...]


def tick(lines: Sequence[Line], findings: Sequence[Finding]) -> list[Tick]:
    """Each line with its verdict."""
    return [_tick(line, [f for f in findings if _answers(f, line)]) for line in lines]


def _answers(finding: Finding, line: Line) -> bool:
    return finding.check in line.claims and line.subject in ("", finding.subject)


def _tick(line: Line, found: Sequence[Finding]) -> Tick:
    """Waived findings count as they were judged: a waiver excuses, it does not prove."""
    good = sum(f.verdict is Verdict.PASS for f in found)
    verdict = worst(f.verdict for f in found) if found else None
    decisive = [f for f in found if f.verdict is verdict]
    if not found:
        said = "not part of this environment"
    elif len(found) == 1:
        said = found[0].observed
    elif verdict is Verdict.PASS:
        said = f"all {len(found)} proven"
    else:
        said = f"{good} of {len(found)} proven; {decisive[0].subject}: {decisive[0].observed}"
    return Tick(
        section=line.section,
        text=line.text,
        verdict=verdict,
        said=said,
        evidence=tuple(dict.fromkeys(e for f in found for e in f.evidence)),
    )
