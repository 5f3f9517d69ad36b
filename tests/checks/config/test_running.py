"""Running: another configuration, another rule or another dashboard than the file holds is named."""

from typing import Any

import pytest

from genesis_lib.checks.config.running import OTHER_RULES
from genesis_lib.checks.configuration import ConfigurationFacts, FileFact
from genesis_lib.clients.grafana import Dashboard
from genesis_lib.model import Cause, Finding, Missing, Verdict
from tests.builders import UNREACHABLE, answer
from tests.checks.configured import (
    ALERTMANAGER,
    DASHBOARD,
    HISTORY,
    PROMETHEUS,
    RULES,
    RUNS,
    file,
    group,
    judged,
    one,
    rule,
    runtime,
    servers,
    status,
)


@pytest.mark.parametrize(
    ("given", "change", "words"),
    [
        pytest.param(
            file("prometheus_config", PROMETHEUS.replace(b"scrape", b"global: {scrape_interval: 15s}\nscrape", 1)),
            {"config": answer(f"global: {{scrape_interval: 1m}}\n{RUNS}")},
            "prometheus runs another configuration than ../prometheus_config holds: global.scrape_interval: file 15s, running 1m",
            id="Prometheus",
        ),
        pytest.param(
            file("prometheus_config", PROMETHEUS),
            {"runtime": runtime(reloaded=False)},
            "prometheus refused the configuration when it last loaded it",
            id="a reload that failed",
        ),
        pytest.param(
            file("alertmanager_config", ALERTMANAGER),
            {"alertmanager": status("{route: {receiver: other}, receivers: [{name: other}]}")},
            "route.receiver: file r, running other",
            id="Alertmanager",
        ),
        pytest.param(
            file("rules", RULES),
            {"rules": group(rule(annotations={"summary": "up"}))},
            "A: annotations.summary: file down, running up",
            id="a rule's annotation",
        ),
        pytest.param(file("rules", RULES), {"rules": group()}, "A: not running", id="a rule that does not run"),
        pytest.param(
            file("dashboards", DASHBOARD),
            {"dashboards": {"u": answer(Dashboard(model={"panels": [{"title": "Other"}]}, meta={}))}},
            'panels[Load]: file {"title": "Load"}, not running',
            id="Grafana",
        ),
    ],
)
def test_another_configuration_that_runs_fails_and_is_named(
    given: FileFact, change: dict[str, Any], words: str
) -> None:
    finding = one(given, **change)["running"]
    assert finding.verdict is Verdict.FAIL
    assert words in finding.reason
    assert finding.hint


@pytest.mark.parametrize(
    ("change", "because_of", "hint"),
    [
        pytest.param({"config": UNREACHABLE}, "services.ready[prom]", "mend the source", id="out of reach"),
        pytest.param(
            {"config": Missing(cause=Cause.REFUSED, detail="404")}, "", "waive this finding in", id="it does not tell"
        ),
        pytest.param({"config": answer("")}, "", "waive this finding in", id="it tells nothing"),
        pytest.param({"config": HISTORY}, "", "open a run about now", id="a run about the past"),
    ],
)
def test_what_a_server_does_not_tell_is_unknown(change: dict[str, Any], because_of: str, hint: str) -> None:
    finding = one(file("prometheus_config", PROMETHEUS), **change)["running"]
    assert (finding.verdict, finding.because_of) == (Verdict.UNKNOWN, because_of)
    assert hint in finding.hint


@pytest.mark.parametrize("kind", ["prometheus_config", "rules", "alertmanager_config"])
def test_a_file_that_is_not_valid_cannot_be_compared(kind: str) -> None:
    found = one(file(kind, b"a: ["))
    assert found["valid"].verdict is Verdict.FAIL
    assert found["running"].verdict is Verdict.UNKNOWN
    assert found["running"].because_of == f"configuration.valid[../{kind}]"


def test_the_addresses_of_the_embedded_stack_are_no_drift() -> None:
    moved = {
        "config": answer(RUNS.replace("localhost:9100", "127.0.0.1:40123")),
        "addresses": {"localhost:9100": "127.0.0.1:40123", "localhost:910": "127.0.0.1:1"},
    }
    finding = one(file("prometheus_config", PROMETHEUS), **moved)["running"]
    assert finding.verdict is Verdict.PASS
    assert "with the addresses of the embedded stack put in" in finding.reason


def other_rules(*, files: tuple[FileFact, ...] = (file("rules", RULES),), **changes: Any) -> Finding | None:
    return judged(ConfigurationFacts(files=files, running=servers(**changes))).get(f"running[{OTHER_RULES}]")


def test_rules_that_stand_in_no_named_file_are_named() -> None:
    found = other_rules(rules=group(rule(), rule(name="Mine")))
    assert found is not None
    assert found.verdict is Verdict.WARN
    assert "in none of the named files: Mine (g)" in found.reason


@pytest.mark.parametrize(
    ("files", "change"),
    [
        pytest.param((file("rules", RULES),), {"rules": UNREACHABLE}, id="Prometheus cannot be asked"),
        pytest.param((file("rules", b"a: ["),), {}, id="a file is not valid"),
        pytest.param((file("rules", UNREACHABLE),), {}, id="a file cannot be read"),
    ],
)
def test_which_rules_stand_in_no_file_may_be_unknown(files: tuple[FileFact, ...], change: dict[str, Any]) -> None:
    found = other_rules(files=files, **change)
    assert found is not None
    assert found.verdict is Verdict.UNKNOWN


def test_the_rules_of_others_on_a_shared_prometheus_are_nobodys_business() -> None:
    assert other_rules(rules=group(rule(), rule(name="Mine")), is_shared=True) is None
    assert other_rules(files=()) is None
