"""Leave word for an agent's phones."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.vocabulary import ChangeKind
from field_api.records.changes import Change


def tell_agent(session: Session, agent_id: UUID, kind: ChangeKind, ref: UUID, urgent: bool = False) -> None:
    """Add a change row in the running transaction: whichever phones the agent has will load `ref`'s present state.

    `urgent` puts it in front of everything that is not, for withdrawals.
    """
    session.add(Change(agent_id=agent_id, kind=kind.value, ref=ref, urgent=urgent))
