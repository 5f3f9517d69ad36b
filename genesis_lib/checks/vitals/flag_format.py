"""The form of a feature-flag file, as flagd documents it: strict models, which need no schema to be fetched."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from genesis_lib.formatting import plain

__all__ = ["problems"]

_Metadata = Mapping[Annotated[str, Field(min_length=1)], str | int | float | bool]


class _Flag(BaseModel):
    """One flag. What a variant's value may be is not told here: who evaluates a flag says of which type it must be."""

    model_config = ConfigDict(strict=True, extra="forbid")

    state: Literal["ENABLED", "DISABLED"]
    variants: Annotated[Mapping[str, Any], Field(min_length=1)]
    default_variant: str | bool | None = Field(default=None, alias="defaultVariant")
    targeting: Mapping[str, Any] = Field(default_factory=dict)
    metadata: _Metadata = Field(default_factory=dict)
    source: str = ""
    selector: str = ""


class _File(BaseModel):
    """The whole; keys that flagd does not know are passed over, as it does."""

    model_config = ConfigDict(strict=True)

    flags: Mapping[str, _Flag]
    evaluators: Mapping[str, Mapping[str, Any]] = Field(default_factory=dict, alias="$evaluators")
    metadata: _Metadata = Field(default_factory=dict)


def problems(document: object) -> list[str]:
    """What is wrong with the form of a flag file: where, and why."""
    try:
        _File.model_validate(document)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)
        return [f"{plain('.'.join(map(str, e['loc']))) or 'the whole'}: {e['msg']}" for e in wrong]
    return []
