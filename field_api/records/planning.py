"""Agents' working time, plans, routes and stops, and why an account is not on a plan."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TEXT
from sqlalchemy.orm import Mapped

from field_api.platform.labels import confidential, internal, open_, personal, place
from field_api.records.base import SCHEMA, Tenant, refers


class Agent(Tenant):
    __tablename__ = "agent"
    __table_args__ = (UniqueConstraint("agency_id", "code"), {"schema": SCHEMA})

    code: Mapped[str] = open_()  # short, for the CLI and the sheet: "MX-1"
    name: Mapped[str] = open_()
    territory: Mapped[str] = place(default="")
    languages: Mapped[list[str]] = internal(ARRAY(TEXT))
    skills: Mapped[list[str]] = internal(ARRAY(TEXT), default=list)  # field_api.domain.skills
    territories: Mapped[list[str]] = internal(ARRAY(TEXT), default=list)  # of the agency's policy; empty: anywhere
    most_stops: Mapped[int | None] = internal()  # a day
    timezone: Mapped[str] = internal()  # IANA, of the shifts below
    active: Mapped[bool] = internal(default=True)
    staff_id: Mapped[UUID | None] = internal()
    created_at: Mapped[datetime] = internal(server_default=func.now())


class Shift(Tenant):
    """A weekly working window, in the agent's time zone, with where it starts and ends."""

    __tablename__ = "shift"
    __table_args__ = (
        refers("agent_id", "agent"),
        UniqueConstraint("agency_id", "agent_id", "weekday"),
        {"schema": SCHEMA},
    )

    agent_id: Mapped[UUID] = internal()
    weekday: Mapped[int] = internal()  # 0 Monday .. 6 Sunday
    starts_at: Mapped[time] = internal()
    ends_at: Mapped[time] = internal()
    lunch_minutes: Mapped[int | None] = internal()  # begun between the two times below; null: no lunch
    lunch_from: Mapped[time | None] = internal()
    lunch_until: Mapped[time | None] = internal()
    start_latitude: Mapped[float] = place()
    start_longitude: Mapped[float] = place()
    start_label: Mapped[str] = place(default="")
    end_latitude: Mapped[float] = place()
    end_longitude: Mapped[float] = place()
    end_label: Mapped[str] = place(default="")


class Absence(Tenant):
    __tablename__ = "absence"
    __table_args__ = (refers("agent_id", "agent"), {"schema": SCHEMA})

    agent_id: Mapped[UUID] = internal()
    first_day: Mapped[date] = internal()
    last_day: Mapped[date] = internal()
    reason: Mapped[str] = personal(default="")


class Plan(Tenant):
    __tablename__ = "plan"
    __table_args__ = (Index("ix_plan_day", "agency_id", "for_day"), {"schema": SCHEMA})

    for_day: Mapped[date] = internal()
    state: Mapped[str] = internal(default="draft")  # draft | publishing | published | superseded
    version: Mapped[int] = internal(default=1, server_default="1")  # grows with every change by hand
    solver: Mapped[dict[str, Any]] = internal(JSONB, default=dict)  # engine, seed, seconds, distance, estimates
    created_at: Mapped[datetime] = internal()
    created_by: Mapped[UUID | None] = internal()
    published_at: Mapped[datetime | None] = internal()
    published_by: Mapped[UUID | None] = internal()


class Route(Tenant):
    __tablename__ = "route"
    __table_args__ = (
        refers("plan_id", "plan"),
        refers("agent_id", "agent"),
        UniqueConstraint("agency_id", "plan_id", "agent_id"),
        Index("ix_route_agent", "agency_id", "agent_id"),
        {"schema": SCHEMA},
    )

    plan_id: Mapped[UUID] = internal()
    agent_id: Mapped[UUID] = internal()
    starts_at: Mapped[datetime] = internal()
    ends_at: Mapped[datetime] = internal()
    lunch_at: Mapped[datetime | None] = internal()
    start_latitude: Mapped[float] = place()
    start_longitude: Mapped[float] = place()
    end_latitude: Mapped[float] = place()
    end_longitude: Mapped[float] = place()
    distance_m: Mapped[int] = internal()
    travel_s: Mapped[int] = internal()


class Stop(Tenant):
    """One address on a route; several visits (debtors) may stand behind it."""

    __tablename__ = "stop"
    __table_args__ = (
        refers("route_id", "route"),
        refers("address_id", "address"),
        UniqueConstraint("agency_id", "route_id", "position", deferrable=True, initially="DEFERRED"),
        {"schema": SCHEMA},
    )

    route_id: Mapped[UUID] = internal()
    address_id: Mapped[UUID] = internal()
    position: Mapped[int] = internal()  # 1-based
    arrival_from: Mapped[datetime] = internal()
    arrival_to: Mapped[datetime] = internal()
    visit_from: Mapped[datetime | None] = internal()  # beginning of the contact hours here; null: of an older release
    visit_until: Mapped[datetime] = internal()  # end of the contact hours here, exclusive
    service_s: Mapped[int] = internal()


class NotPlanned(Tenant):
    """Why an account is not on a plan: the dispatcher's answer to "why not?"."""

    __tablename__ = "not_planned"
    __table_args__ = (
        refers("plan_id", "plan"),
        refers("account_id", "account"),
        Index("ix_not_planned", "agency_id", "plan_id", "reason"),
        {"schema": SCHEMA},
    )

    plan_id: Mapped[UUID] = internal()
    account_id: Mapped[UUID] = internal()
    reason: Mapped[str] = confidential()  # field_api.domain.vocabulary.NotPlannedReason
    rule: Mapped[str | None] = confidential()  # which rule said so, with its source
