"""What the instrumentation costs: CPU against that of an operation, CPU of a scrape, and memory that operations leave behind.

    .venv/bin/python benchmarks/telemetry_overhead.py [--json FILE] [--seconds 16]

The first two are of the workload's own instrumentation (`Instruments` of genesis_lib/demo/workload.py): a span and three child spans,
four histograms and two counters for each operation. All times are CPU times of the whole process, helper threads included; so other load
on the machine lengthens none by its own time. docs/overhead.md says how each number comes about, and why.
"""

import argparse
import gc
import hashlib
import json
import math
import os
import platform
import random
import resource
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from prometheus_client import CollectorRegistry, make_wsgi_app

import genesis_lib
from genesis_lib.demo import scenario as scenarios
from genesis_lib.demo import telemetry
from genesis_lib.demo.measured import code_digest
from genesis_lib.demo.workload import Instruments, Operation
from genesis_lib.observability import MetricKind, SpanType

SECONDS = 16.0  # what all of it takes on a calm machine
GROUPS, PAIRS, OPERATIONS, SCRAPES = 24, 10, 100_000, 60
GROUP, PARTS = 10, 8  # pairs of which the least disturbed counts; parts of an operation's work
WARM_UP = 0.05  # as a share of the operations whose memory is watched: until lists and caches are full
INTERVAL_S = 15  # between two scrapes: monitoring/prometheus_config.yml
# What Prometheus asks for, and what a person with a browser gets.
ACCEPTED = ("application/openmetrics-text;version=1.0.0", "text/plain;version=0.0.4")


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A median, and two observations between which the true one lies with 95 % confidence, whatever the distribution."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, observed: Sequence[float]) -> "Estimate":
        """From independent observations, by order statistics."""
        ordered = sorted(observed)
        rank = max(0, math.floor((len(ordered) - 1.96 * math.sqrt(len(ordered))) / 2))
        return cls(middle=median(ordered), low=ordered[rank], high=ordered[-1 - rank])


def compute(rounds: int) -> None:
    """Work as an operation of Genesis does: plans are made, written, read and compared."""
    for number in range(rounds):
        plan = {f"task-{step}": {"after": [step - 1], "cost": (step * number) % 17} for step in range(20)}
        text = json.dumps(plan)
        hashlib.sha256(text.encode()).digest()
        sorted(json.loads(text).items(), key=lambda task: task[1]["cost"])


def cpu_s(function: Callable[[], object]) -> float:
    """CPU seconds that a call takes."""
    began = time.process_time()
    function()
    return time.process_time() - began


def rounds_of(seconds: float) -> int:
    """How many rounds of work take so much CPU here, at the best that this machine shows."""
    return max(1, round(100 * seconds / min(cpu_s(lambda: compute(100)) for _ in range(50))))


def apart(instrumented: Callable[[], None], rounds: int, groups: int) -> Estimate:
    """CPU of the instrumentation against that of an operation's work: each time after a part of that work, and timed apart from it.

    The work drives the instrumentation out of the processor's caches, as it does in life. Of each group the least of either counts,
    as in timeit: whatever else runs on a machine can only add.
    """
    part = rounds // PARTS

    def ratio() -> float:
        pairs = [(cpu_s(lambda: compute(part)), cpu_s(instrumented)) for _ in range(GROUP)]
        work, cost = min(one[0] for one in pairs), min(one[1] for one in pairs)
        return cost / (work * rounds / part)

    return Estimate.of([ratio() for _ in range(groups)])


def together(instrumented: Callable[[], None], rounds: int, pairs: int) -> Estimate:
    """The same by whole operations, bare and instrumented, in turns and in random order: a small difference of large numbers."""

    def whole() -> None:
        compute(rounds)
        instrumented()

    turns: tuple[Callable[[], None], ...] = (lambda: compute(rounds), whole)
    ratios = []
    for _ in range(pairs):
        took = {turn: cpu_s(turns[turn]) for turn in random.sample((0, 1), 2)}
        ratios.append(took[1] / took[0] - 1)
    return Estimate.of(ratios)


def left_behind(operation: Callable[[], None], operations: int) -> tuple[int, float]:
    """Bytes by which our memory grows over all operations, and for each 10,000 of their second half, in which a leak would go on."""

    def resident_after(count: int) -> int:
        for _ in range(count):
            operation()
        return resident_bytes()

    begin, half, end = (resident_after(round(operations * share)) for share in (WARM_UP, 0.5, 0.5))
    return end - begin, (end - half) / (operations / 2) * 10_000


def resident_bytes() -> int:
    """Our memory: what is resident now or, on systems other than Linux, the most that ever was."""
    gc.collect()
    if platform.system() == "Linux":
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if platform.system() == "Darwin" else most * 1024


def scrape_s(pages: Collection[CollectorRegistry], accepted: str) -> float:
    """CPU seconds that rendering and compressing all pages once takes the application that serves them."""
    asked = {"REQUEST_METHOD": "GET", "PATH_INFO": "/metrics", "HTTP_ACCEPT": accepted, "HTTP_ACCEPT_ENCODING": "gzip"}
    apps = [make_wsgi_app(page) for page in pages]
    return cpu_s(lambda: [app(asked, lambda *_: None) for app in apps])


def measure(share: float) -> dict[str, Any]:
    """All of it, with this share of the usual effort, as it goes into the file."""
    groups, pairs, operations, scrapes = (max(3, round(full * share)) for full in (GROUPS, PAIRS, OPERATIONS, SCRAPES))
    scenario = scenarios.load("healthy")
    took_s = {name: stage.median_s for name, stage in scenario.traffic.stages.items()}
    length_s = sum(took_s.values())

    observed = telemetry.of_job("genesis-orchestration", version=scenario.version, registry=CollectorRegistry())

    def operation() -> None:
        context = observed.create_correlation_context("a request of the benchmark")
        with observed.timed_operation("genesis.operation", SpanType.ORCHESTRATION, context):
            observed.record_metric("genesis.operations", 1, "", kind=MetricKind.COUNTER)

    growth, growth_per_10k = left_behind(operation, operations)

    instruments = Instruments(scenario)
    one = Operation(took_s=took_s, ended=time.time(), has_failed=False)
    tight = min(cpu_s(lambda: instruments.operation(one)) for _ in range(scrapes * GROUP)) / length_s
    rounds = max(PARTS, rounds_of(length_s))
    overhead = apart(lambda: instruments.operation(one), rounds, groups)
    whole = together(lambda: instruments.operation(one), rounds, pairs)
    pages = instruments.registries.values()
    scraped_s = max(median(scrape_s(pages, accepted) for _ in range(scrapes)) for accepted in ACCEPTED)
    return {
        "schema": 1,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "code": code_digest(Path(genesis_lib.__file__).parent),
        "overhead": {
            "ratio": overhead.middle,
            "low": overhead.low,
            "high": overhead.high,
            "pairs": groups * GROUP,
            "operation_s": length_s,
            "cost_us": overhead.middle * length_s * 1e6,
            "whole_operations": {"ratio": whole.middle, "low": whole.low, "high": whole.high, "pairs": pairs},
            "tight_loop": {"ratio": tight},
        },
        "collection": {
            "share": scraped_s / INTERVAL_S,
            "cpu_s_per_scrape": scraped_s,
            "interval_s": INTERVAL_S,
            "series": sum(len(metric.samples) for page in pages for metric in page.collect()),
        },
        "memory": {
            "operations": operations,
            "growth_bytes": growth,
            "growth_bytes_per_10k": growth_per_10k,
        },
    }


def main() -> None:
    """Measure, write, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the result for machines")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="about how long; fewer: fewer pairs and operations"
    )
    options = parser.parse_args()
    result = measure(options.seconds / SECONDS)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    overhead, collection, memory = (result[name] for name in ("overhead", "collection", "memory"))
    whole = overhead["whole_operations"]
    for row in (
        ("", "measured", "95 % interval", "report"),
        (
            "overhead, timed apart",
            f"{overhead['ratio']:.3%}",
            f"{overhead['low']:.3%} to {overhead['high']:.3%}",
            "< 1 %",
        ),
        ("overhead, whole operations", f"{whole['ratio']:.3%}", f"{whole['low']:.3%} to {whole['high']:.3%}", ""),
        ("overhead, in a tight loop", f"{overhead['tight_loop']['ratio']:.3%}", "", ""),
        (f"collection, of {INTERVAL_S} s", f"{collection['share']:.4%}", "", "< 0.5 %"),
        ("memory, bytes per 10,000 operations", f"{memory['growth_bytes_per_10k']:,.0f}", "", "none lost"),
    ):
        print(f"{row[0]:36}{row[1]:>10}   {row[2]:20}{row[3]}")
    length_ms, scrape_ms = overhead["operation_s"] * 1000, collection["cpu_s_per_scrape"] * 1000
    print(
        f"\nThe upper end of the first is what is judged: {overhead['cost_us']:.0f} µs of {length_ms:.1f} ms, {overhead['pairs']} pairs.\n"
        f"A scrape of {collection['series']} series takes {scrape_ms:.1f} ms; {memory['operations']:,} operations left "
        f"{memory['growth_bytes']:,} bytes.\nPython {result['python']}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors."
    )


if __name__ == "__main__":
    main()
