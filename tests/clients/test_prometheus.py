"""Prometheus' API: typed, warnings carried, oddities of old and new servers read, wrong shapes refused. Real server: test_real.py."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from genesis_lib.clients.prometheus import Prometheus, to_frame
from genesis_lib.errors import SourceError
from genesis_lib.model import Cause, Missing
from tests.clients.conftest import Connect
from tests.clients.faulty import Faulty, Handler, data, reply

AT = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def prometheus(faulty: Faulty, connect: Connect) -> Prometheus:
    return Prometheus(connect(faulty.url))


def vector(*pairs: tuple[dict[str, str], str]) -> dict[str, object]:
    result = [{"metric": labels, "value": [AT.timestamp(), value]} for labels, value in pairs]
    return {"resultType": "vector", "result": result}


def test_samples_carry_their_own_time_and_what_the_server_warned_of(faulty: Faulty, prometheus: Prometheus) -> None:
    faulty.script.on("/api/v1/query", data(vector(({"job": "a"}, "0.5")), warnings=["partial"], infos=["no counter"]))
    answer = prometheus.query("x", at=AT)
    (sample,) = answer.value
    assert (sample.labels, sample.at, sample.value) == ({"job": "a"}, AT, 0.5)
    assert (answer.warnings, answer.infos) == (("partial",), ("no counter",))
    assert faulty.script.seen[0].asked == {"query": "x", "time": "2026-11-24T06:00:00Z"}


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf"])
def test_what_is_no_number_is_missing_with_its_evidence(text: str, faulty: Faulty, prometheus: Prometheus) -> None:
    faulty.script.on("/api/v1/query", data(vector(({"job": "a"}, text))))
    answer = prometheus.query("x", at=AT)
    assert answer.value[0].value == Missing(
        cause=Cause.NOT_A_NUMBER, detail=f"the value is {text}", evidence=answer.evidence
    )


def test_a_native_histogram_is_no_number(faulty: Faulty, prometheus: Prometheus) -> None:
    entry = {"metric": {}, "histogram": [AT.timestamp(), {"count": "1", "sum": "1"}]}
    faulty.script.on("/api/v1/query", data({"resultType": "vector", "result": [entry]}))
    (sample,) = prometheus.query("x", at=AT).value
    assert isinstance(sample.value, Missing)
    assert sample.at == AT


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(vector(({"job": "a"}, "3")), 3.0, id="one series"),
        pytest.param({"resultType": "scalar", "result": [1.0, "4"]}, 4.0, id="a scalar"),
        pytest.param(vector(), Cause.NO_DATA, id="no series is no zero"),
        pytest.param(vector(({"job": "a"}, "3"), ({"job": "b"}, "3")), Cause.AMBIGUOUS, id="two series, even if equal"),
        pytest.param(vector(({}, "NaN")), Cause.NOT_A_NUMBER, id="NaN"),
    ],
)
def test_one_number_is_one_number(
    answer: object, expected: float | Cause, faulty: Faulty, prometheus: Prometheus
) -> None:
    faulty.script.on("/api/v1/query", data(answer, warnings=["w"]))
    found = prometheus.number("x", at=AT)
    assert (found.value.cause if isinstance(found.value, Missing) else found.value) == expected
    assert found.warnings == ("w",)
    if expected is Cause.AMBIGUOUS:
        assert isinstance(found.value, Missing)
        assert '{job="a"}, {job="b"}' in found.value.detail


@pytest.mark.parametrize(
    ("body", "cause", "words"),
    [
        pytest.param(b'{"a": 1}', Cause.MALFORMED, "is it another kind of server?", id="another API's JSON"),
        pytest.param(b"[]", Cause.MALFORMED, "not Prometheus' own", id="a list"),
        pytest.param(
            b'{"status":"error","errorType":"e","error":"why"}', Cause.REFUSED, "(e: why)", id="an error with 200"
        ),
        pytest.param(b'{"status":"success"}', Cause.MALFORMED, "another shape", id="no data"),
        pytest.param(
            b'{"status":"success","data":{"resultType":"vector","result":[{}]}}',
            Cause.MALFORMED,
            "shape",
            id="no value",
        ),
        pytest.param(
            b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"x"]}]}}',
            Cause.MALFORMED,
            "shape",
            id="a value that is none",
        ),
        pytest.param(
            b'{"status":"success","data":{"resultType":"string","result":[1,"x"]}}',
            Cause.MALFORMED,
            "a string",
            id="text",
        ),
        pytest.param(
            b'{"status":"success","data":{"resultType":"matrix","result":[]}}',
            Cause.MALFORMED,
            "range selector",
            id="ranges",
        ),
    ],
)
def test_an_answer_of_the_wrong_shape_is_refused(
    body: bytes, cause: Cause, words: str, faulty: Faulty, prometheus: Prometheus
) -> None:
    faulty.script.on("/api/v1/query", reply(body=body))
    with pytest.raises(SourceError) as caught:
        prometheus.query("x", at=AT)
    assert (caught.value.cause, words in caught.value.detail) == (cause, True), caught.value.detail
    assert caught.value.evidence


def test_a_query_that_the_server_rejects_says_why(faulty: Faulty, prometheus: Prometheus) -> None:
    body = b'{"status":"error","errorType":"execution","error":"many-to-many matching not allowed"}'
    faulty.script.on("/api/v1/query", reply(422, body))
    with pytest.raises(SourceError, match=r"422 \(many-to-many matching not allowed\)") as caught:
        prometheus.query("a * b", at=AT)
    assert caught.value.cause is Cause.INVALID


def _counting(handler: Handler) -> None:
    """A server that holds Prometheus' limit, and answers each point with its own time."""
    asked = handler.scripted.seen[-1].asked
    start, end = (datetime.fromisoformat(asked[key]).timestamp() for key in ("start", "end"))
    points = [start + i * float(asked["step"]) for i in range(int((end - start) // float(asked["step"])) + 1)]
    if len(points) > 11_000:
        reply(400, b'{"status":"error","errorType":"bad_data","error":"exceeded maximum resolution"}')(handler)
        return
    result = [{"metric": {"__name__": "t"}, "values": [[at, str(at)] for at in points]}]
    warning = f"part {len(handler.scripted.seen)}"
    data({"resultType": "matrix", "result": result}, warnings=["always", warning])(handler)


@pytest.mark.parametrize(
    ("points", "requests"),
    [(1, 1), (11_000, 1), (11_001, 2), (22_000, 2), (22_001, 3)],
)
def test_a_long_range_is_asked_in_parts_without_a_point_lost_or_doubled(
    points: int, requests: int, faulty: Faulty, prometheus: Prometheus
) -> None:
    faulty.script.on("/api/v1/query_range", _counting)
    step = timedelta(seconds=15)
    end = AT + (points - 1) * step + timedelta(seconds=14)
    answer = prometheus.query_range("t", start=AT, end=end, step=step)
    (series,) = answer.value
    expected = (AT.timestamp() + 15 * np.arange(points)) * 1000
    assert np.array_equal(series.times, expected.astype(np.int64))
    assert np.array_equal(series.values, expected / 1000)
    assert series.times.dtype == np.int64
    assert faulty.script.hits("/api/v1/query_range") == requests
    assert answer.warnings == ("always", *(f"part {n + 1}" for n in range(requests)))


def test_points_that_are_no_numbers_are_left_out_and_counted(faulty: Faulty, prometheus: Prometheus) -> None:
    values = [[1, "1"], [2, "NaN"], [3.5, "+Inf"], [4, "-2e-3"]]
    result = [{"metric": {"a": "b"}, "values": values}, {"metric": {}, "histograms": [[1, {"count": "1"}]]}]
    faulty.script.on("/api/v1/query_range", data({"resultType": "matrix", "result": result}))
    plain, histogram = prometheus.query_range("t", start=AT, end=AT, step=HOUR).value
    assert plain.times.tolist() == [1000, 4000]
    assert plain.values.tolist() == [1.0, -0.002]  # noqa: PD011 - ours, not a frame's
    assert plain.non_finite == 2
    assert (histogram.times.tolist(), histogram.non_finite) == ([], 1)


@pytest.mark.parametrize(
    ("end", "step"), [(AT - HOUR, HOUR), (AT, timedelta(0)), (AT, -HOUR)], ids=["backwards", "no step", "a step back"]
)
def test_a_range_that_cannot_be_is_a_mistake_of_the_caller(
    end: datetime, step: timedelta, prometheus: Prometheus
) -> None:
    with pytest.raises(ValueError, match="a range needs"):
        prometheus.query_range("x", start=AT, end=end, step=step)


def test_an_instant_without_a_time_zone_is_refused(prometheus: Prometheus) -> None:
    with pytest.raises(ValueError, match="time zone"):
        prometheus.query("x", at=AT.replace(tzinfo=None))


def test_a_frame_has_utc_times_and_a_column_for_each_series(faulty: Faulty, prometheus: Prometheus) -> None:
    first, second = {"__name__": "up", "job": "a"}, {"__name__": "up", "job": 'b"'}
    result = [{"metric": second, "values": [[60, "2"], [120, "3"]]}, {"metric": first, "values": [[0, "1"], [60, "1"]]}]
    faulty.script.on("/api/v1/query_range", data({"resultType": "matrix", "result": result}))
    frame = to_frame(prometheus.query_range("up", start=AT, end=AT, step=HOUR).value)
    assert list(frame.columns) == ['up{job="b\\""}', 'up{job="a"}']
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert str(frame.index.tz) == "UTC"
    assert [at.timestamp() for at in frame.index] == [0, 60, 120]
    assert frame['up{job="a"}'].dropna().tolist() == [1.0, 1.0]
    empty = to_frame([])
    assert (len(empty), empty.index.dtype) == (0, frame.index.dtype)


def test_old_and_new_target_lists_are_read(faulty: Faulty, connect: Connect) -> None:
    target = {
        "labels": {"job": "node", "instance": "a:9100"},
        "discoveredLabels": {},
        "scrapePool": "node",
        "scrapeUrl": "http://a:9100/metrics",
        "health": "unknown",
        "lastScrape": "0001-01-01T00:00:00Z",
    }
    new = target | {
        "lastScrape": "2026-11-24T07:00:00.123456789+01:00",
        "scrapeInterval": "1m30s",
        "lastError": "refused",
        "brandNew": [],
    }
    faulty.script.on(
        "/api/v1/targets",
        data({"activeTargets": [target], "droppedTargets": [{}, {"discoveredLabels": {"__address__": "b:1"}}]}),
        data({"activeTargets": [new], "droppedTargets": [], "droppedTargetCounts": {"a": 3, "b": 4}}),
        data({"activeTargets": None, "droppedTargets": None}),
    )
    prometheus = Prometheus(connect(faulty.url, record=None))
    old, fresh, none = (prometheus.targets().value for _ in range(3))
    assert (old.active[0].last_scrape, old.active[0].interval_s, old.dropped) == (None, 60.0, 2)
    assert fresh.active[0].last_scrape == AT.replace(microsecond=123456)
    assert (fresh.active[0].interval_s, fresh.active[0].last_error, fresh.dropped) == (90.0, "refused", 7)
    assert (fresh.active[0].job, fresh.active[0].instance) == ("node", "a:9100")
    assert (none.active, none.dropped) == ((), 0)
    assert (old.dropped_labels, fresh.dropped_labels) == (({}, {"__address__": "b:1"}), ())


def test_of_many_dropped_targets_some_of_each_job_are_kept_and_all_are_counted(
    faulty: Faulty, prometheus: Prometheus
) -> None:
    dropped = [{"discoveredLabels": {"job": job, "__address__": f"{job}:{n}"}} for job in "ab" for n in range(50)]
    faulty.script.on("/api/v1/targets", data({"activeTargets": [], "droppedTargets": dropped}))
    targets = prometheus.targets().value
    assert targets.dropped == 100
    assert [labels["__address__"] for labels in targets.dropped_labels] == [f"{j}:{n}" for j in "ab" for n in range(20)]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param({"resultType": "scalar", "result": [AT.timestamp() + 0.25, "1795500000"]}, id="Prometheus"),
        pytest.param(
            {"resultType": "vector", "result": [{"metric": {}, "value": [AT.timestamp() + 0.25, "1"]}]},
            id="a server that gives a vector",
        ),
    ],
)
def test_the_servers_clock_is_read_from_the_time_of_the_sample(
    answer: object, faulty: Faulty, prometheus: Prometheus
) -> None:
    faulty.script.on("/api/v1/query", data(answer))
    assert prometheus.clock().value == AT + timedelta(milliseconds=250)
    assert faulty.script.seen[0].asked == {"query": "time()"}


def test_a_clock_that_tells_no_time_is_refused(faulty: Faulty, prometheus: Prometheus) -> None:
    faulty.script.on("/api/v1/query", data(vector()))
    with pytest.raises(SourceError, match="query for its time in another shape"):
        prometheus.clock()


@pytest.mark.parametrize(
    ("path", "method", "document", "words"),
    [
        ("/api/v1/targets", "targets", {"activeTargets": [{"labels": 5}]}, "at 0.labels"),
        ("/api/v1/targets", "targets", [], "valid dictionary"),
        ("/api/v1/targets", "targets", {"droppedTargets": ["a:1"]}, "at 0"),
        ("/api/v1/rules", "rules", {"groups": [{"name": "g", "rules": []}]}, "at 0.interval"),
        ("/api/v1/rules", "rules", {"groups": 3}, "valid tuple"),
        (
            "/api/v1/alerts",
            "alerts",
            {"alerts": [{"labels": {}, "annotations": {}, "state": "x", "value": "?"}]},
            "a number was expected",
        ),
        ("/api/v1/status/buildinfo", "buildinfo", {}, "at version"),
        ("/api/v1/status/runtimeinfo", "runtimeinfo", {"startTime": "yesterday"}, "at startTime"),
        ("/api/v1/status/flags", "flags", None, "valid dictionary"),
        ("/api/v1/metadata", "metadata", {"up": 1}, "at up"),
    ],
)
def test_a_listing_of_the_wrong_shape_says_where(
    *, path: str, method: str, document: object, words: str, faulty: Faulty, prometheus: Prometheus
) -> None:
    faulty.script.on(path, data(document))
    with pytest.raises(SourceError) as caught:
        getattr(prometheus, method)()
    assert (caught.value.cause, words in caught.value.detail) == (Cause.MALFORMED, True), caught.value.detail


def test_an_endpoint_that_a_compatible_server_lacks_is_refused_by_name(prometheus: Prometheus) -> None:
    with pytest.raises(
        SourceError, match=r"/api/v1/alertmanagers does not exist \(404: 404 page not found\)"
    ) as caught:
        prometheus.alertmanagers()
    assert caught.value.cause is Cause.REFUSED


def test_matchers_times_and_limit_are_asked_for(faulty: Faulty, prometheus: Prometheus) -> None:
    faulty.script.on("/api/v1/label/a%2Fb/values", data(None))
    assert prometheus.label_values("a/b", start=AT - HOUR, end=AT, matchers=["up"], limit=5).value == ()
    assert faulty.script.seen[0].asked == {
        "match[]": "up",
        "start": "2026-11-24T05:00:00Z",
        "end": "2026-11-24T06:00:00Z",
        "limit": "5",
    }


def test_naming_the_client_loads_no_library_for_frames_or_figures() -> None:
    program = "import sys, json, genesis_lib.clients.prometheus; print(json.dumps(sorted(sys.modules)))"
    loaded = json.loads(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout)
    assert "httpx" in loaded
    assert not {"pandas", "matplotlib", "prometheus_client"} & set(loaded)
