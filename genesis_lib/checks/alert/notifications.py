"""Judge whether Prometheus hands its alerts to Alertmanager, and Alertmanager its notifications to the receivers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from genesis_lib.checks.alert.routing import Tree
from genesis_lib.checks.claims import cannot_tell, finding, proof
from genesis_lib.clients.alertmanager import AlertmanagerAlert
from genesis_lib.clients.prometheus import Alertmanagers
from genesis_lib.model import Answer, Finding, Missing, Sample, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["NotificationFacts", "gather", "judge_connected", "judge_delivered"]

Samples = Answer[tuple[Sample, ...]] | Missing
Alerts = Answer[tuple[AlertmanagerAlert, ...]] | Missing

_CONNECTED, _DELIVERED = "alerting.connected", "alerting.delivered"
_WINDOW = "1h"
_MOSTLY = 0.5  # from this share of notifications lost it is no hiccup: what is told is less than what is not
_PORTS = {"http": 80, "https": 443}
# By what each counter is told apart.
_COUNTERS = {
    "prometheus_notifications_dropped_total": "instance",
    "prometheus_notifications_errors_total": "alertmanager",
    "prometheus_notifications_sent_total": "alertmanager",
    "alertmanager_notifications_failed_total": "integration",
    "alertmanager_notifications_total": "integration",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFacts:
    """What is known of the way of an alert.

    `url` is the environment's Alertmanager, empty where it declares to have none; `known` are those that Prometheus sends to; `firing`
    are the alerts that fire in Prometheus, `fired` is how many did in the last hour (no series: none); `counted` is, by counter, its
    growth in that hour.
    """

    url: str
    known: Answer[Alertmanagers] | Missing
    firing: Samples
    fired: Samples
    counted: Mapping[str, Samples]


def gather(run: Run) -> NotificationFacts:
    """Ask Prometheus for its Alertmanagers, its firing alerts, and the counters of both programs."""

    def growth(counter: str, label: str) -> str:
        # A counter that is born within the window may be born above zero, as labelled errors are: all that it counted is new.
        return f"sum by ({label}) (({counter} unless {counter} offset {_WINDOW}) or increase({counter}[{_WINDOW}]))"

    def asked(text: str) -> Callable[[], Answer[tuple[Sample, ...]]]:
        return lambda: run.prometheus.query(text, at=run.as_of)

    questions = {counter: asked(growth(counter, label)) for counter, label in _COUNTERS.items()}
    questions["firing"] = asked("ALERTS")
    questions["fired"] = asked(f'count(count_over_time(ALERTS{{alertstate="firing"}}[{_WINDOW}]))')
    answers = run.ask_all(questions)
    endpoint = run.environment.alertmanager
    return NotificationFacts(
        url=str(endpoint.url) if endpoint else "",
        known=run.ask_now(lambda: run.prometheus.alertmanagers()),
        firing=answers.pop("firing"),
        fired=answers.pop("fired"),
        counted=answers,
    )


def judge_connected(facts: NotificationFacts, alerts: Alerts, policy: Policy, *, rule_count: int) -> Finding:
    """`alerting.connected`: Prometheus sends to the environment's Alertmanager; where there is none, nothing must need one."""
    subject = "prometheus"
    expected = f"alerts go to {facts.url}" if facts.url else "no alerts, as there is no Alertmanager"
    known = facts.known
    if isinstance(known, Missing):
        return cannot_tell(policy, _CONNECTED, subject, known, expected=expected)
    active = [_shown(url) for url in known.value.active]
    evidence = proof(known)
    hint = "correct `alerting.alertmanagers` in Prometheus' configuration"
    if not active:
        verdict = Verdict.FAIL if facts.url or rule_count else Verdict.PASS
        reason = "Prometheus knows no Alertmanager" + (
            f", so its {rule_count} alert rules tell nobody" if rule_count else ""
        )
        if not facts.url:
            hint = "run an Alertmanager and name it, or waive this finding where alerts are handled otherwise"
    elif not facts.url:
        verdict, hint = Verdict.WARN, "name it as `alertmanager` in the environment's file, so that it is judged too"
        reason = f"Prometheus sends alerts to {', '.join(active)}, and the environment declares to have no Alertmanager"
    elif _address(facts.url) in map(_address, known.value.active):
        verdict, reason = Verdict.PASS, "Prometheus sends its alerts to the Alertmanager of the environment"
    else:
        verdict, reason, hint = _compared(facts, alerts, active)
        evidence += proof(facts.firing, alerts)
    dropped = [_shown(url) for url in known.value.dropped]
    return finding(
        policy,
        _CONNECTED,
        subject,
        verdict,
        observed=f"sends to {', '.join(active)}" if active else "sends to none",
        expected=expected,
        reason=reason + (f"; dropped by relabelling: {', '.join(dropped)}" if dropped else ""),
        hint="" if verdict is Verdict.PASS else hint,
        evidence=evidence,
    )


def judge_delivered(
    facts: NotificationFacts, alerts: Alerts, tree: Answer[Tree] | Missing, policy: Policy
) -> list[Finding]:
    """`alerting.delivered`, of Prometheus to Alertmanager and of Alertmanager to each integration."""
    return [_judge_sent(facts, alerts, policy), _judge_notified(facts, tree, policy)]


def _compared(facts: NotificationFacts, alerts: Alerts, active: Sequence[str]) -> tuple[Verdict, str, str]:
    """The addresses differ, as they do where a proxy stands before Alertmanager; the alerts themselves tell whether it is the same."""
    differ = f"Prometheus sends to {', '.join(active)}, which may be another name of {facts.url}"
    firing, arrived = _arrivals(facts, alerts)
    if not firing:
        hint = "have a watchdog alert fire always: where Alertmanager holds it, it is the same one"
        return Verdict.WARN, f"{differ}: it cannot be compared, as no alert is known to have been sent", hint
    if arrived:
        return Verdict.PASS, f"{differ}: {arrived} of the {firing} alerts that fire are there, so it is", ""
    hint = "compare both addresses; Prometheus sends elsewhere, or cannot send"
    return Verdict.FAIL, f"{differ}, but none of the {firing} alerts that fire is there", hint


def _arrivals(facts: NotificationFacts, alerts: Alerts) -> tuple[int, int]:
    """How many alerts fire in Prometheus, and how many of them Alertmanager holds; 0 and 0 where either cannot be told.

    Relabelling may have added labels or dropped some; those that both have must agree.
    """
    if isinstance(facts.firing, Missing) or isinstance(alerts, Missing):
        return 0, 0
    firing = [
        {name: value for name, value in sample.labels.items() if name not in ("__name__", "alertstate")}
        for sample in facts.firing.value
        if sample.labels.get("alertstate") == "firing"
    ]
    held: dict[str, list[Mapping[str, str]]] = {}
    for alert in alerts.value:
        held.setdefault(alert.labels.get("alertname", ""), []).append(alert.labels)
    arrived = [
        labels
        for labels in firing
        if any(
            all(other.get(name, value) == value for name, value in labels.items())
            for other in held.get(labels.get("alertname", ""), ())
        )
    ]
    return len(firing), len(arrived)


def _judge_sent(facts: NotificationFacts, alerts: Alerts, policy: Policy) -> Finding:
    subject, expected = "prometheus", "no notification dropped, no error in sending"
    dropped, errors, sent = (
        facts.counted[f"prometheus_notifications_{kind}_total"] for kind in ("dropped", "errors", "sent")
    )
    for answer in (dropped, errors, sent):
        if isinstance(answer, Missing):
            return cannot_tell(policy, _DELIVERED, subject, answer, expected=expected)
    by_instance, failing = _by(dropped, "instance"), _by(errors, "alertmanager")
    if not by_instance:
        return _uncounted(facts, subject, "Prometheus", dropped, policy, expected=expected)
    lost, failed, total = sum(by_instance.values()), sum(failing.values()), sum(_by(sent, "alertmanager").values())
    firing, arrived = _arrivals(facts, alerts)
    made_good = firing > 0 and arrived == firing
    verdict, hint = Verdict.PASS, ""
    reason = f"Prometheus sent {total:.0f} notifications in the last hour, and lost none"
    if lost or failed:
        told = (f"; sending to {_shown(url)} failed {count:.0f} times" for url, count in failing.items() if count)
        reason = (
            f"in the last hour Prometheus dropped {lost:.0f} of {max(total, lost):.0f} notifications{''.join(told)}"
        )
        reason += f"; all {firing} alerts that fire have arrived since" if made_good else ""
    # A Prometheus that starts drops what fires before it has found its Alertmanager, and sends it again: that is how it is made.
    if failed or lost > (firing if made_good else 0):
        verdict = Verdict.FAIL if lost >= _MOSTLY * max(total, 1) and not made_good else Verdict.WARN
        hint = "see Prometheus' log for `notifier`: is its Alertmanager up, and reached from there?"
    return finding(
        policy,
        _DELIVERED,
        subject,
        verdict,
        observed=f"{lost:.0f} dropped, {failed:.0f} errors in the last hour",
        expected=expected,
        reason=reason,
        hint=hint,
        evidence=proof(dropped, errors, sent, *((facts.firing, alerts) if lost or failed else ())),
    )


def _judge_notified(facts: NotificationFacts, tree: Answer[Tree] | Missing, policy: Policy) -> Finding:
    subject, expected = "alertmanager", "every notification reaches its receiver"
    failed, total = (
        facts.counted["alertmanager_notifications_failed_total"],
        facts.counted["alertmanager_notifications_total"],
    )
    for answer in (failed, total):
        if isinstance(answer, Missing):
            return cannot_tell(policy, _DELIVERED, subject, answer, expected=expected)
    lost, tried = _by(failed, "integration"), _by(total, "integration")
    if not lost:
        return _uncounted(facts, subject, "Alertmanager", failed, policy, expected=expected)
    failing = {kind: count for kind, count in lost.items() if count}
    verdict, hint = Verdict.PASS, ""
    reason = f"Alertmanager notified {sum(tried.values()):.0f} times in the last hour, and never failed"
    if failing:
        mostly = any(count >= _MOSTLY * max(tried.get(kind, 0.0), 1) for kind, count in failing.items())
        verdict = Verdict.FAIL if mostly else Verdict.WARN
        told = (f"{c:.0f} of {tried.get(k, c):.0f} by {k}{_receivers(tree, k)}" for k, c in failing.items())
        reason = f"Alertmanager's notifications failed in the last hour: {', '.join(told)}; nobody was told"
        hint = "see Alertmanager's log for the receiver's answer: its address, its credentials, its limits"
    return finding(
        policy,
        _DELIVERED,
        subject,
        verdict,
        observed=f"{sum(lost.values()):.0f} of {sum(tried.values()):.0f} failed in the last hour",
        expected=expected,
        reason=reason,
        hint=hint,
        evidence=proof(failed, total),
    )


def _uncounted(
    facts: NotificationFacts, subject: str, program: str, answer: Samples, policy: Policy, *, expected: str
) -> Finding:
    """Nobody scrapes the program's own metrics: only where no alert fired is it sure that none was lost."""
    nothing_fired = isinstance(facts.fired, Answer) and not facts.fired.value
    unwatched = f"Prometheus does not scrape the metrics of {program} itself"
    return finding(
        policy,
        _DELIVERED,
        subject,
        Verdict.WARN if nothing_fired else Verdict.UNKNOWN,
        observed="not counted",
        expected=expected,
        reason=f"no alert fired in the last hour, so none was lost; but {unwatched}, so a loss would not be seen"
        if nothing_fired
        else f"{unwatched}, so nobody knows whether notifications are lost",
        hint=f"add a scrape job for {program} to Prometheus' scrape_configs",
        evidence=proof(answer, facts.fired),
    )


def _by(answer: Samples, label: str) -> dict[str, float]:
    samples = () if isinstance(answer, Missing) else answer.value
    return {s.labels.get(label, ""): s.value for s in samples if not isinstance(s.value, Missing)}


def _receivers(tree: Answer[Tree] | Missing, integration: str) -> str:
    """` (receivers a, b)`: those that have an integration of this kind, as far as it is known."""
    receivers = {} if isinstance(tree, Missing) else tree.value.receivers
    names = [name for name, kinds in receivers.items() if integration in kinds]
    return f" (receivers {', '.join(names)})" if names else ""


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return "localhost" if host in ("127.0.0.1", "::1") else host, parts.port or _PORTS.get(parts.scheme, 0)


def _shown(url: str) -> str:
    return urlsplit(url).netloc or url
