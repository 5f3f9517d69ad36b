"""Expressions are taken apart into what they select and what may rightly leave them empty."""

import pytest

from genesis_lib.checks.ask.promql import (
    Expression,
    Unparsable,
    calls,
    metric_name,
    parse,
    quoted,
    selectors,
    unwrapped,
    walk,
)
from genesis_lib.syntax import tree


def parsed(text: str) -> Expression:
    found = parse(text)
    assert isinstance(found, Expression)
    return found


@pytest.mark.parametrize(
    ("text", "selectors"),
    [
        ("up", ["up"]),
        ('up{job="node"}', ['up{job="node"}']),
        ("rate(a[5m] offset 1h) / b", ["a", "b"]),
        ('histogram_quantile(0.95, sum by (le) (rate(x_bucket{le!="9"}[5m]))) * 1000', ['x_bucket{le!="9"}']),
        ("max_over_time(rate(a[1m])[5m:1m])", ["a"]),
        ('{__name__="a", b=~"c|d"}', ['a{b=~"c|d"}']),
        ("-(a) + scalar(b) * 2", ["a", "b"]),
        ("quantile(scalar(p), x)", ["x", "p"]),
        ('a{b="say \\"hi\\" \\\\ ünï"}', ['a{b="say \\"hi\\" \\\\ ünï"}']),
        ("vector(1)", []),
        (r"a{b=~`c\.d`}", [r'a{b=~"c\\.d"}']),
        ("holt_winters(a[5m], 0.1, 0.2)", ["a"]),
    ],
)
def test_every_selector_is_found_without_range_or_offset(text: str, selectors: list[str]) -> None:
    assert [s.text for s in parsed(text).selectors] == selectors


@pytest.mark.parametrize("selector", ['a{b="say \\"hi\\" \\\\ ünï"}', 'up{job=~"a|b",x!~"y.*"}'])
def test_a_selectors_text_selects_the_same_again(selector: str) -> None:
    once = parsed(selector).selectors
    assert parsed(once[0].text).selectors == once


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        pytest.param("a > 3", True, id="a comparison may leave nothing"),
        pytest.param("sum(a > 3)", True, id="a comparison inside may, too"),
        pytest.param("a > bool 3", False, id="a comparison that answers 0 or 1 leaves all"),
        pytest.param("a and b", True, id="an intersection may leave nothing"),
        pytest.param("a unless b", True, id="a difference may leave nothing"),
        pytest.param("a or b", False, id="a union leaves all"),
        pytest.param("absent(a)", True, id="absent() is empty when all is well"),
        pytest.param("a / b", False, id="a quotient leaves what matches"),
    ],
)
def test_what_may_rightly_be_empty(text: str, filters: bool) -> None:  # noqa: FBT001 - it is the expectation
    assert parsed(text).filters is filters


def test_what_stands_inside_absent_is_wanted_absent() -> None:
    wanted = {s.name: s.absence_wanted for s in parsed("absent(a) or b").selectors}
    assert wanted == {"a": True, "b": False}


@pytest.mark.parametrize("text", ["sum(rate(x[5m])", "rate(x)", 'foo{a="b"', "", "1 +"])
def test_what_is_not_promql_says_why(text: str) -> None:
    found = parse(text)
    assert isinstance(found, Unparsable)
    assert found.reason


def test_a_long_sum_is_taken_apart_and_an_endless_one_is_refused() -> None:
    assert [s.name for s in parsed("+".join(f"a{n}" for n in range(900))).selectors] == [f"a{n}" for n in range(900)]
    assert isinstance(parse("+".join(["a"] * 100_000)), Unparsable)


def test_walking_goes_through_all_parts_in_the_order_of_the_text() -> None:
    found = [quoted(node) for node in walk(tree("sum(rate(a[5m])) / -(b)"))]
    assert found == ["sum(rate(a[5m])) / -(b)", "sum(rate(a[5m]))", "rate(a[5m])", "a[5m]", "a", "-(b)", "(b)", "b"]


def test_calls_come_with_their_first_argument_without_parentheses() -> None:
    found = [(name, quoted(first), quoted(call)) for name, first, call in calls(tree("abs((a)) + time()"))]
    assert found == [("abs", "a", "abs((a))")]


def test_a_part_is_quoted_in_one_line_with_its_strings_as_they_are() -> None:
    text = 'sum by (instance, job) (rate(http_requests_total{path=~"/a  b/( .*)",method="GET"}[5m])) / 1234567890'
    assert "\n" in tree(text).prettify()
    assert quoted(tree(text)) == text.replace('path=~"/a  b/( .*)",method="GET"', 'method="GET",path=~"/a  b/( .*)"')


@pytest.mark.parametrize(
    ("text", "name"), [("a", "a"), ('{__name__="a"}', "a"), ('{__name__=~"a"}', ""), ('{b="c"}', "")]
)
def test_the_name_of_a_selector(text: str, name: str) -> None:
    assert metric_name(unwrapped(tree(f"(({text}))"))) == name


def test_each_selector_of_a_part_comes_once() -> None:
    assert [s.text for s in selectors(tree("a + b + a"))] == ["a", "b"]
