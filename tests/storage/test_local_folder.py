"""Files in a folder: they stream in, are whole or not there, and nobody names a path."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine

from portal.clock import now
from portal.storage import FileTooLarge, Incoming, LocalFolder, NotStored, StorageFull
from portal.storage.incoming import LOOKED_AFTER, SPARE
from portal.storage.local_folder import ABANDONED

KEY = "presentations/019a1f2e-0000-7000-8000-000000000001"


@pytest.fixture
def files(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "deep" / "files")


@pytest.fixture
def incoming(files: LocalFolder) -> Iterator[Incoming]:
    incoming = files.receive(most=10)
    yield incoming
    incoming.discard()


def test_a_file_streams_in_and_has_its_key_once_it_is_published(files: LocalFolder, incoming: Incoming) -> None:
    assert [incoming.write(piece) for piece in (b"one", b"", b"two")] == [3, 0, 3]
    assert incoming.size == 6
    incoming.seek(0)
    assert incoming.read() == b"onetwo"
    with pytest.raises(NotStored):
        files.open(KEY)
    incoming.reach_disk()
    files.publish(incoming, KEY)
    incoming.discard()
    with files.open(KEY) as stored:
        assert stored.read() == b"onetwo"
    assert files.size(KEY) == 6
    assert list(files.keys("uploads", before=now() + timedelta(minutes=1))) == []


def test_no_byte_more_is_written_than_may_come(incoming: Incoming) -> None:
    incoming.write(b"0123456789")
    with pytest.raises(FileTooLarge) as refused:
        incoming.write(b"x")
    assert refused.value.most == 10
    assert incoming.path.stat().st_size == 10


def test_what_is_not_published_is_gone_when_it_is_discarded(files: LocalFolder, incoming: Incoming) -> None:
    incoming.write(b"one")
    incoming.discard()
    incoming.discard()
    assert not incoming.path.exists()


def test_nobody_else_on_the_machine_reads_files(files: LocalFolder, incoming: Incoming) -> None:
    files.publish(incoming, KEY)
    folder = incoming.path.parent.parent
    paths = [folder, *folder.rglob("*")]
    assert len(paths) == 4
    assert [path for path in paths if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


@pytest.mark.parametrize(
    "key",
    ["", "x", "/etc/passwd", "presentations/../x", "presentations/..", "presentations/.x", "a//b", "a/b\n", "a/ü"],
)
def test_a_key_that_leads_elsewhere_is_a_mistake_of_the_code(files: LocalFolder, incoming: Incoming, key: str) -> None:
    for act in (files.open, files.delete, files.size, lambda it: files.publish(incoming, it)):
        with pytest.raises(ValueError, match="words and ids"):
            act(key)


def test_one_file_or_all_that_begin_with_a_key_are_deleted(files: LocalFolder) -> None:
    for key in ("videos/one/source", "videos/one/1/a.ts", "videos/onetwo/source"):
        incoming = files.receive(most=10)
        files.publish(incoming, key)
        incoming.discard()
    files.delete("videos/one/source")
    with pytest.raises(NotStored):
        files.size("videos/one/source")
    assert files.size("videos/one/1/a.ts") == 0
    for _again in range(2):
        files.delete("videos/one")
    with pytest.raises(NotStored):
        files.size("videos/one/1/a.ts")
    assert list(files.keys("videos", before=now() + timedelta(minutes=1))) == ["videos/onetwo"]


def test_a_folder_is_deleted_by_two_at_once(files: LocalFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = files.workshop("claim")
    remove, tries = shutil.rmtree, []

    def raced(path: Path) -> None:
        tries.append(path)
        if len(tries) == 1:
            raise FileNotFoundError(path / "what-the-other-one-has-deleted")
        remove(path)

    monkeypatch.setattr(shutil, "rmtree", raced)
    files.delete("scratch/claim")
    assert not folder.exists()
    files.delete("scratch/claim")


def test_keys_are_those_of_what_is_old_enough(files: LocalFolder, incoming: Incoming) -> None:
    files.publish(incoming, KEY)
    assert list(files.keys("presentations", before=now() - timedelta(hours=1))) == []
    assert list(files.keys("presentations", before=now() + timedelta(hours=1))) == [KEY]
    assert list(files.keys("videos", before=now())) == []


def test_uploads_of_processes_that_died_are_swept_after_a_day(files: LocalFolder, incoming: Incoming) -> None:
    files.sweep_uploads()
    assert incoming.path.exists()
    with time_machine.travel(now() + ABANDONED + timedelta(minutes=1)):
        files.sweep_uploads()
    assert not incoming.path.exists()


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes the disk has free, in a list of one."""
    free = [SPARE + 10]

    def usage(_path: Any) -> Any:
        return SimpleNamespace(free=free[0])

    monkeypatch.setattr(shutil, "disk_usage", usage)
    return free


def test_uploads_leave_the_disk_some_room(files: LocalFolder, free: list[int]) -> None:
    files.receive(most=10).discard()
    with pytest.raises(StorageFull):
        files.receive(most=11)


def test_they_leave_it_also_if_many_come_at_once(files: LocalFolder, free: list[int]) -> None:
    free[0] = SPARE + 2 * LOOKED_AFTER
    incoming = files.receive(most=2 * LOOKED_AFTER)
    incoming.write(bytes(LOOKED_AFTER))
    free[0] = SPARE - 1
    with pytest.raises(StorageFull):
        incoming.write(bytes(LOOKED_AFTER))
    assert incoming.path.stat().st_size == LOOKED_AFTER
    incoming.discard()
    assert not incoming.path.exists()


def test_a_disk_that_is_full_is_no_mistake_of_the_sender(incoming: Incoming, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        incoming.reach_disk()
