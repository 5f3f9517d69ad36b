"""Does Prometheus scrape every target that the environment expects, has it just done so, and did it get what it came for?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from genesis_lib.checks.ask import scraping
from genesis_lib.checks.ask.scraping import TargetFacts, interval_s, of_job
from genesis_lib.checks.claims import cannot_tell, finding, identify, proof
from genesis_lib.clients.prometheus import Targets
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.params import Target
from genesis_lib.policy import Policy

__all__ = ["ALL_JOBS", "CLAIMS", "NAME", "TargetFacts", "down_jobs", "gather", "interval_s", "judge"]

NAME = "targets"
CLAIMS = ("targets.up", "targets.fresh", "targets.samples", "targets.metrics", "targets.listing")
ALL_JOBS = "all jobs"
# A scrape that is this many times over its limit is no longer late, but gone.
_LATE = 2
# Prometheus' own words; it throws such a scrape away as a whole.
_OVER_LIMIT = "sample limit exceeded"
_GROWN = "find out which metric of {job} has grown; drop it, or raise the job's sample_limit in scrape_configs"
_SHOWN = 5

gather = scraping.gather


def judge(facts: TargetFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """For each expected job whether it is up, fresh, within its limit and complete; `targets.listing` for all."""
    found = []
    for job, target in facts.expected.items():
        up = _judge_up(job, target, facts, policy)
        found.append(up)
        if up.verdict is Verdict.PASS:
            found.append(_judge_fresh(job, facts, policy, at=at))
            found.append(_judge_samples(job, target, facts, policy))
            found += [_judge_metrics(job, target, facts, policy)] if target.metrics else []
        else:
            claims = ("targets.fresh", "targets.samples", *(["targets.metrics"] if target.metrics else []))
            found += [_judge_of_down(claim, up, policy) for claim in claims]
    return [*found, _judge_listing(facts, policy)]


def down_jobs(facts: TargetFacts, policy: Policy) -> dict[str, str]:
    """The expected jobs that are not up, each with the id of the finding that says so: what their series' absence follows from."""
    findings = {job: _judge_up(job, target, facts, policy) for job, target in facts.expected.items()}
    return {job: identify("targets.up", job) for job, f in findings.items() if not f.verdict.is_good}


def _judge_of_down(claim: str, up: Finding, policy: Policy) -> Finding:
    missing = Missing(cause=Cause.NO_DATA, detail=f"{up.subject} is not known to be up, so its scrapes tell nothing")
    finding = cannot_tell(policy, claim, up.subject, missing, expected="up first", hint=up.hint, because_of=up.id)
    return replace(finding, evidence=up.evidence)


def _judge_up(job: str, target: Target, facts: TargetFacts, policy: Policy) -> Finding:
    claim, expected = "targets.up", f"at least {target.count} up"
    if isinstance(facts.up, Missing):
        return cannot_tell(policy, claim, job, facts.up, expected=expected)
    states = {instance: value == 1 for instance, value in of_job(facts.up, job).items()}
    up, down = [i for i, ok in states.items() if ok], [i for i, ok in states.items() if not ok]
    errors = _errors(facts.listing, job)
    details = ", ".join(f"{i} ({errors[i]})" if errors.get(i) else i for i in down)
    if len(up) >= target.count:
        verdict, reason, hint = Verdict.PASS, f"{job}: {len(up)} of {len(states)} targets up", ""
    elif not states:
        verdict, reason = Verdict.FAIL, f"Prometheus scrapes no target of the job {job}"
        hint = f"add the job {job} to Prometheus' scrape_configs, or correct `targets` in the environment's file"
    elif any(_OVER_LIMIT in errors.get(i, "") for i in down):
        verdict = Verdict.FAIL
        reason = (
            f"{job} answers, but with more samples than its sample_limit allows, so Prometheus throws each scrape away"
        )
        hint = _GROWN.format(job=job)
    else:
        verdict = Verdict.FAIL
        state = "lacks targets" if up else "is down"
        reason = f"{job} {state}: {len(up)} of {target.count} expected targets answer when Prometheus scrapes them"
        hint = f"start {job}, or find out why Prometheus cannot reach it"
        if up:
            hint = f"start the others, or correct targets.{job}.count in the environment's file"
    return finding(
        policy,
        claim,
        job,
        verdict,
        observed=f"{len(up)} up, {len(down)} down" + (f": {details}" if details else ""),
        expected=expected,
        reason=reason,
        hint=hint,
        evidence=proof(facts.up, facts.listing),
    )


def _judge_fresh(job: str, facts: TargetFacts, policy: Policy, *, at: datetime) -> Finding:
    limit_s = policy.readiness.limits.fresh_intervals * interval_s(facts, job)
    claim, expected = "targets.fresh", f"scraped within {limit_s:g} s"
    if isinstance(facts.scraped_at, Missing):
        return cannot_tell(policy, claim, job, facts.scraped_at, expected=expected)
    times = of_job(facts.scraped_at, job).values()
    age_s = at.timestamp() - max(times) if times else None
    if age_s is not None and age_s <= limit_s:
        verdict, reason = Verdict.PASS, f"{job} was scraped in time"
    elif age_s is not None and age_s <= _LATE * limit_s:
        verdict, reason = Verdict.WARN, f"the last scrape of {job} is late; one that is missed is no outage"
    else:
        verdict, reason = Verdict.FAIL, f"{job} was scraped too long ago; its values are old"
    return finding(
        policy,
        claim,
        job,
        verdict,
        observed="never scraped" if age_s is None else f"scraped {age_s:.0f} s before",
        expected=expected,
        reason=reason,
        hint="" if verdict is Verdict.PASS else "see Prometheus' /targets page for the scrape's duration and errors",
        evidence=proof(facts.scraped_at),
    )


def _judge_metrics(job: str, target: Target, facts: TargetFacts, policy: Policy) -> Finding:
    claim, expected, answer = "targets.metrics", "each metric that the environment declares of it", facts.exposed[job]
    if isinstance(answer, Missing):
        return cannot_tell(policy, claim, job, answer, expected=expected)
    have = {s.labels.get("__name__", "") for s in answer.value}
    lacks = [metric for metric in target.metrics if metric not in have]
    missed = bool(lacks) and any(_errors(facts.listing, job).values())
    verdict = Verdict.PASS if not lacks else Verdict.WARN if missed else Verdict.FAIL
    reason = f"{job} exposes all {len(target.metrics)} metrics that are declared of it"
    if lacks:
        why = "; its last scrape failed" if missed else ""
        reason = f"{job} is up, and does not expose {_named(lacks)}{why}"
    return finding(
        policy,
        claim,
        job,
        verdict,
        observed=f"{len(target.metrics) - len(lacks)} of {len(target.metrics)}",
        expected=expected,
        reason=reason,
        hint=f"look at its page, or correct targets.{job}.metrics in the environment's file" if lacks else "",
        evidence=proof(answer),
    )


def _judge_samples(job: str, target: Target, facts: TargetFacts, policy: Policy) -> Finding:
    claim, share = "targets.samples", policy.readiness.limits.sample_limit_used
    expected = f"samples, and at most {share * 100:g} % of the job's sample limit"
    for answer in (facts.scraped, facts.kept):
        if isinstance(answer, Missing):
            return cannot_tell(policy, claim, job, answer, expected=expected)
    evidence = proof(facts.scraped, facts.kept, facts.limits)
    judged = partial(finding, policy, claim, job, expected=expected, evidence=evidence)
    up = [instance for instance, value in of_job(facts.up, job).items() if value == 1]
    scraped, kept = of_job(facts.scraped, job), of_job(facts.kept, job)
    uncounted = [i for i in up if i not in scraped or i not in kept]
    if uncounted:
        reason = (
            f"there are no scrape_samples_* series of {_named(uncounted)}, though Prometheus makes them at each scrape"
        )
        hint = "does another server scrape this job and send on what it finds? then ask that one"
        return judged(Verdict.UNKNOWN, observed="not counted", reason=reason, hint=hint)
    empty = [i for i in up if not scraped[i]]
    hint = "see what it answers to a scrape, and that the job's metrics_path is right"
    if len(up) - len(empty) < target.count:
        reason = f"{job} is up, but exposes nothing: {_named(empty)}"
        return judged(Verdict.FAIL, observed="0 samples", reason=reason, hint=hint)
    if isinstance(facts.limits, Missing):
        reason = f"whether {job} has a sample limit cannot be told: {facts.limits.detail}"
        hint = "mend the source, then open a new run"
        return judged(Verdict.UNKNOWN, observed=_samples(kept, up), reason=reason, hint=hint)
    pools = _pools(facts.listing, job)
    limits = {i: limit for i in up if (limit := facts.limits.value.get(pools.get(i, job))) is not None}
    if len(limits) < len(up):
        names = _named([i for i in up if i not in limits])
        reason = (
            f"the running configuration does not list the scrape job of {names}, so its sample limit cannot be read"
        )
        hint = "it may stand in one of scrape_config_files, which Prometheus does not show; look there"
        return judged(Verdict.UNKNOWN, observed=_samples(kept, up), reason=reason, hint=hint)
    used, fullest = max((kept[i] / limits[i] if limits[i] else 0.0, i) for i in up)
    observed = _samples(kept, up) + (f", {used * 100:.0f} % of {limits[fullest]:,} at {fullest}" if used else "")
    if used > share:
        state = "over" if used > 1 else "near"  # one scrape over it is one that was missed; all of them: it is down
        reason = f"{fullest} is {state} its sample limit; of a scrape that exceeds it, Prometheus throws all away"
        return judged(Verdict.WARN, observed=observed, reason=reason, hint=_GROWN.format(job=job))
    if empty:
        return judged(Verdict.WARN, observed=observed, reason=f"up, but exposes nothing: {_named(empty)}", hint=hint)
    unkept = [i for i in up if not kept[i]]
    if unkept:
        reason = f"metric relabelling drops all that it exposes: {_named(unkept)}"
        return judged(Verdict.WARN, observed=observed, reason=reason, hint="see metric_relabel_configs of the job")
    reason = f"{job} exposes samples, " + (f"at most {share * 100:g} % of its limit" if used else "and no limit is set")
    return judged(Verdict.PASS, observed=observed, reason=reason)


def _judge_listing(facts: TargetFacts, policy: Policy) -> Finding:
    claim, expected = "targets.listing", "no job that is not declared, no expected target dropped"
    if isinstance(facts.listing, Missing):
        return cannot_tell(policy, claim, ALL_JOBS, facts.listing, expected=expected)
    listing = facts.listing.value
    mine = [t for t in listing.active if t.labels.items() >= facts.scope.items()]
    strange = sorted({t.job for t in mine} - facts.expected.keys())
    dropped: dict[str, list[str]] = {}
    for labels in listing.dropped_labels:
        if labels.get("job", "") in facts.expected:
            dropped.setdefault(labels["job"], []).append(labels.get("__address__", "?"))
    lacking = [j for j in dropped if sum(t.job == j for t in mine) < facts.expected[j].count]
    told = [f"{job}: {_named(dropped[job])}" for job in sorted(dropped, key=lambda job: job not in lacking)]
    hints = []
    if strange:
        hints.append("declare them under `targets` in the environment's file, or take them out of scrape_configs")
    if lacking:
        hints.append(f"see relabel_configs of {_named(lacking)}")
    reasons = [
        f"scraped, but not declared: {_named(strange)}" if strange else "every job that is scraped is declared",
        f"short of targets, and some were dropped by relabelling: {_named(lacking)}" if lacking else "",
        f"dropped by relabelling: {'; '.join(told)}" if told else "",
    ]
    return finding(
        policy,
        claim,
        ALL_JOBS,
        Verdict.WARN if strange or lacking else Verdict.PASS,
        observed=f"{len(mine)} targets of {len({t.job for t in mine})} jobs, {listing.dropped:,} dropped by relabelling",
        expected=expected,
        reason="; ".join(filter(None, reasons)),
        hint="; ".join(hints),
        evidence=proof(facts.listing),
    )


def _samples(kept: Mapping[str, float], up: Sequence[str]) -> str:
    low, high = min(kept[i] for i in up), max(kept[i] for i in up)
    return f"{high:,.0f} samples" if low == high else f"{low:,.0f} to {high:,.0f} samples"


def _named(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _errors(listing: Answer[Targets] | Missing, job: str) -> dict[str, str]:
    if isinstance(listing, Missing):
        return {}
    return {t.instance: t.last_error for t in listing.value.active if t.job == job}


def _pools(listing: Answer[Targets] | Missing, job: str) -> dict[str, str]:
    """The scrape pool of each target of a job, by instance."""
    if isinstance(listing, Missing):
        return {}
    return {t.instance: t.scrape_pool for t in listing.value.active if t.job == job}
