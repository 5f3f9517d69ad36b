"""Spans lie in the run's folder as they end, and are read back as they were."""

import json
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from genesis_lib.errors import SourceError
from genesis_lib.evidence import Evidence, Outcome
from genesis_lib.model import Cause, Missing
from genesis_lib.telemetry.spans import Span, read_spans
from genesis_lib.tracing import Carried, Trace


def ask(evidence: Evidence, question: str, perform: Callable[[], Outcome] | None = None) -> None:
    answer = Outcome(status=200, media_type="text/plain", body=b"12345")
    evidence.ask(kind="http", source="prometheus", question=question, perform=perform or (lambda: answer))


def evidence_of(folder: Path, **other: list[str]) -> Evidence:
    return Evidence(folder / "evidence", replay=False, **other)


def ask_in_another_process(carried: Carried) -> None:
    evidence = evidence_of(carried.folder)
    with Trace.joined(carried) as trace:
        trace.watch(carried.folder, evidence)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda n: ask(evidence, f"there {n}"), range(3)))


def spans_of(folder: Path) -> tuple[Span, ...]:
    spans = read_spans(folder)
    assert not isinstance(spans, Missing)
    return spans


def test_one_trace_across_threads_and_processes_and_each_question_a_child_of_its_step(tmp_path: Path) -> None:
    evidence = evidence_of(tmp_path)
    with Trace("report demo") as trace, trace.step("report", environment="demo"):
        with trace.step("before there is a folder"):
            pass
        trace.watch(tmp_path, evidence)
        with trace.step("here"), ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: ask(evidence, f"here {n % 5}"), range(20)))
        with trace.step("there"), multiprocessing.get_context("spawn").Pool(1) as processes:
            processes.map(ask_in_another_process, [trace.carried(tmp_path)])
    spans = spans_of(tmp_path)
    assert len({span.trace_id for span in spans}) == 1
    steps = {span.span_id: span.name for span in spans if not span.source}
    (root,) = [span for span in spans if not span.parent_span_id]
    assert root.name == "report"
    assert root.attributes["genesis.environment"] == "demo"
    parents = {
        span.attributes.get("genesis.question", span.name): steps[span.parent_span_id]
        for span in spans
        if span is not root
    }
    asked = {f"{where} {n}": where for where, most in (("here", 5), ("there", 3)) for n in range(most)}
    assert parents == asked | dict.fromkeys(("before there is a folder", "here", "there"), "report")
    assert {span.attributes["genesis.exchange"] for span in spans if span.source} == {
        e.id for e in evidence.exchanges()
    }
    assert len([span for span in spans if span.source]) == 8
    assert len(list((tmp_path / "trace").iterdir())) == 2


def test_a_question_says_what_was_asked_when_and_what_came_of_it(tmp_path: Path) -> None:
    def fail() -> Outcome:
        raise SourceError(Cause.TIMEOUT, "too slow: ann:pw@here")

    evidence = evidence_of(tmp_path, secrets=["ann:pw"])
    with Trace("x") as trace, trace.step("a step"):
        trace.watch(tmp_path, evidence)
        ask(evidence, "GET http://ann:pw@here/" + "long" * 200)
        with pytest.raises(SourceError):
            ask(evidence, "GET http://here/", fail)
    long, failed = (span for span in spans_of(tmp_path) if span.source)
    one = evidence.find(str(long.attributes["genesis.exchange"]))
    assert one is not None
    assert long.start_ns == pytest.approx(one.asked_at.timestamp() * 1e9, abs=1000)
    assert long.took_s == pytest.approx(one.took_s, abs=1e-6)
    assert (long.attributes["genesis.status"], long.attributes["genesis.size_bytes"], long.error) == (200, 5, "")
    assert len(str(long.attributes["genesis.question"])) < 350
    assert (failed.error, failed.attributes["error.type"]) == ("timeout", "timeout")
    assert "ann:pw" not in "".join(path.read_text() for path in (tmp_path / "trace").iterdir())


def test_a_step_that_raises_says_so_and_a_crash_loses_only_what_is_still_open(tmp_path: Path) -> None:
    with Trace("x") as trace, trace.step("report"):
        trace.watch(tmp_path, evidence_of(tmp_path))
        with pytest.raises(KeyError), trace.step("broken"):
            raise KeyError("gone")
        (broken,) = spans_of(tmp_path)  # the step around it has not ended
    assert broken.error == "KeyError: 'gone'"
    assert [span.name for span in spans_of(tmp_path)] == ["report", "broken"]


def test_a_process_that_asks_without_end_leaves_a_trace_of_bounded_size(tmp_path: Path) -> None:
    evidence = evidence_of(tmp_path)
    with Trace("x") as trace, trace.step("report"):
        trace.watch(tmp_path, evidence)
        ask(evidence, "once")
        (exchange,) = evidence.exchanges()
        assert evidence.on_asked is not None
        for _ in range(3000):
            evidence.on_asked(exchange)
    assert 1000 < len(spans_of(tmp_path)) <= 2001


def test_what_is_replayed_is_not_traced(tmp_path: Path) -> None:
    ask(evidence_of(tmp_path), "q")
    sealed = Evidence(tmp_path / "evidence", replay=True)
    with Trace("x") as trace:
        trace.watch(tmp_path, sealed)
        ask(sealed, "q")
    assert isinstance(read_spans(tmp_path), Missing)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda line: line[: len(line) // 2], id="a line that broke off"),
        pytest.param(lambda _: "[]", id="JSON of another kind"),
        pytest.param(lambda line: json.dumps(json.loads(line) | {"attributes": 3}), id="attributes that are none"),
        pytest.param(lambda line: json.dumps(json.loads(line) | {"end_time_unix_nano": None}), id="no end"),
        pytest.param(lambda _: "\udcff", id="bytes that are no text"),
        pytest.param(lambda line: json.dumps({k: v for k, v in json.loads(line).items() if k != "name"}), id="no name"),
    ],
)
def test_a_damaged_line_is_passed_over(tmp_path: Path, damage: Callable[[str], str]) -> None:
    with Trace("x") as trace:
        trace.watch(tmp_path, evidence_of(tmp_path))
        for name in ("first", "second"):
            with trace.step(name):
                time.sleep(0)
    (path,) = (tmp_path / "trace").iterdir()
    first, second = path.read_text().splitlines()
    path.write_bytes(f"{first}\n{damage(second)}".encode(errors="surrogateescape"))
    assert [span.name for span in spans_of(tmp_path)] == ["first"]


def test_a_run_that_was_not_traced_says_so(tmp_path: Path) -> None:
    found = read_spans(tmp_path)
    assert isinstance(found, Missing)
    assert "was not traced" in found.detail
