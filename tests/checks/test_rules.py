"""Rules: those on disk are those evaluated, healthy, and quiet."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from genesis_lib.checks import rule_files, rules
from genesis_lib.checks.rule_files import RuleFile, RuleSpec
from genesis_lib.checks.rules import RuleFacts
from genesis_lib.clients.prometheus import Rule, RuleGroup
from genesis_lib.model import Cause, Finding, Missing, Verdict
from tests.builders import AT, UNREACHABLE, answer, policy, vector
from tests.checks.facts import ladder_facts

SELECTOR = 'up{job="genesis-tests"}'
SPEC = RuleSpec(
    group="g",
    name="TestsDown",
    is_alert=True,
    expr='up{job="genesis-tests"}==0',
    for_s=60.0,
    labels={"severity": "critical"},
    annotations={"runbook_url": "docs/runbooks.md#testsdown"},
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


def facts(*, rule: Rule | None = None, state: str = "", down: tuple[str, ...] = (), dead: bool = False) -> RuleFacts:
    group = RuleGroup(name="g", interval_s=15.0, rules=(rule or loaded(),))
    alerts = [({"alertname": "TestsDown", "alertstate": state}, 1.0)] if state else []
    return RuleFacts(
        files=(RuleFile(name="alerts.yml", rules=(SPEC,), evidence="e-file"),),
        loaded=answer((group,)),
        alerts=vector(*alerts),
        ladder=ladder_facts(
            answers={SPEC.expr: vector()},
            alive=() if dead else (SELECTOR, "up"),
            dead=(SELECTOR, "up") if dead else (),
            down=down,
        ),
    )


def judged(given: RuleFacts) -> dict[str, Finding]:
    return {f.check: f for f in rules.judge(given, policy(), at=AT)}


def test_a_rule_that_is_loaded_healthy_and_quiet_passes_whatever_the_spelling() -> None:
    assert {check: f.verdict for check, f in judged(facts()).items()} == {
        "rules.loaded": Verdict.PASS,
        "rules.quiet": Verdict.PASS,
    }


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
    assert judged(given)["rules.quiet"].verdict is verdict


def test_an_alert_follows_from_the_job_that_it_watches() -> None:
    finding = judged(facts(state="firing", down=("genesis-tests",)))["rules.quiet"]
    assert finding.because_of == "targets.up[genesis-tests]"
    assert finding.hint == "docs/runbooks.md#testsdown"


def test_the_silence_of_an_alert_that_cannot_fire_is_no_pass() -> None:
    finding = judged(facts(dead=True))["rules.quiet"]
    assert finding.verdict is Verdict.UNKNOWN
    assert "is silent because it cannot fire" in finding.reason


def test_without_answers_each_rule_on_disk_is_unknown_never_missing() -> None:
    found = judged(replace(facts(), loaded=UNREACHABLE, alerts=UNREACHABLE))
    assert {check: f.verdict for check, f in found.items()} == {
        "rules.loaded": Verdict.UNKNOWN,
        "rules.quiet": Verdict.UNKNOWN,
    }


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
