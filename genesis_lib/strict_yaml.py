"""Read a YAML file strictly into a pydantic model; every refusal names file, line, key and the nearest known key."""

import difflib
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from genesis_lib.errors import ParameterError

__all__ = ["Absent", "Document", "Listed", "Name", "Strict", "Texts", "load", "shown"]

_Loader = getattr(
    yaml, "CSafeLoader", yaml.SafeLoader
)  # libyaml's: a tenth of the time, where PyYAML was built with it
M = TypeVar("M", bound=BaseModel)
Location = Sequence[str | int]


class Strict(BaseModel):
    """A frozen model that refuses unknown keys and never converts one type into another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# A YAML list, kept as a tuple.
Listed = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
# `none` in a file says that there is none.
Absent = BeforeValidator(lambda value: None if value == "none" else value)
Texts = Annotated[tuple[str, ...], Listed]
Name = Annotated[str, Field(min_length=1)]

# What a person would call the types that pydantic names in its errors.
_WANTED = {
    "string_type": "text (put it in quotes if it looks like a number or a date)",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "model_type": "a mapping of keys",
    "model_attributes_type": "a mapping of keys",
    "mapping_type": "a mapping of keys",
    "tuple_type": "a list",
    "date_type": "a date such as 2026-12-31",
    "time_delta_type": "a duration such as 5m, 1h or 7d",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A YAML file: its data, and the line of every key."""

    shown_as: str
    data: object
    lines: Mapping[tuple[str | int, ...], int]

    def parse(self, model: type[M], *, computed: Mapping[str, object] | None = None) -> M:
        """The data as `model`; `computed` are fields that the file itself may not set.

        Raises:
            ParameterError: the first thing that is wrong, with file, line, key and mend.

        """
        if not isinstance(self.data, dict):
            raise ParameterError(f"{self.shown_as}: must hold a mapping of keys")
        for key in computed or {}:
            if key in self.data:
                raise ParameterError(self.at((key,), "is unknown"))
        try:
            return model.model_validate({**self.data, **(computed or {})})
        except ValidationError as error:
            # A misspelled key is also a missing one; the misspelling is what helps.
            wrong = error.errors(include_url=False, include_input=False)
            first = next((e for e in wrong if e["type"] == "extra_forbidden"), wrong[0])
            place = self._written(first)
            raise ParameterError(self.at(place, _complaint(first, model, place))) from None

    def at(self, location: Location, message: str) -> str:
        """`params/demo.yaml, line 7: prometheus.ulr <message>`; a key that is missing is shown at its parent's line."""
        place = tuple(location)
        while place and place not in self.lines:
            place = place[:-1]
        line = f", line {self.lines[place]}" if place else ""
        return f"{self.shown_as}{line}: {'.'.join(map(str, location))} {message}".replace(":  ", ": ")

    def _written(self, error: ErrorDetails) -> Location:
        """The keys that an error is about, as the file has them: pydantic also names the alternative of a union that it tried."""
        here: Any = self.data
        place: list[str | int] = []
        for part in error["loc"]:
            known = range(len(here)) if isinstance(here, list) else here if isinstance(here, dict) else ()
            if part in known:
                place.append(part)
                here = here[part]
        match error["type"]:
            case "missing":
                place.append(error["loc"][-1])
            case "union_tag_not_found" | "union_tag_invalid":
                place.append(error["ctx"]["discriminator"].strip("'"))
        return place


def load(path: Path, *, shown_as: str) -> Document:
    """Read a YAML file; `shown_as` is its name in messages.

    Raises:
        ParameterError: the file is missing, is not YAML, or names a key twice.

    """
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise ParameterError(f"{shown_as}: {reason}") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        raise ParameterError(f"{shown_as}{line}: is not YAML: {getattr(error, 'problem', error)}") from error
    if node is None:
        raise ParameterError(f"{shown_as}: is empty")
    lines = dict(_lines(node, (), shown_as))
    return Document(shown_as=shown_as, data=_construct(node), lines=lines)


def shown(path: Path, root: Path) -> str:
    """The path as messages show it: relative to the project where it lies inside."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def _construct(node: yaml.Node) -> object:
    loader = _Loader("")
    try:
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _lines(node: yaml.Node, place: tuple[str | int, ...], shown_as: str) -> Iterator[tuple[tuple[str | int, ...], int]]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name = str(key.value)
            line = key.start_mark.line + 1
            if name in seen:
                raise ParameterError(
                    f"{shown_as}, line {line}: {'.'.join(map(str, (*place, name)))} stands here twice; keep one"
                )
            seen.add(name)
            yield (*place, name), line
            yield from _lines(value, (*place, name), shown_as)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*place, index), value.start_mark.line + 1
            yield from _lines(value, (*place, index), shown_as)


def _complaint(error: ErrorDetails, model: type[BaseModel], place: Location) -> str:
    match error["type"]:
        case "extra_forbidden":
            known = _keys_at(model, error["loc"][:-1])
            near = difflib.get_close_matches(str(place[-1]), known, n=1)
            meant = ".".join(map(str, (*place[:-1], *near)))
            return (
                f"is unknown; did you mean {meant}?" if near else f"is unknown; known here: {', '.join(sorted(known))}"
            )
        case "missing" | "union_tag_not_found":
            return "is missing; add it"
        case "union_tag_invalid":
            return f"must be one of {error['ctx']['expected_tags']}"
        case kind if kind in _WANTED:
            return f"must be {_WANTED[kind]}"
    return error["msg"].removeprefix("Value error, ").replace("Input should be", "must be")


def _keys_at(model: type[BaseModel], place: Location) -> list[str]:
    alternatives = [model]
    for part in place:
        if part in alternatives[0].model_fields:
            alternatives = _models_in(alternatives[0].model_fields[str(part)].annotation) or alternatives
        else:  # an index, a name of the file's own, or the tag of one alternative
            alternatives = [one for one in alternatives if _is_tagged(one, part)] or alternatives
    return list(alternatives[0].model_fields)


def _is_tagged(model: type[BaseModel], tag: str | int) -> bool:
    return any(tag in typing.get_args(field.annotation) for field in model.model_fields.values())


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for arg in typing.get_args(annotation) for found in _models_in(arg)]
