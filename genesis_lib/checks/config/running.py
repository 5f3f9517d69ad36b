"""Compare the files of an environment with what its servers say that they run."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from genesis_lib.checks.ask import rule_files
from genesis_lib.checks.ask.rule_files import RuleSpec
from genesis_lib.checks.claims import cannot_tell, finding, identify, proof
from genesis_lib.checks.config import drift
from genesis_lib.clients.alertmanager import AlertmanagerStatus
from genesis_lib.clients.grafana import Dashboard
from genesis_lib.clients.prometheus import Rule, RuleGroup, RuntimeInfo
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIM", "OTHER_RULES", "RunningFacts", "gather", "judge_file", "judge_other_rules"]

CLAIM = "configuration.running"
OTHER_RULES = "rules of no named file"
_SERVERS = {"prometheus_config": "prometheus", "rules": "prometheus", "alertmanager_config": "alertmanager"}
# Files in which the embedded stack replaces addresses.
_WITH_ADDRESSES = ("prometheus_config", "alertmanager_config")
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningFacts:
    """What the servers say that they run; None where the environment declares not to have the server.

    `dashboards` are Grafana's, by uid. `addresses` is what the embedded stack puts in place of each `host:port`; `services` names the
    service that a source is; `is_shared` says that others' rules run here too.
    """

    config: Answer[str] | Missing | None
    runtime: Answer[RuntimeInfo] | Missing | None
    rules: Answer[tuple[RuleGroup, ...]] | Missing | None
    alertmanager: Answer[AlertmanagerStatus] | Missing | None
    dashboards: Mapping[str, Answer[Dashboard] | Missing]
    addresses: Mapping[str, str]
    services: Mapping[str, str]
    is_shared: bool


def gather(run: Run) -> RunningFacts:
    """Ask each server that the environment has for its configuration."""
    environment, prometheus = run.environment, run.environment.prometheus
    return RunningFacts(
        config=run.ask_now(lambda: run.prometheus.config()) if prometheus else None,
        runtime=run.ask_now(lambda: run.prometheus.runtimeinfo()) if prometheus else None,
        rules=run.ask_now(lambda: run.prometheus.rules()) if prometheus else None,
        alertmanager=run.ask_now(lambda: run.alertmanager.status()) if environment.alertmanager else None,
        dashboards={uid: _dashboard(run, uid) for uid in environment.grafana_dashboards},
        addresses=run.record["addresses"],
        services={service.source: name for name, service in environment.services.items() if service.source},
        is_shared=bool(environment.scope),
    )


def judge_file(
    kind: str, name: str, content: Answer[bytes] | Missing, facts: RunningFacts, policy: Policy
) -> Finding | None:
    """Whether this file is what runs; None where there is no server that could run it."""
    server = _SERVERS.get(kind, "grafana")
    asked = _asked(kind, content, facts)
    expected = f"what {server} runs"
    if asked is None:
        return None
    if isinstance(content, Missing):
        cause = identify("configuration.exists", name)
        return cannot_tell(policy, CLAIM, name, content, expected=expected, because_of=cause)
    if isinstance(asked, Missing):
        return _not_told(name, asked, server, facts, policy)
    try:
        differences = _differences(kind, content.value, asked.value, facts)
    except (ValueError, yaml.YAMLError):
        detail = f"{name} cannot be read, so it cannot be compared with what {server} runs"
        missing = Missing(cause=Cause.MALFORMED, detail=detail, evidence=content.evidence)
        cause = identify("configuration.valid", name)
        return cannot_tell(policy, CLAIM, name, missing, expected=expected, because_of=cause, hint="mend the file")

    evidence = [content.evidence, asked.evidence]
    moved = facts.addresses and kind in _WITH_ADDRESSES
    note = " (compared with the addresses of the embedded stack put in)" if moved else ""
    verdict, observed, hint = Verdict.PASS, "the same", ""
    reason = f"{server} runs what {name} says{note}"
    if differences:
        more = f"; and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
        verdict, hint = Verdict.FAIL, f"deploy the file and have {server} load it, or correct the file"
        observed = f"{len(differences)} difference{'s' if len(differences) > 1 else ''}"
        reason = f"{server} runs another configuration than {name} holds{note}: {'; '.join(differences[:_SHOWN])}{more}"
    runtime = facts.runtime
    if kind == "prometheus_config" and isinstance(runtime, Answer) and not runtime.value.reload_config_success:
        verdict, observed = Verdict.FAIL, "the last reload failed"
        reason = f"prometheus refused the configuration when it last loaded it, and goes on with an older one; {reason}"
        hint = "see prometheus' log for what it refused; mend that, and reload"
        evidence.append(runtime.evidence)
    return finding(
        policy,
        CLAIM,
        name,
        verdict,
        observed=observed,
        expected=expected,
        reason=reason,
        hint=hint,
        evidence=tuple(evidence),
    )


def judge_other_rules(
    files: Mapping[str, Answer[bytes] | Missing], facts: RunningFacts, policy: Policy
) -> Finding | None:
    """Whether Prometheus evaluates rules that stand in none of the files; None where nothing is known of its rules, or others' are."""
    expected = "none"
    if facts.rules is None or facts.is_shared or not files:
        return None
    if isinstance(facts.rules, Missing):
        return _not_told(OTHER_RULES, facts.rules, "prometheus", facts, policy)
    known: set[tuple[str, str]] = set()
    for name, content in files.items():
        specs = "" if isinstance(content, Missing) else rule_files.read(content.value)
        if isinstance(specs, str):
            detail = f"{name} cannot be read, so it cannot be told which rules stand in no file"
            missing = Missing(cause=Cause.MALFORMED, detail=detail, evidence=content.evidence)
            cause = identify("configuration.valid", name)
            return cannot_tell(policy, CLAIM, OTHER_RULES, missing, expected=expected, because_of=cause)
        known |= {(spec.group, spec.name) for spec in specs}
    extra = [f"{r.name} ({g.name})" for g in facts.rules.value for r in g.rules if (g.name, r.name) not in known]
    more = f" and {len(extra) - _SHOWN} more" if len(extra) > _SHOWN else ""
    return finding(
        policy,
        CLAIM,
        OTHER_RULES,
        Verdict.WARN if extra else Verdict.PASS,
        observed=f"{len(extra)} rules" if extra else "none",
        expected=expected,
        reason=f"Prometheus evaluates rules that stand in none of the named files: {', '.join(extra[:_SHOWN])}{more}"
        if extra
        else "every rule that Prometheus evaluates stands in a named file",
        hint="name their file under files.rules, or remove them from Prometheus" if extra else "",
        evidence=proof(facts.rules, *files.values()),
    )


def _dashboard(run: Run, uid: str) -> Answer[Dashboard] | Missing:
    return run.ask_now(lambda: run.grafana.dashboard(uid))


def _asked(kind: str, content: Answer[bytes] | Missing, facts: RunningFacts) -> Answer[Any] | Missing | None:
    match kind:
        case "prometheus_config" if isinstance(facts.config, Answer) and not facts.config.value:
            detail = "prometheus answered with an empty configuration"
            return Missing(cause=Cause.NO_DATA, detail=detail, evidence=facts.config.evidence)
        case "prometheus_config":
            return facts.config
        case "alertmanager_config":
            return facts.alertmanager
        case "rules":
            return facts.rules
        case "dashboards" if isinstance(content, Answer):
            try:
                return facts.dashboards.get(str(json.loads(content.value).get("uid")))
            except (ValueError, AttributeError):
                return None  # it names no dashboard of Grafana's, and configuration.valid says why
    return None


def _not_told(name: str, missing: Missing, server: str, facts: RunningFacts, policy: Policy) -> Finding:
    hint, because_of = "", ""
    if missing.cause in (Cause.UNREACHABLE, Cause.TIMEOUT) and server in facts.services:
        because_of = identify("services.ready", facts.services[server])
    elif missing.cause is Cause.NO_HISTORY:
        hint = "open a run about now"
    elif missing.cause in (Cause.REFUSED, Cause.MALFORMED, Cause.NO_DATA):
        hint = (
            "give the account the right to read it; for a server that never tells it (VictoriaMetrics, Thanos) waive this finding in"
            " params/policy/waivers.yaml"
        )
    return cannot_tell(policy, CLAIM, name, missing, expected=f"what {server} runs", hint=hint, because_of=because_of)


def _differences(kind: str, content: bytes, running: Any, facts: RunningFacts) -> list[str]:
    """Raises ValueError or yaml.YAMLError where the file cannot be read."""
    if kind == "rules":
        specs = rule_files.read(content)
        if isinstance(specs, str):
            raise ValueError(specs)
        return [text for spec in specs for text in _rule_differences(spec, running)]
    if kind == "dashboards":
        found = drift.differences(json.loads(content), running.model, ignored=drift.FILLED_IN_BY_GRAFANA)
    else:
        text = running.config if kind == "alertmanager_config" else running
        document = drift.load(_moved(content, facts.addresses))
        if not isinstance(document, dict):
            raise ValueError("no mapping of sections")
        found = drift.differences(document, drift.load(text))
    return [str(difference) for difference in found]


def _rule_differences(spec: RuleSpec, running: Sequence[RuleGroup]) -> list[str]:
    """How a rule differs from the one most like it of the same name and group."""
    rules = [rule for group in running if group.name == spec.group for rule in group.rules if rule.name == spec.name]
    found = [[str(d) for d in drift.differences(_of_file(spec), _of_server(rule))] for rule in rules]
    return [f"{spec.name}: {text}" for text in min(found, key=len, default=["not running"])]


def _of_file(spec: RuleSpec) -> dict[str, object]:
    return {
        "expr": rule_files.expression_key(spec.expr),
        "for": spec.for_s,
        "labels": dict(spec.labels),
        "annotations": dict(spec.annotations),
    }


def _of_server(rule: Rule) -> dict[str, object]:
    return {
        "expr": rule_files.expression_key(rule.query),
        "for": rule.duration_s,
        "labels": dict(rule.labels),
        "annotations": dict(rule.annotations),
    }


def _moved(content: bytes, addresses: Mapping[str, str]) -> str:
    text = content.decode(errors="surrogateescape")
    for named, reached in addresses.items():
        text = re.sub(rf"(?<![\w.-]){re.escape(named)}(?!\d)", reached, text)
    return text
