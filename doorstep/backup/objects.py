"""Objects into a backup and out of it. It looks the same whether they lay in directories or in buckets: what was saved
from one can be restored into the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from doorstep.backup.places import BackupTrouble, copy_tree, write_file
from field_api.platform.object_stores import NoObject, ObjectStore, object_store
from field_api.platform.store_trouble import DOOR, OFFICE, StoreUnavailable
from field_api.platform.store_urls import StoreUrls
from media.sealed_photo import MAX_SEALED_BYTES
from media.sealed_pieces import SealedPieces
from media.sealed_store import SealedAbsent

FOLDER = "objects"
AT_ONCE = 16
"""Each waits for the store, and for the disk."""
_BATCH = 1_000
One = TypeVar("One")


def copy_objects(home: Path, stores: StoreUrls, target: Path) -> None:
    """All that lies in either store, into `target`/objects, synced; what vanishes meanwhile was destroyed, and is left
    out. Raises BackupTrouble where a store is away."""
    with _answering():
        if stores.office is None:
            copy_tree(home / FOLDER / OFFICE, target / FOLDER / OFFICE)
        else:
            _copy_office(object_store(OFFICE, stores.office), target / FOLDER / OFFICE)
        if stores.door is None:
            copy_tree(home / FOLDER / DOOR, target / FOLDER / DOOR)
        else:
            _copy_door(SealedPieces(object_store(DOOR, stores.door)), target / FOLDER / DOOR)


def put_objects(source: Path, home: Path, stores: StoreUrls) -> None:
    """All of a backup's, to where this installation keeps them. Raises BackupTrouble."""
    with _answering():
        if stores.office is None:
            copy_tree(source / FOLDER / OFFICE, home / FOLDER / OFFICE)
        else:
            _put_office(source / FOLDER / OFFICE, object_store(OFFICE, stores.office))
        if stores.door is None:
            copy_tree(source / FOLDER / DOOR, home / FOLDER / DOOR)
        else:
            _put_door(source / FOLDER / DOOR, SealedPieces(object_store(DOOR, stores.door)))


def refuse_used_stores(stores: StoreUrls) -> None:
    """Raises BackupTrouble where a store holds anything: what is there may belong to what is being replaced."""
    for setting, name, url in (
        ("DOORSTEP_OFFICE_OBJECTS", OFFICE, stores.office),
        ("DOORSTEP_DOOR_OBJECTS", DOOR, stores.door),
    ):
        with _answering():
            if url is not None and next(object_store(name, url).paths(), None) is not None:
                raise BackupTrouble(f"{setting} is not empty: name another prefix to restore into")


def _copy_office(store: ObjectStore, target: Path) -> None:
    def copy(path: str) -> None:
        try:
            write_file(target / path, store.get(path))
        except NoObject:
            return

    _each(copy, store.paths())


def _copy_door(pieces: SealedPieces, target: Path) -> None:
    def copy(upload: tuple[UUID, UUID]) -> None:
        agency_id, upload_id = upload
        place = target / str(agency_id) / "photos" / upload_id.hex[:2] / upload_id.hex
        try:
            write_file(place, pieces.read(agency_id, upload_id, MAX_SEALED_BYTES))
        except SealedAbsent:
            return

    _each(copy, pieces.uploads())


def _put_office(source: Path, store: ObjectStore) -> None:
    _each(lambda path: store.put_new(path.relative_to(source).as_posix(), path.read_bytes()), _files(source))


def _put_door(source: Path, pieces: SealedPieces) -> None:
    def put(path: Path) -> None:
        agency, _, _, upload = path.relative_to(source).parts
        pieces.append(UUID(agency), UUID(upload), 0, path.read_bytes())

    _each(put, _files(source))


def _files(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.is_file())


def _each(work: Callable[[One], None], things: Iterable[One]) -> None:
    """Some at once, and never more than a batch in memory; the first that fails ends it."""
    remaining = iter(things)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while batch := list(islice(remaining, _BATCH)):
            for _ in pool.map(work, batch):
                pass


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        raise BackupTrouble("a store of objects does not answer, or refuses") from error
