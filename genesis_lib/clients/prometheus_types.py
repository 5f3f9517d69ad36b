"""What Prometheus tells, as frozen facts. Times are in UTC, durations in seconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
import promql_parser
from pydantic import BeforeValidator, Field

from genesis_lib.clients.shapes import Instant, Listed, MaybeInstant, Number, Text

__all__ = [
    "Alert",
    "Alertmanagers",
    "BuildInfo",
    "Metadata",
    "Rule",
    "RuleGroup",
    "RuntimeInfo",
    "Series",
    "Target",
    "Targets",
    "series_name",
]

# Prometheus' own default, for servers that do not tell the interval of a target.
_DEFAULT_INTERVAL_S = 60.0


def _seconds(text: object) -> float:
    try:
        return promql_parser.parse_duration(str(text)).total_seconds()
    except ValueError:
        raise ValueError(f"a duration such as 15s was expected, not {text!r}") from None


Labels = Annotated[Mapping[str, str], BeforeValidator(lambda value: {} if value is None else value)]
Seconds = Annotated[float, BeforeValidator(_seconds)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildInfo:
    """Which program answers."""

    version: str
    revision: str = ""
    go_version: Annotated[str, Field(alias="goVersion")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeInfo:
    """How the server runs: since when, and whether its last configuration was taken. `storage_retention` is as it is written."""

    started_at: Annotated[Instant, Field(alias="startTime")]
    reload_config_success: Annotated[bool, Field(alias="reloadConfigSuccess")]
    last_config_at: Annotated[MaybeInstant, Field(alias="lastConfigTime")]
    storage_retention: Annotated[str, Field(alias="storageRetention")]
    corruption_count: Annotated[int, Field(alias="corruptionCount")] = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Series:
    """One series over a range: `times` in milliseconds since the epoch (UTC, int64) and `values` (float64, finite), of one length.

    `non_finite` counts the points left out because they were NaN, infinite or no single number (native histograms).
    """

    labels: Mapping[str, str]
    times: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]
    non_finite: int

    @property
    def name(self) -> str:
        """As Prometheus writes it: `up{instance="localhost:9100", job="node"}`."""
        return series_name(self.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a metric says of itself."""

    kind: Annotated[str, Field(alias="type")]
    help: Text = ""
    unit: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One scrape target. `last_scrape` is None where it was never scraped; `interval_s` is 60 where the server does not tell it."""

    labels: Labels
    discovered_labels: Annotated[Labels, Field(alias="discoveredLabels")]
    scrape_pool: Annotated[str, Field(alias="scrapePool")]
    scrape_url: Annotated[str, Field(alias="scrapeUrl")]
    health: str
    last_error: Annotated[Text, Field(alias="lastError")] = ""
    last_scrape: Annotated[MaybeInstant, Field(alias="lastScrape")] = None
    last_scrape_duration_s: Annotated[float, Field(alias="lastScrapeDuration")] = 0.0
    interval_s: Annotated[Seconds, Field(alias="scrapeInterval")] = _DEFAULT_INTERVAL_S

    @property
    def job(self) -> str:
        """The job that it belongs to."""
        return self.labels.get("job", "")

    @property
    def instance(self) -> str:
        """The address under which its series are kept."""
        return self.labels.get("instance", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The targets that are scraped, and those that were discovered but dropped by relabelling.

    `dropped` is their number; `dropped_labels` are the discovered labels of the first 20 of each job, as far as the server lists them.
    """

    active: tuple[Target, ...]
    dropped: int
    dropped_labels: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert that is pending or firing, and the value that it saw."""

    labels: Labels
    annotations: Labels
    state: str
    active_at: Annotated[MaybeInstant, Field(alias="activeAt")] = None
    value: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as the server evaluates it. `duration_s` is its `for`; `state` and `alerts` are empty for a recording rule."""

    name: str
    kind: Annotated[Literal["alerting", "recording"], Field(alias="type")]
    query: str
    health: str
    labels: Labels = field(default_factory=dict)
    annotations: Labels = field(default_factory=dict)
    duration_s: Annotated[float, Field(alias="duration")] = 0.0
    state: str = ""
    alerts: Annotated[tuple[Alert, ...], Listed] = ()
    last_error: Annotated[Text, Field(alias="lastError")] = ""
    last_evaluation: Annotated[MaybeInstant, Field(alias="lastEvaluation")] = None
    evaluation_s: Annotated[float, Field(alias="evaluationTime")] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleGroup:
    """Rules that are evaluated together, every `interval_s`."""

    name: str
    file: str = ""
    interval_s: Annotated[float, Field(alias="interval")]
    rules: Annotated[tuple[Rule, ...], Listed]
    last_evaluation: Annotated[MaybeInstant, Field(alias="lastEvaluation")] = None
    evaluation_s: Annotated[float, Field(alias="evaluationTime")] = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alertmanagers:
    """The addresses that alerts are sent to, and those that were dropped."""

    active: tuple[str, ...]
    dropped: tuple[str, ...]


def series_name(labels: Mapping[str, str]) -> str:
    """The labels of one series as Prometheus writes them, sorted by name."""
    inner = ", ".join(f"{name}={_quoted(labels[name])}" for name in sorted(labels) if name != "__name__")
    metric = labels.get("__name__", "")
    return f"{metric}{{{inner}}}" if inner or not metric else metric


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
