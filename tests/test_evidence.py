"""Who asks first records, errors included; all others read; a record that was touched is refused."""

import gzip
import json
import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from genesis_lib.clients.http import Http
from genesis_lib.endpoint import Endpoint
from genesis_lib.errors import RunError, SourceError
from genesis_lib.evidence import Evidence, Outcome
from genesis_lib.model import Cause
from tests.clients.faulty import Handler, reply, serve


def _outcome(body: bytes = b"1") -> Callable[[], Outcome]:
    return lambda: Outcome(status=200, media_type="text/plain", body=body)


def _never() -> Outcome:
    raise AssertionError("this question stands in the record")


def _ask(record: Evidence, perform: Callable[[], Outcome], question: str = "q") -> bytes:
    return record.ask(kind="fact", source="test", question=question, perform=perform)[1]


def _ask_from_eight_threads(url: str, folder: Path) -> list[bytes]:
    record = Evidence(folder, replay=False)
    with Http(Endpoint(url=url), source="test", evidence=record) as http, ThreadPoolExecutor(8) as pool:
        return [future.result().content for future in [pool.submit(http.get, "/slow") for _ in range(8)]]


def test_a_question_that_sixteen_ask_at_once_in_two_processes_reaches_the_source_once(tmp_path: Path) -> None:
    def slowly(handler: Handler) -> None:
        handler.scripted.stopped.wait(0.3)
        reply(body=b"the answer")(handler)

    with serve() as server, multiprocessing.get_context("spawn").Pool(2) as pool:
        server.script.on("/slow", slowly)
        answers = pool.starmap(_ask_from_eight_threads, [(server.url, tmp_path)] * 2, chunksize=1)
        pool.close()
        pool.join()
        assert server.script.hits("/slow") == 1
    assert answers == [[b"the answer"] * 8] * 2
    assert list(tmp_path.glob("*.lock")) == []


def test_what_was_recorded_is_not_asked_again(tmp_path: Path) -> None:
    first = Evidence(tmp_path, replay=False)
    assert _ask(first, _outcome(b"one")) == b"one"
    assert _ask(Evidence(tmp_path, replay=False), _never) == b"one"
    assert _ask(Evidence(tmp_path, replay=True), _never) == b"one"


def test_an_error_is_recorded_and_raised_again_as_it_was(tmp_path: Path) -> None:
    def broken() -> Outcome:
        raise SourceError(Cause.TIMEOUT, "too slow: call ann:pw@here")

    found = []
    for record, perform in [
        (Evidence(tmp_path, replay=False, secrets=["ann:pw"]), broken),
        (Evidence(tmp_path, replay=True), _never),
    ]:
        with pytest.raises(SourceError) as caught:
            _ask(record, perform)
        found.append((caught.value.cause, caught.value.detail, caught.value.evidence))
    assert found[0] == found[1]
    assert found[0][:2] == (Cause.TIMEOUT, "too slow: call <secret>@here")


def test_a_crash_while_asking_leaves_no_record(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        _ask(Evidence(tmp_path, replay=False), _never)
    assert Evidence(tmp_path, replay=False).exchanges() == []
    assert _ask(Evidence(tmp_path, replay=False), _outcome(b"later")) == b"later"


def test_in_replay_what_was_not_recorded_is_missing_and_not_asked(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="not recorded; open a new run") as caught:
        _ask(Evidence(tmp_path / "none", replay=True), _never)
    assert caught.value.cause is Cause.NOT_RECORDED
    assert not (tmp_path / "none").exists()


def test_equal_bodies_are_stored_once_and_compressed(tmp_path: Path) -> None:
    record = Evidence(tmp_path, replay=False)
    for question in ("a", "b"):
        _ask(record, _outcome(b"x" * 100_000), question)
    (stored,) = (tmp_path / "bodies").iterdir()
    assert stored.stat().st_size < 1_000
    assert [e.question for e in record.exchanges()] == ["a", "b"]


def test_secrets_are_masked_however_they_are_spelled(tmp_path: Path) -> None:
    typed = 'p&ss "w"/1'
    record = Evidence(tmp_path, replay=False, secrets=[typed])
    body = f"{typed} p%26ss%20%22w%22%2F1 {json.dumps(typed)}".encode()
    assert _ask(record, _outcome(body), f"GET /?q={typed}") == b'<secret> <secret> "<secret>"'
    kept = b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file()
    )
    assert b"ss" not in kept.replace(b"<secret>", b"")


def test_a_file_comes_back_with_its_inline_credentials_masked(tmp_path: Path) -> None:
    (tmp_path / "am.yml").write_text("smtp_auth_password: hunter2\nroute: {receiver: ops}\n")
    answer = Evidence(tmp_path / "e", replay=False).file(tmp_path / "am.yml", name="am.yml")
    assert answer.value == b"smtp_auth_password: <secret>\nroute: {receiver: ops}\n"
    stored = b"".join(gzip.decompress(p.read_bytes()) for p in (tmp_path / "e" / "bodies").iterdir())
    assert b"hunter2" not in stored


def test_a_file_that_is_not_there_is_unreadable_and_says_where_it_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="check `files` of the environment") as caught:
        Evidence(tmp_path / "e", replay=False).file(tmp_path / "none.yml", name="none.yml")
    assert caught.value.cause is Cause.UNREADABLE


def test_a_command_gives_its_exit_code_and_all_it_printed(tmp_path: Path) -> None:
    record = Evidence(tmp_path, replay=False)
    program = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"
    answer = record.command([sys.executable, "-c", program], name="check it")
    assert answer.value == (3, "out\nerr\n")
    assert record.command(["/nowhere/else"], name="check it") == answer


def test_a_program_that_is_not_there_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="promtool check rules: No such file") as caught:
        Evidence(tmp_path, replay=False).command(["/nowhere/promtool"], name="promtool check rules")
    assert caught.value.cause is Cause.UNREADABLE


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        pytest.param(
            lambda _, body: body.write_bytes(gzip.compress(b"other")), "was changed after", id="a changed body"
        ),
        pytest.param(lambda _, body: body.write_bytes(b"\x1f\x8b rubbish"), "is damaged", id="a broken body"),
        pytest.param(lambda _, body: body.write_bytes(body.read_bytes()[:-6]), "is damaged", id="half a body"),
        pytest.param(lambda _, body: body.unlink(), "is damaged", id="a lost body"),
        pytest.param(lambda exchange, _: exchange.write_text("{"), "is damaged", id="half an exchange"),
        pytest.param(
            lambda exchange, _: exchange.write_text('{"id": "x"}'), "is damaged", id="an exchange of another kind"
        ),
    ],
)
def test_a_record_that_was_damaged_says_which_file_and_what_to_do(
    damage: Callable[[Path, Path], object], words: str, tmp_path: Path
) -> None:
    _ask(Evidence(tmp_path, replay=False), _outcome(b"a body of some length"))
    (exchange,), (body,) = tmp_path.glob("*.json"), (tmp_path / "bodies").iterdir()
    damage(exchange, body)
    with pytest.raises(RunError, match="open a new one") as caught:
        _ask(Evidence(tmp_path, replay=True), _never)
    assert words in str(caught.value)
    assert str(tmp_path) in str(caught.value)
