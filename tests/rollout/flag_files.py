"""Flag files that tests change, put on the disk and have evaluated."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genesis_lib.rollout import flag_store
from genesis_lib.rollout.flags import FlagFile

AT = datetime(2025, 10, 20, 19, 12, 57, tzinfo=UTC)
PHASE_4, AATC = "phase_4_deployment", "aatc_system_enabled"
STAGES = (0, 5, 10, 25, 50, 75, 100)
USERS = [f"user-{number}" for number in range(2000)]
ON_OFF = {"on": True, "off": False}
FLAG: Mapping[str, Any] = {"state": "ENABLED", "variants": ON_OFF, "defaultVariant": "off"}
# Written by hand, as people do: a field and a number's spelling that only they know.
BY_HAND = """{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "flags": {
    "aatc_system_enabled": {"state": "ENABLED",   "variants": {"on": true, "off": false}, "defaultVariant": "on"},
    "phase_4_deployment": {
      "state": "ENABLED",
      "variants": {"on": true, "off": false},
      "defaultVariant": "off",
      "metadata": {"owner": "sre"}
    },
    "largest_answer": {"state": "ENABLED", "variants": {"few": 1.50, "many": 3e2}, "defaultVariant": "few"}
  },
  "x-team": "Gen\\u00e8se"
}
"""


def by_hand() -> FlagFile:
    return FlagFile(name="flags.json", content=BY_HAND.encode())


def holding(flag: Mapping[str, Any] = FLAG, **changed: Any) -> FlagFile:
    """A file with one flag, in which something is changed."""
    return FlagFile(name="flags.json", content=json.dumps({"flags": {PHASE_4: {**flag, **changed}}}).encode())


def at_path(path: Path, file: FlagFile) -> FlagFile:
    """The file as it is read after it was put there by others."""
    path.write_bytes(file.content)
    return flag_store.read(path)


def fractional(*arms: Any) -> dict[str, Any]:
    return {"targeting": {"fractional": list(arms)}}
