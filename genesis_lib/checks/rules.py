"""Are the rules on disk those that Prometheus evaluates, are they complete and healthy, and is any of them alerting?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import promql_parser

from genesis_lib.checks.alert import active_alerts, loaded_rules
from genesis_lib.checks.alert.active_alerts import AlertFacts
from genesis_lib.checks.ask import ladder, questions, rule_files
from genesis_lib.checks.ask.rule_files import RuleFile, RuleSpec
from genesis_lib.checks.ask.series import LadderFacts
from genesis_lib.checks.claims import cannot_tell, finding, identify
from genesis_lib.clients.prometheus import RuleGroup, RuntimeInfo
from genesis_lib.model import Answer, Finding, Missing, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "RuleFacts", "gather", "judge", "retention_s"]

NAME = "rules"
CLAIMS = (
    "rules.file",
    "rules.present",
    "rules.loaded",
    "rules.annotated",
    "rules.quiet",
    "rules.active",
    "rules.evaluation",
    "rules.retention",
)
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFacts:
    """The rules on disk, those loaded, the alerts that are active, what the rules ask for, and how long Prometheus remembers."""

    files: tuple[RuleFile, ...]
    loaded: Answer[tuple[RuleGroup, ...]] | Missing
    alerts: AlertFacts
    runtime: Answer[RuntimeInfo] | Missing
    ladder: LadderFacts


def gather(run: Run) -> RuleFacts:
    """Read the rule files; ask Prometheus for its rules, its active alerts, its retention, and what the rules themselves ask."""
    return RuleFacts(
        files=rule_files.gather(run),
        loaded=run.ask_now(lambda: run.prometheus.rules()),
        alerts=active_alerts.gather(run),
        runtime=run.ask_now(lambda: run.prometheus.runtimeinfo()),
        ladder=questions.gather(run).ladder,
    )


def judge(facts: RuleFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """For each rule on disk whether it is loaded, for each alert also whether it is annotated and quiet; and the claims on all of them."""
    found = [_unreadable(file, file.rules, policy) for file in facts.files if isinstance(file.rules, Missing)]
    found += _judge_present(facts.files, policy)
    for file in facts.files:
        for rule in () if isinstance(file.rules, Missing) else file.rules:
            found.append(loaded_rules.judge_loaded(rule, file, facts.loaded, policy, at=at))
            if rule.is_alert:
                found.append(_judge_annotated(rule, file, policy))
                asked = ladder.judge(rule.expr, facts.ladder, policy, at=at)
                found.append(active_alerts.judge_quiet(rule, facts.alerts, asked, facts.ladder, policy, at=at))
    found += loaded_rules.judge_evaluation(facts.files, facts.loaded, policy)
    found += active_alerts.judge_strangers(facts.files, facts.alerts, policy, at=at)
    return [*found, _judge_retention(facts.runtime, policy)]


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


def _judge_present(files: Sequence[RuleFile], policy: Policy) -> list[Finding]:
    """Policy says which rules there must be: one that was deleted from its file is not missed by the file."""
    where = {rule.name: file for file in files if not isinstance(file.rules, Missing) for rule in file.rules}
    unread = next((file.name for file in files if isinstance(file.rules, Missing)), "")
    wanted = dict.fromkeys((*policy.alerting.required_rules, *policy.alerting.watchdogs))
    found = []
    for name in wanted:
        file = where.get(name)
        if file:
            verdict, observed, hint = Verdict.PASS, f"in {file.name}", ""
            reason = f"{name} is defined in {file.name}"
        elif unread:
            verdict, observed, hint = Verdict.UNKNOWN, "a file cannot be read", "mend the rule file first"
            reason = f"{name} stands in no rule file that can be read, and one cannot be read"
        else:
            verdict, observed, hint = Verdict.FAIL, "in no file", "write the rule, or take it out of alerting.yaml"
            reason = f"policy wants the rule {name}, and no rule file of the environment has it"
        found.append(
            finding(
                policy,
                "rules.present",
                name,
                verdict,
                observed=observed,
                expected="a rule of this name",
                reason=reason,
                hint=hint,
                because_of=identify("rules.file", unread) if unread and not file else "",
                evidence=tuple(f.evidence for f in ([file] if file else files)),
            )
        )
    return found


def _judge_annotated(rule: RuleSpec, file: RuleFile, policy: Policy) -> Finding:
    wanted = policy.alerting
    no_labels = [f"the label {name}" for name in wanted.required_labels if not rule.labels.get(name)]
    no_notes = [f"the annotation {name}" for name in wanted.required_annotations if not rule.annotations.get(name)]
    lacks = no_labels + no_notes
    # Without its label an alert is routed wrongly; without a runbook it is only harder to answer.
    verdict = Verdict.FAIL if no_labels else Verdict.WARN if no_notes else Verdict.PASS
    return finding(
        policy,
        "rules.annotated",
        rule.subject,
        verdict,
        observed=f"lacks {', '.join(lacks)}" if lacks else "complete",
        expected=", ".join((*wanted.required_labels, *wanted.required_annotations)) or "nothing",
        reason=f"the rule lacks {' and '.join(lacks)}"
        if lacks
        else f"{rule.subject} says what it means and what to do",
        hint=f"add it in {file.name}" if lacks else "",
        evidence=(file.evidence,),
    )


def _judge_retention(runtime: Answer[RuntimeInfo] | Missing, policy: Policy) -> Finding:
    days = policy.slos.longest_period / timedelta(days=1)
    claim, subject, expected = "rules.retention", "prometheus", f"at least {days:g} days"
    if isinstance(runtime, Missing):
        return cannot_tell(policy, claim, subject, runtime, expected=expected)
    stated = runtime.value.storage_retention
    kept_s, is_sized = retention_s(stated)
    if kept_s is None:
        verdict, reason = (
            Verdict.WARN,
            f"Prometheus keeps {stated}, by size alone; nobody can say how far back that reaches",
        )
    elif kept_s < days * _DAY_S:
        verdict, reason = Verdict.FAIL, f"Prometheus keeps {stated}, and objectives look {days:g} days back"
    elif is_sized:
        verdict, reason = Verdict.WARN, f"Prometheus keeps {stated}; the size may cut it short"
    else:
        verdict, reason = Verdict.PASS, f"Prometheus keeps {stated}"
    return finding(
        policy,
        claim,
        subject,
        verdict,
        observed=stated,
        expected=expected,
        reason=reason,
        hint="" if verdict is Verdict.PASS else "set --storage.tsdb.retention.time, and give it the disk",
        evidence=(runtime.evidence,),
    )


def retention_s(stated: str) -> tuple[float | None, bool]:
    """How long Prometheus keeps samples by its own words (`30d or 10GiB`), in seconds, None by size alone; and whether a size limits it."""
    parts = [part.strip() for part in stated.split(" or ")]
    times = []
    for part in parts:
        try:
            times.append(promql_parser.parse_duration(part).total_seconds())
        except ValueError:
            continue
    return (times[0] if times else None), len(times) < len(parts)
