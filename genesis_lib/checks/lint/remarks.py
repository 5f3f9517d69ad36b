"""What lints of a query say, and what they must know around it."""

from collections.abc import Mapping
from dataclasses import dataclass

from genesis_lib.model import Verdict
from genesis_lib.policy import Bounds

__all__ = ["Remark", "Setting"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing that is wrong: its short name, how bad, why (with the part of the query), and what to do first."""

    kind: str
    verdict: Verdict
    reason: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is known around a query; intervals, retention and `for` in seconds.

    `intervals_s` holds the scrape intervals of metrics where they are known, `kinds` what Prometheus' metadata calls each metric
    (counter, gauge, histogram, summary, unknown), `recorded` the names that recording rules write, `unit` what the answer is
    shown as (Grafana's name). `for_s` is None where the query is no alert's; `window_intervals` is of policy.
    """

    interval_s: float
    intervals_s: Mapping[str, float]
    kinds: Mapping[str, str]
    retention_s: float | None
    for_s: float | None
    evaluation_s: float
    unit: str
    recorded: frozenset[str]
    window_intervals: Bounds

    def interval_of(self, name: str) -> float:
        """How far apart the samples of this metric are."""
        if name in self.recorded:
            return self.evaluation_s
        return self.intervals_s.get(name, self.interval_s)

    def kind_of(self, name: str) -> str:
        """Counter or gauge, by metadata or else by what the name proves; empty where neither tells."""
        if name in self.recorded or ":" in name:
            return ""
        if (told := self.kinds.get(name, "unknown")) in {"counter", "gauge"}:
            return told
        for suffix in ("_bucket", "_sum", "_count"):
            if name.endswith(suffix):
                family = self.kinds.get(name.removesuffix(suffix), "")
                return "counter" if family in {"histogram", "summary"} or (suffix == "_bucket" and not family) else ""
        return "counter" if name.endswith("_total") and told in {"unknown", "untyped"} else ""
