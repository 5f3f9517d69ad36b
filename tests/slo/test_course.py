"""What a real Prometheus, whose past is known, is found to hold of an objective's course."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from genesis_lib.model import Cause, Missing
from genesis_lib.run import Run
from genesis_lib.slo import facts
from genesis_lib.slo.course import Course, HeatMap, Lines, Spent, gather
from genesis_lib.slo.facts import ObjectiveFacts
from tests.slo.history import (
    AS_OF,
    DAY,
    HOUR,
    LENGTH,
    Server,
    born,
    counter,
    each_minute,
    lately,
    objective,
    series,
    serving,
    without,
)

# Ten operations a minute: half of them take up to 0.1 s, four up to 0.2 s, one longer.
_BUCKETS = {"0.1": 5, "0.2": 9, "0.5": 10, "+Inf": 10}
_INSTANCES = 7
# Version 2 came two days ago, was rolled back a day ago, and neither could be seen for the last two hours but the very last one.
_VERSIONS = {
    "1": without(without(each_minute(1), last=2 * DAY, until=DAY), last=2 * HOUR, until=HOUR),
    "2": without(each_minute(1), last=DAY),
}
PAST = [
    *(series("many_total", counter(each_minute(10)), instance=f"i{n}") for n in range(_INSTANCES)),
    *(series("many_bad_total", counter(lately(n, minutes=2 * DAY)), instance=f"i{n}") for n in range(_INSTANCES)),
    *(series("slow_bucket", counter(each_minute(n)), le=le) for le, n in _BUCKETS.items()),
    series("slow_count", counter(each_minute(10))),
    *(series("two", each_minute(n), instance=f"i{n}") for n in range(2)),
    series("ALERTS", without(without(each_minute(1), last=LENGTH, until=4 * HOUR), last=3 * HOUR), alertname="Past", alertstate="firing"),
    born("ALERTS", each_minute(1), minutes=5, alertname="Now", alertstate="firing"),
    born("ALERTS", each_minute(1), minutes=9, alertname="Soon", alertstate="pending"),
    series("info", _VERSIONS["1"], version="1"),
    born("info", _VERSIONS["2"], minutes=2 * DAY, version="2"),
]  # fmt: skip
_SLOW = {"kind": "latency", "histogram": "slow", "quantile": 0.9}
_VALUE = {"kind": "value", "query": "two", "time_target": 0.9}
_COUNT: dict[str, Any] = {"target": 2, "warning": 3, "critical": 4, "unit": "count", "split": "instance"}
OBJECTIVES = [
    objective("many", split="instance"),
    objective("slow", indicator=_SLOW, unit="seconds", target=0.2, warning=0.2, critical=0.3),
    objective("no_edge", indicator=_SLOW, unit="seconds", target=0.3, warning=0.3, critical=0.4, split="instance"),
    objective("worst", indicator=_VALUE | {"series": "many"}, **_COUNT),
    objective("ambiguous", indicator=_VALUE, **_COUNT),
    objective("nothing", split="instance"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("past"), PAST) as started:
        yield started


@pytest.fixture(scope="module")
def run(server: Server) -> Iterator[Run]:
    begun = server.run(*OBJECTIVES)
    slos = begun.policy.slos.model_copy(update={"deployments": "count by (version) (info)"})
    yield replace(begun, policy=begun.policy.model_copy(update={"slos": slos}))
    begun.close()


@pytest.fixture(scope="module")
def known(run: Run) -> Mapping[str, ObjectiveFacts]:
    return {one.objective.name: one for one in facts.gather(run).objectives}


@pytest.fixture(scope="module")
def found(run: Run, known: Mapping[str, ObjectiveFacts]) -> Mapping[str, Course]:
    return {name: gather(run, one) for name, one in known.items()}


def lines(course: Course) -> Lines:
    assert isinstance(course.lines, Lines)
    return course.lines


def test_the_whole_is_the_indicator_over_its_window_and_ends_with_the_status(found: Mapping[str, Course]) -> None:
    drawn = lines(found["many"])
    assert drawn.times[-1] == AS_OF.timestamp()
    assert 290 < len(drawn.times) <= 301
    expected = sum(range(_INSTANCES)) / (10 * _INSTANCES)  # of lately; before, nothing was bad
    before = drawn.times < AS_OF.timestamp() - 2 * 86400
    assert drawn.whole[before] == pytest.approx(0, abs=1e-12)
    assert drawn.whole[drawn.times > AS_OF.timestamp() - 1.9 * 86400] == pytest.approx(expected, rel=1e-6)


def test_only_the_worst_series_are_drawn_and_all_are_counted(found: Mapping[str, Course]) -> None:
    course = found["many"]
    assert isinstance(course.spent, Spent)
    assert set(lines(course).parts) == {"i6", "i5", "i4", "i3", "i2"}
    assert lines(course).parts["i6"][-1] == pytest.approx(0.6, rel=1e-6)
    assert list(course.spent.bad) == ["i6", "i5", "i4", "i3", "i2", "i1"]  # i0 spent nothing
    assert course.spent.bad["i6"] == pytest.approx(6 * 2 * DAY, rel=1e-3)
    assert course.spent.among == _INSTANCES


def test_a_heat_map_holds_what_each_bucket_holds_beyond_the_one_below(found: Mapping[str, Course]) -> None:
    heat = found["slow"].heat
    assert isinstance(heat, HeatMap)
    assert list(heat.edges) == [0.1, 0.2, 0.5, np.inf]
    assert heat.counts.shape[1] == len(heat.ends)
    minutes = (heat.ends[1] - heat.ends[0]) / 60
    for row, each in zip(heat.counts, (5, 4, 1, 0), strict=True):
        assert row[1:] == pytest.approx(each * minutes, rel=0.02, abs=1e-6)


def test_what_is_no_histogram_has_no_heat_map(found: Mapping[str, Course]) -> None:
    assert found["many"].heat is None


def test_of_several_series_that_may_be_many_the_worst_is_the_whole(found: Mapping[str, Course]) -> None:
    assert lines(found["worst"]).whole == pytest.approx(1)
    assert set(lines(found["worst"]).parts) == {"i0", "i1"}


@pytest.mark.parametrize(
    ("name", "part", "cause", "said"),
    [
        pytest.param("ambiguous", "lines", Cause.AMBIGUOUS, "2 series are given", id="one number is wanted, two series are given"),
        pytest.param("nothing", "lines", Cause.NO_DATA, "yields nothing", id="no series: no course"),
        pytest.param("nothing", "spent", Cause.NO_DATA, "told apart by instance", id="no series: nobody spent anything"),
        pytest.param("slow", "spent", Cause.UNDEFINED, "no label to split by", id="the objective names no label"),
        pytest.param("no_edge", "spent", Cause.UNDEFINED, "no bucket ends at the target", id="slow operations cannot be counted"),
    ],
)  # fmt: skip
def test_what_is_not_there_says_why(found: Mapping[str, Course], name: str, part: str, cause: Cause, said: str) -> None:
    missing = getattr(found[name], part)
    assert isinstance(missing, Missing)
    assert missing.cause is cause
    assert said in missing.detail


def test_alerts_that_fired_are_spans_the_latest_first(found: Mapping[str, Course]) -> None:
    alerts = found["many"].alerts
    assert not isinstance(alerts, Missing)
    assert [span.name for span in alerts] == ["Now", "Past"]
    step = timedelta(days=7) / 1000
    now, past = alerts
    assert now.ends == AS_OF
    assert AS_OF - timedelta(minutes=5) - 2 * step <= now.begins < now.ends
    assert abs(past.begins - (AS_OF - timedelta(hours=4))) <= 2 * step
    assert abs(past.ends - (AS_OF - timedelta(hours=3))) <= 2 * step


def test_a_new_version_and_its_rollback_are_deployments_and_a_gap_is_none(found: Mapping[str, Course]) -> None:
    deployed = found["many"].deployments
    assert not isinstance(deployed, Missing)
    assert [(one.name, one.is_first) for one in deployed] == [("2", False), ("1", False)]
    for one, days in zip(deployed, (2, 1), strict=True):
        assert abs(one.at - (AS_OF - timedelta(days=days))) < timedelta(minutes=20)


def test_what_was_there_first_may_be_where_history_begins(run: Run, known: Mapping[str, ObjectiveFacts]) -> None:
    deployed = gather(run, known["many"], window=timedelta(days=20)).deployments
    assert not isinstance(deployed, Missing)
    assert [(one.name, one.is_first) for one in deployed] == [("1", True), ("2", False), ("1", False)]


def test_window_and_label_may_be_others(run: Run, known: Mapping[str, ObjectiveFacts]) -> None:
    course = gather(run, known["many"], window=timedelta(hours=6), split="job")
    assert (course.window, course.split) == (timedelta(hours=6), "job")
    assert lines(course).times[0] == pytest.approx((AS_OF - timedelta(hours=6)).timestamp(), abs=80)
    assert isinstance(course.spent, Spent)
    assert course.spent.bad == pytest.approx({"app": 21 * 360}, rel=0.01)


def test_it_is_asked_in_four_questions_of_which_one_is_shared(found: Mapping[str, Course]) -> None:
    assert len(found["slow"].evidence) == 3  # nothing to split by
    assert len(found["no_edge"].evidence) == 4
    assert len({*found["many"].evidence} & {*found["worst"].evidence}) == 1


def test_without_a_server_all_of_it_is_missing(server: Server, known: Mapping[str, ObjectiveFacts]) -> None:
    gone = Server(url="http://127.0.0.1:1", folder=server.folder).run(*OBJECTIVES)
    course = gather(gone, known["no_edge"])
    gone.close()
    parts = (course.lines, course.spent, course.heat, course.alerts)
    assert {part.cause for part in parts if isinstance(part, Missing)} == {Cause.UNREACHABLE}
    assert all(isinstance(part, Missing) for part in (*parts, course.deployments))
