"""Score findings by the policy's rubric, with every lost point itemised."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from genesis_lib.model import Finding, Verdict
from genesis_lib.policy import Section

__all__ = ["FULL", "Deduction", "Scorecard", "SectionScore", "score"]

FULL = 10.0
_CREDIT = {Verdict.PASS: 1.0, Verdict.WARN: 0.5, Verdict.FAIL: 0.0, Verdict.UNKNOWN: 0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduction:
    """Points lost to one finding, or to a check without findings (`finding` is then the check's name).

    `section_points` are lost in the section's 0-10, `points` in the overall score.
    """

    section: str
    finding: str
    reason: str
    section_points: float
    points: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionScore:
    """One section: its score of 0-10, its share of the overall score, and its findings."""

    name: str
    title: str
    weight: float
    score: float
    verdicts: Mapping[Verdict, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """The score of 0-10 overall and by section. The deductions add up to 10 minus the score."""

    overall: float
    sections: tuple[SectionScore, ...]
    deductions: tuple[Deduction, ...]


def score(findings: Sequence[Finding], sections: Sequence[Section]) -> Scorecard:
    """Credit PASS 1, WARN 0.5, FAIL and UNKNOWN 0, waived findings 1.

    Subjects are averaged inside a check, checks weighted in a section, sections weighted overall. A check without findings
    counts as UNKNOWN: nothing checked earns nothing.
    """
    by_check: dict[str, list[Finding]] = {}
    for finding in findings:
        by_check.setdefault(finding.check.partition(".")[0], []).append(finding)
    total_weight = sum(section.weight for section in sections)
    scores, deductions = [], []
    for section in sections:
        lost = [
            deduction
            for check, weight in section.checks.items()
            for deduction in _lost(
                section,
                check,
                by_check.get(check, []),
                in_section=weight / sum(section.checks.values()),
                overall=section.weight / total_weight,
            )
        ]
        own = [f for check in section.checks for f in by_check.get(check, [])]
        scores.append(
            SectionScore(
                name=section.name,
                title=section.title,
                weight=section.weight,
                score=_rest(d.section_points for d in lost),
                verdicts={verdict: sum(f.verdict is verdict for f in own) for verdict in Verdict},
            )
        )
        deductions += lost
    return Scorecard(overall=_rest(d.points for d in deductions), sections=tuple(scores), deductions=tuple(deductions))


def _lost(
    section: Section, check: str, findings: Sequence[Finding], *, in_section: float, overall: float
) -> list[Deduction]:
    def deduction(finding: str, reason: str, share: float) -> Deduction:
        points = FULL * in_section * share
        return Deduction(
            section=section.name, finding=finding, reason=reason, section_points=points, points=points * overall
        )

    if not findings:
        return [deduction(check, "the check gave no finding", 1.0)]
    return [
        deduction(f.id, f.reason, (1 - _CREDIT[f.verdict]) / len(findings))
        for f in findings
        if not f.waiver and f.verdict is not Verdict.PASS
    ]


def _rest(lost: Iterable[float]) -> float:
    """What is left of ten; never less than nothing by the rounding of many small losses."""
    return max(0.0, FULL - sum(lost))
