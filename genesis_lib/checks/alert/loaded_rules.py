"""Compare the rules on disk with those that Prometheus evaluates, and see that it keeps up with them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from genesis_lib.checks.ask import promql, rule_files
from genesis_lib.checks.ask.promql import Unparsable
from genesis_lib.checks.ask.rule_files import RuleFile, RuleSpec
from genesis_lib.checks.claims import cannot_tell, finding
from genesis_lib.clients.prometheus import Rule, RuleGroup
from genesis_lib.model import Answer, Finding, Missing, Verdict
from genesis_lib.policy import Policy

__all__ = ["judge_evaluation", "judge_loaded"]

Loaded = Answer[tuple[RuleGroup, ...]]


def judge_loaded(rule: RuleSpec, file: RuleFile, loaded: Loaded | Missing, policy: Policy, *, at: datetime) -> Finding:
    """`rules.loaded`: Prometheus evaluates this same rule, it is healthy, and it was evaluated just now."""
    claim, expected = "rules.loaded", f"loaded as in {file.name}, healthy, evaluated"
    if isinstance(loaded, Missing):
        return cannot_tell(policy, claim, rule.subject, loaded, expected=expected)
    pairs = [(group, r) for group in loaded.value for r in group.rules if r.name == rule.name]
    same = [(group, r) for group, r in pairs if not _difference(rule, r)]
    hint = "see Prometheus' /rules page"
    if not pairs:
        verdict, observed = Verdict.FAIL, "not loaded"
        reason = f"{rule.subject} stands in {file.name}, but Prometheus does not have it"
        hint = "add the file to rule_files and reload Prometheus"
    elif isinstance(wrong := promql.parse(rule.expr), Unparsable):
        verdict, observed = Verdict.FAIL, "no PromQL in the file"
        reason = f"{file.name} holds {rule.subject} with an expression that is no PromQL ({wrong.reason}); Prometheus keeps another"
        hint = f"correct the rule in {file.name} before anything is reloaded"
    elif not same:
        verdict, observed = Verdict.FAIL, "another rule of this name"
        reason = f"Prometheus evaluates another {rule.name} than {file.name} holds: {_difference(rule, pairs[0][1])}"
        hint = "deploy the file and reload Prometheus"
    else:
        verdict, observed, reason = _health(rule, *same[0], policy, at=at)
    return finding(
        policy,
        claim,
        rule.subject,
        verdict,
        observed=observed,
        expected=expected,
        reason=reason,
        hint="" if verdict is Verdict.PASS else hint,
        evidence=(loaded.evidence, file.evidence),
    )


def judge_evaluation(files: Sequence[RuleFile], loaded: Loaded | Missing, policy: Policy) -> list[Finding]:
    """`rules.evaluation`: each group on disk is evaluated in less time than its interval."""
    return [_judge_group(name, loaded, policy) for name in dict.fromkeys(r.group for r in rule_files.all_rules(files))]


def _judge_group(name: str, loaded: Loaded | Missing, policy: Policy) -> Finding:
    claim, expected = "rules.evaluation", "faster than its interval"
    if isinstance(loaded, Missing):
        return cannot_tell(policy, claim, name, loaded, expected=expected)
    slowest = max((g for g in loaded.value if g.name == name), key=lambda g: g.evaluation_s, default=None)
    if slowest is None:
        verdict, observed = Verdict.FAIL, "not loaded"
        reason, hint = f"Prometheus has no rule group {name}", "add its file to rule_files and reload Prometheus"
    elif slowest.evaluation_s > slowest.interval_s:
        verdict, observed = Verdict.FAIL, f"{slowest.evaluation_s:.3g} s, each {slowest.interval_s:g} s"
        reason = f"evaluating {name} takes longer than its interval, so evaluations are skipped"
        hint = "record its costly expressions, split the group, or evaluate it less often"
    else:
        verdict, observed, hint = Verdict.PASS, f"{slowest.evaluation_s:.3g} s, each {slowest.interval_s:g} s", ""
        reason = f"{name} is evaluated in time"
    return finding(
        policy,
        claim,
        name,
        verdict,
        observed=observed,
        expected=expected,
        reason=reason,
        hint=hint,
        evidence=(loaded.evidence,),
    )


def _health(spec: RuleSpec, group: RuleGroup, rule: Rule, policy: Policy, *, at: datetime) -> tuple[Verdict, str, str]:
    limit_s = policy.readiness.limits.fresh_intervals * group.interval_s
    age_s = None if rule.last_evaluation is None else (at - rule.last_evaluation).total_seconds()
    observed = f"health {rule.health}"
    if rule.health != "ok":
        return Verdict.FAIL, observed, f"{spec.subject} cannot be evaluated: {rule.last_error or rule.health}"
    if age_s is None or age_s > limit_s:
        age = "never" if age_s is None else f"last {age_s:.0f} s before"
        return Verdict.FAIL, observed, f"{spec.subject} was not evaluated within {limit_s:g} s ({age})"
    return Verdict.PASS, observed, f"{spec.subject} is loaded, healthy and evaluated"


def _difference(spec: RuleSpec, rule: Rule) -> str:
    pairs: Sequence[tuple[str, object, object]] = (
        ("expression", rule_files.expression_key(spec.expr), rule_files.expression_key(rule.query)),
        ("duration", f"{spec.for_s:g} s", f"{rule.duration_s:g} s"),
        ("labels", _sorted(spec.labels), _sorted(rule.labels)),
    )
    return "; ".join(f"{name} {theirs} instead of {ours}" for name, ours, theirs in pairs if ours != theirs)


def _sorted(labels: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(labels.items()))
