"""Read a scenario: what the embedded stack runs, and what its past looked like."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import reduce
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from genesis_lib.demo.parts import WORKLOAD_JOBS
from genesis_lib.errors import StackError

__all__ = [
    "Alert",
    "Phase",
    "Range",
    "Release",
    "Scenario",
    "Stage",
    "Suites",
    "Traffic",
    "load",
    "overriding",
]

_FOLDER = Path(__file__).parent / "scenarios"
_ROOT = "healthy"
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def _to_duration(value: object) -> object:
    """Read `-9d5h40m` as pydantic cannot."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"(-?)((?:\d+[dhms])+)", value)
    if match is None:
        raise ValueError(f"{value!r} must be a duration such as 30m, 14d or -9d5h40m")
    length = timedelta(**{_UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)([dhms])", match[2])})
    return -length if match[1] else length


Duration = Annotated[timedelta, BeforeValidator(_to_duration)]
Ratio = Annotated[float, Field(ge=0, le=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stage(_Strict):
    """How long one stage of an operation takes: log-normal, `median_s` in seconds."""

    median_s: PositiveFloat
    sigma: PositiveFloat


class Traffic(_Strict):
    """The load on the orchestrator and what becomes of it."""

    operations_per_s: PositiveFloat
    day_wave: Ratio
    error_ratio: Ratio
    stages: Mapping[str, Stage]


class Range(_Strict):
    """A whole number between two bounds, each included."""

    least: int = Field(ge=0)
    most: int = Field(ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.least > self.most:
            raise ValueError("least must not be above most")
        return self


class Suites(_Strict):
    """The test suite: how often it runs in full, and how its runs end."""

    every: Duration
    total: PositiveInt
    skipped: int
    failed: Range
    flaky: Range

    @model_validator(mode="after")
    def _within_total(self) -> Self:
        if self.skipped + self.failed.most > self.total:
            raise ValueError("skipped and failed tests must not be more than total")
        return self


class Phase(_Strict):
    """A time in which the traffic differs. Moments count from the stack's start; no end means that it lasts on."""

    begins: Duration
    ends: Duration | None = None
    traffic_factor: float = Field(default=1.0, ge=0)
    error_ratio: Ratio | None = None
    latency_factor: PositiveFloat = 1.0


class Alert(_Strict):
    """An alert that was active: `begins` is when its condition first held; no end means that it still does at the start."""

    name: str
    begins: Duration
    ends: Duration = timedelta(0)
    labels: Mapping[str, str] = {}


class Release(_Strict):
    """A version of the application that ran before the present one, and the moment at which it was replaced."""

    version: str
    until: Duration


class Scenario(_Strict):
    """One scenario; the comments of `scenarios/healthy/scenario.yaml` say what each key is."""

    title: str
    seed: int
    history: Duration
    version: str
    commit: Annotated[str, Field(pattern="^[0-9a-f]{7,40}$")]
    releases: tuple[Release, ...] = ()
    running: tuple[str, ...]
    born: Mapping[str, Duration] = {}
    traffic: Traffic
    tests: Suites
    coverage: Ratio
    flags: Mapping[str, bool]
    phases: tuple[Phase, ...]
    alerts: tuple[Alert, ...]

    @model_validator(mode="after")
    def _known_jobs(self) -> Self:
        unknown = set(self.running) - set(WORKLOAD_JOBS)
        if unknown:
            raise ValueError(f"running: {', '.join(sorted(unknown))} is unknown; known: {', '.join(WORKLOAD_JOBS)}")
        for job, moment in self.born.items():
            if job not in self.running or not -self.history <= moment <= timedelta(0):
                raise ValueError(f"born: {job} must be one that runs, and born within the history")
        return self

    @model_validator(mode="after")
    def _releases_in_order(self) -> Self:
        moments = [*(release.until for release in self.releases), timedelta(0)]
        if any(until >= following for until, following in pairwise(moments)):
            raise ValueError("releases: the oldest comes first, and each was replaced before the start")
        versions = [*(release.version for release in self.releases), self.version]
        if len(set(versions)) < len(versions):
            raise ValueError("releases: each has a version of its own, and none has the present one")
        return self


def load(name: str) -> Scenario:
    """The scenario of this name.

    Raises:
        StackError: there is none of this name, or its file is wrong.

    """
    try:
        merged = reduce(_merged, [_read(layer) for layer in reversed(_layers(name))])
        return Scenario.model_validate({key: value for key, value in merged.items() if key != "base"})
    except (ValidationError, yaml.YAMLError) as error:
        raise StackError(f"scenarios/{name}/scenario.yaml: {error}") from error


def overriding(name: str, file: str) -> Path | None:
    """The version of a file of monitoring/ that the scenario, or the nearest that it is laid over, has; None: it uses that one."""
    owned = (_FOLDER / layer / file for layer in _layers(name))
    return next((path for path in owned if path.is_file()), None)


def _layers(name: str) -> list[str]:
    """The scenario, the one that it is laid over, and so on; the last is `healthy`, which all are laid over in the end."""
    layers = [name]
    while layers[-1] != _ROOT:
        base = _read(layers[-1]).get("base", _ROOT)
        if base in layers:
            raise StackError(f"scenarios/{layers[-1]}/scenario.yaml: base {base} is laid over this one itself")
        layers.append(base)
    return layers


def _read(name: str) -> dict[str, Any]:
    names = sorted(path.parent.name for path in _FOLDER.glob("*/scenario.yaml"))
    if name not in names:
        raise StackError(f"scenario {name!r} is unknown; there are: {', '.join(names)}")
    data: dict[str, Any] = yaml.safe_load((_FOLDER / name / "scenario.yaml").read_text())
    return data


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Lay `own` over `base`: mappings are merged, null takes a key away, all else is replaced (as RFC 7396 does)."""
    merged = dict(base)
    for key, value in own.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = _merged(merged[key], value)
        elif value is None:
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged
