"""A real Prometheus whose past a test has written: a sample a minute over two periods of a week, up to a fixed instant."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from genesis_lib import run as runs
from genesis_lib.demo import binaries, ready
from genesis_lib.demo.children import Children
from genesis_lib.demo.ports import Reservation
from genesis_lib.demo.tsdb import Series, write_block
from genesis_lib.objectives.objective import Objective
from genesis_lib.objectives.slos import Slos
from genesis_lib.params import load_environment
from genesis_lib.run import Run
from genesis_lib.slo.facts import Floats
from tests import builders

HOUR, DAY, WEEK = 60, 24 * 60, 7 * 24 * 60  # in samples
LENGTH = 2 * WEEK + HOUR
# Samples lie on the minute, and what is judged is half a minute later. So a window of n minutes holds n samples in every version of
# Prometheus, whether it counts the samples at both ends of a range or not.
AS_OF = datetime.now(UTC).replace(minute=0, second=30, microsecond=0) - timedelta(hours=1)
_START = AS_OF - timedelta(seconds=30) - (LENGTH - 1) * timedelta(minutes=1)
_BURN_WINDOWS = builders.policy().slos.burn_windows
_STALE = np.uint64(0x7FF0000000000002)  # the NaN that Prometheus writes where a target no longer has a series


def each_minute(value: float) -> Floats:
    """The same at all times."""
    return np.full(LENGTH, float(value))


def lately(value: float, *, minutes: int, before: float = 0.0) -> Floats:
    """One value in the last minutes, and another one before."""
    values = each_minute(before)
    values[-minutes:] = value
    return values


def counter(growth: Floats, *, start: float = 1e6) -> Floats:
    """A counter that grows by so much in each minute."""
    return start + np.cumsum(growth)


def restarted(values: Floats, *, minutes: int) -> Floats:
    """A counter that began anew at zero, so many minutes ago."""
    values = values.copy()
    values[-minutes:] -= values[-minutes - 1]
    return values


def without(values: Floats, *, last: int, until: int = 0) -> Floats:
    """Nothing from `last` to `until` minutes ago: the target could not be scraped, or did not have the series."""
    values = values.copy()
    values.view(np.uint64)[len(values) - last : len(values) - until] = _STALE
    return values


def series(name: str, values: Floats, *, instance: str = "a", **labels: str) -> Series:
    """A series of the job `app`."""
    return Series(labels={"__name__": name, "job": "app", "instance": instance} | labels, values=values)


def born(name: str, values: Floats, *, minutes: int, instance: str = "a", **labels: str) -> Series:
    """A series that began so many minutes ago; `values` are cut to them."""
    whole = series(name, values, instance=instance, **labels)
    return Series(labels=whole.labels, values=values[-minutes:], first=LENGTH - minutes)


def objective(name: str, **other: Any) -> dict[str, Any]:
    """An objective as slos.yaml would hold it: by default the share of bad events in an hour, under 1 %."""
    plain = {
        "title": name,
        "indicator": {"kind": "events", "bad": f"{name}_bad_total", "total": f"{name}_total"},
        "unit": "ratio",
        "better": "lower",
        "target": 0.01,
        "warning": 0.01,
        "critical": 0.05,
        "window": "1h",
    }
    return {"name": name} | plain | other


def slos(*objectives: Mapping[str, Any], scrape_interval: str = "1m") -> Slos:
    """These objectives, with a week as their period and policy's alert windows."""
    shared = {"period": "7d", "confidence": 0.95, "scrape_interval": scrape_interval, "burn_windows": _BURN_WINDOWS}
    return Slos.model_validate(shared | {"slos": [dict(one) for one in objectives]})


def made(name: str = "one", **other: Any) -> Objective:
    """One objective by itself."""
    return slos(objective(name, **other)).slos[0]


@dataclass(frozen=True, kw_only=True)
class Server:
    """A Prometheus that holds what was written."""

    url: str
    folder: Path

    def run(self, *objectives: Mapping[str, Any], scrape_interval: str = "1m") -> Run:
        """A run that asks for these objectives."""
        (self.folder / "past.yaml").write_text(
            f"title: The past\nowner: nobody\nprometheus: {{url: {self.url!r}, retries: 0}}\nalertmanager: none\ngrafana: none\n"
            f"docker: none\nservices: {{prometheus: {{source: prometheus}}}}\ntargets: {{app: {{count: 1}}}}\n"
            f"policy: {builders.ROOT / 'params' / 'policy'}\n"
        )
        environment = load_environment(str(self.folder / "past.yaml"), root=self.folder)
        policy = builders.policy().model_copy(update={"slos": slos(*objectives, scrape_interval=scrape_interval)})
        return runs.create(environment, policy, root=self.folder, as_of=AS_OF, interactive=False)


@contextmanager
def serving(folder: Path, past: Sequence[Series]) -> Iterator[Server]:
    """A Prometheus over these series, for as long as it is needed."""
    (folder / "data").mkdir()
    write_block(folder / "data", past, start_ms=round(_START.timestamp() * 1000), interval_ms=60_000)
    (folder / "prometheus.yml").write_text("global: {}\n")
    program, children = binaries.find("prometheus"), Children(folder)
    reservation = Reservation({"prometheus": 0}, locks=folder / "locks")
    address = reservation.addresses["prometheus"]
    reservation.release("prometheus")
    arguments = [
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=30d",
        f"--web.listen-address={address}",
    ]
    children.start("prometheus", program, *arguments, cwd=binaries.working_folder(program))
    try:
        ready.page(f"http://{address}/-/ready", children)
        yield Server(url=f"http://{address}", folder=folder)
    finally:
        children.end()
        reservation.close()
