"""Draw a run's trace: its steps over time with the questions asked in each, and the slowest questions."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes

from genesis_lib.formatting import Unit, duration, shortened
from genesis_lib.model import Missing
from genesis_lib.telemetry.spans import Span
from genesis_lib.views.figures import WIDTH_IN, Picture, label, say
from genesis_lib.views.markup import Html
from genesis_lib.views.tables import Column, Kind, table
from genesis_lib.views.theme import LIGHT, SERIES_COLOURS, figure_style

__all__ = ["slowest", "timeline"]

_MOST_STEPS, _MOST_QUESTIONS = 16, 10
_ROW_IN, _HEIGHT = 0.22, 0.62
_NANO = 10**9
_LONGEST_ALT, _LONGEST_NAME, _LONGEST_QUESTION = 60, 36, 160
_STEP, _QUESTION = SERIES_COLOURS[5], SERIES_COLOURS[0]  # light and dark in print too
_ENDPOINT = re.compile(r"[A-Z]+ https?://[^?]*/([^/?]+)(\?.*)?", re.DOTALL)


def timeline(trace: Sequence[Span] | Missing) -> Picture:
    """The run and its steps as bars, with each question as a mark in the bar of its step; below them the slowest questions, by number.

    Of a run that has not ended its steps so far are drawn; the marks in its own bar are all its questions.
    """
    if isinstance(trace, Missing) or not trace:
        return _nothing(trace.detail if isinstance(trace, Missing) else "the trace holds no span")
    began, ended = min(span.start_ns for span in trace), max(span.end_ns for span in trace)
    run_s = (ended - began) / _NANO
    steps, asked = _steps(trace)
    questions, slow = [span for span in trace if span.source], _slow(trace)
    rows = [_Row(name="the run", start_ns=began, end_ns=ended, words=_said(run_s, questions), asked=questions)]
    rows += [_step_row(step, asked[step.span_id]) for step in steps]
    with figure_style():
        height_in = 0.75 + _ROW_IN * (len(rows) + len(slow) + bool(slow))
        picture = Picture(alt=_alt(steps, slow, asked, run_s), size_in=(WIDTH_IN, height_in))
        axes = picture.add_subplot()
        at = dict(enumerate(rows))
        if slow:
            axes.set_yticks([len(rows)], ["the slowest questions"], minor=True, color=LIGHT["muted"], fontsize=7.5)
            axes.tick_params(axis="y", which="minor", length=0)
            at |= {len(rows) + n: _question_row(n, question) for n, question in enumerate(slow, 1)}
        _draw(axes, at, began=began)
        _set_axes(axes, run_s)
    return picture


def slowest(trace: Sequence[Span] | Missing) -> Html:
    """The questions that took longest, as the figure numbers them."""
    asked = [] if isinstance(trace, Missing) else [span for span in trace if span.source]
    total_s = sum(span.took_s for span in asked)
    return table(
        [
            {
                "number": f"{number}.",
                "source": question.source,
                "question": shortened(_text(question), _LONGEST_QUESTION),
                "took": question.took_s,
                "share": question.took_s / total_s if total_s else None,
            }
            for number, question in enumerate(_slow(asked), 1)
        ],
        columns=[
            Column(name="number", header="No."),
            Column(name="source", header="Source"),
            Column(name="question", header="Question", unit=Kind.CODE),
            Column(name="took", header="Took", unit=Unit.SECONDS),
            Column(name="share", header="Share of all asking", unit=Unit.RATIO),
        ],
        caption=f"The slowest of {len(asked):,} questions, which took {duration(total_s)} in all (some at the same time)",
        empty=trace.detail if isinstance(trace, Missing) else "No question was asked.",
    )


def _steps(trace: Sequence[Span]) -> tuple[list[Span], dict[str, list[Span]]]:
    """The longest steps in their order, and the questions asked in each."""
    known = {span.span_id for span in trace if not span.source and span.parent_span_id}
    steps = sorted((span for span in trace if span.span_id in known), key=lambda step: step.took_s)[-_MOST_STEPS:]
    asked: defaultdict[str, list[Span]] = defaultdict(list)
    for span in trace:
        if span.source:
            asked[span.parent_span_id].append(span)
    return sorted(steps, key=lambda step: (step.start_ns, step.span_id)), asked


def _slow(trace: Sequence[Span]) -> list[Span]:
    asked = [span for span in trace if span.source]
    return sorted(asked, key=lambda span: (-span.took_s, span.span_id))[:_MOST_QUESTIONS]


def _step_row(step: Span, asked: Sequence[Span]) -> "_Row":
    words = _said(step.took_s, asked) + ("; failed" if step.error else "")
    return _Row(name=step.name, start_ns=step.start_ns, end_ns=step.end_ns, words=words, asked=asked)


def _question_row(number: int, question: Span) -> "_Row":
    words = duration(question.took_s) + (f"; {question.error}" if question.error else "")
    name, asked = f"{number}. {_short(question)}", [question]
    return _Row(name=name, start_ns=question.start_ns, end_ns=question.end_ns, words=words, asked=asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A bar with its name before it, words behind it, and marks in it."""

    name: str
    start_ns: int
    end_ns: int
    words: str
    asked: Sequence[Span]


def _draw(axes: Axes, rows: Mapping[int, _Row], *, began: int) -> None:
    for y, row in rows.items():
        start_s, end_s = ((ns - began) / _NANO for ns in (row.start_ns, row.end_ns))
        axes.barh(
            y, end_s - start_s, left=start_s, height=_HEIGHT, color=_STEP, edgecolor=_STEP, linewidth=0.4, alpha=0.55
        )
        marks = [((span.start_ns - began) / _NANO, span.took_s) for span in row.asked]
        # Outlined, so that a question of a millisecond is seen too.
        axes.broken_barh(
            marks, (y - _HEIGHT / 2, _HEIGHT), facecolors=_QUESTION, edgecolors=_QUESTION, linewidth=0.4, alpha=0.6
        )
        axes.annotate(
            label(row.words), (end_s, y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=7.5
        )
    names = [label(row.name, _LONGEST_NAME) for row in rows.values()]
    axes.set_yticks([*rows], names, color=LIGHT["ink"], fontsize=7.5)
    axes.set_ylim(max(rows) + 0.6, -0.6)


def _set_axes(axes: Axes, run_s: float) -> None:
    axes.set_xlim(0, (run_s or 1.0) * 1.35)  # room for the words behind the longest bar
    axes.set_xlabel("seconds since the run began", loc="left")
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")


def _said(took_s: float, asked: Sequence[Span]) -> str:
    failed = sum(bool(span.error) for span in asked)
    questions = f" · {len(asked):,} question{'s' if len(asked) > 1 else ''}" if asked else ""
    return duration(took_s) + questions + (f", {failed:,} without an answer" if failed else "")


def _short(question: Span) -> str:
    text = _text(question)
    endpoint = _ENDPOINT.fullmatch(text)
    return f"{question.source}: {endpoint[1] if endpoint else text}"


def _text(question: Span) -> str:
    return str(question.attributes.get("genesis.question", question.name))


def _alt(steps: Sequence[Span], slow: Sequence[Span], asked: dict[str, list[Span]], run_s: float) -> str:
    count = sum(map(len, asked.values()))
    parts = "; ".join(f"{label(step.name)} {_said(step.took_s, asked[step.span_id])}" for step in steps)
    text = f"The run took {duration(run_s)} and asked {count:,} questions. Steps: {parts or 'none'}."
    if slow:
        named = (f"{label(_short(question), _LONGEST_ALT)} {duration(question.took_s)}" for question in slow[:3])
        text += f" Slowest: {'; '.join(named)}."
    return text


def _nothing(reason: str) -> Picture:
    with figure_style():
        picture = Picture(alt=f"Timeline of the run: empty, because {reason}.", size_in=(WIDTH_IN, 0.6))
        axes = picture.add_subplot()
        axes.set_axis_off()
        say(axes, reason, small=False)
    return picture
