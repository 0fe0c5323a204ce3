"""People who work at the agency, and the tokens that machines use in their stead."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped

from field_api.platform.labels import confidential, internal, open_, personal
from field_api.records.base import SCHEMA, Tenant, refers


class Staff(Tenant):
    """A sign-in. `fs_uniquifier` starts with the agency's id, so that a session tells the tenant before any look-up."""

    __tablename__ = "staff"
    __table_args__ = (
        refers("creditor_id", "creditor"),
        UniqueConstraint("email"),
        UniqueConstraint("fs_uniquifier"),
        {"schema": SCHEMA},
    )

    email: Mapped[str] = personal()
    name: Mapped[str] = open_()
    password: Mapped[str | None] = confidential()  # argon2id
    active: Mapped[bool] = internal(default=True)
    role: Mapped[str] = internal()  # agent | dispatcher | manager | admin | controller
    creditor_id: Mapped[UUID | None] = internal()  # a controller sees this creditor's accounts alone
    fs_uniquifier: Mapped[str] = confidential()
    tf_primary_method: Mapped[str | None] = internal()
    tf_totp_secret: Mapped[str | None] = confidential()
    created_at: Mapped[datetime] = internal(server_default=func.now())


class ApiToken(Tenant):
    """An integrator's token: only its hash is kept; the wire form carries agency and token id in front."""

    __tablename__ = "api_token"
    __table_args__ = ({"schema": SCHEMA},)

    name: Mapped[str] = internal()
    token_sha256: Mapped[bytes] = confidential(LargeBinary)
    permissions: Mapped[list[str]] = internal(ARRAY(TEXT))
    created_at: Mapped[datetime] = internal(server_default=func.now())
    last_used_at: Mapped[datetime | None] = internal()
    revoked_at: Mapped[datetime | None] = internal()


class IdempotencyKey(Tenant):
    """The stored answer of a POST, so that a repeat is answered and not done again."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("agency_id", "actor_id", "route", "key"), {"schema": SCHEMA})

    actor_id: Mapped[UUID] = internal()
    route: Mapped[str] = internal()
    key: Mapped[str] = internal()
    request_sha256: Mapped[bytes] = confidential(LargeBinary)
    status: Mapped[int] = internal()
    body: Mapped[bytes] = confidential(LargeBinary)
    created_at: Mapped[datetime] = internal(server_default=func.now())
