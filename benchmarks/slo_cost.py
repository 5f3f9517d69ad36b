"""What the status of eight objectives costs: 30 days of 15 s data, 1,000 series behind one of them; raw and recorded, side by side.

    .venv/bin/python benchmarks/slo_cost.py [--days 30] [--series 1000]

The objectives are those of params/policy/slos.yaml with a period of 30 days, less the second uptime. Two servers have the same raw data,
and one has the recording rules' past besides, made by `promtool tsdb create-blocks-from rules`. Prints seconds and our peak memory (RSS) of
asking and judging, each time in a process of its own, the number of requests, and the servers' peak memory with the blocks they map.
"""

import argparse
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import yaml
from slo_truth import ROOT, STEP_S, Server, new_run, prometheus

from genesis_lib.demo import binaries
from genesis_lib.demo.tsdb import Series, write_block
from genesis_lib.slo.facts import gather
from genesis_lib.slo.rules import rules_file
from genesis_lib.slo.status import statuses

T = TypeVar("T")
ROUNDS, DAY_S = 3, 86_400
BLOCK_S = 162 * 3600  # as long as those that Prometheus makes of its own when it keeps 90 days
INSTANCES, SHAPES = 10, 50  # replicas behind the other objectives; distinct courses among the many series
EDGES = {"0.05": 0.55, "0.1": 0.85, "0.14": 0.96, "0.15": 0.965, "0.2": 0.99, "0.5": 1.0, "+Inf": 1.0}
LIMITS = {"raw": 20.0, "recorded": 3.0}
OURS_MB = 300


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one gathering and judging; `attained` is the share over the period, by objective that was judged by such series."""

    seconds: float
    megabytes: float
    requests: int
    recorded: int
    attained: dict[str, float]


def policy() -> str:
    """The objectives as shipped, over 30 days."""
    slos = yaml.safe_load((ROOT / "params/policy/slos.yaml").read_text()) | {"period": "30d"}
    slos["slos"] = [one for one in slos["slos"] if one["name"] != "monitoring_uptime"]
    return yaml.safe_dump(slos)


def write_data(data: Path, end: int, days: int, count: int) -> None:
    """The raw series of these objectives, in blocks as Prometheus itself would have them."""
    times = np.arange(end - days * DAY_S, end + 1, STEP_S)
    wave = 1 + 0.6 * np.sin(times * 2 * np.pi / DAY_S)
    kept: list[tuple[dict[str, str], npt.NDArray[np.float64]]] = []

    def add(name: str, values: "npt.NDArray[np.generic]", *, job: str = "genesis-orchestration", **labels: str) -> None:
        kept.append(({"__name__": name, "job": job, **labels}, values.astype(np.float64)))

    rng = np.random.default_rng(1)
    shapes = [rng.poisson(wave * rng.uniform(5, 40)) for _ in range(min(SHAPES, count))]
    for n in range(count):
        add("genesis_operations_total", shapes[n % SHAPES].cumsum(), instance=f"i-{n:04}")
    for n, operations in enumerate(shapes[:INSTANCES]):
        of = {"instance": f"i-{n:04}"}
        add("genesis_errors_total", rng.binomial(operations, 0.0005).cumsum(), **of)
        add("up", times % DAY_S >= 60 * n, **of)
        for part in ("operation", "htdag_decomposition", "halo_routing"):
            name, total = f"genesis_{part}_duration_seconds", operations.cumsum()
            add(f"{name}_count", total, **of)
            for edge, share in EDGES.items():
                add(f"{name}_bucket", np.floor(total * share), le=edge, **of)
    suites = np.arange(len(times)) // 120  # one each half hour
    add("genesis_tests_total", suites * 1044, job="genesis-tests", instance="t")
    add("genesis_tests_passed_total", suites * 1040, job="genesis-tests", instance="t")
    add("node_memory_MemTotal_bytes", np.full(len(times), 16e9), job="node", instance="n")
    add("node_memory_MemAvailable_bytes", 10e9 - 1e9 * wave, job="node", instance="n")
    for cpu in ("0", "1"):
        add("node_cpu_seconds_total", (STEP_S * 0.7 / wave.max() * wave).cumsum(), job="node", instance="n", cpu=cpu, mode="idle")
    for number in np.unique(times // BLOCK_S):
        within = slice(*np.searchsorted(times, [number * BLOCK_S, (number + 1) * BLOCK_S]))
        block = [Series(labels=labels, values=values[within]) for labels, values in kept]
        write_block(data, block, start_ms=int(times[within][0]) * 1000, interval_ms=STEP_S * 1000)


def record(home: Path, url: str, *, start: int, end: int) -> None:
    """Fill the data folder of the second server with the past of the recording rules, from the raw series of the first."""
    run = new_run(home, url, policy(), at=end)
    slos = run.policy.slos
    edges = {one.name: tuple(EDGES) for one in slos.slos if one.indicator.kind == "latency"}
    rules = yaml.safe_load(rules_file(slos.slos, slos, edges=edges, scope={}, environment="bench"))
    events = [group for group in rules["groups"] if group["name"] == "slo_events"]  # all that a status asks for
    (home / "rules.yml").write_text(yaml.safe_dump({"groups": events}))
    command = [binaries.find("promtool"), "tsdb", "create-blocks-from", "rules", f"--url={url}"]
    command += [f"--start={start}", f"--end={end}", "--max-block-duration=168h", f"--output-dir={home}/recorded"]
    subprocess.run([*command, str(home / "rules.yml")], check=True, stdout=subprocess.DEVNULL)


def cost(home: Path, url: str, at: int) -> Cost:
    """Ask and judge once."""
    run = new_run(home, url, policy(), at=at)
    started = time.perf_counter()
    facts = gather(run)
    found = statuses(facts, at=run.as_of)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    attained = {s.objective.name: s.period.attained for s in found}
    return Cost(
        seconds=seconds,
        megabytes=peak / (1024 if sys.platform == "linux" else 1024**2),
        requests=facts.requests,
        recorded=sum(s.source.is_recorded for s in found),
        attained={name: value for name, value in attained.items() if isinstance(value, float)},
    )


def alone(function: Callable[..., T], *args: object) -> T:
    """What a function gives in a process of its own: the system counts what we held ourselves to those that we start later."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--series", type=int, default=1000)
    asked = parser.parse_args()
    end = int(time.time()) // STEP_S * STEP_S
    start = end - asked.days * DAY_S
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        t=time.perf_counter()
        alone(write_data, home / "raw", end, asked.days, asked.series)
        print("data", time.perf_counter()-t, flush=True)
        with prometheus(home / "raw") as server:
            for i in range(int(os.environ.get("N","2"))):
                print(alone(cost, home, server.url, end), os.getloadavg(), flush=True)
            t=time.perf_counter()
            record(home, server.url, start=start, end=end)
            print("record", time.perf_counter()-t, flush=True)
        print(server)
        subprocess.run(["du","-sh",home/"raw",home/"recorded"])

if __name__ == "__main__":
    main()
