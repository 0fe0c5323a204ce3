"""Agents' working time, plans, routes and stops, and why an account is not on a plan."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from field_api.records.base import SCHEMA, Tenant, refers


class Agent(Tenant):
    __tablename__ = "agent"
    __table_args__ = (UniqueConstraint("agency_id", "code"), {"schema": SCHEMA})

    code: Mapped[str]  # short, for the CLI and the sheet: "MX-1"
    name: Mapped[str]
    territory: Mapped[str] = mapped_column(default="")
    languages: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    timezone: Mapped[str]  # IANA, of the shifts below
    active: Mapped[bool] = mapped_column(default=True)
    staff_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Shift(Tenant):
    """A weekly working window, in the agent's time zone, with where it starts and ends."""

    __tablename__ = "shift"
    __table_args__ = (
        refers("agent_id", "agent"),
        UniqueConstraint("agency_id", "agent_id", "weekday"),
        {"schema": SCHEMA},
    )

    agent_id: Mapped[UUID]
    weekday: Mapped[int]  # 0 Monday .. 6 Sunday
    starts_at: Mapped[time]
    ends_at: Mapped[time]
    start_latitude: Mapped[float]
    start_longitude: Mapped[float]
    start_label: Mapped[str] = mapped_column(default="")
    end_latitude: Mapped[float]
    end_longitude: Mapped[float]
    end_label: Mapped[str] = mapped_column(default="")


class Absence(Tenant):
    __tablename__ = "absence"
    __table_args__ = (refers("agent_id", "agent"), {"schema": SCHEMA})

    agent_id: Mapped[UUID]
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str] = mapped_column(default="")


class Plan(Tenant):
    __tablename__ = "plan"
    __table_args__ = (Index("ix_plan_day", "agency_id", "for_day"), {"schema": SCHEMA})

    for_day: Mapped[date]
    state: Mapped[str] = mapped_column(default="draft")  # draft | published | superseded
    solver: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)  # engine, seed, seconds, distance, estimates
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]
    published_at: Mapped[datetime | None]
    published_by: Mapped[UUID | None]


class Route(Tenant):
    __tablename__ = "route"
    __table_args__ = (
        refers("plan_id", "plan"),
        refers("agent_id", "agent"),
        UniqueConstraint("agency_id", "plan_id", "agent_id"),
        Index("ix_route_agent", "agency_id", "agent_id"),
        {"schema": SCHEMA},
    )

    plan_id: Mapped[UUID]
    agent_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    start_latitude: Mapped[float]
    start_longitude: Mapped[float]
    end_latitude: Mapped[float]
    end_longitude: Mapped[float]
    distance_m: Mapped[int]
    travel_s: Mapped[int]


class Stop(Tenant):
    """One address on a route; several visits (debtors) may stand behind it."""

    __tablename__ = "stop"
    __table_args__ = (
        refers("route_id", "route"),
        refers("address_id", "address"),
        UniqueConstraint("agency_id", "route_id", "position", deferrable=True, initially="DEFERRED"),
        {"schema": SCHEMA},
    )

    route_id: Mapped[UUID]
    address_id: Mapped[UUID]
    position: Mapped[int]  # 1-based
    arrival_from: Mapped[datetime]
    arrival_to: Mapped[datetime]
    visit_until: Mapped[datetime]  # end of the contact hours here, exclusive
    service_s: Mapped[int]


class NotPlanned(Tenant):
    """Why an account is not on a plan: the dispatcher's answer to "why not?"."""

    __tablename__ = "not_planned"
    __table_args__ = (
        refers("plan_id", "plan"),
        refers("account_id", "account"),
        Index("ix_not_planned", "agency_id", "plan_id", "reason"),
        {"schema": SCHEMA},
    )

    plan_id: Mapped[UUID]
    account_id: Mapped[UUID]
    reason: Mapped[str]  # field_api.domain.vocabulary.NotPlannedReason
    rule: Mapped[str | None]  # which rule said so, with its source
