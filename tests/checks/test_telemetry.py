"""Telemetry: its tests passed lately, it costs no more than it may, it loses no memory, and its series live in a real Prometheus."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesis_lib import run as runs
from genesis_lib.artefacts import TelemetrySources
from genesis_lib.checks import telemetry
from genesis_lib.checks.telemetry import CLAIMS, TelemetryFacts
from genesis_lib.clients.junit import Dated, Group, TestReport
from genesis_lib.clients.overhead import Measured
from genesis_lib.demo.stack import Stack
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.params import load_environment
from tests.builders import AT, ROOT, UNREACHABLE, answer, policy, vector
from tests.checks.facts import ladder_facts

PASS, WARN, FAIL, UNKNOWN = Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.UNKNOWN
WANTED = policy().telemetry
TESTS, OVERHEAD, COLLECTION, MEMORY, SERIES = CLAIMS
ALL = "telemetry.tests[all groups]"
ONE = "telemetry.tests[TestIntegration]"
BROKEN = Missing(cause=Cause.MALFORMED, detail="o.json: is no result", evidence="e-broken")
NOT_THERE = Missing(cause=Cause.UNREADABLE, detail="t.xml: No such file or directory", evidence="e-none")

# Tests.


def group(name: str, passed: int, *, failed: int = 0, errors: int = 0, skipped: int = 0) -> Group:
    return Group(
        name=name,
        tests=passed + failed + errors + skipped,
        passed=passed,
        failed=failed,
        errors=errors,
        skipped=skipped,
        time_s=0.02,
        failures=tuple(f"{name}::test_{n}" for n in range(failed + errors))[:3],
    )


def report(*changed: Group, without: str = "", **other: Any) -> TestReport:
    """Every group that policy wants, all passed two hours ago, with some groups changed or added."""
    groups = {name: group(name, least) for name, least in WANTED.groups.items() if name != without}
    groups |= {one.name: one for one in changed}
    counts = ("tests", "passed", "failed", "errors", "skipped", "time_s")
    facts: dict[str, Any] = {key: sum(getattr(g, key) for g in groups.values()) for key in counts}
    facts |= {"at": AT - timedelta(hours=2), "dated": Dated.SUITE, "commit": "abc", "groups": tuple(groups.values())}
    facts |= {"failures": tuple(f for g in groups.values() for f in g.failures), "remarks": ()}
    return TestReport(**(facts | {"digest": "d", "size": 1, "modified_at": AT} | other))


# What the benchmark measured.


def result(**changed: Any) -> dict[str, Any]:
    """A good result, with values changed by `part__key`."""
    found: dict[str, Any] = {
        "schema": 1,
        "measured_at": (AT - timedelta(hours=50)).isoformat(),
        "python": "3.11.7",
        "code": "c0de",
        "overhead": {
            "ratio": 0.0013,
            "low": 0.001,
            "high": 0.0017,
            "pairs": 400,
            "operation_s": 0.09,
            "cost_us": 117.0,
        },
        "collection": {"share": 0.0005, "cpu_s_per_scrape": 0.0075, "interval_s": 15.0, "series": 120},
        "memory": {"operations": 100_000, "growth_bytes": 40_960, "growth_bytes_per_10k": 4096.0},
    }
    for name, value in changed.items():
        part, _, key = name.partition("__")
        if key:
            found[part][key] = value
        else:
            found[part] = value
    return found


def measured(**changed: Any) -> Answer[Measured]:
    return answer(Measured.model_validate_json(json.dumps(result(**changed))))


ALIVE = ladder_facts(answers={name: vector(({}, 1.0)) for name in WANTED.series}, alive=WANTED.series)


def judged(
    tests: TestReport | Missing | None = None, cost: Answer[Measured] | Missing | None = None, **other: Any
) -> dict[str, Finding]:
    """Only of what is given."""
    told = answer(tests) if isinstance(tests, TestReport) else tests
    found = telemetry.judge(TelemetryFacts(tests=told, measured=cost, asked=other.get("asked", ALIVE)), policy(), at=AT)
    assert len({f.id for f in found}) == len(found)
    assert all(f.reason and f.expected and f.observed for f in found)
    assert all(bool(f.hint) is (f.verdict is not PASS) for f in found), found
    return {f.id: f for f in found}


def written(found: Finding) -> str:
    return f"{found.observed}\n{found.reason}\n{found.hint}".replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_all_is_well() -> None:
    found = judged(report(), measured())
    assert {f.verdict for f in found.values()} == {PASS}
    assert all(f.evidence for f in found.values())
    assert {f.check for f in found.values()} == set(CLAIMS)
    assert len(found) == len(WANTED.groups) + 1 + 3 + len(WANTED.series)
    assert found[ONE].observed == "3 of 3 passed, 0.02 s"
    assert written(found[ALL]).startswith("28 of 28 passed in 0.18 s, 2 h before\n")


@pytest.mark.parametrize(
    ("given_report", "one", "every", "words"),
    [
        pytest.param(report(group("TestIntegration", 5)), PASS, PASS, "5 of 5 passed", id="more than policy wants"),
        pytest.param(
            report(group("TestIntegration", 3, failed=1)),
            FAIL,
            FAIL,
            "1 failed: TestIntegration::test_0",
            id="one failed",
        ),
        pytest.param(
            report(group("TestIntegration", 3, failed=2, errors=3)),
            FAIL,
            FAIL,
            "5 failed: TestIntegration::test_0, TestIntegration::test_1, TestIntegration::test_2 and 2 more",
            id="some failed and some broke",
        ),
        pytest.param(report(group("TestIntegration", 2)), FAIL, FAIL, "2 passed, and there must be 3", id="too few"),
        pytest.param(
            report(group("TestIntegration", 2, skipped=1)),
            FAIL,
            FAIL,
            "2 passed, and there must be 3; 1 skipped count for nothing",
            id="skipped ones do not count",
        ),
        pytest.param(
            report(group("TestIntegration", 3, skipped=1)),
            WARN,
            WARN,
            "1 skipped, and enough others",
            id="enough others",
        ),
        pytest.param(
            report(group("TestIntegration", 0, skipped=3)),
            FAIL,
            FAIL,
            "0 passed, and there must be 3",
            id="all skipped",
        ),
        pytest.param(report(without="TestIntegration"), FAIL, FAIL, "holds no test of TestIntegration", id="absent"),
    ],
)
def test_a_group_of_tests(given_report: TestReport, one: Verdict, every: Verdict, words: str) -> None:
    found = judged(given_report)
    assert (found[ONE].verdict, found[ALL].verdict) == (one, every)
    assert words in written(found[ONE])
    assert found[ALL].because_of == (ONE if one is FAIL else "")
    assert not any(f.because_of for f in found.values() if f.id != ALL)
    assert all(f.verdict is PASS for f in found.values() if f.id not in (ALL, ONE))


@pytest.mark.parametrize(
    ("given_report", "verdict", "words"),
    [
        pytest.param(
            report(group("TestOther", 1, failed=1)),
            FAIL,
            "1 of 30 tests failed: TestOther::test_0",
            id="in no group of policy",
        ),
        pytest.param(report(group("TestOther", 1, skipped=1)), WARN, "1 skipped", id="skipped in no group of policy"),
        pytest.param(report(remarks=("the suite s says tests=9",)), WARN, "the suite s says tests=9", id="a remark"),
        pytest.param(
            report(dated=Dated.FILE), WARN, "a file that was copied looks new", id="dated by nothing but the file"
        ),
        pytest.param(report(dated=Dated.LOCAL), PASS, "is read as this machine's", id="a time without a zone"),
    ],
)
def test_what_is_said_of_all_groups(given_report: TestReport, verdict: Verdict, words: str) -> None:
    found = judged(given_report)
    assert (found[ALL].verdict, found[ALL].because_of) == (verdict, "")
    assert words in written(found[ALL])
    assert all(f.verdict is PASS for f in found.values() if f.id != ALL)


EMPTY = report(tests=0, groups=())


@pytest.mark.parametrize(
    ("given_tests", "words"),
    [
        pytest.param(NOT_THERE, "No such file", id="no file"),
        pytest.param(EMPTY, "nothing was tested", id="an empty file"),
        pytest.param(report(at=AT - timedelta(days=7, seconds=1)), "7 d", id="too old"),
        pytest.param(report(at=AT + timedelta(minutes=2)), "2026-11-24 06:02:00 UTC, after the instant", id="of later"),
        pytest.param(
            report(group("TestIntegration", 0, failed=3), at=AT - timedelta(days=9)), "9 d", id="failed, long ago"
        ),
    ],
)
def test_what_cannot_be_told_of_tests_has_one_root_and_loses_no_finding(
    given_tests: TestReport | Missing, words: str
) -> None:
    found = judged(given_tests)
    assert found.keys() == judged(report()).keys()
    of_tests = {f.id: f for f in found.values() if f.check == TESTS}
    assert {f.verdict for f in of_tests.values()} == {UNKNOWN}
    assert {id_ for id_, f in of_tests.items() if not f.because_of} == {ALL}
    assert {f.because_of for f in of_tests.values()} == {"", ALL}
    assert all(words in written(f) and f.evidence for f in of_tests.values())


@pytest.mark.parametrize(
    "age", [timedelta(days=7), timedelta(seconds=-30)], ids=["just in time", "a clock that is ahead"]
)
def test_the_boundaries_of_age_are_good(age: timedelta) -> None:
    found = judged(report(at=AT - age), measured(measured_at=(AT - age).isoformat()))
    assert {f.verdict for f in found.values()} == {PASS}


# What it costs.


@pytest.mark.parametrize(
    ("claim", "changed", "verdict"),
    [
        pytest.param(OVERHEAD, {"overhead__high": 0.008}, PASS, id="overhead: at the first limit"),
        pytest.param(OVERHEAD, {"overhead__high": 0.0081}, WARN, id="overhead: its upper end is over the first limit"),
        pytest.param(OVERHEAD, {"overhead__high": 0.01}, WARN, id="overhead: at the last limit"),
        pytest.param(OVERHEAD, {"overhead__high": 0.0101}, FAIL, id="overhead: its upper end is over the last limit"),
        pytest.param(OVERHEAD, {"overhead__low": -0.001, "overhead__ratio": 0.0}, PASS, id="overhead: none to be seen"),
        pytest.param(COLLECTION, {"collection__share": 0.0025}, PASS, id="collection: at the first limit"),
        pytest.param(COLLECTION, {"collection__share": 0.003}, WARN, id="collection: over the first limit"),
        pytest.param(COLLECTION, {"collection__share": 0.006}, FAIL, id="collection: over the last limit"),
        pytest.param(MEMORY, {"memory__growth_bytes_per_10k": -4096}, PASS, id="memory: given back"),
        pytest.param(MEMORY, {"memory__growth_bytes_per_10k": 50_001}, WARN, id="memory: over the first limit"),
        pytest.param(MEMORY, {"memory__growth_bytes_per_10k": 500_001.0}, FAIL, id="memory: over the last limit"),
        pytest.param(MEMORY, {"memory__operations": 99_999}, UNKNOWN, id="memory: not watched for long enough"),
        pytest.param(
            MEMORY,
            {"memory__operations": 99_999, "memory__growth_bytes_per_10k": 1e9},
            UNKNOWN,
            id="memory: grown, as it does in the beginning",
        ),
    ],
)
def test_what_it_costs(claim: str, changed: Mapping[str, Any], verdict: Verdict) -> None:
    verdicts = {f.check: f.verdict for f in judged(cost=measured(**changed)).values() if f.check != SERIES}
    assert verdicts == {OVERHEAD: PASS, COLLECTION: PASS, MEMORY: PASS} | {claim: verdict}


def test_what_it_costs_is_shown_as_people_read_it() -> None:
    found = {f.check: written(f).partition("\n")[0] for f in judged(cost=measured()).values()}
    assert found[OVERHEAD] == "0.13 % (0.10 to 0.17 %) of an operation of 90 ms, measured 2 d 2 h before"
    assert found[COLLECTION] == "0.05 %: 7.5 ms for 120 series every 15 s, measured 2 d 2 h before"
    assert found[MEMORY] == "4.0 KiB for each 10,000 of 100,000 operations, measured 2 d 2 h before"


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 0.02), st.floats(0, 0.02))
def test_costing_more_is_never_judged_better(one: float, other: float) -> None:
    less, more = (judged(cost=measured(overhead__high=0.0013 + x)) for x in sorted((one, other)))
    order = [PASS, WARN, FAIL]
    assert all(order.index(less[i].verdict) <= order.index(more[i].verdict) for i in less)


@pytest.mark.parametrize(
    "cost",
    [
        pytest.param(NOT_THERE, id="no file"),
        pytest.param(BROKEN, id="a broken file"),
        pytest.param(measured(measured_at=(AT - timedelta(days=8)).isoformat()), id="too old"),
        pytest.param(measured(measured_at=(AT + timedelta(days=1)).isoformat()), id="of later"),
    ],
)
def test_what_cannot_be_told_of_costs_has_one_root(cost: Answer[Measured] | Missing) -> None:
    found = {f.check: f for f in judged(cost=cost).values() if f.check != SERIES}
    assert {claim: (f.verdict, f.because_of) for claim, f in found.items()} == {
        OVERHEAD: (UNKNOWN, ""),
        COLLECTION: (UNKNOWN, found[OVERHEAD].id),
        MEMORY: (UNKNOWN, found[OVERHEAD].id),
    }


# Series.


def test_series_are_told_apart_and_a_dead_source_is_the_root() -> None:
    lacking, vanished = "genesis_tests_total", "genesis_app_info"
    alive = [name for name in WANTED.series if name not in (lacking, vanished)]
    answers = {name: vector(*([({}, 1.0)] if name in alive else [])) for name in WANTED.series}
    asked = ladder_facts(
        answers=answers, alive=alive, dead=(lacking, vanished), last_seen={vanished: 600}, down=("genesis-tests",)
    )
    found = judged(asked=asked)
    verdicts = {f.subject: (f.verdict, f.because_of) for f in found.values()}
    assert verdicts.pop(lacking) == (UNKNOWN, "targets.up[genesis-tests]")
    assert verdicts.pop(vanished) == (FAIL, "")
    assert verdicts == dict.fromkeys(alive, (PASS, ""))
    late = ladder_facts(
        answers=answers, alive=dict.fromkeys(alive, 40.0), dead=(lacking, vanished), last_seen={vanished: 600}
    )
    assert judged(asked=late)["telemetry.series[target_info]"].verdict is WARN
    silent = replace(ALIVE, replies=dict.fromkeys(WANTED.series, UNREACHABLE))
    assert {f.verdict for f in judged(asked=silent).values()} == {UNKNOWN}


# On files and on real servers.


def gathered(
    folder: Path, sources: TelemetrySources, addresses: Mapping[str, str], at: datetime | None = None
) -> tuple[TelemetryFacts, datetime]:
    environment = load_environment("demo", root=ROOT).model_copy(update={"telemetry": sources})
    run = runs.create(environment, policy(), root=folder, as_of=at, interactive=False, addresses=addresses)
    facts = telemetry.gather(run)
    run.close()
    return facts, run.as_of


def junit(folder: Path, at: datetime) -> str:
    cases = "".join(
        f'<testcase classname="tests.test_observability.{name}" name="test_{n}" time="0.01"/>'
        for name, least in WANTED.groups.items()
        for n in range(least)
    )
    file = folder / "telemetry-tests.xml"
    file.write_text(f'<testsuites><testsuite timestamp="{at.isoformat()}">{cases}</testsuite></testsuites>')
    return str(file)


def test_the_healthy_stack_shows_every_series_and_the_files_of_its_tests_pass(
    healthy_stack: Stack, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    overhead = tmp_path / "overhead.json"
    overhead.write_text(json.dumps(result(measured_at=now.isoformat())))
    sources = TelemetrySources(tests=junit(tmp_path, now), overhead=str(overhead))
    facts, at = gathered(tmp_path, sources, healthy_stack.moved)
    found = telemetry.judge(facts, policy(), at=at)
    assert {f.id: f.reason for f in found if f.verdict is not PASS} == {}
    assert {f.subject for f in found if f.check == SERIES} == set(WANTED.series)
    assert all(f.evidence for f in found)

    # Of a past instant the series tell, and files that were written since do not.
    facts, at = gathered(tmp_path, sources, healthy_stack.moved, now - timedelta(hours=1))
    past = {f.check: f.verdict for f in telemetry.judge(facts, policy(), at=at) if f.check != SERIES}
    assert past == dict.fromkeys((TESTS, OVERHEAD, COLLECTION, MEMORY), UNKNOWN)


def test_what_is_not_named_is_unknown_and_what_is_declared_away_is_not_judged(
    healthy_stack: Stack, tmp_path: Path
) -> None:
    facts, at = gathered(tmp_path, TelemetrySources(tests="", overhead=None), healthy_stack.moved)
    found = [f for f in telemetry.judge(facts, policy(), at=at) if f.check != SERIES]
    assert {f.check for f in found} == {TESTS}
    assert {f.verdict for f in found} == {UNKNOWN}
    assert "telemetry.tests" in found[0].hint
    facts, at = gathered(tmp_path, TelemetrySources(tests=None, overhead=""), healthy_stack.moved)
    found = [f for f in telemetry.judge(facts, policy(), at=at) if f.check != SERIES]
    assert {f.check for f in found} == {OVERHEAD, COLLECTION, MEMORY}
    assert "telemetry.overhead" in found[0].hint
