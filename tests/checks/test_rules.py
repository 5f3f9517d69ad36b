"""Rules: those on disk are those evaluated, healthy, and quiet."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from genesis_lib.checks import rules
from genesis_lib.checks.alert.active_alerts import AlertFacts
from genesis_lib.checks.ask import rule_files
from genesis_lib.checks.ask.rule_files import RuleFile, RuleSpec
from genesis_lib.checks.ask.series import alone, offered
from genesis_lib.checks.rules import RuleFacts
from genesis_lib.clients.prometheus import Rule, RuleGroup, RuntimeInfo
from genesis_lib.model import Answer, Cause, Finding, Missing, Sample, Verdict
from genesis_lib.policy import Policy
from tests.builders import AT, UNREACHABLE, answer, policy, vector
from tests.checks.facts import ladder_facts

SELECTOR = 'up{job="genesis-tests"}'
SPEC = RuleSpec(
    group="g",
    subject="TestsDown",
    name="TestsDown",
    is_alert=True,
    expr='up{job="genesis-tests"}==0',
    for_s=60.0,
    labels={"severity": "critical"},
    annotations={"summary": "Tests are down", "runbook_url": "docs/runbooks.md#testsdown"},
)


def loaded(**changes: Any) -> Rule:
    """The rule as Prometheus shows it, which spells the expression in its own way."""
    stated: dict[str, Any] = {
        "name": "TestsDown",
        "kind": "alerting",
        "query": 'up{job="genesis-tests"} == 0',
        "health": "ok",
        "labels": {"severity": "critical"},
        "duration_s": 60.0,
        "last_evaluation": AT - timedelta(seconds=5),
    }
    return Rule(**(stated | changes))


def runtime(retention: str = "30d") -> Answer[RuntimeInfo]:
    return answer(
        RuntimeInfo(started_at=AT, reload_config_success=True, last_config_at=None, storage_retention=retention)
    )


def active(state: str, name: str = "TestsDown", severity: str = "critical") -> Answer[tuple[Sample, ...]]:
    return vector(({"alertname": name, "alertstate": state, "severity": severity}, 1.0))


def facts(
    *, rule: Rule | None = None, state: str = "", down: tuple[str, ...] = (), dead: bool = False, took_s: float = 0.001
) -> RuleFacts:
    group = RuleGroup(name="g", interval_s=15.0, rules=(rule or loaded(),), evaluation_s=took_s)
    since = vector(({"alertname": "TestsDown", "severity": "critical"}, AT.timestamp() - 7200))
    return RuleFacts(
        files=(RuleFile(name="alerts.yml", rules=(SPEC,), evidence="e-file"),),
        loaded=answer((group,)),
        alerts=AlertFacts(active=active(state) if state else vector(), since=since if state else vector()),
        runtime=runtime(),
        ladder=ladder_facts(
            answers={SPEC.expr: vector()},
            alive=() if dead else (SELECTOR, "up"),
            dead=(SELECTOR, "up") if dead else (),
            last_seen={"up": 7200.0} if dead else None,
            down=down,
        ),
    )


def wanting(*names: str, watchdogs: tuple[str, ...] = ()) -> Policy:
    """The shipped policy, which wants these rules."""
    shipped = policy()
    return shipped.model_copy(
        update={
            "alerting": shipped.alerting.model_copy(update={"required_rules": names, "watchdogs": watchdogs}),
        }
    )


def judged(given: RuleFacts, by: Policy | None = None) -> dict[str, Finding]:
    return {f.check: f for f in rules.judge(given, by or wanting("TestsDown"), at=AT)}


def test_a_rule_that_is_loaded_healthy_and_quiet_passes_whatever_the_spelling() -> None:
    found = judged(facts())
    assert {check: f.verdict for check, f in found.items()} == dict.fromkeys(
        set(rules.CLAIMS) - {"rules.file"}, Verdict.PASS
    )


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        pytest.param(loaded(name="Other"), "does not have it", id="not loaded"),
        pytest.param(loaded(query='up{job="genesis-tests"} == 1'), "expression", id="another expression"),
        pytest.param(loaded(duration_s=300.0), "duration", id="another duration"),
        pytest.param(loaded(labels={"severity": "warning"}), "labels", id="other labels"),
        pytest.param(loaded(health="err", last_error="many-to-many"), "many-to-many", id="cannot be evaluated"),
        pytest.param(
            loaded(last_evaluation=AT - timedelta(minutes=2)), "was not evaluated", id="evaluated too long ago"
        ),
        pytest.param(loaded(last_evaluation=None), "never", id="never evaluated"),
    ],
)
def test_a_rule_that_is_not_what_is_on_disk_fails(rule: Rule, words: str) -> None:
    finding = judged(facts(rule=rule))["rules.loaded"]
    assert finding.verdict is Verdict.FAIL
    assert words in finding.reason


@pytest.mark.parametrize(
    ("state", "severity", "verdict"),
    [
        ("firing", "critical", Verdict.FAIL),
        ("firing", "warning", Verdict.WARN),
        ("pending", "critical", Verdict.WARN),
        ("", "critical", Verdict.PASS),
    ],
)
def test_an_active_alert_is_judged_by_state_and_severity(state: str, severity: str, verdict: Verdict) -> None:
    given = facts(state=state)
    spec = replace(SPEC, labels={"severity": severity})
    given = replace(given, files=(replace(given.files[0], rules=(spec,)),))
    if state:
        given = replace(given, alerts=replace(given.alerts, active=active(state, severity=severity)))
    assert judged(given)["rules.quiet"].verdict is verdict


def test_an_alert_follows_from_the_job_that_it_watches() -> None:
    finding = judged(facts(state="firing", down=("genesis-tests",)))["rules.quiet"]
    assert finding.because_of == "targets.up[genesis-tests]"
    assert finding.hint == "docs/runbooks.md#testsdown"


def test_the_silence_of_an_alert_that_cannot_fire_is_no_pass() -> None:
    finding = judged(facts(dead=True))["rules.quiet"]
    assert finding.verdict is Verdict.UNKNOWN
    assert "is silent because it cannot fire" in finding.reason


def test_since_when_an_alert_is_active_is_said() -> None:
    assert judged(facts(state="firing"))["rules.quiet"].observed == "firing since 2026-11-24 04:00:00 UTC (2 h)"


@pytest.mark.parametrize(
    ("state", "verdict"), [("firing", Verdict.PASS), ("pending", Verdict.FAIL), ("", Verdict.FAIL)]
)
def test_a_watchdog_must_fire(state: str, verdict: Verdict) -> None:
    found = judged(facts(state=state), wanting(watchdogs=("TestsDown",)))
    assert found["rules.quiet"].verdict is verdict


def test_two_rules_of_one_name_are_two_subjects_each_with_its_own_alerts() -> None:
    content = b"""groups: [{name: g, rules: [
        {alert: DiskFull, expr: up == 0, labels: {severity: warning}},
        {alert: DiskFull, expr: up == 1, labels: {severity: critical}}, {record: r, expr: up}, {record: r, expr: up}]}]"""
    read = rule_files.read(content)
    assert not isinstance(read, str)
    (file,) = rule_files.told_apart((RuleFile(name="f", rules=read, evidence="e"),))
    assert not isinstance(file.rules, Missing)
    assert [r.subject for r in file.rules] == ["DiskFull (warning)", "DiskFull (critical)", "r", "r #2"]
    given = facts()
    alerts = replace(given.alerts, active=active("firing", "DiskFull", "warning"))
    ladder = ladder_facts(answers={r.expr: vector() for r in file.rules}, alive=("up",))
    found = rules.judge(replace(given, files=(file,), alerts=alerts, ladder=ladder), wanting(), at=AT)
    quiet = {f.subject: f.verdict for f in found if f.check == "rules.quiet"}
    assert quiet == {"DiskFull (warning)": Verdict.WARN, "DiskFull (critical)": Verdict.PASS}


@pytest.mark.parametrize(
    ("name", "severity", "verdict"),
    [
        ("Stranger", "critical", Verdict.FAIL),
        ("Stranger", "warning", Verdict.WARN),
        ("TestsDown", "critical", Verdict.PASS),
    ],
)
def test_an_active_alert_of_no_file_is_named(name: str, severity: str, verdict: Verdict) -> None:
    given = facts()
    alerts = replace(given.alerts, active=active("firing", name, severity))
    finding = judged(replace(given, alerts=alerts))["rules.active"]
    assert finding.verdict is verdict
    assert (name in finding.reason) is (verdict is not Verdict.PASS)


@pytest.mark.parametrize(
    ("by", "verdict"),
    [
        pytest.param(wanting("TestsDown"), Verdict.PASS, id="a rule that policy wants is there"),
        pytest.param(wanting("Deleted"), Verdict.FAIL, id="a rule that was deleted is missed"),
        pytest.param(wanting(watchdogs=("Watchdog",)), Verdict.FAIL, id="a watchdog must be there too"),
    ],
)
def test_the_rules_that_policy_wants_must_be_there(by: Policy, verdict: Verdict) -> None:
    assert judged(facts(), by)["rules.present"].verdict is verdict


def test_a_rule_may_stand_in_the_file_that_cannot_be_read() -> None:
    broken = RuleFile(name="b.yml", rules=Missing(cause=Cause.MALFORMED, detail="b.yml: is not YAML"), evidence="e")
    assert judged(replace(facts(), files=(broken,)), wanting("Deleted"))["rules.present"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("spec", "verdict", "words"),
    [
        pytest.param(SPEC, Verdict.PASS, "says what it means", id="all is there"),
        pytest.param(replace(SPEC, annotations={}), Verdict.WARN, "the annotation runbook_url", id="no runbook"),
        pytest.param(replace(SPEC, labels={}), Verdict.FAIL, "the label severity", id="no severity"),
    ],
)
def test_an_alert_must_say_how_bad_it_is_and_what_to_do(spec: RuleSpec, verdict: Verdict, words: str) -> None:
    given = replace(facts(), files=(RuleFile(name="alerts.yml", rules=(spec,), evidence="e"),))
    finding = judged(given)["rules.annotated"]
    assert finding.verdict is verdict
    assert words in finding.reason


def test_a_group_that_takes_longer_than_its_interval_fails() -> None:
    assert judged(facts(took_s=20.0))["rules.evaluation"].verdict is Verdict.FAIL


def test_a_group_that_is_not_loaded_fails() -> None:
    assert judged(replace(facts(), loaded=answer(())))["rules.evaluation"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("stated", "verdict"),
    [
        ("30d", Verdict.PASS),
        ("7d", Verdict.PASS),
        ("1w", Verdict.PASS),
        ("6d23h", Verdict.FAIL),
        ("30d or 10GiB", Verdict.WARN),
        ("10GiB", Verdict.WARN),
    ],
)
def test_prometheus_must_remember_as_long_as_objectives_look_back(stated: str, verdict: Verdict) -> None:
    assert judged(replace(facts(), runtime=runtime(stated)))["rules.retention"].verdict is verdict


def test_the_objective_that_looks_back_furthest_says_how_far() -> None:
    shipped = policy()
    first, *others = shipped.slos.slos
    longer = first.model_copy(update={"period": timedelta(days=28)})
    by = shipped.model_copy(update={"slos": shipped.slos.model_copy(update={"slos": (longer, *others)})})
    verdicts = {kept: judged(replace(facts(), runtime=runtime(kept)), by)["rules.retention"] for kept in ("27d", "28d")}
    assert {kept: f.verdict for kept, f in verdicts.items()} == {"27d": Verdict.FAIL, "28d": Verdict.PASS}
    assert verdicts["27d"].expected == "at least 28 days"


@pytest.mark.parametrize(("severity", "verdict"), [("critical", Verdict.UNKNOWN), ("warning", Verdict.WARN)])
def test_an_alert_whose_labels_match_nothing_cannot_fire(severity: str, verdict: Verdict) -> None:
    condition = ("job", "=", "genesis-tests")
    ladder = ladder_facts(
        answers={SPEC.expr: vector()},
        alive=("up",),
        dead=(SELECTOR,),
        looks={alone("up", condition): vector(), offered("up", "job"): vector(({"job": "node"}, 1.0))},
    )
    spec = replace(SPEC, labels={"severity": severity})
    given = replace(facts(), ladder=ladder, files=(RuleFile(name="alerts.yml", rules=(spec,), evidence="e"),))
    finding = judged(given)["rules.quiet"]
    assert (finding.verdict, finding.observed) == (verdict, "cannot fire")


def test_a_rule_that_is_no_promql_is_to_be_corrected_and_not_deployed() -> None:
    spec = replace(SPEC, expr="up ==")
    found = judged(replace(facts(), files=(RuleFile(name="alerts.yml", rules=(spec,), evidence="e"),)))
    assert "correct the rule in alerts.yml" in found["rules.loaded"].hint
    assert found["rules.quiet"].because_of == "rules.loaded[TestsDown]"


def test_without_answers_each_rule_on_disk_is_unknown_never_missing() -> None:
    blind = AlertFacts(active=UNREACHABLE, since=UNREACHABLE)
    found = judged(replace(facts(), loaded=UNREACHABLE, alerts=blind, runtime=UNREACHABLE))
    of_files = {"rules.present", "rules.annotated"}
    assert {check: f.verdict for check, f in found.items() if check not in of_files} == dict.fromkeys(
        set(rules.CLAIMS) - of_files - {"rules.file"}, Verdict.UNKNOWN
    )


def test_a_file_that_cannot_be_read_is_a_finding() -> None:
    broken = Missing(cause=Cause.MALFORMED, detail="alerts.yml: is not YAML", evidence="e")
    found = judged(replace(facts(), files=(RuleFile(name="alerts.yml", rules=broken, evidence="e"),)))
    assert found["rules.file"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"groups: [", "is not YAML"),
        (b"{}", "has no `groups`"),
        (b"[]", "has no `groups`"),
        (b"groups: [{name: g, rules: [{alert: A}]}]", "lacks a part"),
        (b"groups: [{name: g, rules: [{alert: A, expr: up, for: soon}]}]", "lacks a part"),
    ],
)
def test_what_is_wrong_in_a_rule_file_is_said(content: bytes, words: str) -> None:
    found = rule_files.read(content)
    assert isinstance(found, str)
    assert words in found


def test_a_rule_file_is_read_group_by_group() -> None:
    content = b"groups: [{name: g, rules: [{alert: A, expr: up == 0, for: 1h30m}, {record: r, expr: sum(up)}]}]"
    found = rule_files.read(content)
    assert not isinstance(found, str)
    assert [(r.name, r.is_alert, r.for_s) for r in found] == [("A", True, 5400.0), ("r", False, 0.0)]
