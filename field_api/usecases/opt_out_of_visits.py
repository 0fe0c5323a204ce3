"""Somebody does not want visits at a place: nobody is sent there, and what is on its way comes back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.people import Address
from field_api.records.visits import Visit
from field_api.usecases.lock_visit import accounts_owed_by, lock_accounts, lock_visits
from field_api.usecases.withdraw_visit import AHEAD, take_back

OPTED_OUT = "no visits are wanted at this place"


def opt_out_of_visits(session: Session, address_id: UUID, *, now: datetime, again: bool = False) -> Address:
    """Mark the person's address, or with `again` take the mark away; visits there that are ahead are taken back.

    12 CFR 1006.6(b)(1), comment 1.iii, and CONC 7.9.4: a place that somebody refused is left alone. Raises `not-found`.
    """
    # Accounts before the address, as a phone's operation locks them; and a day that is planned again meanwhile either
    # knows of it, or its visits are seen below.
    lock_accounts(session, accounts_owed_by(session, load(session, Address, address_id).person_id))
    address = load(session, Address, address_id, lock=True)
    if again:
        address.visits_opted_out = False
        return address
    address.visits_opted_out = True
    session.flush()
    ahead = select(Visit.id).where(
        Visit.agency_id == current_agency(), Visit.address_id == address_id, Visit.state.in_(AHEAD)
    )
    visits = lock_visits(session, list(session.scalars(ahead)))
    still = [visit for visit in visits.values() if visit.state in AHEAD]
    take_back(session, still, reason=OPTED_OUT, now=now, actor="office")
    return address
