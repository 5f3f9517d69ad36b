"""Does Prometheus scrape every target that the environment expects, and has it just done so?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from genesis_lib.checks.claims import cannot_tell, finding, identify, proof
from genesis_lib.clients.prometheus import Targets
from genesis_lib.model import Answer, Finding, Missing, Sample, Verdict
from genesis_lib.params import Target
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "TargetFacts", "down_jobs", "gather", "judge"]

NAME = "targets"
CLAIMS = ("targets.up", "targets.fresh")
# Where the target list cannot be had (a run about the past), freshness is judged by this interval, Prometheus' own default.
_DEFAULT_INTERVAL_S = 60.0
# One missed scrape is no outage: a target is down when it was down for this many scrapes in a row.
_SCRAPES = 4
# A scrape that is this many times over its limit is no longer late, but gone.
_LATE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """What Prometheus says of its targets.

    `up` is 1 for each target that answered at least one of its last scrapes; `scraped_at` is the time of the last one, in seconds
    since the epoch.
    """

    expected: Mapping[str, Target]
    listing: Answer[Targets] | Missing
    up: Answer[tuple[Sample, ...]] | Missing
    scraped_at: Answer[tuple[Sample, ...]] | Missing


def gather(run: Run) -> TargetFacts:
    """Ask for the list of targets, and for `up` at the run's instant."""
    listing = run.ask_now(lambda: run.prometheus.targets())
    window_s = int(_SCRAPES * _interval_s(listing))
    return TargetFacts(
        expected=run.environment.targets,
        listing=listing,
        up=run.ask(lambda: run.prometheus.query(f"max_over_time(up[{window_s}s])", at=run.as_of)),
        scraped_at=run.ask(lambda: run.prometheus.query("timestamp(up)", at=run.as_of)),
    )


def judge(facts: TargetFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """`targets.up` for each expected job, `targets.fresh` for each that is up."""
    found = []
    for job, target in facts.expected.items():
        up = _judge_up(job, target, facts, policy)
        found.append(up)
        if up.verdict is Verdict.PASS:
            found.append(_judge_fresh(job, facts, policy, at=at))
    return found


def down_jobs(facts: TargetFacts, policy: Policy) -> dict[str, str]:
    """The expected jobs that are not up, each with the id of the finding that says so: what their series' absence follows from."""
    findings = {job: _judge_up(job, target, facts, policy) for job, target in facts.expected.items()}
    return {job: identify("targets.up", job) for job, f in findings.items() if not f.verdict.is_good}


def _judge_up(job: str, target: Target, facts: TargetFacts, policy: Policy) -> Finding:
    claim, expected = "targets.up", f"at least {target.count} up"
    if isinstance(facts.up, Missing):
        return cannot_tell(policy, claim, job, facts.up, expected=expected)
    states = {s.labels.get("instance", "?"): s.value == 1 for s in facts.up.value if s.labels.get("job") == job}
    up, down = [i for i, ok in states.items() if ok], [i for i, ok in states.items() if not ok]
    errors = _errors(facts.listing, job)
    details = ", ".join(f"{i} ({errors[i]})" if errors.get(i) else i for i in down)
    if len(up) >= target.count:
        verdict, reason, hint = Verdict.PASS, f"{job}: {len(up)} of {len(states)} targets up", ""
    elif not states:
        verdict, reason = Verdict.FAIL, f"Prometheus scrapes no target of the job {job}"
        hint = f"add the job {job} to Prometheus' scrape_configs, or correct `targets` in the environment's file"
    else:
        verdict = Verdict.FAIL
        reason = f"{job} is down: {len(up)} of {target.count} expected targets answer when Prometheus scrapes them"
        hint = f"start {job}, or find out why Prometheus cannot reach it"
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
    limit_s = policy.readiness.limits.fresh_intervals * _interval_s(facts.listing, job)
    claim, expected = "targets.fresh", f"scraped within {limit_s:g} s"
    if isinstance(facts.scraped_at, Missing):
        return cannot_tell(policy, claim, job, facts.scraped_at, expected=expected)
    times = [s.value for s in facts.scraped_at.value if s.labels.get("job") == job and isinstance(s.value, float)]
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


def _interval_s(listing: Answer[Targets] | Missing, job: str = "") -> float:
    """The longest scrape interval, of one job or of all."""
    if isinstance(listing, Missing):
        return _DEFAULT_INTERVAL_S
    return max((t.interval_s for t in listing.value.active if job in ("", t.job)), default=_DEFAULT_INTERVAL_S)


def _errors(listing: Answer[Targets] | Missing, job: str) -> dict[str, str]:
    if isinstance(listing, Missing):
        return {}
    return {t.instance: t.last_error for t in listing.value.active if t.job == job}
