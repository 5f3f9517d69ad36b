"""Known pasts of an objective: what was scraped, and what must be found in its window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genesis_lib.demo.tsdb import Series
from genesis_lib.model import Verdict
from genesis_lib.slo.facts import Floats
from tests.slo.history import DAY, HOUR, LENGTH, born, counter, each_minute, lately, restarted, series, without

UNKNOWN, PASS, WARN, FAIL = Verdict.UNKNOWN, Verdict.PASS, Verdict.WARN, Verdict.FAIL
SIXTY, THREE, NONE = counter(each_minute(60)), counter(each_minute(3)), counter(each_minute(0))
SLICES = {"unit": "ratio", "better": "higher", "target": 0.999, "warning": 0.995, "critical": 0.9, "window": "1d"}
LATENCY = {"unit": "seconds", "target": 0.2, "warning": 0.15, "critical": 0.2}


@dataclass(frozen=True, kw_only=True)
class Case:
    """Series, an objective over them, and what comes of it: `bad` of `total` events in its window, and its value or why there is none."""

    says: str
    past: Sequence[Series]
    verdict: Verdict
    value: float | str
    bad: float | None
    total: float | None
    objective: Mapping[str, Any] = field(default_factory=dict)


def counters(name: str, bad: Floats | None, total: Floats, *, instance: str = "a") -> list[Series]:
    of_bad = [] if bad is None else [series(f"{name}_bad_total", bad, instance=instance)]
    return [*of_bad, series(f"{name}_total", total, instance=instance)]


def uneven() -> Floats:
    """One hour of each day is busy, with 1,000 operations a minute; the others have 10."""
    age = np.arange(LENGTH)[::-1] % DAY
    return np.where((age >= 12 * HOUR) & (age < 13 * HOUR), 1000.0, 10.0)


def histogram(name: str, *, edges: Mapping[str, int], instance: str = "a") -> list[Series]:
    """60 operations a minute; `edges` says how many of them end within each bound."""
    grown = {le: counter(each_minute(count)) for le, count in edges.items()}
    buckets = [series(f"{name}_bucket", values, instance=instance, le=le) for le, values in grown.items()]
    return [*buckets, series(f"{name}_count", SIXTY, instance=instance)]


def one_nan(values: Floats, *, ago: int) -> Floats:
    values = values.copy()
    values[-ago] = np.nan
    return values


CASES = {
    "steady": Case(
        says="bad of all, and just at the critical threshold is not beyond it",
        past=counters("steady", THREE, SIXTY),
        verdict=WARN,
        value=0.05,
        bad=180,
        total=3600,
    ),
    "uneven": Case(
        says="under uneven load it is events over events, never the average of ratios, which were 9.6 %",
        past=counters("uneven", counter(each_minute(1)), counter(uneven())),
        objective={"window": "1d"},
        verdict=WARN,
        value=1439 / (60 * 1000 + 1379 * 10),  # between the first sample of the day and its last lie 1,439 minutes
        bad=1440,
        total=(60 * 1000 + 1379 * 10) * 1440 / 1439,
    ),
    "restart": Case(
        says="a counter that begins anew loses nothing",
        past=counters("restart", restarted(THREE, minutes=30), restarted(SIXTY, minutes=30)),
        verdict=WARN,
        value=0.05,
        bad=180,
        total=3600,
    ),
    "down": Case(
        says="a restart that takes two minutes loses what happened in them, of good and bad alike",
        past=counters(
            "down",
            without(restarted(THREE, minutes=28), last=30, until=28),
            without(restarted(SIXTY, minutes=28), last=30, until=28),
        ),
        verdict=WARN,
        value=0.05,
        bad=57 * 3 * 60 / 59,
        total=57 * 60 * 60 / 59,
    ),
    "replicas": Case(
        says="of two replicas the events are added, and the worse one is named",
        past=[*counters("replicas", NONE, SIXTY), *counters("replicas", THREE, SIXTY, instance="b")],
        objective={"split": "instance"},
        verdict=WARN,
        value=0.025,
        bad=180,
        total=7200,
    ),
    "born_errors": Case(
        says="errors that a counter is born with count",
        past=[born("born_errors_bad_total", each_minute(7), minutes=30), series("born_errors_total", SIXTY)],
        verdict=PASS,
        value=7 / 3600,
        bad=7,
        total=3600,
    ),
    "born_restarted": Case(
        says="errors of a counter that was born within the window outlive the target's restart",
        past=[
            born("born_restarted_bad_total", restarted(counter(each_minute(3), start=0), minutes=10), minutes=40),
            series("born_restarted_total", restarted(SIXTY, minutes=10)),
        ],
        verdict=WARN,
        value=120 / 3600,  # by its growth: what it was born with is out of sight once it began anew
        bad=120,
        total=3600,
    ),
    "born_target": Case(
        says="a target that is new does not bring its past along",
        past=[
            *counters("born_target", NONE, SIXTY),
            born("born_target_bad_total", each_minute(500), minutes=30, instance="b"),
            born("born_target_total", SIXTY, minutes=30, instance="b"),
        ],
        verdict=PASS,
        value=0,
        bad=0,
        total=3600 + 1800,
    ),
    "absent_zero": Case(
        says="absent bad events are none where the objective says so",
        past=counters("absent_zero", None, SIXTY),
        objective={
            "indicator": {
                "kind": "events",
                "bad": "absent_zero_bad_total",
                "total": "absent_zero_total",
                "absent_bad": "zero",
            }
        },
        verdict=PASS,
        value=0,
        bad=0,
        total=3600,
    ),
    "absent_all": Case(
        says="absent bad events are not none where nothing else is there either",
        past=[],
        objective={
            "indicator": {
                "kind": "events",
                "bad": "absent_all_bad_total",
                "total": "absent_all_total",
                "absent_bad": "zero",
            }
        },
        verdict=UNKNOWN,
        value="there are no series of total events",
        bad=None,
        total=None,
    ),
    "absent_unknown": Case(
        says="absent bad events are unknown otherwise",
        past=counters("absent_unknown", None, SIXTY),
        verdict=UNKNOWN,
        value="there are no series of bad events",
        bad=None,
        total=3600,
    ),
    "no_traffic": Case(
        says="without traffic nothing is told, and nothing divided by zero",
        past=counters("no_traffic", NONE, NONE),
        verdict=UNKNOWN,
        value="nothing happened: there were no events",
        bad=0,
        total=0,
    ),
    "nan": Case(
        says="a last sample that is no number spoils the window",
        past=counters("nan", THREE, one_nan(SIXTY, ago=1)),
        verdict=UNKNOWN,
        value="NaN",
        bad=180,
        total=None,
    ),
    "nan_within": Case(
        says="a sample within that is no number does not, for what counts is growth",
        past=counters("nan_within", THREE, one_nan(SIXTY, ago=20)),
        objective={"window": "2h"},
        verdict=WARN,
        value=0.05,
        bad=360,
        total=7200,
    ),
    "too_few": Case(
        says="too few events tell nothing, and it is said how many are missing",
        past=counters("too_few", NONE, counter(each_minute(1))),
        verdict=UNKNOWN,
        value=0,
        bad=0,
        total=60,
    ),
    "gap": Case(
        says="five minutes of an hour without data are too many",
        past=counters("gap", without(THREE, last=30, until=25), without(SIXTY, last=30, until=25)),
        verdict=UNKNOWN,
        value=0.05,
        bad=180,
        total=3600,
    ),
    "small_gap": Case(
        says="five minutes of two hours are not",
        past=counters("small_gap", without(THREE, last=30, until=25), without(SIXTY, last=30, until=25)),
        objective={"window": "2h"},
        verdict=WARN,
        value=0.05,
        bad=360,
        total=7200,
    ),
    "ended": Case(
        says="data that ended 20 minutes ago are no data about now",
        past=counters("ended", without(NONE, last=20), without(SIXTY, last=20)),
        verdict=UNKNOWN,
        value=0,
        bad=0,
        total=40 * 60,
    ),
    "good": Case(
        says="good of all",
        past=[series("good_ok_total", counter(each_minute(59))), series("good_total", SIXTY)],
        objective={
            "indicator": {"kind": "events", "good": "good_ok_total", "total": "good_total"},
            "better": "higher",
            "target": 0.98,
            "warning": 0.99,
            "critical": 0.98,
        },
        verdict=WARN,
        value=59 / 60,
        bad=60,
        total=3600,
    ),
    "outage": Case(
        says="36 minutes of one of two instances are 36 of 2,880 slices",
        past=[
            series("outage_up", lately(1, minutes=100, before=1)),
            series("outage_up", np.where(np.arange(LENGTH) < LENGTH - 36, 1.0, 0.0), instance="b"),
        ],
        objective=SLICES | {"indicator": {"kind": "slices", "query": "outage_up", "good": "== 1"}, "split": "instance"},
        verdict=WARN,
        value=1 - 36 / 2880,
        bad=36,
        total=2880,
    ),
    "no_slices": Case(
        says="a slice whose value is no number is no slice, rather than a bad one",
        past=[series("no_slices_up", one_nan(each_minute(1), ago=100))],
        objective=SLICES | {"indicator": {"kind": "slices", "query": "no_slices_up", "good": "== 1"}},
        verdict=PASS,
        value=1,
        bad=0,
        total=1439,
    ),
    "at_edge": Case(
        says="a P95 of just 200 ms misses the target and is not beyond critical",
        past=histogram("at_edge", edges={"0.1": 48, "0.2": 57, "0.5": 60, "+Inf": 60}),
        objective=LATENCY | {"indicator": {"kind": "latency", "histogram": "at_edge"}},
        verdict=WARN,
        value=0.2,
        bad=180,
        total=3600,
    ),
    "spelled_twice": Case(
        says="replicas may spell one bucket in two ways",
        past=[
            *histogram("spelled_twice", edges={"0.1": 57, "0.2": 60, "+Inf": 60}),
            *histogram("spelled_twice", edges={"0.1": 57, "0.20": 60, "+Inf": 60}, instance="b"),
        ],
        objective=LATENCY | {"indicator": {"kind": "latency", "histogram": "spelled_twice"}},
        verdict=PASS,
        value=0.1,
        bad=0,
        total=7200,
    ),
    "no_edge": Case(
        says="a quantile needs no bucket at the target, and counting slow operations does",
        past=histogram("no_edge", edges={"0.1": 54, "0.3": 60, "+Inf": 60}),
        objective=LATENCY | {"indicator": {"kind": "latency", "histogram": "no_edge"}},
        verdict=WARN,
        value=0.2,
        bad=None,
        total=3600,
    ),
    "mean": Case(
        says="a value is its mean over the window",
        past=[series("mean", lately(0.9, minutes=15, before=0.5))],
        objective={
            "indicator": {"kind": "value", "query": "mean", "time_target": 0.95},
            "target": 0.7,
            "warning": 0.55,
            "critical": 0.8,
        },
        verdict=WARN,
        value=0.6,
        bad=15,
        total=60,
    ),
    "just_at_target": Case(
        says="where lower is better a slice that is just at the target misses it",
        past=[series("just_at_target", each_minute(0.7))],
        objective={
            "indicator": {"kind": "value", "query": "just_at_target", "time_target": 0.95},
            "target": 0.7,
            "warning": 0.8,
            "critical": 0.9,
        },
        verdict=WARN,
        value=0.7,
        bad=60,
        total=60,
    ),
    "several": Case(
        says="several values where one is wanted are an error of the objective, and are named",
        past=[series("several", each_minute(0.1)), series("several", each_minute(0.9), instance="b")],
        objective={"indicator": {"kind": "value", "query": "several", "time_target": 0.95}},
        verdict=FAIL,
        value="one number is wanted, and several series are given: instance=b, job=app; instance=a, job=app",
        bad=120,
        total=120,
    ),
    "many": Case(
        says="of several values where many are right the worst decides",
        past=[series("many", each_minute(0.1)), series("many", each_minute(0.9), instance="b")],
        objective={
            "indicator": {"kind": "value", "query": "many", "time_target": 0.95, "series": "many"},
            "target": 0.7,
            "warning": 0.8,
            "critical": 0.85,
        },
        verdict=FAIL,
        value=0.9,
        bad=60,
        total=120,
    ),
    "refused": Case(
        says="a query that the server refuses is an error of the objective",
        past=[series("refused", each_minute(1)), series("refused", each_minute(1), instance="b")],
        objective={"indicator": {"kind": "value", "query": "refused + on (job) refused", "time_target": 0.95}},
        verdict=FAIL,
        value="many-to-many",
        bad=None,
        total=None,
    ),
}
