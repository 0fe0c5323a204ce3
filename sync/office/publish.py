"""Changes become sealed items: one publisher per agent at a time, sequence order equals commit order, no holes.

All of an agent's phones are served in one transaction, which then deletes exactly the change rows it read. Rows that
slower transactions commit later have lower numbers and are simply read next time: nobody remembers a position. Rows of
what cannot be sealed stay, say why and wait for their next try, while everything else goes on in its order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, insert, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.tenancy import current_agency
from field_api.records.changes import Change
from sync.mailbox import FeedHead, FeedItem
from sync.office.apart import Apart, Ref, each_made, made_apart
from sync.office.contents import Contents, ref_of, refs_of
from sync.office.items import FeedWriter, Written
from sync.office.leftovers import leftovers
from sync.office.on_sheet import note_written
from sync.office.sheet_keys import sheet_keys_of_day

BATCH = 100  # change rows, a whole day's sheet: some 600 kB of items for each phone. Then it is another agent's turn
LONGEST_WAIT_S = 300
LONGEST_WAIT_URGENT_S = 30  # "do not go there"

log = structlog.get_logger()


def agents_with_changes(session: Session, *, now: datetime) -> list[UUID]:
    """Those whose phones have something to learn, each for one turn. Who has a withdrawal waiting and who has none take
    turns, beginning with a withdrawal: ten thousand of them do not keep another agent's verdict back."""
    rows = session.execute(
        text(
            "SELECT agent_id FROM (SELECT agent_id, bool_or(urgent) AS urgent, min(id) AS first FROM office.change"
            " WHERE agency_id = :agency AND (retry_at IS NULL OR retry_at <= :now) GROUP BY agent_id) waiting"
            " ORDER BY row_number() OVER (PARTITION BY urgent ORDER BY first), urgent DESC"
        ),
        {"agency": current_agency(), "now": now},
    )
    return [row.agent_id for row in rows]


def publish_changes(session: Session, keys: OfficeKeys, agent_id: UUID, *, now: datetime) -> int:
    """Publish an agent's waiting changes to all of the agent's active phones. Returns the change rows settled.

    0 where another publisher is at it. Everything is sealed before a row is locked. What cannot be sealed stays, says
    why, and is tried again later; everything else goes on.
    """
    if not may_publish(session, agent_id):
        return 0
    changes = _waiting(session, agent_id, now)
    devices = active_devices(session, agent_id)
    troubles: dict[Ref, str] = {}
    untried: set[Ref] = set()
    if changes and devices:
        items = _publish(session, keys, devices, [*refs_of(changes), *leftovers(session, devices, now)], now)
        troubles, untried = items.troubles, set(items.untried)
        _postpone(session, [change for change in changes if ref_of(change) in troubles], troubles, now)
        for ref in troubles.keys() - set(refs_of(changes)):
            _say_that_it_waits(ref, troubles[ref], tries=0)  # what is old leaves another time
    # A phone that enrols later learns everything at its enrolment, so rows for nobody are done.
    done = [change.id for change in changes if ref_of(change) not in troubles and ref_of(change) not in untried]
    session.execute(delete(Change).where(Change.agency_id == current_agency(), Change.id.in_(done)))
    return len(done)


def may_publish(session: Session, agent_id: UUID) -> bool:
    """Nobody else writes what this agent's phones are told until the transaction ends; False where somebody does."""
    taken = text("SELECT pg_try_advisory_xact_lock(hashtextextended('doorstep-publish:' || :agent, 0))")
    return bool(session.scalar(taken, {"agent": str(agent_id)}))


def _waiting(session: Session, agent_id: UUID, now: datetime) -> Sequence[Change]:
    """The next rows, withdrawals first. A new row of what waits for its next try makes all of its rows due: the change
    may be what mends it."""
    mine = (Change.agency_id == current_agency(), Change.agent_id == agent_id)
    due = select(Change.ref).where(*mine, or_(Change.retry_at.is_(None), Change.retry_at <= now))
    rows = aliased(Change)
    return session.scalars(
        select(rows)
        .where(rows.agency_id == current_agency(), rows.agent_id == agent_id, rows.ref.in_(due))
        .order_by(rows.urgent.desc(), rows.id)
        .limit(BATCH)
    ).all()


def _postpone(session: Session, changes: Sequence[Change], troubles: dict[Ref, str], now: datetime) -> None:
    """Twice as long from try to try: a worker that is kept busy by what fails has no time for what does not."""
    for change in changes:
        change.tries += 1
        longest_s = LONGEST_WAIT_URGENT_S if change.urgent else LONGEST_WAIT_S
        change.retry_at = now + timedelta(seconds=min(2 ** min(change.tries, 16), longest_s))
        change.trouble = troubles[ref_of(change)]
        _say_that_it_waits((change.kind, change.ref), change.trouble, change.tries)
    session.flush()


def _say_that_it_waits(ref: Ref, trouble: str, tries: int) -> None:
    error, _, place = trouble.partition(" ")
    agency = str(current_agency())
    log.error("change-waits", agency=agency, kind=ref[0], ref=str(ref[1]), tries=tries, error=error, place=place)


def active_devices(session: Session, agent_id: UUID) -> Sequence[Device]:
    return session.scalars(
        select(Device)
        .where(Device.agency_id == current_agency(), Device.agent_id == agent_id, Device.state == "active")
        .order_by(Device.id)
    ).all()


def _publish(
    session: Session, keys: OfficeKeys, devices: Sequence[Device], refs: Sequence[Ref], now: datetime
) -> Apart[Written]:
    sheet_keys = sheet_keys_of_day(session, keys, devices, now)
    heads = {head.device_id: head for head in _heads(session, devices)}
    writers = [
        FeedWriter(keys, device.id, head.epoch, head.seq, head.roll, sheet_keys[device.id])
        for device in devices
        if (head := heads[device.id])
    ]

    def written(group: Sequence[Ref]) -> list[Written]:
        contents = Contents(session, keys, devices[0].agent_id, group, now)
        stood = [(writer.seq, writer.roll) for writer in writers]
        try:
            items = (
                (content.named, (writer, content))
                for device, writer in zip(devices, writers, strict=True)
                for content in contents.for_device(device, group)
            )
            return each_made(items, lambda item: item[0].write(item[1]))
        except Exception:
            # Some were written beside the one that cannot be: their numbers are given to others.
            for writer, (seq, roll) in zip(writers, stood, strict=True):
                writer.seq, writer.roll = seq, roll
            raise

    items = made_apart(session, list(dict.fromkeys(refs)), written)
    if items.made:
        for writer in writers:
            _move_head(session, writer, heads[writer.device_id].seq)
        session.execute(insert(FeedItem), [item.row for item in items.made])
        note_written(session, keys, writers, items.made)
    return items


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
