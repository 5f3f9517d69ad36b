"""The timeline shows where a run's time went, however many questions it asked, and says why it is empty."""

import re

import pytest

from genesis_lib.model import Cause, Missing
from genesis_lib.telemetry.spans import SOURCE, Span
from genesis_lib.views.figures import Picture
from genesis_lib.views.timeline import slowest, timeline
from tests.views import hostile

_BEGAN_NS = 1_795_539_494_000_000_000
_UNTRACED = Missing(cause=Cause.NOT_RECORDED, detail="this run was not traced")


def span(name: str, at_s: float, took_s: float, *, parent: str = "run", question: str = "", error: str = "") -> Span:
    attributes = {SOURCE: "prometheus", "genesis.question": question} if question else {}
    start_ns = _BEGAN_NS + round(at_s * 1e9)
    return Span(
        name=name,
        trace_id="t",
        span_id=name,
        parent_span_id=parent,
        start_ns=start_ns,
        end_ns=start_ns + round(took_s * 1e9),
        attributes=attributes,
        error=error,
    )


def a_run(questions: int, *, has_ended: bool = True) -> list[Span]:
    """Two steps; the n-th question of the second took n milliseconds."""
    asked = [
        span(f"q{n}", 5, n / 1000, parent="01_day0", question=f"GET http://h:1/api/v1/query?query=up%{n}")
        for n in range(1, questions + 1)
    ]
    root = [span("run", 0, 20, parent="")] if has_ended else []
    return [*root, span("snapshot", 0, 2), span("01_day0", 4, 8), *asked]


def words(picture: Picture) -> list[str]:
    """All texts that are drawn."""
    drawn = re.findall(r">([^<>]+)</(?:text|tspan)>", picture.svg())
    return [text.replace("\N{NARROW NO-BREAK SPACE}", " ") for text in drawn]


@pytest.mark.parametrize("questions", [0, 1, 7, 600])
def test_each_step_is_a_row_with_its_duration_and_its_questions(questions: int) -> None:
    picture = timeline(a_run(questions))
    said = words(picture)
    counted = f" · {questions} question{'s' if questions > 1 else ''}" if questions else ""
    for row in ("the run", "snapshot", "01_day0", "2 s", f"8 s{counted}", f"20 s{counted}"):
        assert row in said
    assert "seconds since the run began" in said
    assert sum(text.endswith(". prometheus: query") for text in said) == min(questions, 10)
    assert f"asked {questions} questions" in picture.alt
    assert picture.get_size_inches()[1] < 8


def test_a_run_that_has_not_ended_is_drawn_as_far_as_it_came() -> None:
    assert "12 s · 3 questions" in words(timeline(a_run(3, has_ended=False)))


def test_what_failed_says_so_in_words() -> None:
    trace = [
        *a_run(1),
        span("crashed", 13, 1, error="NameError"),
        span("q", 13, 0.5, parent="crashed", question="q", error="timeout"),
    ]
    said = words(timeline(trace))
    assert "1 s · 1 question, 1 without an answer; failed" in said
    assert "500 ms; timeout" in said


def test_of_many_steps_the_longest_are_shown_in_their_order() -> None:
    trace = [span("run", 0, 100, parent=""), *(span(f"step {n}", n, n + 1) for n in range(40))]
    shown = [text for text in words(timeline(trace)) if text.startswith("step ")]
    assert shown == [f"step {n}" for n in range(24, 40)]


@pytest.mark.parametrize("trace", [_UNTRACED, ()], ids=["not traced", "no span"])
def test_an_empty_timeline_says_why(trace: Missing | tuple[Span, ...]) -> None:
    reason = trace.detail if isinstance(trace, Missing) else "the trace holds no span"
    picture = timeline(trace)
    assert picture.alt == f"Timeline of the run: empty, because {reason}."
    assert reason in words(picture)
    assert (_UNTRACED.detail if isinstance(trace, Missing) else "No question was asked.") in repr(slowest(trace))


def test_the_table_lists_the_slowest_with_their_share_of_all_asking() -> None:
    lines = repr(slowest(a_run(20))).replace("\N{NARROW NO-BREAK SPACE}", " ").splitlines()
    assert lines[0] == "The slowest of 20 questions, which took 210 ms in all (some at the same time)"
    rows = [re.split(r"  +", line) for line in lines[2:]]
    assert [row[0] for row in rows] == [f"{n}." for n in range(1, 11)]
    assert rows[0][1:] == ["prometheus", "GET http://h:1/api/v1/query?query=up%20", "20 ms", "9.52 %"]


def test_a_trace_of_no_length_is_drawn_too() -> None:
    assert "0 s" in words(timeline([span("run", 0, 0, parent="")]))
    assert slowest([span("q", 0, 0, question="up")]).plain


@pytest.mark.parametrize("text", hostile.ALL)
def test_text_from_outside_is_only_text(text: str) -> None:
    trace = [span("run", 0, 2, parent=""), span(text, 0, 1, error=text), span("q", 0, 1, question=text, error=text)]
    assert not re.search(r"<script|<img|\u202e|\x1b", timeline(trace).svg())
    assert not re.search(r"<script|<img|\u202e|\x1b", slowest(trace).markup)
