"""What a real Prometheus, whose past is known, is found to hold: each value, count and verdict has a known answer."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from urllib.parse import unquote

import pytest

from genesis_lib.model import Cause, Missing
from genesis_lib.slo.budget import Budget
from genesis_lib.slo.facts import ObjectiveFacts, gather
from genesis_lib.slo.status import Status, Worst, status
from tests.slo.cases import CASES
from tests.slo.history import AS_OF, WEEK, Server, objective, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    past = [one for case in CASES.values() for one in case.past]
    with serving(tmp_path_factory.mktemp("past"), past) as started:
        yield started


@pytest.fixture(scope="module")
def found(server: Server) -> Mapping[str, ObjectiveFacts]:
    run = server.run(*(objective(name, **case.objective) for name, case in CASES.items()))
    facts = gather(run)
    run.close()
    return {one.objective.name: one for one in facts.objectives}


@pytest.fixture(scope="module")
def judged(found: Mapping[str, ObjectiveFacts]) -> Mapping[str, Status]:
    return {name: status(one, at=AS_OF) for name, one in found.items()}


@pytest.mark.parametrize("name", [pytest.param(name, id=case.says) for name, case in CASES.items()])
def test_in_the_window(name: str, found: Mapping[str, ObjectiveFacts], judged: Mapping[str, Status]) -> None:
    case, counts = CASES[name], found[name].counts[found[name].objective.window]
    for counted, known in ((counts.bad, case.bad), (counts.total, case.total)):
        if known is None:
            assert isinstance(counted, Missing)
        else:
            assert counted == pytest.approx(known, rel=1e-9)  # Prometheus extrapolates in floating point
    value = judged[name].value
    if isinstance(case.value, str):
        assert isinstance(value, Missing)
        assert case.value in value.detail
        assert value.detail in judged[name].reason
    else:
        assert value == pytest.approx(case.value, abs=1e-12)
    assert judged[name].verdict is case.verdict


def test_what_a_counter_was_born_with_counts_in_every_window_that_saw_its_birth(
    found: Mapping[str, ObjectiveFacts],
) -> None:
    counts = found["born_errors"].counts
    assert {c.bad for w, c in counts.items() if w >= timedelta(hours=1)} == {CASES["born_errors"].bad}
    assert max(counts) == timedelta(days=7)


@pytest.mark.parametrize(
    ("name", "worst"),
    [
        pytest.param("replicas", Worst(label="instance", name="b", value=0.05), id="of two replicas"),
        pytest.param("outage", Worst(label="instance", name="b", value=1 - 36 / 1440), id="of two instances"),
        pytest.param("steady", None, id="not split"),
    ],
)
def test_the_worst_series_is_named(name: str, worst: Worst | None, judged: Mapping[str, Status]) -> None:
    assert judged[name].worst == worst


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param(
            "too_few",
            "60 events in the last 1 h, and 100 are needed to tell; at this pace 100 take 1 h 40 min, which the window never holds",
            id="too few events: how many are missing, and how long they take",
        ),
        pytest.param("gap", "there is data for 91.67 % of the last 1 h; at least 95 % is needed", id="a gap"),
        pytest.param("ended", "there is data for 66.67 % of the last 1 h; at least 95 % is needed", id="a stale end"),
    ],
)
def test_what_cannot_be_told_says_why(name: str, reason: str, judged: Mapping[str, Status]) -> None:
    assert judged[name].reason.replace("\N{NARROW NO-BREAK SPACE}", " ") == reason


def test_without_an_edge_at_the_target_there_is_no_budget_and_the_nearest_edges_are_named(
    judged: Mapping[str, Status],
) -> None:
    for told in (judged["no_edge"].budget, judged["no_edge"].forecast, judged["no_edge"].period.attained):
        assert isinstance(told, Missing)
        assert told.cause is Cause.UNDEFINED
        assert "no bucket ends at 200 ms (the nearest end at 100 ms and 300 ms)" in told.detail.replace(
            "\N{NARROW NO-BREAK SPACE}", " "
        )
    assert judged["at_edge"].budget == Budget(
        left=0, left_time=timedelta(0), left_events=0, allowed_events=0.05 * 604800
    )


def test_every_question_is_evidence(server: Server) -> None:
    run = server.run(objective("steady"), objective("at_edge", **CASES["at_edge"].objective))
    facts = gather(run)
    run.close()
    assert facts.requests == len(run.evidence.exchanges())
    assert {one for found in facts.objectives for one in found.evidence} <= {e.id for e in run.evidence.exchanges()}


def test_a_period_of_very_many_samples_is_read_tile_by_tile_and_in_parts(server: Server) -> None:
    asked = {}
    for interval in ("1m", "10ms"):  # by which the samples of a period are reckoned
        run = server.run(objective("steady"), scrape_interval=interval)
        (told,) = gather(run).objectives
        run.close()
        week = told.counts[timedelta(days=7)]
        assert (week.bad, week.total) == pytest.approx((3 * WEEK, 60 * WEEK), rel=1e-9)
        asked[interval] = [unquote(e.question) for e in run.evidence.exchanges() if e.id in told.evidence]
    assert any("steady_total[7d]" in question for question in asked["1m"])
    assert not any("steady_total[7d]" in question for question in asked["10ms"])
    assert len(asked["10ms"]) > len(asked["1m"])
