"""Judge the alerts that are active, and the silence of those that are not."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from genesis_lib.checks import targets
from genesis_lib.checks.ask import ladder, promql, rule_files
from genesis_lib.checks.ask.ladder import Rung
from genesis_lib.checks.ask.promql import Selector, Unparsable
from genesis_lib.checks.ask.rule_files import RuleFile, RuleSpec
from genesis_lib.checks.ask.series import LadderFacts
from genesis_lib.checks.claims import cannot_tell, finding, identify, proof
from genesis_lib.model import Answer, Finding, Missing, Sample, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["AlertFacts", "gather", "judge_quiet", "judge_strangers"]

_NOBODYS = "alerts of no rule file"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFacts:
    """The series ALERTS at the run's instant, pending and firing, and ALERTS_FOR_STATE, whose values are since when (epoch seconds)."""

    active: Answer[tuple[Sample, ...]] | Missing
    since: Answer[tuple[Sample, ...]] | Missing


def gather(run: Run) -> AlertFacts:
    """Ask Prometheus which alerts are active, and since when; of the past as well as of now."""
    # Of a shared Prometheus those of this environment, and those that do not say whose they are: a rule may aggregate the label away.
    scope = tuple((label, "=~", f"|{re.escape(value)}") for label, value in run.environment.scope.items())

    def asked(name: str) -> Callable[[], Answer[tuple[Sample, ...]]]:
        text = Selector(name=name, matchers=scope, absence_wanted=False).text
        return lambda: run.prometheus.query(text, at=run.as_of)

    return AlertFacts(active=run.ask(asked("ALERTS")), since=run.ask(asked("ALERTS_FOR_STATE")))


def judge_quiet(
    rule: RuleSpec, alerts: AlertFacts, asked: Rung, facts: LadderFacts, policy: Policy, *, at: datetime
) -> Finding:
    """`rules.quiet`: the alert is not active, and able to fire; `asked` is how its expression stands on the ladder."""
    claim, is_watchdog = "rules.quiet", rule.name in policy.alerting.watchdogs
    expected = "firing, as long as all is well" if is_watchdog else "not active, and able to fire"
    if isinstance(alerts.active, Missing):
        return cannot_tell(policy, claim, rule.subject, alerts.active, expected=expected)
    mine = [s for s in alerts.active.value if _is_of(s, rule)]
    firing = any(s.labels.get("alertstate") == "firing" for s in mine)
    hint = rule.annotations.get("runbook_url", "")
    if is_watchdog:
        verdict = Verdict.PASS if firing else Verdict.FAIL
        observed = _state(mine, alerts, at=at) if mine else "silent"
        reason = (
            f"{rule.subject} {'fires, as it should' if firing else 'must fire as long as all is well, and does not'}"
        )
        hint = "" if firing else hint or "alerting itself is broken: look at the rule, then at its inputs"
    elif mine:
        verdict, observed = _severity(rule.labels, firing=firing), _state(mine, alerts, at=at)
        summary = rule.annotations.get("summary", "")
        severity = rule.labels.get("severity", "none")
        reason = f"the {severity} alert {rule.subject} is {observed}" + (f": {summary}" if summary else "")
    elif asked.observed in ladder.MATCHES_NOTHING:
        # One that is not critical may be made for labels that come and go.
        verdict = Verdict.UNKNOWN if rule.labels.get("severity") == "critical" else Verdict.WARN
        observed, hint = "cannot fire", asked.hint
        reason = f"{rule.subject} is silent, and cannot fire as things are: {asked.reason}"
    elif asked.verdict.is_good:
        verdict, observed, hint = Verdict.PASS, "not active", ""
        reason = f"{rule.subject} is neither pending nor firing, and its inputs are alive"
    else:
        # The silence of an alert that cannot fire says nothing.
        verdict, observed, hint = Verdict.UNKNOWN, "cannot fire", asked.hint
        reason = f"{rule.subject} is silent because it cannot fire: {asked.reason}"
    return finding(
        policy,
        claim,
        rule.subject,
        verdict,
        observed=observed,
        expected=expected,
        reason=reason,
        hint=hint,
        because_of="" if verdict is Verdict.PASS else asked.because_of or _cause(rule, facts, policy),
        evidence=(*proof(alerts.active, alerts.since), *asked.evidence),
    )


def judge_strangers(files: Sequence[RuleFile], alerts: AlertFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """`rules.active`: alerts that are active and stand in no rule file of the environment, each named; one PASS where there are none."""
    claim, expected = "rules.active", "no alert is active that stands in no rule file"
    if isinstance(alerts.active, Missing):
        return [cannot_tell(policy, claim, _NOBODYS, alerts.active, expected=expected)]
    known = {rule.name for rule in rule_files.all_rules(files)}
    unread = next((file.name for file in files if isinstance(file.rules, Missing)), "")
    names = dict.fromkeys(s.labels.get("alertname", "") for s in alerts.active.value)
    found = []
    for name in (n for n in names if n not in known):
        mine = [s for s in alerts.active.value if s.labels.get("alertname") == name]
        firing = any(s.labels.get("alertstate") == "firing" for s in mine)
        is_watchdog = firing and name in policy.alerting.watchdogs
        verdict = Verdict.PASS if is_watchdog else _severity(mine[0].labels, firing=firing)
        if unread and not is_watchdog:
            verdict = Verdict.UNKNOWN
        severity, state = mine[0].labels.get("severity", "none"), _state(mine, alerts, at=at)
        found.append(
            finding(
                policy,
                claim,
                name,
                verdict,
                observed=state,
                expected=expected,
                reason=f"the {severity} alert {name} is {state}, and stands in no rule file"
                + (f" that can be read; {unread} cannot" if unread else " of the environment"),
                hint="answer the alert; then name its file under files.rules, so that its rule is judged too",
                because_of=identify("rules.file", unread) if unread else "",
                evidence=proof(alerts.active, alerts.since),
            )
        )
    if not found:
        reason = "every alert that is active stands in a rule file and is judged with its rule"
        found.append(
            finding(
                policy,
                claim,
                _NOBODYS,
                Verdict.PASS,
                observed="none active",
                expected=expected,
                reason=reason,
                evidence=proof(alerts.active),
            )
        )
    return found


def _severity(labels: Mapping[str, str], *, firing: bool) -> Verdict:
    return Verdict.FAIL if firing and labels.get("severity") == "critical" else Verdict.WARN


def _is_of(sample: Sample, rule: RuleSpec) -> bool:
    """Whether this active alert came of this rule; labels that are made from a template are not compared."""
    stated = {name: value for name, value in rule.labels.items() if "{{" not in value}
    return sample.labels.get("alertname") == rule.name and stated.items() <= sample.labels.items()


def _state(mine: Sequence[Sample], alerts: AlertFacts, *, at: datetime) -> str:
    """`firing since 2026-11-22 07:00 UTC (2 d 23 h), 3 alerts`."""
    state = "firing" if any(s.labels.get("alertstate") == "firing" for s in mine) else "pending"
    own = [{k: v for k, v in s.labels.items() if k not in ("alertstate", "__name__")} for s in mine]
    times = [
        s.value
        for s in (() if isinstance(alerts.since, Missing) else alerts.since.value)
        if isinstance(s.value, float) and {k: v for k, v in s.labels.items() if k != "__name__"} in own
    ]
    since = f" since {datetime.fromtimestamp(min(times), UTC):%Y-%m-%d %H:%M:%S} UTC" if times else ""
    hours = (at.timestamp() - min(times)) / 3600 if times else 0.0
    age = f" ({hours:.0f} h)" if hours >= 1 else f" ({hours * 60:.0f} min)" if times else ""
    return f"{state}{since}{age}" + (f", {len(mine)} alerts" if len(mine) > 1 else "")


def _cause(rule: RuleSpec, facts: LadderFacts, policy: Policy) -> str:
    """The finding that a metric which this rule names is nobody's, or that a job which it looks at is down; or empty."""
    unknown = ladder.unknown_metrics(rule.expr, facts)
    if unknown:
        return identify("queries.metric", unknown[0])
    if isinstance(promql.parse(rule.expr), Unparsable):
        return identify("rules.loaded", rule.subject)
    expression = facts.parsed.get(rule.expr)
    down = targets.down_jobs(facts.targets, policy)
    for selector in expression.selectors if expression else ():
        named = (value for label, op, value in selector.matchers if label == "job" and op == "=")
        job = next(named, facts.declared.get(selector.name, ""))
        if job in down:
            return down[job]
    return ""
