"""Explain why nobody exposes a metric: a misspelled name, or a collector of the node exporter that is off or has nothing to tell."""

from difflib import SequenceMatcher, get_close_matches

from genesis_lib.checks.ask.series import MEMORY, LadderFacts
from genesis_lib.model import Missing

__all__ = ["explain"]

# How alike two names are, of 1: enough to offer one for the other, and enough to do so against another explanation.
_LIKELY, _SURE = 0.75, 0.9
_AS_GOOD = 0.05  # names that are as near as the nearest are offered beside it

# Collectors of the node exporter whose metrics are not named after them.
_COLLECTOR_OF = {
    "node_cooling_device": "thermal_zone",
    "node_cpu_core_throttles": "cpu",
    "node_cpu_frequency": "cpufreq",
    "node_cpu_scaling": "cpufreq",
    "node_disk": "diskstats",
    "node_hwmon": "hwmon",
    "node_md": "mdadm",
    "node_memory": "meminfo",
    "node_network": "netdev",
    "node_power_supply": "powersupplyclass",
    "node_tcp": "tcpstat",
    "node_thermal": "thermal_zone",
}


def explain(name: str, facts: LadderFacts) -> tuple[str, str]:
    """Why there is no metric of this name, and the first thing to do."""
    reason = f"no source exposes a metric named {name}, and none did within the last {MEMORY.days} days"
    collector = _collector(name, facts)
    near = _near(name, facts, cutoff=_SURE if collector else _LIKELY)
    offer = f"did you mean {' or '.join(near)}?" if near else ""
    if collector:
        return f"{reason}; {collector[0]}", f"{offer} If not, {collector[1]}" if offer else collector[1]
    return reason, offer or "no metric of a similar name is known"


def _near(name: str, facts: LadderFacts, *, cutoff: float) -> list[str]:
    """The nearest names that exist, each with the job that exposes it where that is known."""
    listed = () if facts.names is None or isinstance(facts.names, Missing) else facts.names.value
    known = {*listed, *facts.declared}
    # Names of the same family first: of many names only those are compared, each comparison being slow.
    family = {n for n in known if n.partition("_")[0] == name.partition("_")[0]}
    near = get_close_matches(name, sorted(family or known), n=3, cutoff=cutoff if family else _SURE)
    likeness = [SequenceMatcher(None, name, n).ratio() for n in near]
    near = [n for n, ratio in zip(near, likeness, strict=True) if ratio >= likeness[0] - _AS_GOOD]
    jobs = facts.declared
    return [f"{n} (exposed by {jobs[n]})" if n in jobs else n for n in near]


def _collector(name: str, facts: LadderFacts) -> tuple[str, str] | None:
    """What the node exporter says of the collector that such a metric comes from; None where it says nothing."""
    if not name.startswith("node_") or facts.collectors is None or isinstance(facts.collectors, Missing):
        return None
    states = {s.labels.get("collector", ""): s.value for s in facts.collectors.value}
    if not states:
        return None
    prefixes = {**{f"node_{collector}": collector for collector in states}, **_COLLECTOR_OF}
    prefix = max((p for p in prefixes if name == p or name.startswith(f"{p}_")), key=len, default="")
    collector = prefixes.get(prefix, "")
    unless = "remove the query, or waive it for this machine, if it has no such hardware or feature"
    if collector not in states:
        whose = f"a collector {collector}" if collector else f"a collector for {'_'.join(name.split('_')[:2])}"
        return (
            f"the node exporter runs without {whose}: it is off, or its version has none",
            "switch that collector on if this is wanted, or remove the query",
        )
    if states[collector] != 1:  # it says 0 of a collector that failed, and of one that had nothing to tell
        return (
            f"the node exporter's collector {collector} found nothing on this machine, or failed",
            f"{unless}; see the node exporter's log if it has",
        )
    return (
        f"the node exporter's collector {collector} works, and reports nothing of this name on this machine",
        f"{unless}; or correct the name",
    )
