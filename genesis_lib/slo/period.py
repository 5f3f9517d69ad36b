"""What a whole period tells of an objective: how much of it was seen, what was attained, against the period before. Pure."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from genesis_lib.formatting import Unit, duration, quantity
from genesis_lib.model import Answer, Cause, Missing
from genesis_lib.slo.facts import Floats, ObjectiveFacts, Tiles
from genesis_lib.slo.indicators import TILE
from genesis_lib.slo.recorded import Counts

__all__ = ["LEAST_COVERAGE", "Period", "of_period", "window_coverage"]

LEAST_COVERAGE = 0.95  # a period of which less was seen is judged by nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """One period that ends at the run's instant.

    `counts` are its events; `attained` is the share of them that were good. `coverage` is the share of its five-minute tiles for which
    there is data, since the series began, if it began within the period (`life` is then shorter than the period). `trend` is how much
    more (or less) was attained than in the period before.
    """

    counts: Counts
    attained: float | Missing
    coverage: float
    life: timedelta
    is_young: bool
    trend: float | Missing


def of_period(facts: ObjectiveFacts) -> Period:
    """The period of an objective; its numbers are Missing where too little of it was seen."""
    objective, tiles = facts.objective, facts.tiles
    if isinstance(tiles, Missing):
        lost = Counts(bad=tiles, total=tiles)
        return Period(counts=lost, attained=tiles, coverage=0.0, life=timedelta(0), is_young=False, trend=tiles)
    count = objective.period // TILE
    seen = _seen(tiles.value, needs_bad=facts.counting.tells_bad)
    first = _first(seen)
    is_young = first > count  # nothing before the period, and not from its first tile on
    begin = max(first, count)
    life = (len(seen) - begin) * TILE
    coverage = float(seen[begin:].mean()) if begin < len(seen) else 0.0
    counts = _counts(facts, tiles, coverage)
    now, before = _attained(tiles.value, slice(begin, None)), _attained(tiles.value, slice(0, count))
    earlier = float(seen[:count].mean())
    attained = attained_of(counts)
    trend: float | Missing
    if isinstance(attained, Missing):
        trend = attained
    elif earlier < LEAST_COVERAGE:
        seen_before = quantity(earlier, Unit.RATIO)
        detail = f"of the period before this one {seen_before} was seen; a trend needs {_least()}"
        trend = Missing(cause=Cause.NO_DATA, detail=detail, evidence=tiles.evidence)
    elif now is None or before is None:
        detail = f"nothing happened in the period {'before this one' if before is None else 'itself'}"
        trend = Missing(cause=Cause.NO_DATA, detail=detail, evidence=tiles.evidence)
    else:
        trend = now - before
    return Period(counts=counts, attained=attained, coverage=coverage, life=life, is_young=is_young, trend=trend)


def window_coverage(facts: ObjectiveFacts) -> float:
    """The share of the evaluation window for which there is data, since the series began; 0 where nothing could be asked."""
    if isinstance(facts.tiles, Missing):
        return 0.0
    seen = _seen(facts.tiles.value, needs_bad=facts.counting.tells_bad)
    begin = max(len(seen) - max(1, facts.objective.window // TILE), _first(seen))
    return float(seen[begin:].mean()) if begin < len(seen) else 0.0


def attained_of(counts: Counts) -> float | Missing:
    """The share of good events."""
    match counts:
        case Counts(bad=float() as bad, total=float() as total) if total > 0:
            return round((total - bad) / total, 12)
        case Counts(bad=float(), total=float()):
            return Missing(cause=Cause.NO_DATA, detail="nothing happened: there were no events")
        case Counts(total=Missing() as missing) | Counts(bad=Missing() as missing):
            return missing
    raise AssertionError


def _counts(facts: ObjectiveFacts, tiles: Answer[Tiles], coverage: float) -> Counts:
    """The period's events: as counted over the whole of it, or, where one sample that is no number spoilt that, tile by tile."""
    if not facts.counting.tells_bad:
        return Counts(bad=_no_edge(facts), total=facts.counts[facts.objective.period].total)
    if coverage < LEAST_COVERAGE:
        long = duration(facts.objective.period)
        detail = f"data for {quantity(coverage, Unit.RATIO)} of the last {long}; at least {_least()} is needed"
        lost = Missing(cause=Cause.NO_DATA, detail=detail, evidence=tiles.evidence)
        return Counts(bad=lost, total=lost)
    whole = facts.counts[facts.objective.period]
    spoilt = [
        side for side in (whole.bad, whole.total) if isinstance(side, Missing) and side.cause is Cause.NOT_A_NUMBER
    ]
    if not spoilt:
        return whole
    count = facts.objective.period // TILE
    return Counts(bad=float(np.nansum(tiles.value.bad[-count:])), total=float(np.nansum(tiles.value.total[-count:])))


def _no_edge(facts: ObjectiveFacts) -> Missing:
    """Why slow operations cannot be counted."""
    edges, target = facts.edges, facts.objective.target
    if isinstance(edges, Missing):
        return edges
    bounds = [float(le) for le in edges.value] if edges else []
    if not bounds:
        return Missing(
            cause=Cause.NO_DATA, detail="the histogram has no buckets", evidence=edges.evidence if edges else ""
        )
    near = (max((b for b in bounds if b < target), default=None), min((b for b in bounds if b > target), default=None))
    named = " and ".join(duration(b) for b in near if b is not None and np.isfinite(b))
    detail = (
        f"no bucket ends at {duration(target)} (the nearest end at {named}), so it cannot be told how many operations took longer; "
        f"give the histogram a bucket that ends there, or move the target to one that it has"
    )
    return Missing(cause=Cause.UNDEFINED, detail=detail, evidence=edges.evidence if edges else "")


def _least() -> str:
    return quantity(LEAST_COVERAGE, Unit.RATIO)


def _seen(tiles: Tiles, *, needs_bad: bool) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    seen = np.isfinite(tiles.total)
    return seen & np.isfinite(tiles.bad) if needs_bad else seen


def _first(seen: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> int:
    return int(seen.argmax()) if seen.any() else len(seen)


def _attained(tiles: Tiles, part: slice) -> float | None:
    bad: Floats = tiles.bad[part]
    total: Floats = tiles.total[part]
    events = float(np.nansum(total))
    return 1 - float(np.nansum(bad)) / events if events > 0 else None
