"""From ids to contents: the present state of visits, routes, verdicts and keys, each loaded for all refs at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.phone_flags import told_to_phones
from field_api.domain.vocabulary import ChangeKind
from field_api.platform.anchors import utc_text
from field_api.platform.devices import Device
from field_api.platform.keyring import OfficeKeys
from field_api.queries.arrays import among
from field_api.queries.phone_routes import PhoneRoute, phone_routes
from field_api.records.changes import Change
from sync.mailbox import InboxOp
from sync.office.apart import Ref
from sync.office.items import OVER, Content
from sync.office.leftovers import is_over
from sync.office.visit_body import SheetVisit, sheet_visits

_CONTENT_OF_CHANGE = {
    ChangeKind.VISIT: "visit",
    ChangeKind.CODE: "visit",
    ChangeKind.ROUTE: "route",
    ChangeKind.VERDICT: "verdict",
    ChangeKind.KEYS: "keys",
}
VERDICTS = ("applied", "late", "held", "quarantined", "fork")


class Contents:
    """What may be told of these refs to one agent, loaded once for all of the agent's devices."""

    def __init__(
        self, session: Session, keys: OfficeKeys, agent_id: UUID, refs: Collection[Ref], now: datetime
    ) -> None:
        self._session, self._keys, self._now = session, keys, now
        self._visits = sheet_visits(session, keys, agent_id, _of(refs, "visit"))
        self._routes = {item.route.id: item for item in phone_routes(session, _of(refs, "route"))}
        self._ops = _of(refs, "verdict")

    def for_device(self, device: Device, refs: Collection[Ref]) -> list[Content]:
        """In the order of `refs`; what does not concern this device is left out."""
        verdicts = self._verdicts_of(device)
        contents = (self._content(device, kind, ref, verdicts) for kind, ref in refs)
        return [content for content in contents if content is not None]

    def _content(self, device: Device, kind: str, ref: UUID, verdicts: dict[UUID, dict[str, Any]]) -> Content | None:
        if kind == "visit" and ref in self._visits:
            visit: SheetVisit = self._visits[ref]
            return Content(kind, ref, visit.body_for(device.id))
        if kind == "route" and ref in self._routes and self._routes[ref].agent.id == device.agent_id:
            route = self._routes[ref]
            return Content(kind, ref, {"state": OVER} if is_over(route, self._now) else _route_body(route))
        if kind == "verdict" and ref in verdicts:
            return Content(kind, ref, verdicts[ref])
        if kind == "keys":
            return Content(kind, ref, self._keys.announcement(ref))
        return None

    def _verdicts_of(self, device: Device) -> dict[UUID, dict[str, Any]]:
        if not self._ops:
            return {}
        rows = self._session.execute(
            select(InboxOp.op_id, InboxOp.seq, InboxOp.state, InboxOp.reason, InboxOp.flags).where(
                InboxOp.device_id == device.id, among(InboxOp.op_id, self._ops), InboxOp.state.in_(VERDICTS)
            )
        )
        return {
            row.op_id: {
                "seq": row.seq,
                "verdict": row.state,
                "reason": row.reason,
                "flags": told_to_phones(row.flags),
            }
            for row in rows
        }


def ref_of(change: Change) -> Ref:
    return _CONTENT_OF_CHANGE[ChangeKind(change.kind)], change.ref


def refs_of(changes: Collection[Change]) -> list[Ref]:
    """Each entity once, where it first stands in `changes`."""
    return list(dict.fromkeys(map(ref_of, changes)))


def _of(refs: Collection[Ref], wanted: str) -> set[UUID]:
    return {ref for kind, ref in refs if kind == wanted}


def _route_body(item: PhoneRoute) -> dict[str, Any]:
    route = item.route
    return {
        "day": item.plan.for_day.isoformat(),
        "agent": item.agent.name,
        "territory": item.agent.territory,
        "starts_at": utc_text(route.starts_at),
        "ends_at": utc_text(route.ends_at),
        "lunch_at": utc_text(route.lunch_at) if route.lunch_at else None,
        "timezone": item.agent.timezone,
        "start": {"label": item.start_label, "latitude": route.start_latitude, "longitude": route.start_longitude},
        "end": {"label": item.end_label, "latitude": route.end_latitude, "longitude": route.end_longitude},
        "stops": item.stops,
        "visits": item.visits,
        "distance_m": route.distance_m,
        "travel_s": route.travel_s,
        "estimates": bool(item.plan.solver.get("estimates", True)),
    }
