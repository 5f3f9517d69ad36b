"""Objectives as figures in a notebook: one, all one after the other, or all at a glance."""

from collections.abc import Sequence

from genesis_lib.slo.page import Page
from genesis_lib.views import objective_figures
from genesis_lib.views.figures import Picture

__all__ = ["one", "overview", "show"]


def one(page: Page) -> Picture:
    """One objective on one page."""
    return objective_figures.page(page.status, page.facts, page.course, verdict=page.verdict)


def overview(pages: Sequence[Page]) -> Picture:
    """All of them at a glance: the value's course, its thresholds, and the budget."""
    courses = {page.status.objective.name: page.course for page in pages}
    verdicts = [page.verdict for page in pages]
    return objective_figures.multiples(
        [page.status for page in pages], [page.facts for page in pages], courses, verdicts
    )


def show(pages: Sequence[Page]) -> None:
    """Every page, as outputs of the cell that calls this; one after the other, so that the first stands while the next is drawn.

    As SVG alone: to draw each as PNG too would take as long again, and these pages do not go into the report.
    """
    from IPython.display import display

    for page in pages:
        display(one(page), include=["image/svg+xml", "text/plain"])  # type: ignore[no-untyped-call]
