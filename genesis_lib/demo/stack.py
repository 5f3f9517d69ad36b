"""Start, find and stop an embedded stack."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from genesis_lib.demo import state
from genesis_lib.demo.parts import PORTS
from genesis_lib.errors import StackError

__all__ = ["Stack", "find", "start", "stop"]

_STOP_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A running stack. `addresses` has `host:port` by part; `pid` is its supervisor's; `ended` names the parts that have died."""

    environment: str
    scenario: str
    addresses: Mapping[str, str]
    started_at: datetime
    folder: Path
    pid: int
    ended: tuple[str, ...]
    _supervisor: subprocess.Popen[str] | None = field(default=None, repr=False, compare=False)

    @property
    def moved(self) -> dict[str, str]:
        """Where the parts are, by the address at which parameters name them (`localhost:9090`), and where its files are (`stack:`)."""
        parts = {f"localhost:{port}": self.addresses[part] for part, port in PORTS.items()}
        return parts | {"stack:": str(self.folder / "artefacts")}

    def close(self) -> None:
        """End the stack and everything that belongs to it; ending it twice does no harm."""
        if self._supervisor is None:
            _end(self.folder)
        else:
            _end_tied(self._supervisor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start(
    scenario: str, *, environment: str, project: Path, tie_to_caller: bool, progress: Callable[[str], None]
) -> Stack:
    """Start a stack, and wait until every target was scraped and every rule evaluated.

    Args:
        scenario: the folder of `scenarios/` that says what it runs.
        environment: whose stack it is; several environments' stacks may run side by side.
        project: the checkout whose monitoring/ is the configuration.
        tie_to_caller: the stack is the caller's alone: `find` does not see it, and it ends with the caller, even if that is killed.
            Else it is the environment's one stack and runs until `stop`.
        progress: is told, in a few words, what happens.

    Raises:
        StackError: it did not come up, and nothing of it is left; the message says why.

    """
    folder = state.folder_of(environment, project, token=secrets.token_hex(4) if tie_to_caller else "")
    state.sweep(folder.parent)
    if state.is_alive(folder):
        raise StackError(f"the stack of {environment} is up, or starting; `genesis stack down {environment}` ends it")
    from genesis_lib.demo.supervisor import Options  # which knows all of the stack; finding one does not need it

    options = Options(
        environment=environment,
        scenario=scenario,
        project=str(project.resolve()),
        folder=str(folder),
        is_tied=tie_to_caller,
    )
    supervisor = subprocess.Popen(  # noqa: S603 - the arguments are ours, and no shell reads them
        [sys.executable, "-m", "genesis_lib.demo.supervisor", json.dumps(asdict(options))],
        stdin=subprocess.PIPE if tie_to_caller else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],  # from where the package is found, installed or not
        start_new_session=True,  # Ctrl-C in the terminal reaches the caller, who ends the stack in order
    )
    try:
        _follow(supervisor, progress)
    except BaseException:
        _end_tied(supervisor)
        raise
    if not tie_to_caller:
        _end_tied(supervisor)  # not the stack: the process from which it was forked
    found = _stack(folder, supervisor if tie_to_caller else None)
    if found is None:
        raise StackError(f"the stack of {environment} ended as soon as it was ready")
    return found


def find(environment: str, *, project: Path) -> Stack | None:
    """The environment's stack where one is up that is tied to nobody, else None."""
    return _stack(state.folder_of(environment, project))


def stop(environment: str, *, project: Path) -> bool:
    """End the environment's stack; False where none was up.

    Raises:
        StackError: it could not be ended.

    """
    return _end(state.folder_of(environment, project))


def _follow(supervisor: subprocess.Popen[str], progress: Callable[[str], None]) -> None:
    """Pass on what the supervisor says until it is ready."""
    for line in supervisor.stdout or ():
        for kind, text in json.loads(line).items():
            if kind == "ready":
                return
            if kind == "error":
                raise StackError(text)
            progress(text)
    raise StackError("the embedded stack's supervisor ended without a word")


def _stack(folder: Path, supervisor: subprocess.Popen[str] | None = None) -> Stack | None:
    now = state.read(folder)
    if now is None or not now.is_ready or not state.is_alive(folder):
        return None
    return Stack(
        environment=now.environment,
        scenario=now.scenario,
        addresses=now.addresses,
        started_at=datetime.fromtimestamp(now.started_at, UTC),
        folder=folder,
        pid=now.pid,
        ended=now.ended,
        _supervisor=supervisor,
    )


def _end_tied(supervisor: subprocess.Popen[str]) -> None:
    """Close our ends of the pipes, which tells a supervisor that is tied or starting to stop, and wait for it."""
    if supervisor.stdin is not None:
        supervisor.stdin.close()
    if supervisor.stdout is not None:
        supervisor.stdout.close()
    try:
        supervisor.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        supervisor.kill()
        supervisor.wait()


def _end(folder: Path) -> bool:
    now = state.read(folder)
    if now is None or not state.is_alive(folder):
        return False
    os.kill(now.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_WITHIN_S
    while state.is_alive(folder):
        if time.monotonic() > deadline:
            raise StackError(f"the stack's supervisor, process {now.pid}, does not end; its logs are in {folder}")
        time.sleep(0.05)
    return True
