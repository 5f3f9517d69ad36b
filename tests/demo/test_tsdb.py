"""Prometheus's own tool reads back what we wrote."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genesis_lib.demo import binaries
from genesis_lib.demo.tsdb import Series, write_block

START_MS, INTERVAL_MS = 1_700_000_000_000, 15_000
Samples = list[tuple[float, int]]


def read_back(folder: Path) -> Mapping[str, Samples]:
    (folder / "wal").mkdir()
    command = [str(binaries.find("promtool")), "tsdb", "dump", str(folder)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    found: dict[str, Samples] = {}
    for line in lines:
        labels, _, sample = line.rpartition("} ")
        value, time_ms = sample.split()
        found.setdefault(labels + "}", []).append((float(value), int(time_ms)))
    return found


def assert_written(*series: Series) -> None:
    with TemporaryDirectory() as name:
        write_block(Path(name), series, start_ms=START_MS, interval_ms=INTERVAL_MS)
        found = read_back(Path(name))
    assert len(found) == len(series)
    for one in series:
        samples = found["{" + ", ".join(f'{key}="{value}"' for key, value in sorted(one.labels.items())) + "}"]
        times_ms = [START_MS + (one.first + i) * INTERVAL_MS for i in range(len(one.values))]
        assert [time_ms for _, time_ms in samples] == times_ms
        np.testing.assert_array_equal(np.array([value for value, _ in samples]), one.values)


@settings(max_examples=20, deadline=None)
@given(values=st.lists(st.floats(width=64), min_size=1, max_size=400), first=st.integers(0, 300))
def test_every_float_comes_back_from_its_moment(values: list[float], first: int) -> None:
    assert_written(Series(labels={"__name__": "any"}, values=np.array(values), first=first))


def test_series_of_different_lengths_share_a_block() -> None:
    rng = np.random.default_rng(1)
    assert_written(
        Series(labels={"__name__": "grows", "le": "+Inf"}, values=rng.poisson(80, 5000).cumsum().astype(float)),
        Series(labels={"__name__": "grows", "le": "0.1"}, values=rng.poisson(80, 121).cumsum().astype(float), first=7),
        Series(labels={"__name__": "flag", "flag": "a"}, values=np.ones(5000)),
        Series(labels={"__name__": "flag", "flag": "b"}, values=np.ones(5000)),
        Series(labels={"__name__": "once", "job": "ü"}, values=np.array([np.nan]), first=4999),
    )


def test_many_series_are_found_by_each_of_their_labels() -> None:
    assert_written(*(Series(labels={"__name__": "many", "n": str(n)}, values=np.full(3, float(n))) for n in range(200)))


@pytest.mark.parametrize(
    "series",
    [
        pytest.param([], id="a block without series is refused"),
        pytest.param([Series(labels={"__name__": "a"}, values=np.array([]))], id="a block without samples is refused"),
        pytest.param(
            [Series(labels={"__name__": "a"}, values=np.ones(2))] * 2, id="a label set that stands twice is refused"
        ),
    ],
)
def test_what_prometheus_would_drop_in_silence(series: list[Series], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a block needs samples, and each label set once"):
        write_block(tmp_path, series, start_ms=START_MS, interval_ms=INTERVAL_MS)
