"""What an agency says of itself: on its letters, and how it works."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.agency import Agency

LONGEST = 300


def change_agency(
    session: Session,
    *,
    address: str | None = None,
    phone: str | None = None,
    email: str | None = None,
    responsible_persons: Sequence[str] | None = None,
) -> Agency:
    """Change what is given and leave the rest. Raises `invalid-fields` for what no letter could carry."""
    agency = session.get_one(Agency, current_agency(), with_for_update=True)
    for name, value in (("address", address), ("phone", phone), ("email", email)):
        if value is not None:
            setattr(agency, name, _text(name, value))
    if responsible_persons is not None:
        named = [_text("responsible_persons", person) for person in responsible_persons]
        letters = {**agency.policy.get("letters", {}), "responsible_persons": named}
        agency.policy = {**agency.policy, "letters": letters}
    return agency


def _text(name: str, value: str) -> str:
    value = value.strip()
    if not value or len(value) > LONGEST or not value.isprintable():
        raise Problem("invalid-fields", f"1 to {LONGEST} printable characters", at=name)
    return value
