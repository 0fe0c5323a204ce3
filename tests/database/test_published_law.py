"""Whole days, planned and published in PostgreSQL, held against an oracle that knows the law and not the engine: no
published row breaks a rule that holds where and when it would take place, and whoever is not visited has a reason.

The days are odd ones: clocks that change, ends of years, holidays. The towns lie on borders, or in zones of half hours.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from field_api.adapters.rules_toml import TomlRules
from field_api.domain.confidential import Confidential
from field_api.domain.contact_rules import JurisdictionRules
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.statistics import refresh_statistics
from field_api.records.accounts import Account, Party
from field_api.records.agency import Creditor
from field_api.records.people import Address, Person
from field_api.records.planning import Agent, NotPlanned, Route, Shift, Stop
from field_api.records.results import Attempt
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_plan import publish_plan
from tests.law_oracle import Asked, Tried, broken, too_often, unannounced
from tests.planning_world import PARTS

TOWNS: dict[str, tuple[tuple[float, float], list[str]]] = {
    "MX Ciudad de México": ((19.4326, -99.1332), ["America/Mexico_City"]),
    "MX Ciudad Juárez": ((31.7382, -106.4870), ["America/Ciudad_Juarez", "America/Denver"]),
    "MX Tijuana": ((32.5331, -117.0362), ["America/Tijuana", "America/Los_Angeles"]),
    "US Baltimore": ((39.2904, -76.6122), ["America/New_York"]),
    "US El Paso": ((31.7619, -106.4850), ["America/Denver", "America/Ciudad_Juarez"]),
    "US West Wendover": ((40.7391, -114.0733), ["America/Denver", "America/Los_Angeles"]),
    "US Honolulu": ((21.3069, -157.8583), ["Pacific/Honolulu"]),
    "CA St. John's": ((47.5615, -52.7126), ["America/St_Johns"]),  # half an hour
    "CA Toronto": ((43.6532, -79.3832), ["America/Toronto"]),
    "CA Edmundston": ((47.3700, -68.3300), ["America/Moncton", "America/New_York"]),
    "GB London": ((51.5074, -0.1278), ["Europe/London"]),
    "LI Vaduz": ((47.1410, 9.5209), ["Europe/Vaduz"]),
    "AU Lord Howe": ((-31.5500, 159.0800), ["Australia/Lord_Howe"]),  # half an hour of summer time
}
CODES = {
    "MX": ["MX"], "US": ["US-MA", "US-MD", "US-CA"], "CA": ["CA-ON", "CA-BC", "CA-NB", "CA-QC", "CA-AB"],
    "GB": ["GB", "UK", "IE"], "LI": ["LI", "CH", "DE", "FR", "ES", "IT", "AT", "BE", "PL"], "AU": ["AU", "JP"],
}  # fmt: skip
UNKNOWN = {"CA-AB", "JP"}
SAME_AS = {"AU": "GB"}
"""No shipped file is for a place whose summer time is half an hour: the rules of another are put there for the test."""
DAYS = [
    date(2026, 10, 25), date(2026, 11, 1), date(2026, 12, 31), date(2027, 1, 1), date(2027, 3, 14), date(2027, 3, 28),
    date(2027, 4, 5), date(2027, 10, 4), date(2027, 12, 31), date(2028, 2, 29), date(2028, 6, 5), date(2028, 7, 3),
]  # fmt: skip
WRITTEN = re.compile(r"\S+ \[[HML]\]: .{10,}|withdrawn: \S.*", re.DOTALL)
CHANNELS = ("visit", "visit", "call", "letter", "letter", "letter", "email", "message")
OF_CHANNEL = {"visit": "nobody_there", "call": "reached"}


SHIPPED = TomlRules()


class Rules:
    """The shipped rules, and those of SAME_AS."""

    hold = SHIPPED.hold

    def of(self, code: str) -> JurisdictionRules | None:
        found = SHIPPED.of(SAME_AS.get(code, code))
        return found and replace(found, jurisdiction=code)


LAWFUL = replace(PARTS, rules=Rules())


@dataclass
class Debt:
    """One account with all that the oracle has to know of it; what engine and rows say of it is not asked."""

    account_id: UUID
    person_id: UUID
    address_id: UUID
    jurisdiction: str
    sector: str
    kind: str
    transferred: bool
    zones: list[str]
    forbidden: bool  # a minor, a place that was opted out
    represented: bool
    tried: list[Tried] = field(default_factory=list)

    def asked(self, day: date, begins: datetime, ends: datetime) -> Asked:
        code = SAME_AS.get(self.jurisdiction, self.jurisdiction)
        return Asked(code, self.sector, self.kind, self.transferred, self.zones, self.tried, day, begins, ends)


class MadeUp:
    """A made-up agency of many countries, inserted in bulk."""

    def __init__(self, session: Session, seed: int) -> None:
        self.session, self.chance, self.number = session, random.Random(seed), count(1)
        self.debts: dict[UUID, Debt] = {}
        self.creditors = [self._creditor(sector) for sector in ("financial", "commercial")]

    def _creditor(self, sector: str) -> Creditor:
        creditor = Creditor(
            name=f"Acreedor Inventado {sector}", jurisdiction="MX", currency="MXN", language="es", sector=sector
        )
        self.session.add(creditor)
        self.session.flush()
        return creditor

    def agents(self, in_each_town: int) -> None:
        agents, shifts = [], []
        for place, ((latitude, longitude), zones) in enumerate(TOWNS.values()):
            for n in range(in_each_town):
                agent_id, begins = new_id(), self.chance.randrange(4, 13)
                ends = time(min(begins + self.chance.randrange(4, 14), 23), 30)
                code = f"T{place}-{n}"
                agents.append(
                    {
                        "id": agent_id,
                        "code": code,
                        "name": "Agente Inventado",
                        "languages": ["es"],
                        "timezone": zones[0],
                    }
                )
                at = {"start_latitude": latitude, "start_longitude": longitude, "end_latitude": latitude, "end_longitude": longitude}  # fmt: skip
                shifts += [
                    {"id": new_id(), "agent_id": agent_id, "weekday": weekday, "starts_at": time(begins), "ends_at": ends, **at}
                    for weekday in range(7)
                ]  # fmt: skip
        self.session.execute(insert(Agent), agents)
        self.session.execute(insert(Shift), shifts)

    def accounts(self, how_many: int, days: list[date]) -> None:
        rows: dict[type, list[dict[str, Any]]] = {Person: [], Address: [], Account: [], Party: [], Attempt: []}
        for number in range(how_many):
            town = self.chance.choice(sorted(TOWNS))
            debt = self._debt(rows, number, town, self.chance.choice(CODES[town[:2]]))
            self.debts[debt.account_id] = debt
            for day in days:
                self._tries(rows, debt, day)
        for table, entries in rows.items():
            self.session.execute(insert(table), entries)
        refresh_statistics(self.session, *rows)  # as an import does

    def _debt(self, rows: dict[type, list[dict[str, Any]]], number: int, town: str, code: str) -> Debt:
        (latitude, longitude), zones = TOWNS[town]
        creditor, chance = self.chance.choice(self.creditors), self.chance
        debt = Debt(
            new_id(), new_id(), new_id(), code, creditor.sector, chance.choice(("home", "home", "work", "other")),
            chance.random() < 0.3, zones, False, chance.random() < 0.05,
        )  # fmt: skip
        minor, opted_out = chance.random() < 0.03, chance.random() < 0.05
        debt.forbidden = minor or opted_out
        rows[Person].append(
            {"id": debt.person_id, "creditor_id": creditor.id, "external_ref": f"P{number}", "name": f"Persona {number}",
             "language": "es", "is_minor": minor}
        )  # fmt: skip
        rows[Address].append(
            {"id": debt.address_id, "person_id": debt.person_id, "street": "Calle Imaginaria", "number": str(number),
             "country": town[:2], "jurisdiction": code, "kind": debt.kind, "geocode_state": "given",
             "fingerprint": number.to_bytes(32, "big"), "visits_opted_out": opted_out, "timezone": zones[0],
             "latitude": latitude + chance.uniform(-0.004, 0.004), "longitude": longitude + chance.uniform(-0.004, 0.004)}
        )  # fmt: skip
        rows[Account].append(
            {"id": debt.account_id, "creditor_id": creditor.id, "reference": f"CT-{number}", "product": "x", "currency": "MXN",
             "principal_minor": 250_000, "balance_minor": 250_000, "balance_calculated_on": date(2026, 1, 1),
             "due_on": date(2026, 1, 1), "original_creditor": "Otro Inventado" if debt.transferred else None}
        )  # fmt: skip
        roles = ["debtor", *(["attorney"] if debt.represented else [])]
        rows[Party] += [{"id": new_id(), "account_id": debt.account_id, "person_id": debt.person_id, "role": role} for role in roles]  # fmt: skip
        return debt

    def _tries(self, rows: dict[type, list[dict[str, Any]]], debt: Debt, day: date) -> None:
        for _ in range(self.chance.choice((0, 1, 1, 2))):
            on = day + timedelta(days=round(self.chance.triangular(-45, 9, -7)))
            rows[Attempt].append(self.attempt(debt, on, self.chance.choice(CHANNELS)))

    def attempt(self, debt: Debt, on: date, channel: str) -> dict[str, Any]:
        debt.tried.append(Tried(on, channel))
        at = datetime.combine(on, time(12), ZoneInfo(debt.zones[0])).astimezone(UTC)
        return {
            "id": new_id(), "number": next(self.number), "account_id": debt.account_id, "person_id": debt.person_id,
            "op_id": new_id(), "channel": channel, "at": at, "received_at": at, "outcome": OF_CHANNEL.get(channel, "sent"),
            "right_party": False, "detail": Confidential("{}"),
        }  # fmt: skip


@dataclass
class Seen:
    combinations: int = 0
    visits: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    jurisdictions: set[str] = field(default_factory=set)


def published_days(agency: UUID, seed: int, accounts: int, agents: int, days: list[date]) -> Seen:
    """Plan and publish each day, one after the other; fails where a published row breaks a rule."""
    with transaction(agency) as session:
        world = MadeUp(session, seed)
        world.agents(agents)
        world.accounts(accounts, days)
    seen = Seen()
    for day in days:
        now = datetime.combine(day - timedelta(days=1), time(6), UTC)
        with transaction(agency) as session:
            plan_id = plan_day(session, day, parts=LAWFUL, now=now).id
        with transaction(agency) as session:
            tried_meanwhile(session, world, plan_id, day)
            publish_plan(session, plan_id, parts=LAWFUL, now=now, published_by=None)
        with transaction(agency) as session:
            look_at(session, world, plan_id, day, seen)
    return seen


def tried_meanwhile(session: Session, world: MadeUp, plan_id: UUID, day: date) -> None:
    """What is told after a day was drafted counts when it is published."""
    drafted = sorted({about for _, _, _, about in _rows(session, plan_id)}, key=str)
    told = [world.attempt(world.debts[one], day - timedelta(days=2), "visit") for one in drafted[::15]]
    if told:
        session.execute(insert(Attempt), told)


def _rows(session: Session, plan_id: UUID) -> Iterator[tuple[Route, Stop, Visit, UUID]]:
    query = (
        select(Route, Stop, Visit, VisitAccount.account_id)
        .join(Stop, Stop.route_id == Route.id)
        .join(Visit, Visit.stop_id == Stop.id)
        .join(VisitAccount, VisitAccount.visit_id == Visit.id)
        .where(Route.plan_id == plan_id)
    )
    return (tuple(row) for row in session.execute(query))


def look_at(session: Session, world: MadeUp, plan_id: UUID, day: date, seen: Seen) -> None:
    shifts = {row.agent_id: row for row in session.scalars(select(Shift).where(Shift.weekday == day.weekday()))}
    zones = {row.id: ZoneInfo(row.timezone) for row in session.scalars(select(Agent))}
    visited: list[Debt] = []
    for route, stop, visit, account_id in _rows(session, plan_id):
        debt = world.debts[account_id]
        where = (day, debt, stop.arrival_from, stop.visit_from, stop.visit_until)
        assert visit.state == "published" and visit.person_id == debt.person_id and stop.address_id == visit.address_id
        service = timedelta(seconds=stop.service_s)
        assert stop.visit_from is not None and stop.visit_from <= stop.arrival_from <= stop.arrival_to, where
        assert stop.arrival_to + service <= stop.visit_until, where
        for begins, ends in (
            (stop.arrival_from, stop.arrival_from + service),
            (stop.arrival_to, stop.arrival_to + service),
            (stop.visit_from, stop.visit_until),
        ):
            found = list(broken(debt.asked(day, begins, ends)))
            assert not found, (found, where)
        assert not debt.forbidden, where
        assert not (debt.represented and debt.jurisdiction.startswith("US")), where
        shift, zone = shifts[route.agent_id], zones[route.agent_id]
        assert datetime.combine(day, shift.starts_at, zone) <= stop.arrival_from, where
        assert stop.arrival_from + service <= route.ends_at <= datetime.combine(day, shift.ends_at, zone), where
        seen.jurisdictions.add(debt.jurisdiction)
        visited.append(debt)
    _everybody_else_has_a_reason(session, world, plan_id, day, {debt.account_id for debt in visited}, seen)
    for debt in visited:  # out on a phone: it counts until somebody says otherwise
        debt.tried.append(Tried(day, "visit"))
    seen.combinations += len(world.debts)
    seen.visits += len(visited)


def _everybody_else_has_a_reason(
    session: Session, world: MadeUp, plan_id: UUID, day: date, visited: set[UUID], seen: Seen
) -> None:
    rows = session.scalars(select(NotPlanned).where(NotPlanned.plan_id == plan_id)).all()
    assert {row.account_id for row in rows} == set(world.debts) - visited
    noon = datetime.combine(day, time(12), UTC)
    for row in rows:
        debt = world.debts[row.account_id]
        assert WRITTEN.fullmatch(row.rule or ""), (row.reason, row.rule)
        asked = debt.asked(day, noon, noon)
        if debt.jurisdiction not in UNKNOWN:
            assert row.reason != "too_frequent" or any(too_often(asked)), (row.rule, debt, day)
            assert row.reason != "waiting_after_letter" or any(unannounced(asked)), (row.rule, debt, day)
        seen.reasons[row.reason] += 1


def test_no_published_row_breaks_a_rule_and_every_refusal_has_its_reason(agency: UUID) -> None:
    seen = published_days(agency, 1, 160, 1, [date(2026, 11, 2), date(2027, 3, 29)])
    assert seen.combinations == 320 and seen.visits > 25, seen
    assert {"too_frequent", "waiting_after_letter", "no_visit_day", "outside_contact_hours", "withdrawn"} <= set(
        seen.reasons
    )


@pytest.mark.prove
@pytest.mark.parametrize("seed", [2, 3])
def test_ten_thousand_accounts_agents_and_odd_days_in_all_jurisdictions(agency: UUID, seed: int) -> None:
    seen = published_days(agency, seed, 840, 2, DAYS)
    assert seen.combinations == 10_080 and seen.visits > 500, seen
    assert seen.jurisdictions == {code for codes in CODES.values() for code in codes} - UNKNOWN


def test_the_oracle_notices_rows_that_were_published_by_looser_rules(
    agency: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looser(_self: Rules, code: str) -> JurisdictionRules | None:
        found = SHIPPED.of(SAME_AS.get(code, code))
        return found and replace(found, hours=tuple(replace(rule, by_weekday=((time(0), time(23)),) * 7) for rule in found.hours))  # fmt: skip

    monkeypatch.setattr(Rules, "of", looser)
    with pytest.raises(AssertionError, match="hours of"):
        published_days(agency, 1, 60, 1, [date(2026, 11, 1)])
