"""The node's past ends in the values that its exporter serves now."""

import numpy as np
import pytest

from genesis_lib.demo.node_history import node_series
from genesis_lib.demo.tsdb import Series

NOW = 1_760_000_000.0
TIMES = np.arange(NOW - 14 * 86_400, NOW + 1, 15)
TARGET = {"job": "node", "instance": "127.0.0.1:9100"}


def page(*, uptime_s: float, busy: float = 0.2, cores: int = 2) -> str:
    lines = [f"node_boot_time_seconds {NOW - uptime_s}", f"node_time_seconds {NOW}"]
    for core in range(cores):
        lines += [
            f'node_cpu_seconds_total{{cpu="{core}",mode="{mode}"}} {uptime_s * share}'
            for mode, share in (
                ("idle", 1 - busy),
                ("user", busy * 0.7),
                ("system", busy * 0.25),
                ("iowait", busy * 0.05),
            )
        ]
    lines += [
        'node_cpu_seconds_total{cpu="0",mode="steal"} 3',
        "node_memory_MemTotal_bytes 1.6e+10",
        "node_memory_MemAvailable_bytes 1.59e+10",
        "node_load1 0.5",
        f'node_network_receive_bytes_total{{device="eth0"}} {uptime_s * 2000}',
        'node_network_receive_bytes_total{device="veth1"} 5',
        'node_filesystem_size_bytes{device="/dev/vda",fstype="ext4",mountpoint="/"} 1e+11',
        'node_filesystem_avail_bytes{device="/dev/vda",fstype="ext4",mountpoint="/"} 6e+10',
        'node_filesystem_avail_bytes{device="/dev/vdb",fstype="ext4",mountpoint="/mnt"} 1',
    ]
    return "\n".join(lines) + "\n"


def values_of(text: str, name: str, **labels: str) -> np.ndarray:
    found = [
        s for s in node_series(text, TIMES, target=TARGET) if {"__name__": name, **labels}.items() <= s.labels.items()
    ]
    assert len(found) == 1, found
    assert {**TARGET, **labels}.items() <= found[0].labels.items()
    return found[0].values


UPTIMES = [
    pytest.param(1560.0, id="booted half an hour ago"),
    pytest.param(40 * 86_400.0, id="up for longer than the history"),
]


@pytest.mark.parametrize("uptime_s", UPTIMES)
@pytest.mark.parametrize("busy", [pytest.param(0.02, id="idle host"), pytest.param(0.95, id="busy host")])
@pytest.mark.parametrize("mode", ["idle", "user", "system", "iowait"])
def test_a_counter_ends_in_its_present_value_and_falls_at_the_boot_only(
    uptime_s: float, busy: float, mode: str
) -> None:
    share = {"idle": 1 - busy, "user": busy * 0.7, "system": busy * 0.25, "iowait": busy * 0.05}[mode]
    seconds = values_of(page(uptime_s=uptime_s, busy=busy), "node_cpu_seconds_total", cpu="1", mode=mode)
    assert seconds[-1] == pytest.approx(uptime_s * share, abs=0.01)
    falls = np.flatnonzero(np.diff(seconds) < 0)
    booted_within = NOW - uptime_s > TIMES[0]
    assert len(falls) == int(booted_within)
    if booted_within:
        assert TIMES[falls[0]] < NOW - uptime_s <= TIMES[falls[0] + 1]
        assert seconds[falls[0] + 1] <= 15  # Prometheus counts all of it as increase


@pytest.mark.parametrize("uptime_s", UPTIMES)
def test_no_core_ever_does_more_than_a_second_per_second(uptime_s: float) -> None:
    modes = [
        np.diff(values_of(page(uptime_s=uptime_s), "node_cpu_seconds_total", cpu="0", mode=mode))
        for mode in ("idle", "user", "system", "iowait")
    ]
    steady = np.all(np.array(modes) >= 0, axis=0)
    np.testing.assert_allclose(np.sum(modes, axis=0)[steady], 15, atol=0.05)


@pytest.mark.parametrize("name", ["node_memory_MemAvailable_bytes", "node_load1", "node_filesystem_avail_bytes"])
def test_a_gauge_sways_a_little_and_ends_in_its_present_value(name: str) -> None:
    now = {"node_memory_MemAvailable_bytes": 1.59e10, "node_load1": 0.5, "node_filesystem_avail_bytes": 6e10}[name]
    gauge = values_of(page(uptime_s=5000), name)
    assert gauge[-1] == now
    assert gauge.std() > 0
    assert np.abs(gauge / now - 1).max() < 0.31


def test_memory_is_never_more_available_than_there_is() -> None:
    assert values_of(page(uptime_s=5000), "node_memory_MemAvailable_bytes").max() <= 1.6e10


def test_a_boot_within_the_history_shows_in_the_boot_time() -> None:
    boots = values_of(page(uptime_s=1560), "node_boot_time_seconds")
    assert boots[-1] == NOW - 1560
    assert boots[0] < TIMES[0]
    assert len(np.unique(boots)) == 2


def test_only_the_main_series_are_kept_and_a_large_host_does_not_swell_the_history() -> None:
    series: list[Series] = list(node_series(page(uptime_s=5000, cores=64), TIMES, target=TARGET))
    labels = [s.labels for s in series]
    assert {label.get("mode") for label in labels} == {None, "idle", "user", "system", "iowait"}
    assert {label.get("device") for label in labels} == {None, "eth0", "/dev/vda"}
    assert sum(label["__name__"] == "node_cpu_seconds_total" for label in labels) == 8 * 4
