"""Take a token back."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.records.base import load
from field_api.records.staff import ApiToken


def revoke_api_token(session: Session, token_id: UUID, *, now: datetime) -> ApiToken:
    """Refused from its next use on; doing it twice changes nothing. Raises Problem `not-found`."""
    token = load(session, ApiToken, token_id, lock=True)
    token.revoked_at = token.revoked_at or now
    return token
