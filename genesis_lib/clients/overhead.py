"""Read what benchmarks/telemetry_overhead.py measured: what the instrumentation of a service costs it."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from genesis_lib.errors import SourceError
from genesis_lib.evidence import Evidence
from genesis_lib.model import Answer, Cause, Missing

__all__ = ["Collection", "Measured", "Memory", "Overhead", "read"]


class _Part(BaseModel):
    """Strict, so that neither text nor NaN counts as a number. Keys that we do not know are passed over, as results grow."""

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class Overhead(_Part):
    """What instrumentation adds to an operation, as a ratio, with its 95 % interval."""

    ratio: float
    low: float
    high: float
    pairs: PositiveInt
    operation_s: PositiveFloat

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.ratio <= self.high:
            raise ValueError("low, ratio and high are not in order")
        return self


class Collection(_Part):
    """What one scrape takes of the time between two."""

    share: NonNegativeFloat
    cpu_s_per_scrape: NonNegativeFloat
    interval_s: PositiveFloat
    series: PositiveInt


class Memory(_Part):
    """What operations leave behind; less than nothing, where memory was given back."""

    operations: PositiveInt
    growth_bytes: float
    growth_bytes_per_10k: float


class Measured(_Part):
    """The result of benchmarks/telemetry_overhead.py."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    measured_at: AwareDatetime
    overhead: Overhead
    collection: Collection
    memory: Memory


def read(evidence: Evidence, path: Path, *, name: str) -> Answer[Measured] | Missing:
    """The benchmark's result; `name` is how the environment names its file."""
    try:
        content = evidence.file(path, name=name)
    except SourceError as error:
        return error.missing()
    try:
        value = Measured.model_validate_json(content.value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        detail = f"{name}: is no result of benchmarks/telemetry_overhead.py; {place}: {first['msg']}"
        return Missing(cause=Cause.MALFORMED, detail=detail, evidence=content.evidence)
    return Answer(value=value, evidence=content.evidence, asked_at=content.asked_at)
