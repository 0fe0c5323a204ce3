"""After a rotation: seal the wrapped keys of photographs to the agency's newest sealing key. No photograph is touched.

The key is opened and sealed again to that HPKE key, not put under another key at rest: what lies in the store then is
what any phone sends, one kind of key opens all of it, and whoever has stolen the replaced one opens nothing of what is
here (docs/photo-format.md §7). The file comes first, then the row: a file tells itself which key opens it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from field_api.platform.keyring import OfficeKeys
from field_api.platform.sealing import Unsealable
from field_api.platform.tenancy import current_agency
from media.office.darkroom import Darkroom
from media.office.records import Photo, PhotoState
from media.photo_keys import KeyAbsent
from media.records import Upload
from media.sealed_photo import PhotoName

BATCH = 50
"""In one transaction: some milliseconds each, most of it four syncs of the disk."""
NOT_LOOKED_AT, UNOPENABLE, ABSENT = "", "unopenable", "absent"
"""Where `wrap_key_id` names no key. What does not open under the key that it names, or is lost, is not tried again
until somebody asks for it (`look_at_all_again`)."""


def rewrap_keys(session: Session, room: Darkroom) -> int:
    """Seal up to BATCH keys anew; returns how many photographs were looked at, 0 when none is left.

    Holds the locks of photographs and uploads, so that none is destroyed meanwhile and comes back.
    """
    office = room.keyring.of(current_agency())
    photos = _under_older_keys(session, office)
    uploads = _uploads_of(session, photos)
    for photo in photos:
        upload = uploads.get(photo.upload_id)
        photo.wrap_key_id = ABSENT if upload is None else _rewrap(room, office, upload)
    session.flush()
    return len(photos)


def look_at_all_again(session: Session) -> int:
    """Have every photograph's key looked at anew: after a restore or a repair, or when a lost sealing key is back.
    Returns how many there are."""
    mine = (Photo.agency_id == current_agency(), Photo.state != PhotoState.DESTROYED.value)
    found = session.scalar(select(func.count()).where(*mine)) or 0
    again = update(Photo).where(*mine, Photo.wrap_key_id != NOT_LOOKED_AT).values(wrap_key_id=NOT_LOOKED_AT)
    session.execute(again.execution_options(synchronize_session=False))
    return found


def how_many_without_key(session: Session) -> Counter[str]:
    """Photographs whose wrapped key is UNOPENABLE or ABSENT."""
    trouble = Photo.wrap_key_id.in_([UNOPENABLE, ABSENT])
    return _counted(session, trouble)


def how_many_under_older_keys(session: Session, office: OfficeKeys) -> int:
    """Photographs that the worker has still to look at."""
    return _counted(session, Photo.wrap_key_id.in_([NOT_LOOKED_AT, *older_keys(office)])).total()


def _counted(session: Session, which: ColumnElement[bool]) -> Counter[str]:
    mine = Photo.agency_id == current_agency(), Photo.state != PhotoState.DESTROYED.value, which
    rows = session.execute(select(Photo.wrap_key_id, func.count()).where(*mine).group_by(Photo.wrap_key_id))
    return Counter({row[0]: row[1] for row in rows})


def older_keys(office: OfficeKeys) -> list[str]:
    """Every sealing key of the agency but the newest."""
    newest = office.sealing_certificate.key_id
    return sorted({each.key_id for each in office.certificates["sealing"]} - {newest})


def _under_older_keys(session: Session, office: OfficeKeys) -> Sequence[Photo]:
    """By the names of the keys, not by "another than the newest": so an index finds that there are none."""
    return session.scalars(
        select(Photo)
        .where(
            Photo.agency_id == current_agency(),
            Photo.state != PhotoState.DESTROYED.value,
            Photo.wrap_key_id.in_([NOT_LOOKED_AT, *older_keys(office)]),
        )
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()


def _uploads_of(session: Session, photos: Sequence[Photo]) -> dict[UUID, Upload]:
    wanted = [photo.upload_id for photo in photos]
    if not wanted:
        return {}
    found = select(Upload).where(Upload.agency_id == current_agency(), Upload.id.in_(wanted))
    return {upload.id: upload for upload in session.scalars(found.order_by(Upload.id).with_for_update())}


def _rewrap(room: Darkroom, office: OfficeKeys, upload: Upload) -> str:
    """The name of the key that the wrapped one stands under now, or why it stands under none."""
    keys, newest = room.stores.keys, office.sealing_certificate.key_id
    name = PhotoName(upload.agency_id, upload.device_id, upload.photo_id)
    try:
        stored = keys.get(upload.agency_id, upload.id)
        key_id = stored.key_id or upload.sealing_key_id
        if key_id == newest:
            keys.clear_leftovers(upload.agency_id, upload.id)  # a worker died when the file was in its place
            return newest
        key_id, wrap = office.seal_again(key_id, name.key_info, stored.wrap)
        keys.replace(upload.agency_id, upload.id, key_id, wrap)
    except KeyAbsent:
        return ABSENT
    except Unsealable:
        return UNOPENABLE
    return key_id
