"""Containers: by a real engine whether they run, and by their endpoints where there is no Docker."""

import gzip
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from genesis_lib import run as runs
from genesis_lib.checks import containers
from genesis_lib.checks.containers import ContainerFacts
from genesis_lib.checks.services import ServiceFact
from genesis_lib.clients.docker import Container, ContainerDetails, Image
from genesis_lib.model import Answer, Cause, Finding, Missing, Verdict
from genesis_lib.params import load_environment
from genesis_lib.run import Run
from tests import docker_engine
from tests.builders import AT, ROOT, UNREACHABLE, answer, policy
from tests.docker_engine import IMAGE, LICENCE, Engine

GONE = Missing(cause=Cause.REFUSED, detail="docker answered with 404 (No such container: grafana)", evidence="e-404")
NO_CONTAINER = Missing(cause=Cause.NOT_DECLARED, detail="no service names a container")
IMAGE_ID = f"sha256:{'c831ecc4d5a5' * 5}c831"


def service(ready: Answer[bool] | Missing) -> ServiceFact:
    return ServiceFact(
        name="grafana",
        url="http://grafana:3000",
        expected_version="",
        up_for_h=0.0,
        ready=ready,
        version=answer("12.2.0"),
        started_at=answer(AT),
        clock=None,
        default_login=None,
    )


def details(**changes: Any) -> Answer[ContainerDetails]:
    stated: dict[str, Any] = {
        "id": "abc",
        "name": "grafana-1",
        "image": "grafana/grafana:12.2.0",
        "image_id": IMAGE_ID,
        "state": "running",
        "running": True,
        "exit_code": 0,
        "oom_killed": False,
        "restart_count": 0,
        "created_at": AT - timedelta(hours=48),
        "started_at": AT - timedelta(hours=47),
        "finished_at": None,
        "health": "healthy",
        "labels": {},
    }
    return answer(ContainerDetails(**(stated | changes)))


def listed(*names: str) -> Answer[tuple[Container, ...]]:
    return answer(
        tuple(Container(id=n, name=n, image="i", state="running", status="Up", labels={}, created_at=AT) for n in names)
    )


def judged(
    inspected: Answer[ContainerDetails] | Missing,
    *,
    listing: Answer[tuple[Container, ...]] | Missing = UNREACHABLE,
    image: Answer[Image] | Missing | None = None,
) -> dict[str, Finding]:
    facts = ContainerFacts(
        services=(service(answer(value=True)),),
        names={"grafana": "grafana-1"},
        listing=listing,
        details={"grafana-1": inspected},
        images={"grafana-1": image} if image else {},
    )
    return {f.check.removeprefix("containers."): f for f in containers.judge(facts, policy(), at=AT)}


def test_a_container_that_runs_healthy_and_pinned_passes_every_claim() -> None:
    found = judged(details())
    assert {f.check: f.verdict for f in found.values()} == dict.fromkeys(containers.CLAIMS, Verdict.PASS)
    assert found["running"].observed == "running, healthy, up 47 h"
    assert not any(f.hint or f.because_of for f in found.values())


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        (
            {"state": "exited", "exit_code": 3, "finished_at": AT},
            Verdict.FAIL,
            "is exited: it ended at 2026-11-24 06:00:00 UTC with exit code 3",
        ),
        ({"state": "exited", "exit_code": 139, "finished_at": AT}, Verdict.FAIL, "exit code 139 (it crashed, SIGSEGV)"),
        ({"state": "dead", "exit_code": 0}, Verdict.FAIL, "is dead: it ended with exit code 0 (without an error)"),
        ({"state": "restarting", "exit_code": 1, "restart_count": 7}, Verdict.FAIL, "again and again: restarted 7"),
        ({"state": "paused"}, Verdict.FAIL, "is paused, so it answers nobody"),
        ({"state": "created", "exit_code": 127, "error": "exec: no\nsuch"}, Verdict.FAIL, "says: “exec: no such”"),
        ({"state": "removing"}, Verdict.FAIL, "is removing"),
        ({"health": "unhealthy"}, Verdict.FAIL, "fails its own health check"),
        ({"health": "unhealthy", "health_output": " no\n<b> "}, Verdict.FAIL, "which says: “no <b>”"),
        ({"health": "unhealthy", "health_output": "x" * 999 + "end"}, Verdict.FAIL, f"says: “…{'x' * 197}end”"),
        ({"health": "starting"}, Verdict.WARN, "is still starting"),
        ({"health": ""}, Verdict.PASS, "is running"),
    ],
)
def test_a_container_is_judged_by_its_state_and_health(changes: dict[str, Any], verdict: Verdict, words: str) -> None:
    finding = judged(details(**changes))["running"]
    assert (finding.verdict, words in finding.reason) == (verdict, True), finding
    assert bool(finding.hint) is (verdict is not Verdict.PASS)


@pytest.mark.parametrize(
    ("up", "words"),
    [
        pytest.param(timedelta(hours=47, minutes=59), "up 47 h", id="hours, rounded down"),
        pytest.param(timedelta(minutes=59, seconds=59), "up 59 min", id="minutes"),
        pytest.param(timedelta(seconds=-2), "up 0 s", id="an engine whose clock is a little ahead"),
    ],
)
def test_uptime_is_counted_to_when_the_engine_was_asked(up: timedelta, words: str) -> None:
    assert judged(details(started_at=AT - up))["running"].observed == f"running, healthy, {words}"


@pytest.mark.parametrize(
    ("count", "verdict", "words"),
    [
        (0, Verdict.PASS, "has restarted the container grafana-1 not once"),
        (1, Verdict.WARN, "once; it last ended at 2026-11-24 06:00:00 UTC"),
        (4, Verdict.WARN, "4 times"),
        pytest.param(5, Verdict.FAIL, "5 times", id="at the limit"),
    ],
)
def test_restarts_are_judged_by_policys_limits(count: int, verdict: Verdict, words: str) -> None:
    finding = judged(details(restart_count=count, finished_at=AT if count else None))["restarts"]
    assert (finding.verdict, words in finding.reason) == (verdict, True), finding


@pytest.mark.parametrize(
    ("changes", "verdict", "words"),
    [
        (
            {"oom_killed": True, "finished_at": AT, "restart_count": 1},
            Verdict.FAIL,
            "at its memory limit; it last ended at",
        ),
        pytest.param(
            {"oom_killed": True}, Verdict.FAIL, "or a program in it, at its memory limit", id="a child was killed"
        ),
        ({"state": "exited", "exit_code": 137, "finished_at": AT}, Verdict.WARN, "the engine does not say by whom"),
        ({"state": "exited", "exit_code": 1, "finished_at": AT}, Verdict.PASS, "and not for want of memory"),
        ({}, Verdict.PASS, "has not ended since it was made"),
    ],
)
def test_memory_is_judged_by_how_the_container_last_ended(
    changes: dict[str, Any], verdict: Verdict, words: str
) -> None:
    finding = judged(details(**changes))["memory"]
    assert (finding.verdict, words in finding.reason) == (verdict, True), finding


def test_a_container_that_ended_for_want_of_memory_is_down_and_restarts_because_of_that() -> None:
    found = judged(details(state="restarting", exit_code=137, oom_killed=True, restart_count=9))
    assert {f.because_of for claim, f in found.items() if claim in ("running", "restarts")} == {
        "containers.memory[grafana]"
    }


@pytest.mark.parametrize(
    ("image", "verdict"),
    [
        ("prom/prometheus:v3.5.0", Verdict.PASS),
        ("prom/prometheus:latest", Verdict.WARN),
        ("prom/prometheus", Verdict.WARN),
        ("localhost:5000/prom/prometheus", Verdict.WARN),
        ("localhost:5000/prom:1.2", Verdict.PASS),
        ("prom/prometheus@sha256:0123", Verdict.PASS),
        ("localhost:5000/prom/prometheus:latest@sha256:0123", Verdict.PASS),
        pytest.param(IMAGE_ID, Verdict.PASS, id="an image by its id"),
        pytest.param(IMAGE_ID[7:19], Verdict.PASS, id="an image by its short id"),
    ],
)
def test_an_image_must_name_its_version(image: str, verdict: Verdict) -> None:
    assert judged(details(image=image))["image"].verdict is verdict


@pytest.mark.parametrize(
    ("image", "known", "words"),
    [
        (
            "grafana/grafana",
            answer(Image(tags=("mine:1", "grafana/grafana:latest", "grafana/grafana:12.2.0"))),
            "pin what runs now, grafana/grafana:12.2.0",
        ),
        (
            "grafana/grafana:latest",
            answer(Image(tags=("grafana/grafana:latest",), digests=("grafana/grafana@sha256:01",))),
            "pin what runs now, grafana/grafana@sha256:01",
        ),
        ("docker.io/library/busybox", answer(Image(tags=("busybox:1.36",))), "pin what runs now, busybox:1.36"),
        ("grafana", answer(Image()), f"docker image inspect --format '{{{{.RepoDigests}}}}' {IMAGE_ID}"),
        ("grafana", UNREACHABLE, f"docker image inspect --format '{{{{.RepoDigests}}}}' {IMAGE_ID}"),
    ],
)
def test_what_to_pin_is_named_where_it_is_known(image: str, known: Answer[Image] | Missing, words: str) -> None:
    assert judged(details(image=image), image=known)["image"].hint.endswith(words)


def test_a_container_that_is_not_there_fails_loses_no_claim_and_the_nearest_name_is_offered() -> None:
    found = judged(GONE, listing=listed("grafana", "prometheus"))
    running = found.pop("running")
    assert running.verdict is Verdict.FAIL
    assert "did you mean grafana?" in running.hint
    assert {(f.verdict, f.because_of) for f in found.values()} == {(Verdict.UNKNOWN, "containers.running[grafana]")}
    assert len(found) == 3


@pytest.mark.parametrize("listing", [UNREACHABLE, listed("grafana-1")])
def test_without_an_answer_of_the_engine_nothing_can_be_told(listing: Answer[tuple[Container, ...]] | Missing) -> None:
    found = judged(UNREACHABLE, listing=listing)
    assert [f.check for f in found.values()] == list(containers.CLAIMS)
    assert {(f.verdict, f.reason) for f in found.values()} == {(Verdict.UNKNOWN, UNREACHABLE.detail)}
    assert found["running"].because_of == ""


@pytest.mark.parametrize(
    ("ready", "verdict"),
    [(answer(value=True), Verdict.PASS), (answer(value=False), Verdict.FAIL), (UNREACHABLE, Verdict.UNKNOWN)],
)
def test_a_service_without_docker_is_judged_by_its_endpoint_and_that_is_said(
    ready: Answer[bool] | Missing, verdict: Verdict
) -> None:
    facts = ContainerFacts(services=(service(ready),), names={}, listing=NO_CONTAINER, details={}, images={})
    (finding,) = containers.judge(facts, policy(), at=AT)
    assert finding.verdict is verdict
    assert "grafana runs without Docker here, so it is judged by its endpoint" in finding.reason
    assert finding.because_of == ("" if verdict is Verdict.PASS else "services.ready[grafana]")


PARAMETERS = """\
title: Containers
owner: nobody
prometheus: {{url: http://127.0.0.1:1, retries: 0}}
alertmanager: none
grafana: none
docker: {{url: {url}, timeout_s: 5, retries: 0}}
services:
{services}
targets: {{}}
policy: {policy}
"""


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Begin a run against an engine, in which each container is that of a service of the same name."""
    (tmp_path / "params").mkdir()
    begun = []

    def make(url: str, *names: str, as_of: datetime | None = None) -> Run:
        listing = "\n".join(f"  {name}: {{source: prometheus, container: {name}}}" for name in names)
        text = PARAMETERS.format(url=url, services=listing, policy=ROOT / "params" / "policy")
        (tmp_path / "params" / "docker.yaml").write_text(text)
        environment = load_environment("docker", root=tmp_path)
        begun.append(runs.create(environment, policy(), root=tmp_path, as_of=as_of, interactive=False))
        return begun[-1]

    yield make
    for run in begun:
        run.close()


def found_by(run: Run) -> dict[str, Finding]:
    return {f.id: f for f in containers.judge(containers.gather(run), run.policy, at=run.as_of)}


def test_of_the_past_the_engine_is_not_asked(begin: Callable[..., Run], tmp_path: Path) -> None:
    run = begin(f"unix://{tmp_path}/none.sock", "grafana", as_of=datetime.now(UTC) - timedelta(hours=1))
    found = found_by(run)
    assert {f.check for f in found.values()} == set(containers.CLAIMS)
    assert {f.verdict for f in found.values()} == {Verdict.UNKNOWN}
    assert all("only tells about now" in f.reason for f in found.values())
    assert not run.evidence.exchanges()


# On a real engine.

HOST: dict[str, Any] = {"NetworkMode": "host"}
SMALL = HOST | {"Memory": 20 << 20, "MemorySwap": 20 << 20}
ALWAYS = {"RestartPolicy": {"Name": "always"}}
GREEDY = ("dd", "if=/dev/zero", "of=/dev/null", "bs=200M")
SECOND = 1_000_000_000
CONTAINERS: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "looping": (("sh", "-c", "exit 1"), {"HostConfig": HOST | ALWAYS}),
    "revived": (  # greedy in its first life only
        ("sh", "-c", f"if [ -e /lived ]; then exec sleep 600; fi; : > /lived; exec {' '.join(GREEDY)}"),
        {"HostConfig": SMALL | ALWAYS},
    ),
    "greedy": (GREEDY, {"HostConfig": SMALL}),
    "well": (("sleep", "600"), {"Healthcheck": {"Test": ["CMD", "true"], "Interval": SECOND}}),
    "ill": (
        ("sleep", "600"),
        {"Healthcheck": {"Test": ["CMD", "sh", "-c", "echo disk full; exit 1"], "Interval": SECOND, "Retries": 1}},
    ),
    "starting": (("sleep", "600"), {"Healthcheck": {"Test": ["CMD", "true"], "Interval": 600 * SECOND}}),
    "ended": (("sh", "-c", "exit 3"), {}),
    "paused": (("sleep", "600"), {}),
    "killed": (("sleep", "600"), {}),
    "unpinned": (("sleep", "600"), {"Image": "busybox"}),
}
# On a busy machine the engine may learn of the end before it learns of the reason, and then never says it: those are made once more.
OF_MEMORY = ("revived", "greedy")
SETTLED: dict[str, Callable[[dict[str, Any]], bool]] = {
    "revived": lambda c: bool(c["RestartCount"] == 1 and c["State"]["Status"] == "running"),
    "greedy": lambda c: bool(c["State"]["Status"] == "exited"),
    "well": lambda c: bool(c["State"]["Health"]["Status"] == "healthy"),
    "ill": lambda c: bool(c["State"]["Health"]["Status"] == "unhealthy"),
    "ended": lambda c: bool(c["State"]["Status"] == "exited"),
}


def make(engine: Engine, name: str) -> None:
    command, settings = CONTAINERS[name]
    engine.run(name, *command, **settings)


@pytest.fixture(scope="module")
def engine(docker_engine_up: Engine) -> Iterator[Engine]:
    """The engine with one container of each kind, once each has come to the state that it is made for."""
    docker_engine_up.create("seed", "true")
    docker_engine_up.call("POST", "/commit?container=seed&repo=busybox&tag=1.36")
    docker_engine_up.call("POST", "/images/busybox:1.36/tag?repo=busybox&tag=latest")
    for name in CONTAINERS:
        make(docker_engine_up, name)
    docker_engine_up.create("created", "true")
    docker_engine_up.call("POST", "/containers/paused/pause")
    docker_engine_up.call("POST", "/containers/killed/kill")
    waiting, deadline = dict(SETTLED), time.monotonic() + 30
    while waiting and time.monotonic() < deadline:
        time.sleep(0.1)
        for name in list(waiting):
            seen = docker_engine_up.call("GET", f"/containers/{name}/json")
            if waiting[name](seen):
                if name in OF_MEMORY and not seen["State"]["OOMKilled"]:
                    docker_engine_up.remove(seen["Id"])
                    make(docker_engine_up, name)
                else:
                    del waiting[name]
    assert not waiting
    yield docker_engine_up
    docker_engine_up.remove_all()


def test_every_state_of_a_real_container_is_told(engine: Engine, begin: Callable[..., Run]) -> None:
    told = {
        "well": (Verdict.PASS, "the container well is running"),
        "starting": (Verdict.WARN, "still starting"),
        "ill": (Verdict.FAIL, "says: “disk full”"),
        "ended": (Verdict.FAIL, "with exit code 3"),
        "killed": (Verdict.FAIL, "with exit code 137 (it was killed, SIGKILL)"),
        "greedy": (Verdict.FAIL, "with exit code 137"),
        "revived": (Verdict.PASS, "is running"),
        "paused": (Verdict.FAIL, "answers nobody"),
        "created": (Verdict.FAIL, "has never run"),
        "wel": (Verdict.FAIL, "no container wel"),
    }
    found = found_by(begin(engine.url, *told))
    for name, (verdict, words) in told.items():
        finding = found[f"containers.running[{name}]"]
        assert (finding.verdict, words in finding.reason) == (verdict, True), finding
    assert found["containers.running[well]"].observed.startswith("running, healthy, up ")
    assert found["containers.running[greedy]"].because_of == "containers.memory[greedy]"
    assert "did you mean well?" in found["containers.running[wel]"].hint
    assert all(f.evidence for f in found.values())


def test_a_real_container_that_ends_again_and_again_is_caught_between_two_of_its_lives(
    engine: Engine, begin: Callable[..., Run]
) -> None:
    deadline = time.monotonic() + 30  # in the beginning it waits for tenths of a second only
    while time.monotonic() < deadline:
        found = found_by(begin(engine.url, "looping"))
        if found["containers.running[looping]"].verdict is Verdict.FAIL:
            break
    assert "ends again and again" in found["containers.running[looping]"].reason
    assert found["containers.running[looping]"].observed == "restarting, exit code 1"
    assert found["containers.restarts[looping]"].verdict is not Verdict.PASS


def test_a_real_container_killed_for_want_of_memory_is_told_even_once_it_runs_again(
    engine: Engine, begin: Callable[..., Run]
) -> None:
    found = found_by(begin(engine.url, "greedy", "revived", "killed", "well"))
    assert {f.subject: f.verdict for f in found.values() if f.check == "containers.memory"} == {
        "greedy": Verdict.FAIL,
        "revived": Verdict.FAIL,
        "killed": Verdict.WARN,
        "well": Verdict.PASS,
    }
    restarts = found["containers.restarts[revived]"]
    assert (restarts.verdict, restarts.because_of) == (Verdict.WARN, "containers.memory[revived]")


def test_of_a_real_image_without_a_version_the_one_that_runs_is_named_and_no_environment_recorded(
    engine: Engine, begin: Callable[..., Run]
) -> None:
    run = begin(engine.url, "unpinned", "well")
    found = found_by(run)
    finding = found["containers.image[unpinned]"]
    assert (finding.verdict, finding.observed) == (Verdict.WARN, "busybox")
    assert finding.hint == "pin what runs now, busybox:1.36"
    assert (found["containers.image[well]"].verdict, found["containers.image[well]"].observed) == (Verdict.PASS, IMAGE)
    recorded = [gzip.decompress(path.read_bytes()) for path in run.evidence.folder.glob("bodies/*")]
    assert any(b"ContainerConfig" in body for body in recorded)
    assert not any(LICENCE.encode() in body for body in recorded)


def test_an_engine_that_is_gone_in_the_middle_leaves_every_claim_open(begin: Callable[..., Run]) -> None:
    with docker_engine.started() as engine:
        engine.run("well", "sleep", "600")
        assert found_by(begin(engine.url, "well"))["containers.running[well]"].verdict is Verdict.PASS
        run = begin(engine.url, "well")
        run.docker.containers()
        engine.remove_all()
        engine.end()
        found = found_by(run)
    assert {f.check for f in found.values()} == set(containers.CLAIMS)
    assert {f.verdict for f in found.values()} == {Verdict.UNKNOWN}
