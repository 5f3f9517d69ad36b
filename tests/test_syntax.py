"""PromQL is read as Prometheus reads it, also where promql-parser alone would not."""

import pytest

from genesis_lib.syntax import quote, tokens, tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param(r"a{b=~`c\.d`}", r"c\.d", id="a backslash in a raw string is itself"),
        pytest.param(r"a{b=`c\\d`}", r"c\\d", id="two backslashes in a raw string are two"),
        pytest.param(r'a{b="c\\d"}', r"c\d", id="in a quoted string they are one"),
        pytest.param("a # `\n{b='`'}", "`", id="no raw string begins in a comment or another string"),
    ],
)
def test_strings_mean_what_they_mean_to_prometheus(text: str, value: str) -> None:
    assert tree(text).matchers.matchers[0].value == value


def test_functions_of_prometheus_2_are_known() -> None:
    assert tree("holt_winters(a[5m], 0.1, 0.2)").func.name == "holt_winters"


@pytest.mark.parametrize(
    "text",
    ["(" * 50_000 + "a" + ")" * 50_000, "+".join(["a"] * 50_000), "-" * 50_000 + "a", " or ".join(["a"] * 50_000)],
    ids=["parentheses", "sums", "signs", "unions"],
)
def test_text_that_would_overflow_the_parsers_stack_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="more than 1,000 operators"):
        tree(text)


@pytest.mark.parametrize("text", ["a[3000000y]", "a offset 5000000y", "a[1w1500000000d]", "a[5m:99999999999h]"])
def test_durations_that_no_server_takes_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration out of range"):
        tree(text)


@pytest.mark.parametrize("text", ["a[290y]", "a[99999999s]", "a[3600000ms]", 'a{b="3000000y"}', "a * 30000000000"])
def test_long_durations_and_large_numbers_are_read(text: str) -> None:
    assert tree(text).prettify()


def test_a_long_sum_is_still_read() -> None:
    assert str(tree("+".join(["a"] * 900)).op) == "+"


def test_many_comments_take_no_long_time_to_read() -> None:
    text = "sum" + "# a # b\n" * 5_000 + "x"
    assert [t[0] for t in tokens(text) if t.lastgroup != "blank"] == ["sum", "x"]


def test_the_tokens_are_the_whole_text() -> None:
    text = 'sum by (le) (rate(a{b="}"}[5m])) / 1e-5 # é\n'
    assert "".join(t[0] for t in tokens(text)) == text


@pytest.mark.parametrize("value", ["", 'a"b', "a\\b", "a\nb", "ünï", "\x00\x7f"])
def test_a_quoted_value_is_read_as_itself(value: str) -> None:
    assert tree(f"a{{b={quote(value)}}}").matchers.matchers[0].value == value
