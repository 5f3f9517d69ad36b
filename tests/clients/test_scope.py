"""A scope reaches every selector of an expression, and changes nothing else."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
import promql_parser as promql
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from genesis_lib.checks.ask.promql import quoted, walk
from genesis_lib.clients.scope import put_in
from genesis_lib.demo.stack import Stack
from genesis_lib.syntax import tree
from tests.expressions import EXPRESSIONS

SCOPE = {"env": "p"}

WRITTEN = [
    pytest.param("up", 'up{env="p"}', id="a bare name"),
    pytest.param("up{}", 'up{env="p"}', id="empty braces"),
    pytest.param('up{job="a"}', 'up{env="p",job="a"}', id="matchers are kept"),
    pytest.param('up {job="a",}', 'up {env="p",job="a",}', id="a blank before the braces, and a trailing comma"),
    pytest.param('{__name__="up"}', '{env="p",__name__="up"}', id="a name among the matchers"),
    pytest.param("rate(a[5m] offset 1h)", 'rate(a{env="p"}[5m] offset 1h)', id="a range with an offset"),
    pytest.param("max_over_time(rate(a[1m])[5m:1m])", 'max_over_time(rate(a{env="p"}[1m])[5m:1m])', id="a subquery"),
    pytest.param("sum by (a) (a)", 'sum by (a) (a{env="p"})', id="labels of an aggregation are no metrics"),
    pytest.param("sum(a) without (b)", 'sum(a{env="p"}) without (b)', id="also after it"),
    pytest.param("a * on (b) group_left (c) d", 'a{env="p"} * on (b) group_left (c) d{env="p"}', id="labels of a join"),
    pytest.param("a > bool b", 'a{env="p"} > bool b{env="p"}', id="bool is no metric"),
    pytest.param("and and and", 'and{env="p"} and and{env="p"}', id="a metric named like an operator"),
    pytest.param("sum by (x) (sum)", 'sum by (x) (sum{env="p"})', id="a metric named like an aggregation"),
    pytest.param("offset offset 5m", 'offset{env="p"} offset 5m', id="a metric named like a modifier"),
    pytest.param("a @ start() + b", 'a{env="p"} @ start() + b{env="p"}', id="a moment"),
    pytest.param("a # b{c}\n/ d", 'a{env="p"} # b{c}\n/ d{env="p"}', id="comments are no metrics"),
    pytest.param('a{b="}"} or c', 'a{env="p",b="}"} or c{env="p"}', id="a brace in a string"),
    pytest.param('a{b="#"}', 'a{env="p",b="#"}', id="no comment in a string"),
    pytest.param(
        'label_replace(a, "b", "$1", "c", "(.*)")', 'label_replace(a{env="p"}, "b", "$1", "c", "(.*)")', id="strings"
    ),
    pytest.param("Inf + 0x1F * a", 'Inf + 0x1F * a{env="p"}', id="numbers are no metrics"),
    pytest.param("a{b=~`c\\.d`}", 'a{env="p",b=~`c\\.d`}', id="a raw string"),
    pytest.param(
        "holt_winters(a[5m], 0.1, 0.2)", 'holt_winters(a{env="p"}[5m], 0.1, 0.2)', id="a function of Prometheus 2"
    ),
]
AS_WRITTEN = [
    pytest.param('up{env="other"}', id="a matcher on the label stays"),
    pytest.param('up{env!~"x.*"}', id="any matcher on the label stays"),
    pytest.param("vector(1) + time()", id="nothing is selected"),
]


@pytest.mark.parametrize(("expr", "scoped"), WRITTEN)
def test_a_scope_is_put_into_every_selector(expr: str, scoped: str) -> None:
    assert put_in(expr, SCOPE) == scoped


@pytest.mark.parametrize("expr", AS_WRITTEN)
def test_what_needs_no_scope_stays_as_written(expr: str) -> None:
    assert put_in(expr, SCOPE) == expr


@pytest.mark.parametrize("text", ["sum(rate(up[5m])", ""])
def test_what_cannot_be_narrowed_is_never_asked_for_all(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        put_in(text, SCOPE)


def test_without_a_scope_nothing_changes() -> None:
    assert put_in(" up{ } ", {}) == " up{ } "


def test_several_labels_with_hostile_names_and_values_are_quoted() -> None:
    scoped = put_in("up", {"a.b": 'x"\\\n', "c": "ü}"})
    assert [(m.name, m.value) for m in tree(scoped).matchers.matchers] == [("a.b", 'x"\\\n'), ("c", "ü}")]


def test_only_the_labels_that_are_not_matched_yet_are_added() -> None:
    assert put_in('up{a="1"}', {"a": "2", "b": "3"}) == 'up{b="3",a="1"}'


def selected(expr: str) -> list[tuple[Any, ...]]:
    """Each selector: name, matchers, and at which time."""
    nodes = [n for n in walk(tree(expr)) if isinstance(n, promql.VectorSelector)]
    return [(n.name, {str(m) for m in n.matchers.matchers}, n.offset, str(n.at)) for n in nodes]


def laid_out(expr: str) -> str:
    return quoted(tree(expr))


@given(EXPRESSIONS)
@settings(max_examples=300, deadline=None)
def test_the_same_series_are_selected_with_the_scope_added_and_all_else_is_equal(expr: str) -> None:
    try:
        tree(expr)
    except ValueError:
        assume(False)  # noqa: FBT003 - hypothesis' way to pass over an example
    scoped = put_in(expr, {"scope_": "s"})
    added = {str(promql.Matcher(promql.MatchOp.Equal, "scope_", "s"))}
    assert selected(scoped) == [(name, matchers | added, *when) for name, matchers, *when in selected(expr)]
    without = re.sub(r'\{scope_="s"\}', "", re.sub(r',scope_="s"|scope_="s",', "", laid_out(scoped)))
    assert laid_out(without) == laid_out(expr)


@given(st.one_of(st.text(max_size=80), st.text("{}()[]\"'`#=~,aby 5m+-@\\\n", max_size=60)))
@settings(max_examples=300, deadline=None)
def test_any_text_is_narrowed_or_refused(text: str) -> None:
    try:
        tree(text)
    except ValueError:
        with pytest.raises(ValueError, match=r"(?s).*"):
            put_in(text, SCOPE)
    else:
        tree(put_in(text, SCOPE))


def test_prometheus_reads_what_was_written_and_answers_of_the_scope_alone(healthy_stack: Stack) -> None:
    def ask(path: str, expr: str) -> Any:
        answer = httpx.get(f"http://{healthy_stack.addresses['prometheus']}/api/v1/{path}", params={"query": expr})
        assert answer.is_success, (expr, answer.text)
        return answer.json()["data"]

    for case in WRITTEN:
        ask("query", str(case.values[1]))
    jobs: Mapping[str, Any] = {
        s["metric"]["job"]: s for s in ask("query", put_in("sum by (job) (up)", {"job": "node"}))["result"]
    }
    assert set(jobs) == {"node"}
