"""Dashboards are taken apart down to the queries that their panels ask, however they are written."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesis_lib.checks.panel import panel_json, panels
from genesis_lib.checks.panel.data_sources import DataSources
from genesis_lib.checks.panel.panels import Context, Panel
from genesis_lib.clients.grafana import DataSource
from genesis_lib.model import Answer, Missing, Verdict
from tests.builders import AT, answer

Json = dict[str, Any]
NO_GRAFANA = DataSources(listed=None, evidence="")
LISTED = DataSources(
    listed=(
        DataSource(uid="u1", name="Prometheus", kind="prometheus", is_default=True, min_interval="60s"),
        DataSource(uid="u2", name="Logs", kind="loki"),
    ),
    evidence="e-list",
)
INSTANCES = ("a:1", "b:1")
HOSTILE = 'a"b\\c\n<script>\u202e\0ü'


def ask(query: str) -> Answer[tuple[str, ...]] | Missing:
    known = {"label_values(up, instance)": INSTANCES, "label_values(many, n)": tuple(map(str, range(120)))}
    return answer(known.get(query, ()))


def context(sources: DataSources = NO_GRAFANA, library: Mapping[str, Any] | None = None) -> Context:
    return Context(at=AT, ask=ask, sources=sources, library=library or {})


def panel(*targets: Json, title: str = "p", kind: str = "stat", **other: Any) -> Json:
    return {"title": title, "type": kind, "targets": list(targets)} | other


def target(expr: str = "up", **other: Any) -> Json:
    return {"expr": expr, "refId": "A"} | other


def dashboard(*shown: Json, variables: list[Json] | None = None, **other: Any) -> Json:
    return {"title": "d", "panels": list(shown), "templating": {"list": variables or []}} | other


def read(*shown: Json, sources: DataSources = NO_GRAFANA, **other: Any) -> tuple[Panel, ...]:
    return panels.read(dashboard(*shown, **other), context(sources))


def expressions(*shown: Json, **other: Any) -> list[str]:
    return [e for p in read(*shown, **other) for e in p.expressions]


NODE: Json = {"name": "node", "type": "query", "query": "label_values(up, instance)", "includeAll": True}
GONE: Json = {"name": "gone", "type": "query", "query": "label_values(nobody, x)"}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"panels": [panel(target())]}, id="at the top"),
        pytest.param({"panels": [{"type": "row", "panels": [panel(target())]}]}, id="in a folded row"),
        pytest.param({"panels": [{"type": "row", "panels": []}, panel(target())]}, id="after an open row"),
        pytest.param(
            {"panels": [{"type": "row", "panels": [{"type": "row", "panels": [panel(target())]}]}]}, id="in nested rows"
        ),
        pytest.param({"rows": [{"panels": [panel(target())]}]}, id="in rows of the old schema"),
        pytest.param({"dashboard": {"panels": [panel(target())]}, "meta": {}}, id="wrapped as by Grafana's API"),
        pytest.param({"apiVersion": "v1", "spec": {"panels": [panel(target())]}}, id="wrapped as by its newer API"),
        pytest.param({"panels": [panel(), panel(target()), panel()][1:2], "templating": None}, id="with nulls"),
    ],
)
def test_panels_are_found_wherever_they_stand(document: Json) -> None:
    (found,) = panels.read(panel_json.model(document), context())
    assert found.expressions == ("up",)


@pytest.mark.parametrize("kind", ["text", "news", "dashlist", "row", "alertlist", "annolist"])
def test_what_shows_no_query_is_left_out(kind: str) -> None:
    assert read(panel(kind=kind)) == ()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        pytest.param([], "no JSON object", id="a list"),
        pytest.param({"panels": "many"}, "panels are no list of objects", id="panels that are text"),
        pytest.param({"panels": [3]}, "panels are no list of objects", id="a panel that is a number"),
        pytest.param({"panels": [panel() | {"targets": ["up"]}]}, "targets are no list", id="a target that is text"),
        pytest.param({"panels": [], "templating": {"list": {}}}, "variables are no list", id="variables in no list"),
        pytest.param({"elements": {}, "layout": {}}, "schema v2", id="the schema that is not read"),
    ],
)
def test_what_is_no_dashboard_is_said(document: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        panels.read(panel_json.model(document), context())


def test_each_panel_has_a_name_of_its_own() -> None:
    shown = [
        panel(title="alone"),
        {"type": "row", "title": "disks", "panels": [panel(title="same"), panel(title="twin", id=7)]},
        {"type": "row", "title": "nets", "panels": [panel(title="same"), panel(title="twin")]},
        {"type": "row", "title": "nets", "panels": [panel(title="twin", id=8), panel(title="twin", id=9)]},
        panel(title="", id=5),
        panel(title=HOSTILE),
        panel(title="again", id=1),
        panel(title="again", id=1),
    ]
    subjects = [p.subject for p in read(*shown)]
    assert subjects[:3] == ["alone", "same (disks)", "twin (disks)"]
    assert subjects[5:7] == ["twin (nets) #8", "twin (nets) #9"]
    assert {"panel 5", HOSTILE} < set(subjects)
    assert len(set(subjects)) == len(subjects) == 11


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        pytest.param(panel(target("a"), target("b", hide=True)), ["a"], id="a hidden query is not asked"),
        pytest.param(
            panel(
                target("a", hide=True, refId="A"),
                target("b", hide=True, refId="B"),
                {"refId": "C", "datasource": {"type": "__expr__", "uid": "__expr__"}, "expression": "$A * 2"},
            ),
            ["a"],
            id="unless something is calculated from it",
        ),
        pytest.param(
            panel(target('x{i="$node"}'), repeat="node"), ['x{i="a:1"}', 'x{i="b:1"}'], id="repeated for each value"
        ),
        pytest.param(panel(target('x{i=~"$node"}')), ['x{i=~"(a:1|b:1)"}'], id="else all values in one query"),
        pytest.param(panel(target("rate(x[$__rate_interval])")), ["rate(x[1m])"], id="Grafana's own variables"),
        pytest.param(
            panel(target("rate(x[$__rate_interval])", interval="1m")), ["rate(x[4m])"], id="with a minimal step"
        ),
        pytest.param(
            panel(target("increase(x[$__range])"), timeFrom="2h"), ["increase(x[2h])"], id="a range of its own"
        ),
        pytest.param(panel(target('label_replace(x, "a", "$1", "b", "c$")')), None, id="groups are no variables"),
    ],
)
def test_what_a_panel_asks(shown: Json, expected: list[str] | None) -> None:
    assert expressions(shown, variables=[NODE]) == (expected or [shown["targets"][0]["expr"]])


def test_the_panels_of_a_row_are_repeated_with_it() -> None:
    row = {"type": "row", "title": "r", "repeat": "node", "panels": [panel(target('x{i="$node"}'))]}
    (found,) = read(row, variables=[NODE])
    assert found.expressions == ('x{i="a:1"}', 'x{i="b:1"}')
    assert found.names == ("A ($node = a:1)", "A ($node = b:1)")


def test_a_panel_is_repeated_for_the_values_and_not_for_a_custom_all() -> None:
    (found,) = read(panel(target('x{i="$node"}'), repeat="node"), variables=[NODE | {"allValue": ".*"}])
    assert found.expressions == ('x{i="a:1"}', 'x{i="b:1"}')


def test_a_panel_that_shows_the_data_of_another_asks_the_same() -> None:
    shared = {"type": "datasource", "uid": "-- Dashboard --"}
    other = panel({"panelId": 1, "refId": "A"}, title="other", datasource=shared)
    assert expressions(panel(target("a"), id=1), other) == ["a", "a"]


def test_queries_of_a_mixed_panel_have_their_own_data_sources() -> None:
    logs = target("logs", refId="B", datasource={"type": "loki", "uid": "u2"})
    mixed = panel(target("a", datasource={"type": "prometheus", "uid": "u1"}), logs, datasource={"uid": "-- Mixed --"})
    (found,) = read(mixed, sources=LISTED)
    assert (found.expressions, [u.name for u in found.unasked]) == (("a",), ["B"])


def test_the_scrape_interval_is_the_one_that_grafana_was_told() -> None:
    assert expressions(panel(target("rate(x[$__rate_interval])")), sources=LISTED) == ["rate(x[4m])"]


SHARED = {"uid": "-- Dashboard --"}


@pytest.mark.parametrize(
    ("shown", "sources", "verdict", "words"),
    [
        pytest.param(panel(target("")), NO_GRAFANA, Verdict.FAIL, "query is empty", id="an empty query"),
        pytest.param(
            panel({"refId": "A"}), NO_GRAFANA, Verdict.FAIL, "query is empty", id="a query without expression"
        ),
        pytest.param(
            panel(target("a"), target("")), NO_GRAFANA, Verdict.WARN, "query is empty", id="one beside another"
        ),
        pytest.param(
            panel(target("x{a='$nobody'}")),
            NO_GRAFANA,
            Verdict.FAIL,
            "names $nobody, which no",
            id="an unknown variable",
        ),
        pytest.param(
            panel(target("x{a='$gone'}")), NO_GRAFANA, Verdict.FAIL, "finds nothing", id="one without a value"
        ),
        pytest.param(
            panel(target(), repeat="gone"), NO_GRAFANA, Verdict.FAIL, "finds nothing", id="repeated for nothing"
        ),
        pytest.param(
            panel(target(), datasource={"type": "loki"}), NO_GRAFANA, Verdict.UNKNOWN, "of type loki", id="another kind"
        ),
        pytest.param(
            panel(target(), datasource="Logs"), LISTED, Verdict.UNKNOWN, "of type loki", id="another kind by name"
        ),
        pytest.param(panel(target(), datasource={"uid": "u9"}), LISTED, Verdict.FAIL, "u9, which", id="an unknown uid"),
        pytest.param(
            panel(target(), datasource="${DS_PROMETHEUS}"),
            LISTED,
            Verdict.FAIL,
            "DS_PROMETHEUS",
            id="an import not done",
        ),
        pytest.param(
            panel(target(), datasource={"type": "datasource", "uid": "grafana"}),
            LISTED,
            Verdict.UNKNOWN,
            "of type grafana",
            id="Grafana's own test data",
        ),
        pytest.param(
            panel({"panelId": 9}, datasource=SHARED),
            NO_GRAFANA,
            Verdict.FAIL,
            "panel 9, which this",
            id="no such panel",
        ),
        pytest.param(
            panel({"panelId": 1}, id=1, datasource=SHARED), NO_GRAFANA, Verdict.FAIL, "shows this one's", id="itself"
        ),
        pytest.param(
            {"id": 1, "libraryPanel": {"uid": "l", "name": "Load"}},
            NO_GRAFANA,
            Verdict.UNKNOWN,
            "library panel Load, of which the dashboard holds only the name",
            id="a library panel that is only named",
        ),
    ],
)
def test_what_cannot_be_asked_is_said(shown: Json, sources: DataSources, verdict: Verdict, words: str) -> None:
    (found,) = read(shown, sources=sources, variables=[GONE])
    assert [(u.rung.verdict, words in u.rung.reason) for u in found.unasked] == [(verdict, True)], found.unasked


@pytest.mark.parametrize(
    ("reference", "sources"),
    [
        (None, NO_GRAFANA),
        (None, LISTED),
        ("default", LISTED),
        ("Prometheus", LISTED),
        ({"type": "prometheus"}, LISTED),
        ({"uid": "u1"}, LISTED),
        ({"uid": "${ds}"}, LISTED),
        ("$ds", LISTED),
        ("${DS_PROMETHEUS}", NO_GRAFANA),
        ({"type": "prometheus", "uid": "${ds}"}, NO_GRAFANA),
    ],
)
def test_prometheus_is_known_however_it_is_named(reference: object, sources: DataSources) -> None:
    variable = {"name": "ds", "type": "datasource", "query": "prometheus"}
    (found,) = read(panel(target(), datasource=reference), sources=sources, variables=[variable])
    assert (found.expressions, found.unasked) == (("up",), ())


def test_the_kind_that_an_export_asks_for_is_known() -> None:
    inputs = [{"name": "DS_LOGS", "type": "datasource", "pluginId": "loki"}]
    (found,) = read(panel(target(), datasource="${DS_LOGS}"), __inputs=inputs)
    assert [u.rung.observed for u in found.unasked] == ["a data source of type loki"]


def test_the_selector_of_a_variable_without_a_value_is_asked_for_the_cause() -> None:
    (found,) = read(panel(target("x{a='$gone'}")), variables=[GONE])
    assert (found.expressions, found.names) == (("nobody",), ("$gone",))


def test_a_library_panel_is_put_in_from_the_export_or_from_grafana() -> None:
    named = {"id": 1, "libraryPanel": {"uid": "l", "name": "Load"}}
    held = panel(target("node_load1"), title="Load")
    export = dashboard(named, __elements={"l": {"model": held}})
    from_grafana = context(library={"l": answer(held)})
    old_export = dashboard(named, __elements=[{"uid": "l", "model": held}])
    for document, known in ((export, context()), (old_export, context()), (dashboard(named), from_grafana)):
        (found,) = panels.read(document, known)
        assert (found.title, found.expressions, found.unasked) == ("Load", ("node_load1",), ())


def test_a_library_panel_keeps_the_name_that_it_has_without_its_library() -> None:
    named = {"id": 1, "title": "Mine", "libraryPanel": {"uid": "l", "name": "Load"}}
    known = context(library={"l": answer(panel(target(), title="Theirs"))})
    assert [p.subject for c in (context(), known) for p in panels.read(dashboard(named), c)] == ["Mine", "Mine"]


def test_saved_copies_of_repeated_panels_are_left_out() -> None:
    copy = panel(target('x{i="gone"}'), repeatPanelId=1, repeatIteration=1)
    assert expressions(panel(target('x{i="$node"}'), repeat="node"), copy, variables=[NODE]) == [
        'x{i="a:1"}',
        'x{i="b:1"}',
    ]


def test_hidden_queries_are_asked_through_any_number_of_hidden_calculations() -> None:
    calculation = {"type": "__expr__", "uid": "__expr__"}
    shown = panel(
        target("a", hide=True),
        {"refId": "B", "datasource": calculation, "expression": "A", "hide": True},
        {"refId": "C", "datasource": calculation, "expression": "$B > 1"},
        target("d", refId="D", hide=True),
    )
    assert expressions(shown) == ["a"]


def test_too_many_values_are_cut_and_it_is_said() -> None:
    many: Json = {"name": "n", "type": "query", "query": "label_values(many, n)", "includeAll": True}
    joined, repeated = read(panel(target('x{n=~"$n"}')), panel(target('x{n="$n"}'), repeat="n"), variables=[many])
    assert joined.notes == ("asked with the first 50 of 120 values of $n",)
    assert repeated.notes == ("asked with the first 10 of 120 values of $n",)
    assert len(repeated.expressions) == 10


def test_threshold_lines_are_read_only_where_the_panel_draws_them() -> None:
    steps = {"steps": [{"color": "green", "value": None}, {"color": "red", "value": 0.98}]}
    drawn = {"custom": {"thresholdsStyle": {"mode": "line"}}, "thresholds": steps, "unit": "percentunit"}
    shown = [panel(fieldConfig={"defaults": d}) for d in (drawn, {"thresholds": steps})]
    assert [p.thresholds for p in read(*shown)] == [(("threshold", 0.98),), ()]


def test_units_are_read_from_old_panels_too() -> None:
    shown = [panel(yaxes=[{"format": "s"}], kind="graph"), panel(format="bytes", kind="singlestat")]
    assert [(p.unit, p.wants_one) for p in read(*shown)] == [("s", False), ("bytes", True)]


_LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["row", "$node", "query"])
)
_KEYS = st.sampled_from(
    [
        *("panels", "rows", "targets", "type", "title", "id", "datasource", "uid", "expr", "refId", "repeat"),
        *("libraryPanel", "fieldConfig", "defaults", "current", "value", "query", "from"),
    ]
)
_ANY = st.recursive(_LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4))
_VARIABLES = st.dictionaries(st.sampled_from(["name", "type", "query", "current", "regex", "sort", "auto"]), _ANY)


@settings(max_examples=60, deadline=None)
@given(
    shown=st.lists(st.dictionaries(_KEYS, _ANY)),
    variables=st.lists(_VARIABLES),
    sources=st.sampled_from([LISTED, NO_GRAFANA]),
)
def test_whatever_stands_in_a_dashboard_is_read_or_refused(
    shown: list[Json], variables: list[Json], sources: DataSources
) -> None:
    try:
        found = panels.read(dashboard(*shown, variables=variables), context(sources))
    except ValueError:
        return
    assert len({p.subject for p in found}) == len(found)


def test_the_library_is_asked_for_nothing_that_is_at_hand() -> None:
    held = panel(libraryPanel={"uid": "held"})
    lacking = {"libraryPanel": {"uid": "lacking"}}
    placed = panel_json.place(dashboard(held, lacking), {})
    assert [p.lacks for p in placed] == ["", "lacking"]


def test_a_panel_whose_series_have_units_of_their_own_has_none() -> None:
    override = {"matcher": {"id": "byName", "options": "a"}, "properties": [{"id": "unit", "value": "percent"}]}
    config = {"defaults": {"unit": "short"}, "overrides": [override]}
    assert panel_json.unit({"fieldConfig": config}) == ""
    assert panel_json.unit({"fieldConfig": config | {"overrides": [{"properties": [{"id": "color"}]}]}}) == "short"
