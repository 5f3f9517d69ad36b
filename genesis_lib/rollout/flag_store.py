"""Keep the flag file on the disk: replaced at once, under a lock, after a backup, and never over a change that nobody read."""

import contextlib
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from genesis_lib.rollout.disk import sync_folder
from genesis_lib.rollout.flags import FlagError, FlagFile

__all__ = ["backups", "found", "read", "write"]

_LOCK_TIMEOUT_S = 10  # a write takes milliseconds; who holds the lock for longer hangs
_BACKUPS = "backups"
_ANYONE = 0o222
_SHOWN = 12  # digits of a digest that tell files apart


def read(path: Path) -> FlagFile:
    """The flag file, of which it is made sure that its flags can be read.

    Raises:
        FlagError: it is not there, cannot be read, or is broken; says where, and how to mend it.

    """
    file = found(path)
    if file is None:
        raise FlagError(f"{path}: there is no such file; deploy it, or go back to a backup")
    _ = file.document
    return file


def found(path: Path) -> FlagFile | None:
    """What is there, broken or not, so that a backup can be put in its place; None where nothing is.

    Raises:
        FlagError: it is there, and cannot be read.

    """
    try:
        return FlagFile(name=str(path), content=path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FlagError(f"{path}: cannot be read ({error.strerror}); mend the rights or the path") from error


def backups(path: Path) -> tuple[Path, ...]:
    """The backups of this flag file, the newest first; each is named by the instant at which it was replaced."""
    return tuple(sorted((path.resolve().parent / _BACKUPS).glob("*.json"), reverse=True))


def write(path: Path, new: FlagFile, *, read: FlagFile | None, at: datetime) -> Path | None:
    """Put a new content in the place of the one that was read, whole and on the disk, with the mode and owner of the old one.

    Args:
        path: the flag file; where it is a symbolic link, the file that it leads to is replaced.
        new: what shall be there; writing what is there already does nothing.
        read: what the change was made from; None where no file was there.
        at: the instant of the change, which names the backup.

    Returns:
        The backup, `backups/<instant>-<digest>.json` beside the file; None where there was nothing to keep.

    Raises:
        FlagError: the file is no longer what was read, may not be written, or the disk refuses. The old one is there, whole.

    """
    _ = new.document  # nothing broken is ever put in place
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} names no time zone")
    place = path.resolve()
    try:
        _may_be_written(path, place)
        with FileLock(place.with_name(f".{place.name}.lock"), timeout=_LOCK_TIMEOUT_S):
            there = found(path)
            if there is not None and there.content == new.content:
                return None
            if (there and there.digest) != (read and read.digest):
                raise FlagError(f"{path}: was changed by others since it was read; read it and decide again")
            backup = _back_up(place, there, at) if there else None
            _put(place, new.content, of=place)
            return backup
    except Timeout as error:
        message = f"{path}: another writer has held the file for {_LOCK_TIMEOUT_S} s; end it and try again"
        raise FlagError(message) from error
    except OSError as error:
        reason = error.strerror or error
        raise FlagError(f"{path}: cannot be replaced ({reason}); {_left(path, new)}") from error


def _left(path: Path, new: FlagFile) -> str:
    try:
        is_new = path.read_bytes() == new.content
    except OSError:
        is_new = False
    if is_new:  # the folder refused to be synced
        return "the new content is there, and may be lost with the machine; look after the disk, and write it again"
    return "what was there is as it was; make room, or mend the rights"


def _may_be_written(path: Path, place: Path) -> None:
    """A rename asks only the folder, and the administrator is asked nothing; a mode that forbids everyone is obeyed all the same."""
    for one in (place.parent, place):
        if one.exists() and not (one.stat().st_mode & _ANYONE and os.access(one, os.W_OK)):
            mend = f"chmod u+w {one}, or write as its owner"
            raise FlagError(f"{path}: cannot be replaced, for {one} is read-only; {mend}")


def _back_up(place: Path, there: FlagFile, at: datetime) -> Path:
    folder = place.parent / _BACKUPS
    if not folder.is_dir():
        folder.mkdir(exist_ok=True)
        sync_folder(place.parent)
    backup = folder / f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{there.digest[:_SHOWN]}.json"
    _put(backup, there.content, of=place)
    return backup


def _put(path: Path, content: bytes, *, of: Path) -> None:
    """Replace `path` at once by a file with mode and owner of `of`, or with the usual ones where that is not there.

    The lock on `of` lets only one writer at a time come here, so what lies under the partial name was left by one that died.
    """
    partial = path.with_name(f".{of.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            if of.exists():
                _take_after(file.fileno(), of.stat())
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _take_after(file: int, old: os.stat_result) -> None:
    """Owner, then mode, for a change of owner may take bits away; only an administrator may give files away, so others keep theirs."""
    if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        with contextlib.suppress(PermissionError):
            os.fchown(file, old.st_uid, old.st_gid)
    os.fchmod(file, stat.S_IMODE(old.st_mode))
