"""Matchers: as Alertmanager reads them, and held against labels as it does."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from genesis_lib.checks.alert import matchers
from genesis_lib.clients.alertmanager import Matcher
from genesis_lib.demo import binaries


def matcher(name: str, value: str, *, is_equal: bool = True, is_regex: bool = False) -> Matcher:
    return Matcher(name=name, value=value, is_equal=is_equal, is_regex=is_regex)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("severity = critical", matcher("severity", "critical")),
        ('a=~"b|c"', matcher("a", "b|c", is_regex=True)),
        ("a!=b", matcher("a", "b", is_equal=False)),
        ('a!~"b.*"', matcher("a", "b.*", is_equal=False, is_regex=True)),
        pytest.param("a=", matcher("a", ""), id="an empty value"),
        pytest.param(r'a="say \"hi\"\n"', matcher("a", 'say "hi"\n'), id="escapes"),
        pytest.param(r"a=~\d+", matcher("a", r"\d+", is_regex=True), id="a backslash that escapes nothing is one"),
        pytest.param('a="b = c, d!=e"', matcher("a", "b = c, d!=e"), id="operators inside quotes are text"),
        pytest.param("a = ü 🚀 ", matcher("a", "ü 🚀"), id="spaces inside an unquoted value are kept, around it not"),
        pytest.param('"a b"=c', matcher("a b", "c"), id="a quoted name, as newer versions have it"),
    ],
)
def test_a_matcher_is_read(text: str, expected: Matcher) -> None:
    assert matchers.parse(text) == expected
    assert matchers.parse(matchers.spelled(expected).replace("a b=", '"a b"=')) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("severity", "one is a label, then = or"),
        ("=x", "one is a label, then = or"),
        ('a="b', "the closing quote is missing"),
        (r'a="b\"', "the closing quote is missing"),
        ('a=b"c', "a quote in its value that is not escaped"),
        ("a=~(", "cannot read the regular expression: missing )"),
        ("a=~[[:alpha:]]", r"cannot read '\[\[:' in a regular expression as RE2 does"),
    ],
)
def test_what_is_wrong_in_a_matcher_is_said(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(").replace(")", r"\)")):
        matchers.parse(text)


def test_old_and_new_spellings_of_routes_and_inhibit_rules_are_read() -> None:
    entry = {"matchers": ['{a="b,c",d=~"e"}', "f!=g"], "match": {"h": "i"}, "match_re": {"j": "k"}}
    new = (matcher("a", "b,c"), matcher("d", "e", is_regex=True), matcher("f", "g", is_equal=False))
    assert matchers.of(entry) == (matcher("h", "i"), matcher("j", "k", is_regex=True), *new)
    assert matchers.of({f"source_{key}": value for key, value in entry.items()}, "source_") == matchers.of(entry)
    assert matchers.of(entry, "target_") == ()


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"matchers": "a=b"}, "matchers is not a list"),
        ({"matchers": [{"a": "b"}]}, "is no matcher; one is a text"),
        ({"match": ["a"]}, "match is not a mapping"),
    ],
)
def test_what_is_wrong_in_an_entry_is_said(entry: Mapping[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        matchers.of(entry)


@pytest.mark.parametrize(
    ("text", "labels", "expected"),
    [
        ("a=b", {"a": "b"}, True),
        ("a=b", {}, False),
        pytest.param("a=", {}, True, id="a label that is not there is empty"),
        ("a!=b", {}, True),
        pytest.param("a=~.*", {}, True, id="so .* holds for it"),
        ("a=~.+", {}, False),
        pytest.param("a=~b", {"a": "abc"}, False, id="a regular expression is anchored"),
        pytest.param("a=~b|c", {"a": "c"}, True, id="and so is each of its alternatives"),
        pytest.param("a=~b|c", {"a": "bc"}, False, id="on both sides"),
        pytest.param("a=~b$", {"a": "b\n"}, False, id="a line's end is no end"),
        pytest.param("a=~b.", {"a": "b\n"}, False, id="a dot is no line's end"),
        pytest.param(r"a=~\w", {"a": "ü"}, False, id="letters are ASCII to RE2"),
        pytest.param(r"a=~\d", {"a": "٣"}, False, id="digits are ASCII to RE2"),
        ("a=~(?i)CRIT", {"a": "crit"}, True),
        pytest.param(r"a=~(?P<x>b)\.\Qc", {"a": "b.c"}, None, id="what Python reads otherwise is refused"),
    ],
)
def test_labels_are_held_against_a_matcher_as_amtool_does(
    text: str, labels: Mapping[str, str], *, expected: bool | None, tmp_path: Path
) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="cannot read"):
            matchers.parse(text)
        return
    assert matchers.holds(matchers.parse(text), labels) is expected
    config = tmp_path / "am.yml"
    route = {"receiver": "no", "routes": [{"receiver": "yes", "matchers": [text]}]}
    config.write_text(json.dumps({"route": route, "receivers": [{"name": "yes"}, {"name": "no"}]}))
    arguments = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()]
    asked = [str(binaries.find("amtool")), "config", "routes", "test", f"--config.file={config}", *arguments]
    told = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["yes" if expected else "no"]
