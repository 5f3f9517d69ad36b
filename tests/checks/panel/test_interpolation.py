"""Variables are put into queries as Grafana puts them in."""

import math
from datetime import timedelta

import promql_parser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesis_lib.checks.panel.interpolation import Option, Value, automatic, built_ins, fill, known_value, seconds
from tests.builders import AT


def chosen(*texts: str, is_pattern: bool = False) -> Value:
    return Value(chosen=tuple(Option(text=t.upper(), value=t) for t in texts), is_pattern=is_pattern, as_is=None)


VALUES = {
    "job": chosen("node"),
    "j": chosen("wrong"),
    "many": chosen("a.b:1", "c", is_pattern=True),
    "one": chosen("a.b", is_pattern=True),
    "quoted": chosen('say "x"\\'),
    "condition": chosen('env="prod"'),
    "all": known_value(".*"),
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('x{a="$job"}', 'x{a="node"}', id="the plain way"),
        pytest.param("[[job]] ${job}", "node node", id="the two other ways"),
        pytest.param("$job_name $job-x", "$job_name node-x", id="a name ends where it ends"),
        pytest.param('x{a=~"$many"}', 'x{a=~"(a\\\\.b:1|c)"}', id="several are alternatives, escaped twice"),
        pytest.param('x{a=~"$one"}', 'x{a=~"a\\\\.b"}', id="one of several has no brackets"),
        pytest.param('x{a="$quoted"}', 'x{a="say \\"x\\"\\\\"}', id="quotes and backslashes are escaped"),
        pytest.param("x{$condition}", 'x{env="prod"}', id="a whole condition is left alone"),
        pytest.param('x{a=~"$all"}', 'x{a=~".*"}', id="a custom all is put in as it is"),
        pytest.param("${many:regex} [[many:pipe]]", "(a\\.b:1|c) a.b:1|c", id="regex and pipe"),
        pytest.param("${many:raw} ${many:csv}", "a.b:1,c a.b:1,c", id="raw and csv"),
        pytest.param("${many:doublequote} ${many:json}", '"a.b:1","c" ["a.b:1", "c"]', id="quoted, and JSON"),
        pytest.param("${one:singlequote} ${one:json}", "'a.b' \"a.b\"", id="one quoted"),
        pytest.param("${many:percentencode}", "%7Ba.b%3A1%2Cc%7D", id="for a URL"),
        pytest.param("${many:glob} ${many:whatever}", "{a.b:1,c} {a.b:1,c}", id="an unknown form is a glob"),
        pytest.param("${many:text}", "A.B:1 + C", id="as it is shown"),
    ],
)
def test_values_are_written_as_grafana_writes_them(text: str, expected: str) -> None:
    assert fill(text, VALUES).text == expected


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        pytest.param('x{a="$nobody"} + ${other:regex}', ("nobody", "other"), id="names that nobody defines"),
        pytest.param('x{a=~"^b$"}', (), id="the end of a pattern is no name"),
        pytest.param('label_replace(x, "a", "$1", "b", "(.*)")', (), id="a group by number is no name"),
        pytest.param('label_replace(x, "a", "$port", "b", "(?P<port>.*)")', (), id="a group by name is no variable"),
        pytest.param("$job", (), id="what is defined is known"),
    ],
)
def test_names_that_no_variable_has_are_told(text: str, unknown: tuple[str, ...]) -> None:
    assert fill(text, VALUES).unknown == unknown


def test_what_was_used_is_told_once() -> None:
    assert fill("$job $many $job", VALUES).used == ("job", "many")


@settings(deadline=None)
@given(text=st.text())
def test_whatever_a_value_holds_it_stays_one_string_of_promql(text: str) -> None:
    for is_pattern in (False, True):
        value = {"v": chosen(text, is_pattern=is_pattern)}
        if '="' not in text and not set(text) & set("\n\0\ufffd"):
            filled = fill('x{a="$v"}', value).text
            selector = promql_parser.parse(filled)
            assert isinstance(selector, promql_parser.VectorSelector)
            (matcher,) = selector.matchers.matchers
            assert is_pattern or matcher.value == text


def built_in(**given_: float) -> dict[str, str]:
    values = built_ins(**({"range_s": 6 * 3600.0, "step_s": 15.0, "points": 1000.0} | given_), at=AT)
    return {name: value.chosen[0].value for name, value in values.items()}


def test_grafanas_own_variables() -> None:
    found = built_in()
    assert (found["__rate_interval"], found["__interval"], found["__interval_ms"]) == ("1m", "20s", "20000")
    assert (found["__range"], found["__range_s"], found["__range_ms"]) == ("6h", "21600", "21600000")
    assert int(found["__to"]) - int(found["__from"]) == timedelta(hours=6) / timedelta(milliseconds=1)
    assert int(found["__to"]) == AT.timestamp() * 1000


@pytest.mark.parametrize(
    ("given_", "interval", "rate"),
    [
        pytest.param({"step_s": 60.0}, "1m", "4m", id="a minimal step counts as the scrape interval"),
        pytest.param({"range_s": 86400.0}, "1m", "75s", id="a long range makes long intervals"),
        pytest.param({"points": 100.0}, "5m", "315s", id="few points make long intervals"),
        pytest.param({"step_s": 0.5, "range_s": 60.0}, "500ms", "2s", id="under a second"),
    ],
)
def test_intervals_grow_with_range_and_step(given_: dict[str, float], interval: str, rate: str) -> None:
    found = built_in(**given_)
    assert (found["__interval"], found["__rate_interval"]) == (interval, rate)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("now-24h", 86400), ("now-7d/d", 604800), (">=1m", 60), ("500ms", 0.5), (30, 30), ("2024-01-01", 7), ("", 7)],
)
def test_durations_are_read_as_grafana_writes_them(text: object, expected: float) -> None:
    assert seconds(text, otherwise=7) == expected


@settings(deadline=None)
@given(text=st.text() | st.integers())
def test_whatever_stands_for_a_duration_gives_a_number(text: object) -> None:
    assert math.isfinite(seconds(text))


def test_an_automatic_interval_has_its_least() -> None:
    assert automatic(3600, count=30, least_s=10) == "2m"
    assert automatic(60, count=30, least_s=10) == "10s"
