"""Unpack Debian packages into a folder of our own: without root, without system services, without a trace in the system."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock

from genesis_lib.errors import StackError

__all__ = ["is_here", "needed_by", "unpacked"]

_TIMEOUT_S = 600
_DEPENDS = ("--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks", "--no-replaces", "--no-enhances")


def is_here() -> bool:
    """Whether this system has apt and dpkg."""
    return all(map(shutil.which, ("apt-get", "apt-cache", "dpkg-deb")))


def unpacked(
    packages: Sequence[str],
    folder: Path,
    *,
    progress: Callable[[str], None],
    finish: Callable[[Path], None] = lambda _: None,
) -> Path:
    """`folder` with the files of `packages` in it; they are downloaded unless it is there already.

    Complete or absent: two processes may ask at once, and one that is killed leaves nothing that is taken for whole. `finish` is
    given the unpacked files before they appear under their final name.

    Raises:
        StackError: apt could not download or dpkg could not unpack.

    """
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if folder.is_dir():
            return folder
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".unpack-") as work:
            progress(f"downloading {', '.join(packages)} (once)")
            _download(packages, Path(work) / "packages", apt=_Apt(folder.parent), progress=progress)
            for package in sorted((Path(work) / "packages").glob("*.deb")):
                _run(["dpkg-deb", "--extract", str(package), f"{work}/root"])
            finish(Path(work) / "root")
            (Path(work) / "root").rename(folder)
    return folder


def needed_by(packages: Sequence[str], *, folder: Path, keep: re.Pattern[str]) -> list[str]:
    """`packages` and all that they depend on, as far as the names match `keep`.

    Raises:
        StackError: apt does not know the packages.

    """
    apt = _Apt(folder)
    command = ["apt-cache", "depends", "--recurse", *_DEPENDS, *packages]
    try:
        listing = apt.run(command)
    except StackError:
        apt.update()
        listing = apt.run(command)
    return sorted({line for line in listing.splitlines() if keep.match(line)})


class _Apt:
    """apt with its cache in a folder of ours; with lists of our own too, once it was told to fetch them."""

    def __init__(self, folder: Path) -> None:
        self._lists = folder / "apt" / "lists"
        self._cache = folder / "apt" / "cache"
        (self._cache / "archives" / "partial").mkdir(parents=True, exist_ok=True)

    def update(self) -> None:
        (self._lists / "partial").mkdir(parents=True, exist_ok=True)
        self.run(["apt-get", "-qq", "update"])

    def run(self, command: Sequence[str], *, cwd: Path | None = None) -> str:
        # Sandbox::User: as root, apt would otherwise drop to a user that cannot write into our folder, and warn about it.
        options = ["-o", f"Dir::Cache={self._cache}", "-o", "APT::Sandbox::User=root"]
        if self._lists.is_dir():
            options += ["-o", f"Dir::State::Lists={self._lists}"]
        return _run([command[0], *options, *command[1:]], cwd=cwd)


def _download(packages: Sequence[str], into: Path, *, apt: _Apt, progress: Callable[[str], None]) -> None:
    into.mkdir()
    command = ["apt-get", "-qq", "download", *packages]
    try:
        apt.run(command, cwd=into)
    except StackError:  # no lists on this system, or lists so old that the packages they name are gone
        progress("fetching the package lists")
        apt.update()
        apt.run(command, cwd=into)


def _run(command: Sequence[str], *, cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are ours, and no shell reads them
            command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise StackError(f"{command[0]}: {error}") from error
    if done.returncode:
        raise StackError(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout
