"""What an audit costs: `genesis check` on 13 rules and 13 panels, and on 500 rules and 200 panels, side by side on one Prometheus.

    .venv/bin/python benchmarks/audit.py

The Prometheus is real; its data is a block that is written here: 300 metrics of 20 series, and one of 100,000 series that some of the
many rules and panels ask for. Prints seconds and the peak memory (RSS) of each check, the ratio of the two, and the largest answer that
was fetched.
"""

import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import yaml

from genesis_lib.demo import binaries
from genesis_lib.demo.tsdb import Series, write_block

ROOT = Path(__file__).parents[1]
METRICS, SERIES, WIDE = 300, 20, 100_000
ROUNDS = 3
GENESIS = "import sys; from genesis_lib.cli import main; sys.argv[0] = 'genesis'; main()"
LIMITS = "at most 2 s for the small one, 20 s and 300 MB for the large one"


def questions(count: int, *, wide: bool) -> list[str]:
    """Distinct questions of the kinds that rules and panels ask, a few of them broken, as they are in real life."""
    kinds = (
        "sum by (job) (rate(bench_{n}_total[5m])) > 5",
        'bench_{n}_total{{shard="3"}} / ignoring (shard) group_left () sum without (shard) (bench_{n}_total)',
        "histogram_quantile(0.95, sum by (le) (rate(bench_{n}_total[10m])))",
        "absent(bench_{n}_total)",
        'bench_{n}_total{{shard="none"}}',
    )
    asked = [kinds[i % len(kinds)].format(n=i % METRICS) + f" + {i} * 0" * (i >= METRICS) for i in range(count)]
    odd = ["bench_misspelt_total", "rate(bench_1_total[5m]) * 100"] + ["bench_wide", "count(bench_wide)"] * wide
    return [*asked[: count - len(odd)], *odd]


def write_environment(folder: Path, name: str, port: int, *, rules: int, panels: int, wide: bool) -> None:
    """An environment with that many rules and panels; `wide`: some of them ask for the metric of many series."""
    alerts = [
        {"alert": f"Rule{i}", "expr": expr, "labels": {"severity": "warning"}}
        for i, expr in enumerate(questions(rules, wide=wide))
    ]
    (folder / f"{name}.rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "bench", "rules": alerts}]}))
    shown = [
        {"id": i, "title": f"Panel {i}", "type": "timeseries", "targets": [{"expr": f"({expr})", "refId": "A"}]}
        for i, expr in enumerate(questions(panels, wide=wide))
    ]
    (folder / f"{name}.dashboard.json").write_text(json.dumps({"title": "Bench", "uid": name, "panels": shown}))
    environment = {
        "title": name,
        "owner": "nobody",
        "prometheus": {"url": f"http://127.0.0.1:{port}"},
        **dict.fromkeys(("alertmanager", "grafana", "docker"), "none"),
        "services": {"prometheus": {"source": "prometheus"}},
        "targets": {},
        "files": {"rules": [f"../{name}.rules.yml"], "dashboards": [f"../{name}.dashboard.json"]},
    }
    (folder / "params" / f"{name}.yaml").write_text(yaml.safe_dump(environment))


def write_data(folder: Path) -> None:
    """The block of this benchmark."""
    start_ms = int(time.time() - 1800) * 1000
    values = np.arange(120, dtype=np.float64)
    series = [
        Series(labels={"__name__": f"bench_{n}_total", "job": "bench", "shard": str(i)}, values=values)
        for n in range(METRICS)
        for i in range(SERIES)
    ]
    series += [
        Series(labels={"__name__": "bench_wide", "job": "bench", "n": str(n)}, values=values) for n in range(WIDE)
    ]
    write_block(folder / "data", series, start_ms=start_ms, interval_ms=15_000)


@contextmanager
def prometheus(folder: Path) -> Iterator[int]:
    """A Prometheus with the block of this benchmark."""
    # In a process of its own: the system counts what we held ourselves to the peak of each process that we start later.
    writer = multiprocessing.get_context("spawn").Process(target=write_data, args=(folder,))
    writer.start()
    writer.join()
    (folder / "prometheus.yml").write_text("global: {scrape_interval: 15s}\n")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    program = binaries.find("prometheus")
    command: list[str | Path] = [
        program,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
    ]
    server = subprocess.Popen(
        [*command, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"], cwd=binaries.working_folder(program)
    )
    try:
        while not _is_ready(port):
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/-/ready", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def check(home: Path, name: str) -> tuple[float, float, int, int]:
    """Seconds, peak RSS in MB, number of findings, and the bytes of the largest answer, of one `genesis check` in a process of its own."""
    command: list[str] = [sys.executable, "-c", GENESIS, "check", name, "--json"]
    command += [part for check_name in ("rules", "queries", "dashboards") for part in ("--only", check_name)]
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | {"GENESIS_HOME": str(home)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    out = process.stdout.read() if process.stdout else b""
    _, _, usage = os.wait4(process.pid, 0)
    took_s = time.perf_counter() - started
    run = json.loads(out)
    evidence = home / "outputs" / name / run["run_id"] / "evidence"
    largest = max(json.loads(path.read_bytes())["size"] for path in evidence.glob("*.json"))
    kilobytes = usage.ru_maxrss if sys.platform == "linux" else usage.ru_maxrss / 1024
    return took_s, kilobytes / 1024, len(run["findings"]), largest


def main() -> None:
    """Measure in turns, so that both meet the same machine."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        shutil.copytree(ROOT / "params", home / "params")
        with prometheus(home) as port:
            write_environment(home, "small", port, rules=13, panels=13, wide=False)
            write_environment(home, "large", port, rules=500, panels=200, wide=True)
            for number in range(1, ROUNDS + 1):
                small, large = check(home, "small"), check(home, "large")
                for label, (took_s, megabytes, findings, largest) in (("small", small), ("large", large)):
                    print(
                        f"round {number}, {label}: {took_s:5.2f} s, {megabytes:4.0f} MB, {findings:,} findings, "
                        f"largest answer {largest:,} bytes"
                    )
                print(f"round {number}: ratio {large[0] / small[0]:.1f}")
    print(f"limits: {LIMITS}")


if __name__ == "__main__":
    main()
