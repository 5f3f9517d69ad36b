"""A synthetic alert really arrives, or it is told why not; it is posted once, never in replay, and always ended."""

import json
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from genesis_lib import run as runs
from genesis_lib.actions.probe import post_synthetic_alert
from genesis_lib.checks.alert import delivery
from genesis_lib.checks.alert.delivery import Delivery
from genesis_lib.clients.http import Http
from genesis_lib.demo.stack import Stack
from genesis_lib.endpoint import Endpoint
from genesis_lib.evidence import Evidence
from genesis_lib.model import Answer, Cause, Missing
from genesis_lib.params import Probes, SyntheticAlert, load_environment
from genesis_lib.run import Run
from tests import builders
from tests.clients.faulty import Faulty, Handler, Script, reply, serve
from tests.demo.test_children import wait_until
from tests.test_run import closed_port

NewRun = Callable[..., Run]


@pytest.fixture
def new_run(tmp_path: Path, healthy_stack: Stack) -> NewRun:
    """Makes runs of the healthy stack, with another probe or Alertmanager where a test is about that."""
    demo = load_environment("demo", root=builders.ROOT)
    shipped = demo.probes.synthetic_alert
    assert shipped is not None

    def make(*, as_of: datetime | None = None, alertmanager: Endpoint | None = demo.alertmanager, **probe: Any) -> Run:
        synthetic = SyntheticAlert(**(shipped.model_dump() | probe))
        changed = demo.model_copy(update={"probes": Probes(synthetic_alert=synthetic), "alertmanager": alertmanager})
        policy = builders.policy()
        return runs.create(changed, policy, root=tmp_path, as_of=as_of, interactive=True, addresses=healthy_stack.moved)

    return make


@pytest.fixture
def server() -> Iterator[Faulty]:
    with serve() as running:
        yield running


def probed(run: Run) -> Answer[Delivery] | Missing:
    post_synthetic_alert(run, progress=lambda _: None)
    return delivery.gather(run)


def found(run: Run) -> Delivery:
    answer = probed(run)
    assert isinstance(answer, Answer)
    return answer.value


def is_of(run: Run, labels: Mapping[str, str]) -> bool:
    return labels.get("genesis_run", "").startswith(f"{run.run_id}-")


def notifications(stack: Stack, run: Run) -> list[tuple[str, str]]:
    """Receiver and status of what came of a run's alert."""
    page = httpx.get(f"http://{stack.addresses['receiver']}/notifications", trust_env=False).json()
    mine = [one for one in page if is_of(run, one["alerts"][0]["labels"])]
    return [(one["receiver"], one["status"]) for one in mine]


def active(stack: Stack, run: Run) -> list[dict[str, Any]]:
    url = f"http://{stack.addresses['alertmanager']}/api/v2/alerts"
    alerts: list[dict[str, Any]] = httpx.get(url, trust_env=False).json()
    return [one for one in alerts if is_of(run, one["labels"])]


def test_the_alert_of_demo_arrives_and_ends(new_run: NewRun, healthy_stack: Stack) -> None:
    run, told = new_run(labels={"team": "genesis"}), list[str]()
    post_synthetic_alert(run, progress=told.append)
    answer = delivery.gather(run)
    assert isinstance(answer, Answer)
    assert (answer.value.expected_receiver, answer.value.receivers) == ("critical", ("critical",))
    assert isinstance(answer.value.took_s, float)
    assert 0 < answer.value.took_s < 30
    assert told[-1] == f"the synthetic alert arrived at critical after {answer.value.took_s:.2g} s"
    assert not active(healthy_stack, run)
    wait_until(lambda: notifications(healthy_stack, run)[-1:] == [("critical", "resolved")], within_s=30)


def test_while_it_waits_the_alert_is_active_and_says_that_it_is_a_test(
    new_run: NewRun, server: Faulty, healthy_stack: Stack
) -> None:
    seen = list[dict[str, Any]]()

    def look(handler: Handler) -> None:
        seen.extend(active(healthy_stack, run))
        reply(body=b"[]")(handler)

    server.script.on("/notifications", look)
    labels = {"severity": "critical", "alertname": "HighErrorRate", "genesis_probe": "false"}
    run = new_run(arrived=f"{server.url}/notifications", within_s=0.3, labels=labels)
    found(run)
    assert seen[0]["labels"].pop("genesis_run").startswith(run.run_id)
    own = {"alertname": "GenesisReadinessProbe", "genesis_probe": "true"}
    assert seen[0]["labels"] == {"severity": "critical", **own}
    assert "no action is needed" in seen[0]["annotations"]["summary"]
    left = datetime.fromisoformat(seen[0]["endsAt"]) - datetime.now(UTC)
    assert timedelta(minutes=4) < left < timedelta(minutes=6)
    assert not active(healthy_stack, run)


def test_an_alert_that_arrives_elsewhere_is_told_with_where_it_arrived(new_run: NewRun) -> None:
    delivered = found(new_run(receiver="warning", within_s=2))
    assert (delivered.expected_receiver, delivered.receivers) == ("warning", ("critical",))
    assert isinstance(delivered.took_s, float)


def test_who_is_told_at_the_same_time_is_told_of_too(new_run: NewRun, server: Faulty, healthy_stack: Stack) -> None:
    def list_at(*receivers: str) -> Script:
        def look(handler: Handler) -> None:
            alerts = [{"labels": alert["labels"]} for alert in active(healthy_stack, run)]
            reply(body=json.dumps([{"receiver": name, "alerts": alerts} for name in receivers]).encode())(handler)

        return look

    server.script.on("/notifications", list_at("critical"), list_at("critical", "warning"))
    run = new_run(arrived=f"{server.url}/notifications")
    assert found(run).receivers == ("critical", "warning")
    assert server.script.hits("/notifications") == 2


@pytest.mark.parametrize(
    ("body", "cause", "words"),
    [
        pytest.param(b"[]", Cause.NO_DATA, "no receiver listed it at .* within 0.5 s", id="a list without it"),
        pytest.param(b"{}", Cause.MALFORMED, "another shape than expected", id="no list"),
    ],
)
def test_an_alert_that_is_never_listed_is_missing_with_the_reason(
    body: bytes, cause: Cause, words: str, new_run: NewRun, server: Faulty
) -> None:
    server.script.on("/notifications", reply(body=body))
    delivered = found(new_run(arrived=f"{server.url}/notifications", within_s=0.5))
    assert delivered.receivers == ()
    assert isinstance(delivered.took_s, Missing)
    assert delivered.took_s.cause is cause
    assert re.search(words, delivered.took_s.detail)


def test_a_list_that_cannot_be_reached_is_the_reason(new_run: NewRun) -> None:
    delivered = found(new_run(arrived=f"http://127.0.0.1:{closed_port()}/notifications", within_s=0.5))
    assert isinstance(delivered.took_s, Missing)
    assert delivered.took_s.cause is Cause.UNREACHABLE


@pytest.mark.parametrize(
    ("alertmanager", "cause"),
    [
        pytest.param(Endpoint(url="http://127.0.0.1:1", retries=0), Cause.UNREACHABLE, id="it is down"),
        pytest.param(None, Cause.NOT_DECLARED, id="there is none"),
    ],
)
def test_without_an_alertmanager_the_error_is_recorded(
    alertmanager: Endpoint | None, cause: Cause, new_run: NewRun
) -> None:
    run = new_run(alertmanager=alertmanager)
    answer = probed(run)
    assert isinstance(answer, Missing)
    assert answer.cause is cause
    assert [(e.kind, e.id) for e in run.evidence.exchanges()] == [("probe", answer.evidence)]


def test_the_post_carries_credentials_and_tenant_and_nothing_of_them_is_recorded(
    new_run: NewRun, server: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AM_TOKEN", "t0p-s3cret")
    server.script.on("/am/api/v2/alerts", reply(400, b'"bad: t0p-s3cret"'))
    run = new_run(alertmanager=Endpoint(url=f"{server.url}/am", bearer="env:AM_TOKEN", tenant="genesis"))
    answer = probed(run)
    (seen,) = server.script.seen
    assert (seen.method, seen.headers["Content-Type"]) == ("POST", "application/json")
    assert (seen.headers["Authorization"], seen.headers["X-Scope-OrgID"]) == ("Bearer t0p-s3cret", "genesis")
    assert isinstance(answer, Missing)
    assert answer.cause is Cause.INVALID
    assert not any(b"t0p" in path.read_bytes() for path in run.folder.rglob("*") if path.is_file())


def test_a_run_posts_once(new_run: NewRun, server: Faulty) -> None:
    server.script.on("/api/v2/alerts", reply(body=b"{}"))
    run = new_run(alertmanager=Endpoint(url=server.url), arrived=f"{server.url}/none", within_s=0.1)
    first = probed(run)
    assert server.script.hits("/api/v2/alerts") == 2  # begun and ended
    assert probed(run) == first
    assert server.script.hits("/api/v2/alerts") == 2
    assert len(run.evidence.exchanges()) == 1


def is_replayed(run: Run) -> Run:
    return runs.open_folder(run.folder, root=run.folder.parents[2], replay=True)


def is_about_the_past(run: Run) -> Run:
    return replace(run, historical=True)


def has_not_opted_in(run: Run) -> Run:
    return replace(run, environment=run.environment.model_copy(update={"probes": Probes()}))


@pytest.mark.parametrize("changed", [is_replayed, is_about_the_past, has_not_opted_in])
def test_nothing_is_posted_by_a_run_that(changed: Callable[[Run], Run], new_run: NewRun, healthy_stack: Stack) -> None:
    run = changed(new_run())
    answer = probed(run)
    assert isinstance(answer, Missing)
    assert answer.cause is Cause.NOT_RECORDED
    assert not run.evidence.exchanges()
    assert not active(healthy_stack, run)
    assert not notifications(healthy_stack, run)


def test_ctrl_c_while_it_waits_ends_the_alert(new_run: NewRun, server: Faulty, healthy_stack: Stack) -> None:
    was_active = list[bool]()

    def interrupt(handler: Handler) -> None:
        was_active.append(bool(active(healthy_stack, run)))
        os.kill(os.getpid(), signal.SIGINT)
        reply(body=b"[]")(handler)

    server.script.on("/notifications", interrupt)
    run = new_run(arrived=f"{server.url}/notifications", within_s=20)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            probed(run)
    finally:
        signal.signal(signal.SIGINT, before)
    assert was_active == [True]
    assert not active(healthy_stack, run)
    assert not run.evidence.exchanges()


def test_the_transport_lets_no_other_post_through(server: Faulty, tmp_path: Path) -> None:
    endpoint, record = Endpoint(url=server.url), Evidence(tmp_path, replay=False)
    with (
        Http(endpoint, source="alertmanager", evidence=None) as http,
        pytest.raises(ValueError, match="the clients only read"),
    ):
        http.post_synthetic_alert("/api/v2/silences", b"{}")
    with (
        Http(endpoint, source="alertmanager", evidence=record) as recorded,
        pytest.raises(ValueError, match="whose exchanges are recorded"),
    ):
        recorded.post_synthetic_alert("/api/v2/alerts", b"[]")
    assert server.script.seen == []
