"""Reserve loopback ports: the ones that are asked for where they are free, others where they are not."""

import socket
from collections.abc import Collection, Mapping
from pathlib import Path

from filelock import FileLock, Timeout

__all__ = ["Reservation"]

_HOST = "127.0.0.1"


class Reservation:
    """One port for each name, held until it is released, and kept from other stacks for as long as we live.

    Args:
        wanted: name to the port that is asked for.
        refused: the names whose ports must refuse connections, for nobody will ever listen there.
        locks: a folder for the lock files by which the stacks of one user keep off each other's ports.

    """

    def __init__(self, wanted: Mapping[str, int], *, refused: Collection[str] = (), locks: Path) -> None:
        locks.mkdir(parents=True, exist_ok=True)
        self._locks: list[FileLock] = []
        self._sockets: dict[str, socket.socket] = {}
        addresses = {}
        for name, port in wanted.items():
            held = self._hold(port, locks)
            taken = held.getsockname()[1]
            addresses[name] = f"{_HOST}:{taken}"
            if name in refused:
                held.close()
                held = _bound(taken)  # bound and not listening: whoever connects is refused
            self._sockets[name] = held
        self.addresses: Mapping[str, str] = addresses

    def release(self, *names: str) -> None:
        """Let go of the ports of `names`, right before their owners are started."""
        for name in names:
            self._sockets.pop(name).close()

    def close(self) -> None:
        """Give every port back."""
        self.release(*list(self._sockets))
        for lock in self._locks:
            lock.release()

    def _hold(self, port: int, locks: Path) -> socket.socket:
        """A socket that listens on `port`, or on any free one: bound only, two sockets could share a port."""
        try:
            held = _bound(port)
        except OSError:
            return self._hold(0, locks)
        lock = FileLock(locks / f"{held.getsockname()[1]}.lock")
        try:
            held.listen(1)
            lock.acquire(timeout=0)
        except (OSError, Timeout):
            held.close()
            return self._hold(0, locks)
        self._locks.append(lock)
        return held


def _bound(port: int) -> socket.socket:
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # As servers set it: a port whose last connections are winding down (TIME_WAIT) is free for a new server.
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((_HOST, port))
    except OSError:
        held.close()
        raise
    return held
