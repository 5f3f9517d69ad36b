"""The flag file on the disk: replaced whole or not at all, whatever others do and wherever the writer dies."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from genesis_lib.rollout import flag_store
from genesis_lib.rollout.flags import FlagError, FlagFile, percentage_of, switched_off, with_percentage
from tests.rollout.flag_files import (
    AATC,
    AT,
    BY_HAND,
    FLAG,
    PHASE_4,
    at_path,
    by_hand,
)

# What is read.


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "line 1, column 1: is not JSON", id="empty"),
        pytest.param(b'{\n  "flags": {"a": }}', "line 2, column 18: is not JSON", id="broken"),
        pytest.param(b'{"flags": {}', "line 1, column 13: is not JSON", id="cut off"),
        pytest.param(b'{"flags": {"a": {}, "a": {}}}', "'a' stands twice", id="a flag that stands twice"),
        pytest.param(b'{"flags": {}, "x": NaN}', "NaN is no JSON", id="no number"),
        pytest.param(b'{"flags": {}, "x": ' + b"[" * 100_000, "nested too deeply", id="too deep"),
        pytest.param(b'{"flags": "\xff"}', "byte 12: is not UTF-8", id="not UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", "BOM", id="a byte-order mark, which flagd's reader refuses too"),
        pytest.param(b"[]", "no object named flags", id="a list"),
        pytest.param(b'{"flags": []}', "no object named flags", id="a list of flags"),
        pytest.param(b'{"flags": {"a": {"state": "ENABLED"}}}', "flags.a is no object with variants", id="no variants"),
    ],
)
def test_a_broken_file_is_refused_with_place_and_mend_and_is_there_to_be_replaced(
    content: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "flags.json"
    path.write_bytes(content)
    with pytest.raises(FlagError) as refused:
        flag_store.read(path)
    assert str(refused.value).startswith(str(path))
    assert said in str(refused.value)
    assert "go back to a backup" in str(refused.value)
    backup = flag_store.write(path, by_hand(), read=flag_store.found(path), at=AT)
    assert backup is not None
    assert (path.read_bytes(), backup.read_bytes()) == (BY_HAND.encode(), content)


def test_a_file_that_is_not_there_is_said_and_can_be_put_there(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    with pytest.raises(FlagError, match="no such file"):
        flag_store.read(path)
    assert flag_store.write(path, by_hand(), read=flag_store.found(path), at=AT) is None
    assert flag_store.read(path).content == BY_HAND.encode()


def test_a_folder_is_no_flag_file(tmp_path: Path) -> None:
    with pytest.raises(FlagError, match="Is a directory"):
        flag_store.read(tmp_path)


# What is written.


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_change_is_preceded_by_a_backup_and_keeps_mode_and_owner(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    old = at_path(path, by_hand())
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12345, 12346)
    owner = path.stat()
    new = with_percentage(old, PHASE_4, 5)
    backup = flag_store.write(path, new, read=old, at=AT)
    assert backup == tmp_path / "backups" / f"20251020T191257Z-{old.digest[:12]}.json"
    assert (path.read_bytes(), backup.read_bytes()) == (new.content, old.content)
    for file in (path, backup):
        now = file.stat()
        assert (now.st_mode, now.st_uid, now.st_gid) == (owner.st_mode, owner.st_uid, owner.st_gid)
    assert names(tmp_path) - {".flags.json.lock"} == {"flags.json", "backups"}
    assert flag_store.write(path, new, read=old, at=AT) is None  # it is there already
    later = flag_store.write(path, old, read=new, at=AT.replace(hour=23))
    assert flag_store.backups(path) == (later, backup)


def test_behind_a_symbolic_link_the_file_itself_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link, real = tmp_path / "flags.json", tmp_path / "real" / "v7.json"
    link.symlink_to(real)
    old = at_path(link, by_hand())
    backup = flag_store.write(link, switched_off(old, [AATC]), read=old, at=AT)
    assert link.is_symlink()
    assert percentage_of(flag_store.read(real), AATC) == 0
    assert flag_store.backups(link) == (backup,)


@pytest.mark.parametrize(
    "meanwhile",
    [
        pytest.param(lambda path: path.write_bytes(switched_off(by_hand(), [AATC]).content), id="a change of others"),
        pytest.param(lambda path: path.write_text(BY_HAND + "\n"), id="a space"),
        pytest.param(lambda path: path.unlink(), id="a deletion"),
    ],
)
def test_a_change_that_was_not_read_is_never_overwritten(meanwhile: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    old = at_path(path, by_hand())
    meanwhile(path)
    there = flag_store.found(path)
    with pytest.raises(FlagError, match="changed by others"):
        flag_store.write(path, with_percentage(old, PHASE_4, 5), read=old, at=AT)
    assert flag_store.found(path) == there
    assert flag_store.backups(path) == ()


def test_nothing_broken_and_nothing_without_a_time_zone_is_written(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    old = at_path(path, by_hand())
    with pytest.raises(FlagError, match="is not JSON"):
        flag_store.write(path, FlagFile(name="new", content=b"{"), read=old, at=AT)
    with pytest.raises(ValueError, match="time zone"):
        flag_store.write(path, switched_off(old, [AATC]), read=old, at=AT.replace(tzinfo=None))
    assert flag_store.found(path) == old


@pytest.mark.parametrize("what", ["the file", "its folder"])
def test_what_is_read_only_is_left_alone_even_by_the_administrator(what: str, tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    old = at_path(path, by_hand())
    closed = path if what == "the file" else tmp_path
    mode = closed.stat().st_mode
    closed.chmod(mode & ~0o222)
    try:
        with pytest.raises(FlagError, match=f"{closed} is read-only; chmod"):
            flag_store.write(path, switched_off(old, [AATC]), read=old, at=AT)
        assert flag_store.found(path) == old
        assert names(tmp_path) == {"flags.json"}
    finally:
        closed.chmod(mode)


def in_child(work: Callable[[], object]) -> tuple[int, str]:
    """What a process that does this and nothing else comes to: 0 done, 1 refused, -9 killed; and what it says."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        status = 99
        try:
            work()
            status = 0
        except FlagError as error:
            os.write(writes, str(error).encode())
            status = 1
        finally:
            os._exit(status)  # the child never goes on as a second pytest
    os.close(writes)
    with os.fdopen(reads) as said:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.read()


@pytest.mark.parametrize(
    ("room", "is_backed_up"),
    [
        pytest.param(0, False, id="not even for the backup"),
        pytest.param(len(BY_HAND) - 1, False, id="not for the whole backup"),
        pytest.param(len(BY_HAND), True, id="for the backup, and not for the file"),
    ],
)
def test_a_full_disk_leaves_the_old_file_whole(room: int, *, is_backed_up: bool, tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    old = at_path(path, by_hand())

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        flag_store.write(path, with_percentage(old, PHASE_4, 5), read=old, at=AT)

    status, said = in_child(work)
    assert status == 1
    assert "cannot be replaced (File too large); what was there is as it was; make room" in said
    assert flag_store.found(path) == old
    assert len(flag_store.backups(path)) == is_backed_up
    assert not list(tmp_path.rglob("*.partial"))


def test_killed_at_any_line_it_leaves_the_old_or_the_new_file_and_the_next_writer_finishes(tmp_path: Path) -> None:
    seen = set()
    for line in range(1, 1000):
        folder = tmp_path / str(line)
        folder.mkdir()
        path = folder / "flags.json"
        old = at_path(path, by_hand())
        new = with_percentage(old, PHASE_4, 5)
        status, _ = in_child(partial(killed_at, line, path, old, new))
        now = flag_store.read(path)
        seen.add(now)
        assert now.content in (old.content, new.content)
        assert all(json.loads(backup.read_bytes()) == old.document for backup in flag_store.backups(path))
        if now.content == new.content:
            assert len(flag_store.backups(path)) == 1
        else:
            flag_store.write(path, new, read=now, at=AT.replace(hour=23))
            assert flag_store.found(path) == FlagFile(name=str(path), content=new.content)
            assert not list(folder.rglob("*.partial"))
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert line > 30  # it was killed at many
    assert len({file.content for file in seen}) == 2


def killed_at(last: int, path: Path, old: FlagFile, new: FlagFile) -> None:
    """Write, and be killed before this line of the module that writes."""
    left = last

    def trace(frame: Any, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename != flag_store.__file__:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
    flag_store.write(path, new, read=old, at=AT)


WRITERS = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from genesis_lib.rollout import flag_store
from genesis_lib.rollout.flags import FlagError, switched_off

path, names = Path(sys.argv[1]), sys.argv[2:]
old = flag_store.read(path)
for name in names:
    if os.fork() == 0:
        refused = 0
        while True:
            try:
                flag_store.write(path, switched_off(old, [name]), read=old, at=datetime(2025, 10, 20, tzinfo=UTC))
                os._exit(min(refused, 100))
            except FlagError:
                refused += 1
                old = flag_store.read(path)
print(*(os.waitstatus_to_exitcode(os.wait()[1]) for _ in names))
"""


def test_of_several_writers_who_read_the_same_one_wins_and_the_others_lose_no_change(tmp_path: Path) -> None:
    path = tmp_path / "flags.json"
    flags = {f"flag_{number}": {**FLAG, "defaultVariant": "on"} for number in range(8)}
    path.write_text(json.dumps({"flags": flags}))
    argv = [sys.executable, "-c", WRITERS, str(path), *flags]
    refused = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    assert refused.count("0") == 1
    assert [percentage_of(flag_store.read(path), name) for name in flags] == [0] * 8


def test_who_finds_the_lock_held_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "flags.json"
    old = at_path(path, by_hand())
    monkeypatch.setattr(flag_store, "_LOCK_TIMEOUT_S", 0.05)
    with FileLock(tmp_path / ".flags.json.lock"), pytest.raises(FlagError, match="another writer has held"):
        flag_store.write(path, switched_off(old, [AATC]), read=old, at=AT)
    assert flag_store.found(path) == old
