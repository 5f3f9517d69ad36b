"""What Prometheus counted of the test suite that ended last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from genesis_lib.model import Answer, Cause, Missing, Sample
from genesis_lib.run import Run
from genesis_lib.slo.asking import instant

__all__ = ["SuiteCount", "SuiteFacts", "count", "gather"]

Parts = Answer[Mapping[str, tuple[Sample, ...]]] | Missing
_AT_LEAST = timedelta(seconds=1)  # Prometheus takes no empty range


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteFacts:
    """The suite's metrics at the run's instant, and shortly before the last suite ended, with what happened since then."""

    now: Parts
    before: Parts


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteCount:
    """The suite that ended last, as of the scrape at `scraped`.

    `is_step` says that its counts are the growth of counters since before it; else Prometheus holds no sample from before, and they are
    all that the runner has counted since it started.
    """

    ended: datetime
    scraped: datetime
    tests: float
    passed: float
    is_step: bool


def gather(run: Run) -> SuiteFacts:
    """Ask when the last suite ended, then for the counters now and before it."""
    metrics = run.policy.health.tests
    total, passed, last = metrics.total, metrics.passed, metrics.last_run
    now = run.ask(instant(run, {"last": last, "scraped": f"timestamp({last})", "total": total, "passed": passed}))
    newest = _newest(now)
    if isinstance(newest, Missing):
        return SuiteFacts(now=now, before=newest)
    # Clocks of others may differ from Prometheus', and a scrape from just before must not be taken for one from after.
    skew = timedelta(seconds=run.policy.readiness.limits.clock_skew_s)
    ago = max(run.as_of - _ended(newest) + skew, _AT_LEAST)
    window = f"{ago // timedelta(milliseconds=1)}ms"
    parts = {
        name: f"{metric} offset {window}" for name, metric in (("last", last), ("total", total), ("passed", passed))
    }
    parts |= {"ends": f"changes({last}[{window}])", "restarts": f"resets({total}[{window}])"}
    return SuiteFacts(now=now, before=run.ask(instant(run, parts)))


def count(facts: SuiteFacts) -> SuiteCount | Missing:
    """The counts of the suite that ended last.

    Of several runners the one whose suite ended last counts, and only its own series. A counter that was reset in between began at zero.
    """
    newest = _newest(facts.now)
    if isinstance(facts.now, Missing):
        return facts.now
    if isinstance(newest, Missing):
        return newest
    if isinstance(facts.before, Missing):
        return facts.before
    now, before = _of(facts.now.value, newest), _of(facts.before.value, newest)
    if not {"total", "passed"} <= now.keys():
        detail = "Prometheus knows when the last suite ended, and not how many tests it had and how many passed"
        return Missing(cause=Cause.NO_DATA, detail=detail, evidence=facts.now.evidence)
    restarts = before.get("restarts", 0.0)
    if before.get("last") == newest.value:
        detail = "Prometheus knew of the last suite's end before it came: the clocks of both differ"
        return Missing(cause=Cause.UNDEFINED, detail=detail, evidence=facts.before.evidence)
    if before.get("ends", 0.0) > 1 + restarts:
        detail = "several suites ended so soon after each other that their counts cannot be told apart"
        return Missing(cause=Cause.AMBIGUOUS, detail=detail, evidence=facts.before.evidence)
    begin = {} if restarts else before
    return SuiteCount(
        ended=_ended(newest),
        scraped=datetime.fromtimestamp(now["scraped"], UTC),
        tests=now["total"] - begin.get("total", 0.0),
        passed=now["passed"] - begin.get("passed", 0.0),
        is_step=bool(restarts) or "total" in begin,
    )


def _newest(now: Parts) -> Sample | Missing:
    """The series of the runner whose suite ended last."""
    if isinstance(now, Missing):
        return now
    ran = [s for s in now.value["last"] if isinstance(s.value, float) and s.value > 0]
    if not ran:
        detail = "Prometheus has no series that says when a test suite ended last"
        return Missing(cause=Cause.NO_DATA, detail=detail, evidence=now.evidence)
    return max(ran, key=lambda s: s.value if isinstance(s.value, float) else 0.0)


def _of(parts: Mapping[str, tuple[Sample, ...]], runner: Sample) -> dict[str, float]:
    """The value of each part for this runner."""
    mine = _identity(runner)
    return {
        name: s.value
        for name, samples in parts.items()
        for s in samples
        if _identity(s) == mine and isinstance(s.value, float)
    }


def _identity(sample: Sample) -> dict[str, str]:
    return {name: value for name, value in sample.labels.items() if name != "__name__"}


def _ended(newest: Sample) -> datetime:
    return datetime.fromtimestamp(newest.value if isinstance(newest.value, float) else 0.0, UTC)
