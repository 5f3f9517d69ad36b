"""How history gets into Prometheus: our block writer against promtool, on the same samples, side by side.

    .venv/bin/python benchmarks/history.py

Prints the ratio of their times (text formatting counted for promtool, which reads nothing else) for each of three rounds. See
docs/decisions/history.md.
"""

import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from genesis_lib.demo import binaries
from genesis_lib.demo.tsdb import Series, write_block

SERIES, POINTS, INTERVAL_S = 40, 20_000, 15
ROUNDS = 3


def by_us(folder: Path, series: list[Series], start_s: int) -> float:
    """Seconds that our writer takes."""
    started = time.perf_counter()
    write_block(folder, series, start_ms=start_s * 1000, interval_ms=INTERVAL_S * 1000)
    return time.perf_counter() - started


def by_promtool(folder: Path, series: list[Series], start_s: int) -> float:
    """Seconds that formatting the samples and `promtool tsdb create-blocks-from openmetrics` take."""
    started = time.perf_counter()
    source = folder / "history.om"
    times = [str(start_s + i * INTERVAL_S) for i in range(POINTS)]
    with source.open("w") as out:
        for one in series:
            name = one.labels["__name__"]
            out.write(f"# TYPE {name} unknown\n")
            out.writelines(f"{name} {value} {at}\n" for value, at in zip(one.values.tolist(), times, strict=True))
        out.write("# EOF\n")
    command = [binaries.find("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=336h"]
    subprocess.run([*command, str(source), str(folder / "data")], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Measure in turns, so that both meet the same machine."""
    rng = np.random.default_rng(1)
    start_s = int(time.time()) - POINTS * INTERVAL_S - 3600
    series = [
        Series(labels={"__name__": f"metric_{i}"}, values=np.cumsum(rng.poisson(75, POINTS)).astype(np.float64))
        for i in range(SERIES)
    ]
    for number in range(1, ROUNDS + 1):
        with tempfile.TemporaryDirectory() as name:
            ours, theirs = by_us(Path(name) / "ours", series, start_s), by_promtool(Path(name), series, start_s)
        print(
            f"round {number}: {SERIES * POINTS:,} samples, ours {ours:.2f} s, promtool {theirs:.2f} s, ratio {theirs / ours:.1f}"
        )


if __name__ == "__main__":
    main()
