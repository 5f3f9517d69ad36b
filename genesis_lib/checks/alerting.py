"""Would anybody be told? The way of an alert from Prometheus over Alertmanager's routes to a receiver, and what hides it on the way."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import yaml
from promql_parser import AggregateExpr, Call

from genesis_lib.checks.alert import delivery, muting, notifications, routing
from genesis_lib.checks.alert.delivery import Delivery
from genesis_lib.checks.alert.muting import AlertRule
from genesis_lib.checks.alert.notifications import NotificationFacts
from genesis_lib.checks.alert.routing import Tree
from genesis_lib.checks.ask import promql, rule_files
from genesis_lib.checks.ask.rule_files import RuleFile
from genesis_lib.checks.claims import cannot_tell, finding, identify, proof
from genesis_lib.clients.alertmanager import AlertmanagerAlert, Silence
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.params import SyntheticAlert
from genesis_lib.policy import Policy
from genesis_lib.run import Run
from genesis_lib.syntax import tree

__all__ = ["CLAIMS", "NAME", "AlertingFacts", "gather", "judge"]

NAME = "alerting"
CLAIMS = (
    "alerting.connected",
    "alerting.delivered",
    "alerting.silences",
    "alerting.inhibitions",
    "alerting.mutes",
    "alerting.route",
    "alerting.synthetic",
)
_PROBE = ("genesis_probe", "true")  # alerts with this label are tests

# Functions that give series labels of their own making.
_RELABELLING = {"label_join", "label_replace"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertingFacts:
    """What is known of alert rules and of the Alertmanager that runs.

    `external_labels` are those that Prometheus adds to every alert; `service` names Alertmanager among the environment's services, or is
    empty; `alerts` are without those of probes; `synthetic` is the test alert that the environment names, and what became of it.
    """

    files: tuple[RuleFile, ...]
    external_labels: Mapping[str, str]
    service: str
    notifications: NotificationFacts
    tree: Answer[Tree] | Missing
    alerts: Answer[tuple[AlertmanagerAlert, ...]] | Missing
    silences: Answer[tuple[Silence, ...]] | Missing
    synthetic: tuple[SyntheticAlert, Answer[Delivery] | Missing] | None


def gather(run: Run) -> AlertingFacts:
    """Read the rule files; ask Alertmanager what it runs, holds and silences, and Prometheus how sending went."""
    services = run.environment.services.items()
    synthetic = run.environment.probes.synthetic_alert
    return AlertingFacts(
        files=rule_files.gather(run),
        external_labels=_external_labels(run.ask_now(lambda: run.prometheus.config())),
        service=next((name for name, service in services if service.source == "alertmanager"), ""),
        notifications=notifications.gather(run),
        tree=_tree(run),
        alerts=_without_probes(run.ask_now(lambda: run.alertmanager.alerts())),
        silences=run.ask_now(lambda: run.alertmanager.silences()),
        synthetic=(synthetic, delivery.gather(run)) if synthetic else None,
    )


def judge(facts: AlertingFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """Whether Prometheus sends, what is lost or hidden, and for each alert rule where it goes; without an Alertmanager only the first."""
    rules = _alert_rules(facts)
    found = [notifications.judge_connected(facts.notifications, facts.alerts, policy, rule_count=len(rules))]
    if not facts.notifications.url:
        return found
    tree, alerts = facts.tree, facts.alerts
    found += notifications.judge_delivered(facts.notifications, alerts, tree, policy)
    found += muting.judge_silences(facts.silences, alerts, rules, policy, because_of=_cause(facts, facts.silences))
    found += muting.judge_inhibitions(tree, alerts, rules, policy, because_of=_cause(facts, tree))
    found += muting.judge_mutes(tree, rules, policy, at=at, because_of=_cause(facts, tree))
    for file in facts.files:
        if isinstance(file.rules, Missing):
            cause = identify("rules.file", file.name)
            expected = "rules that can be routed"
            found.append(
                cannot_tell(policy, "alerting.route", file.name, file.rules, expected=expected, because_of=cause)
            )
    found += [_judge_route(rule, facts, policy) for rule in rules]
    return found + _judge_synthetic(facts, policy)


def _judge_route(rule: AlertRule, facts: AlertingFacts, policy: Policy) -> Finding:
    claim, tree = "alerting.route", facts.tree
    stated = (r.receivers for r in policy.alerting.routes if r.labels.items() <= rule.labels.items())
    wanted = next(stated, ())
    expected = f"goes to {', '.join(wanted)}" if wanted else "an entry under `routes` in alerting.yaml"
    if isinstance(tree, Missing):
        return cannot_tell(policy, claim, rule.subject, tree, expected=expected, because_of=_cause(facts, tree))
    held = () if isinstance(facts.alerts, Missing) else facts.alerts.value
    active = [alert.labels for alert in held if rule.labels.items() <= alert.labels.items()]
    reached = list(dict.fromkeys(r for labels in (rule.labels, *active) for r in routing.receivers(tree.value, labels)))
    goes = f"{rule.subject} goes to {', '.join(reached)}"
    swallowing = [receiver for receiver in reached if not tree.value.receivers.get(receiver)]
    verdict, reason, hint = Verdict.PASS, f"{goes}, as policy wants", ""
    if swallowing:
        verdict, hint = Verdict.FAIL, "give the receiver an integration in Alertmanager's configuration"
        reason = f"{goes}, but {', '.join(swallowing)} has no integration: it swallows alerts, and nobody is told"
    elif not wanted:
        verdict, hint = Verdict.WARN, "add an entry to alerting.yaml that says whom it must reach"
        reason = f"{goes}, and no entry of policy says whether that is right"
    elif set(reached) != set(wanted):
        verdict, hint = Verdict.FAIL, "correct the routes in Alertmanager's configuration, or `routes` in alerting.yaml"
        reason = f"{goes}, and policy wants it to go to {', '.join(wanted)}"
    return finding(
        policy,
        claim,
        rule.subject,
        verdict,
        observed=f"goes to {', '.join(reached)}",
        expected=expected,
        reason=reason,
        hint=hint,
        evidence=proof(tree, facts.alerts),
    )


def _judge_synthetic(facts: AlertingFacts, policy: Policy) -> list[Finding]:
    """Nothing where the environment names no test alert, or none was posted in this run."""
    if facts.synthetic is None:
        return []
    probe, answer = facts.synthetic
    claim, expected = "alerting.synthetic", f"arrives at {probe.receiver} within {probe.within_s:g} s"
    if isinstance(answer, Missing):
        if answer.cause is Cause.NOT_RECORDED:
            return []
        return [cannot_tell(policy, claim, probe.receiver, answer, expected=expected)]
    arrived, took_s = answer.value.receivers, answer.value.took_s
    if isinstance(took_s, Missing) and took_s.cause is not Cause.NO_DATA:
        return [
            cannot_tell(policy, claim, probe.receiver, replace(took_s, evidence=answer.evidence), expected=expected)
        ]
    posted = f"the test alert posted at {answer.value.posted_at:%H:%M:%S} UTC"
    hint = "follow it: Alertmanager's page, its log, then the receiver's"
    if probe.receiver in arrived and isinstance(took_s, float):
        others = [receiver for receiver in arrived if receiver != probe.receiver]
        verdict = Verdict.FAIL if others else Verdict.PASS
        observed = f"arrived after {took_s:.2g} s"
        reason = f"{posted} arrived at {probe.receiver} after {took_s:.2g} s" + (
            f", but also at {', '.join(others)}" if others else ""
        )
    else:
        verdict, observed = Verdict.FAIL, f"arrived at {', '.join(arrived)}" if arrived else "did not arrive"
        reason = f"{posted} did not arrive at {probe.receiver}" + (
            f", but at {', '.join(arrived)}" if arrived else f" within {probe.within_s:g} s"
        )
    return [
        finding(
            policy,
            claim,
            probe.receiver,
            verdict,
            observed=observed,
            expected=expected,
            reason=reason,
            hint="" if verdict is Verdict.PASS else hint,
            evidence=proof(answer),
        )
    ]


def _carried(expr: str) -> dict[str, str]:
    """The labels that the series of an expression surely have: what its one selector asks for, where nothing takes labels away."""
    parsed = promql.parse(expr)
    if isinstance(parsed, promql.Unparsable) or len(parsed.selectors) != 1:
        return {}
    for node in promql.walk(tree(expr)):
        if isinstance(node, AggregateExpr) or (isinstance(node, Call) and node.func.name in _RELABELLING):
            return {}
    return {label: value for label, op, value in parsed.selectors[0].matchers if op == "=" and value}


def _alert_rules(facts: AlertingFacts) -> list[AlertRule]:
    """The alert rules on disk with the labels that their alerts surely have; those made from a template are not among them."""
    return [
        AlertRule(
            subject=rule.subject,
            labels={
                **facts.external_labels,
                **_carried(rule.expr),
                **{name: value for name, value in rule.labels.items() if "{{" not in value},
                "alertname": rule.name,
            },
        )
        for rule in rule_files.all_rules(facts.files)
        if rule.is_alert
    ]


def _cause(facts: AlertingFacts, answer: Answer[object] | Missing) -> str:
    """The finding that Alertmanager is not ready, where it did not answer and is one of the expected services."""
    is_down = isinstance(answer, Missing) and answer.cause in (Cause.UNREACHABLE, Cause.TIMEOUT)
    return identify("services.ready", facts.service) if is_down and facts.service else ""


def _tree(run: Run) -> Answer[Tree] | Missing:
    status = run.ask_now(lambda: run.alertmanager.status())
    if isinstance(status, Missing):
        return status
    try:
        return Answer(value=routing.read(status.value.config), evidence=status.evidence, asked_at=status.asked_at)
    except ValueError as error:
        detail = f"the configuration that Alertmanager runs cannot be read: {error}"
        return Missing(cause=Cause.MALFORMED, detail=detail, evidence=status.evidence)


def _without_probes(
    alerts: Answer[tuple[AlertmanagerAlert, ...]] | Missing,
) -> Answer[tuple[AlertmanagerAlert, ...]] | Missing:
    if isinstance(alerts, Missing):
        return alerts
    return replace(alerts, value=tuple(alert for alert in alerts.value if _PROBE not in alert.labels.items()))


def _external_labels(config: Answer[str] | Missing) -> Mapping[str, str]:
    """None where Prometheus tells no configuration: then rules are routed by their own labels."""
    if isinstance(config, Missing):
        return {}
    try:
        labels = yaml.load(config.value, yaml.BaseLoader)["global"]["external_labels"]  # noqa: S506 - it makes nothing but texts
    except (yaml.YAMLError, KeyError, TypeError):
        return {}
    return labels if isinstance(labels, dict) else {}
