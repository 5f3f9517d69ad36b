"""One objective with all that is known of it: its status, its facts, and its course over a time, split by a label."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from genesis_lib.model import Finding, Verdict, worst
from genesis_lib.run import Run
from genesis_lib.slo import course as courses
from genesis_lib.slo.course import Course
from genesis_lib.slo.facts import ObjectiveFacts
from genesis_lib.slo.status import Status, status

__all__ = ["Page", "pages"]

_PARALLEL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a figure shows of one objective; `verdict` is the worst of all that was found about it, and not of its value alone."""

    verdict: Verdict
    status: Status
    facts: ObjectiveFacts
    course: Course


def pages(
    run: Run,
    objectives: Sequence[ObjectiveFacts],
    findings: Sequence[Finding],
    *,
    window: timedelta | None = None,
    split: str | None = None,
) -> list[Page]:
    """A page for each, several asked at once; the window and the split are the objectives' own where none is named."""

    def page(facts: ObjectiveFacts) -> Page:
        course = courses.gather(run, facts, window=window, split=split)
        judged = status(facts, at=run.as_of)
        found = [f.verdict for f in findings if f.subject == facts.objective.title]
        return Page(verdict=worst(found) if found else judged.verdict, status=judged, facts=facts, course=course)

    with ThreadPoolExecutor(max_workers=_PARALLEL) as pool:
        return list(pool.map(page, objectives))
