"""Objects that lay in buckets come back from a backup, into other buckets or into a directory; verified on the way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import obstore
import pytest
from processes import Parts
from sqlalchemy import select
from whole_house import WholeHouse

from doorstep.installation import Installation
from doorstep.postgres import EmbeddedPostgres
from doorstep.server import Server
from field_api.platform.clock import SetClock, SystemClock
from field_api.platform.database import db, transaction
from field_api.platform.ids import new_id
from field_api.platform.store_urls import StoreUrl, StoreUrls
from media.office.darkroom import darkroom
from media.office.records import Photo
from media.office.show_rendition import show_rendition
from media.records import Upload
from media.sealed_photo import MAX_SEALED_BYTES
from media.stores import stores_of
from tests.photo_phone import SealedPhoto, announce, send_piece
from tests.photo_world import PhotoWorld, photo_world
from tests.pictures import jpeg
from tests.seaweed import Seaweed

pytest_plugins = ["tests.store_fixtures"]
pytestmark = pytest.mark.xdist_group("stores")
PIECE = 256 * 1024


@dataclass
class BucketHouse(WholeHouse):
    """A house whose objects lie below a prefix of a real S3; None: in directories."""

    endpoint: str = ""
    prefix: str | None = field(default_factory=lambda: new_id().hex)

    @property
    def stores(self) -> StoreUrls:
        if self.prefix is None:
            return StoreUrls()
        office, door = (
            StoreUrl("s3", "photos", f"{self.prefix}/{part}", self.endpoint, True) for part in ("office", "door")
        )
        return StoreUrls(office, door)

    @property
    def installation(self) -> Installation:
        return replace(super().installation, door_url="http://door.test", stores=self.stores)

    def run(self, *arguments: str, fails: bool = False, **environment: str) -> str:
        told = {
            "DOORSTEP_OFFICE_OBJECTS": str(self.stores.office or ""),
            "DOORSTEP_DOOR_OBJECTS": str(self.stores.door or ""),
        }
        return super().run(*arguments, fails=fails, **told, DOORSTEP_OBJECTS_ALLOW_HTTP="1", **environment)

    @contextmanager
    def photographing(self, server: Server) -> Iterator[PhotoWorld]:
        settings = self.installation.settings(server, "office")
        world = photo_world(self.app, self.agency, settings, server, SetClock(SystemClock().now()))
        yield world
        with world.door.app_context():
            db.engine.dispose()


@pytest.fixture
def house(tmp_path: Path, s3: Seaweed) -> Iterator[BucketHouse]:
    made = BucketHouse(tmp_path, endpoint=s3.endpoint)
    made.journal.make()
    try:
        yield made
    finally:
        EmbeddedPostgres(made.home).destroy()


def furnished(house: BucketHouse, server: Server) -> tuple[SealedPhoto, SealedPhoto]:
    """One photograph that is developed, one of which a piece came."""
    house.furnish(agents=0, visits=0)
    with house.photographing(server) as world:
        whole, begun = world.seal(jpeg(400, 300) + os.urandom(2 * PIECE)), world.seal(os.urandom(3 * PIECE))
        world.declare(whole, world.permit())
        world.upload(whole)
        location = announce(world.phone, begun).headers["Location"]
        assert send_piece(world.phone, location, 0, begun.sealed[:PIECE]).status_code == 204
        world.work()
    return whole, begun


@pytest.mark.parametrize("into", ["buckets", pytest.param("directories", marks=pytest.mark.prove)])
def test_what_lay_in_buckets_is_there_again_after_a_restore(house: BucketHouse, s3: Seaweed, into: str) -> None:
    with house.open() as server:
        whole, begun = furnished(house, server)
        assert "verified: 5 files" in house.back_up(), "the dump, two uploads as one file each, two renditions"
        settings = house.installation.settings(server, "office")
        house.parts = Parts(settings, settings)  # none runs
        house.burn()
    if into == "buckets":
        assert "is not empty: name another prefix" in str(_refused(house))
        house.prefix = new_id().hex
    else:
        house.prefix = None
    house.restore()
    with house.open() as server:
        settings = house.installation.settings(server, "office")
        files = stores_of(settings).files
        with transaction(house.agency) as session:
            uploads = {upload.sha256: upload.id for upload in session.scalars(select(Upload))}
            photo_id = session.scalars(select(Photo.id)).one()
            assert show_rendition(session, photo_id, "large", darkroom(), actor="staff:test").startswith(b"\xff\xd8")
        assert files.read(house.agency, uploads[whole.sha256], MAX_SEALED_BYTES) == whole.sealed
        files.append(house.agency, uploads[begun.sha256], PIECE, begun.sealed[PIECE : 2 * PIECE])
        assert files.read(house.agency, uploads[begun.sha256], MAX_SEALED_BYTES) == begun.sealed[: 2 * PIECE]
        lies = (
            len(s3.bodies(house.prefix))
            if house.prefix
            else sum(p.is_file() for p in (house.home / "objects").rglob("*"))
        )
        assert lies == (5 if house.prefix else 4)


def _refused(house: BucketHouse) -> str:
    with pytest.raises(AssertionError) as told:  # its exit status is not 0
        house.restore()
    return str(told.value)


@pytest.mark.prove
@pytest.mark.parametrize("harm", ["missing", "bent", "away"])
def test_a_backup_of_a_bucket_that_lost_or_bent_an_object_is_none(house: BucketHouse, s3: Seaweed, harm: str) -> None:
    with house.open() as server:
        furnished(house, server)
        bucket = s3.open(house.prefix)
        path, body = next((path, body) for path, body in s3.bodies(house.prefix).items() if path.startswith("office"))
        if harm == "missing":
            obstore.delete(bucket, path)
        elif harm == "bent":
            obstore.put(bucket, path, body[:-1] + bytes([body[-1] ^ 1]))
        else:
            house.endpoint = "http://127.0.0.1:9"
        with pytest.raises(AssertionError):
            house.back_up(**({"AWS_ENDPOINT_URL": house.endpoint} if harm == "away" else {}))
        assert not list((house.folder / "elsewhere").glob("*/doorstep-*2*"))
