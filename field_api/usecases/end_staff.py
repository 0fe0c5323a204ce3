"""Take somebody's sign-in away."""

from __future__ import annotations

import secrets
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.credentials import uniquifier
from field_api.platform.tenancy import current_agency
from field_api.records.base import load
from field_api.records.staff import Staff


def end_staff(session: Session, staff_id: UUID) -> Staff:
    """Inactive from now on; open sessions end with their next request. The row stays: deeds refer to it."""
    staff = load(session, Staff, staff_id, lock=True)
    staff.active = False
    staff.fs_uniquifier = uniquifier(current_agency(), secrets.token_hex(16))
    return staff
