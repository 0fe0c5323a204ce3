"""Changes become sealed items: one publisher per agent at a time, sequence order equals commit order, no holes.

All of an agent's phones are served in one transaction, which then deletes exactly the change rows it read. Rows that
slower transactions commit later have lower numbers and are simply read next time: nobody remembers a position.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.orm import Session

from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.tenancy import current_agency
from field_api.records.changes import Change
from sync.mailbox import FeedHead, FeedItem
from sync.office.contents import Contents, refs_of
from sync.office.items import FeedWriter
from sync.office.sheet_keys import sheet_keys_of_day

BATCH = 400  # change rows: some 13 MB of items for each phone


def agents_with_changes(session: Session) -> list[UUID]:
    """Those whose phones have something to learn, withdrawals first."""
    rows = session.execute(
        text(
            "SELECT agent_id FROM office.change WHERE agency_id = :agency"
            " GROUP BY agent_id ORDER BY bool_or(urgent) DESC, min(id)"
        ),
        {"agency": current_agency()},
    )
    return [row.agent_id for row in rows]


def publish_changes(
    session: Session,
    keys: OfficeKeys,
    agent_id: UUID,
    *,
    now: datetime,
    urgent_only: bool = False,
    only: int | None = None,
) -> int:
    """Publish an agent's waiting changes to all of the agent's active phones. Returns the change rows settled.

    0 where another publisher is at it. Everything is sealed before a row is locked. `urgent_only`, or `only` the change
    with this id, leaves the others.
    """
    if not session.scalar(
        text("SELECT pg_try_advisory_xact_lock(hashtextextended('doorstep-publish:' || :agent, 0))"),
        {"agent": str(agent_id)},
    ):
        return 0
    waiting = select(Change).where(Change.agency_id == current_agency(), Change.agent_id == agent_id)
    if urgent_only:
        waiting = waiting.where(Change.urgent)
    if only is not None:
        waiting = waiting.where(Change.id == only)
    changes = session.scalars(waiting.order_by(Change.urgent.desc(), Change.id).limit(BATCH)).all()
    devices = active_devices(session, agent_id)
    if changes and devices:
        _publish(session, keys, devices, changes, now)
    # A phone that enrols later learns everything at its enrolment, so rows for nobody are done.
    session.execute(
        delete(Change).where(Change.agency_id == current_agency(), Change.id.in_([change.id for change in changes]))
    )
    return len(changes)


def urgent_changes(session: Session, agent_id: UUID) -> Sequence[int]:
    """The agent's waiting withdrawals and the like, in order."""
    mine = (Change.agency_id == current_agency(), Change.agent_id == agent_id, Change.urgent)
    return session.scalars(select(Change.id).where(*mine).order_by(Change.id)).all()


def active_devices(session: Session, agent_id: UUID) -> Sequence[Device]:
    return session.scalars(
        select(Device)
        .where(Device.agency_id == current_agency(), Device.agent_id == agent_id, Device.state == "active")
        .order_by(Device.id)
    ).all()


def _publish(
    session: Session, keys: OfficeKeys, devices: Sequence[Device], changes: Sequence[Change], now: datetime
) -> None:
    refs = refs_of(changes)
    contents = Contents(session, keys, refs)
    sheet_keys = sheet_keys_of_day(session, keys, devices, now)
    heads = {head.device_id: head for head in _heads(session, devices)}
    writers = [
        FeedWriter(keys, device.id, head.epoch, head.seq, head.roll, sheet_keys[device.id])
        for device in devices
        if (head := heads[device.id])
    ]
    rows = [
        writer.write(content)
        for device, writer in zip(devices, writers, strict=True)
        for content in contents.for_device(device, refs)
    ]
    if rows:
        for writer in writers:
            _move_head(session, writer, heads[writer.device_id].seq)
        session.execute(insert(FeedItem), rows)


def _heads(session: Session, devices: Sequence[Device]) -> Sequence[FeedHead]:
    return session.scalars(
        select(FeedHead)
        .where(FeedHead.agency_id == current_agency(), FeedHead.device_id.in_([device.id for device in devices]))
        .execution_options(populate_existing=True)
    ).all()


def _move_head(session: Session, writer: FeedWriter, expected_seq: int) -> None:
    moved = session.execute(
        update(FeedHead)
        .where(
            FeedHead.agency_id == current_agency(),
            FeedHead.device_id == writer.device_id,
            FeedHead.epoch == writer.epoch,
            FeedHead.seq == expected_seq,
        )
        .values(seq=writer.seq, roll=writer.roll)
        .returning(FeedHead.seq)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if moved is None:
        raise RuntimeError("the feed moved under its only publisher")
