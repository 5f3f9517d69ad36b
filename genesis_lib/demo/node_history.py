"""Lead the running node exporter's series back in time, so that the past meets the present without a seam."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from genesis_lib.demo.tsdb import Series

__all__ = ["node_series"]

Times = NDArray[np.float64]

_COUNTERS = {"node_network_receive_bytes_total", "node_network_transmit_bytes_total"}
# By how much a gauge sways around its present value, as a share of it.
_SWAY = {
    "node_memory_MemAvailable_bytes": 0.02,
    "node_memory_MemFree_bytes": 0.02,
    "node_load1": 0.3,
    "node_load5": 0.2,
    "node_load15": 0.1,
    "node_filesystem_avail_bytes": 0.002,
    "node_filesystem_free_bytes": 0.002,
}
_CONSTANTS = {"node_memory_MemTotal_bytes", "node_filesystem_size_bytes", "node_uname_info", "node_exporter_build_info"}
_CEILINGS = {
    "node_memory_MemAvailable_bytes": "node_memory_MemTotal_bytes",
    "node_memory_MemFree_bytes": "node_memory_MemTotal_bytes",
    "node_filesystem_avail_bytes": "node_filesystem_size_bytes",
    "node_filesystem_free_bytes": "node_filesystem_size_bytes",
}
_MAX_CORES = 8  # a host with 64 cores would make its history larger than all the rest
_VIRTUAL_DEVICE = re.compile(r"lo|veth|br-|docker|virbr|tap|cali|cni")
# A host that booted within the history had an earlier life; these are its CPU shares then, the rest being idle.
_EARLIER_CPU_SHARES = {"user": 0.14, "system": 0.05, "iowait": 0.01}
_CPU_SWAY = 0.35


def node_series(page: str, times: Times, *, target: Mapping[str, str]) -> Iterator[Series]:
    """The main series of a node exporter's /metrics page at `times` (Unix seconds), the last of which is the present.

    A counter rises from 0 at boot to its present value, for Prometheus reads a fall as a restart; before that boot there was another.
    """
    samples = [s for family in text_string_to_metric_families(page) for s in family.samples if _is_kept(s)]
    present = {(s.name, tuple(sorted(s.labels.items()))): s.value for s in samples}
    boot = min(next((s.value for s in samples if s.name == "node_boot_time_seconds"), times[0]), times[-1] - 1)
    earlier_boot = min(boot, times[0]) - timedelta(days=3).total_seconds()
    life = _Life(times=times, boot=boot, earlier_boot=earlier_boot)
    for sample in samples:
        yield Series(labels={"__name__": sample.name, **target, **sample.labels}, values=_values(sample, present, life))


class _Life:
    """When the host booted, and the sway of its use by day and hour: mean 0 since each boot, 0 in the present."""

    def __init__(self, *, times: Times, boot: float, earlier_boot: float) -> None:
        self.times = times
        self.boot = boot
        self.is_earlier = times < boot
        self.booted = np.where(self.is_earlier, earlier_boot, boot)
        self.uptime = times - self.booted
        self.uptime_now = times[-1] - boot
        self._periods = (86_400.0, 19_080.0, 6_120.0)

    def sway(self) -> Times:
        """Between -1 and 1, and 0 in the present."""
        total = np.zeros(len(self.times))
        for period in self._periods:
            total += np.sin(2 * np.pi * (self.times - self.times[-1]) / period) / len(self._periods)
        return total

    def swayed_s(self) -> Times:
        """The integral of a sway since boot, in seconds: 0 at boot and in the present, so that it adds nothing in all."""
        total, drift = np.zeros(len(self.times)), 0.0
        for period in self._periods:
            turn = 2 * np.pi / period
            total += (1 - np.cos(turn * self.uptime)) / turn / len(self._periods)
            drift += (1 - np.cos(turn * self.uptime_now)) / turn / len(self._periods)
        return np.where(self.is_earlier, total, total - drift * self.uptime / self.uptime_now)


def _is_kept(sample: Sample) -> bool:
    labels = sample.labels
    if sample.name == "node_cpu_seconds_total":
        return labels["mode"] in {"idle", *_EARLIER_CPU_SHARES} and int(labels["cpu"]) < _MAX_CORES
    if sample.name.startswith("node_filesystem_"):
        return labels["mountpoint"] == "/" and sample.name in _SWAY.keys() | _CONSTANTS
    if sample.name in _COUNTERS:
        return not _VIRTUAL_DEVICE.match(labels["device"])
    return sample.name in _SWAY.keys() | _CONSTANTS | {"node_boot_time_seconds", "node_time_seconds"}


def _values(sample: Sample, present: Mapping[tuple[str, tuple[tuple[str, str], ...]], float], life: _Life) -> Times:
    if sample.name == "node_cpu_seconds_total":
        return _cpu(sample, present, life)
    if sample.name == "node_time_seconds":
        return life.times
    if sample.name == "node_boot_time_seconds":
        return life.booted
    if sample.name in _COUNTERS:
        counted: Times = np.rint(sample.value / life.uptime_now * life.uptime)
        return counted
    if sample.name in _CONSTANTS:
        return np.full(len(life.times), sample.value)
    ceiling = present.get((_CEILINGS.get(sample.name, ""), tuple(sorted(sample.labels.items()))), np.inf)
    digits = 0 if sample.name.endswith("_bytes") else 2
    return np.clip(sample.value * (1 + _SWAY[sample.name] * life.sway()), 0, ceiling).round(digits)


def _cpu(sample: Sample, present: Mapping[tuple[str, tuple[tuple[str, str], ...]], float], life: _Life) -> Times:
    """The seconds that one core spent in one mode: what the busy modes take more by day, idle gives."""
    mode = sample.labels["mode"]
    now = {
        m: present.get((sample.name, tuple(sorted({**sample.labels, "mode": m}.items()))), 0.0) / life.uptime_now
        for m in ("idle", *_EARLIER_CPU_SHARES)
    }
    busy_now, busy_then = sum(now.values()) - now["idle"], sum(_EARLIER_CPU_SHARES.values())
    sway_now = _CPU_SWAY * min(1.0, now["idle"] / max(busy_now, 1e-9)) * 0.5  # so that idle never runs backwards
    mean_now, swing_now = now[mode], now[mode] * sway_now
    if mode == "idle":
        mean_then, swing_now, swing_then = 1 - busy_then, -busy_now * sway_now, -busy_then * _CPU_SWAY
    else:
        mean_then, swing_then = _EARLIER_CPU_SHARES[mode], _EARLIER_CPU_SHARES[mode] * _CPU_SWAY
    mean = np.where(life.is_earlier, mean_then, mean_now)
    swing = np.where(life.is_earlier, swing_then, swing_now)
    seconds: Times = (mean * life.uptime + swing * life.swayed_s()).round(2)
    return seconds
