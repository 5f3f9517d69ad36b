"""What CI leaves behind says what the scenario says, in formats that their own tools read."""

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType

from genesis_lib.demo import artefacts, scenario
from genesis_lib.demo.scenario import Scenario

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
HEALTHY = scenario.load("healthy")


def changed(name: str = "healthy", **changes: object) -> Scenario:
    return Scenario.model_validate({**scenario.load(name).model_dump(), **changes})


def suite_of(text: str) -> ET.Element:
    (suite,) = ET.fromstring(text)  # noqa: S314 - it is ours
    return suite


@pytest.mark.parametrize(
    "results",
    [
        pytest.param({"total": 1044, "failed": 3, "skipped": 2}, id="a usual suite"),
        pytest.param({"total": 12, "failed": 0, "skipped": 0}, id="a suite in which all passed"),
        pytest.param({"total": 7, "failed": 4, "skipped": 3}, id="a suite in which none passed"),
    ],
)
def test_a_suite_has_a_case_for_each_test_and_counts_them_right(results: dict[str, int]) -> None:
    suite = suite_of(artefacts.suite(results, HEALTHY, at=AT))
    cases = suite.findall("testcase")
    assert len({(case.get("classname"), case.get("name")) for case in cases}) == results["total"]
    assert len(suite.findall("testcase/failure[@message]")) == results["failed"]
    assert len(suite.findall("testcase/skipped")) == results["skipped"]
    said = {key: int(suite.get(key, "")) for key in ("tests", "failures", "errors", "skipped")}
    assert said == {
        "tests": results["total"],
        "failures": results["failed"],
        "errors": 0,
        "skipped": results["skipped"],
    }
    took_s = [float(case.get("time", "")) for case in cases]
    assert min(took_s) > 0
    assert float(suite.get("time", "")) == pytest.approx(sum(took_s))
    assert datetime.fromisoformat(suite.get("timestamp", "")) == AT
    assert [p.get("value") for p in suite.findall("properties/property[@name='commit']")] == [HEALTHY.commit]


def test_other_tests_fail_in_another_suite_and_the_same_in_the_same() -> None:
    results = {"total": 1044, "failed": 5, "skipped": 2}

    def failed(at: datetime) -> set[str | None]:
        cases = suite_of(artefacts.suite(results, HEALTHY, at=at)).findall("testcase[failure]")
        return {case.get("name") for case in cases}

    assert failed(AT) == failed(AT)
    assert failed(AT) != failed(AT + timedelta(minutes=30))


@pytest.mark.parametrize("ratio", [0.67, 0.0, 0.333, 1.0])
def test_coverage_adds_up_to_the_scenarios(ratio: float) -> None:
    report = json.loads(artefacts.coverage(changed(coverage=ratio), at=AT))
    assert report["meta"]["format"] == 3
    assert datetime.fromisoformat(report["meta"]["timestamp"]) == AT
    totals = report["totals"]
    assert totals["percent_covered"] == pytest.approx(100 * ratio, abs=0.02)
    assert totals["percent_covered_display"] == f"{100 * ratio:.0f}"
    for key in ("covered_lines", "num_statements", "missing_lines", "excluded_lines"):
        assert sum(file["summary"][key] for file in report["files"].values()) == totals[key], key
    for file in report["files"].values():
        summary, executed, missing = file["summary"], file["executed_lines"], file["missing_lines"]
        assert (len(executed), len(missing)) == (summary["covered_lines"], summary["missing_lines"])
        assert sorted(executed + missing) == list(range(1, summary["num_statements"] + 1))


@pytest.mark.parametrize(
    "missing",
    [
        pytest.param((), id="all of them"),
        pytest.param(("phase_4_deployment",), id="but for one that the scenario lacks"),
    ],
)
def test_openfeature_finds_each_flag_with_the_scenarios_value(missing: tuple[str, ...], tmp_path: Path) -> None:
    flags = {name: is_on for name, is_on in HEALTHY.flags.items() if name not in missing}
    artefacts.write(tmp_path, artefacts.FLAGS, artefacts.flags(changed(flags=flags)))
    source = str(tmp_path / artefacts.FLAGS)
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=source)
    api.set_provider_and_wait(provider, domain="artefacts")
    try:
        client = api.get_client(domain="artefacts")
        # The default is the wrong value: a flag that is not found, or is found broken, shows itself.
        found = {name: client.get_boolean_value(name, not is_on) for name, is_on in HEALTHY.flags.items()}
    finally:
        provider.shutdown()
    assert found == {name: is_on != (name in missing) for name, is_on in HEALTHY.flags.items()}


@pytest.mark.parametrize(
    ("name", "files"),
    [
        pytest.param("healthy", {"commit", "coverage.json", "flags.json"}, id="leaving the tests to those that report"),
        pytest.param("day0", {"commit", "coverage.json", "flags.json", "tests.xml"}, id="tests too, if none report"),
    ],
)
def test_all_is_there_at_the_start(name: str, files: set[str], tmp_path: Path) -> None:
    artefacts.write_at_start(tmp_path, scenario.load(name), at=AT)
    assert {path.name for path in tmp_path.iterdir()} == files
    assert (tmp_path / "commit").read_text() == f"{HEALTHY.commit}\n"
    assert json.loads((tmp_path / "flags.json").read_text())["flags"].keys() == HEALTHY.flags.keys()


def test_tests_that_nobody_reports_were_run_by_ci_the_day_before(tmp_path: Path) -> None:
    artefacts.write_at_start(tmp_path, scenario.load("day0"), at=AT)
    suite = suite_of((tmp_path / "tests.xml").read_text())
    assert datetime.fromisoformat(suite.get("timestamp", "")) == AT - timedelta(hours=26)
    assert suite.get("tests") == str(HEALTHY.tests.total)
    assert HEALTHY.tests.failed.least <= int(suite.get("failures", "")) <= HEALTHY.tests.failed.most
