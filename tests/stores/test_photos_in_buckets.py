"""A photograph's whole life in two buckets' prefixes of a real S3: phone, door, development, a manager's look, the end."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import obstore
import pytest
from flask import Flask
from PIL import Image

from doorstep.app import worker_app
from doorstep.server import Server
from field_api.platform.clock import SetClock
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import db, transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.settings import Settings
from field_api.platform.store_urls import StoreUrl, StoreUrls
from media.office.darkroom import darkroom
from media.office.destroy_photo import destroy_photo
from media.office.show_rendition import show_rendition
from media.office.work import STORE_PAUSE
from tests.photo_phone import announce, head, send_piece
from tests.photo_world import PhotoWorld, photo_world
from tests.pictures import jpeg
from tests.seaweed import Seaweed, seaweed_server

pytest_plugins = ["tests.store_fixtures"]
pytestmark = pytest.mark.xdist_group("stores")
PIECE = 256 * 1024


class Buckets:
    """Where this test's objects lie, and what lies there."""

    def __init__(self, server: Seaweed) -> None:
        self.server, self.prefix = server, new_id().hex
        self.urls = StoreUrls(
            office=StoreUrl("s3", "photos", f"{self.prefix}/office", server.endpoint, allow_http=True),
            door=StoreUrl("s3", "photos", f"{self.prefix}/door", server.endpoint, allow_http=True),
        )

    def below(self, part: str = "") -> dict[str, bytes]:
        return self.server.bodies(f"{self.prefix}/{part}".rstrip("/"))

    def put(self, part: str, path: str, body: bytes) -> None:
        """As the bucket's owner may."""
        obstore.put(self.server.open(f"{self.prefix}/{part}"), path, body)

    def delete(self, part: str, *paths: str) -> None:
        obstore.delete(self.server.open(f"{self.prefix}/{part}"), list(paths))


@pytest.fixture
def buckets(s3: Seaweed) -> Buckets:
    return Buckets(s3)


@pytest.fixture
def settings(database: Server, tmp_path: Path, buckets: Buckets) -> Settings:
    return Settings(
        home=tmp_path / "home", database_url=database.url("office"), door_url="http://door.test",
        office_url="http://office.test", stores=buckets.urls,
    )  # fmt: skip


@pytest.fixture
def world(app: Flask, agency: UUID, settings: Settings, database: Server, clock: SetClock) -> Iterator[PhotoWorld]:
    world = photo_world(app, agency, settings, database, clock)
    yield world
    with world.door.app_context():
        db.engine.dispose()


def shown(world: PhotoWorld, size: str = "large") -> bytes:
    with transaction(world.agency) as session:
        return show_rendition(session, world.only().id, size, darkroom(), actor="staff:test")


def test_a_photograph_comes_is_developed_shown_and_destroyed_and_nothing_of_it_remains(
    world: PhotoWorld, buckets: Buckets, settings: Settings
) -> None:
    photo = world.seal(jpeg(400, 300) + os.urandom(3 * PIECE))
    world.declare(photo, world.permit())
    location = world.upload(photo)
    pieces = buckets.below("door")
    assert len(pieces) == 4 and b"".join(pieces[path] for path in sorted(pieces)) == photo.sealed
    world.work()
    assert world.only().state == "developed"
    assert Image.open(io.BytesIO(shown(world))).size == (400, 300)
    everything = buckets.below()
    assert len(everything) == 6, "four pieces, two renditions; no key"
    wrap = next(path for path in settings.photo_keys.rglob("*") if path.is_file()).read_bytes()
    assert all(photo.wrap not in body and wrap not in body and b"JFIF" not in body for body in everything.values())
    assert not (settings.home / "objects").exists()
    with transaction(world.agency) as session:
        destroy_photo(session, world.only().id, darkroom(), now=world.clock.now(), actor="staff:1", reason="not-needed")
    assert buckets.below() == {}
    assert head(world.phone, location).status_code == 410


def test_a_rendition_that_the_bucket_lost_is_made_anew(world: PhotoWorld, buckets: Buckets) -> None:
    photo = world.seal(jpeg(400, 300) + os.urandom(PIECE))
    world.declare(photo, world.permit())
    world.upload(photo)
    world.work()
    small = world.only().small_key
    buckets.delete("office", f"{world.agency}/{small[:2]}/{small}")
    with pytest.raises(Problem, match="unavailable"):
        shown(world, "small")
    world.work()
    assert max(Image.open(io.BytesIO(shown(world, "small"))).size) == 320
    assert len(buckets.below("office")) == 2


@pytest.mark.parametrize(
    ("harm", "reason"), [("flip", "bytes-differ"), ("one", "bytes-differ"), ("all", "bytes-missing")]
)
def test_bytes_that_the_bucket_lost_or_bent_put_the_photograph_into_quarantine(
    world: PhotoWorld, buckets: Buckets, harm: str, reason: str
) -> None:
    photo = world.seal(jpeg(400, 300) + os.urandom(2 * PIECE))
    world.declare(photo, world.permit())
    world.upload(photo)
    pieces = buckets.below("door")
    _, second, _ = sorted(pieces)
    if harm == "flip":
        buckets.put("door", second, bytes([pieces[second][0] ^ 1]) + pieces[second][1:])
    else:
        buckets.delete("door", *([second] if harm == "one" else pieces))
    world.work()
    assert (world.only().state, world.only().reason) == ("quarantined", reason)


def test_pieces_that_vanish_under_an_upload_let_it_begin_anew(world: PhotoWorld, buckets: Buckets) -> None:
    photo = world.seal(os.urandom(2 * PIECE))
    location = announce(world.phone, photo).headers["Location"]
    assert send_piece(world.phone, location, 0, photo.sealed[:PIECE]).status_code == 204
    buckets.delete("door", *buckets.below("door"))
    assert send_piece(world.phone, location, PIECE, photo.sealed[PIECE : 2 * PIECE]).status_code == 404
    world.upload(photo)
    assert b"".join(body for _, body in sorted(buckets.below("door").items())) == photo.sealed


def test_a_store_that_dies_under_an_upload_costs_nothing(
    database: Server, tmp_path: Path, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two pieces and again before the development; each time all goes on where it stood."""
    with seaweed_server(tmp_path / "seaweed") as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        buckets, agency = Buckets(server), new_id()
        settings = Settings(
            home=tmp_path / "home", database_url=database.url("office"), door_url="http://door.test",
            office_url="http://office.test", stores=buckets.urls,
        )  # fmt: skip
        app = worker_app(settings)
        with app.app_context():
            world = _world(app, agency, settings, database, clock)
            photo = world.seal(jpeg(400, 300) + os.urandom(PIECE))
            world.declare(photo, world.permit())
            location = announce(world.phone, photo).headers["Location"]
            assert send_piece(world.phone, location, 0, photo.sealed[:PIECE]).status_code == 204
            server.kill()
            away = send_piece(world.phone, location, PIECE, photo.sealed[PIECE:])
            assert (away.status_code, away.json["code"]) == (503, "unavailable") and away.headers["Retry-After"]
            assert head(world.phone, location).headers["Upload-Offset"] == str(PIECE)
            server.start()
            done = send_piece(world.phone, location, PIECE, photo.sealed[PIECE:])
            assert (done.status_code, done.headers["Upload-State"]) == (204, "complete")
            server.kill()
            world.work()
            assert world.only().state == "developing" and world.only().attempts == 0
            assert world.work() == 0, "not asked again at once"
            server.start()
            clock.moment += 6 * STORE_PAUSE
            world.phone.take_anchor()
            world.work()
            assert world.only().state == "developed"
            server.kill()
            with pytest.raises(Problem, match="unavailable"):
                shown(world)
            assert world.only().state == "developed", "nothing is said of the picture"
            with world.door.app_context():
                db.engine.dispose()
            db.session.remove()
            db.engine.dispose()


def _world(app: Flask, agency: UUID, settings: Settings, database: Server, clock: SetClock) -> PhotoWorld:
    from field_api.records.agency import Agency

    create_agency_keys(settings.home, agency, clock.now())
    with transaction(agency) as session:
        session.add(Agency(agency_id=agency, name="Agencia Puerta Norte", address="Calle 1", phone="+525550000000"))
    return photo_world(app, agency, settings, database, clock)
