"""One photograph with all that is known of it, as plain texts in plain words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.platform.tenancy import current_agency
from field_api.queries.photo_declarations import PhotoPermission
from field_api.usecases.note_visit_event import staff_actor
from media.office.hints import Hint
from media.office.link_rendition import link_rendition
from media.office.look_alikes import LookAlike, look_alikes
from media.office.looks_at import MOST, looks_at, staff_names
from media.office.own_links import shown_link
from media.office.page_words import HINTS, RELATIONS, SHOWN, SUBJECTS, HintWords
from media.office.photo_cards import Card, metres, moment, photo_cards
from media.office.photo_facts import photo_facts
from media.office.photo_links import PhotoLinks, Use
from media.office.records import Photo, PhotoState

TO = Audience.MANAGER
ALIKE_SHOWN = 12
"""Beside each other on a page; the API tells fifty."""


@dataclass(frozen=True)
class Allowed:
    """Who allowed it. `notice` is what they were shown, where this office has those words."""

    who: str
    name: str | None
    at: str
    subjects: str
    words: str | None
    notice: str | None
    notice_name: str | None
    notice_language: str | None


@dataclass(frozen=True)
class Alike:
    card: Card
    how: str


@dataclass(frozen=True)
class Sheet:
    """`code` is the state's, `picture` the path of the large rendition, `looks` when, who and what;
    `looks_through`: where there are more, how many lines of the visit they were found among."""

    card: Card
    code: str
    picture: str | None
    facts: tuple[tuple[str, str], ...]
    hints: tuple[HintWords, ...]
    allowed: Allowed | None
    overruled: str | None
    alike: tuple[Alike, ...]
    looks: tuple[tuple[str, str, str], ...]
    looks_through: int | None

    @property
    def may_be_allowed(self) -> bool:
        return self.code == PhotoState.REFUSED

    @property
    def may_be_fetched(self) -> bool:
        return self.code not in (PhotoState.REFUSED, PhotoState.DESTROYED)

    @property
    def may_be_destroyed(self) -> bool:
        return self.code != PhotoState.DESTROYED


def photo_sheet(session: Session, photo_id: UUID, links: PhotoLinks, now: datetime) -> Sheet:
    """Nine statements at most. Raises Problem `not-found`."""
    known = photo_facts(session, photo_id, TO)
    photo = known.photo
    near = {one.id: one for one in look_alikes(session, photo)[:ALIKE_SHOWN]}
    card, *beside = photo_cards(session, [photo, *_photos(session, near)], links, now)
    zone = card.place.zone
    looks, all_told = looks_at(session, photo, TO)
    alike = [Alike(each, _how(near[each.id], each)) for each in beside]
    return Sheet(
        card=card,
        code=photo.state,
        picture=_large(session, photo, links, now),
        facts=tuple(_facts(photo, card)),
        hints=tuple(HINTS[Hint(hint)] for hint in photo.hints),
        allowed=_allowed(known.permission, zone) if known.permission else None,
        overruled=_overruled(session, photo, zone),
        alike=tuple(sorted(alike, key=lambda one: near[one.card.id].bits_apart)),
        looks=tuple((moment(look.at, zone), look.who, SHOWN[look.use]) for look in looks),
        looks_through=None if all_told else MOST,
    )


def _photos(session: Session, near: dict[UUID, LookAlike]) -> list[Photo]:
    if not near:
        return []
    return list(session.scalars(select(Photo).where(Photo.agency_id == current_agency(), Photo.id.in_(near))))


def _how(near: LookAlike, card: Card) -> str:
    same = "looks the same" if near.bits_apart == 0 else f"looks nearly the same ({near.bits_apart} of 64 bits apart)"
    return f"{same}; by {card.place.agent}"


def _large(session: Session, photo: Photo, links: PhotoLinks, now: datetime) -> str | None:
    if photo.state != PhotoState.DEVELOPED or photo.large_key is None:
        return None
    return str(shown_link(link_rendition(session, photo.id, Use.LARGE, links, now))["url"])


def _facts(photo: Photo, card: Card) -> Iterator[tuple[str, str]]:
    """Title and text of each that is known."""
    yield "Of", card.subject
    yield "State", f"{card.state}: {card.reason}" if card.reason else card.state
    if card.time_left:
        yield "To decide", f"{card.time_left}; then it is destroyed"
    yield "Taken", f"{card.taken}, as the phone says" if card.taken else "the phone does not say when"
    yield "Came in", card.received
    yield "From the visited address", card.distance or "not known"
    yield "From the visit's places", metres(photo.from_visit_m) or "not known"
    if photo.width and photo.height:
        yield "Large picture", f"{photo.width} × {photo.height} pixels"
    if photo.evidence is not None:
        yield "The file says", _of_the_file(photo.evidence.reveal(TO))
    yield "SHA-256 of the sealed bytes", photo.sha256.hex()


def _of_the_file(evidence: str) -> str:
    """Its format and what names its maker; it came from a file that anybody can write, so it is cut and quoted."""
    said = json.loads(evidence)
    camera = said.get("camera")
    parts = [said.get("format"), *(camera if isinstance(camera, list) else [])]
    return ", ".join(f"“{part[:60]}”" for part in parts if isinstance(part, str) and part.strip()) or "nothing"


def _allowed(permission: PhotoPermission, zone: tzinfo) -> Allowed:
    subjects = [words for code, words in SUBJECTS.items() if code in permission.subjects or not permission.subjects]
    shown = permission.notice
    return Allowed(
        who=RELATIONS.get(permission.allowed_by, permission.allowed_by),
        name=permission.name,
        at=moment(permission.at, zone),
        subjects=", ".join(subjects),
        words=permission.words,
        notice=shown.words if shown else None,
        notice_name=f"version {shown.version}, {shown.language}" if shown else None,
        notice_language=shown.language if shown else None,
    )


def _overruled(session: Session, photo: Photo, zone: tzinfo) -> str | None:
    if photo.allowed_at is None:
        return None
    actor = staff_actor(photo.allowed_by)
    return f"{staff_names(session, {actor}).get(actor, 'an operator')} at {moment(photo.allowed_at, zone)}"
