"""Give somebody a sign-in."""

from __future__ import annotations

import secrets
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from field_api.domain.credentials import uniquifier
from field_api.domain.roles import PEOPLE, StaffRole
from field_api.platform.passwords import hash_password
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.records.staff import Staff


def add_staff(
    session: Session, *, email: str, name: str, role: str, password: str, creditor_id: UUID | None = None
) -> Staff:
    """Add a sign-in of the running agency. E-mails are unique over all agencies: they tell the agency at sign-in.

    Raises Problem `invalid-fields` (naming the field), `not-found` (creditor), `conflict` (the e-mail is taken).
    """
    known_role = _role(role)
    if (known_role is StaffRole.CONTROLLER) != (creditor_id is not None):
        raise Problem("invalid-fields", "a controller, and nobody else, belongs to a creditor", at="creditor_id")
    if creditor_id is not None:
        load(session, Creditor, creditor_id)
    staff = Staff(
        email=normalised_email(email),
        name=name.strip() or email,
        role=known_role.value,
        creditor_id=creditor_id,
        password=hash_password(password),
        fs_uniquifier=uniquifier(current_agency(), secrets.token_hex(16)),
    )
    try:
        with session.begin_nested():
            session.add(staff)
    except IntegrityError as error:
        raise Problem("conflict", "this e-mail has a sign-in already", at="email") from error
    return staff


def normalised_email(email: str) -> str:
    """Lower case, NFC, ASCII or IDN as typed. Raises Problem `invalid-fields`."""
    try:
        # Internal names such as ana@agency.test are fine: nothing is sent there.
        return validate_email(email, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError as error:
        raise Problem("invalid-fields", "not an e-mail address", at="email") from error


def _role(role: str) -> StaffRole:
    if role not in PEOPLE:
        raise Problem("invalid-fields", "one of " + ", ".join(sorted(PEOPLE)), at="role")
    return StaffRole(role)
