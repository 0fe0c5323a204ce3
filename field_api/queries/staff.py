"""Who signs in: staff by e-mail (before an agency is known), by session, and the tokens of integrators."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from field_api.records.staff import ApiToken, Staff


def staff_by_email(session: Session, email: str) -> Staff | None:
    """The active or inactive sign-in with this normalised e-mail, of any agency, through the policy `sign_in`."""
    session.execute(text("SELECT set_config('doorstep.sign_in', :email, true)"), {"email": email})
    return session.scalars(select(Staff).where(Staff.email == email)).one_or_none()


def staff_by_uniquifier(session: Session, uniquifier: str) -> Staff | None:
    return session.scalars(select(Staff).where(Staff.fs_uniquifier == uniquifier)).one_or_none()


def staff_list() -> Select[Any]:
    return select(Staff)


def token_by_id(session: Session, token_id: UUID) -> ApiToken | None:
    return session.scalars(select(ApiToken).where(ApiToken.id == token_id)).one_or_none()


def token_list() -> Select[Any]:
    return select(ApiToken)
