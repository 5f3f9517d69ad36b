"""What "good" is for a service's telemetry and health: `telemetry.yaml`, `health.yaml` and `flags.yaml` of the policy."""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from genesis_lib.strict_yaml import Listed, Name, Strict, Texts

__all__ = ["Coverage", "Flag", "Flags", "Health", "MostOf", "PassRate", "Telemetry"]

Share = Annotated[float, Field(ge=0, le=1)]


class MostOf(Strict):
    """How much of something there may be: over `warn` is a remark, over `fail` a failure."""

    warn: PositiveFloat
    fail: PositiveFloat

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warn > self.fail:
            raise ValueError(f"warn ({self.warn:g}) must not be over fail ({self.fail:g})")
        return self


class Telemetry(Strict):
    """What a service's instrumentation must show.

    `groups` are the telemetry tests' groups, and how many tests each has at least; `max_age_d` is for how many days their result and
    that of the overhead's measurement hold; `overhead_ratio` is what instrumentation adds to an operation, `collection_share` what one
    scrape takes of the time between two; `memory_growth_bytes_per_10k` is what 10,000 operations may leave behind, watched for at least
    `operations`; `series` are the metrics that must arrive.
    """

    groups: Mapping[str, PositiveInt] = Field(min_length=1)
    max_age_d: PositiveFloat
    overhead_ratio: MostOf
    collection_share: MostOf
    memory_growth_bytes_per_10k: MostOf
    operations: PositiveInt
    series: Texts = Field(min_length=1)


class PassRate(Strict):
    """The service's test suite: the least share of tests that must pass, how old its result may be, and its metrics in Prometheus."""

    least: Share
    max_age_h: PositiveFloat
    total: Name
    passed: Name
    last_run: Name


class Coverage(Strict):
    """The least share of statements that tests must execute, and how old the measurement may be."""

    least: Share
    max_age_d: PositiveFloat


class Health(Strict):
    """What the five health checks ask for."""

    tests: PassRate
    coverage: Coverage


class Flag(Strict):
    """A feature flag that must be there, what it is about, and what an evaluation must return where nobody was given another value."""

    name: Name
    safe: bool
    about: Name


class Flags(Strict):
    """The feature flags of the service."""

    flags: Annotated[tuple[Flag, ...], Listed] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        names = [flag.name for flag in self.flags]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{twice[0]} is named twice")
        return self
