"""One contract for every object store, and what the local one adds: sealed, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from field_api.adapters.objects_local import LocalObjects
from field_api.domain.ports import ObjectAbsent, Objects
from field_api.platform.clock import SystemClock
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.ids import new_id
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.sealing import Unsealable
from field_api.platform.tenancy import acting_for
from tests.fake_objects import MemoryObjects

AGENCY, OTHER = new_id(), new_id()


@pytest.fixture
def local(tmp_path: Path) -> LocalObjects:
    for agency in (AGENCY, OTHER):
        create_agency_keys(tmp_path, agency, SystemClock().now())
    return LocalObjects(tmp_path / "objects", OfficeKeyring(tmp_path / "keys" / "office"))


@pytest.fixture(params=["local", "memory"])
def store(request: pytest.FixtureRequest, local: LocalObjects) -> Objects:
    return local if request.param == "local" else MemoryObjects()


@pytest.mark.parametrize("body", [b"", b"x", bytes(range(256)) * 1_172], ids=["empty", "short", "long"])
def test_what_was_put_comes_back(store: Objects, body: bytes) -> None:
    with acting_for(AGENCY):
        assert store.get(store.put(body)) == body


def test_equal_bodies_are_objects_of_their_own(store: Objects) -> None:
    with acting_for(AGENCY):
        first, second = store.put(b"same"), store.put(b"same")
        store.delete(first)
        assert first != second and store.get(second) == b"same"


@pytest.mark.parametrize("key", ["0" * 32, "", "../../etc/passwd", "nul\0", "A" * 32])
def test_a_key_that_names_nothing_is_absent(store: Objects, key: str) -> None:
    with acting_for(AGENCY), pytest.raises(ObjectAbsent):
        store.get(key)


def test_deleting_twice_is_deleting(store: Objects) -> None:
    with acting_for(AGENCY):
        key = store.put(b"gone")
        store.delete(key)
        store.delete(key)
        with pytest.raises(ObjectAbsent):
            store.get(key)


def test_another_agency_does_not_get_it(store: Objects) -> None:
    with acting_for(AGENCY):
        key = store.put(b"ours")
    with acting_for(OTHER), pytest.raises(ObjectAbsent):
        store.get(key)


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_the_disk_holds_sealed_bytes_for_the_owner_alone(local: LocalObjects, tmp_path: Path) -> None:
    with acting_for(AGENCY):
        local.put(b"a balance of 1,234.56")
    [path] = _files(tmp_path / "objects")
    assert b"1,234.56" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0


def test_swapped_or_altered_bytes_do_not_open(local: LocalObjects, tmp_path: Path) -> None:
    with acting_for(AGENCY):
        first, second = local.put(b"first"), local.put(b"second")
        one, two = (next((tmp_path / "objects").rglob(key)) for key in (first, second))
        one.write_bytes(two.read_bytes())
        two.write_bytes(two.read_bytes()[:-1] + b"\0")
        for key in (first, second):
            with pytest.raises(Unsealable):
                local.get(key)


def test_a_write_that_fails_leaves_no_object(local: LocalObjects, tmp_path: Path, monkeypatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with acting_for(AGENCY):
        local.put(b"directories are there")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            local.put(b"never whole")
    assert len([path for path in _files(tmp_path / "objects") if path.suffix == ""]) == 1
