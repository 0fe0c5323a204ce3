"""`/staff`: who signs in at this agency."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import g
from flask_smorest import Blueprint

from field_api.domain.disclosure import Audience
from field_api.http.paging import Page, PageArguments, page_schema, paged
from field_api.http.permits import answers, permitted
from field_api.http.schemas.staff import NewStaffSchema, ResetPasswordSchema, StaffSchema
from field_api.platform.database import transaction
from field_api.queries.staff import staff_list
from field_api.records.staff import Staff
from field_api.usecases.add_staff import add_staff
from field_api.usecases.change_password import change_password
from field_api.usecases.end_staff import end_staff

blueprint = Blueprint("staff", __name__, url_prefix="/staff", description="Who signs in at the agency")


@blueprint.get("")
@answers(Audience.MANAGER, Audience.ADMIN)
@permitted("staff.read")
@blueprint.arguments(PageArguments, location="query")
@blueprint.response(200, page_schema(StaffSchema))
def list_staff(page: dict[str, Any]) -> Page:
    """Everybody with a sign-in, in the order they were added."""
    with transaction(g.actor.agency_id) as session:
        return paged(session, staff_list(), [Staff.created_at, Staff.id], **page)


@blueprint.post("")
@answers(Audience.ADMIN)
@permitted("staff.write")
@blueprint.arguments(NewStaffSchema)
@blueprint.response(201, StaffSchema)
def add(body: dict[str, Any]) -> Staff:
    """Give somebody a sign-in."""
    with transaction(g.actor.agency_id) as session:
        return add_staff(session, **body)


@blueprint.delete("/<uuid:staff_id>")
@answers(Audience.ADMIN)
@permitted("staff.write")
@blueprint.response(204)
def end(staff_id: UUID) -> None:
    """Take a sign-in away; open sessions end with their next request."""
    with transaction(g.actor.agency_id) as session:
        end_staff(session, staff_id)


@blueprint.post("/<uuid:staff_id>/password")
@answers(Audience.ADMIN)
@permitted("staff.write")
@blueprint.arguments(ResetPasswordSchema)
@blueprint.response(204)
def reset_password(body: dict[str, str], staff_id: UUID) -> None:
    """Set somebody's password anew; their sessions end."""
    with transaction(g.actor.agency_id) as session:
        change_password(session, staff_id, old=None, new=body["new_password"])
