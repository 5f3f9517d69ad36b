"""Invent what Prometheus answered about one objective, from the events of each five minutes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from genesis_lib.model import Missing, Sample
from genesis_lib.objectives.objective import Objective
from genesis_lib.slo.facts import Floats, ObjectiveFacts, Tiles
from genesis_lib.slo.indicators import TILE, counting
from genesis_lib.slo.recorded import COMPARED, Counts, Source
from tests import builders

PERIOD = timedelta(days=7)
COUNT = PERIOD // TILE
_WINDOWS = builders.policy().slos.windows_of(PERIOD)


def lately(value: float, *, hours: float, before: float = 0.0) -> Floats:
    """One value in each five minutes of the last hours, and another one before."""
    values = np.full(2 * COUNT, float(before))
    values[len(values) - round(hours * 12) :] = value
    return values


def facts(
    objective: Objective,
    *,
    bad: Floats | float,
    total: Floats | float,
    counts: Mapping[timedelta, Counts] | None = None,
    values: Sequence[tuple[Mapping[str, str], float | Missing]] = (),
    edges: tuple[str, ...] = (),
    warnings: tuple[str, ...] = (),
) -> ObjectiveFacts:
    """The facts of an objective with a week as its period; `counts` replace those that follow from the tiles."""
    ends: Floats = builders.AT.timestamp() - TILE.total_seconds() * np.arange(2 * COUNT, dtype=np.float64)[::-1]
    sides = [np.broadcast_to(np.asarray(side, dtype=np.float64), ends.shape) for side in (bad, total)]
    lengths = {objective.window, PERIOD, COMPARED, *(w for pair in _WINDOWS for w in (pair.long, pair.short))}

    def added_up(window: timedelta) -> Counts:
        of_bad, of_all = (float(np.nansum(side[-(window // TILE) :])) for side in sides)
        return Counts(bad=of_bad, total=of_all)

    samples: Any = tuple(Sample(labels=labels, at=builders.AT, value=value) for labels, value in values)
    return ObjectiveFacts(
        counting=counting(objective, edges),
        windows=_WINDOWS,
        edges=builders.answer(edges) if edges else None,
        counts={window: added_up(window) for window in lengths} | dict(counts or {}),
        values=builders.answer(samples),
        worst=(),
        tiles=builders.answer(Tiles(ends=ends, bad=sides[0], total=sides[1])),
        source=Source(is_recorded=False, difference=None, note="raw series; none are recorded"),
        warnings=warnings,
        evidence=("e-1",),
    )
