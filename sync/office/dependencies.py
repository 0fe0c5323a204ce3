"""What an operation needs, and when it goes on without it (docs/protocol.md §8).

It waits for what is not here yet, waits itself, or is quarantined; unless a person let it go on, or it stops work: a
hold that waits while people are visited would be the worse mistake. Both are flagged.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import any_, literal, select, update
from sqlalchemy.orm import Session

from field_api.domain.operations import RecordedOperation
from field_api.domain.vocabulary import OpKind
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.results import Promise
from field_api.usecases.stops_work import stops_work
from sync.mailbox import InboxOp, QuarantinedBytes
from sync.office.open_op import OpenedOp, open_op
from sync.office.settle import SETTLED

RELEASED = "dependency-released"
WITHOUT = "without-its-dependency"


@dataclass(frozen=True)
class Waiting:
    """`unmet`: what has not taken effect and nobody released. `holds`: whether the operation waits for it."""

    unmet: tuple[UUID, ...] = ()
    holds: bool = False
    flags: tuple[str, ...] = ()


@dataclass
class Needed:
    """What a device's operations depend on: `states` of those that are here, which of all a person `released`."""

    states: dict[UUID, str]
    released: set[UUID]

    def has_effect(self, op_id: UUID) -> bool:
        return self.states.get(op_id) in SETTLED


def load_needed(session: Session, device_id: UUID, op_ids: Collection[UUID]) -> Needed:
    """Two statements at most, whatever the number; none where nothing depends on anything.

    The rows are locked so that nobody releases one between this look at it and the note that another waits for it:
    whoever releases comes before, and is seen, or after, and finds who waits.
    """
    if not op_ids:
        return Needed({}, set())
    here = session.execute(
        select(InboxOp.op_id, InboxOp.state, InboxOp.released)
        .where(InboxOp.agency_id == current_agency(), InboxOp.device_id == device_id, among(InboxOp.op_id, op_ids))
        .order_by(InboxOp.op_id)
        .with_for_update(read=True)
    ).all()
    states = {row.op_id: row.state for row in here}
    released = {row.op_id for row in here if row.released}
    without_effect = {op_id for op_id in op_ids if states.get(op_id) not in SETTLED}
    return Needed(states, released | _released_bytes(session, device_id, without_effect - released))


def waiting_for(needed: Needed, row: InboxOp, opened: OpenedOp) -> Waiting:
    """What stands between this operation and its effect. Raises UnreadableOperation for one that would have to wait."""
    without_effect = [op_id for op_id in dict.fromkeys(opened.dependencies) if not needed.has_effect(op_id)]
    if not without_effect:
        return Waiting()
    unmet = () if row.released else tuple(op_id for op_id in without_effect if op_id not in needed.released)
    if not unmet:
        return Waiting(flags=(RELEASED,))
    if stops_work(opened.operation):
        return Waiting(unmet, flags=(WITHOUT,))
    return Waiting(unmet, holds=True)


def _released_bytes(session: Session, device_id: UUID, wanted: Collection[UUID]) -> set[UUID]:
    """Those that came as bytes that are no operation, which a person mended or released."""
    if not wanted:
        return set()
    table = QuarantinedBytes
    query = select(table.op_id).where(
        table.agency_id == current_agency(), table.device_id == device_id, among(table.op_id, wanted), table.released
    )
    return {op_id for op_id in session.scalars(query) if op_id is not None}


def replace_what_was_corrected(session: Session, keys: OfficeKeys, operation: RecordedOperation) -> None:
    """An outcome that a correction did not wait for comes after it: its promises are replaced as they are made."""
    if operation.kind is not OpKind.OUTCOME:
        return
    earlier = session.scalars(
        select(InboxOp).where(
            InboxOp.agency_id == current_agency(),
            InboxOp.device_id == operation.device_id,
            InboxOp.state.in_(SETTLED),
            InboxOp.waits_for != [],
            literal(operation.op_id) == any_(InboxOp.waits_for),
        )
    ).all()
    if not earlier:
        return
    device = session.get_one(Device, (current_agency(), operation.device_id))
    if any(_corrects(open_op(keys, device, row).operation, operation.op_id) for row in earlier):
        session.execute(
            update(Promise)
            .where(Promise.agency_id == current_agency(), Promise.op_id == operation.op_id, Promise.state == "open")
            .values(state="replaced")
        )


def _corrects(operation: RecordedOperation, op_id: UUID) -> bool:
    return operation.kind is OpKind.CORRECTION and operation.body.get("corrects") == str(op_id)
