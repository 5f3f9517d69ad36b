"""Are the services that the environment expects ready, and of the version that it expects?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from genesis_lib.checks.claims import cannot_tell, finding
from genesis_lib.clients.exposition import Family
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "ServiceFact", "gather", "judge"]

NAME = "services"
CLAIMS = ("services.ready", "services.version")

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFact:
    """What one expected service said of itself. `expected_version` is empty where any will do."""

    name: str
    url: str
    expected_version: str
    ready: Answer[bool] | Missing
    version: Answer[str] | Missing
    started_at: Answer[datetime] | Missing


def gather(run: Run) -> tuple[ServiceFact, ...]:
    """Ask every service that the environment expects."""
    return tuple(_ask(run, name) for name in run.environment.services)


def judge(facts: Sequence[ServiceFact], policy: Policy, *, at: datetime) -> list[Finding]:
    """`services.ready` for each service, `services.version` for each that is expected to have one."""
    del at  # readiness has no age: it was asked for this run
    found = []
    for fact in facts:
        found.append(_judge_ready(fact, policy))
        if fact.expected_version:
            found.append(_judge_version(fact, policy))
    return found


def _judge_ready(fact: ServiceFact, policy: Policy) -> Finding:
    expected = f"ready at {fact.url}"
    if isinstance(fact.ready, Missing):
        return cannot_tell(policy, "services.ready", fact.name, fact.ready, expected=expected)
    ready = fact.ready.value
    return finding(
        policy,
        "services.ready",
        fact.name,
        Verdict.PASS if ready else Verdict.FAIL,
        observed="ready" if ready else "answers, but is not ready",
        expected=expected,
        reason=f"{fact.name} answered that it is {'ready' if ready else 'not ready to serve'}",
        hint="" if ready else f"look into the log of {fact.name}; it may still be starting up",
        evidence=(fact.ready.evidence,),
    )


def _judge_version(fact: ServiceFact, policy: Policy) -> Finding:
    claim, expected = "services.version", fact.expected_version
    if isinstance(fact.version, Missing):
        return cannot_tell(policy, claim, fact.name, fact.version, expected=expected)
    version = fact.version.value.removeprefix("v")
    matches = version == expected or version.startswith(f"{expected}.")
    return finding(
        policy,
        claim,
        fact.name,
        Verdict.PASS if matches else Verdict.FAIL,
        observed=version,
        expected=expected,
        reason=f"{fact.name} runs version {version}"
        + ("" if matches else f", not {expected} as the environment expects"),
        hint="" if matches else "deploy the expected version, or correct `services` in the environment's file",
        evidence=(fact.version.evidence,),
    )


def _ask(run: Run, name: str) -> ServiceFact:
    service = run.environment.services[name]
    version: Answer[str] | Missing
    started: Answer[datetime] | Missing
    ready: Answer[bool] | Missing
    match service.source:
        case "prometheus":
            ready = run.ask_now(lambda: run.prometheus.ready())
            version = _map(run.ask_now(lambda: run.prometheus.buildinfo()), lambda b: b.version)
            started = _map(run.ask_now(lambda: run.prometheus.runtimeinfo()), lambda r: r.started_at)
        case "alertmanager":
            ready = run.ask_now(lambda: run.alertmanager.ready())
            status = run.ask_now(lambda: run.alertmanager.status())
            version, started = _map(status, lambda s: s.version), _map(status, lambda s: s.started_at)
        case "grafana":
            health = run.ask_now(lambda: run.grafana.health())
            ready = _map(health, lambda h: h.database == "ok")
            version = _map(health, lambda h: h.version)
            started = Missing(cause=Cause.NO_DATA, detail="Grafana's API does not tell when it started")
        case None:
            page = run.ask_now(lambda: run.exposition(name).families())
            ready = _map(page, bool)
            version, started = _map(page, _page_version), _map(page, _page_start)
    endpoint = getattr(run.environment, service.source) if service.source else None
    return ServiceFact(
        name=name,
        url=str(endpoint.url if endpoint else service.url),
        expected_version=service.version,
        ready=ready,
        version=version,
        started_at=started,
    )


def _map(answer: Answer[S] | Missing, change: Callable[[S], T | Missing]) -> Answer[T] | Missing:
    """The answer with its value changed; a value that turns out Missing makes the whole Missing."""
    if isinstance(answer, Missing):
        return answer
    value = change(answer.value)
    if isinstance(value, Missing):
        return Missing(cause=value.cause, detail=value.detail, evidence=answer.evidence)
    return Answer(value=value, evidence=answer.evidence, asked_at=answer.asked_at)


def _page_version(families: Sequence[Family]) -> str | Missing:
    """The version label of `<program>_build_info`, by the convention of Prometheus' own libraries."""
    for family in families:
        if family.name.endswith("_build_info"):
            for sample in family.samples:
                if sample.labels.get("version"):
                    return str(sample.labels["version"])
    return Missing(cause=Cause.NO_DATA, detail="its page has no *_build_info metric with a version")


def _page_start(families: Sequence[Family]) -> datetime | Missing:
    for family in families:
        if family.name == "process_start_time_seconds" and family.samples:
            value = family.samples[0].value
            return datetime.fromtimestamp(value, UTC) if isinstance(value, float) else value
    return Missing(cause=Cause.NO_DATA, detail="its page has no process_start_time_seconds")
