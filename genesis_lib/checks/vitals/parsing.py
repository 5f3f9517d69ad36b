"""Parse files by their suffix, strictly: a key that stands twice is refused, and no value is ever quoted in a message."""

import ast
import configparser
import json
import tomllib
import warnings
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any

import yaml

__all__ = ["check_yaml", "json_document", "parser", "yaml_document"]

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where PyYAML was built with it
_TOO_DEEP = "is nested too deeply"


def json_document(content: bytes) -> object:
    """Raises ValueError, as all parsers here."""
    try:
        return json.loads(content, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def yaml_document(content: bytes) -> object:
    """The one document of a YAML file, with plain values."""
    check_yaml(content)
    try:
        return yaml.load(content, Loader=_Loader)  # noqa: S506 - both are safe
    except yaml.YAMLError as error:
        raise ValueError(_yaml_problem(error)) from error


def parser(name: str) -> tuple[str, Callable[[bytes], object]] | None:
    """What a file of this name is written in, and what refuses it by a ValueError; None for suffixes that tell nothing."""
    return _PARSERS.get(PurePath(name).suffix.lower())


def check_yaml(content: bytes) -> None:
    """One document or several; tags are left to who reads it."""
    try:
        nodes = list(yaml.compose_all(content, Loader=_Loader))
        if not nodes:
            raise ValueError("holds nothing")
        seen: set[int] = set()
        for node in nodes:
            _check_keys(node, seen)
    except yaml.YAMLError as error:
        raise ValueError(_yaml_problem(error)) from error
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None


def _check_keys(node: yaml.Node, seen: set[int]) -> None:
    if id(node) in seen:  # an alias of what was looked at
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in keys and key.value != "<<":
                    raise ValueError(f"line {key.start_mark.line + 1}: {key.value!r} stands here twice")
                keys.add(key.value)
            _check_keys(value, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _check_keys(value, seen)


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark, problem = (
        getattr(error, "problem_mark", None),
        getattr(error, "problem", None) or getattr(error, "reason", ""),
    )
    return (f"line {mark.line + 1}: " if mark else "") + (problem or "is not YAML")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    found = dict(pairs)
    if len(found) < len(keys):
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} stands twice in one object")
    return found


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


def _toml(content: bytes) -> object:
    return tomllib.loads(content.decode())


def _ini(content: bytes) -> object:
    reader = configparser.ConfigParser(interpolation=None)
    try:
        reader.read_string(content.decode())
    except configparser.Error as error:  # its message would quote the line
        line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", ())), "?")
        raise ValueError(f"line {line}: {type(error).__name__}") from None
    return reader


def _python(content: bytes) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(content)
    except SyntaxError as error:
        raise ValueError(f"line {error.lineno}: {error.msg}") from None
    except (RecursionError, MemoryError):
        raise ValueError(_TOO_DEEP) from None


_PARSERS: Mapping[str, tuple[str, Callable[[bytes], object]]] = {
    ".json": ("JSON", json_document),
    ".yaml": ("YAML", check_yaml),
    ".yml": ("YAML", check_yaml),
    ".toml": ("TOML", _toml),
    ".ini": ("INI", _ini),
    ".cfg": ("INI", _ini),
    ".py": ("Python", _python),
}
