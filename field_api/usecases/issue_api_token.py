"""Give an integrator a token."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.orm import Session

from field_api.domain.credentials import WireToken
from field_api.platform import sealing
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.records.staff import ApiToken


def issue_api_token(
    session: Session, *, name: str, permissions: Iterable[str], allowed: frozenset[str], now: datetime
) -> WireToken:
    """The token in its wire form, which is shown this once: only the SHA-256 of its 256 random bits is kept.

    `allowed` are the permissions a token may have at all. Raises Problem `invalid-fields`.
    """
    wanted = sorted(set(permissions))
    if not wanted or not set(wanted) <= allowed:
        raise Problem("invalid-fields", "one or more of " + ", ".join(sorted(allowed)), at="permissions")
    if not name.strip():
        raise Problem("invalid-fields", "say whose token it is", at="name")
    wire = WireToken(current_agency(), new_id(), secrets.token_hex(32))
    session.add(
        ApiToken(
            id=wire.token_id,
            name=name.strip(),
            token_sha256=sealing.sha256(wire.secret.encode()),
            permissions=wanted,
            created_at=now,
        )
    )
    session.flush()
    return wire
