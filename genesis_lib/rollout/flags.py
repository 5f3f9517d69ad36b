"""Change a rollout's flags in the text of a flagd file, say what would change, and leave every other character as it is.

A rollout at N % is `targeting: {"fractional": [["on", N], ["off", 100-N]]}`: flagd hashes flag and targeting key, so a user who has the
feature at 10 % keeps it at 25 %. 0 % is no targeting and the default off. 100 % is fractional too (100 and 0, exact: no key falls outside):
the default stays off at every percentage, so whoever asks without a key, and the check that asks for the safe value, gets off.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from genesis_lib.errors import GenesisError
from genesis_lib.formatting import plain, shortened
from genesis_lib.model import Cause, Missing

__all__ = ["FlagError", "FlagFile", "difference", "percentage_of", "switched_off", "with_percentage"]

_ALL = 100
_MEND = "mend it, or go back to a backup"
_SPACE = re.compile(r"[ \t\r\n]*")
_ON_AND_OFF = {"on": True, "off": False}


class FlagError(GenesisError):
    """A flag file cannot be read, changed, replaced or evaluated as asked; it is as it was, unless the message says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagFile:
    """The bytes of a flag file; `name` is what messages call it. It may be broken: whoever uses its flags finds out."""

    name: str
    content: bytes

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def text(self) -> str:
        """The content as text.

        Raises:
            FlagError: it is not UTF-8.

        """
        try:
            return self.content.decode()
        except UnicodeDecodeError as error:
            raise FlagError(f"{self.name}, byte {error.start + 1}: is not UTF-8; {_MEND}") from error

    @property
    def document(self) -> dict[str, Any]:
        """The whole, as JSON; that it has an object of flags is made sure, what flagd asks of each flag is not.

        Raises:
            FlagError: it is not JSON that every reader takes alike, or holds no flags; says where.

        """
        try:
            document = json.loads(self.text, object_pairs_hook=_once, parse_constant=_no_number)
        except json.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            raise FlagError(f"{self.name}, {place}: is not JSON ({error.msg}); {_MEND}") from error
        except (ValueError, RecursionError) as error:
            reason = "it is nested too deeply" if isinstance(error, RecursionError) else plain(str(error))
            raise FlagError(f"{self.name}: is not JSON that every reader takes alike ({reason}); {_MEND}") from error
        flags = document.get("flags") if isinstance(document, dict) else None
        if not isinstance(flags, dict):
            raise FlagError(f"{self.name}: has no object named flags; {_MEND}")
        for name, flag in flags.items():
            if not isinstance(flag, dict) or not isinstance(flag.get("variants"), dict):
                raise FlagError(f"{self.name}: flags.{plain(name)} is no object with variants; {_MEND}")
        return dict(document)


def with_percentage(file: FlagFile, flag: str, percentage: int) -> FlagFile:
    """The file with one flag on for this percentage of users, from 0 to 100.

    Raises:
        FlagError: the flag is not there, is disabled, has not exactly one variant for each of true and false, or has targeting that a
            rollout would overwrite.

    """
    if type(percentage) is not int or not 0 <= percentage <= _ALL:
        raise ValueError(f"{percentage!r} is no percentage from 0 to 100")
    found = _flag(file, flag)
    now = percentage_of(file, flag)
    if isinstance(now, Missing):
        raise FlagError(f"{file.name}: no percentage can be set, for {now.detail}; make it a plain on/off flag first")
    on, off = _variants(file, flag, found)
    rest = {key: value for key, value in found.items() if key != "targeting"}
    targeting = {"targeting": _fractional(on, off, percentage)} if percentage else {}
    # A key that is there already keeps its place.
    ordered = found | targeting if targeting else rest
    return _with_flag(file, flag, ordered | {"defaultVariant": off})


def switched_off(file: FlagFile, flags: Iterable[str]) -> FlagFile:
    """The file with these flags off for everyone, whatever they were: for a rollback, which must not fail on what it finds.

    Targeting goes (the backup has it); a flag that is disabled or not there, and so left to the default in the code, is told off aloud.

    Raises:
        FlagError: the file is broken, or a flag has not exactly one variant for each of true and false.

    """
    for name in flags:
        found = file.document["flags"].get(name, {"state": "ENABLED", "variants": _ON_AND_OFF})
        _, off = _variants(file, name, found)
        plain_flag = {key: value for key, value in found.items() if key != "targeting"}
        file = _with_flag(file, name, plain_flag | {"state": "ENABLED", "defaultVariant": off})
    return file


def percentage_of(file: FlagFile, flag: str) -> int | Missing:
    """For how many users in a hundred the flag is on, by the file; Missing with the reason where no one number tells it."""
    return _percentage(flag, file.document["flags"].get(flag))


def difference(before: FlagFile | None, after: FlagFile) -> tuple[str, ...]:
    """What would change, in lines for people: each flag in words, and under it each field as it was and would be.

    `before` is None where no file was there, and may be broken; then all of `after` is new.
    """
    if before is not None and before.content == after.content:
        return ()
    new = after.document
    old, remarks = _readable(before)
    lines = [line for name in _names(old["flags"], new["flags"]) for line in _of_flag(name, old["flags"], new["flags"])]
    lines += _of_fields(*({key: value for key, value in d.items() if key != "flags"} for d in (old, new)))
    if not remarks and not lines:
        remarks = ["only the writing (spaces, order, escapes); every flag stays as it is"]
    return (*remarks, *lines)


def _readable(file: FlagFile | None) -> tuple[dict[str, Any], list[str]]:
    if file is None:
        return {"flags": {}}, ["the file is new"]
    try:
        return file.document, []
    except FlagError as error:
        return {"flags": {}}, [f"what is there is replaced as a whole, for it cannot be read: {error}"]


def _percentage(name: str, flag: Mapping[str, Any] | None) -> int | Missing:
    shown = plain(name)
    if flag is None:
        return Missing(cause=Cause.NO_DATA, detail=f"{shown} is not in the file")
    if flag.get("state") != "ENABLED":
        return Missing(cause=Cause.UNDEFINED, detail=f"{shown} is not ENABLED, which leaves it to the code")
    default, targeting = _value(flag, flag.get("defaultVariant")), flag.get("targeting")
    if not isinstance(default, bool):
        return Missing(cause=Cause.UNDEFINED, detail=f"the default of {shown} is neither true nor false")
    match targeting:
        case None | {} if not targeting:
            return _ALL if default else 0
        case {"fractional": [[on, int(share)], [off, int(rest)]]} if len(targeting) == 1 and not default:
            is_plain = type(share) is type(rest) is int and min(share, rest) >= 0 and share + rest == _ALL
            if is_plain and _value(flag, on) is True and _value(flag, off) is False:
                return share
    return Missing(cause=Cause.UNDEFINED, detail=f"{shown} has targeting that is no rollout by percentage")


def _of_flag(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    if old.get(name) != new.get(name):
        was, will = old.get(name), new.get(name)
        yield f"{plain(name)}: {_told(name, was)} → {_told(name, will)}"
        yield from (f"  {line}" for line in _of_fields(was or {}, will or {}))


def _of_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    sides = [{key: json.dumps(value) for key, value in side.items()} for side in (old, new)]
    was, will = sides
    return [
        f"{plain(key)}: {shortened(was.get(key, 'none'))} → {shortened(will.get(key, 'none'))}"
        for key in _names(was, will)
        if was.get(key) != will.get(key)
    ]


def _told(name: str, flag: Mapping[str, Any] | None) -> str:
    if flag is None:
        return "not in the file"
    percentage = _percentage(name, flag)
    if isinstance(percentage, Missing):
        return f"not told by a percentage ({percentage.detail})"
    return f"on for {percentage} % of users" if percentage else "off"


def _names(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys([*old, *new]))


def _flag(file: FlagFile, name: str) -> dict[str, Any]:
    found = file.document["flags"].get(name)
    if found is None:
        raise FlagError(f"{file.name}: {plain(name)} is not in the file; add it, with its safe value")
    return dict(found)


def _variants(file: FlagFile, name: str, flag: Mapping[str, Any]) -> tuple[str, str]:
    """The names of the variants that are true and false."""
    on, off = ([key for key, value in flag["variants"].items() if value is wanted] for wanted in (True, False))
    if (len(on), len(off)) != (1, 1):
        reason = "must have exactly one variant that is true and one that is false"
        raise FlagError(f"{file.name}: flags.{plain(name)}.variants {reason}; mend it")
    return on[0], off[0]


def _value(flag: Mapping[str, Any], variant: object) -> object:
    """A variant's value; flagd takes true and false for the variants of these names."""
    name = json.dumps(variant) if isinstance(variant, bool) else variant
    return flag["variants"].get(name) if isinstance(name, str) else None


def _fractional(on: str, off: str, percentage: int) -> dict[str, Any]:
    return {"fractional": [[on, percentage], [off, _ALL - percentage]]}


def _with_flag(file: FlagFile, name: str, flag: Mapping[str, Any]) -> FlagFile:
    """The file with this flag changed, or added in front of the others: nothing else is written anew."""
    text, flags = file.text, file.document["flags"]
    if name in flags and json.dumps(flags[name]) == json.dumps(flag):
        return file
    if name in flags:
        start, end = _span(text, ("flags", name))
        written = _indented(text, start, flag, is_broken="\n" in text[start:end])
    else:
        start = end = _span(text, ("flags",))[0] + 1
        written = f"{json.dumps(name)}: {json.dumps(flag)}{', ' if flags else ''}"
    return FlagFile(name=file.name, content=f"{text[:start]}{written}{text[end:]}".encode())


def _indented(text: str, start: int, value: Mapping[str, Any], *, is_broken: bool) -> str:
    """JSON as its neighbours are written: in one line, or a field a line."""
    if not is_broken:
        return json.dumps(value)
    line = text[text.rfind("\n", 0, start) + 1 :]
    margin = line[: len(line) - len(line.lstrip(" \t"))]
    end = "\r\n" if "\r\n" in text else "\n"
    # A file's flags stand two levels deep.
    step = margin[: len(margin) // 2] or "  "
    fields = f",{end}".join(f"{margin}{step}{json.dumps(key)}: {json.dumps(field)}" for key, field in value.items())
    return f"{{{end}{fields}{end}{margin}}}"


def _span(text: str, place: tuple[str, ...]) -> tuple[int, int]:
    """Where the value at this place begins and ends in a text that is known to be JSON, no key of which stands twice."""
    decoder = json.JSONDecoder()
    start, end = _past_space(text, 0), len(text)
    for wanted in place:
        name, end = None, start + 1
        while name != wanted:
            # Past the opening brace, or the comma that follows a field.
            name, at = decoder.raw_decode(text, _past_space(text, end))
            start = _past_space(text, _past_space(text, at) + 1)
            end = decoder.raw_decode(text, start)[1]
            if name != wanted:
                end = _past_space(text, end) + 1
    return start, end


def _past_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    found = dict(pairs)
    if len(found) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{twice!r} stands twice in one object; keep one")
    return found


def _no_number(text: str) -> object:
    raise ValueError(f"{text} is no JSON")
