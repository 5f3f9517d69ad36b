"""Without promtool and amtool, what is wrong in a configuration is still seen."""

import pytest

from genesis_lib.checks.config import config_files
from tests.builders import ROOT


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"a: [", "is not YAML", id="not YAML"),
        pytest.param(b"- a", "is empty, or is no mapping", id="a list"),
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"scrape_config: []", "did you mean scrape_configs?", id="an unknown section"),
        pytest.param(
            b"scrape_configs: [{scheme: http}]", "scrape_configs[0] has no job_name", id="a job without a name"
        ),
        pytest.param(
            b"scrape_configs: [{job_name: a}, {job_name: a}]", "2 entries define the job 'a'", id="a job twice"
        ),
        pytest.param(b"global: {scrape_interval: 15}", "global.scrape_interval: '15' is no duration", id="no duration"),
        pytest.param(b"scrape_configs: [a]", "of a wrong kind", id="a job of a wrong kind"),
        pytest.param(b"rule_files: a.yml", "rule_files is no list", id="rule files of a wrong kind"),
    ],
)
def test_a_wrong_prometheus_configuration_is_seen_without_promtool(content: bytes, words: str) -> None:
    assert words in "; ".join(config_files.prometheus(content))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param("receivers: [{name: a}]", "has no route", id="no route"),
        pytest.param("route: {group_by: [a]}", "route has no receiver", id="no receiver"),
        pytest.param(
            "{route: {receiver: a}, receivers: [{name: b}]}", "'a', which is not defined", id="unknown receiver"
        ),
        pytest.param(
            "{route: {receiver: a}, receivers: [{name: a}, {name: a}]}", "define the receiver 'a'", id="twice"
        ),
        pytest.param(
            "{route: {receiver: a, routes: [{matchers: [x ~ y]}]}, receivers: [{name: a}]}",
            "route.routes[0]: 'x ~ y' is no matcher",
            id="no matcher",
        ),
        pytest.param(
            "{route: {receiver: a, routes: [{mute_time_intervals: [w]}]}, receivers: [{name: a}]}",
            "route.routes[0].mute_time_intervals names 'w', which is not defined",
            id="an unknown time interval",
        ),
        pytest.param(
            "{route: {receiver: a, group_wait: soon}, receivers: [{name: a}]}",
            "route.group_wait: 'soon' is no duration",
            id="no duration",
        ),
        pytest.param(
            "{route: {receiver: a}, receivers: [{name: a}], inhibit_rules: [{target_matchers: [x]}]}",
            "inhibit_rules[0]: 'x' is no matcher",
            id="no matcher to inhibit by",
        ),
    ],
)
def test_a_wrong_alertmanager_configuration_is_seen_without_amtool(change: str, words: str) -> None:
    assert words in "; ".join(config_files.alertmanager(change.encode()))


@pytest.mark.parametrize("path", ["monitoring/prometheus_config.yml", "monitoring/alertmanager_config.yml"])
def test_our_own_files_pass_our_own_parser(path: str) -> None:
    read = config_files.prometheus if "prometheus" in path else config_files.alertmanager
    assert read((ROOT / path).read_bytes()) == []
