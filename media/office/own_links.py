"""Links of the member of staff who asks in this request, and how they are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from flask import current_app, g, url_for

from field_api.domain.disclosure import Label
from field_api.http.bodies import sends
from field_api.platform.wiring import settings
from media.office.file_type import NAMES
from media.office.photo_links import PhotoLink, PhotoLinks, Use

View = TypeVar("View", bound=Callable[..., Any])


def own_links() -> PhotoLinks:
    """Needs a request that somebody was admitted to."""
    key = current_app.secret_key
    if not isinstance(key, str) or not key:
        raise RuntimeError("no key to sign links with")
    return PhotoLinks(key, g.actor.agency_id, g.actor.id, timedelta(seconds=settings().photo_link_s))


def shown_link(link: PhotoLink) -> dict[str, Any]:
    """Its path at this office, and until when it works."""
    endpoint = "photos.show_original" if link.use is Use.ORIGINAL else "photos.show_picture"
    return {"url": url_for(endpoint, photo_id=link.photo_id, link=link.token), "expires_at": link.expires_at}


def sends_originals(view: View) -> View:
    """A file of any type that is developed, or of none that is known; never shown in place."""
    for media_type, name in NAMES.items():
        view = sends(media_type, Label.PLACE, Label.PERSONAL, name=name, as_it_came=True)(view)
    return view
