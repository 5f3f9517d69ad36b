"""Alerting: each rule reaches whom policy says, by the configuration that runs."""

from dataclasses import replace
from typing import Any

import pytest

from genesis_lib.checks import alerting
from genesis_lib.checks.alert import routing
from genesis_lib.checks.alert.delivery import Delivery
from genesis_lib.checks.alerting import AlertingFacts
from genesis_lib.checks.ask.rule_files import RuleFile, RuleSpec
from genesis_lib.clients.alertmanager import AlertmanagerAlert
from genesis_lib.clients.prometheus import Alertmanagers
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.params import SyntheticAlert
from tests.builders import AT, UNREACHABLE, answer, policy
from tests.checks.alert.test_notifications import facts as notification_facts

CONFIG = """
route:
  receiver: nobody
  routes:
    - {matchers: [severity=critical], receiver: critical}
    - {matchers: [severity=warning, job=x], receiver: critical}
    - {matchers: [severity=warning], receiver: warning}
receivers:
  - {name: nobody}
  - {name: critical, webhook_configs: [{url: http://localhost:1}]}
  - {name: warning, webhook_configs: [{url: http://localhost:1}]}
"""
PROBE = SyntheticAlert(receiver="critical", arrived="http://localhost:5001/notifications", within_s=30)


def spec(**labels: str) -> RuleSpec:
    return RuleSpec(
        group="g", subject="Down", name="Down", is_alert=True, expr="up", for_s=0, labels=labels, annotations={}
    )


def facts(*, config: str = CONFIG, severity: str = "critical", **other: Any) -> AlertingFacts:
    stated: dict[str, Any] = {
        "files": (RuleFile(name="a.yml", rules=(spec(severity=severity),), evidence="e-file"),),
        "external_labels": {},
        "service": "am",
        "notifications": notification_facts("http://localhost:9093/api/v2/alerts"),
        "tree": answer(routing.read(config)),
        "alerts": answer(()),
        "silences": answer(()),
        "synthetic": None,
    }
    return AlertingFacts(**(stated | other))


def judged(given: AlertingFacts) -> dict[str, Finding]:
    return {f.id: f for f in alerting.judge(given, policy(), at=AT)}


def route(given: AlertingFacts) -> Finding:
    return judged(given)["alerting.route[Down]"]


def active(**labels: str) -> Answer[tuple[AlertmanagerAlert, ...]]:
    alert = AlertmanagerAlert(
        labels={"alertname": "Down", **labels},
        annotations={},
        fingerprint="f",
        state="active",
        starts_at=AT,
        ends_at=None,
    )
    return answer((alert,))


@pytest.mark.parametrize(
    ("given", "verdict", "words"),
    [
        pytest.param(facts(), Verdict.PASS, "goes to critical, as policy wants", id="where policy wants it"),
        pytest.param(
            facts(config=CONFIG.replace("severity=critical]", "severity=page]").replace("nobody", "warning", 1)),
            Verdict.FAIL,
            "goes to warning, and policy wants it to go to critical",
            id="elsewhere",
        ),
        pytest.param(
            facts(
                config=CONFIG.replace(
                    "receiver: critical}", "receiver: critical, continue: true}\n    - {receiver: warning}", 1
                )
            ),
            Verdict.FAIL,
            "goes to critical, warning, and policy wants it to go to critical",
            id="elsewhere too",
        ),
        pytest.param(
            facts(config=CONFIG.replace("severity=critical]", "severity=page]")),
            Verdict.FAIL,
            "nobody has no integration: it swallows alerts",
            id="into an empty receiver",
        ),
        pytest.param(
            facts(severity="info", config=CONFIG.replace("receiver: nobody", "receiver: warning")),
            Verdict.WARN,
            "no entry of policy says whether that is right",
            id="policy says nothing",
        ),
        pytest.param(
            facts(severity="warning", alerts=active(severity="warning", job="x")),
            Verdict.FAIL,
            "goes to warning, critical, and policy",
            id="an active alert goes elsewhere by a label of its series",
        ),
        pytest.param(
            facts(severity="warning", external_labels={"job": "x"}),
            Verdict.FAIL,
            "goes to critical",
            id="labels that Prometheus adds count",
        ),
        pytest.param(
            facts(severity="{{ $labels.severity }}", config=CONFIG.replace("receiver: nobody", "receiver: warning")),
            Verdict.WARN,
            "goes to warning",
            id="a label made from a template is not known",
        ),
    ],
)
def test_a_rule_is_routed_by_the_running_configuration(given: AlertingFacts, verdict: Verdict, words: str) -> None:
    found = route(given)
    assert found.verdict is verdict
    assert words in found.reason


def test_in_good_health_every_claim_passes() -> None:
    assert {f.verdict for f in judged(facts()).values()} == {Verdict.PASS}


def test_a_rule_file_that_cannot_be_read_leaves_its_rules_open() -> None:
    broken = Missing(cause=Cause.MALFORMED, detail="a.yml: is not YAML", evidence="e")
    found = judged(facts(files=(RuleFile(name="a.yml", rules=broken, evidence="e"),)))["alerting.route[a.yml]"]
    assert (found.verdict, found.because_of) == (Verdict.UNKNOWN, "rules.file[a.yml]")


def test_without_an_alertmanager_each_expected_subject_is_unknown_and_follows_from_it() -> None:
    found = judged(facts(tree=UNREACHABLE, alerts=UNREACHABLE, silences=UNREACHABLE))
    unknown = {name for name, f in found.items() if f.verdict is Verdict.UNKNOWN}
    assert unknown == {
        "alerting.silences[silences]",
        "alerting.inhibitions[inhibitions]",
        "alerting.inhibitions[inhibit rules]",
        "alerting.mutes[mutes]",
        "alerting.route[Down]",
    }
    assert {found[name].because_of for name in unknown} == {"services.ready[am]"}


def test_where_no_alertmanager_is_declared_only_that_is_judged() -> None:
    nowhere = replace(notification_facts(), url="", known=answer(Alertmanagers(active=(), dropped=())))
    found = judged(facts(notifications=nowhere))
    assert [(name, f.verdict) for name, f in found.items()] == [("alerting.connected[prometheus]", Verdict.FAIL)]


def arrived(*receivers: str, took_s: float | Missing) -> Answer[Delivery]:
    return answer(Delivery(expected_receiver="critical", receivers=receivers, posted_at=AT, took_s=took_s))


TOO_LATE = Missing(cause=Cause.NO_DATA, detail="no receiver listed it")


@pytest.mark.parametrize(
    ("delivery", "expected"),
    [
        pytest.param(arrived("critical", took_s=0.41), (Verdict.PASS, "arrived after 0.41 s"), id="arrived"),
        pytest.param(arrived("warning", took_s=0.4), (Verdict.FAIL, "arrived at warning"), id="arrived elsewhere"),
        pytest.param(
            arrived("critical", "warning", took_s=0.4), (Verdict.FAIL, "arrived after 0.4 s"), id="and elsewhere"
        ),
        pytest.param(arrived(took_s=TOO_LATE), (Verdict.FAIL, "did not arrive"), id="did not arrive"),
        pytest.param(arrived(took_s=UNREACHABLE), (Verdict.UNKNOWN, "no data (unreachable)"), id="nobody could look"),
        pytest.param(UNREACHABLE, (Verdict.UNKNOWN, "no data (unreachable)"), id="it could not be posted"),
        pytest.param(Missing(cause=Cause.NOT_RECORDED, detail="not made"), None, id="not made in this run: no finding"),
    ],
)
def test_the_synthetic_alert(delivery: Any, expected: tuple[Verdict, str] | None) -> None:
    found = judged(facts(synthetic=(PROBE, delivery))).get("alerting.synthetic[critical]")
    assert (found and (found.verdict, found.observed)) == expected


@pytest.mark.parametrize(
    ("expr", "carried"),
    [
        ('up{job="genesis"} == 0', {"job": "genesis"}),
        ('rate(x{job="a", env!="b", team=~"c"}[5m]) > 1', {"job": "a"}),
        ('sum(up{job="genesis"}) == 0', {}),
        ('label_replace(up{job="a"}, "job", "b", "", "")', {}),
        ('up{job="a"} and up{job="b"}', {}),
        ("up{", {}),
    ],
)
def test_the_labels_that_a_rules_series_surely_carry(expr: str, carried: dict[str, str]) -> None:
    assert alerting._carried(expr) == carried
