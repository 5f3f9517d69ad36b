"""Take a Grafana dashboard's JSON apart into its panels: rows unfolded, library panels put in, each with a name of its own. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "Placed",
    "as_object",
    "as_objects",
    "library_uid",
    "model",
    "place",
    "subjects",
    "thresholds",
    "title",
    "unit",
]

# They show text, lists or alerts, and ask no query.
_WITHOUT_QUERY = {
    *("alertGroups", "alertlist", "annolist", "dashlist", "debug", "gettingstarted", "live", "news", "pluginlist"),
    *("row", "text", "welcome"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A panel's JSON, the title of the row that it stands in, and the variables for each of whose values it is repeated.

    `lacks` is the uid of the library panel that it only names, so that nothing is known of it; else empty.
    """

    json: Mapping[str, Any]
    row: str
    repeats: tuple[str, ...]
    lacks: str


def model(document: object) -> Mapping[str, Any]:
    """The dashboard itself, out of the wrappings in which Grafana's APIs hand it out.

    Raises:
        ValueError: there is none, or it is written in a schema that is not read.

    """
    if not isinstance(document, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - whoever reads a dashboard expects one kind of error
    for wrapping in ("dashboard", "spec"):
        inner = document.get(wrapping)
        if isinstance(inner, dict) and not document.keys() & {"panels", "rows"}:
            return model(inner)
    if isinstance(document.get("elements"), dict) and "layout" in document:
        raise ValueError("it is written in Grafana's schema v2, which Genesis does not read; export the classic model")
    return document


def place(document: Mapping[str, Any], library: Mapping[str, Mapping[str, Any]]) -> list[Placed]:
    """Every panel that shows data, in the dashboard's order; `library` holds the models of library panels, by uid.

    Raises:
        ValueError: this is not the structure of a dashboard; says what is wrong.

    """
    # An export may carry its library panels along.
    carried = {uid: as_object(as_object(e).get("model")) for uid, e in _elements(document).items()}
    found = list(_unfold(document.get("panels"), "", ()))
    for row in as_objects(document.get("rows"), "rows"):  # as dashboards were written before Grafana 5
        found += _unfold(row.get("panels"), str(row.get("title") or ""), _repeats(row))
    whole = [_with_model(placed, {**carried, **library}) for placed in found]
    return [placed for placed in whole if _shows_data(placed.json)]


def library_uid(panel: Mapping[str, Any]) -> str:
    """The uid of the library panel that this one is; empty where it is none."""
    return str(as_object(panel.get("libraryPanel")).get("uid") or "")


def subjects(placed: list[Placed]) -> list[str]:
    """A name for each panel that no other has: its title; with its row, its id and its place where that is not enough."""
    names = [title(p.json) for p in placed]
    for more in (
        [f" ({p.row})" if p.row else "" for p in placed],
        [f" #{p.json.get('id', '?')}" for p in placed],
        [f", panel {number} of the dashboard" for number in range(1, len(placed) + 1)],
    ):
        times = Counter(names)
        names = [name + extra if times[name] > 1 else name for name, extra in zip(names, more, strict=True)]
    return names


def title(panel: Mapping[str, Any]) -> str:
    """The panel's title, or its id where it has none."""
    return str(
        panel.get("title") or as_object(panel.get("libraryPanel")).get("name") or f"panel {panel.get('id', '?')}"
    )


def unit(panel: Mapping[str, Any]) -> str:
    """Grafana's name of the unit that the panel shows; empty: none, or several."""
    overrides = as_object(panel.get("fieldConfig")).get("overrides")
    properties = [as_object(o).get("properties") for o in (overrides if isinstance(overrides, list) else ())]
    if any(as_object(p).get("id") == "unit" for own in properties if isinstance(own, list) for p in own):
        return ""
    axes = panel.get("yaxes")
    left = axes[0] if isinstance(axes, list) and axes else None
    return str(_defaults(panel).get("unit") or panel.get("format") or as_object(left).get("format") or "")


def thresholds(panel: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """The lines that the panel draws, as (label, value)."""
    defaults = _defaults(panel)
    style = as_object(as_object(defaults.get("custom")).get("thresholdsStyle"))
    if style.get("mode", "off") == "off":
        return
    for step in as_objects(as_object(defaults.get("thresholds")).get("steps"), "steps of thresholds"):
        if isinstance(step.get("value"), int | float):  # the first step is the base, which has no value
            yield "threshold", float(step["value"])


def as_object(value: object) -> Mapping[str, Any]:
    """A JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_objects(value: object, what: str) -> list[Mapping[str, Any]]:
    """A list of JSON objects; null counts as an empty one.

    Raises:
        ValueError: it is something else.

    """
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
        raise ValueError(f"its {what} are no list of objects")
    return value


def _unfold(panels: object, row: str, repeats: tuple[str, ...]) -> Iterator[Placed]:
    for panel in as_objects(panels, "panels"):
        if panel.get("repeatPanelId") and panel.get("repeatIteration") and not panel.get("repeat"):
            continue  # a copy that was saved by mistake; Grafana throws it away and makes it anew
        if panel.get("type") == "row":
            # The panels of an open row follow it; those of a folded one lie in it.
            row, repeats = str(panel.get("title") or ""), _repeats(panel)
        own = tuple(dict.fromkeys((*repeats, *_repeats(panel))))
        yield Placed(json=panel, row=row, repeats=own, lacks="")
        yield from _unfold(panel.get("panels"), row, repeats)


def _shows_data(panel: Mapping[str, Any]) -> bool:
    return str(panel.get("type")) not in _WITHOUT_QUERY


def _elements(document: Mapping[str, Any]) -> Mapping[str, Any]:
    stated = document.get("__elements")
    if isinstance(stated, dict):
        return stated
    return {str(e.get("uid")): e for e in as_objects(stated, "library panels")}  # as they were before Grafana 9


def _repeats(panel: Mapping[str, Any]) -> tuple[str, ...]:
    return (str(panel["repeat"]),) if panel.get("repeat") else ()


def _with_model(placed: Placed, library: Mapping[str, Mapping[str, Any]]) -> Placed:
    panel, uid = placed.json, library_uid(placed.json)
    if not uid or "targets" in panel or not _shows_data(panel):
        return placed
    held = library.get(uid)
    # Its own name, so that it is called the same when the library cannot be read.
    own = {key: panel[key] for key in ("id", "title") if panel.get(key)}
    whole = {**panel, **held, **own} if held else panel
    return Placed(json=whole, row=placed.row, repeats=placed.repeats, lacks="" if held else uid)


def _defaults(panel: Mapping[str, Any]) -> Mapping[str, Any]:
    return as_object(as_object(panel.get("fieldConfig")).get("defaults"))
