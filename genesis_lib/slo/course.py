"""Ask for the course of one objective over a window: what a page about it draws."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from genesis_lib.clients.prometheus import Series
from genesis_lib.model import Answer, Cause, Missing, Sample
from genesis_lib.objectives.indicator import LatencyIndicator, ValueIndicator, split_selector
from genesis_lib.objectives.objective import Objective
from genesis_lib.run import Run
from genesis_lib.slo.asking import PART, changed, instant, union
from genesis_lib.slo.facts import Floats, ObjectiveFacts
from genesis_lib.slo.indicators import Counting
from genesis_lib.syntax import duration, quote

__all__ = ["Course", "Deployment", "HeatMap", "Lines", "Span", "Spent", "gather"]

_POINTS, _COLUMNS, _EVENT_POINTS = 300, 150, 1000
_FINEST = timedelta(seconds=15)  # no step is shorter
_MOST_LINES, _MOST_BARS = 5, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """The indicator, over its rolling evaluation window, at each of `times` (seconds since the epoch); NaN where nothing is known.

    `parts` are its worst series by value of the split label: those that spent most, and then those that are worst now.
    """

    times: Floats
    whole: Floats
    parts: Mapping[str, Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Bad events by value of the split label, most first: the first few of `among` values."""

    bad: Mapping[str, float]
    among: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """How many operations ended in each bucket (down, by its upper edge in seconds, fastest first) in the step before each of `ends`."""

    ends: Floats
    edges: Floats
    counts: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """For how long an alert fired. Times are exact to a thousandth of the window."""

    name: str
    begins: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """What was deployed, named by its labels' values, and when it was first seen.

    `is_first`: nothing was there before it in the window, which may also be where its history begins.
    """

    name: str
    at: datetime
    is_first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One objective over the `window` that ends at `at`, split by a label (empty: by none).

    `alerts` are all that fired, latest first: whether one is about this objective cannot be known. `heat` is None for what is no histogram.
    """

    at: datetime
    window: timedelta
    split: str
    lines: Lines | Missing
    spent: Spent | Missing
    heat: HeatMap | Missing | None
    alerts: tuple[Span, ...] | Missing
    deployments: tuple[Deployment, ...] | Missing
    evidence: tuple[str, ...]


def gather(run: Run, facts: ObjectiveFacts, *, window: timedelta | None = None, split: str | None = None) -> Course:
    """Ask for it: by default over the objective's period, split by its own label."""
    objective, counting = facts.objective, facts.counting
    window = objective.period if window is None else window
    split = objective.split if split is None else split
    by_value = run.ask(instant(run, _by_value(counting, window, split))) if split else _no_split()
    names = _worst(split, by_value.value) if isinstance(by_value, Answer) else ()
    lines = run.ask(_ranges(run, _values(counting, split, names), window, _POINTS))
    heat = (
        run.ask(_ranges(run, _buckets(i, window), window, _COLUMNS))
        if isinstance(i := objective.indicator, LatencyIndicator)
        else None
    )
    events = run.ask(_ranges(run, _happened(run, window), window, _EVENT_POINTS))
    deployed = run.policy.slos.deployments
    return Course(
        at=run.as_of,
        window=window,
        split=split,
        lines=lines if isinstance(lines, Missing) else _lines(split, lines),
        spent=by_value if isinstance(by_value, Missing) else _spent(facts, split, by_value),
        heat=_heat(heat) if isinstance(heat, Answer) else heat,
        alerts=events if isinstance(events, Missing) else _alerts(events.value),
        deployments=(
            _NOT_NAMED if not deployed else events if isinstance(events, Missing) else _deployments(events.value)
        ),
        evidence=tuple(
            dict.fromkeys(a.evidence for a in (by_value, lines, heat, events) if a is not None and a.evidence)
        ),
    )


_NOT_NAMED = Missing(cause=Cause.UNDEFINED, detail="slos.yaml names no query for deployments")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranges:
    """Series by part, each with its labels and its values at `times`."""

    times: Floats
    series: Mapping[str, tuple[tuple[Mapping[str, str], Floats], ...]]


def _ranges(run: Run, parts: Mapping[str, str], window: timedelta, points: int) -> Callable[[], Answer[_Ranges]]:
    """A question for the course of each part, the last point of which is the run's instant."""
    step = _step(window, points)
    count = window // step
    start = run.as_of - count * step
    times: Floats = np.asarray(start.timestamp() + np.arange(count + 1) * step.total_seconds(), dtype=np.float64)

    def on_grid(series: Series) -> Floats:
        values = np.full(len(times), np.nan)
        values[np.rint((series.times / 1000 - times[0]) / step.total_seconds()).astype(int)] = series.values
        return values

    def ask() -> Answer[_Ranges]:
        answer = run.prometheus.query_range(union(parts), start=start, end=run.as_of, step=step)
        found = {part: tuple((s.labels, on_grid(s)) for s in answer.value if s.labels[PART] == part) for part in parts}
        return changed(answer, _Ranges(times=times, series=found))

    return ask


def _step(window: timedelta, points: int) -> timedelta:
    return max(_FINEST, timedelta(seconds=math.ceil(window.total_seconds() / points)))


def _by_value(asked: Counting, window: timedelta, split: str) -> dict[str, str]:
    """Which values of the label spent most in the window, which are worst now, and how many there are."""
    worst = "bottomk" if asked.objective.better == "higher" else "topk"
    parts = {"worst": f"{worst}({_MOST_LINES}, {_grouped(asked, split)})"}
    parts |= {"among": f"count({asked.total(window, by=split)})"}
    return parts | ({"bad": f"topk({_MOST_BARS}, {asked.bad(window, by=split)})"} if asked.tells_bad else {})


def _grouped(asked: Counting, split: str) -> str:
    """The indicator by value of the label: of several series with one value, the worst."""
    worst = "min" if asked.objective.better == "higher" else "max"
    return f"{worst} by ({split}) ({asked.value(asked.objective.window, by=split)})"


def _values(asked: Counting, split: str, names: tuple[str, ...]) -> dict[str, str]:
    """The whole, and those values of the label: which they are was asked before, so that the answer is small."""
    whole = asked.value(asked.objective.window)
    if _is_many(asked.objective):
        whole = f"{'min' if asked.objective.better == 'higher' else 'max'}({whole})"
    if not names:
        return {"whole": whole}
    wanted = " or ".join(f'label_replace(vector(1), "{split}", {quote(_literal(name))}, "", "")' for name in names)
    return {"whole": whole, "part": f"{_grouped(asked, split)} and on ({split}) ({wanted})"}


def _buckets(indicator: LatencyIndicator, window: timedelta) -> dict[str, str]:
    name, matchers = split_selector(indicator.histogram)
    return {"bucket": f"sum by (le) (increase({name}_bucket{{{matchers}}}[{duration(_step(window, _COLUMNS))}]))"}


def _happened(run: Run, window: timedelta) -> dict[str, str]:
    """Alerts are looked for in all of each step, so that no short one is passed over."""
    length = duration(_step(window, _EVENT_POINTS))
    parts = {"alert": f'max by (alertname) (max_over_time(ALERTS{{alertstate="firing"}}[{length}]))'}
    return parts | ({"deployment": run.policy.slos.deployments} if run.policy.slos.deployments else {})


def _worst(split: str, found: Mapping[str, tuple[Sample, ...]]) -> tuple[str, ...]:
    """The values of the label that are worth a line; none where one value is all there is."""
    spent, worst = (
        [
            s.labels.get(split, "")
            for s in found.get(part, ())
            if isinstance(s.value, float) and (s.value > 0 or part == "worst")
        ]
        for part in ("bad", "worst")
    )
    names = tuple(dict.fromkeys([*spent, *worst]))
    return names[:_MOST_LINES] if len(names) > 1 else ()


def _lines(split: str, answer: Answer[_Ranges]) -> Lines | Missing:
    found = answer.value.series
    if len(found["whole"]) > 1:
        detail = f"one number is wanted, and {len(found['whole'])} series are given"
        return Missing(cause=Cause.AMBIGUOUS, detail=detail, evidence=answer.evidence)
    if not found["whole"]:
        return Missing(
            cause=Cause.NO_DATA, detail="its query yields nothing in all of this time", evidence=answer.evidence
        )
    ((_, whole),) = found["whole"]
    return Lines(
        times=answer.value.times,
        whole=whole,
        parts={labels.get(split, ""): values for labels, values in found.get("part", ())},
    )


def _spent(facts: ObjectiveFacts, split: str, answer: Answer[Mapping[str, tuple[Sample, ...]]]) -> Spent | Missing:
    if not facts.counting.tells_bad:
        if isinstance(facts.edges, Missing):
            return facts.edges
        has_buckets = facts.edges is not None and facts.edges.value
        detail = (
            "no bucket ends at the target, so slow operations cannot be counted"
            if has_buckets
            else "there are no buckets"
        )
        return Missing(cause=Cause.UNDEFINED, detail=detail, evidence=answer.evidence)
    bad = {s.labels.get(split, ""): s.value for s in answer.value["bad"] if isinstance(s.value, float)}
    among = [s.value for s in answer.value["among"] if isinstance(s.value, float)]
    if not among:
        detail = f"there are no events in this time that could be told apart by {split}"
        return Missing(cause=Cause.NO_DATA, detail=detail, evidence=answer.evidence)
    most_first = sorted(bad.items(), key=lambda item: (-item[1], item[0]))
    return Spent(bad={name: value for name, value in most_first if value > 0}, among=int(among[0]))


def _heat(answer: Answer[_Ranges]) -> HeatMap | Missing:
    found = sorted(
        ((float(labels["le"]), values) for labels, values in answer.value.series["bucket"] if "le" in labels),
        key=lambda bucket: bucket[0],
    )
    if not found:
        return Missing(
            cause=Cause.NO_DATA, detail="the histogram has no buckets in this time", evidence=answer.evidence
        )
    below = np.array([values for _, values in found])
    # Buckets are cumulative; scraped not quite at once, or extrapolated, a wider one may seem to have grown less.
    counts = np.clip(np.diff(below, axis=0, prepend=0), 0, None)
    return HeatMap(ends=answer.value.times, edges=np.array([edge for edge, _ in found]), counts=counts)


def _alerts(ranges: _Ranges) -> tuple[Span, ...]:
    step = ranges.times[1] - ranges.times[0]
    spans = []
    for labels, values in ranges.series["alert"]:
        fires = np.isfinite(values).astype(int)
        change = np.flatnonzero(np.diff(fires, prepend=0, append=0))
        for first, after in zip(change[::2], change[1::2], strict=True):
            begins, ends = max(ranges.times[0], ranges.times[first] - step), ranges.times[after - 1]
            spans.append(Span(name=labels.get("alertname", ""), begins=_instant(begins), ends=_instant(ends)))
    return tuple(sorted(spans, key=lambda span: (span.ends, span.begins, span.name), reverse=True))


def _deployments(ranges: _Ranges) -> tuple[Deployment, ...]:
    """Each beginning of a series within the window; one that returns after a gap in all of them was only not seen for a while."""
    series = ranges.series["deployment"]
    seen = [np.isfinite(values) for _, values in series]
    anything = np.any(seen, axis=0) if seen else np.zeros(0)
    found = []
    for (labels, _), here in zip(series, seen, strict=True):
        name = " ".join(value for label, value in sorted(labels.items()) if label not in (PART, "__name__"))
        begins = [i for i in np.flatnonzero(np.diff(here.astype(int)) > 0) + 1 if anything[i - 1] or not here[:i].any()]
        found += [Deployment(name=name, at=_instant(ranges.times[i]), is_first=not anything[:i].any()) for i in begins]
    return tuple(sorted(found, key=lambda one: (one.at, one.name)))


def _no_split() -> Missing:
    return Missing(cause=Cause.UNDEFINED, detail="the objective names no label to split by")


def _is_many(objective: Objective) -> bool:
    return isinstance(objective.indicator, ValueIndicator) and objective.indicator.series == "many"


def _literal(name: str) -> str:
    """A label's value as the replacement of `label_replace`, where a dollar begins a group's name."""
    return name.replace("$", "$$")


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
