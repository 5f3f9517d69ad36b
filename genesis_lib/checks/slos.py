"""Is each objective met, is its error budget left, does it burn slowly enough, and does the objective itself mean what it says?"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from genesis_lib.checks import targets
from genesis_lib.checks.ask import ladder, series
from genesis_lib.checks.ask.ladder import LadderFacts, Rung
from genesis_lib.checks.claims import finding, identify, observed_only
from genesis_lib.formatting import Unit, duration, quantity
from genesis_lib.model import Cause, Finding, Missing, Verdict, worst
from genesis_lib.objectives.indicator import SlicesIndicator, ValueIndicator
from genesis_lib.objectives.objective import Objective
from genesis_lib.policy import Policy
from genesis_lib.run import Run
from genesis_lib.slo import facts as slo_facts
from genesis_lib.slo.budget import Budget
from genesis_lib.slo.burn import Burn
from genesis_lib.slo.facts import ObjectiveFacts, SloFacts
from genesis_lib.slo.status import NOTHING, WRONG, Status, status

__all__ = ["CLAIMS", "NAME", "SlosFacts", "gather", "judge"]

NAME = "slos"
CLAIMS = ("slos.status", "slos.budget", "slos.burn", "slos.sound")
_REACHABLE = "choose a stricter target, or burn_windows with smaller shares"
_WAIT = "see why its series have gaps, or wait"
_WARNED = "mend what the server warns of"
_FEW = 10  # events; fewer are shown to one place


@dataclass(frozen=True, slots=True, kw_only=True)
class SlosFacts:
    """The objectives' numbers, why the series behind them answer or not, and whether the machines are only observed."""

    slos: SloFacts
    asked: LadderFacts
    is_observed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """One objective's status, and where on the ladder the series behind it stand: the worst of them."""

    facts: ObjectiveFacts
    status: Status
    rung: Rung
    down: str  # the finding that says that a job behind it is down, or empty

    @property
    def title(self) -> str:
        return self.status.objective.title

    @property
    def evidence(self) -> tuple[str, ...]:
        return (*self.status.evidence, *self.rung.evidence)


def gather(run: Run) -> SlosFacts:
    """Ask what the objectives are worth, and what is known of the series behind them."""
    slos = slo_facts.gather(run)
    expressions = [expr for one in slos.objectives for expr in one.counting.questions()]
    asked = series.gather(run, expressions)
    return SlosFacts(slos=slos, asked=asked, is_observed=run.environment.host == "observed")


def judge(facts: SlosFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """Four findings for each objective that applies; none for one that does not, which is named apart."""
    found: list[Finding] = []
    down = targets.down_jobs(facts.asked.targets, policy)
    for one in facts.slos.objectives:
        questions = one.counting.questions()
        rungs = [ladder.judge(expr, facts.asked, policy, at=at) for expr in questions]
        judged = _Judged(
            facts=one,
            status=status(one, at=at),
            rung=next(r for r in rungs if r.verdict is worst(r.verdict for r in rungs)),
            down=next((down[job] for job in _jobs(questions, facts.asked) if job in down), ""),
        )
        told = _status(judged, policy)
        if told is None:
            continue
        four = [told, _budget(judged, policy, told), _burn(judged, policy, told), _sound(judged, policy, told)]
        owned = [_owned(f, one.objective) for f in four]
        is_observed = facts.is_observed and one.objective.about == "host"
        found += [observed_only(f) for f in owned] if is_observed else owned
    return found


def _jobs(questions: Sequence[str], asked: LadderFacts) -> Iterator[str]:
    """The jobs whose series an objective stands on, as far as they have any."""
    for expression in (asked.parsed[text] for text in questions if text in asked.parsed):
        for selector in expression.selectors:
            pulse = asked.pulses[selector.text]
            yield from () if isinstance(pulse, Missing) else pulse.value.newest


def _status(judged: _Judged, policy: Policy) -> Finding | None:
    """What the value is worth, and no more than its series are: one that has ended is not good for ever. None: not applicable."""
    told, rung, objective = judged.status, judged.rung, judged.status.objective
    verdict, hint, because_of = told.verdict, told.hint, ""
    reason = (
        told.reason if isinstance(told.value, Missing) else f"over the last {duration(objective.window)}: {told.reason}"
    )
    is_silent = isinstance(told.value, Missing) and told.value.cause in NOTHING
    if is_silent and objective.no_data == "not_applicable":
        return None
    if (not rung.verdict.is_good and verdict is not Verdict.FAIL) or (is_silent and rung.verdict is not Verdict.PASS):
        is_gone = is_silent or rung.verdict is Verdict.FAIL or bool(rung.because_of)  # and not only a lost server
        verdict = Verdict.FAIL if objective.no_data == "fail" and is_gone else Verdict.UNKNOWN
        reason, hint, because_of = rung.reason, rung.hint, rung.because_of
    elif rung.verdict is Verdict.WARN and verdict is Verdict.PASS:
        verdict, reason, hint = Verdict.WARN, f"{reason}; but {rung.reason}", rung.hint
    elif verdict is Verdict.FAIL:
        is_wrong = isinstance(told.value, Missing) and told.value.cause in WRONG
        because_of = identify("slos.sound", judged.title) if is_wrong else judged.down
    return finding(
        policy,
        "slos.status",
        judged.title,
        verdict,
        observed=_shown(told.value, objective),
        expected=f"{'at least' if objective.better == 'higher' else 'below'} {_shown(objective.target, objective)}",
        reason=reason,
        hint=hint,
        because_of=because_of,
        evidence=judged.evidence,
    )


def _budget(judged: _Judged, policy: Policy, told: Finding) -> Finding:
    """Spent is a freeze, not a catastrophe; what was seen for a part of the period only is a remark."""
    budget, period, objective = judged.status.budget, judged.status.period, judged.status.objective
    verdict, because_of, hint = Verdict.PASS, "", ""
    long = duration(objective.period)
    if isinstance(budget, Missing):
        is_own = budget.cause is Cause.UNDEFINED
        verdict, reason = (Verdict.WARN if is_own else Verdict.UNKNOWN), budget.detail
        because_of = identify("slos.sound", judged.title) if is_own else _root(judged, told)
        observed, hint = f"no budget ({budget.cause})", "" if because_of else _WAIT
    else:
        observed = (
            f"spent {quantity(1 - budget.left, Unit.NUMBER)} times"
            if budget.is_spent
            else f"{quantity(budget.left, Unit.RATIO)} left"
        )
        bad, may = budget.allowed_events - budget.left_events, budget.allowed_events
        seen = duration(period.life) if period.is_young else long
        reason = f"of the {_count(may)} {_events(objective)} that may be bad in {seen}, {_count(bad)} were; {_ahead(judged.status)}"
        if budget.is_spent:
            because_of = judged.down
            verdict, hint = Verdict.FAIL, "release nothing but mends until bad events leave the period"
        elif period.is_young:
            verdict, hint = Verdict.WARN, f"it is whole when its series have lived for {long}"
            reason = f"judged over the {duration(period.life)} that its series have lived, not over {long}: {reason}"
        elif judged.status.warnings:
            verdict, hint = Verdict.WARN, _WARNED
            reason = f"{reason}; Prometheus warned: {judged.status.warnings[0]}"
    return finding(
        policy,
        "slos.budget",
        judged.title,
        verdict,
        observed=observed,
        expected=f"some of the budget of {long} is left",
        reason=reason,
        hint=hint,
        because_of=because_of,
        evidence=judged.status.evidence,
    )


def _burn(judged: _Judged, policy: Policy, told: Finding) -> Finding:
    """A page-level pair that fires fails, a ticket-level one is a remark; one that cannot be told is UNKNOWN."""
    burns = [burn for burn in judged.status.burns if burn.is_reachable]
    firing = [burn for burn in burns if burn.fires]
    unknown = next((m for b in burns if b.fires is None for m in (b.long, b.short) if isinstance(m, Missing)), None)
    if not judged.facts.counting.tells_bad and isinstance(bad := judged.status.period.counts.bad, Missing):
        unknown = bad  # that bad events cannot be told from others is why, whatever the windows hold
    pages = [burn for burn in firing if burn.window.severity == "page"]
    because_of, hint = "", ""
    if pages:
        verdict, reason, hint = Verdict.FAIL, _beyond(pages[0]), "find what fails, and stop it: this pages"
        because_of = told.because_of or (told.id if told.verdict is Verdict.FAIL else "")
    elif unknown is not None and unknown.cause is Cause.UNDEFINED:
        verdict, reason, because_of = Verdict.WARN, unknown.detail, identify("slos.sound", judged.title)
    elif not burns:
        verdict, reason = Verdict.WARN, "none of its alerts can ever fire, however fast it burns"
        because_of = identify("slos.sound", judged.title)
    elif unknown is not None:
        verdict, reason, because_of = Verdict.UNKNOWN, unknown.detail, _root(judged, told)
        hint = "" if because_of else _WAIT
    elif firing:
        verdict, reason, hint = Verdict.WARN, _beyond(firing[0]), "find what fails before the budget is gone"
    elif judged.status.warnings:
        verdict, hint = Verdict.WARN, _WARNED
        reason = f"no pair of windows burns beyond its factor; Prometheus warned: {judged.status.warnings[0]}"
    else:
        verdict, reason = Verdict.PASS, "no pair of windows burns beyond its factor"
    fastest = max((b.long for b in judged.status.burns if not isinstance(b.long, Missing)), default=None)
    return finding(
        policy,
        "slos.burn",
        judged.title,
        verdict,
        observed="no data" if fastest is None else f"fastest burn {_rate(fastest)}",
        expected="a budget that would last for its period",
        reason=reason,
        hint=hint,
        because_of=because_of,
        evidence=judged.status.evidence,
    )


def _sound(judged: _Judged, policy: Policy, status_told: Finding) -> Finding:
    """What is wrong with the objective itself, whatever the service does."""
    told, objective = judged.status, judged.status.objective
    wrong: list[tuple[Verdict, str, str, str]] = []  # verdict, in short, reason, hint
    if isinstance(value := told.value, Missing) and value.cause in WRONG:
        wrong.append((Verdict.FAIL, f"query {value.cause}", value.detail, told.hint))
    elif isinstance(value, Missing) and value.cause not in NOTHING:
        wrong.append((Verdict.UNKNOWN, f"no data ({value.cause})", value.detail, _WAIT))
    elif not judged.facts.counting.tells_bad and isinstance(bad := told.period.counts.bad, Missing):
        if bad.cause is Cause.UNDEFINED:
            hint = "give the histogram a bucket that ends at the target"
            wrong.append((Verdict.WARN, "no bucket at the target", bad.detail, hint))
        else:
            wrong.append((Verdict.UNKNOWN, f"no data ({bad.cause})", bad.detail, _WAIT))
    if not objective.budget_ratio and isinstance(told.budget, Missing):
        wrong.append((Verdict.WARN, "no budget", told.budget.detail, "set a target below 100 %"))
    wrong += [
        (Verdict.WARN, "unreachable alert", _unreachable(burn, objective), _REACHABLE)
        for burn in told.burns
        if objective.budget_ratio and not burn.is_reachable
    ]
    if told.source.disagrees:
        hint = "write the rules anew, and load them: genesis slo rules"
        wrong.append((Verdict.WARN, "recorded series disagree", told.source.note, hint))
    verdict = worst([Verdict.PASS, *(v for v, *_ in wrong)])
    return finding(
        policy,
        "slos.sound",
        judged.title,
        verdict,
        observed=", ".join(dict.fromkeys(short for _, short, _, _ in wrong)) or "no remark",
        expected="an objective that can be judged, and whose alerts can fire",
        reason="; ".join(reason for _, _, reason, _ in wrong) or "its target, buckets and alert windows fit together",
        hint=next((hint for v, _, _, hint in wrong if v is verdict), ""),
        because_of=_root(judged, status_told) if verdict is Verdict.UNKNOWN else "",
        evidence=told.evidence,
    )


def _root(judged: _Judged, told: Finding) -> str:
    """What cannot be told follows from what the status follows from, or from the status, where that cannot be told either."""
    is_known = isinstance(judged.status.value, float) and told.verdict is not Verdict.UNKNOWN
    return told.because_of or ("" if is_known else told.id)


def _beyond(burn: Burn) -> str:
    long, short = _rate(burn.long), _rate(burn.short)
    return (
        f"over the last {duration(burn.window.long)} the budget burns {long} times as fast as it may (alerting from "
        f"{burn.factor:.3g} on), and over the last {duration(burn.window.short)} {short} times"
    )


def _rate(rate: float | Missing) -> str:
    return "∞" if rate == math.inf else quantity(rate, Unit.NUMBER)


def _unreachable(burn: Burn, objective: Objective) -> str:
    return (
        f"an alert at a burn rate of {burn.factor:.3g} over {duration(burn.window.long)} can never fire: with a budget of "
        f"{quantity(objective.budget_ratio, Unit.RATIO)} the rate is at most {1 / objective.budget_ratio:.3g}, when everything fails"
    )


def _ahead(told: Status) -> str:
    forecast, long = told.forecast, duration(told.objective.period)
    if isinstance(told.budget, Budget) and told.budget.is_spent:
        return "it is spent"
    if isinstance(forecast, Missing):
        return forecast.detail
    pace = f"at the pace of the last {duration(forecast.pace)}"
    if forecast.spent_at is None:
        return f"{pace} it is not spent within the next {long}"
    return f"{pace} it is spent by {forecast.spent_at:%Y-%m-%d %H:%M} UTC"


def _count(events: float) -> str:
    return f"{events:,.0f}" if events >= _FEW or events.is_integer() else f"{events:.1f}"


def _events(objective: Objective) -> str:
    match objective.indicator:
        case SlicesIndicator(slice=length) | ValueIndicator(slice=length):
            return f"slices of {duration(length)}"
    return "events"


def _shown(value: float | Missing, objective: Objective) -> str:
    return f"no data ({value.cause})" if isinstance(value, Missing) else quantity(value, Unit(objective.unit))


def _owned(found: Finding, objective: Objective) -> Finding:
    return replace(found, owner=objective.owner) if objective.owner and not found.owner else found
