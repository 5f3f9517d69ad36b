"""Keep the rollout's journal: lines are only ever added, each is on the disk before it counts, and no accident loses one before it."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from genesis_lib.errors import GenesisError
from genesis_lib.rollout.disk import sync_folder
from genesis_lib.rollout.entries import Entry
from genesis_lib.rollout.journal_chain import Chain, read_chain, sealed

__all__ = ["Journal", "JournalError"]

_LOCK_TIMEOUT_S = 10  # a write takes milliseconds; who holds the lock for longer hangs


class JournalError(GenesisError):
    """The journal cannot be read or written; what stood in it still stands."""


class Journal:
    """The journal in one file, which need not be there yet."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Chain:
        """What the journal holds now; a journal that was never written holds nothing.

        Raises:
            JournalError: the file is there and cannot be read.

        """
        chain = read_chain(self._content())
        aside = sorted(self.path.parent.glob(f"{self.path.name}.torn-*"))
        kept = tuple(
            f"a last line whose writing was cut off is kept in {path.name}" for path in aside if path.stat().st_size
        )
        return replace(chain, remarks=chain.remarks + kept)

    def append(self, entry: Entry, *, after: str = "") -> str:
        """Add an entry, and return the new head digest once it is safely on the disk.

        A journal with breaks is written on all the same: a rollback must be put on record whatever happened to the file before.

        Args:
            entry: what to add.
            after: the head digest that the entry was decided on; empty where the entry does not depend on what stands before.

        Raises:
            JournalError: another writer was faster, holds on to the journal, or the disk refuses; the journal is as it was.

        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path.with_name(f"{self.path.name}.lock"), timeout=_LOCK_TIMEOUT_S):
                content = self._content()
                chain = read_chain(_end_of(content))
                if after not in ("", chain.head):
                    raise JournalError(f"{self.path}: another writer was faster; read the journal and decide again")
                self._keep_aside(chain.torn)
                whole = content.removesuffix(chain.torn)
                end = b"" if not whole or whole.endswith(b"\n") else b"\n"
                line = sealed(entry, previous=chain.head)
                _add(self.path, end + line, size=len(whole))
                return read_chain(line).head
        except Timeout as error:
            message = f"{self.path}: another writer has held the journal for {_LOCK_TIMEOUT_S} s; end it and try again"
            raise JournalError(message) from error
        except OSError as error:
            message = f"{self.path}: nothing was written ({error.strerror or error}); make room or mend the rights"
            raise JournalError(message) from error

    def _content(self) -> bytes:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise JournalError(f"{self.path}: the journal cannot be read ({error.strerror})") from error

    def _keep_aside(self, torn: bytes) -> None:
        """Save what was written of a last line before it is cut off; it may be all that tells of what was going on."""
        if torn:
            name = f"{self.path.name}.torn-{hashlib.sha256(torn).hexdigest()[:12]}"
            _add(self.path.with_name(name), torn, size=0)


def _end_of(content: bytes) -> bytes:
    """The last whole line and what follows it, which is all that the next line hangs on."""
    return content[content.rfind(b"\n", 0, content.rfind(b"\n")) + 1 :]


def _add(path: Path, content: bytes, *, size: int) -> None:
    """Write after the first `size` bytes and wait for the disk; where it refuses, those bytes are all that is left."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
    try:
        os.ftruncate(file, size)
        rest = content
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
        sync_folder(path.parent)
    except OSError:
        os.ftruncate(file, size)
        raise
    finally:
        os.close(file)
