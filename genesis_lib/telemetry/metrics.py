"""Record measurements: refuse what is none, keep the latest, sum up all, and hand each to OpenTelemetry under one name."""

import json
import math
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any

from opentelemetry.metrics import Meter

__all__ = ["MetricKind", "MetricSnapshot", "Metrics", "prometheus_name"]

_MOST_NAMES = 1_000  # each is kept for ever
_LONGEST_UNIT = 63  # OpenTelemetry's limit
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,200}")
_OTHER = re.compile(r"[^A-Za-z0-9]+")
# Units as UCUM and people write them, and as Prometheus has them in names; any other is taken as it is.
_UNITS = {
    "": "",
    "%": "percent",
    "1": "",
    "By": "bytes",
    "count": "",  # `_count` is a part of a histogram
    "ms": "milliseconds",
    "s": "seconds",
    "us": "microseconds",
}


class MetricKind(StrEnum):
    """How values of one name add up."""

    HISTOGRAM = "histogram"
    COUNTER = "counter"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class MetricSnapshot:
    """One measurement, as it was recorded."""

    metric_name: str
    value: float
    unit: str
    labels: Mapping[str, str]
    timestamp: datetime

    def to_json(self) -> str:
        """The measurement on one line."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(fields | {"labels": dict(self.labels), "timestamp": self.timestamp.isoformat()})


@dataclass(slots=True)
class _Total:
    count: int = 0
    least: float = math.inf
    most: float = -math.inf
    total: float = 0.0

    def add(self, value: float) -> None:
        self.count, self.total = self.count + 1, self.total + value
        self.least, self.most = min(self.least, value), max(self.most, value)

    def to_dict(self) -> dict[str, float]:
        mean = self.total / self.count
        return {"count": self.count, "min": self.least, "max": self.most, "avg": mean, "sum": self.total}


@dataclass(frozen=True, slots=True)
class _Instrument:
    shown: str
    kind: MetricKind
    tell: Callable[[float, dict[str, str]], None]


@dataclass(slots=True, kw_only=True)
class Metrics:
    """All metrics of one manager. Thread-safe; holds the `most` latest measurements, and totals of all."""

    meter: Meter
    buckets_s: Sequence[float]
    most: int
    recent: list[MetricSnapshot] = field(default_factory=list)
    _totals: defaultdict[str, _Total] = field(default_factory=lambda: defaultdict(_Total))
    _instruments: dict[tuple[str, str, MetricKind | None], _Instrument] = field(default_factory=dict)
    _owners: dict[str, _Instrument] = field(default_factory=dict)  # of each name on Prometheus' page, in lower case
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def record(
        self, name: str, value: float, unit: str, labels: Mapping[str, str] | None, kind: MetricKind | None
    ) -> None:
        """One measurement, as `ObservabilityManager.record_metric` describes it."""
        labels = dict(labels or {})
        instrument = self.instrument(name, unit, kind)
        if not math.isfinite(value):
            raise ValueError(f"{name}: {value} is no number that could be recorded")
        if value < 0 and instrument.kind is not MetricKind.GAUGE:
            raise ValueError(f"{name}: a {instrument.kind} takes no {value}; record what can fall as a gauge")
        told = {_label(label, name): _text(value) for label, value in labels.items()}
        with self._lock:
            self.recent.append(MetricSnapshot(name, value, unit, labels, datetime.now(UTC)))
            if len(self.recent) > self.most:
                del self.recent[0]
            self._totals[name].add(value)
        instrument.tell(value, told)

    def instrument(self, name: str, unit: str, kind: MetricKind | None = None) -> _Instrument:
        """What takes the values of this name.

        Raises:
            ValueError: Prometheus could not show it under this name, or shows another metric there.

        """
        found = self._instruments.get((name, unit, kind))  # by far the most frequent
        return found or self._make(name, unit, kind)

    def restart(self, recent: Sequence[MetricSnapshot]) -> None:
        """Forget all measurements but these."""
        with self._lock:
            self.recent = list(recent[max(len(recent) - self.most, 0) :])
            self._totals.clear()
            for one in self.recent:
                self._totals[one.metric_name].add(one.value)

    def summary(self) -> dict[str, Any]:
        """Count, least, most, mean and sum of each name, of all that was recorded."""
        with self._lock:
            by_metric = {name: total.to_dict() for name, total in self._totals.items()}
        return {
            "total_metrics": sum(int(total["count"]) for total in by_metric.values()),
            "unique_metrics": len(by_metric),
            "by_metric": by_metric,
        }

    def _make(self, name: str, unit: str, kind: MetricKind | None) -> _Instrument:
        given, suffix = kind, _suffix(unit)
        kind = kind or (MetricKind.HISTOGRAM if suffix == "seconds" else MetricKind.GAUGE)
        shown = prometheus_name(name, unit, kind)
        with self._lock:
            if len(self._instruments) >= _MOST_NAMES:
                raise ValueError(f"{name}: there are {_MOST_NAMES} names already; put what varies into a label")
            names = [one.lower() for one in _samples(shown, kind)]  # the SDK would take Tests for tests
            owner = next((self._owners[one] for one in names if one in self._owners), None)
            if owner is not None and (owner.shown, owner.kind) != (shown, kind):
                raise ValueError(
                    f"{name}: the {kind} {shown} would stand on one page with the {owner.kind} {owner.shown}"
                )
            instrument = owner or _Instrument(shown, kind, self._tell(shown, suffix, kind))
            self._owners |= dict.fromkeys(names, instrument)
            return self._instruments.setdefault((name, unit, given), instrument)

    def _tell(self, shown: str, unit: str, kind: MetricKind) -> Callable[[float, dict[str, str]], None]:
        match kind:
            case MetricKind.HISTOGRAM:
                buckets = self.buckets_s if unit == "seconds" else None
                return self.meter.create_histogram(shown, unit, explicit_bucket_boundaries_advisory=buckets).record
            case MetricKind.COUNTER:
                return self.meter.create_counter(shown.removesuffix("_total"), unit).add
            case MetricKind.GAUGE:
                return self.meter.create_gauge(shown, unit).set


def prometheus_name(name: str, unit: str, kind: MetricKind) -> str:
    """The name on Prometheus' page: words joined by `_`, the unit once, and for a counter `_total` once, however it was spelled.

    Raises:
        ValueError: it would be no name.

    """
    base, suffix = _OTHER.sub("_", name).strip("_"), _suffix(unit)
    if kind is MetricKind.COUNTER:
        base = _without(base, "total")
    if suffix:
        base = f"{_without(base, suffix)}_{suffix}"
    if not _NAME.fullmatch(base) or len(suffix) > _LONGEST_UNIT:
        raise ValueError(
            f"{name!r} in {unit!r} is no name for a metric; begin with a letter; use letters, digits, '.', '_'"
        )
    return f"{base}_total" if kind is MetricKind.COUNTER else base


def _without(name: str, suffix: str) -> str:
    while name.endswith(f"_{suffix}"):
        name = name.removesuffix(f"_{suffix}")
    return name


def _suffix(unit: str) -> str:
    annotated = re.sub(r"\{.*\}", "", unit)  # `{tests}` says what is counted
    return _UNITS.get(annotated, _OTHER.sub("_", annotated).strip("_"))


def _samples(shown: str, kind: MetricKind) -> list[str]:
    """Every name that the metric has on a page, its own in OpenMetrics included."""
    match kind:
        case MetricKind.HISTOGRAM:
            return [shown, *(f"{shown}_{part}" for part in ("bucket", "count", "sum"))]
        case MetricKind.COUNTER:
            return [shown, shown.removesuffix("_total")]
        case MetricKind.GAUGE:
            return [shown]


@lru_cache(maxsize=1_024)
def _label(label: str, metric: str) -> str:
    name = _OTHER.sub("_", label)
    if not _NAME.fullmatch(name) or name == "le":  # one such label and Prometheus refuses the whole page
        raise ValueError(f"{metric}: {label!r} is no name for a label; begin with a letter; `le` is Prometheus' own")
    return name


def _text(value: object) -> str:
    return str(value).encode(errors="replace").decode()  # half a surrogate pair would break the whole page
