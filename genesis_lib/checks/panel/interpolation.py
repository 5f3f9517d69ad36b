"""Put the values of a dashboard's variables into a query, as Grafana does for Prometheus. Pure."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

__all__ = ["SCRAPE_INTERVAL_S", "Filled", "Option", "Value", "automatic", "built_ins", "fill", "known_value", "seconds"]

# What Grafana takes for the scrape interval where neither the query nor the data source names one.
SCRAPE_INTERVAL_S = 15.0
_RANGE_S = 6 * 3600.0
_POINTS = 1000
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "M": 2592000.0, "y": 31536000.0}
# `$name`, `[[name:format]]` and `${name.field:format}`: Grafana's own pattern.
_PLACE = re.compile(r"\$(\w+)|\[\[(\w+?)(?::(\w+))?\]\]|\$\{(\w+)(?:\.([^:^}]+))?(?::([^}]+))?\}", re.ASCII)
_NAMED_GROUP = re.compile(r"\(\?P?<(\w+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One value that a variable can take, and how Grafana shows it."""

    text: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What a variable stands for: its chosen options.

    `is_pattern` says that several can be chosen, so that Grafana writes even one as a regular expression. `as_is` is what is put in
    instead, as it stands: a built-in, or a custom “all” value; else None.
    """

    chosen: tuple[Option, ...]
    is_pattern: bool
    as_is: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A text with values put in, the variables that it used, and the names that no variable has."""

    text: str
    used: tuple[str, ...]
    unknown: tuple[str, ...]


def fill(text: str, values: Mapping[str, Value]) -> Filled:
    """Put each variable's value into a query."""
    used: dict[str, None] = {}
    unknown: dict[str, None] = {}
    groups = set(_NAMED_GROUP.findall(text))  # label_replace() writes its groups as variables are written

    def put(match: re.Match[str]) -> str:
        name = match[1] or match[2] or match[4]
        value = values.get(name)
        if value is not None:
            used[name] = None
            return _written(value, match[3] or match[6] or "")
        if not name[0].isdigit() and name not in groups:
            unknown[name] = None
        return match[0]

    return Filled(text=_PLACE.sub(put, text), used=tuple(used), unknown=tuple(unknown))


def known_value(text: str) -> Value:
    """A single value that is put in as it stands."""
    return Value(chosen=(Option(text=text, value=text),), is_pattern=False, as_is=text)


def built_ins(*, range_s: float, step_s: float, points: float, at: datetime) -> dict[str, Value]:
    """Grafana's own variables for a panel of this range, minimal step and number of points, that ends at `at`."""
    interval_s = max(step_s, _rounded(range_s / max(points, 1)))
    rate_s = max(interval_s + step_s, 4 * step_s)  # as Grafana's Prometheus data source reckons it
    end_ms = int(at.timestamp() * 1000)
    texts = {
        "__interval": _duration(interval_s),
        "__interval_ms": f"{interval_s * 1000:.0f}",
        "__rate_interval": _duration(rate_s),
        "__rate_interval_ms": f"{rate_s * 1000:.0f}",
        "__range": _duration(range_s),
        "__range_s": f"{range_s:.0f}",
        "__range_ms": f"{range_s * 1000:.0f}",
        "__from": str(end_ms - int(range_s * 1000)),
        "__to": str(end_ms),
        "__searchFilter": ".*",
    }
    return {name: known_value(text) for name, text in texts.items()}


def seconds(text: object, *, otherwise: float = _RANGE_S) -> float:
    """A duration as Grafana writes it (`now-6h`, `>=1m`, `30`), in seconds; `otherwise` where it is none."""
    match = re.fullmatch(
        r"(?:now-|>=?)?\s*([0-9]{1,12}(?:\.[0-9]{1,9})?)(ms|[smhdwMy])?(?:/[smhdwMy])?", str(text or "").strip()
    )
    if match is None:
        return otherwise
    return float(match[1]) * _UNITS_S[match[2] or "s"] or otherwise


def automatic(range_s: float, *, count: float, least_s: float) -> str:
    """The value of an interval variable that is left to Grafana."""
    return _duration(max(least_s, _rounded(range_s / max(count, 1))))


# Grafana rounds an interval below the first number to the second (seconds).
_ROUNDED = (
    *((0.15, 0.1), (0.35, 0.2), (0.75, 0.5), (1.5, 1), (3.5, 2), (7.5, 5), (12.5, 10), (17.5, 15), (25, 20), (45, 30)),
    *((90, 60), (210, 120), (450, 300), (750, 600), (1050, 900), (1500, 1200), (2700, 1800), (5400, 3600)),
    *((9000, 7200), (16200, 10800), (32400, 21600), (86400, 43200), (604800, 86400), (1814400, 604800)),
)


def _rounded(interval_s: float) -> float:
    return next((float(rounded) for limit, rounded in _ROUNDED if interval_s < limit), 2592000.0)


def _duration(duration_s: float) -> str:
    for unit in ("d", "h", "m", "s"):
        if duration_s >= _UNITS_S[unit] and duration_s % _UNITS_S[unit] == 0:
            return f"{duration_s / _UNITS_S[unit]:.0f}{unit}"
    return f"{duration_s * 1000:.0f}ms"


def _written(value: Value, form: str) -> str:
    texts = [option.value for option in value.chosen]
    if form == "text":
        return " + ".join(option.text for option in value.chosen)
    if form == "date:seconds":  # of $__from and $__to
        return "".join(t[:-3] for t in texts)
    if value.as_is is not None and form != "percentencode":
        return value.as_is
    if form:
        return _FORMS.get(form, _glob)(texts)  # Grafana takes `glob` for a form that it does not know
    if value.is_pattern:
        return _alternatives([_escaped(re.sub(r"[$^*{}\[\]'+?.()|]", r"\\\g<0>", _escaped(t))) for t in texts])
    return _escaped("".join(texts))


def _escaped(text: str) -> str:
    """Text as it stands between PromQL's double quotes; whole conditions (`job="x"`) are left alone, as Grafana does."""
    if re.fullmatch(r'\w+(=|!=|=~|!~)".*"', text):
        return text
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _alternatives(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"({'|'.join(texts)})"


def _glob(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{{{','.join(texts)}}}"


_FORMS: Mapping[str, Callable[[Sequence[str]], str]] = {
    "csv": ",".join,
    "doublequote": lambda texts: ",".join(json.dumps(t, ensure_ascii=False) for t in texts),
    "glob": _glob,
    "json": lambda texts: json.dumps(texts[0] if len(texts) == 1 else list(texts), ensure_ascii=False),
    "percentencode": lambda texts: quote(_glob(texts), safe=""),
    "pipe": "|".join,
    "raw": ",".join,
    "regex": lambda texts: _alternatives([re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", t) for t in texts]),
    "singlequote": lambda texts: ",".join("'" + t.replace("'", "\\'") + "'" for t in texts),
}
