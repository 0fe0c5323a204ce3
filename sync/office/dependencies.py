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


def waiting_for(session: Session, row: InboxOp, opened: OpenedOp) -> Waiting:
    """What stands between this operation and its effect. Raises UnreadableOperation for one that would have to wait."""
    wanted = tuple(dict.fromkeys(opened.dependencies))
    if not wanted:
        return Waiting()
    here = {
        op_id: (state, released)
        for op_id, state, released in session.execute(
            select(InboxOp.op_id, InboxOp.state, InboxOp.released).where(
                InboxOp.agency_id == row.agency_id, InboxOp.device_id == row.device_id, InboxOp.op_id.in_(wanted)
            )
        )
    }
    without_effect = [op_id for op_id in wanted if op_id not in here or here[op_id][0] not in SETTLED]
    if not without_effect:
        return Waiting()
    released = {op_id for op_id in without_effect if op_id in here and here[op_id][1]}
    released |= _released_bytes(session, row, set(without_effect) - released)
    unmet = () if row.released else tuple(op_id for op_id in without_effect if op_id not in released)
    if not unmet:
        return Waiting(flags=(RELEASED,))
    if stops_work(opened.operation):
        return Waiting(unmet, flags=(WITHOUT,))
    return Waiting(unmet, holds=True)


def _released_bytes(session: Session, row: InboxOp, wanted: Collection[UUID]) -> set[UUID]:
    """Those that came as bytes that are no operation, which a person mended or released."""
    if not wanted:
        return set()
    table = QuarantinedBytes
    query = select(table.op_id).where(
        table.agency_id == row.agency_id, table.device_id == row.device_id, table.op_id.in_(wanted), table.released
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
