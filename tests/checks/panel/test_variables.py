"""A variable has the value that Grafana would choose among what lives now; or it is said why it has none."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from genesis_lib import run as runs
from genesis_lib.checks.panel import variable_options, variable_queries, variables
from genesis_lib.checks.panel.data_sources import DataSources
from genesis_lib.checks.panel.interpolation import Option, fill, known_value
from genesis_lib.checks.panel.variables import Trouble, Variable
from genesis_lib.clients.grafana import DataSource
from genesis_lib.demo.stack import Stack
from genesis_lib.model import Answer, Cause, Missing, Verdict
from genesis_lib.params import load_environment
from genesis_lib.run import Run
from tests.builders import ROOT, UNREACHABLE, answer, policy

NO_GRAFANA = DataSources(listed=None, evidence="")
KNOWN = {
    "label_values(up, job)": ("node", "prometheus"),
    'label_values(up{job="node"}, instance)': ("a:1", "b:1"),
    'label_values(up{job="prometheus"}, instance)': ("p:1",),
    "label_values(gone, job)": (),
    "label_values(many, n)": tuple(f"{n:03}" for n in range(120)),
}
BROKEN = Missing(cause=Cause.INVALID, detail="bad_data: unexpected end", evidence="e-bad")


def ask(query: str) -> Answer[tuple[str, ...]] | Missing:
    if query.startswith("label_values(down"):
        return UNREACHABLE
    return answer(KNOWN[query]) if query in KNOWN else BROKEN


def resolved(*specs: Mapping[str, Any], sources: DataSources = NO_GRAFANA) -> dict[str, Variable]:
    return variables.resolve(
        specs, sources=sources, kinds={}, range_s=3600.0, ask=ask, built_in={"__interval": known_value("15s")}
    )


def spec(query: object, kind: str = "query", *, saved: object = None, name: str = "v", **other: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "query": query, "current": {"value": saved}} | other


JOBS = "label_values(up, job)"


@pytest.mark.parametrize(
    ("stated", "written"),
    [
        pytest.param(spec(JOBS), "node", id="the first, where none is saved"),
        pytest.param(spec(JOBS, saved="prometheus"), "prometheus", id="the saved one, where it lives"),
        pytest.param(spec(JOBS, saved="moved"), "node", id="the first, where the saved one is gone"),
        pytest.param(spec({"query": JOBS, "refId": "x"}), "node", id="a query that is an object"),
        pytest.param(spec(None, definition=JOBS), "node", id="a query that only its definition tells"),
        pytest.param(spec(JOBS, sort=2), "prometheus", id="the first of the sorted"),
        pytest.param(spec(JOBS, regex="/prom.*/"), "prometheus", id="what the regex leaves"),
        pytest.param(spec(JOBS, regex="/^(no)/"), "no", id="what the regex takes out"),
        pytest.param(
            spec(JOBS, multi=True, saved=["prometheus", "node", "x"]),
            "(node|prometheus)",
            id="the saved ones that live",
        ),
        pytest.param(spec(JOBS, multi=True, saved=["node"]), "node", id="one of several"),
        pytest.param(spec(JOBS, includeAll=True, saved=["$__all"]), "(node|prometheus)", id="all"),
        pytest.param(
            spec(JOBS, includeAll=True), "(node|prometheus)", id="all, where all can be chosen and nothing is"
        ),
        pytest.param(spec(JOBS, includeAll=True, saved="node"), "node", id="not all, where one is saved"),
        pytest.param(spec(JOBS, includeAll=True, saved="$__all", allValue=".+"), ".+", id="the custom all"),
        pytest.param(
            spec("label_values(gone, job)", includeAll=True, allValue=".*"), ".*", id="a custom all needs none"
        ),
        pytest.param(spec("a, b : c", "custom"), "a", id="custom: the first"),
        pytest.param(spec("a, b : c", "custom", saved="c"), "c", id="custom: the value, not what is shown"),
        pytest.param(spec("a\\,b,c", "custom"), "a,b", id="custom: a comma that is part of a value"),
        pytest.param(
            spec("", "custom", options=[{"text": "All", "value": "$__all"}, {"text": "x", "value": "x"}]),
            "x",
            id="custom: the saved options, where nothing else tells",
        ),
        pytest.param(spec("0.95", "constant"), "0.95", id="a constant"),
        pytest.param(spec("a\\.b", "constant"), "a\\\\.b", id="a constant's backslash is escaped"),
        pytest.param(spec('sum(x{a="b"})', "constant"), 'sum(x{a="b"})', id="a constant that is a piece of PromQL"),
        pytest.param(spec(JOBS, sort=float("inf")), "node", id="an order that is none"),
        pytest.param(spec("1m,10m", "interval", saved="10m"), "10m", id="an interval"),
        pytest.param(spec("1m", "interval", auto=True, auto_count=60), "1m", id="an automatic interval"),
        pytest.param(spec("1m", "interval", auto=True, saved="$__auto_interval_v"), "2m", id="automatic, as saved"),
        pytest.param(spec("node", "textbox"), "node", id="a text"),
        pytest.param(spec("node", "textbox", saved="mine"), "mine", id="a text that was typed"),
        pytest.param(spec("prometheus", "datasource", saved="uid-1"), "uid-1", id="a data source, Grafana absent"),
        pytest.param(spec(None, "adhoc"), "", id="ad hoc filters change nothing"),
    ],
)
def test_the_value(stated: Mapping[str, Any], written: str) -> None:
    value = resolved(stated)["v"].value
    assert not isinstance(value, Trouble), value
    assert fill("$v", {"v": value}).text == written


def test_chained_variables_are_resolved_in_the_order_of_dependence() -> None:
    chained = spec('label_values(up{job="$job"}, instance)', name="instance")
    found = resolved(chained, spec(JOBS, name="job", saved="prometheus"))
    assert fill("$instance", variables.values_of(found)).text == "p:1"


@pytest.mark.parametrize(
    ("stated", "verdict", "words"),
    [
        pytest.param(
            spec("label_values(gone, job)"),
            Verdict.FAIL,
            "the variable $v has no value: label_values(gone, job) finds nothing",
            id="a query that finds nothing",
        ),
        pytest.param(
            spec(JOBS, regex="/x/"), Verdict.FAIL, "its regex /x/ leaves nothing", id="a regex that leaves nothing"
        ),
        pytest.param(spec(JOBS, regex="/(/"), Verdict.UNKNOWN, "cannot be read", id="a regex that is none"),
        pytest.param(spec("label_values(down, x)"), Verdict.UNKNOWN, "refused the connection", id="no answer"),
        pytest.param(spec("label_values(up{)"), Verdict.FAIL, "unexpected end", id="a query that is wrong"),
        pytest.param(spec("label_values(up, $x)"), Verdict.FAIL, "$x, which no variable defines", id="an unknown name"),
        pytest.param(spec("", "custom"), Verdict.FAIL, "it has no options", id="a list without options"),
        pytest.param(spec("x", "hologram"), Verdict.UNKNOWN, "of the type “hologram”", id="an unknown type"),
        pytest.param(spec("$v", "custom"), Verdict.FAIL, "depends on itself (v → v)", id="a circle"),
        pytest.param(
            spec("x", datasource={"type": "loki"}),
            Verdict.UNKNOWN,
            "a data source of type loki",
            id="asked of another kind",
        ),
    ],
)
def test_why_there_is_no_value(stated: Mapping[str, Any], verdict: Verdict, words: str) -> None:
    value = resolved(stated)["v"].value
    assert isinstance(value, Trouble)
    assert (value.rung.verdict, words in value.rung.reason) == (verdict, True), value.rung


def test_what_depends_on_a_variable_without_a_value_has_its_trouble() -> None:
    found = resolved(spec("label_values(gone, job)", name="job"), spec('label_values(up{job="$job"}, x)'))
    assert found["v"].value == found["job"].value


def test_the_selector_that_found_nothing_is_kept_to_look_for_the_cause() -> None:
    value = resolved(spec("label_values(gone, job)"))["v"].value
    assert isinstance(value, Trouble)
    assert value.selector == "gone"


def test_of_very_many_values_only_the_first_are_put_in() -> None:
    found = resolved(spec("label_values(many, n)", includeAll=True))["v"]
    assert not isinstance(found.value, Trouble)
    assert (len(found.value.chosen), found.offered) == (variables.MOST_VALUES, 120)


PROMETHEUS = DataSource(uid="u1", name="Prometheus", kind="prometheus", is_default=True)
LISTED = DataSources(listed=(PROMETHEUS, DataSource(uid="u2", name="Backup", kind="prometheus")), evidence="e-list")


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        pytest.param(spec("prometheus", "datasource"), "u1", id="the default"),
        pytest.param(spec("prometheus", "datasource", saved="u2"), "u2", id="the saved, by uid"),
        pytest.param(spec("prometheus", "datasource", saved="Backup"), "u2", id="the saved, by name"),
        pytest.param(spec("prometheus", "datasource", saved="moved"), "u1", id="the saved one is gone"),
        pytest.param(spec("prometheus", "datasource", regex="/^Back/"), "u2", id="what the regex leaves"),
    ],
)
def test_a_data_source_is_chosen_among_those_that_grafana_has(stated: Mapping[str, Any], expected: str) -> None:
    assert fill("$v", variables.values_of(resolved(stated, sources=LISTED))).text == expected


def test_a_kind_of_data_source_that_grafana_lacks_is_said() -> None:
    value = resolved(spec("loki", "datasource"), sources=LISTED)["v"].value
    assert isinstance(value, Trouble)
    assert "Grafana has no data source of type loki" in value.rung.reason


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (0, ["b10", "B2", "a3"]),
        (1, ["B2", "a3", "b10"]),
        (2, ["b10", "a3", "B2"]),
        (3, ["B2", "a3", "b10"]),
        (4, ["b10", "a3", "B2"]),
        (5, ["a3", "b10", "B2"]),
        (7, ["a3", "B2", "b10"]),
    ],
    ids=["as given", "alphabetical", "backwards", "by number", "by number backwards", "case aside", "natural"],
)
def test_options_are_sorted_as_grafana_sorts(sort: int, expected: list[str]) -> None:
    assert [o.value for o in variable_options.filtered(["b10", "B2", "a3"], regex="", sort=sort)] == expected


@pytest.mark.parametrize(
    ("regex", "expected"),
    [
        pytest.param("/b/", [("abc", "abc")], id="a match keeps the whole"),
        pytest.param("abc", [("abc", "abc")], id="a bare pattern must match the whole"),
        pytest.param("ab", [], id="and not only a part"),
        pytest.param("/([a-c])/", [("a", "a")], id="the group of the first match"),
        pytest.param("/([a-c])/g", [("a", "a"), ("b", "b"), ("c", "c")], id="of each match, where it says so"),
        pytest.param("/(?<text>a)(?<value>b)/", [("a", "b")], id="groups named text and value"),
        pytest.param("/B/i", [("abc", "abc")], id="flags"),
    ],
)
def test_a_regex_takes_out_what_grafana_takes_out(regex: str, expected: list[tuple[str, str]]) -> None:
    found = variable_options.filtered(["abc", "xyz"], regex=regex, sort=0)
    assert found == [Option(text=text, value=value) for text, value in expected]


@pytest.fixture
def run(healthy_stack: Stack, tmp_path: Path) -> Iterator[Run]:
    addresses = {"localhost:9090": healthy_stack.addresses["prometheus"]}
    demo = load_environment("demo", root=ROOT)
    opened = runs.create(demo, policy(), root=tmp_path, as_of=None, interactive=False, addresses=addresses)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        pytest.param('label_values(up{job=~"n.*"}, job)', "node", id="of the series that live now"),
        pytest.param("label_values(job)", "node", id="of any series"),
        pytest.param('label_values({job="node"}, __name__)', "node_load1", id="names of metrics"),
        pytest.param("label_names()", "job", id="labels"),
        pytest.param("metrics(node_load)", "node_load15", id="metrics by a pattern"),
        pytest.param("query_result(count(up > -1) * 0)", "{} 0 ", id="results"),
        pytest.param("query_result(scalar(vector(7)))", "7", id="a single number"),
        pytest.param('up{job="node"}', 'up{instance="', id="series"),
    ],
)
def test_what_grafana_would_ask_is_answered_by_a_real_server(query: str, expected: str, run: Run) -> None:
    found = variable_queries.ask(run, query)
    assert isinstance(found, Answer), found
    assert any(text.startswith(expected) for text in found.value), found.value


@pytest.mark.parametrize(
    "query",
    [
        "label_values(rate(up[5m]), job)",
        "label_values(up{, job)",
        "label_values(up, 0)",
        "nonsense(",
        "query_result(up{)",
    ],
)
def test_what_grafana_could_not_ask_is_refused(query: str, run: Run) -> None:
    found = variable_queries.ask(run, query)
    assert isinstance(found, Missing)
    assert found.cause is Cause.INVALID


def test_a_label_that_series_lack_gives_no_values(run: Run) -> None:
    found = variable_queries.ask(run, "label_values(up, colour)")
    assert isinstance(found, Answer)
    assert found.value == ()
