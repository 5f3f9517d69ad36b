"""Read `params/policy/*.yaml`, what "good" is for all environments, into frozen, strictly checked settings."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, PositiveFloat, model_validator

from genesis_lib import strict_yaml
from genesis_lib.model import Blocking
from genesis_lib.objectives.slos import Slos
from genesis_lib.quality import Flag, Flags, Health, Telemetry
from genesis_lib.strict_yaml import Listed, Name, Strict, Texts

__all__ = [
    "Alerting",
    "Bounds",
    "Limits",
    "Line",
    "Policy",
    "Query",
    "Readiness",
    "ResourceLimits",
    "Route",
    "Section",
    "Waiver",
    "load_policy",
    "load_waivers",
]

_S = TypeVar("_S", bound=BaseModel)


class Query(Strict):
    """A question of the readiness report: its PromQL, the unit of its answer, which SLO it belongs to, and whether it has one answer."""

    name: Name
    title: Name
    expr: Name
    unit: Literal["ratio", "percent", "seconds", "bytes", "count", "boolean"]
    slo: str = ""
    series: Literal["one", "many"] = "one"


class Section(Strict):
    """A section of the score: the checks in it with their weights."""

    name: Name
    title: Name
    weight: PositiveFloat = 1.0
    checks: Mapping[str, PositiveFloat] = Field(min_length=1)


class Bounds(Strict):
    """Where a number becomes a remark, and where a failure; the check says whether beyond means above or below."""

    warn: float
    fail: float


class ResourceLimits(Strict):
    """What the machine must have: memory in bytes, shares as ratios, load as the 5-minute average for each CPU, uptime in hours."""

    memory_total_bytes: Bounds
    memory_available_ratio: Bounds
    disk_used_ratio: Bounds
    cpus: Bounds
    load_per_cpu: Bounds
    uptime_h: Bounds


class Limits(Strict):
    """The numbers by which the checks judge."""

    fresh_intervals: PositiveFloat
    clock_skew_s: PositiveFloat
    sample_limit_used: float = Field(gt=0, le=1)
    restarts: Bounds
    rate_window_intervals: Bounds
    resources: ResourceLimits


class Readiness(Strict):
    """The rubric: the bar for GO, how long a GO holds, the sections in force, and what blocks."""

    bar: float = Field(ge=0, le=10)
    valid_for_h: PositiveFloat
    limits: Limits
    sections: Annotated[tuple[Section, ...], Listed] = Field(min_length=1)
    blocking: Mapping[str, Annotated[Blocking, BeforeValidator(Blocking)]]
    owners: Mapping[str, str] = Field(default_factory=dict)
    required_sources: Texts = ()

    @model_validator(mode="after")
    def _has_default(self) -> Self:
        if "default" not in self.blocking:
            raise ValueError("blocking needs a `default` for claims that it does not name")
        return self


class Route(Strict):
    """Where policy wants an alert with these labels: the receivers that must be told, and no others."""

    labels: Mapping[str, str]
    receivers: Texts = Field(min_length=1)


class Alerting(Strict):
    """What alerts must look like and where they must go.

    Of `routes` the first that matches a rule's labels holds. `watchdogs` are alerts that fire as long as all is well;
    `required_rules` are those that there must be; `required_labels` and `required_annotations` are what every alert rule must have.
    """

    routes: Annotated[tuple[Route, ...], Listed]
    watchdogs: Texts = ()
    required_rules: Texts = ()
    required_labels: Texts = ()
    required_annotations: Texts = ()


class Line(Strict):
    """A line of the day-0 report's checklists: the claims that prove it, all of them or that of one `subject`."""

    section: Name
    text: Name
    claims: Texts = Field(min_length=1)
    subject: str = ""


class Waiver(Strict):
    """A named, reasoned, dated exception to one finding."""

    check: Name
    subject: Name
    reason: Name
    owner: Name
    expires: date


class Policy(Strict):
    """What "good" is, shared by all environments."""

    readiness: Readiness
    queries: tuple[Query, ...]
    alerting: Alerting
    slos: Slos
    telemetry: Telemetry
    health: Health
    flags: tuple[Flag, ...]
    checklist: tuple[Line, ...]
    waivers: tuple[Waiver, ...]

    def blocking_of(self, claim: str) -> Blocking:
        """What a finding of this claim (`targets.up`) does when it is not good."""
        rules = self.readiness.blocking
        return rules.get(claim) or rules.get(claim.partition(".")[0]) or rules["default"]

    def owner_of(self, claim: str, *, otherwise: str) -> str:
        """Who mends a finding of this claim."""
        owners = self.readiness.owners
        return owners.get(claim) or owners.get(claim.partition(".")[0]) or otherwise


class _Queries(Strict):
    queries: Annotated[tuple[Query, ...], Listed]


class _Checklist(Strict):
    checklist: Annotated[tuple[Line, ...], Listed]


class _Waivers(Strict):
    waivers: Annotated[tuple[Waiver, ...], Listed]


def load_policy(folder: Path, *, root: Path) -> Policy:
    """The policy in this folder: its readiness, queries, alerting, slos, telemetry, health, flags, checklist and waivers.

    Raises:
        ParameterError: a file is missing, or holds an unknown key or a wrong type, with file, line and mend.

    """
    waivers = folder / "waivers.yaml"

    def read(name: str, model: type[_S]) -> _S:
        return strict_yaml.load(folder / name, shown_as=strict_yaml.shown(folder / name, root)).parse(model)

    return Policy(
        readiness=read("readiness.yaml", Readiness),
        queries=read("queries.yaml", _Queries).queries,
        checklist=read("checklist.yaml", _Checklist).checklist,
        alerting=read("alerting.yaml", Alerting),
        slos=read("slos.yaml", Slos),
        telemetry=read("telemetry.yaml", Telemetry),
        health=read("health.yaml", Health),
        flags=read("flags.yaml", Flags).flags,
        waivers=load_waivers(waivers, shown_as=strict_yaml.shown(waivers, root)),
    )


def load_waivers(path: Path, *, shown_as: str) -> tuple[Waiver, ...]:
    """The waivers in this file; `shown_as` is its name in messages.

    Raises:
        ParameterError: the file is missing, or holds an unknown key or a wrong type, with file, line and mend.

    """
    return strict_yaml.load(path, shown_as=shown_as).parse(_Waivers).waivers
