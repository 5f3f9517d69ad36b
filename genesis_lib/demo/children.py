"""Start child processes that cannot outlive us, and end them."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from genesis_lib.errors import StackError

__all__ = ["Children"]

_LOG_LINES = 15
_PR_SET_PDEATHSIG = 1


class Children:
    """The processes of a stack; each writes its output to `<name>.log` in `folder`. Start them from the main thread only.

    `grace_s` is how many seconds they have, in all, to end in order.
    """

    def __init__(self, folder: Path, *, grace_s: float = 5.0) -> None:
        self._folder = folder
        self._grace_s = grace_s
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, program: Path, *arguments: str, cwd: Path) -> None:
        """Start a process under `name`, in the folder `cwd`.

        Raises:
            StackError: the system cannot start it.

        """
        with (self._folder / f"{name}.log").open("wb") as log:
            try:
                self._processes[name] = subprocess.Popen(  # noqa: S603 - the arguments are ours, and no shell reads them
                    [str(program), *arguments],
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    preexec_fn=_dying_with(os.getpid()),  # noqa: PLW1509 - it calls one C function that was looked up before
                )
            except OSError as error:
                raise StackError(f"{name} cannot be started: {program}: {error.strerror}") from error

    def check(self) -> None:
        """Make sure that all are alive.

        Raises:
            StackError: one has ended, with the end of its log.

        """
        for name in self.ended():
            status = self._processes[name].returncode
            raise StackError(f"{name} ended with status {status}; the end of its log:\n{self._log_tail(name)}")

    def logs(self) -> str:
        """The end of every log, for a message that says why nothing works."""
        return "\n".join(f"--- {name}\n{self._log_tail(name)}" for name in self._processes)

    def ended(self) -> tuple[str, ...]:
        """The names of those that have ended."""
        return tuple(name for name, process in self._processes.items() if process.poll() is not None)

    def end(self) -> None:
        """End all: ask, wait as long as they have, then kill."""
        for process in self._processes.values():
            process.terminate()
        deadline = time.monotonic() + self._grace_s
        for process in self._processes.values():
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _log_tail(self, name: str) -> str:
        lines = (self._folder / f"{name}.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_LINES:])


def _dying_with(parent: int) -> Callable[[], None] | None:
    """What a child does first so that the kernel kills it when its parent dies, by SIGKILL too; Linux only."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return ask_kernel
