"""Compare a configuration file with what a server says that it runs: in meaning, not in spelling.

A server writes its configuration anew: defaults filled in, credentials left out, durations, sizes and matchers in its own spelling, paths
made absolute. So what the file says must stand in the running one; and what runs and can be no default must stand in the file.
"""

import calendar
import json
import math
import posixpath
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import yaml

from genesis_lib.checks.alert import matchers

__all__ = ["FILLED_IN_BY_GRAFANA", "Difference", "differences", "load"]

# What Grafana sets, moves or takes out when it stores a dashboard.
FILLED_IN_BY_GRAFANA = frozenset(
    {"id", "version", "iteration", "schemaVersion", "pluginVersion", "datasource", "current", "annotations", "gridPos"}
    | {"__inputs", "__requires", "__elements"}
)
# Keys that no server fills in: if one runs that the file does not have, somebody chose it.
_CHOSEN = re.compile(
    r"rule_files|alerting|alertmanagers|remote_write|remote_read|basic_auth|authorization|oauth2|external_labels|labels|params|\w+_configs"
    r"|routes|receivers|inhibit_rules|(\w+_)?matchers|(\w+_)?match(_re)?|(\w+_)?time_intervals|templates|equal|group_by"
)
# Their values are texts to the server, whatever they look like.
_TEXTS = {"labels", "external_labels", "params", "match", "match_re", "headers", "targets", "annotations"}
# Mappings whose keys are the user's own.
_OPEN = {("labels",), ("external_labels",), ("params",), ("match",), ("match_re",), ("annotations",)}
_PATHS = re.compile(r"(\w+_)?files?|templates")
_NAMES = ("job_name", "name", "title", "refId")
_MONTHS = [name.lower() for name in calendar.month_name]  # the first is empty
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
_DURATION = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_SIZE = re.compile(r"(\d+)([KMGTPE]?)i?B")
# A credential as evidence and servers leave it out; Prometheus writes xxxxx for the password of an address.
_MASKED = re.compile(r"<secret>|(?<=:)xxxxx(?=@)")
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Where file and server differ. `path` is `scrape_configs[node].scrape_interval`; None: that side has nothing there."""

    path: str
    file: object
    running: object

    def __str__(self) -> str:
        if self.running is None:
            return f"{self.path}: file {_shown(self.file)}, not running"
        if self.file is None:
            return f"{self.path}: running {_shown(self.running)}, not in the file"
        mine, other = _around_difference(_plain(self.file), _plain(self.running))
        return f"{self.path}: file {mine}, running {other}"


class _Loader(yaml.SafeLoader):
    """Leaves every scalar the text that it is, as a program with types of its own reads it; only `<<` keeps its meaning."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - so is it in the class above
        "<": [("tag:yaml.org,2002:merge", re.compile("<<"))]
    }


def load(text: str | bytes) -> Any:
    """A YAML document with all its scalars as texts. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a SafeLoader


def differences(file: object, running: object, *, ignored: Collection[str] = ()) -> tuple[Difference, ...]:
    """Where two documents differ in meaning; `ignored` are keys that are passed over at any depth."""
    return tuple(_compare(file, running, (), frozenset(ignored)))


def _compare(ours: object, theirs: object, path: tuple[str, ...], ignored: frozenset[str]) -> Iterator[Difference]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        yield from _mappings(ours, theirs, path, ignored)
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield from _lists(ours, theirs, path, ignored)
    elif _says_nothing(ours, path) and _says_nothing(theirs, path):
        return
    elif isinstance(ours, dict | list) or isinstance(theirs, dict | list) or not _same(ours, theirs, path):
        yield Difference(path=_written(path), file=ours, running=theirs)


def _mappings(
    ours: Mapping[str, object], theirs: Mapping[str, object], path: tuple[str, ...], ignored: frozenset[str]
) -> Iterator[Difference]:
    ours, theirs = _modern(ours, path), _modern(theirs, path)
    for key, value in ours.items():
        here = (*path, str(key))
        if key in ignored or (key == "options" and isinstance(value, list)):  # the choices of a Grafana variable
            continue
        if key in theirs:
            yield from _compare(value, theirs[key], here, ignored)
        elif not _says_nothing(value, here):
            yield Difference(path=_written(here), file=value, running=None)
    for key, value in theirs.items():
        here = (*path, str(key))
        chosen = _CHOSEN.fullmatch(str(key)) or path[-1:] in _OPEN
        if key not in ours and key not in ignored and chosen and not _says_nothing(value, here):
            yield Difference(path=_written(here), file=None, running=value)


def _lists(
    ours: Sequence[object], theirs: Sequence[object], path: tuple[str, ...], ignored: frozenset[str]
) -> Iterator[Difference]:
    names, other_names = _names(ours), _names(theirs)
    if names is not None and other_names is not None and (names or other_names):
        for name in {**names, **other_names}:
            here = (*path[:-1], f"{path[-1] if path else ''}[{name}]")
            yield from _compare_items(names.get(name), other_names.get(name), here, ignored)
    elif any(isinstance(item, dict | list) for item in (*ours, *theirs)):
        for index, (mine, other) in enumerate(zip_longest(ours, theirs)):
            here = (*path[:-1], f"{path[-1] if path else ''}[{index}]")
            yield from _compare_items(mine, other, here, ignored)
    elif path and path[-1].endswith("matchers"):
        yield from _scalars(_spelled(ours), _spelled(theirs), path)
    else:
        yield from _scalars(ours, theirs, path)


def _compare_items(mine: object, other: object, path: tuple[str, ...], ignored: frozenset[str]) -> Iterator[Difference]:
    if (mine is None) != (other is None):
        yield Difference(path=_written(path), file=mine, running=other)
    else:
        yield from _compare(mine, other, path, ignored)


def _scalars(ours: Sequence[object], theirs: Sequence[object], path: tuple[str, ...]) -> Iterator[Difference]:
    """Order has no meaning (a server may sort) but where labels are joined."""
    missing = [o for o in ours if not any(_same(o, t, path) for t in theirs)]
    extra = [t for t in theirs if not any(_same(o, t, path) for o in ours)]
    if missing or extra:
        for mine, other in zip_longest(missing, extra):
            yield Difference(path=_written(path), file=mine, running=other)
    elif path[-1:] == ("source_labels",) and ours != theirs:
        yield Difference(path=_written(path), file=list(ours), running=list(theirs))


def _names(items: Sequence[object]) -> dict[str, object] | None:
    """The items by their name; None where not each has one of its own."""
    found: dict[str, object] = {}
    for item in items:
        name = next((str(item[key]) for key in _NAMES if key in item), None) if isinstance(item, dict) else None
        if name is None or name in found:
            return None
        found[name] = item
    return found


def _same(ours: object, theirs: object, path: tuple[str, ...]) -> bool:
    mine, other = _text(ours), _text(theirs)
    if mine == other or _fits_masked(mine, other) or _fits_masked(other, mine):
        return True
    key = path[-1].partition("[")[0] if path else ""
    if "external_labels" in path and "$" in mine:
        return True  # the server puts in variables of its own environment
    if _PATHS.fullmatch(key) and not mine.startswith("/"):  # a server resolves a path from where its file lies
        return other.endswith("/" + posixpath.normpath(mine).replace("../", ""))
    if _TEXTS.intersection(path):
        return False
    return _meaning(mine, key) == _meaning(other, key)


def _meaning(text: str, key: str) -> object:
    """A value in a form that is equal for all spellings of it."""
    if key == "months":
        return re.sub(r"[a-z]+", lambda m: str(_MONTHS.index(m[0])) if m[0] in _MONTHS else m[0], text.lower())
    if key in ("action", "weekdays"):
        return text.lower()
    if _DURATION.fullmatch(text):
        return "s", math.fsum(int(n) * _SECONDS[unit] for n, unit in re.findall(r"(\d+)(ms|[smhdwy])", text))
    if size := _SIZE.fullmatch(text):
        return "B", int(size[1]) * 1024 ** " KMGTPE".index(size[2] or " ")
    if text.lower() in ("true", "yes", "on", "false", "no", "off"):
        return text.lower() in ("true", "yes", "on")
    try:
        return float(text)
    except ValueError:
        return text


def _fits_masked(masked: str, text: str) -> bool:
    """Whether a value of which parts are masked may be this text."""
    parts = _MASKED.split(masked)
    return len(parts) > 1 and re.fullmatch(".*".join(map(re.escape, parts)), text, re.DOTALL) is not None


def _modern(mapping: Mapping[str, object], path: tuple[str, ...]) -> Mapping[str, object]:
    """The mapping with keys in the spelling that servers turn old or careless ones into."""
    if path and path[-1] == "headers":
        return {str(key).title(): value for key, value in mapping.items()}
    for old, new in (("bearer_token", "credentials"), ("bearer_token_file", "credentials_file")):
        if old in mapping:
            rest = {key: value for key, value in mapping.items() if key != old}
            mapping = {**rest, "authorization": {new: mapping[old]}}
    return mapping


def _spelled(lines: Sequence[object]) -> list[object]:
    """Matchers as Alertmanager spells them; one line may hold several."""
    try:
        return [matchers.spelled(matcher) for matcher in matchers.of({"matchers": list(lines)})]
    except ValueError:  # not one that can be read here
        return [re.sub(r'[\s"]', "", str(line)) for line in lines]


def _says_nothing(value: object, path: tuple[str, ...]) -> bool:
    """Whether it is the zero value of its type, which servers leave out."""
    if isinstance(value, list):
        return not value
    if isinstance(value, dict):
        return all(_says_nothing(inner, (*path, str(key))) for key, inner in value.items())
    zero = ("", "null", "~") if _TEXTS.intersection(path) else ("", "null", "~", "false", "no", "off", "0", "0s")
    return _text(value).lower() in zero


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _written(path: tuple[str, ...]) -> str:
    return ".".join(path) or "the document"


def _around_difference(mine: str, other: str) -> tuple[str, str]:
    """Both texts from a little before where they begin to differ, and no longer than can be read."""
    same = len(posixpath.commonprefix([mine, other]))
    start = max(0, same - _SHOWN_CHARACTERS // 3) if max(len(mine), len(other)) > _SHOWN_CHARACTERS else 0
    lead = "…" if start else ""
    return lead + _cut(mine[start:]), lead + _cut(other[start:])


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else _text(value)


def _shown(value: object) -> str:
    return _cut(_plain(value))


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
