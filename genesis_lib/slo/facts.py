"""Ask Prometheus what there is to know of the objectives: events by window, their course over two periods, recorded series."""

import math
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from genesis_lib.clients.prometheus import Series
from genesis_lib.model import Answer, Cause, Missing, Sample
from genesis_lib.objectives.indicator import LatencyIndicator, split_selector
from genesis_lib.objectives.objective import Objective
from genesis_lib.objectives.slos import BurnWindow
from genesis_lib.run import Run
from genesis_lib.slo import recorded
from genesis_lib.slo.asking import PART, changed, instant, union
from genesis_lib.slo.indicators import TILE, Counting, Floats, counting
from genesis_lib.slo.recorded import BAD_EVENTS, COMPARED, TOTAL_EVENTS, Counts, Recorded, Source
from genesis_lib.syntax import duration

__all__ = ["Floats", "ObjectiveFacts", "SloFacts", "Tiles", "gather"]

Vectors = Answer[Mapping[str, tuple[Sample, ...]]] | Missing

# A server works on as many questions as it has processors; more at once only make each of them late.
_PARALLEL_OBJECTIVES = 2
_WORST_SHOWN = 3
# Reading raw samples takes Prometheus a second for each 17 million, and a count over a period reads them twice: growth, and resets. Where
# it has more than this, they are read once, tile by tile; and in parts, few at a time, so that each is answered in time.
_HEAVY = 20e6
_PART = timedelta(days=3)
_PARALLEL_PARTS = 2
_BORN = "born "  # and the window: the part that counts series that began in it
_MOST_TILES = 10_000  # Prometheus refuses more than 11,000 points in one answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiles:
    """Events in each five minutes of two periods, oldest first: `ends` in seconds since the epoch; NaN where nothing is known."""

    ends: Floats
    bad: Floats
    total: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveFacts:
    """What Prometheus answered about one objective.

    `edges` are its histogram's buckets (`le`), or None for other indicators; `counts` are by window, the period among them; `values`
    is the indicator over its evaluation window, worst first; `worst` is the same, split by the objective's label; `windows` are its
    period's alert windows.
    """

    counting: Counting
    windows: tuple[BurnWindow, ...]
    edges: Answer[tuple[str, ...]] | Missing | None
    counts: Mapping[timedelta, Counts]
    values: Answer[tuple[Sample, ...]] | Missing
    worst: tuple[Sample, ...]
    tiles: Answer[Tiles] | Missing
    source: Source
    warnings: tuple[str, ...]
    evidence: tuple[str, ...]

    @property
    def objective(self) -> Objective:
        """The objective, as this environment wants it."""
        return self.counting.objective


@dataclass(frozen=True, slots=True, kw_only=True)
class SloFacts:
    """All objectives that apply, in the order of policy; those that do not, with the reason, by title; how many questions were asked."""

    objectives: tuple[ObjectiveFacts, ...]
    not_applicable: Mapping[str, str]
    requests: int


def gather(run: Run) -> SloFacts:
    """Ask everything about every objective that applies, once."""
    return run.once("slos", _gather)


def _gather(run: Run) -> SloFacts:
    objectives = run.policy.slos.in_environment(run.environment.slos, shown_as=run.environment.name)
    asked = [one for one in objectives if not one.not_applicable]
    known = recorded.ask(run, asked)
    with ThreadPoolExecutor(max_workers=_PARALLEL_OBJECTIVES) as pool:
        found = tuple(pool.map(lambda one: _objective(run, one, known), asked))
    return SloFacts(
        objectives=found,
        not_applicable={one.title: one.not_applicable for one in objectives if one.not_applicable},
        requests=len({known.evidence, *(e for one in found for e in one.evidence)} - {""}),
    )


def _objective(run: Run, objective: Objective, known: Answer[Mapping[str, Recorded]] | Missing) -> ObjectiveFacts:
    edges = run.ask(_edges(run, i)) if isinstance(i := objective.indicator, LatencyIndicator) else None
    asked = counting(objective, edges.value if isinstance(edges, Answer) else ())
    windows = run.policy.slos.windows_of(objective.period)
    lengths = {objective.window, objective.period, COMPARED, *(w for p in windows for w in (p.long, p.short))}
    shorter, long = [w for w in lengths if w <= COMPARED], [w for w in lengths if w > COMPARED]
    is_raw = isinstance(known, Missing) or objective.name not in known.value
    births = {_BORN + duration(w): asked.born(w) for w in long if is_raw and not asked.is_sliced}
    short = run.ask(instant(run, _events(asked, shorter) | _values(asked) | births))
    counts = {w: _counts(asked, short, w) for w in shorter}
    source = recorded.source(objective, known, counts[COMPARED])
    is_heavy = not source.is_recorded and _series(short) * (objective.period / run.policy.slos.scrape_interval) > _HEAVY
    # Slices lie at fixed instants, so that tiles add up to just what a long question would count.
    is_tiled = {w: (asked.is_sliced and w % TILE == timedelta(0)) or (is_heavy and w == objective.period) for w in long}
    tiled = [w for w in long if is_tiled[w] and not source.is_recorded]
    longer = [w for w in long if w not in tiled]
    with_born = not is_raw or isinstance(short, Missing) or any(short.value[part] for part in births)
    raw = _events(asked, longer, with_born=with_born)
    told = run.ask(instant(run, _recorded_events(objective, longer) if source.is_recorded else raw)) if longer else None
    tiles, exchanges = _tiles(run, asked, source, part=_PART if is_heavy else 2 * objective.period)
    counts |= {w: _added_up(tiles, w) for w in tiled}
    counts |= {w: _counts(asked, told, w) for w in longer} if told is not None else {}
    answers = [answer for answer in (edges, short, told, tiles) if answer is not None]
    return ObjectiveFacts(
        counting=asked,
        windows=windows,
        edges=edges,
        counts=counts,
        values=short if isinstance(short, Missing) else changed(short, short.value["value"]),
        worst=() if isinstance(short, Missing) else short.value.get("worst", ()),
        tiles=tiles,
        source=source,
        warnings=tuple(dict.fromkeys(w for a in answers if isinstance(a, Answer) for w in a.warnings)),
        evidence=tuple(dict.fromkeys(e for e in (*(a.evidence for a in answers), *exchanges) if e)),
    )


def _edges(run: Run, indicator: LatencyIndicator) -> Callable[[], Answer[tuple[str, ...]]]:
    name, matchers = split_selector(indicator.histogram)

    def ask() -> Answer[tuple[str, ...]]:
        answer = run.prometheus.query(f"count by (le) ({name}_bucket{{{matchers}}})", at=run.as_of)
        edges = {s.labels["le"] for s in answer.value if "le" in s.labels}
        return changed(answer, tuple(sorted(edges, key=float)))

    return ask


def _events(asked: Counting, windows: list[timedelta], *, with_born: bool = True) -> dict[str, str]:
    sides = {"total": asked.total} | ({"side": asked.side} if asked.tells_bad else {})
    return {f"{name} {duration(w)}": side(w, with_born=with_born) for name, side in sides.items() for w in windows}


def _recorded_events(objective: Objective, windows: list[timedelta]) -> dict[str, str]:
    which = recorded.selector(objective)
    return {
        f"{side} {duration(w)}": f"max(sum_over_time({name}{which}[{duration(w)}]))"
        for side, name in (("total", TOTAL_EVENTS), ("bad", BAD_EVENTS))
        for w in windows
    }


def _values(asked: Counting) -> dict[str, str]:
    objective = asked.objective
    worst = f"{'bottomk' if objective.better == 'higher' else 'topk'}({_WORST_SHOWN}, "
    parts = {"value": f"{worst}{asked.value(objective.window)})", "series": asked.series}
    if objective.split:
        parts["worst"] = f"{worst}{asked.value(objective.window, by=objective.split)})"
    return parts


def _counts(asked: Counting, answer: Vectors, window: timedelta) -> Counts:
    if isinstance(answer, Missing):
        return Counts(bad=answer, total=answer)

    def of(side: str) -> float | Missing:
        samples = answer.value.get(f"{side} {duration(window)}", ())
        named = "bad" if side == "side" else side
        return samples[0].value if samples else _no_series(named, answer.evidence)

    total = of("total")
    if f"bad {duration(window)}" in answer.value:  # recorded
        return Counts(bad=of("bad"), total=total)
    side = of("side")
    if isinstance(side, float) and isinstance(total, float):
        side = float(asked.bad_of(np.array(total), np.array(side)))
    elif isinstance(total, Missing) and not asked.counts_bad:
        side = total
    return Counts(bad=side, total=total)


def _series(short: Vectors) -> float:
    """How many series are behind an objective; where not even that was answered in time, too many."""
    if isinstance(short, Missing):
        return math.inf if short.cause is Cause.TIMEOUT else 0.0
    samples = short.value["series"]
    return samples[0].value if samples and isinstance(samples[0].value, float) else 0.0


def _tiles(run: Run, asked: Counting, source: Source, *, part: timedelta) -> tuple[Answer[Tiles] | Missing, list[str]]:
    """Two periods: the one that counts, and the one before it; asked in parts no longer than `part`, whose exchanges are told too."""
    if source.is_recorded:
        which = recorded.selector(asked.objective)
        parts = {"total": f"max({TOTAL_EVENTS}{which})", "bad": f"max({BAD_EVENTS}{which})"}
    else:
        interval = run.policy.slos.scrape_interval
        sides = ("total", "side") if asked.tells_bad else ("total",)
        parts = {side: asked.tile(scrape_interval=interval, of=side) for side in sides}
    count, each = 2 * (asked.objective.period // TILE), min(part // TILE, _MOST_TILES)
    start = run.as_of - (count - 1) * TILE
    ends: Floats = np.asarray(start.timestamp() + np.arange(count) * TILE.total_seconds(), dtype=np.float64)

    def question(first: int) -> Callable[[], Answer[tuple[Series, ...]]]:
        begin, end = start + first * TILE, start + min(first + each - 1, count - 1) * TILE
        return lambda: run.prometheus.query_range(union(parts), start=begin, end=end, step=TILE)

    with ThreadPoolExecutor(max_workers=_PARALLEL_PARTS) as pool:
        answers = list(pool.map(run.ask, [question(first) for first in range(0, count, each)]))
    exchanges = [answer.evidence for answer in answers]
    found = [answer for answer in answers if isinstance(answer, Answer)]
    if len(found) < len(answers):
        return next(answer for answer in answers if isinstance(answer, Missing)), exchanges
    values = {part: np.full(count, np.nan) for part in ("total", "side", "bad")}
    for series in (one for answer in found for one in answer.value):
        at = np.rint((series.times / 1000 - ends[0]) / TILE.total_seconds()).astype(int)
        values[series.labels[PART]][at] = series.values
    total = values["total"]
    bad = values["bad"] if source.is_recorded or not asked.tells_bad else asked.bad_of(total, values["side"])
    tiles = Tiles(ends=ends, bad=bad, total=total)
    warnings = tuple(dict.fromkeys(w for answer in found for w in answer.warnings))
    answer = Answer(value=tiles, evidence=found[0].evidence, asked_at=found[0].asked_at, warnings=warnings)
    return answer, exchanges


def _added_up(tiles: Answer[Tiles] | Missing, window: timedelta) -> Counts:
    """A window's events, tile by tile."""
    if isinstance(tiles, Missing):
        return Counts(bad=tiles, total=tiles)

    def of(side: Floats, named: str) -> float | Missing:
        found = side[-(window // TILE) :]
        return float(np.nansum(found)) if np.isfinite(found).any() else _no_series(named, tiles.evidence)

    return Counts(bad=of(tiles.value.bad, "bad"), total=of(tiles.value.total, "total"))


def _no_series(of: str, evidence: str) -> Missing:
    return Missing(cause=Cause.NO_DATA, detail=f"there are no series of {of} events", evidence=evidence)
