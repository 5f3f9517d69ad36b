"""Files and servers that run what they say, to change one thing in."""

from typing import Any

from genesis_lib.checks import configuration
from genesis_lib.checks.config.running import RunningFacts
from genesis_lib.checks.configuration import ConfigurationFacts, FileFact
from genesis_lib.clients.alertmanager import AlertmanagerStatus
from genesis_lib.clients.grafana import Dashboard
from genesis_lib.clients.prometheus import Rule, RuleGroup, RuntimeInfo
from genesis_lib.model import Answer, Cause, Finding, Missing
from tests.builders import AT, answer, policy

PROMETHEUS = b"scrape_configs: [{job_name: node, static_configs: [{targets: ['localhost:9100']}]}]"
RUNS = "scrape_configs: [{job_name: node, scheme: http, static_configs: [{targets: ['localhost:9100']}]}]"
RULES = b"groups: [{name: g, rules: [{alert: A, expr: up==0, annotations: {summary: down}}]}]"
ALERTMANAGER = b"{route: {receiver: r}, receivers: [{name: r}]}"
DASHBOARD = b'{"uid": "u", "panels": [{"title": "Load"}]}'
HISTORY = Missing(cause=Cause.NO_HISTORY, detail="this source only tells about now")


def rule(**changes: Any) -> Rule:
    stated: dict[str, Any] = {"name": "A", "kind": "alerting", "query": "up == 0", "health": "ok"}
    return Rule(**({**stated, "annotations": {"summary": "down"}} | changes))


def group(*rules: Rule) -> Answer[tuple[RuleGroup, ...]]:
    return answer((RuleGroup(name="g", interval_s=15.0, rules=rules),))


def runtime(*, reloaded: bool) -> Answer[RuntimeInfo]:
    info = RuntimeInfo(started_at=AT, reload_config_success=reloaded, last_config_at=AT, storage_retention="15d")
    return answer(info)


def status(config: str) -> Answer[AlertmanagerStatus]:
    return answer(AlertmanagerStatus(version="0.25", started_at=AT, cluster="ready", config=config))


def servers(**changes: Any) -> RunningFacts:
    """Servers that run what the files below say."""
    stored = Dashboard(model={"uid": "u", "panels": [{"title": "Load", "id": 1}]}, meta={})
    stated: dict[str, Any] = {
        "config": answer(RUNS),
        "runtime": runtime(reloaded=True),
        "rules": group(rule()),
        "alertmanager": status(ALERTMANAGER.decode()),
        "dashboards": {"u": answer(stored)},
        "addresses": {},
        "services": {"prometheus": "prom"},
        "is_shared": False,
    }
    return RunningFacts(**(stated | changes))


def file(kind: str, content: bytes | Missing, *, checked: tuple[int, str] | Missing | None = None) -> FileFact:
    return FileFact(
        kind=kind,
        name=f"../{kind}",
        content=content if isinstance(content, Missing) else answer(content),
        checked=answer(checked) if isinstance(checked, tuple) else checked,
    )


def all_files() -> tuple[FileFact, ...]:
    return (
        file("prometheus_config", PROMETHEUS),
        file("rules", RULES),
        file("alertmanager_config", ALERTMANAGER),
        file("dashboards", DASHBOARD),
        file("deploy", b"#!/bin/sh\n"),
    )


def judged(facts: ConfigurationFacts) -> dict[str, Finding]:
    return {f.id.removeprefix("configuration."): f for f in configuration.judge(facts, policy(), at=AT)}


def one(given: FileFact, **changes: Any) -> dict[str, Finding]:
    """The findings on one file, by claim."""
    found = configuration.judge(ConfigurationFacts(files=(given,), running=servers(**changes)), policy(), at=AT)
    return {f.check.removeprefix("configuration."): f for f in found if f.subject == given.name}
