"""Say what is known of an objective in a few words each: for tables, terminals and captions. Plain text, no markup."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from genesis_lib.formatting import Unit, duration, quantity
from genesis_lib.model import Cause, Finding, Missing, Verdict, worst
from genesis_lib.objectives.indicator import LatencyIndicator, SlicesIndicator, ValueIndicator
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.budget import Forecast
from genesis_lib.slo.burn import Burn
from genesis_lib.slo.status import Status
from genesis_lib.views.theme import WORST_FIRST

__all__ = [
    "BEYOND",
    "Remark",
    "asides",
    "attained",
    "burn_state",
    "critical",
    "events",
    "forecast",
    "interval",
    "is_beyond",
    "missing_by_reason",
    "rate",
    "remarks",
    "short",
    "target",
    "trend",
    "value",
    "verdict",
    "warning",
]

BEYOND = "▲"  # beside a burn rate that is beyond its alert's factor
_LEAST_RATE = 0.005  # what is less would be shown as 0.00
_TENS, _HUNDREDS = 9.995, 99.95  # from which on a rate of three digits has one place, and none
_LEAST_TREND = 5e-6  # of a share; what is less is the noise of counting


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What there is to say about an objective beside its numbers; no verdict where it only tells why a number is not there."""

    verdict: Verdict | None
    about: tuple[str, ...]
    reason: str
    hint: str
    waiver: str


def verdict(status: Status, findings: Sequence[Finding]) -> Verdict:
    """The worst of what was found about it; where nothing was judged, the verdict on its value."""
    found = _about(status, findings)
    return worst(f.verdict for f in found) if found else status.verdict


def remarks(status: Status, findings: Sequence[Finding]) -> list[Remark]:
    """Why it is not PASS, worst first, and why numbers are not there; each reason once, with all that it is the reason of."""
    about = _about(status, findings)
    said: list[Remark] = []
    for group in _alike([f for v in WORST_FIRST for f in about if f.verdict is v]):
        first, claims = group[0], tuple(f.check.partition(".")[2] for f in group)
        hint = next((f.hint for f in group if f.hint), "")
        said.append(Remark(verdict=first.verdict, about=claims, reason=first.reason, hint=hint, waiver=first.waiver))
    if not about and status.verdict is not Verdict.PASS:
        own = Remark(verdict=status.verdict, about=("status",), reason=status.reason, hint=status.hint, waiver="")
        said.append(own)
    told = {claim for remark in said for claim in remark.about}
    burning = next((b.long for b in status.burns if isinstance(b.long, Missing)), None)
    numbers = {
        "value": None if "status" in told else status.value,
        "period": None if "budget" in told else status.period.attained,
        "budget": None if "budget" in told else status.budget,
        "burn rate": None if "burn" in told else burning,
    }
    apart = [*missing_by_reason(numbers).items(), *((warned, ["Prometheus warned"]) for warned in status.warnings)]
    for reason, parts in apart:
        if not _is_said(reason, said):
            said.append(Remark(verdict=None, about=tuple(parts), reason=reason, hint="", waiver=""))
    return said


def asides(status: Status, findings: Sequence[Finding]) -> dict[str, list[str]]:
    """Why it has no interval or no trend, which is nothing to act on: the reason to the names of the parts."""
    said = remarks(status, findings)
    numbers = {"interval": status.interval, "trend": status.period.trend}
    # Where the value or the period itself is not there, that is said already, and these follow from it.
    known = {"interval": status.value, "trend": status.period.attained}
    parts = missing_by_reason({name: one for name, one in numbers.items() if not isinstance(known[name], Missing)})
    return {reason: names for reason, names in parts.items() if not _is_said(reason, said)}


def short(missing: Missing) -> str:
    """That there is no number, in two words; the reason stands elsewhere."""
    return "none" if missing.cause is Cause.UNDEFINED else "no data"


def value(objective: Objective, number: float | Missing) -> str:
    """A number in the objective's unit."""
    return short(number) if isinstance(number, Missing) else quantity(number, Unit(objective.unit))


def target(objective: Objective) -> str:
    """What is wanted: `≥ 98 %`, `< 200 ms`."""
    return f"{'≥' if objective.better == 'higher' else '<'} {quantity(objective.target, Unit(objective.unit))}"


def warning(objective: Objective) -> str:
    """Beyond what it warns: `< 99 %`, `> 150 ms`."""
    return _beyond(objective, objective.warning)


def critical(objective: Objective) -> str:
    """Beyond what it fails: `< 98 %`, `> 200 ms`."""
    return _beyond(objective, objective.critical)


def attained(status: Status) -> str:
    """The share of good events over the period."""
    share = status.period.attained
    return short(share) if isinstance(share, Missing) else quantity(share, Unit.RATIO)


def interval(status: Status) -> str:
    """Between which bounds the true share lies; for a latency, that is the share of operations within the target."""
    bounds, objective = status.interval, status.objective
    if isinstance(bounds, Missing):
        return short(bounds)
    low, high = (quantity(share, Unit.RATIO) for share in (bounds.low, bounds.high))
    of = (
        f" within {quantity(objective.target, Unit.SECONDS)}"
        if isinstance(objective.indicator, LatencyIndicator)
        else ""
    )
    return f"{low.split(_THIN)[0]} to {high}{of}"


def trend(status: Status) -> str:
    """By how many percentage points more, or less, was attained than in the period before."""
    change = status.period.trend
    if isinstance(change, Missing):
        return short(change)
    if abs(change) < _LEAST_TREND:
        return "unchanged"
    sign, better = ("+", "better") if change > 0 else (_MINUS, "worse")
    return f"{sign}{quantity(abs(change), Unit.RATIO).split(_THIN)[0]} points, {better}"


def events(objective: Objective, number: float) -> str:
    """Events with what they are called where they are minutes or other slices of time; fewer than ten to one place."""
    places = 0 if abs(number) >= _FEW or float(number).is_integer() else 1
    count = f"{number:,.{places}f}".replace("-", _MINUS)
    match objective.indicator:
        case SlicesIndicator(slice=slice_) | ValueIndicator(slice=slice_):
            return f"{count} slices of {duration(slice_)}"
    return f"{count} events"


def rate(status: Status, number: float | Missing, *, window: timedelta) -> str:
    """A burn rate; where nothing happened in the window, that."""
    if isinstance(number, Missing):
        return short(number)
    if number == 0:
        return "no events" if _is_idle(status, window) else "0"
    if math.isinf(number):
        return "∞"
    if number < _LEAST_RATE:
        return "<0.01"
    places = 2 if number < _TENS else 1 if number < _HUNDREDS else 0
    return f"{number:,.{places}f}"


def is_beyond(burn: Burn) -> bool:
    """Whether the long window burns beyond the factor, whatever the short one does."""
    return not isinstance(burn.long, Missing) and burn.long > burn.factor


def burn_state(objective: Objective, burn: Burn) -> str:
    """Whether a pair of windows alerts, and why it never could, if so."""
    if not burn.is_reachable:
        highest = 1 / objective.budget_ratio
        return (
            f"unreachable: if every event were bad it would burn at 1 / {quantity(objective.budget_ratio, Unit.RATIO)} = "
            f"{highest:.4g}, and this alert needs more than {burn.factor:.4g}"
        )
    match burn.fires:
        case True:
            return "fires"
        case False if is_beyond(burn):
            return "calm: it burnt too fast, and has stopped"
        case False:
            return "calm"
        case None:
            return "cannot be told"


def forecast(objective: Objective, ahead: Forecast | Missing, *, is_spent: bool) -> str:
    """When the budget will be gone, and what that takes for granted."""
    if isinstance(ahead, Missing):
        return short(ahead)
    if is_spent:
        return "it is spent already"
    pace = f"at the pace of the last {duration(ahead.pace)}"
    if ahead.spent_at is None:
        return f"{pace} it lasts beyond the next {duration(objective.period)}"
    return f"{pace} it is spent on {_moment(ahead.spent_at)}"


def missing_by_reason(parts: Mapping[str, object]) -> dict[str, list[str]]:
    """Why parts are missing: the reason to the names of all parts that it holds for."""
    reasons: dict[str, list[str]] = {}
    for name, part in parts.items():
        if isinstance(part, Missing):
            reasons.setdefault(part.detail or str(part.cause), []).append(name)
    return reasons


_THIN = "\N{NARROW NO-BREAK SPACE}"
_MINUS = "\N{MINUS SIGN}"
_FEW = 10


def _about(status: Status, findings: Sequence[Finding]) -> list[Finding]:
    return [f for f in findings if f.check.startswith("slos.") and f.subject == status.objective.title]


def _alike(found: Sequence[Finding]) -> list[list[Finding]]:
    """What is not PASS, by its reason; what follows from the same cause as one before it is with that one. Waived ones keep apart."""
    groups: list[list[Finding]] = []
    for f in (f for f in found if f.verdict is not Verdict.PASS):
        group = next((group for group in groups if _is_alike(group[0], f)), None)
        if group is None:
            groups.append([f])
        else:
            group.append(f)
    return groups


def _is_alike(first: Finding, other: Finding) -> bool:
    follows = bool(other.because_of) and other.because_of in (first.id, first.because_of)
    return first.waiver == other.waiver and (follows or first.reason == other.reason)


def _is_said(reason: str, said: Iterable[Remark]) -> bool:
    return any(reason in remark.reason for remark in said)


def _beyond(objective: Objective, limit: float) -> str:
    return f"{'<' if objective.better == 'higher' else '>'} {quantity(limit, Unit(objective.unit))}"


def _moment(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %H:%M} UTC"


def _is_idle(status: Status, window: timedelta) -> bool:
    """Whether it is known that nothing happened in a window: nothing did in a longer one."""
    lengths = ((status.objective.window, status.events), (status.objective.period, status.period.counts.total))
    return any(window <= length and count == 0 for length, count in lengths)
