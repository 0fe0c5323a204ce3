"""Photographs in lists, as plain texts in plain words: the templates only lay them out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from uuid import UUID

from sqlalchemy.orm import Session

from media.office.hints import Hint
from media.office.link_thumbnails import link_thumbnails
from media.office.own_links import shown_link
from media.office.page_words import HINTS, STATES, SUBJECTS, reason_words
from media.office.photo_links import PhotoLinks
from media.office.records import Photo, PhotoState
from media.office.visit_places import VisitPlace, visit_places


@dataclass(frozen=True)
class Card:
    """`picture` is the path of its thumbnail, where it is developed; `place` where and by whom the visit was."""

    id: UUID
    visit_id: UUID
    picture: str | None
    state: str
    reason: str | None
    time_left: str | None
    subject: str
    hints: tuple[str, ...]
    distance: str | None
    taken: str | None
    received: str
    place: VisitPlace


def photo_cards(session: Session, photos: Sequence[Photo], links: PhotoLinks, now: datetime) -> list[Card]:
    """Two statements: the places of their visits, and the entry in the log that says who was shown them."""
    places = visit_places(session, {photo.visit_id for photo in photos})
    thumbnails = link_thumbnails(session, photos, links, now)
    pictures = {photo_id: shown_link(link)["url"] for photo_id, link in thumbnails.items()}
    return [_card(photo, places[photo.visit_id], pictures.get(photo.id), now) for photo in photos]


def _card(photo: Photo, place: VisitPlace, picture: str | None, now: datetime) -> Card:
    return Card(
        id=photo.id,
        visit_id=photo.visit_id,
        picture=picture,
        state=STATES[PhotoState(photo.state)],
        reason=reason_words(photo.reason),
        time_left=time_left(photo.decide_by, now),
        subject=SUBJECTS.get(photo.subject, photo.subject),
        hints=tuple(HINTS[Hint(hint)].name for hint in photo.hints),
        distance=metres(photo.from_address_m),
        taken=moment(photo.captured_at, place.zone) if photo.captured_at else None,
        received=moment(photo.received_at, place.zone),
        place=place,
    )


def moment(at: datetime, zone: tzinfo) -> str:
    """The time on the wall there, and where that is: whoever reads it may sit elsewhere."""
    where = str(zone).rpartition("/")[2].replace("_", " ")
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M} ({where if zone is UTC else where + ' time'})"


def metres(distance_m: float | None) -> str | None:
    """Whole metres, from a kilometre on with one decimal place: a position is no better than that."""
    if distance_m is None:
        return None
    return f"{distance_m:.0f} m" if distance_m < 1000 else f"{distance_m / 1000:.1f} km"


def time_left(decide_by: datetime | None, now: datetime) -> str | None:
    """Whole hours, rounded down: nobody counts on more than there is."""
    if decide_by is None:
        return None
    hours = math.floor((decide_by - now).total_seconds() / 3600)
    if hours < 1:
        return "less than an hour left"
    return "1 hour left" if hours == 1 else f"{hours} hours left"
