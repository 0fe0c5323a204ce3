"""What stands around operations of one device that are decided together: each thing read once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import OpKind, Verdict
from field_api.platform.tenancy import current_agency
from sync.mailbox import InboxOp
from sync.office.dependencies import Needed, load_needed
from sync.office.open_op import OpenedOp
from sync.office.settle import SETTLED, Decision

FIRST_LINK = bytes(32)


@dataclass
class Known:
    """`links`: of the operations with these numbers and the ones before, by number. `waited_for`: what held operations
    need. `corrected`: outcomes that a correction came before, which did not wait for them."""

    needed: Needed
    links: dict[int, list[bytes]]
    waited_for: set[UUID]
    corrected: set[UUID]

    def note(self, op_id: UUID, decision: Decision) -> None:
        """What was decided counts for those that come after."""
        self.needed.states[op_id] = decision.verdict.value
        if decision.verdict is Verdict.HELD:
            self.waited_for.update(decision.waits_for)

    def chain_flags(self, opened: OpenedOp) -> list[str]:
        """Evidence of a phone that was copied or tampered with: shown to a manager, never a reason to refuse."""
        seq = opened.operation.seq
        before = [FIRST_LINK] if seq == 1 else self.links.get(seq - 1, [])
        flags = ["seq-twice"] if len(self.links.get(seq, ())) > 1 else []
        return [*flags, "chain-broken"] if before and opened.prev not in before else flags


def know(session: Session, device_id: UUID, ops: Sequence[OpenedOp]) -> Known:
    """Five statements at most, whatever the number. First of all the rows that are locked: see `load_needed`."""
    return Known(
        needed=load_needed(session, device_id, {op_id for opened in ops for op_id in opened.dependencies}),
        links=_links(session, device_id, {opened.operation.seq for opened in ops}),
        waited_for=_waited_for(session, device_id),
        corrected=_corrected(session, device_id, ops),
    )


def _links(session: Session, device_id: UUID, numbers: set[int]) -> dict[int, list[bytes]]:
    near = numbers | {seq - 1 for seq in numbers}
    rows = session.execute(
        select(InboxOp.seq, InboxOp.link).where(
            InboxOp.agency_id == current_agency(), InboxOp.device_id == device_id, InboxOp.seq.in_(near)
        )
    )
    found: dict[int, list[bytes]] = {}
    for seq, link in rows:
        found.setdefault(seq, []).append(link)
    return found


def _waited_for(session: Session, device_id: UUID) -> set[UUID]:
    """Nobody but who has the device in hand holds an operation, so that none is held unseen after this."""
    held = select(InboxOp.waits_for).where(
        InboxOp.agency_id == current_agency(), InboxOp.device_id == device_id, InboxOp.state == "held"
    )
    return {op_id for waits_for in session.scalars(held) for op_id in waits_for}


def _corrected(session: Session, device_id: UUID, ops: Sequence[OpenedOp]) -> set[UUID]:
    outcomes = [opened.operation.op_id for opened in ops if opened.operation.kind is OpKind.OUTCOME]
    if not outcomes:
        return set()
    earlier = select(InboxOp.waits_for).where(
        InboxOp.agency_id == current_agency(),
        InboxOp.device_id == device_id,
        InboxOp.state.in_(SETTLED),
        InboxOp.waits_for != [],
        InboxOp.waits_for.overlap(outcomes),
    )
    return {op_id for waits_for in session.scalars(earlier) for op_id in waits_for} & set(outcomes)
