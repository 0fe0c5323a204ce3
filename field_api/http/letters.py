"""How letters look, what they lack, and those that the office asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from field_api.domain.disclosure import Audience
from field_api.domain.image_form import MAX_BYTES
from field_api.domain.letter_brand import BadBrand, read_brand
from field_api.domain.letters import LetterKind
from field_api.http.permits import answers, permitted
from field_api.http.schemas.letters import (
    BrandHeaders,
    BrandSchema,
    NewBrandSchema,
    NewParticularsSchema,
    ParticularsSchema,
    PictureSchema,
    PictureUploadSchema,
    ReadinessSchema,
)
from field_api.http.schemas.papers import AskedLetterSchema, WrittenLetterSchema
from field_api.http.versions import seen_versions
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.platform.wiring import clock, objects, papers
from field_api.queries.letter_readiness import Readiness, letter_readiness
from field_api.records.agency import Agency, Creditor
from field_api.records.base import load
from field_api.records.visits import Letter
from field_api.usecases.change_agency import change_particulars
from field_api.usecases.set_brand import add_brand_image, brand_data, brand_version, set_brand
from field_api.usecases.write_asked_letters import write_asked_letters

blueprint = Blueprint("letters", __name__, description="How letters look, what they lack, and who gets one by mail")

Versioned = tuple[Mapping[str, Any], int, dict[str, str]]


@blueprint.get("/creditors/<uuid:creditor_id>/brand")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("creditors.read", by_creditor=True)
@blueprint.response(200, BrandSchema)
def brand(creditor_id: UUID) -> Versioned:
    """In whose name the creditor's letters go out and how they look; the ETag is what a change has to bring."""
    _own(creditor_id)
    with transaction(g.actor.agency_id) as session:
        return _versioned(load(session, Creditor, creditor_id))


@blueprint.put("/creditors/<uuid:creditor_id>/brand")
@answers(Audience.MANAGER, Audience.INTEGRATOR)
@permitted("creditors.write")
@blueprint.arguments(NewBrandSchema)
@blueprint.arguments(BrandHeaders, location="headers")
@blueprint.response(200, BrandSchema)
def put_brand(body: dict[str, Any], _headers: dict[str, Any], creditor_id: UUID) -> Versioned:
    """Set all of it. Letters that are wanted or issued keep the look that they have."""
    seen = seen_versions()
    with transaction(g.actor.agency_id) as session:
        return _versioned(set_brand(session, creditor_id, body, seen=seen))


@blueprint.post("/creditors/<uuid:creditor_id>/brand/images")
@answers(Audience.MANAGER, Audience.INTEGRATOR)
@permitted("creditors.write")
@blueprint.arguments(PictureUploadSchema, location="files")
@blueprint.response(201, PictureSchema)
def add_picture(files: dict[str, FileStorage], creditor_id: UUID) -> dict[str, Any]:
    """A logo or a signature, to be named by its hash in the brand. Kept is what is drawn and nothing else."""
    body = files["file"].stream.read(MAX_BYTES + 1)
    with transaction(g.actor.agency_id) as session:
        kept = add_brand_image(session, creditor_id, body, objects=objects(), now=clock().now())
        return {"sha256": bytes(kept.sha256).hex(), "form": kept.form, "length_bytes": kept.length_bytes}


@blueprint.get("/creditors/<uuid:creditor_id>/letter-readiness")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.CONTROLLER, Audience.INTEGRATOR)
@permitted("creditors.read", by_creditor=True)
@blueprint.response(200, ReadinessSchema(many=True))
def readiness(creditor_id: UUID) -> list[Readiness]:
    """Which required fields the creditor's letters lack, by place, before any plan is made."""
    _own(creditor_id)
    with transaction(g.actor.agency_id) as session:
        return letter_readiness(session, creditor_id)


@blueprint.get("/agency/letter-particulars")
@answers(Audience.DISPATCHER, Audience.MANAGER, Audience.ADMIN)
@permitted("agency.read")
@blueprint.response(200, ParticularsSchema)
def particulars() -> Mapping[str, Any]:
    """What letters say of the agency beside its name and address."""
    with transaction(g.actor.agency_id) as session:
        agency = session.scalars(select(Agency).where(Agency.agency_id == current_agency())).one()
        return agency.policy.get("letters") or {}


@blueprint.patch("/agency/letter-particulars")
@answers(Audience.MANAGER, Audience.ADMIN)
@permitted("agency.write")
@blueprint.arguments(NewParticularsSchema)
@blueprint.response(200, NewParticularsSchema)
def change(body: dict[str, Any]) -> Mapping[str, Any]:
    """Change what is sent: who answers for letters, registration, permit, supervisory authority, VAT, interest."""
    with transaction(g.actor.agency_id) as session:
        return change_particulars(session, body).policy.get("letters") or {}


@blueprint.post("/visits/<uuid:visit_id>/letters")
@answers(Audience.DISPATCHER, Audience.MANAGER)
@permitted("papers.write")
@blueprint.arguments(AskedLetterSchema)
@blueprint.response(200, WrittenLetterSchema(many=True))
def ask(body: dict[str, Any], visit_id: UUID) -> list[Letter]:
    """Write and lay out a letter for the post: a promise in writing, a plan's schedule, that a dispute came in. Asked
    again it gives the same one."""
    kind, account_id = LetterKind(body["kind"]), body["account_id"]
    with transaction(g.actor.agency_id) as session:
        made = {"renderer": papers(), "objects": objects(), "now": clock().now(), "by": g.actor.id}
        return write_asked_letters(session, visit_id, kind, account_id=account_id, **made)


def _own(creditor_id: UUID) -> None:
    if g.actor.creditor_id not in (None, creditor_id):
        raise Problem("not-found", "no such creditor")


def _versioned(creditor: Creditor) -> Versioned:
    """Raises `conflict` for one that an earlier release took and this one does not: `If-Match: *` sets it anew."""
    version = brand_version(creditor)
    try:
        kept = read_brand(creditor.brand)
    except BadBrand as error:
        raise Problem("conflict", "the brand that is kept cannot be read: set it anew", at="brand") from error
    return (
        {"in_name_of": "agency", **brand_data(kept), "version": version},
        200,
        {"ETag": f'"{version}"'},
    )
