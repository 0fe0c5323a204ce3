"""One contract for every store of sealed photographs; and what the one of pieces adds, after every kind of crash."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import obstore
import pytest
from obstore.store import MemoryStore

from field_api.platform.ids import new_id
from field_api.platform.object_stores import ObjectStore, open_store
from field_api.platform.sealing import sha256
from field_api.platform.store_trouble import StoreUnavailable
from field_api.platform.store_urls import StoreUrl
from media.sealed_files import SealedFiles
from media.sealed_pieces import MANY, SealedPieces
from media.sealed_store import SealedAbsent, SealedStore
from tests.seaweed import Seaweed

pytest_plugins = ["tests.store_fixtures"]

S3 = pytest.mark.xdist_group("stores")
PIECE = 256 * 1024
AGENCY, UPLOAD = new_id(), new_id()
LIMIT = 12 * 1024 * 1024
ROOT = Path(__file__).parents[2]


class Memory:
    """The pieces' adapter, and what it laid down."""

    def __init__(self) -> None:
        self.bucket = MemoryStore()
        self.store = ObjectStore("door", lambda: self.bucket)
        self.pieces = SealedPieces(self.store)

    def left(self) -> set[str]:
        return {str(meta["path"]) for meta in obstore.list(self.bucket).collect()}

    def path(self, offset: int) -> str:
        return f"{AGENCY}/photos/{UPLOAD.hex[:2]}/{UPLOAD.hex}/{offset:012d}"


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture(params=["local", "memory", pytest.param("s3", marks=S3)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> SealedStore:
    if request.param == "local":
        return SealedFiles(tmp_path)
    if request.param == "memory":
        return Memory().pieces
    server: Seaweed = request.getfixturevalue("s3")
    url = StoreUrl("s3", "photos", f"door/{new_id().hex}", server.endpoint, allow_http=True)
    return SealedPieces(ObjectStore("door", lambda: open_store(url)))


def pieces_of(body: bytes, size: int = PIECE) -> Iterator[tuple[int, bytes]]:
    for offset in range(0, len(body), size):
        yield offset, body[offset : offset + size]


def write(store: SealedStore, body: bytes, size: int = PIECE, upload: UUID = UPLOAD) -> None:
    for offset, piece in pieces_of(body, size):
        store.append(AGENCY, upload, offset, piece)


@pytest.mark.parametrize("length", [1, PIECE, 3 * 1024 * 1024 + 17])
def test_what_was_appended_is_there_whole(store: SealedStore, length: int) -> None:
    body = os.urandom(length)
    write(store, body)
    assert store.read(AGENCY, UPLOAD, LIMIT) == body
    assert store.sha256(AGENCY, UPLOAD) == sha256(body)
    assert store.read(AGENCY, UPLOAD, 0) == body[:1], "one byte beyond what was asked for tells that there is more"


def test_a_body_that_comes_again_stands_in_place_of_the_one_before_and_of_all_after_it(store: SealedStore) -> None:
    first, second = os.urandom(3 * PIECE), os.urandom(PIECE)
    write(store, first)
    store.append(AGENCY, UPLOAD, PIECE, second[:100])  # shorter than what the crash left there
    assert store.sha256(AGENCY, UPLOAD) == sha256(first[:PIECE] + second[:100])
    store.append(AGENCY, UPLOAD, PIECE + 100, second[100:])
    assert store.read(AGENCY, UPLOAD, LIMIT) == first[:PIECE] + second


def test_earlier_bytes_that_are_missing_are_told(store: SealedStore) -> None:
    with pytest.raises(SealedAbsent):
        store.append(AGENCY, UPLOAD, PIECE, b"later")
    store.append(AGENCY, UPLOAD, 0, b"some")
    with pytest.raises(SealedAbsent):
        store.append(AGENCY, UPLOAD, 5, b"later")
    assert store.read(AGENCY, UPLOAD, LIMIT) == b"some"


def test_what_is_deleted_is_absent_and_deleting_twice_is_deleting(store: SealedStore) -> None:
    write(store, os.urandom(5 * PIECE))
    other = new_id()
    write(store, b"another's", upload=other)
    store.delete(AGENCY, UPLOAD)
    store.delete(AGENCY, UPLOAD)
    for ask in (lambda: store.read(AGENCY, UPLOAD, LIMIT), lambda: store.sha256(AGENCY, UPLOAD)):
        with pytest.raises(SealedAbsent):
            ask()
    assert store.read(AGENCY, other, LIMIT) == b"another's"
    write(store, b"a later life")
    assert store.read(AGENCY, UPLOAD, LIMIT) == b"a later life"


def test_a_body_whose_offset_was_not_committed_does_not_count_once_others_came(memory: Memory) -> None:
    """A crash between store and database leaves a longer body than the one that the phone sends next."""
    long, short, rest = os.urandom(PIECE), os.urandom(1_000), os.urandom(PIECE)
    memory.pieces.append(AGENCY, UPLOAD, 0, long)
    memory.pieces.append(AGENCY, UPLOAD, PIECE, os.urandom(PIECE))
    memory.pieces.append(AGENCY, UPLOAD, 0, short)
    memory.pieces.append(AGENCY, UPLOAD, len(short), rest)
    assert memory.pieces.read(AGENCY, UPLOAD, LIMIT) == short + rest
    memory.pieces.delete(AGENCY, UPLOAD)
    assert memory.left() == set(), "what never counted goes as well"


def test_many_small_bodies_become_one_object(memory: Memory) -> None:
    body = os.urandom(3 * MANY * 100)
    for offset, piece in pieces_of(body, 100):
        memory.pieces.append(AGENCY, UPLOAD, offset, piece)
        assert len(memory.left()) <= MANY + 1
    assert memory.pieces.read(AGENCY, UPLOAD, LIMIT) == body
    memory.pieces.delete(AGENCY, UPLOAD)
    assert memory.left() == set()


@pytest.mark.parametrize("left", ["all", "some"])
def test_pieces_that_a_crash_left_beside_their_sum_do_not_count(memory: Memory, left: str) -> None:
    """Killed after the one object was stored and before the others went; the body that came with it is sent again."""
    body = os.urandom((MANY + 2) * 100)
    write(memory.pieces, body[: MANY * 100], 100)
    memory.store.put(memory.path(0), body[: MANY * 100])
    if left == "some":
        memory.store.delete([memory.path(100), memory.path(500)])
    memory.pieces.append(AGENCY, UPLOAD, MANY * 100, body[MANY * 100 :])
    assert memory.pieces.sha256(AGENCY, UPLOAD) == sha256(body)


def test_a_piece_that_was_taken_out_is_no_other_photograph(memory: Memory) -> None:
    write(memory.pieces, os.urandom(4 * PIECE))
    obstore.delete(memory.bucket, memory.path(PIECE))
    with pytest.raises(SealedAbsent):
        memory.pieces.append(AGENCY, UPLOAD, 4 * PIECE, b"x")


def test_what_a_store_keeps_although_it_was_deleted_is_not_called_gone(
    memory: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pieces.append(AGENCY, UPLOAD, 0, b"evidence")
    with monkeypatch.context() as locked:
        locked.setattr(obstore, "delete", lambda *_: None)
        with pytest.raises(StoreUnavailable):
            memory.pieces.delete(AGENCY, UPLOAD)
    memory.pieces.delete(AGENCY, UPLOAD)
    assert memory.left() == set()


@S3
def test_a_store_that_is_away_says_nothing_of_a_photograph(s3: Seaweed) -> None:
    url = StoreUrl("s3", "photos", f"door/{new_id().hex}", "http://127.0.0.1:9", allow_http=True)
    away = SealedPieces(ObjectStore("door", lambda: open_store(url)))
    for call in (
        lambda: away.append(AGENCY, UPLOAD, 0, b"x"),
        lambda: away.append(AGENCY, UPLOAD, 5, b"x"),
        lambda: away.read(AGENCY, UPLOAD, LIMIT),
        lambda: away.delete(AGENCY, UPLOAD),
    ):
        with pytest.raises(StoreUnavailable):
            call()


def test_a_full_disk_leaves_what_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    files = SealedFiles(tmp_path)
    files.append(AGENCY, UPLOAD, 0, b"safe")
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(StoreUnavailable):
            files.append(AGENCY, UPLOAD, 4, b"lost")
    files.append(AGENCY, UPLOAD, 4, b"more")
    assert files.read(AGENCY, UPLOAD, LIMIT) == b"safemore"


FORKING = """
import os, signal, sys
from uuid import UUID
from field_api.platform.settings import settings_from
from media.stores import stores_of

settings = settings_from()
stores_of(settings)  # before the fork, as a door's application may; a store is opened at its first use
agency = UUID(int=1)
children = []
for number in (1, 2):
    child = os.fork()
    if not child:
        signal.alarm(30)
        files = stores_of(settings).files
        files.append(agency, UUID(int=number), 0, b"from a fork")
        os._exit(files.read(agency, UUID(int=number), 100) != b"from a fork")
    children.append(child)
sys.exit(any(os.waitpid(child, 0)[1] for child in children))
"""


@S3
def test_each_process_of_a_door_opens_the_store_for_itself(s3: Seaweed) -> None:
    """What was used before a fork hangs after it: the library's threads stay with the parent."""
    told = {
        "DOORSTEP_DATABASE_URL": "postgresql+psycopg://door@db/x",
        "DOORSTEP_DOOR_OBJECTS": f"s3://photos/forks/{new_id().hex}",
        "DOORSTEP_OBJECTS_ALLOW_HTTP": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", FORKING],
        env={**os.environ, **told},
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
