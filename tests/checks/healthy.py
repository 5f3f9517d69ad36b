"""A run whose environment names health sources of a test's own, and the finding that comes of one of them."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from genesis_lib import run as runs
from genesis_lib.params import load_environment
from genesis_lib.run import Run
from tests.builders import ROOT, policy


def run_of(
    folder: Path, *, as_of: datetime | None = None, health: Mapping[str, Any] | None = None, **named: Any
) -> Run:
    """A run in `folder`, where the files lie too; no server belongs to it."""
    document = {
        "title": "Health sources",
        "owner": "nobody",
        "policy": str(ROOT / "params" / "policy"),
        **dict.fromkeys(("prometheus", "alertmanager", "grafana", "docker"), "none"),
        "services": {},
        "targets": {},
        "health": {**(health or {}), **named},
    }
    (folder / "own.yaml").write_text(yaml.safe_dump(document))
    environment = load_environment(str(folder / "own.yaml"), root=ROOT)
    return runs.create(environment, policy(), root=folder, as_of=as_of, interactive=False)


def replayed(run: Run) -> Run:
    """The same run from its record alone."""
    return runs.open_folder(run.folder, root=ROOT, replay=True)
