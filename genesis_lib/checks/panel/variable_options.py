"""Make the options of a dashboard's variable as Grafana makes them: taken from text, filtered, sorted. Pure."""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from genesis_lib.checks.panel.interpolation import Option

__all__ = ["filtered", "listed", "pattern"]

_LISTED = re.compile(r"(?:\\,|[^,])+")


def listed(text: str) -> list[Option]:
    """The options of a custom variable (`a, b` or `shown : value, …`) or of an interval variable."""
    found = []
    for part in _LISTED.findall(text):
        plain = part.replace("\\,", ",").strip()
        pair = re.fullmatch(r"(.+)\s:\s(.+)", plain)
        found.append(Option(text=pair[1].strip(), value=pair[2].strip()) if pair else Option(text=plain, value=plain))
    return [option for option in found if option.value]


def pattern(text: str) -> re.Pattern[str]:
    """A variable's `regex`: `/pattern/flags` is searched for, a bare pattern must match the whole.

    Raises:
        re.error: Python cannot read it.

    """
    match = re.fullmatch(r"/(.*)/([gimsuy]*)", text, re.DOTALL)
    body, flags = (match[1], match[2]) if match else (f"^{text}$", "")
    body = re.sub(r"\(\?<(?![=!])", "(?P<", body)  # as JavaScript names a group
    return re.compile(body, (re.IGNORECASE if "i" in flags else 0) | (re.DOTALL if "s" in flags else 0))


def filtered(texts: Iterable[str], *, regex: str, sort: int) -> list[Option]:
    """What is left of texts after a variable's `regex`, which may take a part out of each, in its order.

    Raises:
        re.error: the regex cannot be read.

    """
    wanted = pattern(regex) if regex else None
    repeatedly = re.fullmatch(r"/.*/\w*g\w*", regex, re.DOTALL) is not None
    options: dict[str, Option] = {}
    for text in texts:
        for option in (
            [Option(text=text, value=text)] if wanted is None else _taken(wanted, text, repeatedly=repeatedly)
        ):
            options.setdefault(option.value, option)
    return _sorted(list(options.values()), sort)


def _taken(wanted: re.Pattern[str], text: str, *, repeatedly: bool) -> list[Option]:
    matches = list(itertools.islice(wanted.finditer(text), None if repeatedly else 1))
    if not matches:
        return []
    named = {name: value for m in reversed(matches) for name, value in m.groupdict().items() if value}
    value, shown = named.get("value"), named.get("text")
    if value or shown:
        return [Option(text=shown or value or "", value=value or shown or "")]
    if not wanted.groups:
        return [Option(text=text, value=text)]  # a match without a group keeps the whole
    return [Option(text=m[1], value=m[1]) for m in matches if m[1]]


def _sorted(options: list[Option], sort: int) -> list[Option]:
    if sort not in range(1, 9):
        return options
    keys: Sequence[Callable[[Option], Any]] = (
        lambda o: o.text,
        lambda o: int(found[0]) if (found := re.findall(r"\d+", o.text)) else -1,
        lambda o: o.text.lower(),
        lambda o: [(0, int(p), "") if p.isdecimal() else (1, 0, p) for p in re.split(r"(\d+)", o.text.lower()) if p],
    )
    return sorted(options, key=keys[(sort - 1) // 2], reverse=sort % 2 == 0)
