"""What visit sheets show: the open part of routes, in a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.numbers import format_decimal
from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.letter_strings import locale_of
from field_api.domain.route_sketch import sketch
from field_api.domain.sheet_rows import SheetRow, issue_mark, row_names
from field_api.domain.sheets import SKETCH_HEIGHT, Sheet, SheetStop, Sought
from field_api.domain.vocabulary import Hazard
from field_api.queries.letter_facts import postal_address
from field_api.queries.place_hazards import hazards_at
from field_api.records.people import Address, Person
from field_api.records.planning import Agent, Plan, Route, Shift, Stop
from field_api.records.visits import Visit

_US_PAPER = frozenset({"US", "CA"})
_WITHOUT_STOPS = ("XX", "a4")


@dataclass(frozen=True)
class RouteSheet:
    """A route's sheet and the languages it is written and spoken in."""

    route_id: UUID
    for_day: date
    sheet: Sheet
    language: str  # the agent's first
    spoken: tuple[str, ...]  # by the people sought, the agent's own first
    rows: tuple[SheetRow, ...] = ()  # which boxes are whose


def route_sheets(session: Session, *, plan_id: UUID | None = None, route_id: UUID | None = None) -> list[RouteSheet]:
    """The sheets of a plan's routes, or of one route, by agent's code. Four statements."""
    routes = (
        select(Route, Agent, Plan.for_day).join(Agent, Agent.id == Route.agent_id).join(Plan, Plan.id == Route.plan_id)
    )
    routes = routes.where(Route.plan_id == plan_id) if plan_id else routes.where(Route.id == route_id)
    found = session.execute(routes.order_by(Agent.code)).all()
    stops = _stops(session, [route.id for route, _, _ in found])
    hazards = hazards_at(session, [bytes(one.address.fingerprint) for some in stops.values() for one in some])
    labels = _labels(session, [agent.id for _, agent, _ in found])
    return [
        _route_sheet(route, agent, day, stops[route.id], labels.get((agent.id, day.weekday()), ("", "")), hazards)
        for route, agent, day in found
    ]


class _Sought(NamedTuple):
    stop: Stop
    address: Address
    person: Person
    visit_id: UUID
    version: int


_Visits = list[_Sought]


_Hazards = Mapping[bytes, tuple[str, ...]]  # by the address's fingerprint


def _stops(session: Session, route_ids: Sequence[UUID]) -> Mapping[UUID, _Visits]:
    query = (
        select(Stop, Address, Person, Visit.id, Visit.assignment_version)
        .join(Address, Address.id == Stop.address_id)
        .join(Visit, Visit.stop_id == Stop.id)
        .join(Person, Person.id == Visit.person_id)
        .where(Stop.route_id.in_(route_ids), Visit.state != "withdrawn")
        .order_by(Stop.route_id, Stop.position, Person.id)  # as their letters lie
    )
    by_route: dict[UUID, _Visits] = defaultdict(list)
    for row in session.execute(query):
        by_route[row[0].route_id].append(_Sought(*row))
    return by_route


def _labels(session: Session, agent_ids: Sequence[UUID]) -> Mapping[tuple[UUID, int], tuple[str, str]]:
    query = select(Shift).where(Shift.agent_id.in_(agent_ids))
    return {(s.agent_id, s.weekday): (s.start_label, s.end_label) for s in session.scalars(query)}


def _route_sheet(
    route: Route, agent: Agent, day: date, visits: _Visits, labels: tuple[str, str], hazards: _Hazards
) -> RouteSheet:
    language = agent.languages[0] if agent.languages else "en"
    country, paper = _place(visits)
    locale = locale_of(language.partition("-")[0], country)
    by_stop = _by_stop(visits)
    rows = _rows(by_stop)
    places = _places(visits)
    stops = [_sheet_stop(here, agent.timezone, places, hazards) for here in by_stop]
    start, end = (route.start_latitude, route.start_longitude), (route.end_latitude, route.end_longitude)
    sheet = Sheet(
        paper=paper,
        agent_code=agent.code,
        agent_name=agent.name,
        day=format_date(day, "full", locale=locale),
        day_iso=day.isoformat(),
        territory=agent.territory,
        shift=f"{_clock(route.starts_at, agent.timezone)}–{_clock(route.ends_at, agent.timezone)}",
        lunch=_clock(route.lunch_at, agent.timezone) if route.lunch_at else "",
        timezone=agent.timezone,
        start_label=labels[0] or _position(*start),
        end_label=labels[1] or _position(*end),
        distance_km=f"{format_decimal(round(route.distance_m / 1000, 1), locale=locale)} km",
        travel=_hours(route.travel_s),
        sketch=sketch(start, [(stop.latitude, stop.longitude) for stop in stops], end, SKETCH_HEIGHT),
        stops=tuple(stops),
        issue=issue_mark(rows),
    )
    spoken = [one.person.language.partition("-")[0] for one in visits]
    languages = tuple(dict.fromkeys([language.partition("-")[0], *spoken]))
    return RouteSheet(route.id, day, sheet, language, languages, rows)


def _place(visits: _Visits) -> tuple[str, str]:
    if not visits:
        return _WITHOUT_STOPS
    country = visits[0].address.country
    return country, "us-letter" if country in _US_PAPER else "a4"


def _by_stop(visits: _Visits) -> list[_Visits]:
    by_stop: dict[UUID, _Visits] = defaultdict(list)
    for visit in visits:
        by_stop[visit.stop.id].append(visit)
    return list(by_stop.values())


def _rows(by_stop: Sequence[_Visits]) -> tuple[SheetRow, ...]:
    return tuple(
        SheetRow(name, one.visit_id, one.version)
        for here in by_stop
        for name, one in zip(row_names(here[0].stop.position, len(here)), here, strict=True)
    )


def _places(visits: _Visits) -> Mapping[UUID, int]:
    """Whose turn it is when a route's envelopes are printed, by visit (queries.stack_letters has the same order).

    Everybody has a turn, whether there is an envelope for them or not: that follows from what somebody owes since when.
    """
    inorder = sorted(visits, key=lambda one: (one.stop.position, one.person.id, one.visit_id))
    return {one.visit_id: number for number, one in enumerate(inorder, start=1)}


def _sheet_stop(here: _Visits, agent_zone: str, places: Mapping[UUID, int], hazards: _Hazards) -> SheetStop:
    stop, address = here[0].stop, here[0].address
    zone = address.timezone or agent_zone
    names = row_names(stop.position, len(here))
    told = {hazard for one in here for hazard in hazards[bytes(one.address.fingerprint)]}
    return SheetStop(
        number=stop.position,
        arrive_from=_clock(stop.arrival_from, zone),
        arrive_to=_clock(stop.arrival_to, zone),
        earliest=_clock(stop.visit_from, zone) if stop.visit_from else "",
        latest=_clock(stop.visit_until, zone),
        sought=tuple(_sought(one, name, places[one.visit_id]) for one, name in zip(here, names, strict=True)),
        address=postal_address(address),
        hint=address.hint or "",
        latitude=address.latitude or 0.0,
        longitude=address.longitude or 0.0,
        known=address.place_quality or "",
        hazards=tuple(hazard.value for hazard in Hazard if hazard.value in told),
    )


def _sought(one: _Sought, row: str, place: int) -> Sought:
    person = one.person
    language = person.language.partition("-")[0]
    return Sought(person.name, person.alias or "", language, row, place)


def _clock(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%H:%M")


def _hours(seconds: int) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min"


def _position(latitude: float, longitude: float) -> str:
    return f"{latitude:.4f}, {longitude:.4f}"
