"""What Prometheus tells of objectives in good health, to change one thing in."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np

from genesis_lib.checks.ask import promql
from genesis_lib.checks.ask.promql import Expression
from genesis_lib.checks.ask.series import LadderFacts
from genesis_lib.checks.slos import SlosFacts
from genesis_lib.model import Answer, Missing, Sample
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.facts import ObjectiveFacts, SloFacts, Tiles
from genesis_lib.slo.indicators import TILE, counting
from genesis_lib.slo.recorded import COMPARED, Counts, Source
from tests.builders import AT, answer, policy, vector
from tests.checks.facts import ladder_facts

__all__ = [
    "BAD_TOTAL",
    "HALF",
    "POLICY",
    "TOTAL",
    "asked",
    "facts",
    "gap",
    "lost",
    "objective",
    "objective_facts",
    "with_share",
]

POLICY = policy()
_JOB = "genesis-tests"
BAD_TOTAL, TOTAL = "errors_bad_total", "errors_total"
_EACH_MINUTE = 100
_SHARE = 0.002  # of all that happens is bad; the objective's target is 0.01
HALF = timedelta(days=3, hours=12)  # of the period


def objective(**other: Any) -> Objective:
    """The share of errors in an hour: target and warning 1 %, critical 5 %; its budget is over a week."""
    stated: dict[str, Any] = {
        "name": "errors",
        "title": "Errors",
        "indicator": {"kind": "events", "bad": BAD_TOTAL, "total": TOTAL},
        "unit": "ratio",
        "better": "lower",
        "target": 0.01,
        "warning": 0.01,
        "critical": 0.05,
        "window": "1h",
        "period": "7d",
        "confidence": 0.95,
    }
    return Objective.model_validate(stated | other)


def objective_facts(
    objective: Objective, *, edges: tuple[str, ...] | None = None, share: float = _SHARE
) -> ObjectiveFacts:
    """A hundred events a minute for two periods, of which a share was bad at all times; `edges` are a histogram's."""
    windows = POLICY.slos.windows_of(objective.period)
    lengths = {objective.window, objective.period, COMPARED, *(w for p in windows for w in (p.long, p.short))}
    count = 2 * (objective.period // TILE)
    each = TILE / timedelta(minutes=1) * _EACH_MINUTE
    ends = np.asarray(AT.timestamp() - np.arange(count)[::-1] * TILE.total_seconds(), dtype=np.float64)
    return ObjectiveFacts(
        counting=counting(objective, edges or ()),
        windows=windows,
        edges=None if edges is None else answer(edges),
        counts={w: _counts(share, w) for w in lengths},
        values=vector(({}, share)),
        worst=(),
        tiles=answer(Tiles(ends=ends, bad=np.full(count, share * each), total=np.full(count, each))),
        source=Source(is_recorded=False, difference=None, note="raw series; none are recorded"),
        warnings=(),
        evidence=("e-slo",),
    )


def _counts(share: float, window: timedelta) -> Counts:
    total = window / timedelta(minutes=1) * _EACH_MINUTE
    return Counts(bad=share * total, total=total)


def with_share(
    given: ObjectiveFacts, share: float | Missing, which: Callable[[timedelta], bool] = lambda _: True
) -> ObjectiveFacts:
    """The same, where in some windows another share was bad, or nothing can be told."""
    changed = {
        w: Counts(bad=share, total=share) if isinstance(share, Missing) else _counts(share, w)
        for w in given.counts
        if which(w)
    }
    assert changed, "no such window"
    return replace(given, counts={**given.counts, **changed})


def gap(given: ObjectiveFacts, *, since: timedelta, until: timedelta = timedelta(0)) -> ObjectiveFacts:
    """The same, with no data between these times ago."""
    assert isinstance(given.tiles, Answer)
    tiles = given.tiles.value
    ago = AT.timestamp() - tiles.ends
    none = (ago < since.total_seconds()) & (ago >= until.total_seconds())
    bad, total = np.where(none, np.nan, tiles.bad), np.where(none, np.nan, tiles.total)
    return replace(given, tiles=answer(Tiles(ends=tiles.ends, bad=bad, total=total)))


def lost(given: ObjectiveFacts, missing: Missing) -> ObjectiveFacts:
    """The same, where every question ended like this."""
    return replace(
        with_share(given, missing),
        edges=None if given.edges is None else missing,
        counting=counting(given.objective) if given.edges is not None else given.counting,
        values=missing,
        tiles=missing,
        evidence=(missing.evidence,),
    )


def asked(
    *objectives: ObjectiveFacts, replies: Answer[tuple[Sample, ...]] | Missing | None = None, **known: Any
) -> LadderFacts:
    """What is known of the series behind them: all alive, if nothing else is said. `known` is as of `ladder_facts`."""
    questions = [q for one in objectives for q in one.counting.questions()]
    parsed = [e for e in map(promql.parse, questions) if isinstance(e, Expression)]
    selectors = [s.text for e in parsed for s in e.selectors]
    stated: Mapping[str, Any] = {"alive": selectors, "job": _JOB, **known}
    return ladder_facts(answers=dict.fromkeys(questions, replies or vector(({}, 1.0))), **stated)


def facts(*objectives: ObjectiveFacts, ladder: LadderFacts | None = None, is_observed: bool = False) -> SlosFacts:
    """What the check judges."""
    slos = SloFacts(objectives=objectives, not_applicable={}, requests=1)
    return SlosFacts(slos=slos, asked=ladder or asked(*objectives), is_observed=is_observed)
