"""Find out why a PromQL expression answers, or why it does not: the one mechanism behind queries, rules and panels. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from genesis_lib.checks import targets
from genesis_lib.checks.ask import missing_metric, promql, series
from genesis_lib.checks.ask.promql import Expression, Selector, Unparsable
from genesis_lib.checks.ask.series import OF_THE_SERVER, LadderFacts
from genesis_lib.checks.claims import identify
from genesis_lib.clients.prometheus_types import series_name
from genesis_lib.model import Answer, Cause, Missing, Verdict, worst
from genesis_lib.policy import Policy

__all__ = ["MATCHES_NOTHING", "LadderFacts", "Rung", "judge", "no_such_metric", "unknown_metrics"]

# Data this many times older than its limit is no longer late, but stale.
_LATE = 2
_SHOWN_SERIES = 3
_HOUR_S = 3600
_JUST_NOW_S = 300
# What a selector that finds nothing on a living metric is seen as.
_NO_VALUE, _NOT_TOGETHER = "no such label value", "no such labels together"
MATCHES_NOTHING = frozenset({_NO_VALUE, _NOT_TOGETHER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Where on the ladder an expression came to stand."""

    verdict: Verdict
    observed: str
    reason: str
    hint: str
    because_of: str
    evidence: tuple[str, ...]


def judge(text: str, facts: LadderFacts, policy: Policy, *, at: datetime, wants_one: bool = False) -> Rung:
    """Climb: parsed? answered? data, and fresh? and, where there is none, the cause.

    `wants_one` says that a single number is wanted, so that several series are an error, and not the first of them the answer.
    """
    expression = promql.parse(text)
    if isinstance(expression, Unparsable):
        reason = f"the query cannot be parsed: {expression.reason}"
        return _rung(Verdict.FAIL, "not PromQL", reason, "correct the query")
    reply = facts.replies[text]
    if isinstance(reply, Missing):
        return _unanswered(reply, "mend the source or the query")
    broken = [rung for s in expression.selectors if (rung := _broken(s, facts, policy))]
    if broken:
        decisive = worst(rung.verdict for rung in broken)
        return next(rung for rung in broken if rung.verdict is decisive)
    evidence = [reply.evidence, *(facts.pulses[s.text].evidence for s in expression.selectors)]
    if not reply.value.series:
        return _judge_empty(expression, evidence)
    samples = reply.value.samples or ()
    wrong = [s.value for s in samples if isinstance(s.value, Missing)]
    if wrong:
        reason = f"the answer is not a number in {len(wrong)} of {len(samples)} series: {wrong[0].detail}"
        hint = "a division by zero (no traffic?) or a quantile of nothing; see that its inputs move"
        # Of several, an idle disk or queue may rightly have no quotient; of none with a number nothing is known.
        verdict = Verdict.UNKNOWN if len(wrong) == len(samples) else Verdict.WARN
        observed = "not a number" if verdict is Verdict.UNKNOWN else f"{len(wrong)} of {len(samples)} not a number"
        return _rung(verdict, observed, reason, hint, evidence=evidence)
    observed = _observed(expression, reply.value, facts, at=at)
    if wants_one and reply.value.series > 1:
        names = ", ".join(series_name(s.labels) for s in samples[:_SHOWN_SERIES])
        more = ", …" if len(samples) > _SHOWN_SERIES else ""
        reason = f"one number is wanted, and {reply.value.series} series are given: {names}{more}"
        return _rung(Verdict.FAIL, observed, reason, "aggregate them, or select one of them", evidence=evidence)
    old = [rung for s in expression.selectors if (rung := _old(s, facts, policy, observed, at=at))]
    if old:
        return next(rung for rung in old if rung.verdict is worst(r.verdict for r in old))
    if reply.warnings:
        reason = f"the answer came with a warning: {reply.warnings[0]}"
        return _rung(Verdict.WARN, observed, reason, "mend what the server warns of", evidence=evidence)
    return _rung(Verdict.PASS, observed, "answered with data", evidence=evidence)


def unknown_metrics(text: str, facts: LadderFacts) -> list[str]:
    """The metrics that an expression names and that nobody exposes, or ever did within memory."""
    expression = facts.parsed.get(text)
    names = dict.fromkeys(s.name for s in expression.selectors) if expression else {}
    return [name for name in names if name in facts.unknown]


def no_such_metric(name: str, facts: LadderFacts) -> Rung:
    """FAIL: nobody exposes this metric; the nearest names that exist are offered, and what the node exporter says of its kind."""
    reason, hint = missing_metric.explain(name, facts)
    names = facts.names
    evidence = [facts.pasts[name].evidence, names.evidence if names else ""]
    return _rung(
        Verdict.FAIL, "no such metric", reason, hint, because_of=identify("queries.metric", name), evidence=evidence
    )


def _broken(selector: Selector, facts: LadderFacts, policy: Policy) -> Rung | None:
    """Why this selector finds nothing; None where it finds something, or need not."""
    pulse = facts.pulses[selector.text]
    if isinstance(pulse, Missing):
        return _unanswered(pulse, "mend the source")
    if pulse.value.series or selector.name in OF_THE_SERVER:
        return None
    if not selector.name:
        reason, hint = f"no series matches {selector.text}", "compare its conditions with the series that there are"
        return _rung(Verdict.FAIL, "no data", reason, hint, evidence=[pulse.evidence])
    asked_job = next((value for label, op, value in selector.matchers if label == "job" and op == "="), "")
    down = targets.down_jobs(facts.targets, policy)
    if facts.is_alive(selector.name):
        if selector.absence_wanted:
            return None
        if asked_job in down:
            return _source_down(selector, asked_job, down[asked_job], [pulse.evidence])
        return _mismatch(selector, facts, [pulse.evidence])
    return _gone(selector, asked_job, down, facts)


def _gone(selector: Selector, asked_job: str, down: dict[str, str], facts: LadderFacts) -> Rung | None:
    """The metric has no series now: did it ever, and who had it?"""
    past = facts.pasts[selector.name]
    if isinstance(past, Missing):
        return _unanswered(past, "mend the source")
    if selector.name in facts.unknown:
        return no_such_metric(selector.name, facts)
    if selector.absence_wanted:
        return None  # absent() exists to be asked of what is not there
    declared, jobs, evidence = facts.declared.get(selector.name, ""), past.value.jobs, [past.evidence]
    job = asked_job or next((j for j in jobs if j in down), "") or declared or next(iter(jobs), "")
    if job in down:
        return _source_down(selector, job, down[job], evidence)
    ended = past.value.ended_s
    if ended and ended[0] < _JUST_NOW_S and facts.has_failing_target(job):
        reason = f"{selector.text} has no data: {job} did not answer its last scrape; one that is missed is no outage"
        return _rung(Verdict.WARN, "a missed scrape", reason, "run again in a minute", evidence=evidence)
    if past.value.existed:
        whose = f" by {job}" if job else ""
        reason = f"{selector.text} has no data: it was exposed{whose} until {_when(ended)}, and has vanished"
    else:
        reason = f"{selector.text} has no data: {job} is up, but does not expose it, as the environment declares"
    return _rung(Verdict.FAIL, "no data", reason, "find out who exposed it, and why no more", evidence=evidence)


def _when(ended_s: tuple[float, float] | None) -> str:
    """`between 5 and 15 minutes ago`."""
    if ended_s is None:
        return "some time ago"
    size, unit = (3600, "hours") if ended_s[1] >= _HOUR_S else (60, "minutes")
    return f"between {ended_s[0] / size:g} and {ended_s[1] / size:g} {unit} ago"


def _source_down(selector: Selector, job: str, because_of: str, evidence: Sequence[str]) -> Rung:
    reason, hint = f"{selector.text} has no data: its source {job} is down", f"start {job}"
    return _rung(Verdict.UNKNOWN, "no data", reason, hint, because_of=because_of, evidence=evidence)


def _mismatch(selector: Selector, facts: LadderFacts, evidence: list[str]) -> Rung:
    """The metric lives, but not with these labels: which condition matches nothing?"""
    for label, op, value in selector.matchers:
        count = facts.looks[series.alone(selector.name, (label, op, value))]
        values = facts.looks[series.offered(selector.name, label)]
        if isinstance(count, Missing):
            return _unanswered(count, "mend the source")
        if isinstance(values, Missing):
            return _unanswered(values, "mend the source")
        if count.value:
            continue
        evidence += [count.evidence, values.evidence]
        known = [v for s in values.value if (v := s.labels.get(label, ""))]
        if not known:
            reason = f"{selector.name} has no label {label}, so {selector.text} can never match"
            hint = "name a label that the metric has, or have its source add this one"
            return _rung(Verdict.FAIL, "no such label", reason, hint, evidence=evidence)
        reason = f"{selector.name} is alive, but no series of it has {label}{op}“{value}”"
        hint = f"{label} is, for example, {' or '.join(known)}"
        return _rung(Verdict.WARN, _NO_VALUE, reason, hint, evidence=evidence)
    reason = f"{selector.name} is alive and has each of these labels, but no series has all: {selector.text}"
    hint = "compare the conditions with the series that the metric has"
    return _rung(Verdict.WARN, _NOT_TOGETHER, reason, hint, evidence=evidence)


def _old(selector: Selector, facts: LadderFacts, policy: Policy, observed: str, *, at: datetime) -> Rung | None:
    """A remark or a failure where the newest data of some job is older than it may be."""
    pulse = facts.pulses[selector.text]
    if isinstance(pulse, Missing) or selector.name in OF_THE_SERVER:
        return None
    down = targets.down_jobs(facts.targets, policy)
    for job, newest in pulse.value.newest.items():
        age_s = at.timestamp() - newest
        limit_s = policy.readiness.limits.fresh_intervals * facts.interval_s(job)
        if age_s > limit_s:
            whose = f" of {job}" if job else ""
            reason = (
                f"the newest data{whose} for {selector.text} is {age_s:.0f} s old; it should be within {limit_s:g} s"
            )
            verdict = Verdict.WARN if age_s <= _LATE * limit_s else Verdict.FAIL
            hint = "see Prometheus' /targets page: is it still scraped, and does it answer?"
            return _rung(verdict, observed, reason, hint, because_of=down.get(job, ""), evidence=[pulse.evidence])
    return None


def _judge_empty(expression: Expression, evidence: list[str]) -> Rung:
    if expression.filters or any(s.name in OF_THE_SERVER for s in expression.selectors):
        reason = "nothing meets the condition, and its inputs are alive"
        return _rung(Verdict.PASS, "empty, inputs alive", reason, evidence=evidence)
    reason = "every series that it selects is alive, but combining them leaves nothing"
    hint = "the labels of the two sides may not match, or a rate window may be too short"
    return _rung(Verdict.FAIL, "no data", reason, hint, evidence=evidence)


def _observed(expression: Expression, reply: series.Reply, facts: LadderFacts, *, at: datetime) -> str:
    pulses = (facts.pulses[s.text] for s in expression.selectors)
    times = [t for p in pulses if isinstance(p, Answer) for t in p.value.newest.values()]
    counted = "" if reply.samples is not None else " (too many to fetch, so counted)"
    return f"{reply.series:,} series{counted}" + (
        f", inputs {max(0.0, at.timestamp() - min(times)):.0f} s old" if times else ""
    )


def _unanswered(missing: Missing, hint: str) -> Rung:
    verdict = Verdict.FAIL if missing.cause is Cause.INVALID else Verdict.UNKNOWN
    return _rung(verdict, f"no answer ({missing.cause})", missing.detail, hint, evidence=[missing.evidence])


def _rung(
    verdict: Verdict, observed: str, reason: str, hint: str = "", *, because_of: str = "", evidence: Iterable[str] = ()
) -> Rung:
    return Rung(
        verdict=verdict, observed=observed, reason=reason, hint=hint, because_of=because_of, evidence=tuple(evidence)
    )
