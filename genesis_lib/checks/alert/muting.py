"""Judge what keeps alerts from being heard: silences, inhibitions and mute intervals."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations_with_replacement

from genesis_lib.checks.alert import matchers, routing
from genesis_lib.checks.alert.routing import InhibitRule, Tree
from genesis_lib.checks.claims import cannot_tell, finding, proof
from genesis_lib.clients.alertmanager import AlertmanagerAlert, Matcher, Silence
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.policy import Policy

__all__ = ["AlertRule", "judge_inhibitions", "judge_mutes", "judge_silences"]

Alerts = Answer[tuple[AlertmanagerAlert, ...]] | Missing

_SHOWN = 5
_ANYTHING = "genesis-any-value"  # a value that only a condition on no value in particular accepts


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """An alert rule by its subject, and the labels that its alerts surely have: those of their series are not among them."""

    subject: str
    labels: Mapping[str, str]

    @property
    def is_critical(self) -> bool:
        """Whether somebody must be told at once."""
        return self.labels.get("severity") == "critical"


def judge_silences(
    silences: Answer[tuple[Silence, ...]] | Missing,
    alerts: Alerts,
    rules: Sequence[AlertRule],
    policy: Policy,
    *,
    because_of: str,
) -> list[Finding]:
    """`alerting.silences`, for each silence that is active or about to be; one PASS where none is active."""
    claim, subject, expected = "alerting.silences", "silences", "no silence hides an alert"
    if isinstance(silences, Missing):
        return [cannot_tell(policy, claim, subject, silences, expected=expected, because_of=because_of)]
    found: list[Finding] = []
    names: list[str] = []
    for silence in sorted(silences.value, key=lambda silence: (silence.starts_at, silence.id)):
        if silence.state not in ("active", "pending"):
            continue
        names.append(", ".join(map(matchers.spelled, silence.matchers)))
        name = names[-1] if names.count(names[-1]) == 1 else f"{names[-1]} #{names.count(names[-1])}"
        told = f"{silence.created_by or 'somebody'} silenced it until {_utc(silence.ends_at)} (“{silence.comment}”)"
        evidence = proof(silences, alerts)
        if silence.state == "pending":
            verdict, observed, hint = Verdict.PASS, "pending", ""
            reason = f"{told}, beginning at {_utc(silence.starts_at)}; as yet it hides nothing"
        else:
            try:
                verdict, observed, hidden = _hidden_by(silence, alerts, rules)
            except ValueError as error:
                missing = Missing(cause=Cause.MALFORMED, detail=f"{told}, but {error}", evidence=silences.evidence)
                found.append(cannot_tell(policy, claim, name, missing, expected=expected, hint=_expire(silence)))
                continue
            reason, hint = f"{told}; {hidden}", _expire(silence)
        found.append(
            finding(
                policy,
                claim,
                name,
                verdict,
                observed=observed,
                expected=expected,
                reason=reason,
                hint=hint,
                evidence=evidence,
            )
        )
    if all(f.observed == "pending" for f in found):
        none = finding(
            policy,
            claim,
            subject,
            Verdict.PASS,
            observed="none active",
            expected=expected,
            reason="Alertmanager has no active silence",
            evidence=proof(silences),
        )
        found.insert(0, none)
    return found


def judge_inhibitions(
    tree: Answer[Tree] | Missing, alerts: Alerts, rules: Sequence[AlertRule], policy: Policy, *, because_of: str
) -> list[Finding]:
    """`alerting.inhibitions`: on the alerts that are inhibited now, and on each inhibit rule that can hide too much."""
    return [
        _judge_inhibited(alerts, policy, because_of=because_of),
        *_judge_inhibit_rules(tree, rules, policy, because_of=because_of),
    ]


def judge_mutes(
    tree: Answer[Tree] | Missing, rules: Sequence[AlertRule], policy: Policy, *, at: datetime, because_of: str
) -> list[Finding]:
    """`alerting.mutes`, for each time interval that mutes a route of some rule at `at`; one PASS where none does."""
    claim, subject, expected = "alerting.mutes", "mutes", "no rule is muted"
    if isinstance(tree, Missing):
        return [cannot_tell(policy, claim, subject, tree, expected=expected, because_of=because_of)]
    muted: dict[str, list[AlertRule]] = {}
    unheard: set[str] = set()
    for rule in rules:
        intervals = [routing.muted_by(tree.value, r, at=at) for r in routing.routes(tree.value, rule.labels)]
        for interval in dict.fromkeys(filter(None, intervals)):
            muted.setdefault(interval, []).append(rule)
        if all(intervals):
            unheard.add(rule.subject)
    if not muted:
        reason = f"no time interval mutes a route of the {len(rules)} rules now"
        passed = finding(
            policy,
            claim,
            subject,
            Verdict.PASS,
            observed="none muted",
            expected=expected,
            reason=reason,
            evidence=proof(tree),
        )
        return [passed]
    return [
        finding(
            policy,
            claim,
            interval,
            Verdict.FAIL if any(r.is_critical and r.subject in unheard for r in mine) else Verdict.WARN,
            observed=f"{len(mine)} rules muted",
            expected=expected,
            reason=f"the time interval “{interval}” mutes {_rules(mine, rules)}: "
            + (
                f"nobody is told of {told} while it lasts"
                if (told := _unheard(mine, unheard))
                else "others are still told"
            ),
            hint="take the interval off the route, if this was not meant",
            evidence=proof(tree),
        )
        for interval, mine in muted.items()
    ]


def _unheard(mine: Sequence[AlertRule], unheard: Collection[str]) -> str:
    return _named(rule.subject for rule in mine if rule.subject in unheard)


def _hidden_by(silence: Silence, alerts: Alerts, rules: Sequence[AlertRule]) -> tuple[Verdict, str, str]:
    """Verdict, how much it hides, and what: the rules whose labels it matches, and the alerts that it suppresses now.

    Raises:
        ValueError: a regular expression of it cannot be read here.

    """
    hidden = [rule for rule in rules if all(matchers.holds(m, rule.labels) for m in silence.matchers)]
    held = () if isinstance(alerts, Missing) else alerts.value
    suppressed = [alert for alert in held if silence.id in alert.silenced_by]
    hides_all = _is_any(silence.matchers) or (len(hidden) == len(rules) > 0)
    is_critical = any(r.is_critical for r in hidden) or any(a.labels.get("severity") == "critical" for a in suppressed)
    if isinstance(alerts, Missing):
        now = "which alerts it suppresses now cannot be told"
    else:
        names = _named(a.labels.get("alertname", "?") for a in suppressed)
        now = f"now it suppresses {len(suppressed)} alerts ({names})" if suppressed else "now it suppresses no alert"
    what = "it hides everything: " if hides_all else "it hides "
    verdict = Verdict.FAIL if hides_all or is_critical else Verdict.WARN
    return verdict, f"hides {len(hidden)} of {len(rules)} rules", f"{what}{_rules(hidden, rules)}; {now}"


def _judge_inhibited(alerts: Alerts, policy: Policy, *, because_of: str) -> Finding:
    claim, subject, expected = "alerting.inhibitions", "inhibitions", "no alert is inhibited"
    if isinstance(alerts, Missing):
        return cannot_tell(policy, claim, subject, alerts, expected=expected, because_of=because_of)
    by_fingerprint = {a.fingerprint: a.labels.get("alertname", "?") for a in alerts.value}
    inhibited = [a for a in alerts.value if a.inhibited_by]
    told = [
        f"{a.labels.get('alertname', '?')} by {_named(by_fingerprint.get(f, f) for f in a.inhibited_by)}"
        for a in inhibited
    ]
    return finding(
        policy,
        claim,
        subject,
        Verdict.WARN if inhibited else Verdict.PASS,
        observed=f"{len(inhibited)} of {len(alerts.value)} alerts",
        expected=expected,
        reason=f"nobody is told of alerts that another one hides: {_named(told)}"
        if inhibited
        else "Alertmanager inhibits no alert now",
        hint="mend what the other alerts tell of; these follow from it by the inhibit rules" if inhibited else "",
        evidence=proof(alerts),
    )


def _judge_inhibit_rules(
    tree: Answer[Tree] | Missing, rules: Sequence[AlertRule], policy: Policy, *, because_of: str
) -> list[Finding]:
    claim, subject, expected = "alerting.inhibitions", "inhibit rules", "none that can hide everything"
    if isinstance(tree, Missing):
        return [cannot_tell(policy, claim, subject, tree, expected=expected, because_of=because_of)]
    inhibit_rules = tree.value.inhibit_rules
    wrong = {str(rule): reason for rule in inhibit_rules if (reason := _too_wide(rule))}
    wrong |= _circles(inhibit_rules, rules)
    if not wrong:
        reason = (
            f"none of the {len(inhibit_rules)} inhibit rules lets one alert hide everything, or two hide each other"
        )
        passed = finding(
            policy,
            claim,
            subject,
            Verdict.PASS,
            observed=f"{len(inhibit_rules)} inhibit rules",
            expected=expected,
            reason=reason,
            evidence=proof(tree),
        )
        return [passed]
    return [
        finding(
            policy,
            claim,
            name,
            Verdict.FAIL,
            observed="hides too much",
            expected=expected,
            reason=reason,
            hint="narrow its matchers in Alertmanager's configuration, and name under `equal` what both alerts must share",
            evidence=proof(tree),
        )
        for name, reason in wrong.items()
    ]


def _too_wide(rule: InhibitRule) -> str:
    """Why one alert would be enough to hide too much; empty where it would not. A rule that is as wide on both sides hides nothing."""
    any_source, any_target = _is_any(rule.source), _is_any(rule.target)
    if rule.equal or any_source == any_target:
        return ""
    if any_target:
        return "one alert that matches its source hides every other alert: its target matches anything, and `equal` is empty"
    return "any alert hides all that match its target: its source matches anything, and `equal` is empty"


def _circles(inhibit_rules: Sequence[InhibitRule], rules: Sequence[AlertRule]) -> dict[str, str]:
    """Inhibit rules by which two of the alert rules hide each other, so that nobody is told of either."""
    labels = [rule.labels for rule in rules]
    pairs = [routing.hidden_pairs(rule, labels) for rule in inhibit_rules]
    found = {}
    for one, other in combinations_with_replacement(range(len(pairs)), 2):
        mutual = sorted((a, b) for a, b in pairs[one] if (b, a) in pairs[other])
        if mutual:
            a, b = (rules[n].subject for n in mutual[0])
            found[str(inhibit_rules[one])] = (
                f"{a} and {b} hide each other when both fire, and nobody is told of either: {a} hides {b} by this rule, "
                f"and {b} hides {a} by {inhibit_rules[other]}"
            )
    return found


def _is_any(conditions: Iterable[Matcher]) -> bool:
    """Whether any alert meets these conditions, or any but one by name."""
    return all(matchers.holds(c, {c.name: _ANYTHING}) and (c.is_equal or c.name == "alertname") for c in conditions)


def _rules(some: Sequence[AlertRule], rules: Sequence[AlertRule]) -> str:
    """`2 of the 13 rules, 1 of them critical (A, B)`."""
    critical = [rule.subject for rule in some if rule.is_critical]
    counted = f"{len(some)} of the {len(rules)} rules"
    if critical:
        return f"{counted}, {len(critical)} of them critical ({_named(critical)})"
    return counted + (f" ({_named(rule.subject for rule in some)})" if some else "")


def _named(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more


def _expire(silence: Silence) -> str:
    return f"amtool silence expire {silence.id}"


def _utc(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
