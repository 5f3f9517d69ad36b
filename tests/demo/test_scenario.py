"""Scenarios are read strictly, and shipped ones hold what their names promise."""

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from genesis_lib.demo import parts, scenario
from genesis_lib.demo.scenario import Phase, Scenario
from genesis_lib.errors import StackError


def test_healthy_runs_all_jobs_and_keeps_its_last_week_clean() -> None:
    healthy = scenario.load("healthy")
    assert healthy.running == parts.WORKLOAD_JOBS
    assert healthy.history == timedelta(days=14)
    ends = [*(phase.ends for phase in healthy.phases), *(alert.ends for alert in healthy.alerts)]
    assert ends
    assert all(end is not None and end < timedelta(days=-7) for end in ends)


def test_day0_says_only_what_differs_from_healthy() -> None:
    day0, healthy = scenario.load("day0"), scenario.load("healthy")
    assert day0.running == ()
    assert day0.history == timedelta(hours=47)
    assert {alert.name for alert in day0.alerts} == {
        "GenesisServiceDown",
        "TestSuiteNotRunning",
        "ObservabilityMetricsMissing",
    }
    assert day0.traffic == healthy.traffic


def test_day1_says_only_what_differs_from_day0() -> None:
    day1, day0 = scenario.load("day1"), scenario.load("day0")
    assert day1.running == ("genesis-tests",)
    assert day1.history == day0.history + timedelta(days=1)
    assert day1.born == {"genesis-tests": timedelta(days=-1)}
    assert {alert.name for alert in day1.alerts} == {alert.name for alert in day0.alerts}
    assert day1.phases == day0.phases
    assert scenario.overriding("day1", "grafana_dashboard.json") == scenario.overriding(
        "day0", "grafana_dashboard.json"
    )
    assert scenario.overriding("day1", "alertmanager_config.yml") is None


def test_a_scenario_takes_a_key_of_its_base_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(scenario._FOLDER, tmp_path / "scenarios")
    (tmp_path / "scenarios" / "odd").mkdir()
    (tmp_path / "scenarios" / "odd" / "scenario.yaml").write_text("flags: {otel_enabled: null, caching_enabled: false}")
    monkeypatch.setattr(scenario, "_FOLDER", tmp_path / "scenarios")
    healthy = scenario.load("healthy").flags
    kept = {flag: is_on for flag, is_on in healthy.items() if flag != "otel_enabled"}
    assert scenario.load("odd").flags == kept | {"caching_enabled": False}


@pytest.mark.parametrize(
    ("base", "complaint"),
    [
        pytest.param("dayO", "scenario 'dayO' is unknown", id="that is unknown"),
        pytest.param("odd", "base odd is laid over this one itself", id="that is itself"),
    ],
)
def test_a_scenario_is_not_laid_over_one(
    base: str, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(scenario._FOLDER, tmp_path / "scenarios")
    (tmp_path / "scenarios" / "odd").mkdir()
    (tmp_path / "scenarios" / "odd" / "scenario.yaml").write_text(f"base: {base}")
    monkeypatch.setattr(scenario, "_FOLDER", tmp_path / "scenarios")
    with pytest.raises(StackError, match=complaint):
        scenario.load("odd")


def test_the_flags_are_the_seventeen_of_the_report() -> None:
    flags = scenario.load("healthy").flags
    assert len(flags) == 17
    assert not flags["phase_4_deployment"]
    assert not flags["aatc_system_enabled"]


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StackError, match=r"'health' is unknown; there are: day0, .*healthy"):
        scenario.load("health")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        pytest.param("30m", timedelta(minutes=30), id="one unit"),
        pytest.param("-9d5h40m", -timedelta(days=9, hours=5, minutes=40), id="before the start"),
        pytest.param("1d12h", timedelta(hours=36), id="several units"),
    ],
)
def test_durations_are_written_as_people_write_them(text: str, meant: timedelta) -> None:
    assert Phase.model_validate({"begins": text}).begins == meant


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"runing": []}, "runing", id="an unknown key"),
        pytest.param({"running": ["genesis-ui"]}, "genesis-ui is unknown", id="an unknown job"),
        pytest.param({"history": "two weeks"}, "must be a duration", id="a duration in words"),
        pytest.param({"born": {"genesis-tests": "-15d"}}, "born within the history", id="a birth before all history"),
        pytest.param(
            {"releases": [{"version": "0.9", "until": "1h"}]}, "before the start", id="a past release to come"
        ),
        pytest.param(
            {"releases": [{"version": "0.9", "until": "-1h"}, {"version": "0.8", "until": "-2h"}]},
            "the oldest comes first",
            id="releases in the wrong order",
        ),
        pytest.param({"releases": [{"version": "1.0.0", "until": "-1h"}]}, "of its own", id="a version twice"),
        pytest.param({"commit": "main"}, "commit", id="a branch for a commit"),
        pytest.param({"coverage": 67.0}, "coverage", id="a coverage in percent"),
        pytest.param({"phases": [{"begins": "1h", "error_ratio": 2}]}, "error_ratio", id="a ratio above one"),
    ],
)
def test_a_wrong_scenario_is_refused(change: dict[str, object], complaint: str) -> None:
    whole = scenario.load("healthy").model_dump()
    with pytest.raises(ValidationError, match=complaint):
        Scenario.model_validate({**whole, **change})
