"""Does every question that the policy and the rules ask have an answer, does it mean what it says, and, where not, why?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from genesis_lib.checks import rules
from genesis_lib.checks.ask import ladder, promql, questions
from genesis_lib.checks.ask.promql import Unparsable
from genesis_lib.checks.ask.questions import Question, Questions
from genesis_lib.checks.claims import cannot_tell, finding, identify
from genesis_lib.checks.lint import lints
from genesis_lib.checks.lint.lints import Remark, Setting
from genesis_lib.clients.prometheus import Metadata, RuleGroup, RuntimeInfo
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict, worst
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "QueryFacts", "gather", "judge"]

NAME = "queries"
CLAIMS = ("queries.answered", "queries.metric", "queries.sound")
_SHOWN_USERS = 12
_SOUND = "a query that means what it says"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryFacts:
    """All questions with their answers, and what Prometheus says of its metrics (by name: counter, gauge…), its rules and itself."""

    asked: Questions
    metadata: Answer[Mapping[str, tuple[Metadata, ...]]] | Missing
    loaded: Answer[tuple[RuleGroup, ...]] | Missing
    runtime: Answer[RuntimeInfo] | Missing


def gather(run: Run) -> QueryFacts:
    """Ask every distinct question once, those of the dashboards too, and what kind each metric is of."""
    return QueryFacts(
        asked=questions.gather(run),
        metadata=run.ask_now(lambda: run.prometheus.metadata()),
        loaded=run.ask_now(lambda: run.prometheus.rules()),
        runtime=run.ask_now(lambda: run.prometheus.runtimeinfo()),
    )


def judge(facts: QueryFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """`queries.answered` for each query and rule, `.sound` for each objective and panel too, `.metric` for each metric of nobody."""
    own = list(facts.asked.of_queries_and_rules())
    others = [*facts.asked.of_objectives(), *facts.asked.of_panels()]  # answered, or not, by their own checks
    found = [_judge_answered(question, facts, policy, at=at) for question in own]
    by_subject: dict[str, list[Question]] = {}
    for question in (*own, *others):
        by_subject.setdefault(question.subject, []).append(question)
    found += [_judge_sound(subject, asked, facts, policy) for subject, asked in by_subject.items()]
    users: dict[str, dict[str, None]] = {}
    for question in (*own, *others):
        for name in ladder.unknown_metrics(question.expr, facts.asked.ladder):
            users.setdefault(name, {})[question.subject] = None
    if not users:
        return [*found, _judge_all_known(facts, policy)]
    return found + [_judge_metric(name, list(who), facts, policy) for name, who in users.items()]


def _judge_answered(question: Question, facts: QueryFacts, policy: Policy, *, at: datetime) -> Finding:
    rung = ladder.judge(question.expr, facts.asked.ladder, policy, at=at, wants_one=question.wants_one)
    return finding(
        policy,
        "queries.answered",
        question.subject,
        rung.verdict,
        observed=rung.observed,
        expected="one number from living series" if question.wants_one else "an answer from living series",
        reason=rung.reason,
        hint=rung.hint,
        because_of=rung.because_of,
        evidence=rung.evidence,
    )


def _judge_sound(subject: str, asked: Sequence[Question], facts: QueryFacts, policy: Policy) -> Finding:
    refused = next((e for q in asked if isinstance(e := promql.parse(q.expr), Unparsable)), None)
    if refused is not None:
        missing = Missing(cause=Cause.INVALID, detail=f"`{refused.text}` is no PromQL: {refused.reason}")
        kind, _, name = subject.partition(" ")
        own_check = {"panel": "dashboards.panel", "objective": "slos.status"}.get(kind)
        root = identify(own_check, name) if own_check else identify("queries.answered", subject)
        return cannot_tell(
            policy, "queries.sound", subject, missing, expected=_SOUND, hint="correct the query", because_of=root
        )
    remarks: dict[Remark, None] = {}
    for question in asked:
        remarks |= dict.fromkeys(lints.lint(question.expr, _setting(question, facts, policy)))
    if not remarks and isinstance(facts.metadata, Missing):
        # Whether a counter or a gauge is asked is part of what a query means.
        return cannot_tell(policy, "queries.sound", subject, facts.metadata, expected=_SOUND)
    verdict = worst(r.verdict for r in remarks) if remarks else Verdict.PASS
    decisive = [r for r in remarks if r.verdict is verdict]
    proofs = [facts.asked.ladder.replies[q.expr].evidence for q in asked if q.expr in facts.asked.ladder.replies]
    return finding(
        policy,
        "queries.sound",
        subject,
        verdict,
        observed=", ".join(dict.fromkeys(r.kind for r in remarks)) or "no remark",
        expected=_SOUND,
        reason="; ".join(r.reason for r in decisive) or f"{subject}: nothing in the query misleads",
        hint=decisive[0].hint if decisive else "",
        evidence=(*proofs, facts.metadata.evidence),
    )


def _setting(question: Question, facts: QueryFacts, policy: Policy) -> Setting:
    known = facts.asked.ladder
    expression = known.parsed.get(question.expr)
    intervals: dict[str, float] = {}
    for selector in expression.selectors if expression else ():
        pulse = known.pulses[selector.text]
        if isinstance(pulse, Answer) and pulse.value.newest:
            slowest = max(known.interval_s(job) for job in pulse.value.newest)
            intervals[selector.name] = max(slowest, intervals.get(selector.name, 0.0))
    kinds = {} if isinstance(facts.metadata, Missing) else facts.metadata.value
    groups = () if isinstance(facts.loaded, Missing) else facts.loaded.value
    kept = facts.runtime
    kept_s = None if isinstance(kept, Missing) else rules.retention_s(kept.value.storage_retention)[0]
    return Setting(
        interval_s=known.interval_s(""),
        intervals_s=intervals,
        kinds={name: entries[0].kind for name, entries in kinds.items() if len({e.kind for e in entries}) == 1},
        retention_s=kept_s,
        for_s=question.for_s,
        evaluation_s=max((g.interval_s for g in groups), default=known.interval_s("")),
        unit=question.unit,
        recorded=frozenset(r.name for f in facts.asked.rules if not isinstance(f.rules, Missing) for r in f.rules),
        window_intervals=policy.readiness.limits.rate_window_intervals,
    )


def _judge_all_known(facts: QueryFacts, policy: Policy) -> Finding:
    """No metric is known to be nobody's: because each is somebody's, or because nothing could be asked?"""
    claim, subject, expected = "queries.metric", "every metric that is asked for", "a metric that some source exposes"
    known = facts.asked.ladder
    lost = next(
        (a for a in (*known.pulses.values(), *known.pasts.values(), *known.looks.values()) if isinstance(a, Missing)),
        None,
    )
    if lost is not None:
        return cannot_tell(policy, claim, subject, lost, expected=expected)
    names = {s.name for e in known.parsed.values() for s in e.selectors if s.name}
    if not names:
        nothing = Missing(cause=Cause.NO_DATA, detail="no query, rule or panel names a metric")
        return cannot_tell(
            policy, claim, subject, nothing, expected=expected, hint="name rules or dashboards under files"
        )
    return finding(
        policy,
        claim,
        subject,
        Verdict.PASS,
        observed=f"{len(names)} metrics, each exposed, or declared by the environment",
        expected=expected,
        reason="every metric that is named in a query, rule or panel exists",
        evidence=tuple(pulse.evidence for pulse in known.pulses.values()),
    )


def _judge_metric(name: str, users: Sequence[str], facts: QueryFacts, policy: Policy) -> Finding:
    rung = ladder.no_such_metric(name, facts.asked.ladder)
    more = f" and {len(users) - _SHOWN_USERS} more" if len(users) > _SHOWN_USERS else ""
    return finding(
        policy,
        "queries.metric",
        name,
        rung.verdict,
        observed=rung.observed,
        expected="a metric that some source exposes",
        reason=f"{rung.reason}; asked for by: {', '.join(users[:_SHOWN_USERS])}{more}",
        hint=rung.hint,
        evidence=rung.evidence,
    )
