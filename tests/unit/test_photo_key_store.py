"""A wrapped key is replaced whole or not at all, and what is replaced or destroyed is overwritten, crashes included."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from doorstep.backup import places
from media.photo_keys import KeyAbsent, PhotoKeys, StoredWrap

AGENCY, UPLOAD = UUID(int=1), UUID(int=2)
OLD, NEW = b"\x04" + b"o" * 112, b"\x04" + b"n" * 112
KEY_ID = "00112233aabbccdd"
REWRAPPED = StoredWrap(NEW, KEY_ID)


@pytest.fixture
def keys(tmp_path: Path) -> PhotoKeys:
    keys = PhotoKeys(tmp_path)
    keys.put(AGENCY, UPLOAD, OLD)
    return keys


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def inodes_kept_open(folder: Path) -> Iterator[Callable[[], list[bytes]]]:
    """What becomes of the bytes of every file that is there now or comes later, also when it has no name any more."""
    kept: dict[int, int] = {}

    def contents() -> list[bytes]:
        for path in files(folder):
            kept.setdefault(path.stat().st_ino, os.open(path, os.O_RDONLY))
        return [os.pread(descriptor, 1_000, 0) for descriptor in kept.values()]

    contents()
    try:
        yield contents
    finally:
        for descriptor in kept.values():
            os.close(descriptor)


def test_a_wrap_says_itself_which_key_opens_it(keys: PhotoKeys, tmp_path: Path) -> None:
    assert keys.get(AGENCY, UPLOAD) == StoredWrap(OLD)
    with inodes_kept_open(tmp_path) as contents:
        keys.replace(AGENCY, UPLOAD, KEY_ID, NEW)
        assert keys.get(AGENCY, UPLOAD) == REWRAPPED
        (path,) = files(tmp_path)
        assert path.stat().st_mode & 0o777 == 0o600
        (old,) = (content for content in contents() if NEW not in content)
        assert len(old) == len(OLD) and OLD not in old, "unlinked, and overwritten before"
    keys.replace(AGENCY, UPLOAD, "f" * 16, OLD)
    assert keys.get(AGENCY, UPLOAD) == StoredWrap(OLD, "f" * 16)


def test_nothing_is_put_where_nothing_was(tmp_path: Path, keys: PhotoKeys) -> None:
    assert keys.destroy(AGENCY, UPLOAD)
    assert not keys.destroy(AGENCY, UPLOAD)
    with pytest.raises(KeyAbsent):
        keys.replace(AGENCY, UPLOAD, KEY_ID, NEW)
    assert files(tmp_path) == []


class Crash(Exception):
    pass


@contextmanager
def crashing_at(step: int) -> Iterator[None]:
    """Before the `step`-th thing that is done to the disk."""
    left = step

    def counted(call: Callable[..., object]) -> Callable[..., object]:
        def wrapper(*arguments: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left < 0:
                raise Crash
            return call(*arguments, **options)

        return wrapper

    with pytest.MonkeyPatch.context() as patch:
        for name in ("link", "fsync", "pwrite"):
            patch.setattr(os, name, counted(getattr(os, name)))
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, counted(getattr(Path, name)))
        yield


STEPS = 8  # of one replacement


@pytest.mark.parametrize("step", range(STEPS + 1))
@pytest.mark.parametrize("then", ["again", "destroyed"])
def test_after_a_crash_anywhere_one_whole_wrap_stands_there_and_nothing_outlives_it(
    keys: PhotoKeys, tmp_path: Path, step: int, then: str
) -> None:
    with inodes_kept_open(tmp_path) as contents:
        crashed = False
        try:
            with crashing_at(step):
                keys.replace(AGENCY, UPLOAD, KEY_ID, NEW)
        except Crash:
            crashed = True
        assert crashed is (step < STEPS)
        contents()
        assert keys.get(AGENCY, UPLOAD) in (StoredWrap(OLD), REWRAPPED)
        if then == "destroyed":
            keys.destroy(AGENCY, UPLOAD)
            assert files(tmp_path) == []
            assert not any(wrap in content for content in contents() for wrap in (OLD, NEW))
            return
        if keys.get(AGENCY, UPLOAD) == REWRAPPED:
            keys.clear_leftovers(AGENCY, UPLOAD)
        else:
            keys.replace(AGENCY, UPLOAD, KEY_ID, NEW)
        assert keys.get(AGENCY, UPLOAD) == REWRAPPED
        assert len(files(tmp_path)) == 1
        assert not any(OLD in content for content in contents())


def test_whoever_reads_meanwhile_gets_one_whole_wrap_or_the_other(keys: PhotoKeys) -> None:
    """What is overwritten may still be open in a reader's hands."""
    wraps = [StoredWrap(bytes([4, turn]) * 56 + b"x", KEY_ID) for turn in range(60)]
    known = {StoredWrap(OLD), *wraps}
    read: list[StoredWrap] = []
    done = threading.Event()

    def reads() -> None:
        while not done.is_set():
            read.append(keys.get(AGENCY, UPLOAD))

    reader = threading.Thread(target=reads)
    reader.start()
    for wrap in wraps:
        keys.replace(AGENCY, UPLOAD, KEY_ID, wrap.wrap)
    done.set()
    reader.join()
    assert set(read) <= known
    assert len(set(read)) > 2, "it did read in between"


def test_a_reader_that_has_opened_what_is_overwritten_reads_its_successor(
    keys: PhotoKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, original = [], Path.open

    def opens(path: Path, *arguments: object, **options: object) -> object:
        file = original(path, *arguments, **options)
        if not opened:
            opened.append(path)
            keys.replace(AGENCY, UPLOAD, KEY_ID, NEW)  # it has the old one in its hand, which is noise by now
        return file

    monkeypatch.setattr(Path, "open", opens)
    assert keys.get(AGENCY, UPLOAD) == REWRAPPED
    assert opened


def test_a_backup_copies_the_wrap_that_stands_and_not_the_noise_of_a_replaced_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agency_id, sealed_anew, destroyed = uuid4(), uuid4(), uuid4()
    keys, meanwhile = PhotoKeys(tmp_path / "keys"), [True]
    for upload_id in (sealed_anew, destroyed):
        keys.put(agency_id, upload_id, b"\x04" * 113)
    copy = places._copy

    def slow(source: int, goal: Path) -> None:
        if meanwhile and goal.name == sealed_anew.hex:
            meanwhile.clear()
            keys.replace(agency_id, sealed_anew, "00" * 8, b"new" * 9)
        if goal.name == destroyed.hex:
            keys.destroy(agency_id, destroyed)
        copy(source, goal)

    monkeypatch.setattr(places, "_copy", slow)
    places.copy_tree(tmp_path / "keys", tmp_path / "copy")
    copied = PhotoKeys(tmp_path / "copy")
    assert copied.get(agency_id, sealed_anew).wrap == b"new" * 9
    with pytest.raises(KeyAbsent):
        copied.get(agency_id, destroyed)
