"""Two agents' sheets at the office and on their phones, and what a dispatcher does with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from fault_world import House
from sqlalchemy import select

from field_api.domain.vocabulary import ChangeKind
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.records.planning import Agent, Route
from field_api.usecases.reassign_visit import reassign_visit
from field_api.usecases.tell_agent import tell_agent
from field_api.usecases.withdraw_visit import withdraw_visit
from sync.mailbox import FeedHead
from sync.office.publish import publish_changes
from sync.phone import Phone, sheet
from sync.phone.feed import load_cursor
from sync.records import OnSheet
from tests.planning_world import NOW, PARTS, World

Line = tuple[str, str, int]


@dataclass
class TwoSheets:
    house: House
    phones: dict[str, Phone]
    agents: dict[str, UUID]
    routes: dict[str, UUID]
    serial: int = 0
    seen: dict[str, int] = field(default_factory=dict)

    def count(self, what: str) -> None:
        self.seen[what] = self.seen.get(what, 0) + 1

    def assign(self, agent: str) -> UUID:
        with transaction(self.house.agency) as session:
            known = {one.jurisdiction: one for one in session.scalars(select(Creditor))}
            self.serial += 100
            world = World(session, serial=self.serial, creditors=known)
            route = session.get_one(Route, {"agency_id": self.house.agency, "id": self.routes[agent]})
            person, address, account = world.household()
            visit = world.visit(route, self.serial, address, person, account)
            tell_agent(session, self.agents[agent], ChangeKind.ROUTE, route.id)
            tell_agent(session, self.agents[agent], ChangeKind.VISIT, visit.id)
            return visit.id

    def reassign(self, visit: UUID, agent: str) -> None:
        with transaction(self.house.agency) as session:
            reassign_visit(session, visit, self.agents[agent], parts=PARTS, now=NOW, by=None)

    def withdraw(self, visit: UUID) -> None:
        with transaction(self.house.agency) as session:
            withdraw_visit(session, visit, reason="pagó", now=SystemClock().now(), by=None)

    def publish(self, name: str) -> None:
        with transaction(self.house.agency) as session:
            keys = office_keys().of(self.house.agency)
            publish_changes(session, keys, self.agents[name], now=SystemClock().now())

    def of_office(self, name: str) -> tuple[tuple[int, int], set[Line]]:
        """Where the feed of this phone ends, and the lines that the office has for its sheet."""
        device = UUID(self.phones[name].handset.device)
        with transaction(self.house.agency) as session:
            head = session.get_one(FeedHead, (self.house.agency, device))
            rows = session.scalars(select(OnSheet).where(OnSheet.device_id == device, OnSheet.epoch == head.epoch))
            return (head.epoch, head.seq), {(row.kind, str(row.ref), row.version) for row in rows}

    def of_phone(self, name: str) -> tuple[tuple[int, int], set[Line]]:
        handset = self.phones[name].handset
        cursor = load_cursor(handset)
        entities = [one for kind in ("route", "visit") for one in sheet.entities(handset, kind)]
        lines = {
            (one.kind, one.ref, one.version) for one in entities if one.body.get("state", "published") == "published"
        }
        return (cursor.epoch, cursor.seq), lines


@contextmanager
def two_sheets(house: House) -> Iterator[TwoSheets]:
    """Two agents with a route of the same day each, and a phone for each."""
    agents = {"here": house.agent}
    phones = {"here": house.enrol("here")}
    with transaction(house.agency) as session:
        agents["there"] = World(session).agent(code="MX-2").id
    house.agent = agents["there"]
    phones["there"] = house.enrol("there")
    with transaction(house.agency) as session:
        first = World(session).route(load(session, Agent, agents["here"]))
        second = World(session).route_beside(first, agents["there"])
        routes = {"here": first.id, "there": second.id}
    yield TwoSheets(house, phones, agents, routes)
    for phone in phones.values():
        phone.close()
