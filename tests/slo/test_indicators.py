"""The PromQL of every objective reads back, asks what it should, and finds the bucket at a latency's target."""

from datetime import timedelta

import numpy as np
import pytest

from genesis_lib import syntax
from genesis_lib.objectives.indicator import LatencyIndicator
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.indicators import counting
from tests import builders
from tests.slo.history import made

HOUR, SCRAPE = timedelta(hours=1), timedelta(seconds=15)
ABSENT_ZERO = made(indicator={"kind": "events", "bad": "x_bad_total", "total": "x_total", "absent_bad": "zero"})
SHIPPED = builders.policy().slos.slos


@pytest.mark.parametrize("objective", [pytest.param(one, id=one.name) for one in (*SHIPPED, ABSENT_ZERO)])
def test_every_question_is_promql(objective: Objective) -> None:
    asked = counting(objective, ("0.1", str(objective.target), "+Inf"))
    assert asked.tells_bad
    for by in ("", "instance"):
        for question in (asked.total(HOUR, by=by), asked.bad(HOUR, by=by), asked.value(HOUR, by=by)):
            syntax.tree(question)
    for question in (asked.side(HOUR), asked.side(HOUR, with_born=False), asked.total(HOUR, with_born=False)):
        syntax.tree(question)
    assert bool(asked.born(HOUR)) is not asked.is_sliced
    assert asked.is_sliced or syntax.tree(asked.born(HOUR))
    for of in ("bad", "side", "total"):
        for with_born in (True, False):
            syntax.tree(asked.tile(scrape_interval=SCRAPE, of=of, with_born=with_born))
    for question in (asked.ratio(HOUR), asked.series, *asked.questions()):
        syntax.tree(question)


@pytest.mark.parametrize(
    ("edges", "edge"),
    [
        pytest.param(("0.1", "0.2", "+Inf"), 'le="0.2"', id="a bucket that ends there"),
        pytest.param(("0.1", "0.20", "+Inf"), 'le="0.20"', id="spelled as the histogram spells it"),
        pytest.param(("0.2", "0.20"), 'le=~"0\\\\.2|0\\\\.20"', id="spelled in two ways"),
        pytest.param(("0.1", "0.3", "+Inf"), "", id="none that ends there"),
        pytest.param((), "", id="no buckets"),
    ],
)
def test_the_bucket_at_the_target(edges: tuple[str, ...], edge: str) -> None:
    latency = next(one for one in SHIPPED if isinstance(one.indicator, LatencyIndicator))
    found = counting(latency, edges)
    assert (found.edge, found.tells_bad) == (edge, bool(edge))


def test_absent_bad_events_are_none_only_where_all_events_are_there() -> None:
    plain = counting(made("x")).bad(HOUR)
    assert counting(ABSENT_ZERO).bad(HOUR) == f"({plain} or 0 * {counting(ABSENT_ZERO).total(HOUR)})"


def test_bad_events_are_those_counted_or_the_rest_of_all() -> None:
    all_of_them, counted = np.array([100.0, 10.0, np.nan]), np.array([97.0, 11.0, 1.0])
    bad = counting(made("x")).bad_of(all_of_them, counted)
    assert bad.tolist() == [97.0, 11.0, 1.0]
    of_good = next(one for one in SHIPPED if one.name == "test_pass_rate")
    rest = counting(of_good).bad_of(all_of_them, counted)
    assert rest[:2].tolist() == [3.0, 0.0]
    assert np.isnan(rest[2])


def test_without_events_there_is_no_ratio() -> None:
    asked = counting(made("x"))
    assert asked.ratio(HOUR) == f"{asked.bad(HOUR)} / ({asked.total(HOUR)} > 0)"


def test_a_tile_reaches_over_one_scrape_so_that_none_falls_between_two() -> None:
    asked = counting(made("x"))
    assert asked.tile(scrape_interval=SCRAPE, of="total") == "sum(rate(x_total[315s])) * 300"


def test_bad_events_that_may_be_absent_are_no_question_of_their_own() -> None:
    assert len(counting(made("x")).questions()) == 2
    assert len(counting(ABSENT_ZERO).questions()) == 1
