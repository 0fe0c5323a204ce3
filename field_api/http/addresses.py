"""`/addresses`: places that wait for coordinates, and places where no visits are wanted."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.domain.routing import Point
from field_api.http.paging import Page, PageArguments, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.agents import NotedNeedsSchema, VisitNeedsSchema
from field_api.http.schemas.planning import CoordinatesSchema, OptOutSchema, PlacedAddressSchema, UnplacedAddressSchema
from field_api.platform.database import transaction
from field_api.platform.wiring import clock, planning
from field_api.queries.unplaced_addresses import UnplacedAddress, unplaced_addresses
from field_api.records.people import Address
from field_api.usecases.note_visit_needs import note_visit_needs
from field_api.usecases.opt_out_of_visits import opt_out_of_visits
from field_api.usecases.set_coordinates import set_coordinates

blueprint = Blueprint("addresses", __name__, url_prefix="/addresses", description="Places that wait for coordinates")


@blueprint.get("/without-coordinates")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("addresses.read")
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, page_schema(UnplacedAddressSchema))
def list_unplaced(query: dict[str, Any]) -> Page:
    """Addresses that nobody can be sent to: no coordinates came with them, and no geocoder knew them."""
    with transaction(g.actor.agency_id) as session:
        page = paged(session, unplaced_addresses(), [Address.created_at, Address.id], **query)
    return Page([UnplacedAddress(*row) for row in page.items], page.next)


@blueprint.patch("/<uuid:address_id>")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("addresses.write")
@blueprint.arguments(CoordinatesSchema)
@blueprint.response(200, PlacedAddressSchema)
def place(body: dict[str, float], address_id: UUID) -> Address:
    """Say where the address is."""
    with transaction(g.actor.agency_id) as session:
        return set_coordinates(session, address_id, Point(**body), planning().calendars, now=clock().now())


@blueprint.patch("/<uuid:address_id>/visit-needs")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("addresses.write")
@blueprint.arguments(VisitNeedsSchema)
@blueprint.response(200, NotedNeedsSchema)
def note_needs(body: dict[str, list[str]], address_id: UUID) -> Address:
    """When somebody is there, and what an agent must be able to do; what is left out stays as it is."""
    with transaction(g.actor.agency_id) as session:
        return note_visit_needs(session, address_id, **body)


@blueprint.post("/<uuid:address_id>/opt-out")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("addresses.write")
@blueprint.arguments(OptOutSchema)
@blueprint.response(200, OptOutSchema)
def opt_out(body: dict[str, bool], address_id: UUID) -> dict[str, bool]:
    """Send nobody there any more: visits that are out come back at once. `wanted` true: visits are wanted again."""
    with transaction(g.actor.agency_id) as session:
        address = opt_out_of_visits(session, address_id, now=clock().now(), again=body["wanted"])
        return {"wanted": not address.visits_opted_out}
