"""Read the dashboards, from Grafana or from files, down to the queries that their panels ask."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

from genesis_lib.checks.ask.ladder import Rung
from genesis_lib.checks.claims import identify
from genesis_lib.checks.panel import panel_json, variable_queries, variables
from genesis_lib.checks.panel.data_sources import DataSources, by_variable
from genesis_lib.checks.panel.interpolation import SCRAPE_INTERVAL_S, built_ins, seconds
from genesis_lib.checks.panel.panel_queries import POINTS, Reader, Unasked
from genesis_lib.checks.panel.variables import Ask
from genesis_lib.model import Answer, Cause, Missing, Verdict
from genesis_lib.run import Run

__all__ = ["Context", "Dashboard", "Panel", "Unasked", "gather", "read"]

LIST_OF_SOURCES = "Grafana's list of data sources"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel that shows data: its title, unit (Grafana's name for it) and PromQL queries with the variables put in.

    `subject` is unique within the dashboard. `thresholds` are the lines that it draws, as (label, value) in its unit. `wants_one` says that
    it shows a single number. `names` are the queries' own, in the order of `expressions`; `unasked` is what cannot be asked, `notes` say
    how it was asked, `evidence` are the exchanges that gave variables, library panel and data sources.
    """

    title: str
    subject: str
    kind: str
    unit: str
    thresholds: tuple[tuple[str, float], ...]
    expressions: tuple[str, ...]
    wants_one: bool
    names: tuple[str, ...] = ()
    unasked: tuple[Unasked, ...] = ()
    notes: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A dashboard: its title, unlike that of any other, and its panels, or why it cannot be read.

    `source` is the file's name or the uid. `lost` says why Grafana's own is not known, where the panels are those of a file instead;
    `is_absent` that Grafana answered that it has none; `because_of` is the finding that either follows from.
    """

    source: str
    title: str
    panels: tuple[Panel, ...] | Missing
    evidence: str
    lost: Missing | None = None
    is_absent: bool = False
    because_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What is known beside a dashboard's JSON.

    `ask` answers the queries of variables; `library` holds the library panels, by uid, or why one cannot be had; `at` is the instant that
    the panels are asked about.
    """

    at: datetime
    ask: Ask
    sources: DataSources
    library: Mapping[str, Answer[Mapping[str, Any]] | Rung]


def gather(run: Run) -> tuple[Dashboard, ...]:
    """Every dashboard that the environment names: by uid from Grafana, or from file where there is no Grafana."""
    return run.once("panels", _gather)


def read(document: Mapping[str, Any], context: Context) -> tuple[Panel, ...]:
    """The panels of a dashboard that show data, rows unfolded, variables put in.

    Raises:
        ValueError: this is not the structure of a dashboard; says what is wrong.

    """
    models = {uid: found.value for uid, found in context.library.items() if isinstance(found, Answer)}
    placed = panel_json.place(document, models)
    specs = panel_json.as_objects(panel_json.as_object(document.get("templating")).get("list"), "variables")
    range_s = seconds(panel_json.as_object(document.get("time")).get("from"))
    kinds = by_variable(document, specs)
    built_in = built_ins(range_s=range_s, step_s=SCRAPE_INTERVAL_S, points=POINTS, at=context.at)
    reader = Reader(
        sources=context.sources,
        variables=variables.resolve(
            specs, sources=context.sources, kinds=kinds, range_s=range_s, ask=context.ask, built_in=built_in
        ),
        kinds=kinds,
        panels={str(p.json.get("id")): p.json for p in placed},
        range_s=range_s,
        at=context.at,
    )
    return tuple(
        _panel(p, subject, reader, context) for p, subject in zip(placed, panel_json.subjects(placed), strict=True)
    )


def _panel(placed: panel_json.Placed, subject: str, reader: Reader, context: Context) -> Panel:
    panel, asked = placed.json, reader.read(placed)
    known = context.library.get(panel_json.library_uid(panel))
    if placed.lacks:
        asked.refuse("", known if isinstance(known, Rung) else _only_named(panel_json.title(panel)))
    return Panel(
        title=panel_json.title(panel),
        subject=subject,
        kind=str(panel.get("type", "")),
        unit=panel_json.unit(panel),
        thresholds=tuple(panel_json.thresholds(panel)),
        expressions=tuple(text for _, text in asked.queries),
        wants_one=panel.get("type") == "singlestat",  # Grafana itself shows an error there
        names=tuple(name for name, _ in asked.queries),
        unasked=tuple(asked.unasked),
        notes=tuple(asked.notes),
        evidence=(*asked.evidence, known.evidence if isinstance(known, Answer) else "", context.sources.evidence),
    )


def _gather(run: Run) -> tuple[Dashboard, ...]:
    files = [_file(run, path) for path in run.environment.files.dashboards]
    if run.environment.grafana and run.environment.grafana_dashboards:
        return _told_apart(_from_grafana(run, files))
    unknown = DataSources(listed=None, evidence="")
    return _told_apart([_read(run, document, path, evidence, unknown) for path, document, evidence in files])


def _file(run: Run, path: str) -> tuple[str, Any | Missing, str]:
    answer: Answer[bytes] | Missing = run.ask(lambda: run.evidence.file(run.environment.file(path), name=path))
    if isinstance(answer, Missing):
        return path, answer, answer.evidence
    try:
        return path, _decoded(answer.value), answer.evidence
    except (ValueError, RecursionError) as error:
        detail = f"{path}: is no dashboard: it is no JSON ({error})"
        return path, Missing(cause=Cause.MALFORMED, detail=detail, evidence=answer.evidence), answer.evidence


def _decoded(content: bytes) -> Any:
    """The JSON; what no text may hold (half of a surrogate pair) is replaced, as Grafana replaces it."""
    return json.loads(json.dumps(json.loads(content), ensure_ascii=False).encode(errors="replace"))


def _from_grafana(run: Run, files: list[tuple[str, Any | Missing, str]]) -> list[Dashboard]:
    listed = run.ask_now(lambda: run.grafana.data_sources())
    sources = DataSources(listed=None if isinstance(listed, Missing) else listed.value, evidence=listed.evidence)
    found, is_any_read = [], False
    for uid in run.environment.grafana_dashboards:
        answer = run.ask_now(partial(_dashboard, run, uid))
        if isinstance(answer, Missing):
            found += _lost(run, uid, answer, files)
        else:
            is_any_read = True
            found.append(_read(run, answer.value.model, uid, answer.evidence, sources))
    if is_any_read and isinstance(listed, Missing):
        found.append(Dashboard(source=LIST_OF_SOURCES, title=LIST_OF_SOURCES, panels=listed, evidence=listed.evidence))
    return found


def _dashboard(run: Run, uid: str) -> Answer[Any]:
    return run.grafana.dashboard(uid)


def _lost(run: Run, uid: str, why: Missing, files: list[tuple[str, Any | Missing, str]]) -> list[Dashboard]:
    """What is known of a dashboard that Grafana does not give: that it has none, and the panels of a file that holds it."""
    is_absent = "dashboard not found" in why.detail.lower()  # Grafana's own words, not those of a proxy
    service = next((name for name, s in run.environment.services.items() if s.source == "grafana"), "")
    is_down = why.cause in (Cause.UNREACHABLE, Cause.TIMEOUT)
    because_of = identify("services.ready", service) if service and is_down else ""
    itself = Dashboard(
        source=uid, title=uid, panels=why, evidence=why.evidence, is_absent=is_absent, because_of=because_of
    )
    unknown = DataSources(listed=None, evidence="")
    held = [_read(run, d, uid, evidence, unknown) for _, d, evidence in files if _uid(d) == uid]
    follows = because_of or identify("dashboards.readable", uid)
    stand_ins = [replace(d, lost=why, because_of=follows) for d in held if not isinstance(d.panels, Missing)]
    return [*([] if because_of and stand_ins else [itself]), *stand_ins]


def _uid(document: object) -> str:
    try:
        return str(panel_json.model(document).get("uid") or "")
    except (ValueError, RecursionError):
        return ""


def _read(run: Run, document: Any | Missing, source: str, evidence: str, sources: DataSources) -> Dashboard:
    if isinstance(document, Missing):
        return Dashboard(source=source, title=source, panels=document, evidence=evidence)
    panels: tuple[Panel, ...] | Missing
    try:
        model = panel_json.model(document)
        lacking = {p.lacks for p in panel_json.place(model, {})} - {""} if run.environment.grafana else set()
        library = {uid: _library_panel(run, uid) for uid in sorted(lacking)}
        ask = partial(variable_queries.ask, run)
        panels = read(model, Context(at=run.as_of, ask=ask, sources=sources, library=library))
        title = str(model.get("title") or source)
    except (ValueError, RecursionError) as error:
        detail = f"{source}: is no dashboard: {error}"
        panels, title = Missing(cause=Cause.MALFORMED, detail=detail, evidence=evidence), source
    return Dashboard(source=source, title=title, panels=panels, evidence=evidence)


def _library_panel(run: Run, uid: str) -> Answer[Mapping[str, Any]] | Rung:
    found = run.ask_now(lambda: run.grafana.library_panel(uid))
    if isinstance(found, Answer):
        return Answer(value=found.value.model, evidence=found.evidence, asked_at=found.asked_at)
    is_absent = "library element" in found.detail.lower()  # as Grafana words a 404
    return Rung(
        verdict=Verdict.FAIL if is_absent else Verdict.UNKNOWN,
        observed="no such library panel" if is_absent else f"no answer ({found.cause})",
        reason=f"it is a library panel, which cannot be had: {found.detail}",
        hint="put the library panel back, or remove this one" if is_absent else "mend the source",
        because_of="",
        evidence=(found.evidence,),
    )


def _only_named(name: str) -> Rung:
    return Rung(
        verdict=Verdict.UNKNOWN,
        observed="only the name of a library panel",
        reason=f"it is the library panel {name}, of which the dashboard holds only the name",
        hint="export the dashboard for sharing externally, with its library panels; or name Grafana and grafana_dashboards",
        because_of="",
        evidence=(),
    )


def _told_apart(dashboards: list[Dashboard]) -> tuple[Dashboard, ...]:
    """The same dashboards, each with a title of its own."""
    times = Counter(d.title for d in dashboards)
    found: list[Dashboard] = []
    taken: set[str] = set()
    for dashboard in dashboards:
        name = dashboard.title if times[dashboard.title] == 1 else f"{dashboard.title} ({dashboard.source})"
        title = next(t for n in count(1) if not _subjects(dashboard, t := name if n == 1 else f"{name} #{n}") & taken)
        taken |= _subjects(dashboard, title)
        found.append(replace(dashboard, title=title))
    return tuple(found)


def _subjects(dashboard: Dashboard, title: str) -> set[str]:
    panels = () if isinstance(dashboard.panels, Missing) else dashboard.panels
    return {title, *(f"{title} / {panel.subject}" for panel in panels)}
