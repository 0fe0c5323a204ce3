"""People who work at the agency, and the tokens that machines use in their stead."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import LargeBinary, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

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

    email: Mapped[str]
    name: Mapped[str]
    password: Mapped[str | None]  # argon2id
    active: Mapped[bool] = mapped_column(default=True)
    role: Mapped[str]  # agent | dispatcher | manager | admin | controller
    creditor_id: Mapped[UUID | None]  # a controller sees this creditor's accounts alone
    fs_uniquifier: Mapped[str]
    tf_primary_method: Mapped[str | None]
    tf_totp_secret: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ApiToken(Tenant):
    """An integrator's token: only its hash is kept; the wire form carries agency and token id in front."""

    __tablename__ = "api_token"
    __table_args__ = ({"schema": SCHEMA},)

    name: Mapped[str]
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    permissions: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class IdempotencyKey(Tenant):
    """The stored answer of a POST, so that a repeat is answered and not done again."""

    __tablename__ = "idempotency_key"
    __table_args__ = (UniqueConstraint("agency_id", "actor_id", "route", "key"), {"schema": SCHEMA})

    actor_id: Mapped[UUID]
    route: Mapped[str]
    key: Mapped[str]
    request_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
