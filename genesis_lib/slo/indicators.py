"""Write an objective's indicator as PromQL: how many events there were in a window, and how many of them were bad."""

import re
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

from genesis_lib.objectives.indicator import (
    EventsIndicator,
    LatencyIndicator,
    SlicesIndicator,
    ValueIndicator,
    split_selector,
)
from genesis_lib.objectives.objective import Objective
from genesis_lib.syntax import duration, quote

__all__ = ["TILE", "Counting", "Floats", "counting"]

Floats = npt.NDArray[np.float64]
# The grain of the past: events are counted in tiles of this length, from which periods, days and hours are added up.
TILE = timedelta(minutes=5)
# Prometheus 2 counts a subquery's steps at both ends of its range: five minutes on the minute hold six. Version 3 leaves the first out.
_TILE_OF_SLICES = TILE - timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counting:
    """PromQL for one objective. `edge` is the matcher of the bucket at a latency's target (`le="0.2"`); empty: there is none."""

    objective: Objective
    edge: str = ""

    def total(self, window: timedelta, *, by: str = "", with_born: bool = True) -> str:
        """How many events there were in the window; summed by a label, if named.

        `with_born` counts what series brought along that began within the window, which `born` tells of: it reads each series twice.
        """
        match self.objective.indicator:
            case EventsIndicator(total=total):
                return _sum(_grown(total, total, window, with_born=with_born), by)
            case LatencyIndicator(histogram=histogram):
                count = _part(histogram, "_count")
                return _sum(_grown(count, count, window, with_born=with_born), by)
            case SlicesIndicator(query=query, slice=slice_) | ValueIndicator(query=query, slice=slice_):
                return _sum(f"count_over_time(({_finite(query)})[{duration(window)}:{duration(slice_)}])", by)

    def side(self, window: timedelta, *, by: str = "", with_born: bool = True) -> str:
        """How many of them were bad, where the indicator counts those (`counts_bad`), or else good."""
        match self.objective.indicator:
            case EventsIndicator(good=good, bad=bad, total=total):
                grown = _sum(_grown(bad or good, total, window, with_born=with_born), by)
                return self._or_none(grown, self.total(window, by=by, with_born=with_born))
            case LatencyIndicator(histogram=histogram):
                bucket, count = _part(histogram, "_bucket", self.edge), _part(histogram, "_count")
                return _sum(_grown(bucket, count, window, with_born=with_born), by)
            case SlicesIndicator() | ValueIndicator():
                return _sum(self._good_slices(window), by)

    def bad(self, window: timedelta, *, by: str = "") -> str:
        """How many of them were bad."""
        return self._bad(self.side(window, by=by), self.total(window, by=by))

    def bad_of(self, total: Floats, side: Floats) -> Floats:
        """Bad events, from all of them and what `side` counted."""
        return side if self.counts_bad else np.clip(total - side, 0, None)

    def born(self, window: timedelta) -> str:
        """How many series began within the window; empty: nothing here is a counter."""
        match self.objective.indicator:
            case EventsIndicator(good=good, bad=bad, total=total):
                counters, of = (total, bad or good), total
            case LatencyIndicator(histogram=histogram):
                of = _part(histogram, "_count")
                counters = (of, *((_part(histogram, "_bucket", self.edge),) if self.edge else ()))
            case SlicesIndicator() | ValueIndicator():
                return ""
        return f"count({' or '.join(f'({_born(counter, of, window)})' for counter in counters)})"

    def tile(self, *, scrape_interval: timedelta, of: str, with_born: bool = False) -> str:
        """`total`, `side` or `bad` in the five minutes before each moment, cheap enough to be asked of a whole period.

        The rate is taken over one scrape more than a tile, so that what is counted between the last scrape of one tile and the first
        of the next falls into one of them. `with_born` adds what series brought along that began within the tile: that is not cheap.
        """
        length = duration(TILE + scrape_interval)

        def grown(counter: str, among: str) -> str:
            rate, seconds = f"rate({counter}[{length}])", f"{TILE.total_seconds():g}"
            born = _born(counter, among, TILE)
            return f"sum({born} or {rate} * {seconds})" if with_born else f"sum({rate}) * {seconds}"

        match self.objective.indicator:
            case EventsIndicator(good=good, bad=bad, total=counter):
                total = grown(counter, counter)
                side = self._or_none(grown(bad or good, counter), total)
            case LatencyIndicator(histogram=histogram):
                count = _part(histogram, "_count")
                total, side = grown(count, count), grown(_part(histogram, "_bucket", self.edge), count)
            case SlicesIndicator() | ValueIndicator():
                total, side = self.total(_TILE_OF_SLICES), self.side(_TILE_OF_SLICES)
        return {"total": total, "side": side, "bad": self._bad(side, total)}[of]

    def ratio(self, window: timedelta) -> str:
        """The share of bad events; nothing where there were no events."""
        return f"{self.bad(window)} / ({self.total(window)} > 0)"

    def value(self, window: timedelta, *, by: str = "") -> str:
        """The indicator itself over the window, in the objective's unit."""
        match self.objective.indicator:
            case LatencyIndicator(histogram=histogram, quantile=quantile):
                bucket, grouped = _part(histogram, "_bucket"), "le" + (f", {by}" if by else "")
                return f"histogram_quantile({quantile:g}, sum by ({grouped}) (rate({bucket}[{duration(window)}])))"
            case ValueIndicator(query=query, slice=slice_):
                return f"avg_over_time(({_finite(query)})[{duration(window)}:{duration(slice_)}])"
        share = f"{self.bad(window, by=by)} / ({self.total(window, by=by)} > 0)"
        return f"1 - {share}" if self.objective.better == "higher" else share

    @property
    def counts_bad(self) -> bool:
        """Whether `side` counts bad events; if not, it counts good ones, and the rest of all are bad."""
        return isinstance(i := self.objective.indicator, EventsIndicator) and bool(i.bad)

    @property
    def is_sliced(self) -> bool:
        """Whether its events are slices of time."""
        return isinstance(self.objective.indicator, SlicesIndicator | ValueIndicator)

    @property
    def tells_bad(self) -> bool:
        """Whether bad events can be counted at all: of a latency, only where a bucket ends at its target."""
        return bool(self.edge) or not isinstance(self.objective.indicator, LatencyIndicator)

    @property
    def series(self) -> str:
        """How many series are behind it."""
        match self.objective.indicator:
            case EventsIndicator(total=total):
                return f"count({total})"
            case LatencyIndicator(histogram=histogram):
                return f"count({_part(histogram, '_bucket')})"
            case SlicesIndicator(query=query) | ValueIndicator(query=query):
                return f"count({query})"

    def questions(self) -> tuple[str, ...]:
        """The expressions without which there is no value; bad events that may rightly be absent are not among them."""
        window = duration(self.objective.window)
        match self.objective.indicator:
            case EventsIndicator(good=good, bad=bad, total=total, absent_bad=absent):
                counters = (total, *((good or bad,) if absent == "unknown" else ()))
                return tuple(f"sum(increase({counter}[{window}]))" for counter in counters)
            case LatencyIndicator():
                return (self.value(self.objective.window),)
            case SlicesIndicator(query=query) | ValueIndicator(query=query):
                return (query,)

    def _or_none(self, side: str, total: str) -> str:
        """Bad events, of which there were none where there is no series of them, if the objective says so."""
        is_none = isinstance(i := self.objective.indicator, EventsIndicator) and i.absent_bad == "zero"
        return f"({side} or 0 * {total})" if is_none else side

    def _bad(self, side: str, total: str) -> str:
        return side if self.counts_bad else f"clamp_min({total} - {side}, 0)"

    def _good_slices(self, window: timedelta) -> str:
        match self.objective.indicator:
            case SlicesIndicator(query=query, good=good, slice=slice_):
                operator, number = good.rstrip("-.e0123456789").strip(), good.lstrip("=!<> ")
            case ValueIndicator(query=query, slice=slice_):
                operator, number = (">=" if self.objective.better == "higher" else "<"), repr(self.objective.target)
            case _:
                raise TypeError("only these two count slices")
        condition = f"({_finite(query)}) {operator} bool {number}"
        return f"sum_over_time(({condition})[{duration(window)}:{duration(slice_)}])"


def counting(objective: Objective, edges: tuple[str, ...] = ()) -> Counting:
    """The PromQL of an objective; `edges` are the `le` values that its histogram has: one bound may be spelled `1` and `1.0`."""
    spelled = [le for le in edges if float(le) == objective.target]
    if len(spelled) > 1:
        return Counting(objective=objective, edge=f"le=~{quote('|'.join(map(re.escape, spelled)))}")
    return Counting(objective=objective, edge=f"le={quote(spelled[0])}" if spelled else "")


def _grown(counter: str, total: str, window: timedelta, *, with_born: bool) -> str:
    """By how much each series of a counter grew in the window, with what it brought along if it began there.

    Of one that began there and then began anew, with its target, the value tells only what came since; its growth tells more.
    """
    length = duration(window)
    growth = f"increase({counter}[{length}])"
    return (
        f"({_born(counter, total, window)} unless resets({counter}[{length}]) > 0 or {growth})" if with_born else growth
    )


def _born(counter: str, total: str, window: timedelta) -> str:
    """The series that began within the window, of targets that were scraped before it: they began with their first events.

    `increase` does not see those. (A target that itself began within the window may bring a count from before; of it, only growth is
    counted.)
    """
    length = duration(window)
    return f"{counter} unless {counter} offset {length} and on (job, instance) {total} offset {length}"


def _finite(query: str) -> str:
    """The query without what is not a number: a division by zero is no bad slice, it is no slice."""
    return f"({query}) > -Inf"


def _sum(vector: str, by: str) -> str:
    return f"sum by ({by}) ({vector})" if by else f"sum({vector})"


def _part(histogram: str, suffix: str, matcher: str = "") -> str:
    name, matchers = split_selector(histogram)
    inner = ", ".join(part for part in (matchers, matcher) if part)
    return f"{name}{suffix}{{{inner}}}" if inner else f"{name}{suffix}"
