"""No permission, no photograph; sealed once; uploaded through every break; deleted only when safe."""

from __future__ import annotations

from uuid import UUID

import pytest
from phone_world import World
from small_door import answer

from field_api.platform import sealing
from field_api.platform.sealing import b64u, from_b64u, sha256
from media.sealed_photo import PhotoName, open_photo
from sync.phone import Later, NotAllowed, Phone

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 2_500  # 640 kB: three PATCHes


def _permit(world: World, phone: Phone) -> str:
    return phone.photo_permission(world.visits[0], True, "relative", ["facade"]).op


def test_without_a_permission_for_its_subject_there_is_no_photograph(world: World, phone: Phone) -> None:
    visit = world.visits[0]
    with pytest.raises(NotAllowed, match="no-permission"):
        phone.photo(visit, JPEG, "facade")
    _permit(world, phone)
    with pytest.raises(NotAllowed, match="no-permission"):
        phone.photo(visit, JPEG, "meter")
    with pytest.raises(NotAllowed, match="no-permission"):
        phone.photo(world.visits[1], JPEG, "facade")
    phone.photo_permission(visit, False, "relative", ["facade"])
    with pytest.raises(NotAllowed, match="no-permission"):
        phone.photo(visit, JPEG, "facade")
    assert list((world.directory / "photos").glob("*")) == []


def test_a_permission_says_which_notice_was_shown(world: World, phone: Phone) -> None:
    visit = world.visits[0]
    notice = phone.photo_notice(visit, "fr")
    assert notice.words.startswith("Je voudrais prendre une photo") and "voudrais" not in repr(notice)
    for language in ("fr", None):
        phone.photo_permission(visit, True, "relative", ["facade"], language=language)
    phone.photo_permission(visit, False, "relative", ["facade"])
    said = [world.office.read_op(kept["document"])[1]["body"] for _, kept in phone.handset.store.all("op")]
    at_the_door = {"version": notice.version, "language": phone.photo_notice(visit).language}
    assert [body.get("notice") for body in said] == [{"version": notice.version, "language": "fr"}, at_the_door, None]
    with pytest.raises(NotAllowed, match="unknown-word"):
        phone.photo_permission(visit, True, "relative", language="xx")


def test_what_is_no_picture_or_too_large_is_refused(world: World, phone: Phone) -> None:
    _permit(world, phone)
    with pytest.raises(NotAllowed, match="not-a-photo"):
        phone.photo(world.visits[0], b"%PDF-1.7", "facade")
    with pytest.raises(NotAllowed, match="too-large"):
        phone.photo(world.visits[0], JPEG[:4] + bytes(13 * 1024 * 1024), "facade")


def test_the_office_opens_what_the_phone_sealed(world: World, phone: Phone) -> None:
    permission = _permit(world, phone)
    taken = phone.photo(world.visits[0], JPEG, "facade")
    assert phone.upload_photos().complete == 1
    (uploaded,) = world.door.photos.values()
    name = PhotoName(UUID(world.office.agency), UUID(world.office.device), UUID(taken.op))
    wrap = from_b64u(uploaded["key"])
    key = sealing.open_sealed(world.office.private["sealing"], name.key_info, wrap)
    opened = open_photo(key, name, uploaded["data"])
    assert (opened.media_type, opened.image) == ("image/jpeg", JPEG)
    claims, content = world.office.read_op(phone.handset.store.get("op", taken.seq)["document"])
    assert claims["photos"] == [b64u(sha256(uploaded["data"]))] and permission in claims["deps"]
    assert content["body"]["photo"] == taken.op and content["body"]["permission"] == permission
    assert uploaded["keyid"] == sealing.key_id_of(world.office.public["sealing"])


@pytest.mark.parametrize("code", ["conflict", "digest-mismatch"])
def test_a_refused_piece_is_settled_by_asking_for_the_offset(world: World, phone: Phone, code: str) -> None:
    _permit(world, phone)
    phone.photo(world.visits[0], JPEG, "facade")
    status = {"conflict": 409, "digest-mismatch": 460}[code]
    world.door.script = [lambda *_: None, lambda *_: None, lambda *_: answer(status, {"code": code})]
    assert phone.upload_photos().complete == 1


def test_a_forgotten_upload_is_created_again(world: World, phone: Phone) -> None:
    _permit(world, phone)
    phone.photo(world.visits[0], JPEG, "facade")
    world.door.script = [lambda *_: None, lambda *_: answer(404, {"code": "not-found"})]
    assert phone.upload_photos().complete == 1


def test_a_stale_anchor_is_replaced_where_the_answer_has_no_body(world: World, phone: Phone) -> None:
    _permit(world, phone)
    phone.photo(world.visits[0], JPEG, "facade")

    def forget_all(*_: str) -> None:
        world.door.live_anchors.clear()

    world.door.script = [lambda *_: None, forget_all]
    assert phone.upload_photos().complete == 1
    assert [method for method, *_ in world.door.requests if method == "HEAD"] == ["HEAD", "HEAD"]


def test_a_full_door_means_later(world: World, phone: Phone) -> None:
    _permit(world, phone)
    phone.photo(world.visits[0], JPEG, "facade")
    world.door.script = [lambda *_: answer(413, {"code": "quota-exceeded"})]
    with pytest.raises(Later, match="quota-exceeded"):
        phone.upload_photos()
    assert phone.upload_photos().complete == 1


def test_what_the_agency_destroyed_leaves_the_phone(world: World, phone: Phone) -> None:
    _permit(world, phone)
    phone.photo(world.visits[0], JPEG, "facade")
    gone = answer(410, {"code": "gone"})
    world.door.script = [lambda *_: None, lambda *_: gone, lambda *_: answer(410, {"code": "gone"})]
    assert phone.upload_photos().gone == 1
    assert list((world.directory / "photos").glob("*")) == []


def test_a_bare_410_deletes_no_photograph(world: World, phone: Phone) -> None:
    """Somebody's page on the way may say so; the door says `gone` to who creates it again."""
    _permit(world, phone)
    phone.photo(world.visits[0], JPEG, "facade")
    world.door.script = [lambda *_: None, lambda *_: answer(410, {})]
    assert phone.upload_photos().complete == 1


def test_a_photograph_leaves_only_after_a_later_durable_statement(world: World, phone: Phone) -> None:
    from datetime import timedelta

    _permit(world, phone)
    taken = phone.photo(world.visits[0], JPEG, "facade")
    phone.push()
    phone.upload_photos()
    world.office.durable_seq = taken.seq
    phone.pull()  # as old as the upload: a backup from before it would not hold the photograph
    assert len(list((world.directory / "photos").glob("*"))) == 1
    world.office.now += timedelta(minutes=1)
    phone.pull()
    assert list((world.directory / "photos").glob("*")) == []
    assert phone.status()["photos"] == {}


def test_the_only_good_copy_stays_when_the_door_lost_bytes(world: World, phone: Phone) -> None:
    from datetime import timedelta

    def lose_bytes(*_: str) -> None:
        for photo in world.door.photos.values():
            photo["data"] = b"?" + photo["data"][1:]

    _permit(world, phone)
    taken = phone.photo(world.visits[0], JPEG, "facade")
    phone.push()
    world.door.script = [lambda *_: None, lambda *_: None, lambda *_: None, lose_bytes]
    assert phone.upload_photos().quarantined == 1
    world.office.durable_seq = taken.seq
    world.office.now += timedelta(minutes=1)
    phone.pull()
    (kept,) = (world.directory / "photos").glob("*")
    kept.write_bytes(b"no better here")
    phone.pull()
    assert list((world.directory / "photos").glob("*")) == []


def test_after_a_restore_the_door_is_asked_again(world: World, phone: Phone) -> None:
    _permit(world, phone)
    phone.photo(world.visits[0], JPEG, "facade")
    phone.upload_photos()
    world.door.photos.clear()
    assert phone.upload_photos().complete == 0
    world.office.restored()
    phone.pull()
    assert phone.upload_photos().complete == 1 and len(world.door.photos) == 1
