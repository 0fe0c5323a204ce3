"""Durable statements: up to which operation a phone may delete what it sent (docs/protocol.md §6, §8).

An agency's policy says what durable means. `{"durability": "commit"}`, the default of a one-machine installation,
takes the database's commit for it: then a lost disk loses what phones have deleted, and the console says so. With
`{"durability": "backup"}` only what a verified backup holds counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.platform.anchors import utc_text
from field_api.platform.bounded_json import canonical
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.phone_visits import running_agency
from field_api.records.log import LogEntry
from field_api.usecases.note_decision import note_decision
from sync.mailbox import Durable
from sync.office.excepted import covered, excepted_numbers

CONTEXT = b"doorstep-durable-v1"
COMMIT, BACKUP = "commit", "backup"
BACKUP_VERIFIED = "backup-verified"
ENTRIES_LOOKED_AT = 100_000  # of the log, some days' worth: a status page reads no more of it


@dataclass(frozen=True)
class Held:
    """How far a device's operations are kept without a gap; `excepted` ones are kept, but not as its own bytes."""

    seq: int
    excepted: tuple[int, ...]


# Runs of consecutive numbers that begin right after what was stated last: number minus rank is then that number.
_ADVANCED = text(
    """
    SELECT device_id, epoch, max(seq) AS seq FROM (
        SELECT i.device_id, v.epoch, i.seq, coalesce(d.durable_seq, 0) AS stated,
               i.seq - dense_rank() OVER (PARTITION BY i.device_id ORDER BY i.seq) AS run
        FROM (
            SELECT agency_id, device_id, seq FROM mailbox.inbox
            UNION ALL
            SELECT agency_id, device_id, seq FROM mailbox.quarantine WHERE seq IS NOT NULL AND reason <> 'wrong-device'
        ) i
        JOIN mailbox.device v ON v.agency_id = i.agency_id AND v.id = i.device_id
        LEFT JOIN mailbox.durable d ON d.agency_id = i.agency_id AND d.device_id = i.device_id
        WHERE i.agency_id = :agency AND i.seq > coalesce(d.durable_seq, 0)
    ) numbered WHERE run = stated GROUP BY device_id, epoch ORDER BY device_id
    """
)


def state_durable(session: Session, keys: OfficeKeys, *, now: datetime) -> int:
    """Sign a new statement for every device whose operations are held further without a gap. Returns how many."""
    if running_agency(session).policy.get("durability", COMMIT) != COMMIT:
        return 0  # a backup's watermark states it instead
    excepted = excepted_numbers(session)
    named = _statements_with_exceptions(session, excepted)
    held = {device_id: (epoch, seq) for device_id, (epoch, seq, _) in named.items()}
    held |= {row.device_id: (row.epoch, row.seq) for row in session.execute(_ADVANCED, {"agency": current_agency()})}
    new = {}
    for device_id, (epoch, seq) in held.items():
        states = covered(seq, excepted.get(device_id, []))
        if device_id not in named or named[device_id][1:] != states:
            new[device_id] = (epoch, *states)
    _put(session, keys, new, now)
    return len(new)


def _statements_with_exceptions(
    session: Session, excepted: Mapping[UUID, list[int]]
) -> dict[UUID, tuple[int, int, list[int]]]:
    """(epoch, durable_seq, exceptions) as stated last, by device: where there are exceptions or were."""
    rows = session.execute(
        select(Durable.device_id, Device.epoch, Durable.durable_seq, Durable.excepted)
        .join(Device, (Device.agency_id == Durable.agency_id) & (Device.id == Durable.device_id))
        .where(
            Durable.agency_id == current_agency(),
            or_(Durable.excepted != [], Durable.device_id.in_(list(excepted))),
        )
    )
    return {row.device_id: (row.epoch, row.durable_seq, list(row.excepted)) for row in rows}


def state_backed_up(
    session: Session, keys: OfficeKeys, held: Mapping[UUID, Held], *, now: datetime, photographs_before: datetime | None
) -> int:
    """Sign what a verified backup holds: `held` is what its restored copy has of each device.

    `photographs_before` is when the backup was taken, where the photo key store was saved with it; without it the
    statement is dated 1970, and phones keep their photographs. Devices that the copy alone knows are passed over.
    The log says that there was a backup. Nothing is signed where the agency's policy is another. Returns how many.
    """
    note_decision(session, now, BACKUP_VERIFIED, {"devices": len(held), "photographs": photographs_before is not None})
    if running_agency(session).policy.get("durability", COMMIT) != BACKUP:
        return 0
    known = select(Device.id, Device.epoch).where(Device.agency_id == current_agency())
    epochs = {row.id: row.epoch for row in session.execute(known)}
    at = photographs_before or datetime.fromtimestamp(0, UTC)
    known_here = {device_id: copy for device_id, copy in held.items() if device_id in epochs}
    new = {id_: (epochs[id_], *covered(copy.seq, list(copy.excepted))) for id_, copy in known_here.items()}
    _put(session, keys, new, at)
    return len(new)


def last_backup(session: Session) -> datetime | None:
    """When a backup was verified last, as far as the newest entries of the log tell."""
    newest = (
        select(LogEntry.at, LogEntry.detail)
        .where(LogEntry.agency_id == current_agency())
        .order_by(LogEntry.id.desc())
        .limit(ENTRIES_LOOKED_AT)
        .subquery()
    )
    mine = newest.c.detail["decision"].astext == BACKUP_VERIFIED
    at: datetime | None = session.scalar(select(func.max(newest.c.at)).where(mine))
    return at


States = tuple[int, int, list[int]]
"""Epoch, durable_seq, exceptions."""


def _put(session: Session, keys: OfficeKeys, stated: Mapping[UUID, States], at: datetime) -> None:
    """Each with a number above the one before it, by which a phone tells an old statement that somebody shows again."""
    if not stated:
        return
    mine = (Durable.agency_id == current_agency(), among(Durable.device_id, stated))
    last = {
        row.device_id: row.number for row in session.execute(select(Durable.device_id, Durable.number).where(*mine))
    }
    rows = [_row(keys, device_id, states, last.get(device_id, 0) + 1, at) for device_id, states in stated.items()]
    new = insert(Durable).values(rows)
    changed = {name: new.excluded[name] for name in ("durable_seq", "excepted", "number", "statement", "sig")}
    session.execute(new.on_conflict_do_update(index_elements=["agency_id", "device_id"], set_=changed))


def _row(keys: OfficeKeys, device_id: UUID, states: States, number: int, at: datetime) -> dict[str, Any]:
    epoch, seq, excepted = states
    claims = {
        "v": 1, "agency": str(keys.agency_id), "device": str(device_id), "epoch": epoch, "number": number,
        "durable_seq": seq, "at": utc_text(at), **({"except": excepted} if excepted else {}),
    }  # fmt: skip
    statement = canonical(claims)
    return {
        "agency_id": keys.agency_id, "device_id": device_id, "durable_seq": seq, "excepted": excepted,
        "number": number, "statement": statement, "sig": keys.sign(CONTEXT, statement),
    }  # fmt: skip
