"""What leaves a phone's sheet by age: visits that were done long ago, and routes on which nothing is left to do.

A visit stays some days after it was done, so that its agent can still correct what was recorded there; a snapshot
leaves it out at once. What nobody did stays until somebody takes it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import exists, literal, select, union_all
from sqlalchemy.orm import Session

from field_api.platform.devices import Device
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.queries.phone_routes import PhoneRoute
from field_api.records.planning import Plan, Route, Stop
from field_api.records.visits import Visit
from sync.office.apart import Ref
from sync.records import OnSheet

STAYS_DAYS = 7
AT_ONCE = 50


def leftovers(session: Session, devices: Sequence[Device], now: datetime) -> list[Ref]:
    """What these phones still have and need no more, some of it: the rest leaves next time. One statement."""
    theirs = select(OnSheet.kind, OnSheet.ref).where(
        OnSheet.agency_id == current_agency(), among(OnSheet.device_id, {device.id for device in devices})
    )
    on_sheet = theirs.subquery()
    visits = select(literal("visit").label("kind"), Visit.id.label("ref")).where(
        Visit.id == on_sheet.c.ref, on_sheet.c.kind == "visit",
        Visit.state == "done", Visit.done_at < now - timedelta(days=STAYS_DAYS),
    )  # fmt: skip
    to_do = exists().where(Visit.stop_id == Stop.id, Stop.route_id == Route.id, Visit.state == "published")
    routes = select(literal("route"), Route.id).where(
        Route.id == on_sheet.c.ref, on_sheet.c.kind == "route",
        Plan.id == Route.plan_id, Plan.for_day < _first_day(now), ~to_do,
    )  # fmt: skip
    rows = session.execute(union_all(visits, routes).limit(AT_ONCE))
    return list(dict.fromkeys((row.kind, row.ref) for row in rows))


def is_over(item: PhoneRoute, now: datetime) -> bool:
    return item.visits == 0 and item.plan.for_day < _first_day(now)


def _first_day(now: datetime) -> date:
    return (now - timedelta(days=STAYS_DAYS)).date()
