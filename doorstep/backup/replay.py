"""Before the door opens on a restored database: a new epoch for every phone, and what the journal must not forget.

What makes things stricter is taken again; a hold is lifted again only where the journal says that it was. Every step
looks first whether it was taken already, so that a restore which broke off can be begun anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import HoldKind
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.restore_journal import Entry, EntryKind
from field_api.platform.sealing import from_b64u
from field_api.platform.tenancy import current_agency
from field_api.records.accounts import Account, Hold
from field_api.records.people import Person
from field_api.usecases.lift_hold import lift_hold
from field_api.usecases.note_decision import note_decision
from field_api.usecases.place_hold import place_hold
from media.office.darkroom import Darkroom
from media.office.destroy_photo import destroy_photo
from media.office.records import Photo
from media.office.rewrap_keys import NOT_LOOKED_AT
from media.records import DESTROYED, Upload
from sync.mailbox import Durable, FeedHead, FeedItem, SheetDigest, Snapshot, SnapshotRequest
from sync.office.devices import revoke_device
from sync.office.enrolment import tell_everything
from sync.office.erase_entry import erase_again, is_left_to_staff
from sync.office.returning import named_by, next_epoch, take_back
from sync.records import OnSheet
from sync.roll import first_roll


@dataclass
class Replayed:
    """What was taken again, counted. For a person: holds whose account the backup does not know, and references of the
    office's own rows that were erased since and are there again."""

    epoch: int = 0
    devices: int = 0
    revocations: int = 0
    holds: int = 0
    lifted: int = 0
    erasures: int = 0
    unplaced: list[str] = field(default_factory=list)
    left_to_staff: list[str] = field(default_factory=list)


def begin_epoch(session: Session, known: Sequence[int], now: datetime) -> int:
    """A new epoch for every device of the agency: empty feeds, and all that is out told anew. Returns its number.

    `known` are epochs that were given out after the backup. What was durable is so no more until a backup says it.
    """
    highest = session.scalar(select(func.max(Device.epoch)).where(Device.agency_id == current_agency()))
    epoch = next_epoch([*known, highest or 0], now)
    for table in (FeedItem, OnSheet, SheetDigest, Snapshot, SnapshotRequest, Durable):
        session.execute(delete(table).where(table.agency_id == current_agency()))
    session.execute(update(Device).where(Device.agency_id == current_agency()).values(epoch=epoch))
    for head in session.scalars(select(FeedHead).where(FeedHead.agency_id == current_agency())):
        head.epoch, head.seq, head.roll = epoch, 0, first_roll(head.agency_id, head.device_id, epoch)
    session.flush()
    # A phone that had read nothing yet asks without a cursor, and would learn only what changes from now on.
    active = select(Device.agent_id).where(Device.agency_id == current_agency(), Device.state == "active")
    for agent_id in session.scalars(active.distinct()).all():
        tell_everything(session, agent_id)
    return epoch


def replay(session: Session, keys: OfficeKeys, entries: Sequence[Entry], room: Darkroom, now: datetime) -> Replayed:
    """Take again what the journal holds and this database does not."""
    done = Replayed()
    known = [int(entry.detail["epoch"]) for entry in entries if entry.kind is EntryKind.RESTORED]
    done.epoch = begin_epoch(session, known, now)
    # What managers allowed since the backup is forgotten: refused photographs wait for them anew, and as long.
    # Their keys may be of another day than their rows: under which sealing key each stands is found out anew.
    anew = update(Photo).where(Photo.agency_id == current_agency()).values(decide_by=None, wrap_key_id=NOT_LOOKED_AT)
    session.execute(anew)
    for entry in entries:
        match entry.kind:
            case EntryKind.DEVICE_ENROLLED:
                done.devices += _enrolled(session, keys, entry, entries, now)
            case EntryKind.DEVICE_REVOKED:
                done.revocations += _revoked(session, keys, entry, now)
            case EntryKind.HOLD_PLACED:
                _held(session, entry, done)
            case EntryKind.HOLD_LIFTED:
                done.lifted += _lifted(session, entry)
            case EntryKind.PHOTO_ERASED:
                done.erasures += _erased(session, entry, room, now)
            case EntryKind.ENTRY_ERASED:
                if is_left_to_staff(session, entry.detail):
                    done.left_to_staff.append(str(entry.detail["ref"]))
                else:
                    done.erasures += erase_again(session, entry.detail, now=now)
            case EntryKind.BACKUP | EntryKind.RESTORED | EntryKind.KEY_TOLD:
                pass  # the keys were compared before anything was restored (doorstep.backup.lost_keys)
    counts = {name: getattr(done, name) for name in ("devices", "revocations", "holds", "lifted", "erasures")}
    note_decision(session, now, "restored", {"epoch": done.epoch, **counts})
    return done


def _enrolled(session: Session, keys: OfficeKeys, entry: Entry, entries: Sequence[Entry], now: datetime) -> bool:
    # The journal's line is the office's own word: the key that signed the certificate may be newer than the backup's.
    phone = named_by(keys, from_b64u(entry.detail["certificate"]["cert"]))
    return take_back(session, keys, phone, entries, now=now) is not None


def _revoked(session: Session, keys: OfficeKeys, entry: Entry, now: datetime) -> bool:
    device = session.get(Device, (current_agency(), UUID(entry.detail["device"])))
    if device is None or device.state == "revoked":
        return False
    revoke_device(session, keys, device.id, str(entry.detail["reason"]), now=now)
    return True


def _held(session: Session, entry: Entry, done: Replayed) -> None:
    detail = entry.detail
    if session.get(Hold, {"agency_id": current_agency(), "id": UUID(detail["id"])}) is not None:
        return
    account, person = _account(session, detail), _person(session, detail)
    if account is None and (detail["account_id"] or person is None):
        done.unplaced.append(f"{detail['kind']} on {detail.get('reference') or 'person ' + str(detail['person_id'])}")
        return
    place_hold(
        session,
        kind=HoldKind(detail["kind"]),
        reason=str(detail["reason"]),
        now=entry.at,
        account_id=account,
        person_id=person,
        placed_by=_id(detail["placed_by"]),
        op_id=_id(detail["op_id"]),
        hold_id=UUID(detail["id"]),
    )
    done.holds += 1


def _account(session: Session, detail: Any) -> UUID | None:
    """The account by its id or, where it was imported anew, by the creditor's own number."""
    if detail["account_id"] is None:
        return None
    mine = Account.agency_id == current_agency()
    found: UUID | None = session.scalar(select(Account.id).where(mine, Account.id == UUID(detail["account_id"])))
    if found is None:
        named = Account.creditor_id == UUID(detail["creditor"]), Account.reference == detail["reference"]
        found = session.scalar(select(Account.id).where(mine, *named))
    return found


def _person(session: Session, detail: Any) -> UUID | None:
    person_id = _id(detail["person_id"])
    return session.scalar(select(Person.id).where(Person.agency_id == current_agency(), Person.id == person_id))


def _lifted(session: Session, entry: Entry) -> bool:
    hold = session.get(Hold, {"agency_id": current_agency(), "id": UUID(entry.detail["id"])})
    if hold is None or hold.lifted_at is not None:
        return False
    by = _id(entry.detail["lifted_by"])
    lift_hold(session, hold.id, reason=str(entry.detail["reason"]), now=entry.at, lifted_by=by)
    return True


def _erased(session: Session, entry: Entry, room: Darkroom, now: datetime) -> bool:
    """Destroy the photograph again; one that the backup lacks is barred, or its phone would send it again."""
    upload_id = UUID(entry.detail["upload"])
    mine = Photo.agency_id == current_agency(), Photo.upload_id == upload_id
    photo_id = session.scalar(select(Photo.id).where(*mine, Photo.state != "destroyed"))
    if photo_id is not None:
        destroy_photo(session, photo_id, room, now=now, actor="system", reason=str(entry.detail["reason"]))
        return True
    room.stores.keys.destroy(current_agency(), upload_id)
    room.stores.files.delete(current_agency(), upload_id)
    upload = session.get(Upload, (current_agency(), upload_id))
    if upload is None and session.get(Device, (current_agency(), UUID(entry.detail["device"]))) is not None:
        session.add(_barred(entry, upload_id))
        return True
    if upload is None or upload.state == DESTROYED:
        return False
    upload.state = DESTROYED
    return True


def _barred(entry: Entry, upload_id: UUID) -> Upload:
    detail = entry.detail
    return Upload(
        id=upload_id,
        device_id=UUID(detail["device"]),
        photo_id=UUID(detail["op"]),
        sha256=bytes.fromhex(detail["sha256"]),
        sealing_key_id="",
        wrap_sha256=b"",
        length_bytes=0,
        state=DESTROYED,
        created_at=entry.at,
        expires_at=entry.at,
    )


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None
