"""Decide whether the series that recording rules made of an objective may stand in for the raw ones, and say how far they differ."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from genesis_lib.model import Answer, Cause, Missing
from genesis_lib.objectives.objective import Objective
from genesis_lib.run import Run
from genesis_lib.slo.asking import changed, instant
from genesis_lib.slo.indicators import TILE
from genesis_lib.syntax import duration

__all__ = ["BAD_EVENTS", "COMPARED", "TOTAL_EVENTS", "Counts", "Recorded", "Source", "ask", "selector", "source"]

# The recording rules' series (slo/rules.py): events in each five minutes, by the label `slo`; `definition` tells of what.
BAD_EVENTS, TOTAL_EVENTS = "slo:bad_events:increase5m", "slo:total_events:increase5m"
# Recorded and raw series are compared over this window, which raw series answer cheaply.
COMPARED = timedelta(days=1)
# Recorded series stand in for raw ones where they hold as good as all of the period, and differ by no more than this, relatively, in
# events, and by no more than this in the burn rate.
_HELD, _DIFFERENCE = 0.95, 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Events in a window, and how many of them were bad. Extrapolated by Prometheus to the window's edges, so not whole."""

    bad: float | Missing
    total: float | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which series the long windows were counted by; `note` says it in words.

    `difference` is how far recorded ones differ from raw ones in events, relatively; None where there was nothing to compare. `disagrees`
    says that they were left aside because of it.
    """

    is_recorded: bool
    difference: float | None
    note: str
    disagrees: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Of one objective's recorded series: the events of the last day, and the share of the period's tiles that are there.

    `is_outdated` says that there are only those of another definition of the objective.
    """

    counts: Counts
    held: float
    is_outdated: bool


def ask(run: Run, objectives: Sequence[Objective]) -> Answer[Mapping[str, Recorded]] | Missing:
    """What the recorded series hold of each objective, in one question."""
    periods = sorted({one.period for one in objectives})
    parts = {"bad": f"sum_over_time({BAD_EVENTS}[{duration(COMPARED)}])"}
    parts["total"] = f"sum_over_time({TOTAL_EVENTS}[{duration(COMPARED)}])"
    parts |= {duration(p): f"count_over_time({TOTAL_EVENTS}[{duration(p)}]) / {p / TILE:g}" for p in periods}
    answer = run.ask(instant(run, {part: f"max by (slo, definition) ({expr})" for part, expr in parts.items()}))
    if isinstance(answer, Missing):
        return answer
    values = {
        (s.labels.get("slo", ""), s.labels.get("definition", ""), part): s.value
        for part, samples in answer.value.items()
        for s in samples
    }
    none = Missing(cause=Cause.NO_DATA, detail="no recorded series", evidence=answer.evidence)

    def of(one: Objective) -> Recorded:
        key = (one.name, one.definition)
        counts = Counts(bad=values.get((*key, "bad"), none), total=values.get((*key, "total"), none))
        held = values.get((*key, duration(one.period)), none)
        is_outdated = (*key, "total") not in values
        return Recorded(counts=counts, held=held if isinstance(held, float) else 0.0, is_outdated=is_outdated)

    named = {name for name, _, part in values if part == "total"}
    return changed(answer, {one.name: of(one) for one in objectives if one.name in named})


def selector(objective: Objective) -> str:
    """The matchers of an objective's recorded events."""
    return f'{{slo="{objective.name}", definition="{objective.definition}"}}'


def source(objective: Objective, recorded: Answer[Mapping[str, Recorded]] | Missing, raw: Counts) -> Source:
    """Whether the recorded series may stand in for the raw ones."""
    if isinstance(recorded, Missing) or objective.name not in recorded.value:
        return Source(is_recorded=False, difference=None, note="raw series; none are recorded")
    found = recorded.value[objective.name]
    if found.is_outdated:
        note = "raw series; recorded ones disagree: they are of another definition of this objective"
        return Source(is_recorded=False, difference=None, note=note, disagrees=True)
    match found.counts, raw:
        case Counts(bad=float() as bad, total=float() as total), Counts(
            bad=float() as raw_bad, total=float() as raw_total
        ):
            pass
        case _:
            note = "raw series; they cannot be compared with the recorded ones"
            return Source(is_recorded=False, difference=None, note=note)
    difference = max(_apart(total, raw_total), _apart(bad, raw_bad))
    said = f"over the last day recorded events differ from raw ones by {difference:.2%}"
    if found.held < _HELD:
        note = f"raw series; recorded ones hold {found.held:.1%} of the period; {said}"
        return Source(is_recorded=False, difference=difference, note=note)
    # Few bad events may be apart by much, relatively, while the burn rates are the same.
    burn, raw_burn = (
        share / (objective.budget_ratio or 1.0) for share in (_share(bad, total), _share(raw_bad, raw_total))
    )
    if _apart(total, raw_total) > _DIFFERENCE or abs(burn - raw_burn) > _DIFFERENCE * max(1.0, raw_burn):
        return Source(
            is_recorded=False, difference=difference, note=f"raw series; recorded ones disagree: {said}", disagrees=True
        )
    return Source(is_recorded=True, difference=difference, note=f"recorded series; {said}")


def _apart(one: float, other: float) -> float:
    return abs(one - other) / max(abs(other), 1.0)


def _share(bad: float, total: float) -> float:
    return bad / total if total else 0.0
