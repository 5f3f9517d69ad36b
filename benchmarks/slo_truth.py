"""Whether our numbers are right: attained share and burn rate beside those of slo-generator, on one Prometheus, at one instant.

    .venv/bin/python benchmarks/slo_truth.py

slo-generator goes into a folder that is thrown away. It rounds its SLI to 6 digits and its burn rate to 1, so the table holds what its
backend counted, unrounded; and it always asks about now, so its queries are pinned to the instant by `@`. Uptime counts the same slices of
a minute on both sides. Ends with 1 where two numbers differ by more than 1e-6, or where we err as it does.
"""

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from genesis_lib import run as runs
from genesis_lib.demo import binaries
from genesis_lib.demo.tsdb import Series, write_block
from genesis_lib.model import Missing
from genesis_lib.params import load_environment
from genesis_lib.policy import load_policy
from genesis_lib.run import Run
from genesis_lib.slo.facts import gather
from genesis_lib.slo.period import attained_of
from genesis_lib.slo.status import status

ROOT = Path(__file__).parents[1]
PACKAGES = ("slo-generator==2.6.0", "prometheus-http-client==1.0.0")
STEP_S, DAY_S, DAYS, INSTANCES, LATE_ERRORS = 15, 86_400, 8, 10, 40
WINDOWS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}
Found = dict[str, dict[str, float | Missing]]
COMPARED, ALLOWED = ("errors", "latency", "uptime"), 1e-6
ENVIRONMENT = """
{{title: Bench, owner: nobody, prometheus: {{url: "{url}", timeout_s: 120}}, alertmanager: none, grafana: none, docker: none,
services: {{}}, targets: {{}}}}
"""
SLOS = """
period: 7d
confidence: 0.95
scrape_interval: 15s
burn_windows:
  7d:
    - {long: 1h, short: 5m, budget: 0.08, severity: page}
    - {long: 1d, short: 2h, budget: 0.20, severity: ticket}
    - {long: 7d, short: 6h, budget: 0.99, severity: ticket}
slos:
  - &ratio
    {name: errors, title: Errors, indicator: {kind: events, bad: demo_errors_total, total: demo_operations_total}, unit: ratio,
     better: lower, target: 0.001, warning: 0.001, critical: 0.01, window: 1h}
  - {name: latency, title: Latency, indicator: {kind: latency, histogram: demo_duration_seconds, quantile: 0.95}, unit: seconds,
     better: lower, target: 0.2, warning: 0.2, critical: 0.5, window: 1h}
  - &slices
    {name: uptime, title: Uptime, indicator: {kind: slices, query: up, good: "== 1"}, unit: ratio, better: higher,
     target: 0.999, warning: 0.99, critical: 0.9, window: 1h}
  - {<<: *ratio, name: misspelt, indicator: {kind: events, bad: demo_misspelt_total, total: demo_operations_total}}
  - {<<: *ratio, name: late, indicator: {kind: events, bad: demo_late_errors_total, total: demo_operations_total}}
  - {<<: *slices, name: all, target: 1.0, warning: 1.0}
"""
# Runs where slo-generator is: its numbers by SLO and window, as its backend counts them, and as it reports them.
THEIRS = """
import json, sys
from slo_generator.backends.prometheus import PrometheusBackend
from slo_generator.compute import compute

asked, found = json.load(sys.stdin), {}
for name, slo in asked["slos"].items():
    at, goal = slo["at"], slo["spec"]["goal"]
    for step, report in zip(asked["steps"], compute(slo, asked["config"], timestamp=at)):
        backend = PrometheusBackend(url=asked["config"]["backends"]["prometheus"]["url"])
        good, bad = getattr(backend, slo["spec"]["method"])(at, step["window"], slo)
        found[f"{name} {step['name']}"] = {
            "share": good / (good + bad),
            "burn": bad / (good + bad) / (1 - goal) if goal < 1 else None,
            "reported": f"share {report['sli_measurement']}, burn {report['error_budget_burn_rate']}",
        }
json.dump(found, sys.stdout)
"""


@dataclass(kw_only=True)
class Server:
    """A Prometheus; its peak RSS, with the blocks that it maps, and its CPU time are known once it has ended."""

    url: str
    peak_mb: float = 0.0
    cpu_s: float = 0.0


@contextmanager
def prometheus(data: Path) -> Iterator[Server]:
    """A Prometheus that serves what lies in a data folder, and scrapes nothing."""
    configuration = data.with_suffix(".yml")
    configuration.write_text("global: {scrape_interval: 15s}\n")
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    program, server = binaries.find("prometheus"), Server(url=f"http://127.0.0.1:{port}")
    command = [str(program), f"--config.file={configuration}", f"--storage.tsdb.path={data}", "--log.level=error"]
    command += ["--storage.tsdb.retention.time=90d", f"--web.listen-address=127.0.0.1:{port}"]
    process = subprocess.Popen(command, cwd=binaries.working_folder(program))
    try:
        while not _is_ready(server.url):
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        _, process.returncode, usage = os.wait4(process.pid, 0)
        server.peak_mb = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
        server.cpu_s = usage.ru_utime + usage.ru_stime


def new_run(home: Path, url: str, slos: str, *, at: float) -> Run:
    """A run about a Prometheus and nothing else, with these objectives."""
    shutil.copytree(ROOT / "params/policy", home / "params/policy", dirs_exist_ok=True)
    (home / "params/policy/slos.yaml").write_text(slos)
    (home / "params/bench.yaml").write_text(ENVIRONMENT.format(url=url))
    policy = load_policy(home / "params/policy", root=home)
    as_of = datetime.fromtimestamp(at, UTC)
    return runs.create(load_environment("bench", root=home), policy, root=home, as_of=as_of, interactive=True)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def write_data(data: Path, end: int) -> None:
    """Errors, many in the last quarter of an hour; a histogram; `up`, 0 for minutes every 6 h; errors of a series that begins late."""
    times = np.arange(end - DAYS * DAY_S, end + 1, STEP_S)
    ago, series = end - times, []

    def add(name: str, values: Any, **labels: str) -> None:
        values, labels = np.asarray(values, np.float64), labels | {"__name__": name, "job": "demo"}
        series.append(Series(labels=labels, values=values, first=len(times) - len(values)))

    for n in range(INSTANCES):
        rng, of = np.random.default_rng(n), {"instance": f"i-{n}"}
        operations = rng.poisson(20 * (1 + 0.6 * np.sin(times * 2 * np.pi / DAY_S)))
        add("demo_operations_total", operations.cumsum(), **of)
        add("demo_errors_total", rng.binomial(operations, np.where(ago < 900, 0.05, 0.0005)).cumsum(), **of)  # noqa: PLR2004
        add("demo_duration_seconds_count", operations.cumsum(), **of)
        add("demo_duration_seconds_bucket", operations.cumsum(), le="+Inf", **of)
        add("demo_duration_seconds_bucket", rng.binomial(operations, 0.97).cumsum(), le="0.2", **of)
        add("up", abs(ago % 21_600 - 1_000) > 100 + 7 * n, **of)
    add("demo_late_errors_total", np.full(1800 // STEP_S, LATE_ERRORS), instance="i-0")
    write_block(data, series, start_ms=int(times[0]) * 1000, interval_ms=STEP_S * 1000)


def theirs(folder: Path, url: str, end: int) -> dict[str, Any]:
    """What slo-generator finds, by SLO and window."""
    at = f"@ {end}"

    def slo(goal: float, method: str = "good_bad_ratio", when: int = end, **indicator: object) -> dict[str, Any]:
        spec = {"description": "", "backend": "prometheus", "method": method, "exporters": [], "goal": goal}
        spec |= {"error_budget_policy": "default", "service_level_indicator": indicator}
        labels = {"service_name": "demo", "feature_name": "demo", "slo_name": "demo"}
        head = {"apiVersion": "sre.google.com/v2", "kind": "ServiceLevelObjective"}
        return head | {"metadata": {"name": "demo", "labels": labels}, "spec": spec, "at": when}

    def errors(name: str, at: str, when: int = end) -> dict[str, Any]:
        total, bad = f"sum(increase(demo_operations_total[window]{at}))", f"sum(increase({name}[window]{at}))"
        return slo(0.999, when=when, operators=[], filter_good=f"{total} - ({bad} or vector(0))", filter_bad=bad)

    good, valid = f"sum(sum_over_time(up[window:1m] {at}))", f"sum(count_over_time(up[window:1m] {at}))"
    buckets = f'demo_duration_seconds_bucket{{job="demo"}}[window] {at}'
    slos = {
        "errors": errors("demo_errors_total", at),
        "latency": slo(0.95, "distribution_cut", expression=buckets, threshold_bucket="0.2"),
        "uptime": slo(0.999, operators=[], filter_good=good, filter_valid=valid),
        "misspelt": errors("demo_misspelt_total", at),
        "late": errors("demo_late_errors_total", at),
        "all": slo(1, operators=[], filter_good=good, filter_valid=valid),
        "yesterday": errors("demo_errors_total", "", when=end - DAY_S),
    }
    told = {"burn_rate_threshold": 1, "alert": False, "message_alert": "", "message_ok": ""}
    steps = [{"name": name, "window": int(window.total_seconds()), **told} for name, window in WINDOWS.items()]
    policies = {"default": {"steps": steps}}
    config = {"backends": {"prometheus": {"url": url}}, "exporters": {}, "error_budget_policies": policies}
    venv.create(folder, with_pip=True)
    python = str(folder / "bin/python")
    subprocess.run([python, "-m", "pip", "install", "-qq", *PACKAGES], check=True)
    asked = json.dumps({"slos": slos, "steps": steps, "config": config})
    environment = os.environ | {"NO_PROXY": "127.0.0.1"}
    command = [python, "-c", THEIRS]
    found = subprocess.run(command, input=asked, stdout=subprocess.PIPE, env=environment, check=True, text=True)
    return dict(json.loads(found.stdout))


def ours(run: Run) -> Found:
    """What we find, by the same names."""
    found = {}
    for facts in gather(run).objectives:
        for (name, window), burn in zip(WINDOWS.items(), status(facts, at=run.as_of).burns, strict=True):
            counts = facts.counts[window]
            numbers = {"share": attained_of(counts), "burn": burn.long, "bad": counts.bad}
            found[f"{facts.objective.name} {name}"] = numbers
    return found


def compare(own: Found, other: dict[str, Any]) -> bool:
    """Print the numbers side by side; whether all are equal."""
    print(f"{'':20}{'ours':>18}{'slo-generator':>18}{'difference':>12}   as it reports")
    largest = 0.0
    for key in (f"{name} {window}" for name in COMPARED for window in WINDOWS):
        for what in ("share", "burn"):
            one, two = own[key][what], other[key][what]
            one = math.nan if isinstance(one, Missing) else one
            largest = max(largest, math.inf if math.isnan(one) else abs(one - two))
            print(f"{key:12}{what:8}{one:18.12f}{two:18.12f}{abs(one - two):12.1e}   {other[key]['reported']}")
    print(f"largest difference {largest:.1e}; allowed {ALLOWED:g}\n")
    return largest <= ALLOWED


def where_it_errs(now: Found, before: Found, other: dict[str, Any]) -> bool:
    """Print where slo-generator is wrong; whether we are right there."""
    misspelt, late, every = now["misspelt 1h"]["share"], now["late 1h"]["bad"], now["all 1h"]["burn"]
    today, yesterday = now["errors 1h"]["share"], before["errors 1h"]["share"]
    no_share = misspelt.detail if isinstance(misspelt, Missing) else f"share {misspelt}"
    cases = (
        ("misspelt", "bad events have no series", no_share, isinstance(misspelt, Missing)),
        ("late", f"{LATE_ERRORS} errors begin a new series", f"{late} bad events", late == LATE_ERRORS),
        ("all", "target 100 %, bad slices", f"burn {every}", every == math.inf),
        ("yesterday", "asked about yesterday", f"share {yesterday}, and now {today}", yesterday != today),
    )
    for name, says, own, is_right in cases:
        report = other[f"{name} 1h"]["reported"]
        print(f"{says:30}slo-generator: {report:28}ours: {own}{'' if is_right else ' - WRONG'}")
    return all(is_right for *_, is_right in cases)


def main() -> None:
    """Ask both, and compare."""
    end = int(time.time()) // STEP_S * STEP_S
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        write_data(home / "data", end)
        with prometheus(home / "data") as server:
            now, before = (ours(new_run(home, server.url, SLOS, at=at)) for at in (end, end - DAY_S))
            other = theirs(home / "venv", server.url, end)
        is_equal, is_right = compare(now, other), where_it_errs(now, before, other)
    sys.exit(0 if is_equal and is_right else 1)


if __name__ == "__main__":
    main()
