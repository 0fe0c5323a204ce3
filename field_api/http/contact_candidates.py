"""`/contact-candidates`: new contact data from doors, for a person in the office to accept or reject."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.paging import Page, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.results import CandidateQuery, ContactCandidateSchema, ListedCandidateSchema
from field_api.platform.database import transaction
from field_api.platform.wiring import clock
from field_api.queries.results import CandidateLine, contact_candidates
from field_api.records.people import ContactCandidate
from field_api.usecases.accept_contact_candidate import accept_contact_candidate
from field_api.usecases.reject_contact_candidate import reject_contact_candidate

blueprint = Blueprint(
    "contact_candidates", __name__, url_prefix="/contact-candidates", description="Contact data to accept or reject"
)


@blueprint.get("")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.INTEGRATOR)
@permitted("candidates.read")
@blueprint.arguments(CandidateQuery, location="query")
@blueprint.response(200, page_schema(ListedCandidateSchema))
def list_candidates(query: dict[str, Any]) -> Page:
    """Candidates by state (new ones by default) and kind, with the person they are about; oldest first."""
    with transaction(g.actor.agency_id) as session:
        statement = contact_candidates(state=query["state"], kind=query["kind"])
        keys = [ContactCandidate.recorded_at, ContactCandidate.id]
        page = paged(session, statement, keys, limit=query["limit"], after=query["after"])
    return Page([CandidateLine(*row) for row in page.items], page.next)


@blueprint.post("/<uuid:candidate_id>/accept")
@answers(Audience.MANAGER)
@permitted("candidates.write")
@blueprint.response(200, ContactCandidateSchema)
def accept(candidate_id: UUID) -> ContactCandidate:
    """Make it a contact point, an address, or a representative of the person."""
    with transaction(g.actor.agency_id) as session:
        return accept_contact_candidate(session, candidate_id, decided_by=g.actor.id, now=clock().now())


@blueprint.post("/<uuid:candidate_id>/reject")
@answers(Audience.MANAGER)
@permitted("candidates.write")
@blueprint.response(200, ContactCandidateSchema)
def reject(candidate_id: UUID) -> ContactCandidate:
    """Keep it on record and do not use it."""
    with transaction(g.actor.agency_id) as session:
        return reject_contact_candidate(session, candidate_id, decided_by=g.actor.id, now=clock().now())
