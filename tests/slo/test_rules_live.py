"""On a real Prometheus the status takes what the rules recorded where that is right, and raw series where it is not."""

import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import numpy.typing as npt
import pytest

from genesis_lib import run as runs
from genesis_lib.demo import binaries
from genesis_lib.demo.tsdb import Series, write_block
from genesis_lib.params import load_environment
from genesis_lib.slo.budget import Budget
from genesis_lib.slo.facts import Floats, gather
from genesis_lib.slo.status import Status, statuses
from tests.builders import ROOT, policy
from tests.slo.four_kinds import KINDS, promtool, rules_in, slos, written

SCRAPE_S, HISTORY = 30, timedelta(days=8)
OBJECTIVES = slos(*KINDS, scrape_interval=f"{SCRAPE_S}s")
OTHER_TARGETS = slos(KINDS[0], KINDS[1] | {"target": 0.5, "warning": 0.5}, KINDS[2], KINDS[3] | {"target": 0.55})
# Environments of one Prometheus, all with the same raw series; told apart by the label `env`, their scope.
ENVIRONMENTS = ("recorded", "other_targets", "half", "raw")


def history(environment: str) -> Iterator[Series]:
    """Uneven load with bad hours; the service restarted on the fifth day; half a day ago, a new sort of error began with five."""
    rng = np.random.default_rng(7)
    points = int(HISTORY.total_seconds()) // SCRAPE_S
    hour = np.arange(points) * SCRAPE_S // 3600
    total = rng.poisson(40 + 30 * np.sin(hour / 24 * 2 * np.pi))
    share = np.where(hour % 31 == 3, 0.05, 0.004)
    bad, slow, slower = (rng.binomial(total, share * often) for often in (1, 2, 4))
    late = points - 12 * 3600 // SCRAPE_S

    def counter(grown: npt.NDArray[np.int64]) -> Floats:
        counted = np.cumsum(grown).astype(np.float64)
        restart = 4 * 86400 // SCRAPE_S
        counted[restart:] -= counted[restart]
        return counted

    def of(name: str, values: Floats, *, first: int = 0, **labels: str) -> Series:
        where = {"__name__": name, "env": environment, "job": "a", "instance": "i"}
        return Series(labels=where | labels, values=values, first=first)

    yield of("ev_total", counter(total))
    yield of("ev_bad_total", counter(bad), kind="usual")
    yield of(
        "ev_bad_total", 5 + np.cumsum(rng.binomial(1, 0.02, points - late)).astype(np.float64), kind="new", first=late
    )
    yield of("lat_seconds_count", counter(total))
    for edge, beyond in (("0.5", slower), ("1.0", slow), ("+Inf", 0 * slow)):
        yield of("lat_seconds_bucket", counter(total - beyond), le=edge)
    yield of("works", (rng.random(points) > share).astype(np.float64))
    yield of("filled", rng.normal(0.5, 0.06, points) + 2 * share)


@contextmanager
def serving(folder: Path, *rules: Path) -> Iterator[str]:
    """A Prometheus over `folder`'s data that scrapes nothing and evaluates these rules every second."""
    (folder / "prometheus.yml").write_text(
        f"global: {{evaluation_interval: 1s}}\nrule_files: {[str(r) for r in rules]}\n"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    program = binaries.find("prometheus")
    storage = [f"--storage.tsdb.path={folder}/data", "--storage.tsdb.retention.time=30d"]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [program, f"--config.file={folder}/prometheus.yml", *storage, f"--web.listen-address={address}"],
            cwd=binaries.working_folder(program),
            stdout=log,
            stderr=log,
        )
    try:
        until(lambda: httpx.get(f"http://{address}/-/ready", trust_env=False).is_success)
        yield f"http://{address}"
    finally:
        server.terminate()
        server.wait(20)


def until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            if is_true():
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise AssertionError("waited in vain")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, datetime]]:
    """A Prometheus with eight days of history, the rules of one environment loaded, and the instant at which the history ends."""
    folder = tmp_path_factory.mktemp("prometheus")
    end = datetime.now(UTC).replace(microsecond=0)
    held = [series for environment in ENVIRONMENTS for series in history(environment)]
    start_ms = int((end - HISTORY).timestamp() * 1000) + 1000 * SCRAPE_S
    write_block(folder / "data", held, start_ms=start_ms, interval_ms=SCRAPE_S * 1000)
    backfilled = {
        "recorded": (OBJECTIVES, HISTORY),
        "other_targets": (OTHER_TARGETS, HISTORY),
        "half": (OBJECTIVES, HISTORY / 2),
    }
    with serving(folder) as url:
        for environment, (of, back) in backfilled.items():
            file = folder / f"{environment}.yml"
            file.write_text(written(of, scope={"env": environment}, environment=environment), encoding="utf-8")
            events = folder / f"{environment}_events.yml"
            events.write_text(file.read_text(encoding="utf-8").partition("- name: slo_burn_rates")[0], encoding="utf-8")
            span = [
                f"--start={(end - back).timestamp():.0f}",
                f"--end={end.timestamp():.0f}",
                "--max-block-duration=384h",
            ]
            command = ("tsdb", "create-blocks-from", "rules", f"--url={url}", *span, f"--output-dir={folder}/data")
            promtool(*command, events)
    with serving(folder, folder / "recorded.yml") as url:
        yield url, end


@pytest.fixture(scope="module")
def found(
    prometheus: tuple[str, datetime], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Mapping[str, Status]]:
    """The status of each objective, by environment and name."""
    url, end = prometheus
    root = tmp_path_factory.mktemp("root")
    (root / "params").mkdir()
    none = "".join(f"{source}: none\n" for source in ("alertmanager", "grafana", "docker"))
    found = {}
    for name in ENVIRONMENTS:
        (root / "params" / f"{name}.yaml").write_text(
            f"title: {name}\nowner: o\nprometheus: {{url: {url}}}\n{none}services: {{}}\ntargets: {{}}\nscope: {{env: {name}}}\n"
            f"policy: {ROOT / 'params' / 'policy'}\n"
        )
        own = policy().model_copy(update={"slos": OBJECTIVES})
        run = runs.create(load_environment(name, root=root), own, root=root, as_of=end, interactive=False)
        found[name] = {one.objective.name: one for one in statuses(gather(run), at=end)}
        run.close()
    return found


def same_as_raw(status: Status, raw: Status) -> bool:
    """Whether it is what raw series say, exactly."""
    return (status.verdict, status.value, status.period.counts, status.budget, status.burns) == (
        (raw.verdict, raw.value, raw.period.counts, raw.budget, raw.burns)
    )


def test_recorded_series_stand_in_for_raw_ones_where_they_agree(found: Mapping[str, Mapping[str, Status]]) -> None:
    """Tiles of five minutes reach over the ends of a window: of a day's events that is less than 1 %, of a period's hardly any."""
    for name, raw in found["raw"].items():
        one = found["recorded"][name]
        assert one.source.is_recorded
        assert one.source.difference is not None
        assert one.source.difference < 0.01
        assert one.source.note == (
            f"recorded series; over the last day recorded events differ from raw ones by {one.source.difference:.2%}"
        )
        assert raw.source.note == "raw series; none are recorded"
        assert (one.verdict, one.value, one.interval) == (raw.verdict, raw.value, raw.interval)
        assert isinstance(one.budget, Budget)
        assert isinstance(raw.budget, Budget)
        assert one.budget.left == pytest.approx(raw.budget.left, abs=0.01)
        assert one.period.attained == pytest.approx(raw.period.attained, abs=1e-4)
        assert one.period.coverage > 0.99
        assert [burn.fires for burn in one.burns] == [burn.fires for burn in raw.burns]
        assert [burn.long for burn in one.burns] == pytest.approx([burn.long for burn in raw.burns], rel=0.01)


def test_recorded_series_of_other_targets_are_not_used(found: Mapping[str, Mapping[str, Status]]) -> None:
    sources = {name: status.source for name, status in found["other_targets"].items()}
    assert {name: source.is_recorded for name, source in sources.items()} == {
        "events": True,  # whose target says nothing of what is bad
        "latency": False,
        "slices": True,
        "value": False,
    }
    for name in ("latency", "value"):
        assert (
            sources[name].note == "raw series; recorded ones disagree: they are of another definition of this objective"
        )
        assert same_as_raw(found["other_targets"][name], found["raw"][name])


def test_recorded_series_of_a_part_of_the_period_are_not_used(found: Mapping[str, Mapping[str, Status]]) -> None:
    for name, status in found["half"].items():
        assert not status.source.is_recorded
        assert re.match(
            r"raw series; recorded ones hold 57\.[01]% of the period; over the last day", status.source.note
        )
        assert same_as_raw(status, found["raw"][name])


def test_loaded_rules_say_what_the_status_says(
    prometheus: tuple[str, datetime], found: Mapping[str, Mapping[str, Status]]
) -> None:
    """Prometheus evaluates them without an error; the alerts that fire are those of which the status says so."""
    url, _ = prometheus

    def asked(path: str, **query: str) -> Any:
        return httpx.get(f"{url}/api/v1/{path}", params=query, trust_env=False).json()["data"]

    def is_evaluated() -> bool:
        groups = {group["name"]: group["rules"] for group in asked("rules")["groups"]}
        health = {rule["health"] for name in ("slo_burn_rates", "slo_alerts") for rule in groups[name]}
        return "unknown" not in health

    until(is_evaluated)
    rules = [rule for group in asked("rules")["groups"] for rule in group["rules"]]
    assert len(rules) == len(rules_in(written(OBJECTIVES)))
    assert [rule for rule in rules if rule["health"] == "err"] == []
    statuses_of = found["recorded"]
    for sample in asked("query", query="slo:error_ratio:rate1d")["result"]:
        assert sample["metric"]["env"] == "recorded"
        status = statuses_of[sample["metric"]["slo"]]
        (day,) = (burn.long for burn in status.burns if burn.window.long == timedelta(days=1))
        assert isinstance(day, float)
        assert float(sample["value"][1]) == pytest.approx(day * status.objective.budget_ratio, rel=0.02)
    severities = {"page": "critical", "ticket": "warning"}
    fires = {(n, severities[b.window.severity]) for n, status in statuses_of.items() for b in status.burns if b.fires}
    until(lambda: bool(asked("query", query="ALERTS")["result"]))
    alerts = asked("query", query="ALERTS")["result"]
    assert {(a["metric"]["slo"], a["metric"]["severity"]) for a in alerts} == fires == {("latency", "warning")}
