"""Whatever breaks while a photograph is brought: what lies at the door is what was sent, or nobody was told that it does.

One door process behind the server we ship, one reference phone, real connections. After each fault the phone, left
alone, brings the rest.
"""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from failpoints import Armed, Failpoint
from fault_house import furnished_house
from fault_world import IMPATIENT, House
from proxy import Fault
from upload_faults import THREE_MB, Bringing, bring

from doorstep.server import Server
from field_api.platform.ids import new_id
from sync.phone import Phone
from sync.phone.uploading import PATCH_BYTES

pytestmark = pytest.mark.xdist_group("upload_faults")

STEP = 4 * 1024
PIECES = -(-THREE_MB // PATCH_BYTES)


@pytest.fixture(scope="module")
def house(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all tests here: each brings a photograph of its own."""
    name = "t" + new_id().hex
    admin = postgres.conninfo("owner", "postgres")
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE doorstep_template STRATEGY FILE_COPY")
    with furnished_house(replace(postgres, database=name), tmp_path_factory.mktemp("uploads")) as house:
        yield house
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def phone(house: House) -> Iterator[Phone]:
    with house.enrol() as phone:
        phone.door.patience = IMPATIENT
        yield phone


@pytest.fixture
def photo(house: House, phone: Phone) -> Bringing:
    return bring(house, phone)


@pytest.fixture
def small(house: House, phone: Phone) -> Bringing:
    """Two pieces."""
    return bring(house, phone, 300_000)


def cut_everywhere(photo: Bringing, cuts: list[int]) -> int:
    """The connection breaks once after each of these bytes of the photograph, then the piece passes. How often it did."""
    broken = 0
    while (at := photo.offset()) < len(photo.sealed):
        end = min(at + PATCH_BYTES, len(photo.sealed))
        for cut in (each for each in cuts if at <= each < end):
            photo.house.proxy.spoil(Fault(cut_body_at=cut - at), "PATCH")
            photo.is_put_off()
            assert photo.offset() == at
            assert photo.stored() == photo.sealed[:at]
            broken += 1
        photo.house.proxy.spoil(Fault(drop_reply=True), "PATCH")  # this piece arrives, and the phone does not hear
        photo.is_put_off()
        assert photo.offset() == end
    return broken


def test_the_connection_breaks_after_some_bytes_of_each_piece(photo: Bringing) -> None:
    chance = random.Random(5)
    steps = range(0, len(photo.sealed), STEP)
    cuts = [*sorted(chance.sample(steps, 2 * PIECES)), len(photo.sealed) - 1]
    assert cut_everywhere(photo, cuts) == len(cuts)
    photo.is_finished()


@pytest.mark.prove
def test_the_connection_breaks_after_every_4_kib(photo: Bringing) -> None:
    cuts = list(range(0, len(photo.sealed), STEP))
    assert len(cuts) > 730 and cut_everywhere(photo, cuts) == len(cuts)
    photo.is_finished()


def test_a_creation_breaks_off_or_its_answer_is_lost(small: Bringing) -> None:
    for fault in (Fault(cut_request_at=10), Fault(cut_request_at=700), Fault(cut_reply_at=20), Fault(drop_reply=True)):
        small.house.proxy.spoil(fault, "POST")
        small.is_put_off()
        assert "location" not in small.row
    assert small.upload() is not None
    small.is_finished()


def test_the_answer_to_a_question_is_lost(small: Bringing) -> None:
    small.is_announced()
    for fault in (Fault(cut_request_at=10), Fault(cut_reply_at=20), Fault(drop_reply=True)):
        small.house.proxy.spoil(fault, "HEAD")
        small.is_put_off()
    small.is_finished()


def cut_answers(house: House, phone: Phone, line: str, step: int) -> None:
    """What is left of a head looks like a whole one with fewer lines: the phone asks again, whatever is missing."""
    for cut in range(1, 800, step):
        photo = bring(house, phone, 1_000)
        house.proxy.spoil(Fault(cut_reply_at=cut), line)
        photo.once()
        assert house.proxy.unspoiled() == 0
        photo.is_true()
        photo.is_finished()


@pytest.mark.parametrize("line", ["POST", "HEAD", "PATCH"])
def test_an_answer_breaks_off_in_its_head(house: House, phone: Phone, line: str) -> None:
    cut_answers(house, phone, line, 130)


@pytest.mark.prove
@pytest.mark.parametrize("line", ["POST", "HEAD", "PATCH"])
def test_an_answer_breaks_off_anywhere_in_its_head(house: House, phone: Phone, line: str) -> None:
    cut_answers(house, phone, line, 11)


def changed_at(at: int) -> Fault:
    """One bit of the body is another."""

    def change(sent: bytes) -> bytes:
        place = sent.index(b"\r\n\r\n") + 4 + at
        return sent[:place] + bytes([sent[place] ^ 1]) + sent[place + 1 :]

    return Fault(request=change)


def test_a_body_that_is_changed_on_its_way_counts_for_nothing(small: Bringing) -> None:
    """The digest is signed, so the door answers 460, and the phone sends the same bytes again."""
    for at in (0, 100_000, PATCH_BYTES - 1):
        small.house.proxy.spoil(changed_at(at), "PATCH")
    small.phone.upload_photos()
    statuses = [each.replies[0].split()[1] for each in small.house.proxy.exchanges if each.line.startswith("PATCH")]
    assert statuses == [b"460", b"460", b"460", b"204", b"204"]
    small.is_finished()


def test_a_piece_with_another_hash_is_refused(small: Bringing) -> None:
    """Upload-Checksum names other bytes than came; all the rest of the request is right."""
    small.is_announced()
    offset, piece = small.piece()
    other = small.patch(offset, piece, checksum_of=b"other")
    other.send()
    assert other.status() == 460
    small.is_true()
    assert small.stored() == b""
    small.is_finished()


def test_pieces_come_several_times_at_once(photo: Bringing) -> None:
    """The same PATCH four times, on four connections: it counts once, whatever each of them is told."""
    for _ in range(PIECES):
        photo.house.proxy.spoil(Fault(duplicate=3), "PATCH")
    while photo.house.proxy.unspoiled():
        photo.once()
        assert photo.stored()[: photo.offset()] == photo.sealed[: photo.offset()]
    photo.is_true()
    photo.is_finished()


def test_two_pieces_of_other_lengths_at_one_offset(photo: Bringing) -> None:
    """One of them counts, whole; the other is told that it does not."""
    photo.is_announced()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(6):
            offset, piece = photo.piece()
            requests = [photo.patch(offset, part) for part in (piece, piece[:100_000])]
            for request in requests:
                request.send(1_000)
            statuses = list(pool.map(lambda each: (each.send(), each.status())[1], requests))
            assert set(statuses) <= {204, 409} and statuses.count(204) <= 1
            taken = [len(each.body) for each, status in zip(requests, statuses, strict=True) if status == 204]
            assert photo.offset() == offset + sum(taken)  # none, where each was overtaken by the other
            photo.is_true()
            photo.head()
    photo.is_finished()


@pytest.mark.parametrize("sent", [0, 100_000, PATCH_BYTES - 1])
def test_a_head_beside_a_stalled_piece_stays_true(small: Bringing, sent: int) -> None:
    """The rest of the stalled body comes after the HEAD was answered: its request must not move the offset any more."""
    small.is_announced()
    stalled = small.patch(*small.piece())
    stalled.send(sent)
    assert small.head() == 0
    stalled.send()
    assert stalled.status() == 409
    assert small.offset() == small.head() == 0 and small.stored() == b""
    small.is_finished()


def test_stalled_pieces_keep_nobody_waiting(small: Bringing) -> None:
    """More of them than the door has threads: the phone brings its photograph meanwhile."""
    small.is_announced()
    stalled = [small.patch(*small.piece()) for _ in range(20)]
    for each in stalled:
        each.send(PATCH_BYTES // 2)
    small.is_finished()
    for each in stalled:
        each.send()
        assert each.status() in (409, 503)  # 503: more at once than the door takes of photographs
    assert small.stored() == small.sealed


CREATION = [
    Failpoint(101, "door", "media.photo_keys:PhotoKeys.put", "before", "a row made, no key"),
    Failpoint(102, "door", "media.photo_keys:PhotoKeys.put", "after", "a key stored, no row committed"),
]
PIECE = [
    Failpoint(103, "door", "media.door.uploads:_pass_older", "after", "a place taken, not committed"),
    Failpoint(104, "door", "media.sealed_files:SealedFiles.append", "before", "asked, nothing written"),
    Failpoint(105, "door", "media.sealed_files:SealedFiles.append", "after", "synced, no offset"),
    Failpoint(106, "door", "media.door.http:append_at_once", "after", "offset written, not committed"),
    Failpoint(107, "door", "field_api.platform.door_gate:check", "before", "offset committed, no reply"),
]
DEATHS = [
    *(Armed(point) for point in [*CREATION, *PIECE]),
    *(pytest.param(Armed(point, 2), marks=pytest.mark.prove) for point in PIECE),
]


@pytest.mark.parametrize("armed", DEATHS, ids=lambda armed: f"{armed.point}-{armed.times}")
def test_the_door_dies(small: Bringing, armed: Armed) -> None:
    """While it makes the upload, or at the first or second time that it comes by there with a piece."""
    parts, deaths = small.house.parts, small.house.parts.deaths
    parts.start_door(armed)
    small.is_put_off()
    assert parts.door is not None
    parts.door.join(20)
    parts.look_after()
    assert parts.deaths == deaths + 1, "it was to die there"
    small.is_true()
    small.is_finished()


def test_files_that_cannot_grow_are_told_as_later(photo: Bringing) -> None:
    """The system takes a part of the third piece, then refuses: nothing of that piece counts."""
    most = 2 * PATCH_BYTES + 100_000
    photo.house.parts.start_door(max_file_bytes=most)
    photo.is_put_off()
    assert photo.offset() == 2 * PATCH_BYTES
    photo.house.parts.start_door()
    photo.is_finished()


@contextmanager
def tiny_disk(place: Path, size: str) -> Iterator[None]:
    """A disk of its own, mounted there. Skips where that needs more rights than these tests have."""
    place.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"no disk of its own can be mounted here: {made.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_told_as_later(photo: Bringing) -> None:
    objects = photo.house.parts.door_settings.door_objects
    with tiny_disk(objects, "1m"):
        photo.is_put_off()
        assert 0 < photo.offset() < len(photo.sealed) and photo.offset() % PATCH_BYTES == 0
        photo.is_put_off()
        subprocess.run(["mount", "-o", "remount,size=16m", objects], check=True)
        photo.is_finished()


def test_a_full_disk_of_keys_is_told_as_later(small: Bringing) -> None:
    keys = small.house.parts.door_settings.photo_keys
    with tiny_disk(keys, "64k"):
        filler = keys / "filler"
        with pytest.raises(OSError, match="No space"):
            filler.write_bytes(os.urandom(128 * 1024))
        small.is_put_off()
        assert small.upload() is None
        filler.unlink()
        small.is_finished()
