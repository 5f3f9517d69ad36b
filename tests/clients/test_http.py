"""The one seam: every fault becomes one error with a cause, a place and a mend; what is recorded answers again."""

import base64
import gzip
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from genesis_lib.clients.http import Http
from genesis_lib.errors import SourceError
from genesis_lib.evidence import Evidence
from genesis_lib.model import Cause
from tests.clients import faulty as faults
from tests.clients.conftest import Connect
from tests.clients.faulty import Faulty, Script, reply

Ask = Callable[[Http], object]


def fail(http: Http, ask: Ask = lambda http: http.get("/x").json()) -> SourceError:
    with pytest.raises(SourceError) as caught:
        ask(http)
    return caught.value


@pytest.mark.parametrize(
    ("script", "cause", "words"),
    [
        pytest.param(faults.drip_body, Cause.TIMEOUT, "no complete answer within 0.5 s", id="a body that drips"),
        pytest.param(faults.drip_head, Cause.TIMEOUT, "prometheus.timeout_s", id="a head that drips"),
        pytest.param(faults.silent, Cause.TIMEOUT, "is it overloaded", id="silence"),
        pytest.param(faults.reset, Cause.UNREACHABLE, "broke the connection off", id="a reset"),
        pytest.param(faults.truncated, Cause.MALFORMED, "no complete HTTP answer", id="half a body"),
        pytest.param(faults.not_http, Cause.MALFORMED, "is this the right port?", id="another protocol"),
        pytest.param(faults.page(), Cause.MALFORMED, "perhaps a login page", id="a login page for JSON"),
        pytest.param(reply(body=b'{"a": '), Cause.MALFORMED, "not JSON", id="broken JSON"),
        pytest.param(reply(body=b"\xff\xfe\x00"), Cause.MALFORMED, "not JSON", id="binary for JSON"),
        pytest.param(reply(302, Location="/login?s=1"), Cause.REFUSED, "redirects (302) to /login:", id="a redirect"),
        pytest.param(
            reply(500, b"oops\n at x", media="text/plain"), Cause.REFUSED, "500 (oops at x); see its log", id="a 500"
        ),
        pytest.param(reply(500, b'"quoted"'), Cause.REFUSED, "(quoted)", id="a JSON text as an error"),
        pytest.param(reply(500, b'{"message": "no db"}'), Cause.REFUSED, "(no db)", id="an error with a message"),
        pytest.param(
            reply(500, b"x" * 9000, media="text/plain"), Cause.REFUSED, "xxx…", id="a long error is cut short"
        ),
        pytest.param(faults.page(502), Cause.REFUSED, "502 (a page, perhaps of a proxy)", id="a proxy's error page"),
        pytest.param(reply(404), Cause.REFUSED, "does not exist (404)", id="a path that is not there"),
        pytest.param(reply(401), Cause.REFUSED, "name prometheus.bearer, or", id="credentials wanted, none given"),
        pytest.param(
            reply(body=b"{}", Content_Encoding="gzip"),
            Cause.MALFORMED,
            "compression is broken",
            id="broken compression",
        ),
    ],
)
def test_every_fault_is_one_error_and_the_same_in_replay(
    *, script: Script, cause: Cause, words: str, faulty: Faulty, connect: Connect, evidence: Evidence
) -> None:
    faulty.script.on("/x", script)
    started = time.monotonic()
    live = fail(connect(faulty.url, timeout_s=0.5))
    assert time.monotonic() - started < 1
    assert (live.cause, f"prometheus at {faulty.url}" in live.detail) == (cause, True)
    assert words in live.detail
    assert live.evidence

    hits = faulty.script.hits("/x")
    again = fail(connect(faulty.url, timeout_s=0.5, record=Evidence(evidence.folder, replay=True)))
    assert (again.cause, again.detail, again.evidence) == (live.cause, live.detail, live.evidence)
    assert faulty.script.hits("/x") == hits


def test_a_body_without_end_is_cut_off(faulty: Faulty, connect: Connect) -> None:
    faulty.script.on("/x", faults.endless)
    error = fail(connect(faulty.url))
    assert (error.cause, "larger than 64 MB" in error.detail) == (Cause.MALFORMED, True)


def test_a_source_that_is_down_costs_less_than_a_second(connect: Connect) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    started = time.monotonic()
    error = fail(connect(url, retries=10, timeout_s=10.0))
    assert time.monotonic() - started < 1
    assert error.cause is Cause.UNREACHABLE
    assert "refused the connection; is it running" in error.detail


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("http://host.invalid", "cannot be found", id="a name that nobody knows"),
        pytest.param("http://a..b", "cannot be found: no host can have", id="a name that no host can have"),
        pytest.param("unix:///nowhere/docker.sock", "no such socket", id="a socket that is not there"),
    ],
)
def test_an_address_that_leads_nowhere_says_so(url: str, words: str, connect: Connect) -> None:
    error = fail(connect(url))
    assert (error.cause, words in error.detail) == (Cause.UNREACHABLE, True), error.detail


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(status: int, faulty: Faulty, connect: Connect) -> None:
    faulty.script.on("/x", reply(status), reply(status), reply(body=b'{"a": 1}'))
    assert connect(faulty.url).get("/x").json() == {"a": 1}
    assert faulty.script.hits("/x") == 3


def test_a_broken_connection_is_tried_again(faulty: Faulty, connect: Connect) -> None:
    faulty.script.on("/x", faults.reset, reply(body=b"{}"))
    assert connect(faulty.url).get("/x").status == 200


@pytest.mark.parametrize(("status", "hits"), [(503, 3), (500, 1), (400, 1)])
def test_tries_are_bounded_and_only_for_what_may_pass(status: int, hits: int, faulty: Faulty, connect: Connect) -> None:
    faulty.script.on("/x", reply(status))
    assert fail(connect(faulty.url)).cause is (Cause.INVALID if status == 400 else Cause.REFUSED)
    assert faulty.script.hits("/x") == hits


def test_not_ready_is_an_answer_and_not_tried_again(faulty: Faulty, connect: Connect) -> None:
    faulty.script.on("/-/ready", reply(503, b"Service Unavailable", media="text/plain"))
    answer = connect(faulty.url).state("/-/ready")
    assert (answer.value, answer.infos, faulty.script.hits("/-/ready")) == (False, ("Service Unavailable",), 1)


def test_a_login_page_does_not_count_as_ready(faulty: Faulty, connect: Connect) -> None:
    faulty.script.on("/-/ready", faults.page())
    assert fail(connect(faulty.url), lambda http: http.state("/-/ready")).cause is Cause.MALFORMED


def test_only_reading_requests_leave_the_process(faulty: Faulty, connect: Connect) -> None:
    http = connect(faulty.url)
    with pytest.raises(ValueError, match="the clients only read"):
        http.get_long("/api/v2/silences", [("a", "b" * 3000)])
    assert faulty.script.seen == []


def test_a_long_question_goes_as_a_form_and_is_recorded_in_full(
    faulty: Faulty, connect: Connect, evidence: Evidence
) -> None:
    faulty.script.on("/api/v1/query", reply(body=b"{}"))
    long = "up" + " + up" * 1000
    http = connect(faulty.url)
    http.get_long("/api/v1/query", [("query", "up"), ("time", "1")])
    http.get_long("/api/v1/query", [("query", long), ("time", "1")])
    assert [(s.method, s.asked) for s in faulty.script.seen] == [
        ("GET", {"query": "up", "time": "1"}),
        ("POST", {"query": long, "time": "1"}),
    ]
    assert f"POST {faulty.url}/api/v1/query?query={long}&time=1" in [e.question for e in evidence.exchanges()]


def test_a_question_reads_as_a_person_would_write_it(faulty: Faulty, connect: Connect, evidence: Evidence) -> None:
    faulty.script.on("/x", reply(body=b"{}"))
    connect(faulty.url).get("/x", [("query", 'sum by (job) (up{a="b & c"})'), ("é", "100%")])
    (exchange,) = evidence.exchanges()
    assert exchange.question == f'GET {faulty.url}/x?query=sum by (job) (up{{a="b %26 c"}})&é=100%25'
    assert faulty.script.seen[0].asked == {"query": 'sum by (job) (up{a="b & c"})', "é": "100%"}


def test_a_path_prefix_of_a_reverse_proxy_is_kept(faulty: Faulty, connect: Connect) -> None:
    faulty.script.on("/team/prom/x", reply(body=b"{}"))
    assert connect(f"{faulty.url}/team/prom").get("/x").status == 200


def test_nothing_is_compressed_on_the_way_but_a_compressed_answer_is_read(faulty: Faulty, connect: Connect) -> None:
    faulty.script.on("/x", reply(body=gzip.compress(b'{"a": 1}'), Content_Encoding="gzip"))
    assert connect(faulty.url).get("/x").json() == {"a": 1}
    assert faulty.script.seen[0].headers["Accept-Encoding"] == "identity"


def test_proxies_of_the_environment_are_not_used(
    faulty: Faulty, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    faulty.script.on("/x", reply(body=b"{}"))
    assert connect(faulty.url).get("/x").status == 200


@pytest.mark.parametrize(
    ("settings", "headers", "keys"),
    [
        pytest.param(
            {"bearer": "env:GENESIS_TEST_SECRET"},
            {"Authorization": "Bearer s3cr3t-tok3n"},
            "check prometheus.bearer",
            id="bearer",
        ),
        pytest.param(
            {"username": "ann", "password": "env:GENESIS_TEST_SECRET"},
            {"Authorization": "Basic " + base64.b64encode(b"ann:s3cr3t-tok3n").decode()},
            "check prometheus.username and prometheus.password",
            id="basic",
        ),
        pytest.param({"tenant": "team-a"}, {"X-Scope-OrgID": "team-a"}, "wants credentials", id="tenant"),
    ],
)
def test_credentials_reach_the_server_and_nothing_else(
    *,
    settings: dict[str, str],
    headers: dict[str, str],
    keys: str,
    faulty: Faulty,
    connect: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server gives back what it was sent, as some debugging pages do; even so, no credential is found in the record."""
    monkeypatch.setenv("GENESIS_TEST_SECRET", "s3cr3t-tok3n")
    sent = " ".join(headers.values())
    faulty.script.on("/x", reply(body=f'{{"saw": "{sent}", "and": "s3cr3t-tok3n"}}'.encode()))
    faulty.script.on("/closed", reply(403, sent.encode(), media="text/plain"))
    record = Evidence(tmp_path / "kept", replay=False, secrets=["s3cr3t-tok3n"])
    http = connect(faulty.url, record=record, **settings)
    http.get("/x", [("echo", "s3cr3t-tok3n")])
    assert headers.items() <= faulty.script.seen[0].headers.items()

    error = fail(http, lambda http: http.get("/closed"))
    assert (error.cause, keys in error.detail) == (Cause.REFUSED, True), error.detail

    kept = [path.read_bytes() for path in record.folder.rglob("*") if path.is_file()]
    everything = b"".join(gzip.decompress(k) if k.startswith(b"\x1f\x8b") else k for k in kept) + error.detail.encode()
    assert b"<secret>" in everything or "tenant" in settings
    for secret in ("s3cr3t-tok3n", base64.b64encode(b"ann:s3cr3t-tok3n").decode()):
        assert secret.encode() not in everything


def test_a_credential_that_no_header_can_carry_is_not_shown(
    faulty: Faulty, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESIS_TEST_SECRET", "two\nlines")
    error = fail(connect(faulty.url, bearer="env:GENESIS_TEST_SECRET"))
    assert "check prometheus.bearer" in error.detail
    assert "two" not in error.detail


def test_replay_needs_neither_server_nor_credentials(
    faulty: Faulty, connect: Connect, evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENESIS_TEST_SECRET", "s3cr3t-tok3n")
    faulty.script.on("/x", reply(body=b'{"a": 1}'))
    live = connect(faulty.url, bearer="env:GENESIS_TEST_SECRET").get("/x")
    monkeypatch.delenv("GENESIS_TEST_SECRET")
    replayed = connect(faulty.url, bearer="env:GENESIS_TEST_SECRET", record=Evidence(evidence.folder, replay=True))
    assert replayed.get("/x") == live
    assert faulty.script.hits("/x") == 1
    assert fail(replayed, lambda http: http.get("/y")).cause is Cause.NOT_RECORDED


def test_without_a_record_each_question_is_asked_anew(faulty: Faulty, connect: Connect) -> None:
    faulty.script.on("/x", reply(body=b"1"), reply(body=b"2"))
    http = connect(faulty.url, record=None)
    assert [http.get("/x").json(), http.get("/x").json(), http.get("/x").evidence] == [1, 2, ""]


def test_a_source_can_be_asked_again_after_it_was_closed(faulty: Faulty, connect: Connect) -> None:
    faulty.script.on("/x", reply(body=b"1"))
    with connect(faulty.url, record=None) as http:
        http.get("/x")
    assert http.get("/x").json() == 1


def test_connections_are_kept_open_between_questions(faulty: Faulty, connect: Connect) -> None:
    ports = set()

    def note_port(handler: faults.Handler) -> None:
        ports.add(handler.client_address[1])
        reply(body=b"{}")(handler)

    faulty.script.on("/x", note_port)
    http = connect(faulty.url, record=None)
    for _ in range(3):
        http.get("/x")
    assert len(ports) == 1
