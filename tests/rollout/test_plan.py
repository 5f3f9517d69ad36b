"""`rollout.yaml` is refused with file, line, key and mend wherever it says what no rollout can mean; what it says, it says exactly."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib import strict_yaml
from genesis_lib.errors import ParameterError
from genesis_lib.objectives.slos import Slos
from genesis_lib.quality import Flags
from genesis_lib.rollout.plan import Plan, load_plan

POLICY = Path(__file__).parents[2] / "params" / "policy"
SHIPPED = POLICY / "rollout.yaml"
DATA: dict[str, Any] = yaml.safe_load(SHIPPED.read_text())
START = datetime(2025, 10, 20, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
RISING = st.sets(st.integers(1, 99), max_size=8).map(lambda between: [0, *sorted(between), 100])


def load(folder: Path, *edits: tuple[str, str]) -> Plan:
    """The shipped plan with some things changed."""
    text = SHIPPED.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "rollout.yaml").write_text(text)
    return load_plan(folder / "rollout.yaml", shown_as="rollout.yaml")


def shipped() -> Plan:
    return load_plan(SHIPPED, shown_as="rollout.yaml")


def of_stages(stages: list[dict[str, Any]]) -> Plan:
    """The shipped plan with other stages."""
    return Plan.model_validate(DATA | {"stages": stages})


FIVE = "{percentage: 5, phase: intensive, check_interval: 1m}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "percentage: 25,",
            "percentage: 10,",
            "stages must rise, and 10 % follows 10 %; put them in order, each once",
            id="a percentage twice",
        ),
        pytest.param(
            "percentage: 25,",
            "percentage: 60,",
            "stages must rise, and 50 % follows 60 %",
            id="a percentage that falls",
        ),
        pytest.param(
            "{percentage: 100, phase: validation}",
            "{percentage: 99, phase: validation}",
            "stages must begin at 0 % and end at 100 %, not: 0, 5, 10, 25, 50, 75, 99",
            id="an end before all have it",
        ),
        pytest.param(
            "{percentage: 0, phase: intensive, check_interval: 1m, soak: none",
            "{percentage: 1, phase: intensive, check_interval: 1m, soak: 1h",
            "stages must begin at 0 % and end at 100 %, not: 1, 5,",
            id="a start where some have it already",
        ),
        pytest.param("percentage: 75,", "percentage: 750,", "stages.5.percentage must be less", id="more than all"),
        pytest.param(
            "percentage: 5,", "percentage: 2.5,", "stages.1.percentage must be a whole number", id="a fraction"
        ),
        pytest.param(
            FIVE,
            "{percentage: 5, phase: handover}",
            "stages.1.phase must be 'intensive', 'standard' or 'validation'",
            id="a stage in the hand-over",
        ),
        pytest.param(
            FIVE,
            "{percentage: 5, phase: intensive, soak: none}",
            "stages.1 soak none does not fit 5 %: only 0 % may do without; give a duration",
            id="a step that nobody watches",
        ),
        pytest.param("soak: 24h", "soak: 0s", "defaults.soak must be a duration such as 5m", id="no length at all"),
        pytest.param("soak: 24h", "soak: none", "defaults.soak must be a duration such as 5m", id="nothing soaks"),
        pytest.param(
            "soak: 24h", "soak: -24h", "defaults.soak must be a duration such as 5m", id="a soak that ran before"
        ),
        pytest.param(
            "handover: {}",
            "handover: {soak: none}",
            "handover.soak must be a duration such as 5m",
            id="a hand-over that takes no time",
        ),
        pytest.param(
            FIVE,
            "{percentage: 5, phase: intensive, soak: 5m}",
            "stages.1 check_interval 5m must be shorter than soak 5m",
            id="a soak that ends before it was looked at, by an interval of the defaults",
        ),
        pytest.param(
            "  check_interval: 5m\n", "", "defaults.check_interval is missing; add it", id="a default missing"
        ),
        pytest.param(
            "soak: 24h", "saok: 24h", "defaults.saok is unknown; did you mean defaults.soak?", id="a misspelling"
        ),
        pytest.param(
            FIVE,
            "{percentage: 5, phase: intensive, chek_interval: 1m}",
            "stages.1.chek_interval is unknown; did you mean stages.1.check_interval?",
            id="a misspelling in a stage",
        ),
        pytest.param(FIVE, "5", "stages.1 must be a mapping of keys", id="a bare percentage"),
        pytest.param(
            "objectives: [error_rate, latency_p95,",
            "objectives: [error_rate, error_rate,",
            "defaults.objectives names error_rate twice; name it once",
            id="an objective twice",
        ),
        pytest.param(
            "handover: {}", "handover: {objectives: []}", "handover.objectives", id="a stage that nothing blocks"
        ),
        pytest.param(
            "budget_floor: 0.1", "budget_floor: 10", "defaults.budget_floor must be less than 1", id="percent"
        ),
        pytest.param("min_operations: 5_000", "min_operations: -1", "defaults.min_operations", id="less than none"),
        pytest.param(
            "{objective: error_rate, over: 0.01}",
            "{objective: error_rate, over: 1.0}",
            "triggers.error_rate.over must be less than 1",
            id="1.0 for 1 %, as the report's script has it",
        ),
        pytest.param(
            "over: 500ms", "over: 500", "triggers.latency.over must be a duration", id="milliseconds that say not so"
        ),
        pytest.param(
            "min_bad_events: 3",
            "min_bad_events: 101",
            "triggers min_bad_events 101 must not be over min_events 100",
            id="more bad events than events",
        ),
        pytest.param("sustained: 2", "sustained: 0", "triggers.sustained must be greater", id="a trigger always held"),
        pytest.param(
            "window: 5m",
            "window: 4m",
            "triggers window 4m is shorter than check_interval 5m: what happens between two windows would go unseen",
            id="a window shorter than the time between two looks",
        ),
        pytest.param(
            "limit: 15m",
            "limit: 5m",
            "blindness limit 5m must be longer than check_interval 5m: it would be reached between two checks",
            id="blindness that every check would reach",
        ),
        pytest.param("then: page ", "then: pray ", "blindness.then must be 'page' or 'rollback'", id="an act unknown"),
        pytest.param(
            "dilution_accepted: false",
            "dilution_accepted: 'no'",
            "dilution_accepted must be true or false",
            id="a text for a choice",
        ),
        pytest.param(
            "timeout: 5s",
            "timeout: 11s",
            "rollback.health_check timeout 11s must not be over interval 10s",
            id="health checks that overlap",
        ),
        pytest.param(
            "budget: 900s",
            "budget: 299s",
            "rollback health_check waits up to 5m, over the budget of 299s; lower attempts or interval",
            id="health checks that outlast the rollback",
        ),
        pytest.param(
            "green: 8081", "green: 8080", "rollback.ports blue and green are both 8080", id="two versions at one port"
        ),
        pytest.param("green: 8081", "green: 80810", "rollback.ports.green must be less", id="a port that is none"),
        pytest.param(
            "flags_off: [phase_4_deployment, ",
            "flags_off: [",
            "rollback flags_off must name phase_4_deployment, the flag that is raised; add it",
            id="a rollback that leaves the feature on",
        ),
        pytest.param(
            "5m, 15m, 30m,",
            "5m, 30m, 15m,",
            "checkpoints must rise, and 15m follows 30m",
            id="checkpoints out of order",
        ),
        pytest.param("5m, 15m, 30m,", "0m, 15m, 30m,", "checkpoints.0 must be a duration", id="a checkpoint at once"),
        pytest.param("handover: {}", "", "handover is missing; add it", id="no hand-over"),
    ],
)
def test_what_no_rollout_can_mean_is_refused(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError) as refusal:
        load(tmp_path, (old, new))
    assert str(refusal.value).startswith("rollout.yaml")
    assert message in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        pytest.param("timeout: 5s", "timeout: 11s", "timeout: 11s", id="a value that does not fit its neighbour"),
        pytest.param("percentage: 25,", "percentage: 60,", "stages:", id="percentages that fall: at their list"),
        pytest.param(FIVE, "{percentage: 5, phase: standart}", "standart", id="a value in a stage"),
    ],
)
def test_the_line_named_is_the_line_in_the_file(old: str, new: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError) as refusal:
        load(tmp_path, (old, new))
    named = re.match(r"rollout.yaml, line (\d+): ", str(refusal.value))
    assert named
    assert key in (tmp_path / "rollout.yaml").read_text().splitlines()[int(named[1]) - 1]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"other\.yaml: No such file"):
        load_plan(tmp_path / "other.yaml", shown_as="other.yaml")


def test_the_shipped_plan_is_the_reports_seven_days() -> None:
    days = [
        (one.stage.percentage, one.stage.phase, (one.begins - START) / (24 * HOUR), (one.ends - START) / (24 * HOUR))
        for one in shipped().timeline(START)
    ]
    assert days == [
        (0, "intensive", 0, 0),
        (5, "intensive", 0, 1),
        (10, "intensive", 1, 2),
        (25, "standard", 2, 3),
        (50, "standard", 3, 4),
        (75, "validation", 4, 5),
        (100, "validation", 5, 6),
        (100, "handover", 6, 7),
    ]
    assert shipped().total_soak == timedelta(days=7)


def test_the_shipped_way_back_is_the_reports() -> None:
    triggers, rollback = shipped().triggers, shipped().rollback
    assert (triggers.window.total_seconds(), triggers.error_rate.over, triggers.latency.over) == (
        300,
        0.01,
        timedelta(milliseconds=500),
    )
    assert (triggers.failed_health_checks, triggers.pass_rate.under, triggers.pass_rate.max_age) == (5, 0.95, 2 * HOUR)
    assert (rollback.budget.total_seconds(), rollback.health_check.attempts) == (900, 30)
    assert (rollback.health_check.interval.total_seconds(), rollback.health_check.timeout.total_seconds()) == (10, 5)
    assert (rollback.ports.blue, rollback.ports.green) == (8080, 8081)
    assert rollback.flags_off == ("phase_4_deployment", "aatc_system_enabled")


def test_the_shipped_checkpoints_are_55_over_48_hours_dense_at_first() -> None:
    found = shipped().checkpoints
    gaps = [later - earlier for earlier, later in zip((timedelta(0), *found), found, strict=False)]
    assert (len(found), found[-1]) == (55, 48 * HOUR)
    assert gaps == sorted(gaps)
    assert gaps[0] < gaps[-1]


@pytest.mark.parametrize("file", sorted(POLICY.glob("rollout*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_plan_names_what_policy_has(file: Path) -> None:
    slos = strict_yaml.load(POLICY / "slos.yaml", shown_as="slos.yaml").parse(Slos)
    flags = strict_yaml.load(POLICY / "flags.yaml", shown_as="flags.yaml").parse(Flags)
    load_plan(file, shown_as=file.name).check_names(
        objectives=[one.name for one in slos.slos], flags=[one.name for one in flags.flags], shown_as=file.name
    )


OBJECTIVES = ("error_rate", "latency_p95", "service_uptime", "test_pass_rate", "htdag_p95", "halo_p95")
FLAGS = ("phase_4_deployment", "aatc_system_enabled")


@pytest.mark.parametrize(
    ("objectives", "flags", "edit", "message"),
    [
        pytest.param(
            OBJECTIVES[:-1],
            FLAGS,
            ("", ""),
            "r.yaml: defaults.objectives: halo_p95 is no objective of policy; known: error_rate, latency_p95,",
            id="an objective of the defaults",
        ),
        pytest.param(
            OBJECTIVES,
            FLAGS,
            (FIVE, "{percentage: 5, phase: intensive, objectives: [eror_rate]}"),
            "r.yaml: stages.1.objectives: eror_rate is no objective of policy",
            id="an objective of one stage",
        ),
        pytest.param(
            OBJECTIVES,
            FLAGS,
            ("handover: {}", "handover: {objectives: [uptime]}"),
            "r.yaml: handover.objectives: uptime is no objective",
            id="an objective of the hand-over",
        ),
        pytest.param(
            OBJECTIVES,
            FLAGS,
            ("{objective: error_rate,", "{objective: errors,"),
            "r.yaml: triggers.error_rate.objective: errors is no objective",
            id="the objective of the error trigger",
        ),
        pytest.param(
            OBJECTIVES,
            FLAGS,
            ("{objective: latency_p95,", "{objective: p95,"),
            "r.yaml: triggers.latency.objective: p95 is no objective",
            id="the objective of the latency trigger",
        ),
        pytest.param(
            OBJECTIVES,
            FLAGS[1:],
            ("", ""),
            "r.yaml: flag: phase_4_deployment is no flag of policy; known: aatc_system_enabled",
            id="the flag that is raised",
        ),
        pytest.param(
            OBJECTIVES,
            FLAGS[:1],
            ("", ""),
            "r.yaml: rollback.flags_off: aatc_system_enabled is no flag of policy; known: phase_4_deployment",
            id="a flag that goes off first",
        ),
    ],
)
def test_a_name_that_policy_does_not_have_is_refused(
    objectives: tuple[str, ...], flags: tuple[str, ...], edit: tuple[str, str], message: str, tmp_path: Path
) -> None:
    plan = load(tmp_path, edit)
    with pytest.raises(ParameterError) as refusal:
        plan.check_names(objectives=objectives, flags=flags, shown_as="r.yaml")
    assert str(refusal.value).startswith(message)


def test_a_stage_has_its_own_demands_and_the_rest_of_the_defaults(tmp_path: Path) -> None:
    own = "{percentage: 5, phase: standard, soak: 2h, check_interval: 1m, min_operations: 7, objectives: [cpu], budget_floor: 0.5}"
    plan = load(tmp_path, (FIVE, own), ("handover: {}", "handover: {soak: 48h}"))
    stage, other, defaults = plan.stages[1], plan.stages[-1], plan.defaults
    assert (stage.soak, stage.min_operations, stage.objectives, stage.budget_floor) == (2 * HOUR, 7, ("cpu",), 0.5)
    assert (other.soak, other.check_interval, other.objectives) == (
        defaults.soak,
        defaults.check_interval,
        defaults.objectives,
    )
    assert (plan.handover.soak, plan.handover.objectives) == (48 * HOUR, defaults.objectives)
    assert plan.total_soak == (2 + 5 * 24 + 48) * HOUR


@given(RISING, st.integers(0, 100))
def test_the_next_stage_is_the_lowest_above(percentages: list[int], at: int) -> None:
    plan = of_stages([{"percentage": one, "phase": "standard"} for one in percentages])
    here, following = plan.stage_at(at), plan.next_after(at)
    assert (here.percentage if here else None) == (at if at in percentages else None)
    assert (following.percentage if following else None) == min((one for one in percentages if one > at), default=None)


@given(RISING, st.data())
def test_the_timeline_has_no_gap_and_lasts_as_long_as_all_soaks(percentages: list[int], data: st.DataObject) -> None:
    hours = data.draw(st.lists(st.integers(1, 99), min_size=len(percentages), max_size=len(percentages)))
    plan = of_stages(
        [
            {"percentage": one, "phase": "standard", "soak": f"{soak}h"}
            for one, soak in zip(percentages, hours, strict=True)
        ]
    )
    timeline = plan.timeline(START)
    assert timeline[0].begins == START
    assert [one.begins for one in timeline[1:]] == [one.ends for one in timeline[:-1]]
    assert [one.ends - one.begins for one in timeline] == [one * HOUR for one in (*hours, 24)]
    assert timeline[-1].ends - START == plan.total_soak


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("soak: 24h", "soak: 23h", id="a default"),
        pytest.param(FIVE, "{percentage: 5, phase: intensive}", id="a stage"),
        pytest.param("handover: {}", "handover: {soak: 48h}", id="the hand-over"),
        pytest.param("over: 0.01", "over: 0.02", id="a trigger"),
        pytest.param("then: page", "then: rollback", id="what blindness does"),
        pytest.param("dilution_accepted: false", "dilution_accepted: true", id="dilution"),
        pytest.param("max_age: 24h ", "max_age: 25h ", id="approval"),
        pytest.param("attempts: 30", "attempts: 31", id="the rollback"),
    ],
)
def test_a_change_of_the_plan_changes_its_digest(old: str, new: str, tmp_path: Path) -> None:
    assert load(tmp_path, (old, new)).digest != shipped().digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("# The rollout plan", "# A rollout plan", id="a comment"),
        pytest.param("soak: 24h", "soak: 1d", id="the same duration in another unit"),
        pytest.param(
            FIVE, "{phase: intensive, check_interval: 60s, soak: 24h, percentage: 5}", id="a default, spelt out"
        ),
        pytest.param("5m, 15m, 30m,", "15m, 30m,", id="a checkpoint of backtests, by which no step goes"),
    ],
)
def test_a_change_that_no_step_goes_by_leaves_the_digest(old: str, new: str, tmp_path: Path) -> None:
    assert load(tmp_path, (old, new)).digest == shipped().digest
