"""Find out why a PromQL expression answers, or why it does not: the one mechanism behind queries, rules and panels."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from difflib import get_close_matches

from genesis_lib.checks import promql, targets
from genesis_lib.checks.claims import identify
from genesis_lib.checks.promql import Expression, Selector, Unparsable
from genesis_lib.checks.targets import TargetFacts
from genesis_lib.model import Answer, Cause, Missing, Sample, Verdict, worst
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["LadderFacts", "Rung", "gather", "judge", "metric_jobs", "no_such_metric", "unknown_metrics"]

# How far back a metric may have lived to count as "vanished" and not as "never existed".
_MEMORY = timedelta(days=14)
# Series that the server makes itself; their absence means that nothing is active.
_OF_THE_SERVER = {"ALERTS", "ALERTS_FOR_STATE"}
_TOO_MANY_NAMES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderFacts:
    """What Prometheus answered to expressions, and what it knows of the series they select.

    `newest` holds, per selector, the time (seconds since the epoch) of its newest sample; `names` are all metric names of the last 14 days.
    """

    answers: Mapping[str, Answer[tuple[Sample, ...]] | Missing]
    newest: Mapping[str, Answer[tuple[Sample, ...]] | Missing]
    names: Answer[tuple[str, ...]] | Missing
    targets: TargetFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Where on the ladder an expression came to stand."""

    verdict: Verdict
    observed: str
    reason: str
    hint: str
    because_of: str
    evidence: tuple[str, ...]


def gather(run: Run, expressions: Iterable[str]) -> LadderFacts:
    """Ask each distinct expression once, then what is known of the selectors in it."""
    parsed = {text: promql.parse(text) for text in dict.fromkeys(expressions)}
    good = [e for e in parsed.values() if isinstance(e, Expression)]
    selectors = dict.fromkeys(s for e in good for s in e.selectors)
    # A selector that finds nothing is asked again by its name alone: is it the labels, or the metric?
    probes = dict.fromkeys([s.text for s in selectors] + [s.name for s in selectors if s.name])
    prometheus = run.prometheus
    return LadderFacts(
        answers=run.ask_all({e.text: _question(run, e.text) for e in good}),
        newest=run.ask_all({probe: _question(run, f"max(timestamp({probe}))") for probe in probes}),
        names=run.ask(
            lambda: prometheus.label_values("__name__", start=run.as_of - _MEMORY, end=run.as_of, limit=_TOO_MANY_NAMES)
        ),
        targets=targets.gather(run),
    )


def judge(text: str, facts: LadderFacts, policy: Policy, *, at: datetime) -> Rung:
    """Climb: parsed? answered? data? and, where there is none, the cause."""
    expression = promql.parse(text)
    if isinstance(expression, Unparsable):
        return _rung(
            Verdict.FAIL, "not PromQL", f"the query cannot be parsed: {expression.reason}", "correct the query"
        )
    answer = facts.answers[text]
    evidence = [answer.evidence]
    if isinstance(answer, Missing):
        verdict = Verdict.FAIL if answer.cause is Cause.INVALID else Verdict.UNKNOWN
        return _rung(
            verdict, f"no answer ({answer.cause})", answer.detail, "mend the source or the query", evidence=evidence
        )

    broken = [rung for selector in expression.selectors if (rung := _broken(selector, facts, policy))]
    if broken:
        decisive = worst(rung.verdict for rung in broken)
        return next(rung for rung in broken if rung.verdict is decisive)
    if not answer.value:
        return _judge_empty(expression, evidence)
    wrong = [s.value for s in answer.value if isinstance(s.value, Missing)]
    if wrong:
        reason = f"the answer is not a number in {len(wrong)} of {len(answer.value)} series: {wrong[0].detail}"
        hint = "a division by zero (no traffic?) or a quantile of nothing; see that its inputs move"
        return _rung(Verdict.UNKNOWN, "not a number", reason, hint, evidence=evidence)
    return _judge_alive(expression, answer, facts, at=at)


def unknown_metrics(text: str, facts: LadderFacts) -> list[str]:
    """The metrics that an expression names and that nobody exposes, or ever did within memory."""
    expression = promql.parse(text)
    if isinstance(expression, Unparsable) or isinstance(facts.names, Missing):
        return []
    known = {*facts.names.value, *metric_jobs(facts.targets), *_OF_THE_SERVER}
    gone = (s.name for s in expression.selectors if s.name and s.name not in known)
    return [name for name in dict.fromkeys(gone) if _newest(facts.newest[name]) is None]


def no_such_metric(name: str, facts: LadderFacts) -> Rung:
    """FAIL: nobody exposes this metric; the nearest names that exist are offered."""
    known = () if isinstance(facts.names, Missing) else facts.names.value
    jobs = metric_jobs(facts.targets)
    near = get_close_matches(name, sorted({*known, *jobs}), n=3, cutoff=0.75)
    offers = [f"{n} (exposed by {jobs[n]})" if n in jobs else n for n in near]
    return _rung(
        Verdict.FAIL,
        "no such metric",
        f"no source exposes a metric named {name}, and none did within the last 14 days",
        f"did you mean {' or '.join(offers)}?" if near else "no metric of a similar name is known",
        because_of=identify("queries.metric", name),
        evidence=[facts.newest[name].evidence, facts.names.evidence],
    )


def metric_jobs(facts: TargetFacts) -> dict[str, str]:
    """Which expected job exposes which metric, as the environment declares it."""
    return {metric: job for job, target in facts.expected.items() for metric in target.metrics}


def _judge_empty(expression: Expression, evidence: list[str]) -> Rung:
    if expression.filters or any(s.name in _OF_THE_SERVER for s in expression.selectors):
        return _rung(
            Verdict.PASS,
            "empty, inputs alive",
            "nothing meets the condition, and its inputs are alive",
            evidence=evidence,
        )
    return _rung(
        Verdict.FAIL,
        "no data",
        "every series that it selects is alive, but combining them leaves nothing",
        "the labels of the two sides may not match, or a rate window may be too short",
        evidence=evidence,
    )


def _judge_alive(
    expression: Expression, answer: Answer[tuple[Sample, ...]], facts: LadderFacts, *, at: datetime
) -> Rung:
    count = len(answer.value)
    times = [t for s in expression.selectors if (t := _newest(facts.newest[s.text])) is not None]
    age = f", newest input {max(0.0, at.timestamp() - min(times)):.0f} s old" if times else ""
    observed = f"{count} series{age}"
    evidence = [answer.evidence, *(facts.newest[s.text].evidence for s in expression.selectors)]
    if answer.warnings:
        reason = f"the answer came with a warning: {answer.warnings[0]}"
        return _rung(Verdict.WARN, observed, reason, "mend what the server warns of", evidence=evidence)
    return _rung(Verdict.PASS, observed, "answered with data", evidence=evidence)


def _broken(selector: Selector, facts: LadderFacts, policy: Policy) -> Rung | None:
    """Why this selector finds nothing; None where it finds something, or need not."""
    newest = facts.newest[selector.text]
    if isinstance(newest, Missing):
        verdict = Verdict.FAIL if newest.cause is Cause.INVALID else Verdict.UNKNOWN
        return _rung(
            verdict, f"no answer ({newest.cause})", newest.detail, "mend the source", evidence=[newest.evidence]
        )
    if newest.value or selector.name in _OF_THE_SERVER:
        return None
    evidence = [newest.evidence, facts.names.evidence]
    jobs, down = metric_jobs(facts.targets), targets.down_jobs(facts.targets, policy)
    asked_job = next((value for label, op, value in selector.matchers if label == "job" and op == "="), "")
    job = asked_job or jobs.get(selector.name, "")

    if selector.name and _newest(facts.newest[selector.name]) is not None:
        if selector.absence_wanted:
            return None
        reason = f"{selector.name} is alive, but no series of it matches {selector.text}"
        return _rung(
            Verdict.WARN,
            "no such labels",
            reason,
            "compare the label values with those the metric has",
            evidence=evidence,
        )
    if isinstance(facts.names, Missing):
        return _rung(Verdict.UNKNOWN, "no data", facts.names.detail, "mend the source", evidence=evidence)
    known = selector.name in facts.names.value or selector.name in jobs
    if known and selector.absence_wanted:
        return None  # absent() exists to be asked of what is not there
    if known:
        because_of = down.get(job, "")
        cause = f"its source {job} is down" if because_of else "it existed within the last 14 days and has vanished"
        verdict = Verdict.UNKNOWN if because_of else Verdict.FAIL
        hint = f"start {job}" if because_of else "find out who exposed it, and why no more"
        return _rung(
            verdict, "no data", f"{selector.text} has no data: {cause}", hint, because_of=because_of, evidence=evidence
        )
    return no_such_metric(selector.name, facts)


def _newest(answer: Answer[tuple[Sample, ...]] | Missing) -> float | None:
    if isinstance(answer, Missing) or not answer.value:
        return None
    value = answer.value[0].value
    return value if isinstance(value, float) else None


def _question(run: Run, expression: str) -> Callable[[], Answer[tuple[Sample, ...]]]:
    return lambda: run.prometheus.query(expression, at=run.as_of)


def _rung(
    verdict: Verdict, observed: str, reason: str, hint: str = "", *, because_of: str = "", evidence: Iterable[str] = ()
) -> Rung:
    return Rung(
        verdict=verdict, observed=observed, reason=reason, hint=hint, because_of=because_of, evidence=tuple(evidence)
    )
