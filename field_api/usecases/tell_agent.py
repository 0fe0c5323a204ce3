"""Leave word for an agent's phones."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import ChangeKind
from field_api.records.changes import Change


def tell_agent(session: Session, agent_id: UUID, kind: ChangeKind, ref: UUID, urgent: bool = False) -> None:
    """Add a change row in the running transaction: whichever phones the agent has will load `ref`'s present state.

    `urgent` puts it in front of everything that is not, for withdrawals.
    """
    session.add(Change(agent_id=agent_id, kind=kind.value, ref=ref, urgent=urgent))


def tell_agents(session: Session, changes: Iterable[tuple[UUID, ChangeKind, UUID]]) -> None:
    """Many (agent, kind, ref) at once, none of them urgent, in one statement and in this order."""
    rows = [{"agent_id": agent_id, "kind": kind.value, "ref": ref} for agent_id, kind, ref in changes]
    if rows:
        session.execute(insert(Change), rows)
