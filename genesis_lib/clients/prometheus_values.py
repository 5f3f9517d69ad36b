"""Read the numbers in Prometheus' answers: samples of one instant, series over a range, and frames of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from genesis_lib.clients.http import Reply
from genesis_lib.clients.prometheus_types import Series
from genesis_lib.clients.shapes import as_number
from genesis_lib.model import Cause, Missing, Sample

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["join_series", "read_samples", "read_series", "to_frame"]


def to_frame(series: Sequence[Series]) -> "pd.DataFrame":
    """Series side by side: UTC times down, a column for each, named as Prometheus writes it; NaN where one has no point."""
    import pandas as pd

    def index(times: npt.NDArray[np.int64]) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(times.astype("datetime64[ms]"), tz="UTC", name="time")

    if not series:
        return pd.DataFrame(index=index(np.array([], dtype=np.int64)))
    columns = [pd.Series(s.values, index=index(s.times), name=s.name, dtype="float64") for s in series]
    return pd.concat(columns, axis=1, sort=True)


def read_samples(kind: str, result: Any, reply: Reply) -> list[Sample]:
    """The `result` of an instant query. Raises SourceError, or KeyError, TypeError or ValueError where its shape is wrong."""
    match kind:
        case "vector":
            return [
                _sample(raw["metric"], raw["value"] if "value" in raw else raw["histogram"], reply) for raw in result
            ]
        case "scalar":
            return [_sample({}, result, reply)]
        case "matrix":
            raise reply.malformed(
                "answered with ranges where an instant was asked: the query is a range selector; wrap it in a function"
            )
        case _:
            raise reply.malformed(f"answered with a {kind} where numbers were asked")


def _sample(labels: Mapping[str, str], pair: Any, reply: Reply) -> Sample:
    seconds, text = pair
    if isinstance(text, dict):
        value: float | Missing = Missing(cause=Cause.NOT_A_NUMBER, detail="the value is a native histogram")
    else:
        value = as_number(text)
    if isinstance(value, Missing):
        value = replace(value, evidence=reply.evidence)
    return Sample(labels=labels, at=datetime.fromtimestamp(seconds, UTC), value=value)


def read_series(raw: Mapping[str, Any]) -> Series:
    """One entry of the `result` of a range query. Raises KeyError, TypeError or ValueError where its shape is wrong."""
    points = raw.get("values", ())
    times = np.array([at for at, _ in points], dtype=np.float64)
    values = np.array([float(text) for _, text in points], dtype=np.float64)
    finite = np.isfinite(values)
    lost = len(values) - int(finite.sum()) + len(raw.get("histograms", ()))
    times_ms = np.rint(times[finite] * 1000).astype(np.int64)
    return Series(labels=dict(raw["metric"]), times=times_ms, values=values[finite], non_finite=lost)


def join_series(parts: Sequence[Series]) -> Series:
    """One series that was asked in parts, in their order."""
    if len(parts) == 1:
        return parts[0]
    return Series(
        labels=parts[0].labels,
        times=np.concatenate([part.times for part in parts]),
        values=np.concatenate([part.values for part in parts]),  # noqa: PD011 - ours, not a frame's
        non_finite=sum(part.non_finite for part in parts),
    )
