"""The console's pages about photographs, for managers: plain HTML that works without a script and with a keyboard."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience, Label
from field_api.http.bodies import HTML, sends
from field_api.http.console import to_sign_in
from field_api.http.paging import Page, paged
from field_api.http.panels import PageLink
from field_api.http.permits import answers, permitted
from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.platform.wiring import clock, settings
from field_api.usecases.note_visit_event import staff_actor
from media.office.allow_photo import allow_photo
from media.office.darkroom import darkroom
from media.office.destroy_photo import destroy_photo
from media.office.expected_photos import expected_photos
from media.office.hints import Hint
from media.office.list_photos import listed_photos
from media.office.own_links import own_links, shown_link
from media.office.page_words import DESTROY, HINTS, STATES, SUBJECTS, reason_words
from media.office.photo_cards import photo_cards
from media.office.photo_sheet import photo_sheet
from media.office.records import Photo, PhotoState
from media.office.request_original import request_original
from media.office.schemas import AllowSchema, DestroySchema, OriginalSchema
from media.office.visit_places import visit_places

blueprint = Blueprint("photo_pages", __name__, template_folder="templates", static_folder=None)
blueprint.register_error_handler(Problem, to_sign_in)

LINKS = (PageLink("photos.read", "Photographs", "/console/photos"),)
ON_A_PAGE = 24
_SECRET = (Label.OPEN, Label.ON_REQUEST, Label.INTERNAL, Label.PLACE, Label.PERSONAL, Label.CONFIDENTIAL)


@blueprint.get("/console/photos")
@answers(Audience.MANAGER)
@permitted("photos.read")
@sends(HTML, *_SECRET)
def show_list() -> ResponseReturnValue:
    """`?visit=`, `?state=`, `?hint=`, `?after=`: a page of photographs; what waits for a decision the oldest first."""
    asked = _asked()
    with transaction(g.actor.agency_id) as session:
        page = _page(session, asked)
        now = clock().now()
        shown = photo_cards(session, page.items, own_links(), now)
        of_visit = _of_visit(session, asked["visit"]) if asked["visit"] else None
    return render_template(
        "doorstep/photos.html", cards=shown, next=page.next, asked=asked, visit=of_visit, hints=HINTS, states=STATES
    )


@blueprint.get("/console/photo")
@answers(Audience.MANAGER)
@permitted("photos.read")
@sends(HTML, *_SECRET)
def show_one() -> ResponseReturnValue:
    """`?photo=ID`: the picture, large, with all that is known of it and what can be done."""
    with transaction(g.actor.agency_id) as session:
        shown = photo_sheet(session, _photo_id(), own_links(), clock().now())
    return render_template("doorstep/photo.html", sheet=shown, reasons=DESTROY)


@blueprint.post("/console/photo/allow")
@answers(Audience.MANAGER)
@permitted("photos.write")
@sends(HTML, Label.INTERNAL)
def allow() -> ResponseReturnValue:
    """Develop a refused photograph after all."""
    reason = _form(AllowSchema())["reason"]
    with transaction(g.actor.agency_id) as session:
        allow_photo(session, _photo_id(), reason=reason, by=g.actor.id, now=clock().now())
    return _back()


@blueprint.post("/console/photo/destroy")
@answers(Audience.MANAGER)
@permitted("photos.write")
@sends(HTML, Label.INTERNAL)
def destroy() -> ResponseReturnValue:
    """Destroy it for good."""
    reason, actor = _form(DestroySchema())["reason"], staff_actor(g.actor.id)
    with transaction(g.actor.agency_id) as session:
        destroy_photo(session, _photo_id(), darkroom(), now=clock().now(), actor=actor, reason=reason)
    return _back()


@blueprint.post("/console/photo/original")
@answers(Audience.MANAGER)
@permitted("photos.write", replay=False)
@sends(HTML, Label.INTERNAL)
def ask_for_original() -> ResponseReturnValue:
    """The reason goes on record; the page has the link."""
    reason = _form(OriginalSchema())["reason"]
    with transaction(g.actor.agency_id) as session:
        link, warning = request_original(session, _photo_id(), reason, own_links(), clock().now())
    minutes = settings().photo_link_s // 60
    return render_template(
        "doorstep/original.html", link=shown_link(link)["url"], photo_id=link.photo_id, minutes=minutes,
        warning=reason_words(warning),
    )  # fmt: skip


def _page(session: Session, asked: dict[str, Any]) -> Page:
    statement = listed_photos(asked["visit"], asked["state"], asked["hint"])
    newest_first = asked["state"] != PhotoState.REFUSED
    return paged(session, statement, [Photo.id], limit=ON_A_PAGE, after=asked["after"], descending=newest_first)


def _of_visit(session: Session, visit_id: UUID) -> dict[str, Any]:
    """Where the visit was, and what was declared there and did not come. Raises Problem `not-found`."""
    place = visit_places(session, {visit_id}).get(visit_id)
    if place is None:
        raise Problem("not-found", "no such visit")
    missing = expected_photos(session, visit_id, Audience.MANAGER)
    return {"place": place, "expected": [SUBJECTS.get(one.subject, one.subject) for one in missing]}


def _asked() -> dict[str, Any]:
    """What the address asks for; an empty choice of a form is none. Raises Problem `bad-request`."""
    said = {name: request.args.get(name) or None for name in ("visit", "state", "hint", "after")}
    read = {"visit": UUID, "state": PhotoState, "hint": Hint, "after": str}
    return {name: _read(read[name], text) for name, text in said.items()}


def _photo_id() -> UUID:
    found: UUID | None = _read(UUID, request.args.get("photo"))
    if found is None:
        raise Problem("bad-request", "which photograph?", at="photo")
    return found


def _read(kind: Any, text: str | None) -> Any:
    try:
        return kind(text) if text else None
    except ValueError as error:
        raise Problem("bad-request", "the address asks for what there is not", at="query") from error


def _form(schema: ma.Schema) -> dict[str, Any]:
    """The form's fields but for the page's token. Raises marshmallow's ValidationError, answered as of the API.

    A browser counts the end of a line as one character and sends two.
    """
    sent = {name: value.replace("\r\n", "\n") for name, value in request.form.items() if name != "csrf_token"}
    loaded: dict[str, Any] = schema.load(sent)
    return loaded


def _back() -> ResponseReturnValue:
    """See it as it is now; loading that page again repeats nothing."""
    return redirect(f"{url_for('photo_pages.show_one')}?{request.query_string.decode('latin-1')}", code=303)
