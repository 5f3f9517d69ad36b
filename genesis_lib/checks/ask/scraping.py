"""Ask Prometheus what it knows of its scrape targets, once for all checks that stand on it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import yaml

from genesis_lib.checks.ask.promql import Selector
from genesis_lib.clients.prometheus import Targets
from genesis_lib.model import Answer, Cause, Missing, Sample
from genesis_lib.params import Target
from genesis_lib.run import Run

__all__ = ["TargetFacts", "Vector", "gather", "interval_s", "of_job"]

# Where the target list cannot be had (a run about the past), freshness is judged by this interval, Prometheus' own default.
_DEFAULT_INTERVAL_S = 60.0
# One missed scrape is no outage: a target is down when it was down for this many scrapes in a row.
_SCRAPES = 4

Vector = Answer[tuple[Sample, ...]] | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """What Prometheus says of its targets; of a shared one, of those that are in `scope`.

    `up` is 1 for each target that answered at least one of its last scrapes; `scraped_at` is the time of the last one, in seconds
    since the epoch. `scraped` is how many samples it exposed, `kept` how many were left by metric relabelling, each the most of the last
    scrapes; `exposed` has, by job, the metrics declared of it that it exposes, as `__name__`.

    `limits` are the sample limits by scrape pool, which is the `job_name` in the configuration; 0: none is set.
    """

    expected: Mapping[str, Target]
    scope: Mapping[str, str]
    listing: Answer[Targets] | Missing
    limits: Answer[Mapping[str, int]] | Missing
    up: Vector
    scraped_at: Vector
    scraped: Vector
    kept: Vector
    exposed: Mapping[str, Vector]


def gather(run: Run) -> TargetFacts:
    """Ask for the list of targets and the configuration, and for the targets' series at the run's instant."""
    return run.once("targets", _gather)


def interval_s(facts: TargetFacts, job: str = "") -> float:
    """The longest scrape interval, of one job or of all."""
    return _interval_s(facts.listing, job)


def of_job(answer: Vector, job: str) -> dict[str, float]:
    """The values of a job's series, by instance."""
    samples = () if isinstance(answer, Missing) else answer.value
    mine = [s for s in samples if s.labels.get("job") == job]
    return {s.labels.get("instance", "?"): s.value for s in mine if isinstance(s.value, float)}


def _gather(run: Run) -> TargetFacts:
    listing = run.ask_now(lambda: run.prometheus.targets())
    config = run.ask_now(lambda: run.prometheus.config())
    window = f"[{math.ceil(_SCRAPES * _interval_s(listing))}s]"

    def asked(text: str) -> Callable[[], Answer[tuple[Sample, ...]]]:
        return lambda: run.prometheus.query(text, at=run.as_of)

    answers = run.ask_all(
        {
            "up": asked(f"max_over_time(up{window})"),
            "scraped_at": asked("timestamp(up)"),
            "scraped": asked(f"max_over_time(scrape_samples_scraped{window})"),
            "kept": asked(f"max_over_time(scrape_samples_post_metric_relabeling{window})"),
        }
    )
    declared = {job: target.metrics for job, target in run.environment.targets.items() if target.metrics}
    exposed = run.ask_all({job: asked(_exposed(job, metrics)) for job, metrics in declared.items()})
    return TargetFacts(
        exposed=exposed,
        expected=run.environment.targets,
        scope=run.environment.scope,
        listing=listing,
        limits=_limits(config),
        **answers,
    )


def _exposed(job: str, metrics: Sequence[str]) -> str:
    matchers = (("job", "=", job), ("__name__", "=~", "|".join(metrics)))
    return f"count by (__name__) ({Selector(name='', matchers=matchers, absence_wanted=False).text})"


def _interval_s(listing: Answer[Targets] | Missing, job: str = "") -> float:
    """Of all jobs, where this one has no target that is known."""
    active = () if isinstance(listing, Missing) else listing.value.active
    mine = [t.interval_s for t in active if t.job == job] or [t.interval_s for t in active]
    return max(mine, default=_DEFAULT_INTERVAL_S)


def _limits(config: Answer[str] | Missing) -> Answer[Mapping[str, int]] | Missing:
    if isinstance(config, Missing):
        return config
    # libyaml's parser, where there is one: the configuration of a large server takes the other one seconds.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(config.value, Loader=loader)  # noqa: S506 - both are safe
        everyone = (document.get("global") or {}).get("sample_limit") or 0
        found = {j["job_name"]: int(j.get("sample_limit") or everyone) for j in document.get("scrape_configs") or ()}
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        detail = f"Prometheus' running configuration cannot be read for sample limits ({type(error).__name__}: {error})"
        return Missing(cause=Cause.MALFORMED, detail=detail, evidence=config.evidence)
    return Answer(value=found, evidence=config.evidence, asked_at=config.asked_at)
