"""Are the services that the environment expects ready, of the version that it expects, up for long enough, and right about the time?"""

import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TypeVar

from genesis_lib.checks.claims import cannot_tell, finding, identify
from genesis_lib.clients.exposition import Family
from genesis_lib.clients.http import Http
from genesis_lib.errors import SourceError
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "ServiceFact", "default_login", "gather", "judge"]

NAME = "services"
CLAIMS = ("services.ready", "services.version", "services.uptime", "services.clock", "services.default_login")
_HOUR_S = 3600
_UNITS = ((_HOUR_S, "h"), (60, "min"), (1, "s"))
# What a fresh Grafana accepts: known to everyone, so no secret, and nothing that a record must hide.
_DEFAULT = "admin"

S = TypeVar("S")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceFact:
    """What one expected service said of itself.

    `expected_version` is empty where any will do; `up_for_h` is for how many hours it must have been up. `clock` is the time that it has,
    None where its kind does not tell; `default_login` says whether it accepts admin/admin, None where that is not to be tried.
    """

    name: str
    url: str
    expected_version: str
    up_for_h: float
    ready: Answer[bool] | Missing
    version: Answer[str] | Missing
    started_at: Answer[datetime] | Missing
    clock: Answer[datetime] | Missing | None
    default_login: Answer[bool] | Missing | None


def gather(run: Run) -> tuple[ServiceFact, ...]:
    """Ask every service that the environment expects."""
    return tuple(_ask(run, name) for name in run.environment.services)


def default_login(run: Run) -> Answer[bool]:
    """Whether Grafana lets admin/admin in: one try, for Grafana counts failed ones and locks the account after five.

    Raises:
        SourceError: it answered neither that it does nor that it does not.

    """
    grafana = run.environment.grafana
    if grafana is None:
        raise SourceError(Cause.NOT_DECLARED, f"{run.environment.name} declares that it has no grafana")
    # Credentials are given by reference, so this one lies in a file for as long as the question takes.
    with tempfile.NamedTemporaryFile("w", prefix="genesis-") as password:
        password.write(_DEFAULT)
        password.flush()
        login = {"bearer": None, "username": _DEFAULT, "password": f"file:{password.name}", "retries": 0}
        endpoint = grafana.model_copy(update=login)
        # Under a name of its own, so that the answer is never taken for one to the environment's own account.
        with Http(endpoint, source="grafana default login", evidence=run.evidence) as http:
            reply = http.get("/api/user", answers=[HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN])
    if reply.status != HTTPStatus.OK:
        return reply.answer(value=False)
    if not isinstance(reply.json(), dict):
        raise reply.malformed("answered with something else than a user; is it a Grafana?")
    return reply.answer(value=True)


def judge(facts: Sequence[ServiceFact], policy: Policy, *, at: datetime) -> list[Finding]:
    """`services.ready` for each service; the other claims for each service that they can be made of, and are expected of."""
    del at  # ages are counted to when the service was asked
    found = []
    for fact in facts:
        found.append(_judge_ready(fact, policy))
        if fact.expected_version:
            found.append(_judge_version(fact, policy))
        if _tells_its_start(fact) or fact.up_for_h:
            found.append(_judge_uptime(fact, policy))
        if fact.clock is not None:
            found.append(_judge_clock(fact, fact.clock, policy))
        if fact.default_login is not None:
            found.append(_judge_default_login(fact, fact.default_login, policy))
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
        return _cannot_tell(fact, policy, claim, fact.version, expected=expected)
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


def _judge_uptime(fact: ServiceFact, policy: Policy) -> Finding:
    claim, expected = "services.uptime", f"up for {fact.up_for_h:g} h or more" if fact.up_for_h else "any time"
    started = fact.started_at
    if isinstance(started, Missing):
        return _cannot_tell(fact, policy, claim, started, expected=expected)
    # A service that has only just started may seem to have done so after it was asked, by a clock that is a little ahead.
    up_s = max(0.0, (started.asked_at - started.value).total_seconds())
    suffices = up_s >= fact.up_for_h * _HOUR_S
    since = f"{fact.name} has run since {started.value:%Y-%m-%d %H:%M:%S} UTC"
    return finding(
        policy,
        claim,
        fact.name,
        Verdict.PASS if suffices else Verdict.WARN,
        observed=f"up {_span(up_s)}",
        expected=expected,
        reason=since + ("" if suffices else ", which is less than the environment expects"),
        hint="" if suffices else f"was it restarted on purpose? if not, see the log of {fact.name} for why",
        evidence=(started.evidence,),
    )


def _judge_clock(fact: ServiceFact, clock: Answer[datetime] | Missing, policy: Policy) -> Finding:
    claim, limit_s = "services.clock", policy.readiness.limits.clock_skew_s
    expected = f"within {limit_s:g} s of ours"
    if isinstance(clock, Missing):
        return _cannot_tell(fact, policy, claim, clock, expected=expected)
    ahead_s = (clock.value - clock.asked_at).total_seconds()
    agrees = abs(ahead_s) <= limit_s
    observed = f"{_span(abs(ahead_s))} {'ahead of' if ahead_s >= 0 else 'behind'} ours"
    falsifies = f", which falsifies every age that is worked out from what {fact.name} says"
    return finding(
        policy,
        claim,
        fact.name,
        Verdict.PASS if agrees else Verdict.FAIL,
        observed=observed,
        expected=expected,
        reason=f"the clock of {fact.name} is {observed}" + ("" if agrees else falsifies),
        hint="" if agrees else "see which of the two machines is wrong (timedatectl), and have it keep time by NTP",
        evidence=(clock.evidence,),
    )


def _judge_default_login(fact: ServiceFact, accepted: Answer[bool] | Missing, policy: Policy) -> Finding:
    claim, expected = "services.default_login", "admin/admin is refused"
    if isinstance(accepted, Missing):
        return _cannot_tell(fact, policy, claim, accepted, expected=expected)
    is_open = accepted.value
    return finding(
        policy,
        claim,
        fact.name,
        Verdict.FAIL if is_open else Verdict.PASS,
        observed="admin/admin is accepted" if is_open else "admin/admin is refused",
        expected=expected,
        reason=f"{fact.name} lets everyone in as its administrator, by the password that it was shipped with"
        if is_open
        else f"{fact.name} does not accept the password that it was shipped with",
        hint="grafana cli admin reset-admin-password <new>, then see that no stranger has left an account or key behind"
        if is_open
        else "",
        evidence=(accepted.evidence,),
    )


def _cannot_tell(fact: ServiceFact, policy: Policy, claim: str, missing: Missing, *, expected: str) -> Finding:
    """UNKNOWN, which follows from the service's being silent where it is that."""
    is_silent = isinstance(fact.ready, Missing) and fact.ready.cause is not Cause.NO_HISTORY
    root = identify("services.ready", fact.name) if is_silent else ""
    return cannot_tell(policy, claim, fact.name, missing, expected=expected, because_of=root)


def _tells_its_start(fact: ServiceFact) -> bool:
    return not (isinstance(fact.started_at, Missing) and fact.started_at.cause is Cause.NO_DATA)


def _span(seconds: float) -> str:
    """To a tenth, rounded down, so that no span looks as if it had reached what it has not."""
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size or unit == "s")
    return f"{math.floor(seconds / size * 10) / 10:g} {unit}"


def _ask(run: Run, name: str) -> ServiceFact:
    service = run.environment.services[name]
    version: Answer[str] | Missing
    started: Answer[datetime] | Missing
    ready: Answer[bool] | Missing
    clock: Answer[datetime] | Missing | None = None
    accepts_default: Answer[bool] | Missing | None = None
    match service.source:
        case "prometheus":
            ready = run.ask_now(lambda: run.prometheus.ready())
            version = _map(run.ask_now(lambda: run.prometheus.buildinfo()), lambda b: b.version)
            started = _map(run.ask_now(lambda: run.prometheus.runtimeinfo()), lambda r: r.started_at)
            clock = run.ask_now(lambda: run.prometheus.clock())
        case "alertmanager":
            ready = run.ask_now(lambda: run.alertmanager.ready())
            status = run.ask_now(lambda: run.alertmanager.status())
            version, started = _map(status, lambda s: s.version), _map(status, lambda s: s.started_at)
        case "grafana":
            health = run.ask_now(lambda: run.grafana.health())
            ready = _map(health, lambda h: h.database == "ok")
            version = _map(health, lambda h: h.version)
            started = Missing(cause=Cause.NO_DATA, detail="Grafana's API does not tell when it started")
            if run.environment.probes.grafana_default_login:
                accepts_default = run.ask_now(lambda: default_login(run))
        case None:
            page = run.ask_now(lambda: run.exposition(name).families())
            ready = _map(page, bool)
            version = _map(page, _page_version)
            started = _map(page, lambda families: _page_time(families, "process_start_time_seconds"))
            now = _map(page, lambda families: _page_time(families, "node_time_seconds"))
            clock = None if isinstance(now, Missing) and now.cause is Cause.NO_DATA else now
    endpoint = getattr(run.environment, service.source) if service.source else None
    return ServiceFact(
        name=name,
        url=str(endpoint.url if endpoint else service.url),
        expected_version=service.version,
        up_for_h=service.up_for_h,
        ready=ready,
        version=version,
        started_at=started,
        clock=clock,
        default_login=accepts_default,
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


def _page_time(families: Sequence[Family], metric: str) -> datetime | Missing:
    for family in families:
        if family.name == metric and family.samples:
            value = family.samples[0].value
            try:
                return value if isinstance(value, Missing) else datetime.fromtimestamp(value, UTC)
            except (ValueError, OverflowError) as error:
                return Missing(cause=Cause.MALFORMED, detail=f"its {metric} is no time: {value:g} ({error})")
    return Missing(cause=Cause.NO_DATA, detail=f"its page has no {metric}")
