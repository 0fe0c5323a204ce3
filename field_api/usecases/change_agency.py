"""What an agency says of itself: on its letters, and how it works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.letter_particulars import BadParticular, with_particulars
from field_api.domain.lock_policy import lock_policy
from field_api.domain.photo_retention import LONGEST_DAYS
from field_api.domain.vocabulary import ChangeKind
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.agency import Agency
from field_api.records.visits import Visit
from field_api.usecases.make_visit_keys import renew_visit_keys
from field_api.usecases.tell_agent import tell_agent

LONGEST = 300
DURABILITIES = ("commit", "backup")
"""What counts as safe from the loss of the server: a commit of the database, or a verified backup."""


def change_agency(
    session: Session,
    *,
    address: str | None = None,
    phone: str | None = None,
    email: str | None = None,
    particulars: Mapping[str, Any] | None = None,
    attestation: bool | None = None,
    read_before_arrival: bool | None = None,
    durability: str | None = None,
    photo_retention_days: int | None = None,
) -> Agency:
    """Change what is given and leave the rest. Raises `invalid-fields` for what no letter could carry. `particulars`:
    what letters say beside name and address (field_api.domain.letter_particulars).

    A change of what may open locks (field_api.domain.lock_policy) seals every visit that is out on a phone anew;
    where a way is taken back, under other keys: a phone that kept the old item has the old ones.
    `photo_retention_days`: 0 keeps photographs until somebody destroys them.
    """
    agency = session.get_one(Agency, current_agency(), with_for_update=True)
    for name, value in (("address", address), ("phone", phone), ("email", email)):
        if value is not None:
            setattr(agency, name, _text(name, value))
    if particulars:
        _change_particulars(agency, particulars)
    if durability is not None:
        if durability not in DURABILITIES:
            raise Problem("invalid-fields", "commit or backup", at="durability")
        agency.policy = {**agency.policy, "durability": durability}
    if photo_retention_days is not None:
        if not 0 <= photo_retention_days <= LONGEST_DAYS:
            raise Problem("invalid-fields", f"0 to {LONGEST_DAYS} days", at="photo_retention_days")
        agency.policy = {**agency.policy, "photo_retention_days": photo_retention_days}
    lock = {"attestation": attestation, "read_before_arrival": read_before_arrival}
    _change_lock(session, agency, {name: value for name, value in lock.items() if value is not None})
    return agency


def change_particulars(session: Session, said: Mapping[str, Any]) -> Agency:
    """What letters say of the agency beside its name and address, of letters that are written from now on. What is not
    said stays, an empty text takes it away. Raises `invalid-fields` naming the field."""
    agency = session.get_one(Agency, current_agency(), with_for_update=True)
    _change_particulars(agency, said)
    session.flush()
    return agency


def _change_particulars(agency: Agency, said: Mapping[str, Any]) -> None:
    try:
        letters = with_particulars(agency.policy.get("letters") or {}, said)
    except BadParticular as error:
        raise Problem("invalid-fields", error.message, at=error.at) from error
    agency.policy = {**agency.policy, "letters": letters}


def _change_lock(session: Session, agency: Agency, said: dict[str, bool]) -> None:
    before = lock_policy(agency.policy)
    wanted = replace(before, **said)
    if wanted == before:
        return
    agency.policy = {**agency.policy, "lock": asdict(wanted)}
    out = select(Visit.id, Visit.agent_id).where(Visit.agency_id == current_agency(), Visit.state == "published")
    carried = session.execute(out.order_by(Visit.id)).all()
    if any(was and not asdict(wanted)[name] for name, was in asdict(before).items()):
        renew_visit_keys(session, [visit_id for visit_id, _ in carried])
    for visit_id, agent_id in carried:
        tell_agent(session, agent_id, ChangeKind.VISIT, visit_id)


def _text(name: str, value: str) -> str:
    value = value.strip()
    if not value or len(value) > LONGEST or not value.isprintable():
        raise Problem("invalid-fields", f"1 to {LONGEST} printable characters", at=name)
    return value
