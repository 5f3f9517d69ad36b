"""What the status of eight objectives costs: 30 days of 15 s data, 1,000 series behind one of them; raw and recorded, side by side.

    .venv/bin/python benchmarks/slo_cost.py [--days 30] [--series 1000]

The objectives are those of params/policy/slos.yaml with a period of 30 days, less the second uptime. Both servers have the same raw data,
and one the recording rules' past besides, made by `promtool tsdb create-blocks-from rules`. Asking and judging is done in a process of its
own, each time of a server that has just started. Prints seconds, our peak memory (RSS), and what it cost the server: CPU seconds, which
hold on a busy machine too, and memory with the blocks that it maps. Limits are meant for a calm machine of two cores.
"""

import argparse
import math
import multiprocessing
import os
import resource
import shutil
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
from slo_truth import ROOT, STEP_S, new_run, prometheus

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
    """Of one gathering and judging; `attained` is the share over the period, by objective; NaN where it is not known."""

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
        kept.append(({"__name__": name, "job": job, **labels}, values.astype(np.float64, copy=False)))

    rng = np.random.default_rng(1)
    shapes = [rng.poisson(wave * rng.uniform(5, 40)) for _ in range(min(SHAPES, count))]
    counted = [shape.cumsum().astype(np.float64) for shape in shapes]
    for n in range(count):
        add("genesis_operations_total", counted[n % len(shapes)], instance=f"i-{n:04}")
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
        add(
            "node_cpu_seconds_total",
            (STEP_S * 0.7 / wave.max() * wave).cumsum(),
            job="node",
            instance="n",
            cpu=cpu,
            mode="idle",
        )
    for number in np.unique(times // BLOCK_S):
        within = slice(*np.searchsorted(times, [number * BLOCK_S, (number + 1) * BLOCK_S]))
        block = [Series(labels=labels, values=values[within]) for labels, values in kept]
        write_block(data, block, start_ms=int(times[within][0]) * 1000, interval_ms=STEP_S * 1000)


def record(home: Path, url: str, *, days: int, end: int) -> None:
    """Make the past of the recording rules, and put it beside the raw blocks."""
    slos = new_run(home, url, policy(), at=end).policy.slos
    edges = {one.name: tuple(EDGES) for one in slos.slos if one.indicator.kind == "latency"}
    rules = yaml.safe_load(rules_file(slos.slos, slos, edges=edges, scope={}, environment="bench"))
    events = [group for group in rules["groups"] if group["name"] == "slo_events"]  # all that a status asks for
    (home / "rules.yml").write_text(yaml.safe_dump({"groups": events}))
    command = [str(binaries.find("promtool")), "tsdb", "create-blocks-from", "rules", f"--url={url}"]
    command += [f"--start={end - days * DAY_S}", f"--end={end}", "--max-block-duration=168h"]
    command += [f"--output-dir={home}/recorded", f"{home}/rules.yml"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for block in (path.parent for path in (home / "raw").glob("*/meta.json")):
        shutil.copytree(block, home / "recorded" / block.name, copy_function=os.link)


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
        attained={name: value if isinstance(value, float) else math.nan for name, value in attained.items()},
    )


def alone(function: Callable[..., T], *args: object) -> T:
    """What a function gives in a process of its own: the system counts what we held ourselves to those that we start later."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args).result()


def main() -> None:
    """Measure in turns, so that both meet the same machine."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--days", type=int, default=30, help="of data")
    options.add_argument("--series", type=int, default=1000, help="behind the error rate")
    asked, end = options.parse_args(), int(time.time()) // STEP_S * STEP_S
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        alone(write_data, home / "raw", end, asked.days, asked.series)
        started = time.perf_counter()
        with prometheus(home / "raw") as server:
            record(home, server.url, days=asked.days, end=end)
        print(f"recording the past by promtool: {time.perf_counter() - started:.0f} s", flush=True)
        for number in range(1, ROUNDS + 1):
            costs: dict[str, Cost] = {}
            for kind, limit in LIMITS.items():
                # Just started: a minute later the server would begin to merge recorded and raw blocks.
                with prometheus(home / kind) as server:
                    found = costs[kind] = alone(cost, home, server.url, end)
                is_over = found.seconds > limit or found.megabytes > OURS_MB
                print(
                    f"round {number}, {kind:8}: {found.seconds:5.1f} s, {found.megabytes:4.0f} MB, {found.requests} requests; server "
                    f"{server.cpu_s:4.1f} s of CPU, {server.peak_mb:4.0f} MB; {found.recorded} of {len(found.attained)} objectives "
                    f"from recorded series; {'NOT within' if is_over else 'within'} {limit:g} s and {OURS_MB} MB",
                    flush=True,
                )
            raw, recorded = costs["raw"], costs["recorded"]
            apart = max(abs(raw.attained[name] - recorded.attained[name]) for name in raw.attained)
            load = os.getloadavg()[0]
            print(
                f"round {number}: ratio {raw.seconds / recorded.seconds:.1f}, attained at most {apart:.1e} apart, load {load:.1f}"
            )


if __name__ == "__main__":
    main()
