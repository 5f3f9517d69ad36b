"""Recorded series stand in for raw ones where they cover the period and agree; else it is said why not."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import numpy as np
import pytest

from genesis_lib.demo.tsdb import Series
from genesis_lib.model import Answer, Cause, Missing
from genesis_lib.slo.facts import Floats, ObjectiveFacts, gather
from genesis_lib.slo.recorded import BAD_EVENTS, TOTAL_EVENTS, Counts, Recorded, source
from tests import builders
from tests.slo.history import DAY, LENGTH, WEEK, Server, counter, each_minute, made, objective, series, serving, without

ONE = made()
LOST = Missing(cause=Cause.UNREACHABLE, detail="prometheus refused the connection")
RAW = Counts(bad=1000.0, total=100_000.0)


def recorded(bad: float | Missing, total: float | Missing, *, held: float = 1.0) -> Answer[Mapping[str, Recorded]]:
    return builders.answer({"one": Recorded(counts=Counts(bad=bad, total=total), held=held, is_outdated=False)})


@pytest.mark.parametrize(
    ("found", "raw", "is_recorded", "note"),
    [
        pytest.param(recorded(1001.0, 100_100.0), RAW, True, "recorded series; over the last day", id="they agree"),
        pytest.param(
            recorded(1000.0, 90_000.0), RAW, False, "recorded ones disagree: over the last day", id="fewer events"
        ),
        pytest.param(recorded(1100.0, 100_000.0), RAW, False, "differ from raw ones by 10.00%", id="more bad events"),
        pytest.param(
            recorded(2.0, 100_000.0),
            Counts(bad=1.0, total=100_000.0),
            True,
            "by 100.00%",
            id="one bad event more of few",
        ),
        pytest.param(recorded(1000.0, 100_000.0, held=0.5), RAW, False, "hold 50.0% of the period", id="half a period"),
        pytest.param(recorded(1000.0, LOST), RAW, False, "cannot be compared", id="one that is not known"),
        pytest.param(
            recorded(1000.0, 100_000.0),
            Counts(bad=LOST, total=LOST),
            False,
            "cannot be compared",
            id="raw ones that are not",
        ),
        pytest.param(builders.answer({}), RAW, False, "none are recorded", id="none for this objective"),
        pytest.param(LOST, RAW, False, "none are recorded", id="no answer"),
    ],
)
def test_which_series_are_counted(
    found: Answer[Mapping[str, Recorded]] | Missing,
    raw: Counts,
    is_recorded: bool,  # noqa: FBT001
    note: str,
) -> None:
    chosen = source(ONE, found, raw)
    assert chosen.is_recorded is is_recorded
    assert note in chosen.note
    assert chosen.disagrees is ("disagree:" in chosen.note)


def tiles(value: float) -> Floats:
    """A sample each five minutes, as a recording rule of this interval writes it."""
    values = each_minute(value)
    values.view(np.uint64)[np.arange(LENGTH)[::-1] % 5 != 0] = without(each_minute(0), last=1).view(np.uint64)[-1]
    return values


def of(name: str, *, bad: Floats, total: Floats) -> list[Series]:
    """3 bad of 60 events a minute, and what rules recorded of them."""
    return [
        series(f"{name}_bad_total", counter(each_minute(3))),
        series(f"{name}_total", counter(each_minute(60))),
        series(BAD_EVENTS, bad, slo=name, definition=made(name).definition),
        series(TOTAL_EVENTS, total, slo=name, definition=made(name).definition),
    ]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    long_ago = LENGTH - 3 * DAY
    past = [
        *of("agree", bad=tiles(15), total=tiles(300)),
        *of("disagree", bad=tiles(15), total=tiles(150)),
        *of(
            "short", bad=tiles(15), total=np.r_[without(each_minute(0), last=LENGTH)[:long_ago], tiles(300)[long_ago:]]
        ),
    ]
    with serving(tmp_path_factory.mktemp("past"), past) as started:
        yield started


@pytest.fixture(scope="module")
def found(server: Server) -> Mapping[str, ObjectiveFacts]:
    run = server.run(*(objective(name) for name in ("agree", "disagree", "short")))
    facts = gather(run)
    run.close()
    return {one.objective.name: one for one in facts.objectives}


@pytest.mark.parametrize(
    ("name", "is_recorded", "note"),
    [
        pytest.param("agree", True, "recorded series; over the last day", id="recorded ones"),
        pytest.param("disagree", False, "raw series; recorded ones disagree", id="raw ones where they disagree"),
        pytest.param("short", False, "recorded ones hold 42.9% of the period", id="raw ones where they are too short"),
    ],
)
def test_long_windows_come_from(
    name: str,
    is_recorded: bool,  # noqa: FBT001
    note: str,
    found: Mapping[str, ObjectiveFacts],
) -> None:
    facts = found[name]
    assert facts.source.is_recorded is is_recorded
    assert note in facts.source.note
    asked = [facts.counts[timedelta(days=days)] for days in (3, 7)]
    assert [one.total for one in asked] == pytest.approx([3 * DAY * 60, WEEK * 60], rel=1e-9)
    assert [one.bad for one in asked] == pytest.approx([3 * DAY * 3, WEEK * 3], rel=1e-9)
    assert not isinstance(facts.tiles, Missing)
    assert np.allclose(facts.tiles.value.total, 300, rtol=1e-9)
    assert np.allclose(facts.tiles.value.bad, 15, rtol=1e-9)
