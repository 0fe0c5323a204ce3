"""A new password, which ends every session of the old one."""

from __future__ import annotations

import secrets
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.credentials import uniquifier
from field_api.platform.passwords import hash_password, password_fits
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.staff import Staff


def change_password(session: Session, staff_id: UUID, *, old: str | None, new: str) -> Staff:
    """Set `new` after checking `old`; `old` None is an administrator's reset.

    Raises Problem `not-permitted` (old is wrong), `invalid-fields` (new is too short or long).
    """
    staff = load(session, Staff, staff_id, lock=True)
    if old is not None and not password_fits(staff.password, old):
        raise Problem("not-permitted", "the old password is not right", at="old_password")
    staff.password = hash_password(new)
    staff.fs_uniquifier = uniquifier(current_agency(), secrets.token_hex(16))
    return staff
