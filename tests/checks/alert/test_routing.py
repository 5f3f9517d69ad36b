"""Routing: the same receivers as `amtool config routes test` tells, for our rules and for any tree."""

import json
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from genesis_lib.checks.alert import routing
from genesis_lib.checks.ask import rule_files
from genesis_lib.demo import binaries
from tests.builders import ROOT

CONFIG = ROOT / "monitoring" / "alertmanager_config.yml"
RULES = rule_files.read((ROOT / "monitoring" / "production_alerts.yml").read_bytes())
RECEIVERS = [{"name": name} for name in "rst"]
TUESDAY = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
SATURDAY = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)


def by_amtool(config: Path, labels: Mapping[str, str]) -> list[str]:
    arguments = [f"{name}={json.dumps(value)}" for name, value in labels.items()]
    asked = [str(binaries.find("amtool")), "config", "routes", "test", f"--config.file={config}", *arguments]
    told = subprocess.run(asked, capture_output=True, text=True, check=True)
    return told.stdout.strip().split(",")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_our_rules_go_where_amtool_says(rule: rule_files.RuleSpec) -> None:
    labels = {"alertname": rule.name, **rule.labels}
    assert list(routing.receivers(routing.read(CONFIG.read_text()), labels)) == by_amtool(CONFIG, labels)


VALUES = st.sampled_from(["", "x", "y", "xy", "x,y", "x y", 'x"y', "\\", "n", "\\n"])
ALERTS = st.dictionaries(st.sampled_from("abc"), VALUES)
PATTERNS = st.sampled_from(["x|y", "x.*", ".*", ".+", "[^x]", "(x|y)+", r"\w+", "", "x.y", "(?i)X", r"\\"])
SPELLED = st.builds(
    lambda name, how, value: f"{name}{how}{json.dumps(value)}",
    st.sampled_from("abc"),
    st.sampled_from(["=", " != "]),
    VALUES,
) | st.builds(
    lambda name, how, value: f"{name} {how}{json.dumps(value)}",
    st.sampled_from("abc"),
    st.sampled_from(["=~", "!~"]),
    PATTERNS,
)
BRACED = st.lists(SPELLED, min_size=1, max_size=3).map(lambda several: "{" + ", ".join(several) + "}")
CONDITIONS = st.fixed_dictionaries(
    {},
    optional={
        "matchers": st.lists(SPELLED | BRACED, max_size=2),
        "match": st.dictionaries(st.sampled_from("abc"), VALUES, max_size=1),
        "match_re": st.dictionaries(st.sampled_from("abc"), PATTERNS, max_size=1),
        "receiver": st.sampled_from("rst"),
        "continue": st.booleans(),
    },
)


def with_routes(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda route, routes: {**route, "routes": routes}, CONDITIONS, st.lists(children, max_size=3))


TREES = st.lists(st.recursive(CONDITIONS, with_routes, max_leaves=6), min_size=1, max_size=4)


@settings(max_examples=25, deadline=None)
@given(TREES, st.lists(ALERTS, min_size=3, max_size=3))
def test_any_alert_goes_through_any_tree_as_amtool_says(routes: list[Any], alerts: list[Mapping[str, str]]) -> None:
    document = yaml.safe_dump({"route": {"receiver": "r", "routes": routes}, "receivers": RECEIVERS})
    tree = routing.read(document)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "am.yml")
        config.write_text(document)
        for labels in alerts:
            assert list(routing.receivers(tree, labels)) == by_amtool(config, labels)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("route: [", "is not YAML"),
        ("a page", "lacks a part or has one of a wrong kind"),
        ("{}", "lacks a part or has one of a wrong kind: KeyError"),
        ("{route: {receiver: r, routes: [{matchers: [x]}]}, receivers: []}", "'x' is no matcher"),
        ("{route: {routes: [{mute_time_intervals: [w]}]}, receivers: []}", "intervals that are not defined: w"),
    ],
)
def test_what_is_wrong_in_a_configuration_is_said(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        routing.read(text)


def test_the_integrations_of_each_receiver_are_known_and_an_empty_receiver_has_none() -> None:
    receivers = [
        {"name": "r", "webhook_configs": [{"url": "http://a"}, {"url": "http://b"}], "slack_configs": []},
        {"name": "null"},
    ]
    tree = routing.read(yaml.safe_dump({"route": {"receiver": "r"}, "receivers": receivers}))
    assert tree.receivers == {"r": ("webhook", "webhook"), "null": ()}


def test_a_route_is_muted_in_its_mute_intervals_and_outside_of_its_active_ones_and_its_children_are_not() -> None:
    weekend = {"name": "weekend", "time_intervals": [{"weekdays": ["saturday", "sunday"]}]}
    child = {"matchers": ["a=x"], "active_time_intervals": ["weekend"], "routes": [{"matchers": ["b=x"]}]}
    document = {
        "route": {"receiver": "r", "routes": [child, {"matchers": ["a=y"], "mute_time_intervals": ["weekend"]}]},
        "receivers": RECEIVERS,
        "mute_time_intervals": [weekend],
    }
    tree = routing.read(yaml.safe_dump(document))

    def muted(labels: Mapping[str, str], at: datetime) -> list[str]:
        return [routing.muted_by(tree, route, at=at) for route in routing.routes(tree, labels)]

    assert (muted({"a": "x"}, TUESDAY), muted({"a": "x"}, SATURDAY)) == (["outside of weekend"], [""])
    assert (muted({"a": "y"}, TUESDAY), muted({"a": "y"}, SATURDAY)) == ([""], ["weekend"])
    assert muted({"a": "x", "b": "x"}, TUESDAY) == [""]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param("{source_matchers: [n=a], target_matchers: [n=b]}", {(0, 1), (0, 2)}, id="source hides target"),
        pytest.param(
            "{source_matchers: [n=a], target_matchers: [n=b], equal: [i]}", {(0, 1)}, id="of equal labels only"
        ),
        pytest.param(
            "{source_matchers: [n=a], target_matchers: [n=b], equal: [z]}",
            {(0, 1), (0, 2)},
            id="a label that both lack is equal",
        ),
        pytest.param("{source_match: {n: a}, target_match_re: {n: .+}}", {(0, 1), (0, 2)}, id="never itself"),
        pytest.param("{source_match_re: {n: .+}, target_match_re: {n: .+}}", set(), id="nor what is like it"),
    ],
)
def test_an_inhibit_rule_hides(rule: str, expected: set[tuple[int, int]]) -> None:
    tree = routing.read(f"{{route: {{receiver: r}}, receivers: [{{name: r}}], inhibit_rules: [{rule}]}}")
    alerts = [{"n": "a", "i": "1"}, {"n": "b", "i": "1"}, {"n": "b", "i": "2"}]
    assert routing.hidden_pairs(tree.inhibit_rules[0], alerts) == expected
