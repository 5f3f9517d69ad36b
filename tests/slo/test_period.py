"""A period is judged only where enough of it was seen; a series is judged over its life, and against the period before."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import numpy as np
import pytest

from genesis_lib.demo.tsdb import Series
from genesis_lib.model import Missing
from genesis_lib.slo.facts import Floats, ObjectiveFacts, gather
from genesis_lib.slo.indicators import TILE
from genesis_lib.slo.period import Period, of_period
from tests.slo.history import (
    DAY,
    HOUR,
    LENGTH,
    WEEK,
    Server,
    born,
    counter,
    each_minute,
    lately,
    objective,
    restarted,
    series,
    serving,
    without,
)

TILES = WEEK // 5
SIXTY, THREE = counter(each_minute(60)), counter(each_minute(3))
SEEDS = range(4)
SLICES = {"unit": "ratio", "better": "higher", "target": 0.999, "warning": 0.995, "critical": 0.9, "window": "1d"}


def both(name: str, *, last: int, until: int = 0) -> list[Series]:
    """3 bad of 60 events a minute, unseen from `last` to `until` minutes ago."""
    return [
        series(f"{name}_bad_total", without(THREE, last=last, until=until)),
        series(f"{name}_total", without(SIXTY, last=last, until=until)),
    ]


def both_born(name: str, *, minutes: int) -> list[Series]:
    return [born(f"{name}_bad_total", THREE, minutes=minutes), born(f"{name}_total", SIXTY, minutes=minutes)]


def spoilt() -> Floats:
    """The first sample of the last week is no number."""
    values = SIXTY.copy()
    values[-WEEK] = np.nan
    return values


def by_chance(seed: int) -> tuple[Floats, Floats]:
    """The growth of a counter under a load that changes by chance, and the counter, which began anew now and then."""
    chance = np.random.default_rng(seed)
    growth = chance.integers(10, 1000, LENGTH) * np.repeat(chance.integers(0, 5, LENGTH // HOUR), HOUR).astype(float)
    values = counter(growth)
    for minutes in sorted(chance.integers(1, WEEK, 5), reverse=True):
        values = restarted(values, minutes=int(minutes))
    return growth, values


PAST = [
    *both("small_gap", last=3 * DAY + 5 * 80, until=3 * DAY),
    *both("large_gap", last=3 * DAY + 5 * 121, until=3 * DAY),
    *both("ended", last=9 * HOUR),
    *both_born("young", minutes=3 * DAY + 1),
    *both_born("short", minutes=10 * DAY + 1),
    series("better_bad_total", counter(lately(3, minutes=WEEK, before=6))),
    series("better_total", SIXTY),
    series("quiet_bad_total", counter(lately(3, minutes=WEEK))),
    series("quiet_total", counter(lately(60, minutes=WEEK))),
    series("spoilt_bad_total", THREE),
    series("spoilt_total", spoilt()),
    series("idle_bad_total", counter(each_minute(0))),
    series("idle_total", counter(each_minute(0))),
    series("slices_up", np.where(np.arange(LENGTH) % DAY < 36, 0.0, 1.0)),
    *(series(f"chance{seed}_bad_total", by_chance(seed)[1]) for seed in SEEDS),
    *(series(f"chance{seed}_total", SIXTY * 1000) for seed in SEEDS),
]
COUNTERS = ("small_gap", "large_gap", "ended", "young", "short", "better", "quiet", "spoilt", "idle", "nothing")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("past"), PAST) as started:
        yield started


@pytest.fixture(scope="module")
def found(server: Server) -> Mapping[str, ObjectiveFacts]:
    slices = objective("slices", indicator={"kind": "slices", "query": "slices_up", "good": "== 1"}, **SLICES)
    run = server.run(*(objective(name) for name in (*COUNTERS, *(f"chance{seed}" for seed in SEEDS))), slices)
    facts = gather(run)
    run.close()
    return {one.objective.name: one for one in facts.objectives}


@pytest.fixture(scope="module")
def periods(found: Mapping[str, ObjectiveFacts]) -> Mapping[str, Period]:
    return {name: of_period(one) for name, one in found.items()}


def words(value: float | Missing) -> str:
    assert isinstance(value, Missing)
    return value.detail.replace("\N{NARROW NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("name", "coverage"),
    [
        pytest.param("small_gap", 1 - 80 / TILES, id="96 % was seen"),
        pytest.param("better", 1.0, id="all was seen"),
        pytest.param("young", 1.0, id="all of a life shorter than the period was seen"),
        pytest.param("spoilt", 1.0, id="a sample that is no number spoilt the sum, which is added up tile by tile"),
    ],
)
def test_what_was_seen_is_judged(name: str, coverage: float, periods: Mapping[str, Period]) -> None:
    assert periods[name].coverage == pytest.approx(coverage, abs=1e-12)
    assert periods[name].attained == pytest.approx(0.95, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "coverage", "reason"),
    [
        pytest.param("large_gap", 1 - 121 / TILES, "data for 94.00 % of the last 7 d; at least 95 %", id="a gap"),
        pytest.param("ended", 1 - 108 / TILES, "data for 94.64 % of the last 7 d; at least 95 %", id="a stale end"),
        pytest.param("nothing", 0.0, "data for 0 % of the last 7 d; at least 95 %", id="no series at all"),
        pytest.param("idle", 1.0, "nothing happened: there were no events", id="no traffic"),
    ],
)
def test_what_was_not_seen_is_not(name: str, coverage: float, reason: str, periods: Mapping[str, Period]) -> None:
    assert periods[name].coverage == pytest.approx(coverage, abs=1e-12)
    assert reason in words(periods[name].attained)
    assert words(periods[name].trend) == words(periods[name].attained)


@pytest.mark.parametrize(
    ("name", "is_young", "life"),
    [
        pytest.param("young", True, timedelta(days=3), id="born within the period"),
        pytest.param("short", False, timedelta(days=7), id="born before it"),
        pytest.param("nothing", True, timedelta(0), id="not born yet"),
    ],
)
def test_a_series_has_a_life(name: str, is_young: bool, life: timedelta, periods: Mapping[str, Period]) -> None:  # noqa: FBT001
    assert (periods[name].is_young, periods[name].life) == (is_young, life)


def test_the_trend_is_against_the_period_before(periods: Mapping[str, Period]) -> None:
    assert periods["better"].trend == pytest.approx(0.05, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("young", "of the period before this one 0 % was seen; a trend needs 95 %", id="no history"),
        pytest.param("short", "of the period before this one 42.86 % was seen; a trend needs 95 %", id="a short one"),
        pytest.param("quiet", "nothing happened in the period before this one", id="nothing to compare with"),
    ],
)
def test_there_is_no_trend_without_a_period_before(name: str, reason: str, periods: Mapping[str, Period]) -> None:
    assert words(periods[name].trend) == reason


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_the_load_and_the_restarts_tiles_add_up_to_the_period(
    seed: int, found: Mapping[str, ObjectiveFacts]
) -> None:
    growth, facts = by_chance(seed)[0], found[f"chance{seed}"]
    assert not isinstance(facts.tiles, Missing)
    tiles = facts.tiles.value
    # No counter is extrapolated below zero, so the first tile after a restart may lose up to a twelfth of its events.
    assert tiles.bad[-TILES:].sum() == pytest.approx(growth[-WEEK:].sum(), rel=1e-3)
    # The window begins and ends half a minute from a sample, and is extrapolated by the mean of all.
    assert facts.counts[timedelta(days=7)].bad == pytest.approx(growth[-WEEK:].sum(), rel=1e-3)
    seen = growth[-WEEK:].reshape(TILES, 5).sum(axis=1)
    close = np.isclose(tiles.bad[-TILES:], seen, rtol=1e-9)
    assert close.sum() >= TILES - 2 * 5  # each of five restarts may touch two tiles


def test_tiles_of_slices_add_up_to_the_period(
    found: Mapping[str, ObjectiveFacts], periods: Mapping[str, Period]
) -> None:
    tiles = found["slices"].tiles
    assert not isinstance(tiles, Missing)
    assert (tiles.value.bad[-TILES:].sum(), tiles.value.total[-TILES:].sum()) == (7 * 36, WEEK)
    assert periods["slices"].attained == pytest.approx(1 - 36 / DAY, abs=1e-12)
    assert np.allclose(np.diff(tiles.value.ends), TILE.total_seconds())
