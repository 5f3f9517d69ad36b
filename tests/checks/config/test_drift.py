"""Drift: a difference in meaning is found and named; one of spelling, of defaults or of a masked credential is none."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genesis_lib.checks.config import drift


def found(file: str, running: str) -> list[str]:
    return [str(d) for d in drift.differences(drift.load(file), drift.load(running))]


@pytest.mark.parametrize(
    ("file", "running"),
    [
        pytest.param("global: {scrape_interval: 60s}", "global: {scrape_interval: 1m}", id="a duration"),
        pytest.param(
            "global: {scrape_interval: 90s}", "global: {scrape_interval: 1m30s}", id="a duration of two units"
        ),
        pytest.param("global: {resolve_timeout: 7d}", "global: {resolve_timeout: 1w}", id="days and weeks"),
        pytest.param(
            "global: {scrape_interval: 15s}", "global: {scrape_interval: 15s, scrape_timeout: 10s}", id="a default"
        ),
        pytest.param("a: {body_size_limit: 10MB}", "a: {body_size_limit: 10MiB}", id="a size"),
        pytest.param("storage: {ratio: 0.50}", "storage: {ratio: 0.5}", id="a number"),
        pytest.param("a: {send_resolved: yes}", "a: {send_resolved: true}", id="a truth"),
        pytest.param("a: {honor_labels: false, limit: 0, x: []}", "a: {}", id="zero values, which servers leave out"),
        pytest.param(
            "global: {external_labels: {n: 1}}", 'global: {external_labels: {n: "1"}}', id="a label is a text"
        ),
        pytest.param(
            "external_labels: {pod: '${POD}'}", "external_labels: {pod: p-1}", id="a label from the environment"
        ),
        pytest.param("rule_files: [r.yml]", "rule_files: [/etc/prometheus/r.yml]", id="a path made absolute"),
        pytest.param("rule_files: [../rules/*.yml]", "rule_files: [/etc/rules/*.yml]", id="a path of the folder above"),
        pytest.param("tls_config: {ca_file: ca.pem}", "tls_config: {ca_file: /etc/ca.pem}", id="a certificate's path"),
        pytest.param("basic_auth: {password: <secret>}", "basic_auth: {password: <secret>}", id="both masked"),
        pytest.param(
            "slack_configs: [{api_url: 'https://x/y'}]", "slack_configs: [{api_url: <secret>}]", id="one masked"
        ),
        pytest.param("url: http://u:<secret>@h/w", "url: http://u:xxxxx@h/w", id="a masked password in an address"),
        pytest.param(
            "x: {bearer_token: abc}", "x: {authorization: {type: Bearer, credentials: <secret>}}", id="an old key"
        ),
        pytest.param(
            "route: {matchers: [severity = critical, 'a=~x|y']}",
            "route: {matchers: ['a=~\"x|y\"', 'severity=\"critical\"']}",
            id="matchers spelled and sorted by the server",
        ),
        pytest.param(
            "matchers: ['{a=b, c=\"d\"}']", "matchers: ['a=\"b\"', 'c=\"d\"']", id="several matchers in a line"
        ),
        pytest.param(
            "matchers: ['a =~ [[:alpha:]]+']", "matchers: ['a=~\"[[:alpha:]]+\"']", id="a regex that only RE2 reads"
        ),
        pytest.param("x: {months: ['january:march']}", 'x: {months: ["1:3"]}', id="months as numbers"),
        pytest.param("relabel_configs: [{action: Drop}]", "relabel_configs: [{action: drop}]", id="an action's case"),
        pytest.param(
            "headers: {subject: hi}", "headers: {Subject: hi, From: a@b.c}", id="a header's case, and default ones"
        ),
        pytest.param("targets: [b:1, a:1]", "targets: [a:1, b:1]", id="the order of targets"),
        pytest.param(
            "scrape_configs: [{job_name: a}, {job_name: b}]",
            "scrape_configs: [{job_name: b}, {job_name: a, scheme: http}]",
            id="the order of jobs",
        ),
        pytest.param("d: &d {scheme: https}\nx: {<<: *d}", "d: {scheme: https}\nx: {scheme: https}", id="a merge key"),
    ],
)
def test_another_spelling_is_no_difference(file: str, running: str) -> None:
    assert found(file, running) == []


@pytest.mark.parametrize(
    ("file", "running", "words"),
    [
        pytest.param(
            "scrape_configs: [{job_name: node, scrape_interval: 15s}]",
            "scrape_configs: [{job_name: node, scrape_interval: 1m}]",
            "scrape_configs[node].scrape_interval: file 15s, running 1m",
            id="a value",
        ),
        pytest.param(
            "scrape_configs: [{job_name: a}]",
            "scrape_configs: []",
            'scrape_configs[a]: file {"job_name": "a"}, not running',
            id="a job that does not run",
        ),
        pytest.param(
            "scrape_configs: []",
            "scrape_configs: [{job_name: a}]",
            'scrape_configs[a]: running {"job_name": "a"}, not in the file',
            id="a job that is not in the file",
        ),
        pytest.param(
            "global: {}",
            "alerting: {alertmanagers: [{scheme: http}]}",
            'alerting: running {"alertmanagers": [{"scheme": "http"}]}, not in the file',
            id="alerting that nobody wrote down",
        ),
        pytest.param(
            "rule_files: [a.yml]",
            "rule_files: [/etc/a.yml, /etc/b.yml]",
            "rule_files: running /etc/b.yml, not in the file",
            id="another rule file",
        ),
        pytest.param(
            "rule_files: [a.yml]", "rule_files: [/etc/ba.yml]", "rule_files: file a.yml, running /etc/ba.yml", id="path"
        ),
        pytest.param(
            "labels: {version: 1.0}",
            "labels: {version: 1}",
            "labels.version: file 1.0, running 1",
            id="labels are compared to the letter",
        ),
        pytest.param(
            "labels: {a: '0'}", "labels: {}", "labels.a: file 0, not running", id="a label of 0 is no zero value"
        ),
        pytest.param("labels: {}", "labels: {a: b}", "labels.a: running b, not in the file", id="another label"),
        pytest.param(
            "route: {routes: [{matchers: [a = b]}]}",
            "route: {routes: [{matchers: ['a!=\"b\"']}]}",
            'route.routes[0].matchers: file a="b", running a!="b"',
            id="another operator",
        ),
        pytest.param(
            "source_labels: [a, b]",
            "source_labels: [b, a]",
            'source_labels: file ["a", "b"], running ["b", "a"]',
            id="order",
        ),
        pytest.param(
            "url: http://u:<secret>@h/w", "url: http://u:<secret>@h/v", "url: file", id="beside a masked password"
        ),
        pytest.param("a: {b: c}", "a: d", 'a: file {"b": "c"}, running d', id="another kind of value"),
    ],
)
def test_another_meaning_is_named_by_its_path_with_both_values(file: str, running: str, words: str) -> None:
    (only,) = found(file, running)
    assert only.startswith(words)


def dashboard(**panel: object) -> Mapping[str, object]:
    return {"uid": "u", "id": None, "version": 1, "panels": [{"title": "Load", "type": "timeseries", **panel}]}


def test_what_grafana_fills_in_is_no_difference() -> None:
    ours = dashboard(gridPos={"x": 0}, targets=[{"refId": "A", "expr": "up"}])
    stored = dashboard(id=4, pluginVersion="12", targets=[{"refId": "A", "expr": "up", "datasource": {"uid": "x"}}])
    assert not drift.differences(ours, {**stored, "id": 7, "version": 3}, ignored=drift.FILLED_IN_BY_GRAFANA)


def test_a_panel_that_was_changed_or_added_by_hand_is_a_difference() -> None:
    ours = dashboard(targets=[{"refId": "A", "expr": "up"}])
    stored = dashboard(targets=[{"refId": "A", "expr": "up == 0"}])
    added = {**stored, "panels": [*stored["panels"], {"title": "Mine"}]}  # type: ignore[misc]
    assert [str(d) for d in drift.differences(ours, added, ignored=drift.FILLED_IN_BY_GRAFANA)] == [
        "panels[Load].targets[A].expr: file up, running up == 0",
        'panels[Mine]: running {"title": "Mine"}, not in the file',
    ]


def test_a_long_value_is_cut() -> None:
    (text,) = found(f"a: {'x' * 500}", "a: y")
    assert len(text) < 100


_SCALARS = st.text(max_size=5) | st.booleans() | st.integers() | st.none() | st.sampled_from(["5m", "<secret>", "a=b"])
_KEYS = st.text(max_size=3) | st.sampled_from(["matchers", "targets", "name", "rule_files", "headers", "bearer_token"])


@given(st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3)))
def test_nothing_differs_from_itself(document: object) -> None:
    assert not drift.differences(document, document)
