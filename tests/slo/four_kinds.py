"""One objective of each kind, and the rules that are written for objectives."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from genesis_lib.demo import binaries
from genesis_lib.objectives.objective import Objective
from genesis_lib.objectives.slos import Slos
from genesis_lib.slo.rules import rules_file
from tests.builders import ROOT

SHIPPED: dict[str, Any] = yaml.safe_load((ROOT / "params/policy/slos.yaml").read_text(encoding="utf-8"))
# All with a budget of 1 %.
KINDS: list[dict[str, Any]] = [
    {"indicator": {"kind": "events", "bad": "ev_bad_total", "total": "ev_total"}, "unit": "ratio"}
    | {"name": "events", "better": "lower", "target": 0.01, "warning": 0.01, "critical": 0.02},
    {"indicator": {"kind": "latency", "histogram": "lat_seconds", "quantile": 0.99}, "unit": "seconds"}
    | {"name": "latency", "better": "lower", "target": 1.0, "warning": 1.0, "critical": 1.0},
    {"indicator": {"kind": "slices", "query": "works", "good": "== 1"}, "unit": "ratio", "window": "1d"}
    | {"name": "slices", "better": "higher", "target": 0.99, "warning": 0.99, "critical": 0.99},
    {"indicator": {"kind": "value", "query": "filled", "time_target": 0.99}, "unit": "ratio"}
    | {"name": "value", "better": "lower", "target": 0.7, "warning": 0.8, "critical": 0.9},
]
NAMES = [kind["name"] for kind in KINDS]
Rule = Mapping[str, Any]


def slos(*objectives: Mapping[str, Any], **changed: Any) -> Slos:
    """The shipped settings with other objectives, or with others of what all share."""
    usual: dict[str, Any] = {"window": "1h"}
    document = (
        SHIPPED
        | changed
        | ({"slos": [usual | {"title": one["name"]} | dict(one) for one in objectives]} if objectives else {})
    )
    return Slos.model_validate(document)


def written(of: Slos, *, objectives: Sequence[Objective] | None = None, **changed: Any) -> str:
    """The rule file of these objectives, or of others under their settings."""
    given: dict[str, Any] = {"edges": {}, "scope": {}, "environment": "demo"}
    return rules_file(of.slos if objectives is None else objectives, of, **given | changed)


def rules_in(text: str, kind: str = "") -> list[Rule]:
    """The rules of a rule file; of one kind, `alert` or `record`."""
    return [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"] if not kind or kind in rule]


def promtool(*arguments: str | Path) -> None:
    """Run promtool, which must have nothing to say against it."""
    command = [binaries.find("promtool"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
