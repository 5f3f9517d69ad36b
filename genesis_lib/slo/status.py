"""Judge one objective: its value in the evaluation window against target and thresholds, and all that is said beside it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import NormalDist

from genesis_lib.formatting import Unit, duration, quantity
from genesis_lib.model import Cause, Missing, Sample, Verdict
from genesis_lib.objectives.indicator import EventsIndicator, LatencyIndicator, ValueIndicator
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo import period as periods
from genesis_lib.slo.budget import Budget, Forecast, budget, forecast
from genesis_lib.slo.burn import Burn, burns
from genesis_lib.slo.facts import ObjectiveFacts, SloFacts
from genesis_lib.slo.period import LEAST_COVERAGE, Period, attained_of, window_coverage
from genesis_lib.slo.recorded import Source

__all__ = [
    "NOTHING",
    "WRONG",
    "Interval",
    "Status",
    "Worst",
    "applicable",
    "is_silent",
    "status",
    "statuses",
    "verdict_of",
    "wilson",
]

NOTHING = (Cause.NO_DATA, Cause.NOT_A_NUMBER)  # Prometheus answered, and there is no value
WRONG = (Cause.INVALID, Cause.AMBIGUOUS)  # the objective itself is wrong, whatever the data


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Between which bounds the true share lies, with the objective's confidence."""

    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Worst:
    """The series that is worst, by the objective's label, and its value."""

    label: str
    name: str
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One objective at one instant, in the objective's unit.

    `value` is what happened in the evaluation window; `distance` is how far it lies on the good side of the target (negative: on the
    bad side); `events` is how many events the window held; `interval` is Wilson's, for shares of independent events.
    `verdict` with `reason` and `hint` is about the value; budget and burn rates are judged apart from it (checks/slos.py).
    """

    objective: Objective
    verdict: Verdict
    reason: str
    hint: str
    value: float | Missing
    distance: float | Missing
    events: float | Missing
    interval: Interval | Missing
    period: Period
    worst: Worst | None
    budget: Budget | Missing
    burns: tuple[Burn, ...]
    forecast: Forecast | Missing
    source: Source
    warnings: tuple[str, ...]
    evidence: tuple[str, ...]


def statuses(facts: SloFacts, *, at: datetime) -> tuple[Status, ...]:
    """The status of each objective that applies, in the order of policy."""
    return tuple(status(one, at=at) for one in facts.objectives)


def applicable(facts: SloFacts, *, at: datetime) -> SloFacts:
    """The same facts, with the objectives that policy lets go without data, and that have none, among those that do not apply."""
    gone = {
        one.objective.name: one.objective
        for one in facts.objectives
        if one.objective.no_data == "not_applicable" and is_silent(status(one, at=at))
    }
    return replace(
        facts,
        objectives=tuple(one for one in facts.objectives if one.objective.name not in gone),
        not_applicable={**facts.not_applicable, **{one.title: one.no_data_reason for one in gone.values()}},
    )


def is_silent(told: Status) -> bool:
    """Whether Prometheus answered, and there is no value."""
    return isinstance(told.value, Missing) and told.value.cause in NOTHING


def status(facts: ObjectiveFacts, *, at: datetime) -> Status:
    """The status of one objective."""
    objective = facts.objective
    value, events = _value(facts), facts.counts[objective.window].total
    period = periods.of_period(facts)
    verdict, reason, hint = _judge(facts, value)
    distance = value if isinstance(value, Missing) else round(value - objective.target, 12)
    return Status(
        objective=objective,
        verdict=verdict,
        reason=reason,
        hint=hint,
        value=value,
        distance=-distance if isinstance(distance, float) and objective.better == "lower" else distance,
        events=events,
        interval=_interval(facts),
        period=period,
        worst=_worst(facts),
        budget=budget(objective, period),
        burns=burns(facts),
        forecast=forecast(facts, period, at=at),
        source=facts.source,
        warnings=facts.warnings,
        evidence=facts.evidence,
    )


def verdict_of(objective: Objective, value: float) -> tuple[Verdict, str]:
    """The verdict on a value, and why: FAIL beyond critical, WARN beyond warning or where the target is missed, else PASS."""
    unit = Unit(objective.unit)
    shown, side = quantity(value, unit), "below" if objective.better == "higher" else "above"
    target = quantity(objective.target, unit)
    met = objective.meets_target(value)
    about = f"the target ({_wanted(objective)} {target}) is {'met' if met else 'missed'}"
    if objective.is_worse(value, objective.critical):
        return Verdict.FAIL, f"{shown} is {side} the critical threshold of {quantity(objective.critical, unit)}"
    if objective.is_worse(value, objective.warning):
        return Verdict.WARN, f"{shown} is {side} the warning threshold of {quantity(objective.warning, unit)}; {about}"
    if not met:
        return Verdict.WARN, f"{shown}: {about}"
    return Verdict.PASS, f"{shown}: {about}"


def wilson(share: float, count: float, *, confidence: float) -> Interval:
    """The interval of Wilson (1927) for a share of `count` independent events; it never leaves 0 to 1, even for none or all."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = share + z * z / (2 * count)
    half = z * (share * (1 - share) / count + z * z / (4 * count * count)) ** 0.5
    scale = 1 + z * z / count
    return Interval(low=max(0.0, (middle - half) / scale), high=min(1.0, (middle + half) / scale))


def _judge(facts: ObjectiveFacts, value: float | Missing) -> tuple[Verdict, str, str]:
    objective = facts.objective
    if isinstance(value, Missing):
        is_failure = value.cause in WRONG or (value.cause in NOTHING and objective.no_data == "fail")
        verdict = Verdict.FAIL if is_failure else Verdict.UNKNOWN
        return verdict, value.detail, _MENDS.get(value.cause, "see that its series are scraped, then look again")
    events, seen = facts.counts[objective.window].total, window_coverage(facts)
    if isinstance(events, float) and events < objective.events_wanted:
        return Verdict.UNKNOWN, *_too_few(objective, events, seen)
    if isinstance(facts.tiles, Missing):
        return Verdict.UNKNOWN, facts.tiles.detail, "see why the past cannot be asked for, then look again"
    if seen < LEAST_COVERAGE:
        long = duration(objective.window)
        return (
            Verdict.UNKNOWN,
            f"there is data for {quantity(seen, Unit.RATIO)} of the last {long}; at least {quantity(LEAST_COVERAGE, Unit.RATIO)} is needed",
            "see why its series have gaps; wait until the window is whole again",
        )
    verdict, reason = verdict_of(objective, value)
    if verdict is Verdict.PASS and facts.warnings:
        return Verdict.WARN, f"{reason}; Prometheus warned: {facts.warnings[0]}", "mend what the server warns of"
    return verdict, reason, "" if verdict is Verdict.PASS else _runbook(objective)


_MENDS: Mapping[Cause, str] = {
    Cause.INVALID: "correct the query in slos.yaml",
    Cause.AMBIGUOUS: "aggregate the query in slos.yaml, or say `series: many`",
}


def _too_few(objective: Objective, events: float, seen: float) -> tuple[str, str]:
    """How many events are missing, and when they will be there; or that they never will."""
    wanted, long = objective.events_wanted, duration(objective.window)
    reason = f"{events:,.0f} events in the last {long}, and {wanted:,} are needed to tell"
    if events <= 0:
        return reason, "see that the service has traffic, or lengthen the window"
    if seen < LEAST_COVERAGE:
        return f"{reason}; there is data for {quantity(seen, Unit.RATIO)} of that time", "wait, then look again"
    needed = objective.window * (wanted / events)
    return (
        f"{reason}; at this pace {wanted:,} take {duration(needed)}, which the window never holds",
        f"lengthen the window to more than {duration(needed)}, or lower min_events",
    )


def _value(facts: ObjectiveFacts) -> float | Missing:
    objective, counts = facts.objective, facts.counts[facts.objective.window]
    match objective.indicator:
        case LatencyIndicator() | ValueIndicator():
            return _measured(facts)
    good = attained_of(counts)
    if isinstance(good, Missing):
        return good
    return good if objective.better == "higher" else round(1 - good, 12)


def _measured(facts: ObjectiveFacts) -> float | Missing:
    """The value that Prometheus worked out: of several series, where several are right, the worst."""
    objective, values = facts.objective, facts.values
    if isinstance(values, Missing):
        return values
    if isinstance(objective.indicator, LatencyIndicator) and facts.counts[objective.window].total == 0:
        detail = f"nothing happened in the last {duration(objective.window)}: there were no events"
        return Missing(cause=Cause.NO_DATA, detail=detail, evidence=values.evidence)
    if not values.value:
        return Missing(cause=Cause.NO_DATA, detail="the query yields nothing", evidence=values.evidence)
    wants_one = isinstance(objective.indicator, ValueIndicator) and objective.indicator.series == "one"
    if wants_one and len(values.value) > 1:
        names = "; ".join(_named(sample) for sample in values.value)
        detail = f"one number is wanted, and several series are given: {names}"
        return Missing(cause=Cause.AMBIGUOUS, detail=detail, evidence=values.evidence)
    value = values.value[0].value
    return value if isinstance(value, Missing) else round(value, 12)


def _interval(facts: ObjectiveFacts) -> Interval | Missing:
    objective, counts = facts.objective, facts.counts[facts.objective.window]
    if objective.census:
        detail = "all events were counted (a census), so there is nothing to estimate"
        return Missing(cause=Cause.UNDEFINED, detail=detail)
    if not isinstance(objective.indicator, EventsIndicator | LatencyIndicator):
        detail = "time slices follow from one another; an interval for independent events would be too narrow"
        return Missing(cause=Cause.UNDEFINED, detail=detail)
    good = attained_of(counts)
    if isinstance(good, Missing):
        return good
    assert isinstance(counts.total, float)  # noqa: S101 - else nothing was attained
    shows_good = isinstance(objective.indicator, LatencyIndicator) or objective.better == "higher"
    return wilson(good if shows_good else 1 - good, counts.total, confidence=objective.confidence)


def _worst(facts: ObjectiveFacts) -> Worst | None:
    label = facts.objective.split
    samples = [s for s in facts.worst if isinstance(s.value, float)]
    if not label or not samples or not isinstance(samples[0].value, float):
        return None
    return Worst(label=label, name=samples[0].labels.get(label, ""), value=samples[0].value)


def _named(sample: Sample) -> str:
    return ", ".join(f"{name}={value}" for name, value in sample.labels.items()) or "one without labels"


def _wanted(objective: Objective) -> str:
    return "at least" if objective.better == "higher" else "below"


def _runbook(objective: Objective) -> str:
    return f"see {objective.runbook}" if objective.runbook else "find the worst series, and what changed"
