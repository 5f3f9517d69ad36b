"""What Prometheus counted of the last suite: the step of counters, whatever happened to them in between."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.checks.vitals import suite_counts
from genesis_lib.checks.vitals.suite_counts import SuiteCount, SuiteFacts
from genesis_lib.model import Cause, Missing, Sample
from tests.builders import AT, UNREACHABLE, answer

ENDED = AT.timestamp() - 600
RUNNER = {"job": "genesis-tests", "instance": "a:1"}
OTHER = {"job": "genesis-tests", "instance": "b:1"}


def parts(of: Mapping[str, float | Missing], labels: Mapping[str, str] = RUNNER) -> dict[str, tuple[Sample, ...]]:
    # Prometheus keeps the name of a metric that is asked for as it is, and drops it of what it computed.
    named = {"last", "total", "passed"}
    return {
        name: (Sample(labels={**labels, **({"__name__": name} if name in named else {})}, at=AT, value=value),)
        for name, value in of.items()
    }


def both(
    one: Mapping[str, tuple[Sample, ...]], other: Mapping[str, tuple[Sample, ...]]
) -> dict[str, tuple[Sample, ...]]:
    return {name: one.get(name, ()) + other.get(name, ()) for name in one.keys() | other.keys()}


NOW = {"last": ENDED, "scraped": AT.timestamp() - 5, "total": 1044.0, "passed": 1040.0}
BEFORE = {"last": ENDED - 1800, "total": 522.0, "passed": 520.0, "ends": 1.0, "restarts": 0.0}


def counted(now: Mapping[str, Any] = NOW, before: Mapping[str, Any] = BEFORE) -> SuiteCount | Missing:
    whole = {"last": (), "scraped": (), "total": (), "passed": ()}
    return suite_counts.count(SuiteFacts(now=answer(whole | parts(now)), before=answer(whole | parts(before))))


@given(st.integers(0, 10**6), st.integers(0, 10**4), st.sampled_from([0, 1]))
def test_a_step_is_what_was_added_since_before_or_since_a_restart(
    counted_before: int, suite: int, restarts: int
) -> None:
    total = float(suite if restarts else counted_before + suite)
    told = counted(
        NOW | {"total": total, "passed": total},
        BEFORE
        | {
            "total": float(counted_before),
            "passed": float(counted_before),
            "ends": 1.0 + restarts,
            "restarts": float(restarts),
        },
    )
    assert isinstance(told, SuiteCount)
    assert (told.tests, told.passed, told.is_step) == (suite, suite, True)


def test_without_a_sample_from_before_all_that_was_counted_may_be_of_several_suites() -> None:
    told = counted(before={"ends": 0.0, "restarts": 0.0})
    assert isinstance(told, SuiteCount)
    assert (told.tests, told.is_step) == (1044, False)


def test_of_several_runners_the_one_that_ended_last_counts_and_only_its_own_series() -> None:
    earlier = parts({"last": ENDED - 300, "scraped": AT.timestamp(), "total": 9.0, "passed": 9.0}, OTHER)
    facts = SuiteFacts(
        now=answer(both(earlier, parts(NOW))),
        before=answer(both(parts({"last": 1.0, "total": 3.0, "passed": 3.0, "ends": 7.0}, OTHER), parts(BEFORE))),
    )
    told = suite_counts.count(facts)
    assert isinstance(told, SuiteCount)
    assert (told.tests, told.passed) == (522, 520)


@pytest.mark.parametrize(
    ("now", "before", "cause"),
    [
        pytest.param({}, {}, Cause.NO_DATA, id="no series"),
        pytest.param(NOW | {"last": 0.0}, BEFORE, Cause.NO_DATA, id="no suite has ended since the runner started"),
        pytest.param(
            {k: v for k, v in NOW.items() if k != "passed"}, BEFORE, Cause.NO_DATA, id="a counter is not there"
        ),
        pytest.param(NOW, BEFORE | {"last": ENDED}, Cause.UNDEFINED, id="known before it came: a clock is wrong"),
        pytest.param(NOW, BEFORE | {"ends": 2.0}, Cause.AMBIGUOUS, id="two suites in between"),
        pytest.param(NOW, BEFORE | {"ends": 3.0, "restarts": 1.0}, Cause.AMBIGUOUS, id="two suites and a restart"),
    ],
)
def test_what_cannot_be_told_apart_is_missing(
    now: Mapping[str, float], before: Mapping[str, float], cause: Cause
) -> None:
    told = counted(now, before)
    assert isinstance(told, Missing)
    assert told.cause is cause


def test_a_server_that_does_not_answer_is_named() -> None:
    assert suite_counts.count(SuiteFacts(now=UNREACHABLE, before=UNREACHABLE)) is UNREACHABLE
    assert suite_counts.count(SuiteFacts(now=answer(parts(NOW)), before=UNREACHABLE)) is UNREACHABLE
