"""What a dispatcher changed by hand on a plan: the story of it, and what of it later optimisation has to keep."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from field_api.domain.confidential import Confidential
from field_api.platform.columns import ConfidentialText
from field_api.platform.labels import internal
from field_api.records.base import SCHEMA, Tenant, refers


class PlanChange(Tenant):
    """One change by hand: who, when, what. Its `version` is the plan's after it."""

    __tablename__ = "plan_change"
    __table_args__ = (
        refers("plan_id", "plan", ondelete="CASCADE"),
        UniqueConstraint("agency_id", "plan_id", "version"),
        {"schema": SCHEMA},
    )

    plan_id: Mapped[UUID] = internal()
    version: Mapped[int] = internal()
    at: Mapped[datetime] = internal()
    by: Mapped[UUID | None] = internal()  # staff
    kind: Mapped[str] = internal()  # field_api.domain.draft_changes.ChangeByHand
    detail: Mapped[dict[str, Any]] = internal(JSONB, default=dict)  # ids and numbers: stop, agent, position, accounts
    reason: Mapped[Confidential[str] | None] = mapped_column(ConfidentialText)  # a dispatcher's own words


class ManualWish(Tenant):
    """What later optimisation has to keep about an account: by account, since stops are made anew each time.

    `agent_id` and `position` are pins of the stop that it belongs to; `added` and `dropped` say that it must be on a
    route, or on none.
    """

    __tablename__ = "manual_wish"
    __table_args__ = (
        refers("plan_id", "plan", ondelete="CASCADE"),
        refers("account_id", "account"),
        refers("agent_id", "agent"),
        UniqueConstraint("agency_id", "plan_id", "account_id"),
        {"schema": SCHEMA},
    )

    plan_id: Mapped[UUID] = internal()
    account_id: Mapped[UUID] = internal()
    agent_id: Mapped[UUID | None] = internal()
    position: Mapped[int | None] = internal()  # from 1; the last where the route is shorter
    added: Mapped[bool] = internal(default=False)
    dropped: Mapped[bool] = internal(default=False)
