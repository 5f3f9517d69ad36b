"""Where a stack keeps its files, how it is found alive, and what it says of itself."""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_state_path

__all__ = ["State", "folder_of", "is_alive", "lock_of", "read", "sweep", "write"]

_FILE = "stack.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the supervisor of a stack says of it; `started_at` in Unix seconds, `ended` names the parts that died."""

    environment: str
    scenario: str
    addresses: Mapping[str, str]
    started_at: float
    pid: int
    is_ready: bool
    ended: tuple[str, ...]


def folder_of(environment: str, project: Path, *, token: str = "") -> Path:
    """The folder of an environment's stack, one for each checkout of the project; `token` makes it one of a kind."""
    digest = hashlib.sha256(str(project.resolve()).encode()).hexdigest()[:8]
    name = "-".join(filter(None, (re.sub(r"[^\w.]", "_", environment), digest, token)))
    return user_state_path("genesis-readiness") / "stacks" / name


def lock_of(folder: Path) -> FileLock:
    """The lock that a supervisor holds for as long as it lives; the system frees it, however it dies."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(folder.with_name(f"{folder.name}.lock"))


def is_alive(folder: Path) -> bool:
    """Whether a supervisor owns this folder."""
    lock = lock_of(folder)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def read(folder: Path) -> State | None:
    """What the stack last said of itself, or None."""
    try:
        raw = json.loads((folder / _FILE).read_text())
    except FileNotFoundError:
        return None
    return State(**{**raw, "ended": tuple(raw["ended"])})


def write(folder: Path, state: State) -> None:
    """Replace what the stack says of itself, at once."""
    partial = folder / f"{_FILE}.partial"
    partial.write_text(json.dumps(asdict(state), indent=1))
    partial.replace(folder / _FILE)


def sweep(stacks: Path) -> None:
    """Delete what stacks left behind whose supervisors were killed."""
    for said in stacks.glob(f"*/{_FILE}"):
        if not is_alive(said.parent):
            with lock_of(said.parent):
                shutil.rmtree(said.parent, ignore_errors=True)
