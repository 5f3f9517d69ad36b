"""Are the rules on disk those that Prometheus evaluates, are they healthy, and is any of them alerting?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from genesis_lib.checks import ladder, promql, rule_files, targets
from genesis_lib.checks.claims import cannot_tell, finding, identify, proof
from genesis_lib.checks.ladder import LadderFacts
from genesis_lib.checks.promql import Expression
from genesis_lib.checks.rule_files import RuleFile, RuleSpec
from genesis_lib.clients.prometheus import Rule, RuleGroup
from genesis_lib.model import Answer, Finding, Missing, Sample, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "RuleFacts", "gather", "judge"]

NAME = "rules"
CLAIMS = ("rules.loaded", "rules.quiet", "rules.file")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """The rules on disk, those loaded, the ALERTS series at the run's instant (pending and firing), and what the rules ask for."""

    files: tuple[RuleFile, ...]
    loaded: Answer[tuple[RuleGroup, ...]] | Missing
    alerts: Answer[tuple[Sample, ...]] | Missing
    ladder: LadderFacts


def gather(run: Run) -> RuleFacts:
    """Read the rule files; ask Prometheus for its rules, its active alerts, and what the rules themselves ask."""
    files = rule_files.gather(run)
    expressions = [rule.expr for file in files if not isinstance(file.rules, Missing) for rule in file.rules]
    return RuleFacts(
        files=files,
        loaded=run.ask_now(lambda: run.prometheus.rules()),
        alerts=run.ask(lambda: run.prometheus.query("ALERTS", at=run.as_of)),
        ladder=ladder.gather(run, expressions),
    )


def judge(facts: RuleFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """For each rule on disk `rules.loaded`, and for each alert also `rules.quiet`; `rules.file` for a file that cannot be read."""
    found: list[Finding] = []
    for file in facts.files:
        if isinstance(file.rules, Missing):
            found.append(_unreadable(file, file.rules, policy))
            continue
        for rule in file.rules:
            found.append(_judge_loaded(rule, file, facts, policy, at=at))
            if rule.is_alert:
                found.append(_judge_quiet(rule, facts, policy, at=at))
    return found


def _unreadable(file: RuleFile, missing: Missing, policy: Policy) -> Finding:
    return finding(
        policy,
        "rules.file",
        file.name,
        Verdict.FAIL,
        observed=str(missing.cause),
        expected="a rule file",
        reason=missing.detail,
        hint=f"promtool check rules {file.name}",
        evidence=(file.evidence,),
    )


def _judge_loaded(rule: RuleSpec, file: RuleFile, facts: RuleFacts, policy: Policy, *, at: datetime) -> Finding:
    claim, expected = "rules.loaded", f"loaded as in {file.name}, healthy, evaluated"
    if isinstance(facts.loaded, Missing):
        return cannot_tell(policy, claim, rule.name, facts.loaded, expected=expected)
    pairs = [(group, r) for group in facts.loaded.value for r in group.rules if r.name == rule.name]
    same = [(group, r) for group, r in pairs if _same(rule, r)]
    if not pairs:
        verdict, observed, reason = (
            Verdict.FAIL,
            "not loaded",
            f"{rule.name} stands in {file.name}, but Prometheus does not have it",
        )
        hint = "add the file to rule_files and reload Prometheus"
    elif not same:
        verdict, observed = Verdict.FAIL, "another rule of this name"
        reason = f"Prometheus evaluates another {rule.name} than {file.name} holds: {_difference(rule, pairs[0][1])}"
        hint = "deploy the file and reload Prometheus"
    else:
        return _judge_health(rule, *same[0], facts.loaded, policy, expected=expected, at=at)
    return finding(
        policy,
        claim,
        rule.name,
        verdict,
        observed=observed,
        expected=expected,
        reason=reason,
        hint=hint,
        evidence=(facts.loaded.evidence, file.evidence),
    )


def _judge_health(
    spec: RuleSpec,
    group: RuleGroup,
    rule: Rule,
    loaded: Answer[tuple[RuleGroup, ...]],
    policy: Policy,
    *,
    expected: str,
    at: datetime,
) -> Finding:
    limit_s = policy.readiness.limits.fresh_intervals * group.interval_s
    age_s = None if rule.last_evaluation is None else (at - rule.last_evaluation).total_seconds()
    if rule.health != "ok":
        verdict, reason = Verdict.FAIL, f"{spec.name} cannot be evaluated: {rule.last_error or rule.health}"
    elif age_s is None or age_s > limit_s:
        age = "never" if age_s is None else f"last {age_s:.0f} s before"
        verdict, reason = Verdict.FAIL, f"{spec.name} was not evaluated within {limit_s:g} s ({age})"
    else:
        verdict, reason = Verdict.PASS, f"{spec.name} is loaded, healthy and evaluated"
    return finding(
        policy,
        "rules.loaded",
        spec.name,
        verdict,
        observed=f"health {rule.health}",
        expected=expected,
        reason=reason,
        hint="" if verdict is Verdict.PASS else "see Prometheus' /rules page",
        evidence=(loaded.evidence,),
    )


def _judge_quiet(rule: RuleSpec, facts: RuleFacts, policy: Policy, *, at: datetime) -> Finding:
    claim, expected = "rules.quiet", "not active, and able to fire"
    if isinstance(facts.alerts, Missing):
        return cannot_tell(policy, claim, rule.name, facts.alerts, expected=expected)
    states = [s.labels.get("alertstate", "") for s in facts.alerts.value if s.labels.get("alertname") == rule.name]
    asked = ladder.judge(rule.expr, facts.ladder, policy, at=at)
    severity = rule.labels.get("severity", "none")
    hint = rule.annotations.get("runbook_url", "")
    if states:
        firing = "firing" in states
        verdict = Verdict.FAIL if firing and severity == "critical" else Verdict.WARN
        observed = f"{'firing' if firing else 'pending'} ({len(states)})"
        summary = rule.annotations.get("summary", "")
        reason = f"the {severity} alert {rule.name} is {observed}" + (f": {summary}" if summary else "")
    elif asked.verdict.is_good:
        verdict, observed, hint = Verdict.PASS, "not active", ""
        reason = f"{rule.name} is neither pending nor firing, and its inputs are alive"
    else:
        # The silence of an alert that cannot fire says nothing.
        verdict, observed, hint = Verdict.UNKNOWN, "cannot fire", asked.hint
        reason = f"{rule.name} is silent because it cannot fire: {asked.reason}"
    return finding(
        policy,
        claim,
        rule.name,
        verdict,
        observed=observed,
        expected=expected,
        reason=reason,
        hint=hint,
        because_of="" if verdict is Verdict.PASS else asked.because_of or _cause(rule, facts, policy),
        evidence=(*proof(facts.alerts), *asked.evidence),
    )


def _cause(rule: RuleSpec, facts: RuleFacts, policy: Policy) -> str:
    """The finding that a metric which this rule names is nobody's, or that a job which it looks at is down; or empty."""
    unknown = ladder.unknown_metrics(rule.expr, facts.ladder)
    if unknown:
        return identify("queries.metric", unknown[0])
    expression = promql.parse(rule.expr)
    if not isinstance(expression, Expression):
        return ""
    down, jobs = targets.down_jobs(facts.ladder.targets, policy), ladder.metric_jobs(facts.ladder.targets)
    for selector in expression.selectors:
        job = next(
            (value for label, op, value in selector.matchers if label == "job" and op == "="),
            jobs.get(selector.name, ""),
        )
        if job in down:
            return down[job]
    return ""


def _same(spec: RuleSpec, rule: Rule) -> bool:
    return not _difference(spec, rule)


def _difference(spec: RuleSpec, rule: Rule) -> str:
    pairs: Sequence[tuple[str, object, object]] = (
        ("expression", rule_files.expression_key(spec.expr), rule_files.expression_key(rule.query)),
        ("duration", spec.for_s, rule.duration_s),
        ("labels", _sorted(spec.labels), _sorted(rule.labels)),
    )
    return "; ".join(f"{name} {theirs} instead of {ours}" for name, ours, theirs in pairs if ours != theirs)


def _sorted(labels: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(labels.items()))
