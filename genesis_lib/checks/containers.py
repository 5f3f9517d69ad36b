"""Do the containers of the expected services run, healthy and pinned to a version, and do they neither restart nor run out of memory?"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from functools import partial

from genesis_lib.checks import services
from genesis_lib.checks.claims import cannot_tell, finding, identify
from genesis_lib.checks.services import ServiceFact
from genesis_lib.clients.docker import Container, ContainerDetails, Image
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.policy import Bounds, Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "ContainerFacts", "gather", "judge"]

NAME = "containers"
CLAIMS = ("containers.running", "containers.image", "containers.restarts", "containers.memory")
_RUNNING, _IMAGE, _RESTARTS, _MEMORY = CLAIMS

_KILLED = 137
# Over 128 it is 128 + the signal that ended the program; 126 and 127 are what shells and engines give.
_ENDINGS = {
    0: "without an error",
    126: "its command could not be executed",
    127: "its command was not found",
    134: "it aborted, SIGABRT",
    _KILLED: "it was killed, SIGKILL",
    139: "it crashed, SIGSEGV",
    143: "it was told to end, SIGTERM",
}
_SHORT_ID = 12
_QUOTED = 200
_UNITS = ((3600, "h"), (60, "min"), (1, "s"))

Details = Answer[ContainerDetails] | Missing
Listing = Answer[tuple[Container, ...]] | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    """The expected services, those of them that name a container with its name, and what the engine says of these.

    `details` is by container; so is `images`, of those that are not pinned. `listing` tells a container that does not exist from one that
    could not be asked for.
    """

    services: tuple[ServiceFact, ...]
    names: Mapping[str, str]
    listing: Listing
    details: Mapping[str, Details]
    images: Mapping[str, Answer[Image] | Missing]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """A claim judged by what the engine tells of a container. `because_of` is the claim that it follows from, or empty."""

    verdict: Verdict
    observed: str
    reason: str
    hint: str = ""
    because_of: str = ""


def gather(run: Run) -> ContainerFacts:
    """Ask the engine for every container that an expected service names; nothing where none does."""
    names = {name: service.container for name, service in run.environment.services.items() if service.container}
    none = Missing(cause=Cause.NOT_DECLARED, detail="no service of this environment names a container")
    listing = run.ask_now(lambda: run.docker.containers()) if names else none
    questions = {name: partial(run.docker.inspect, name) for name in names.values()}
    details = {n: run.ask_now(q) for n, q in questions.items()} if run.historical else run.ask_all(questions)
    told = {name: answer.value for name, answer in details.items() if isinstance(answer, Answer)}
    unpinned = {name: partial(run.docker.image, c.image_id) for name, c in told.items() if not _is_pinned(c)}
    return ContainerFacts(
        services=services.gather(run), names=names, listing=listing, details=details, images=run.ask_all(unpinned)
    )


def judge(facts: ContainerFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """`containers.running` for each service; the other claims for each that names a container."""
    del at  # uptime is counted to when the engine was asked
    found = []
    for service in facts.services:
        name = facts.names.get(service.name)
        if name is None:
            found.append(_judge_by_endpoint(service, policy))
        elif isinstance(details := facts.details[name], Missing):
            found += _judge_absent(service.name, name, details, facts.listing, policy)
        else:
            found += _judge_container(service.name, details, facts.images.get(name), policy)
    return found


def _judge_by_endpoint(service: ServiceFact, policy: Policy) -> Finding:
    """A service without Docker: what its endpoint says is all there is to say, and that is said."""
    expected = "running; without Docker, its endpoint speaks for it"
    ready, root = service.ready, identify("services.ready", service.name)
    told = f"{service.name} runs without Docker here, so it is judged by its endpoint"
    if isinstance(ready, Missing):
        missing = replace(ready, detail=f"{told}: {ready.detail}")
        return cannot_tell(policy, _RUNNING, service.name, missing, expected=expected, because_of=root)
    state = "ready" if ready.value else "not ready"
    return finding(
        policy,
        _RUNNING,
        service.name,
        Verdict.PASS if ready.value else Verdict.FAIL,
        observed=f"no container; its endpoint is {state}",
        expected=expected,
        reason=f"{told}, which is {state}",
        hint="" if ready.value else f"look into the log of {service.name}",
        because_of="" if ready.value else root,
        evidence=(ready.evidence,),
    )


def _judge_absent(service: str, name: str, missing: Missing, listing: Listing, policy: Policy) -> list[Finding]:
    """Every claim of a container of which the engine tells nothing: there is none, or it could not be asked."""
    root = identify(_RUNNING, service)
    known = None if isinstance(listing, Missing) else [container.name for container in listing.value]
    first, *others = (
        cannot_tell(
            policy, c, service, missing, expected=_expected(c, policy), because_of="" if c == _RUNNING else root
        )
        for c in CLAIMS
    )
    if known is None or name in known:
        return [first, *others]
    near = get_close_matches(name, known, n=2, cutoff=0.5)
    offer = f"; did you mean {' or '.join(near)}?" if near else ""
    first = finding(
        policy,
        _RUNNING,
        service,
        Verdict.FAIL,
        observed="no such container",
        expected=_expected(_RUNNING, policy),
        reason=f"the Docker engine has no container {name}, among the {len(known)} that it has",
        hint=f"start it, or correct services.{service}.container in the environment's file{offer}",
        evidence=(missing.evidence, listing.evidence),
    )
    return [first, *others]


def _judge_container(
    service: str, answer: Answer[ContainerDetails], image: Answer[Image] | Missing | None, policy: Policy
) -> list[Finding]:
    container = answer.value
    judged = {
        _RUNNING: _running(container, answer.asked_at),
        _IMAGE: _image(container, image),
        _RESTARTS: _restarts(container, policy.readiness.limits.restarts),
        _MEMORY: _memory(container),
    }
    return [
        finding(
            policy,
            claim,
            service,
            told.verdict,
            observed=told.observed,
            expected=_expected(claim, policy),
            reason=told.reason,
            hint=told.hint,
            because_of=identify(told.because_of, service) if told.because_of else "",
            evidence=(answer.evidence, image.evidence if image and claim == _IMAGE else ""),
        )
        for claim, told in judged.items()
    ]


def _expected(claim: str, policy: Policy) -> str:
    return {
        _RUNNING: "running and healthy",
        _IMAGE: "an image pinned to a version or digest",
        _RESTARTS: f"fewer than {policy.readiness.limits.restarts.warn:g}",
        _MEMORY: "not killed for want of memory",
    }[claim]


def _running(container: ContainerDetails, asked_at: datetime) -> _Told:
    name, health, up = container.name, container.health, _up_for(container, asked_at)
    if container.state != "running":
        return _not_running(container)
    if health in ("", "none", "healthy"):
        observed = f"running, {'healthy' if health == 'healthy' else 'no health check'}{up}"
        return _Told(verdict=Verdict.PASS, observed=observed, reason=f"the container {name} is running")
    if health == "unhealthy":
        says = f", which says: {_quoted(container.health_output)}" if container.health_output.strip() else ""
        reason = f"the container {name} runs, but fails its own health check{says}"
        hint = f"docker inspect --format '{{{{json .State.Health}}}}' {name}"
        return _Told(verdict=Verdict.FAIL, observed=f"unhealthy{up}", reason=reason, hint=hint)
    reason, hint = f"the container {name} is still {health}", "wait for its health check, then run again"
    return _Told(verdict=Verdict.WARN, observed=f"health check not passed yet{up}", reason=reason, hint=hint)


def _not_running(container: ContainerDetails) -> _Told:
    name, state, hint = container.name, container.state, f"docker logs --tail 50 {container.name}"
    observed = f"{state}, exit code {container.exit_code}"
    words = f" ({_ENDINGS[container.exit_code]})" if container.exit_code in _ENDINGS else ""
    ended = f"ended{_when(container.finished_at)} with exit code {container.exit_code}{words}"
    match state:
        case "created":
            observed, how, hint = "created, never started", "was created, but has never run", f"docker start {name}"
        case "paused":
            observed, how, hint = "paused", "is paused, so it answers nobody", f"docker unpause {name}"
        case "restarting":
            how = f"ends again and again: restarted {_times(container.restart_count)}, it last {ended}"
        case _:
            how = f"is {state}: it {ended}"
    error = f"; the engine says: {_quoted(container.error)}" if container.error else ""
    root = _MEMORY if container.oom_killed else ""
    reason = f"the container {name} {how}{error}"
    return _Told(verdict=Verdict.FAIL, observed=observed, reason=reason, hint=hint, because_of=root)


def _image(container: ContainerDetails, image: Answer[Image] | Missing | None) -> _Told:
    reason = f"the container {container.name} was made from {container.image}"
    if _is_pinned(container):
        return _Told(verdict=Verdict.PASS, observed=container.image, reason=reason)
    reason += ", which may be another program tomorrow: whoever makes it anew takes what is newest"
    by_hand = f"which this names: docker image inspect --format '{{{{.RepoDigests}}}}' {container.image_id}"
    hint = f"pin what runs now, {_pinned_name(container, image) or by_hand}"
    return _Told(verdict=Verdict.WARN, observed=container.image, reason=reason, hint=hint)


def _restarts(container: ContainerDetails, limit: Bounds) -> _Told:
    count = container.restart_count
    observed = f"{count} restart{'s' if count != 1 else ''}"
    times = f"{_times(count)}; it last ended{_when(container.finished_at)}" if count else "not once"
    reason = f"the engine has restarted the container {container.name} {times}"
    if count < min(limit.warn, limit.fail):
        return _Told(verdict=Verdict.PASS, observed=observed, reason=reason)
    verdict = Verdict.FAIL if count >= limit.fail else Verdict.WARN
    hint = f"find out why it ends: docker logs --timestamps --tail 200 {container.name}"
    root = _MEMORY if container.oom_killed else ""
    return _Told(verdict=verdict, observed=observed, reason=reason, hint=hint, because_of=root)


def _memory(container: ContainerDetails) -> _Told:
    name, end = container.name, f"it last ended{_when(container.finished_at)}"
    if container.oom_killed:
        reason = f"the kernel killed the container {name}, or a program in it, at its memory limit"
        reason += f"; {end}" if container.finished_at else ""
        hint = f"raise its memory limit, or find out what fills it: docker stats {name}"
        return _Told(verdict=Verdict.FAIL, observed="killed for want of memory", reason=reason, hint=hint)
    if container.exit_code == _KILLED:
        reason = f"the container {name} was killed, not at its own memory limit: {end}; the engine does not say by whom"
        hint = "if nobody did it by hand, the machine itself may have run out of memory: journalctl -k --grep oom"
        return _Told(verdict=Verdict.WARN, observed=f"killed, exit code {_KILLED}", reason=reason, hint=hint)
    how = f"{end}, and not for want of memory" if container.finished_at else "it has not ended since it was made"
    return _Told(verdict=Verdict.PASS, observed="not killed for want of memory", reason=f"the container {name}: {how}")


def _is_pinned(container: ContainerDetails) -> bool:
    """Whether the image was asked for by version or digest, or by its id, whole or short, which can mean no other."""
    image, image_id = container.image, container.image_id.removeprefix("sha256:")
    return _names_version(image) or (len(image) >= _SHORT_ID and image_id.startswith(image))


def _names_version(image: str) -> bool:
    """Whether a tag that does not move, or a digest, follows a colon; one before the last slash is that of a registry's port."""
    return image.rpartition("/")[2].partition(":")[2] not in ("", "latest")


def _pinned_name(container: ContainerDetails, image: Answer[Image] | Missing | None) -> str:
    """The name by which what runs can be asked for: from the repository that it came from if possible, and a tag before a digest."""
    if not isinstance(image, Answer):
        return ""
    repository = container.image.removesuffix(":latest")
    names = [name for name in (*image.value.tags, *image.value.digests) if _names_version(name)]
    same = (name for name in names if name.startswith((f"{repository}:", f"{repository}@")))
    return next(same, names[0] if names else "")


def _when(at: datetime | None) -> str:
    return f" at {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _up_for(container: ContainerDetails, asked_at: datetime) -> str:
    """Rounded down; the engine's clock may be a little ahead of ours."""
    if container.started_at is None:
        return ""
    seconds = max(0, int((asked_at - container.started_at).total_seconds()))
    size, unit = next((size, unit) for size, unit in _UNITS if seconds >= size or unit == "s")
    return f", up {seconds // size} {unit}"


def _quoted(text: str) -> str:
    """The end of what a program printed, on one line: there stands what went wrong."""
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= _QUOTED else f"“…{line[-_QUOTED:]}”"
