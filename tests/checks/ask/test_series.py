"""What is asked of Prometheus stays small, whatever it holds: counts, not series; a few values, not all. On a real server."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from genesis_lib import run as runs
from genesis_lib.checks.ask import ladder, series
from genesis_lib.checks.ask.ladder import Rung
from genesis_lib.demo import binaries
from genesis_lib.demo.tsdb import Series, write_block
from genesis_lib.model import Verdict
from genesis_lib.params import load_environment
from genesis_lib.run import Run
from tests.builders import ROOT, policy

WIDE = 5_000
HOSTILE = 'a"b\\c\n<script>\u202eü'
STOPPED_S = 3 * 3600


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that scrapes nothing and holds: a metric of 5,000 series, one with a hostile label, one that stopped three hours ago."""
    folder = tmp_path_factory.mktemp("prometheus")
    step_s, points = 15, STOPPED_S // 15 + 120
    values = np.arange(points, dtype=np.float64)
    held = [Series(labels={"__name__": "wide", "job": "w", "n": str(n)}, values=values) for n in range(WIDE)]
    held.append(Series(labels={"__name__": "odd", "job": "w", "text": HOSTILE}, values=values))
    held.append(Series(labels={"__name__": "stopped", "job": "w"}, values=values[:100]))
    write_block(folder / "data", held, start_ms=int(time.time() - points * step_s) * 1000, interval_ms=step_s * 1000)
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 15s}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    program = binaries.find("prometheus")
    arguments = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [program, *arguments, f"--web.listen-address={address}", "--storage.tsdb.retention.time=30d"],
            cwd=binaries.working_folder(program),
            stdout=log,
            stderr=log,
        )
    try:
        _wait(f"http://{address}/-/ready")
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(20)


def _wait(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise AssertionError(url)


@pytest.fixture
def run(prometheus: str, tmp_path: Path) -> Iterator[Run]:
    (tmp_path / "params").mkdir()
    none = "".join(f"{name}: none\n" for name in ("alertmanager", "grafana", "docker"))
    (tmp_path / "params" / "wide.yaml").write_text(
        f"title: wide\nowner: o\nprometheus: {{url: {prometheus}}}\n{none}services: {{}}\ntargets: {{}}\n"
        f"policy: {ROOT / 'params' / 'policy'}\n"
    )
    environment = load_environment("wide", root=tmp_path)
    opened = runs.create(environment, policy(), root=tmp_path, as_of=None, interactive=False)
    yield opened
    opened.close()


def judged(run: Run, text: str) -> Rung:
    return ladder.judge(text, series.gather(run, [text]), run.policy, at=run.as_of)


def largest_answer(run: Run) -> int:
    return max(int(json.loads(path.read_bytes())["size"]) for path in (run.folder / "evidence").glob("*.json"))


@pytest.mark.parametrize(
    ("text", "observed"),
    [
        ("wide", "5,000 series (too many to fetch, so counted)"),
        ("rate(wide[5m]) > 0", "5,000 series (too many to fetch, so counted)"),
        ("sum by (job) (wide)", "1 series"),
        ("scalar(sum(wide)) + 1", "1 series"),
        ("wide > 1e12", "empty, inputs alive"),
    ],
)
def test_many_series_are_counted_and_never_fetched(run: Run, text: str, observed: str) -> None:
    rung = judged(run, text)
    assert rung.verdict is Verdict.PASS, rung
    assert rung.observed.startswith(observed)
    assert largest_answer(run) < 2_000


def test_of_the_values_of_a_label_a_few_are_offered(run: Run) -> None:
    rung = judged(run, 'wide{n="none"}')
    assert (rung.verdict, rung.hint.count(" or ")) == (Verdict.WARN, 4)
    assert largest_answer(run) < 2_000


def test_a_metric_that_stopped_is_said_to_have_vanished_and_when(run: Run) -> None:
    rung = judged(run, "stopped")
    assert rung.verdict is Verdict.FAIL
    assert "it was exposed by w until between 1 and 6 hours ago" in rung.reason


def test_a_misspelled_metric_is_offered_the_right_name(run: Run) -> None:
    assert judged(run, "wide_").hint == "did you mean wide?"


def test_hostile_label_values_are_asked_for_as_they_are(run: Run) -> None:
    quoted = json.dumps(HOSTILE, ensure_ascii=False)
    assert judged(run, f"odd{{text={quoted}}}").verdict is Verdict.PASS
    assert HOSTILE in judged(run, 'odd{text="x"}').hint


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('odd{missing="x"}', "has no label missing"),
        ("nothing_like_it_at_all", "no metric of a similar name"),
        ('{job="nobody"}', "no series matches"),
    ],
)
def test_other_ways_to_find_nothing(run: Run, text: str, words: str) -> None:
    rung = judged(run, text)
    assert words in rung.reason + rung.hint
    assert rung.verdict is Verdict.FAIL
