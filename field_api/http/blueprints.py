"""Every resource of the office API, in the order of the OpenAPI document. Append yours here."""

from __future__ import annotations

import flask
import flask_smorest

from field_api.http import (
    api_tokens,
    attempts,
    console,
    contact_candidates,
    disputes,
    health,
    me,
    papers,
    promises,
    staff,
    visits,
)

BLUEPRINTS: tuple[flask_smorest.Blueprint, ...] = (
    me.blueprint,
    staff.blueprint,
    api_tokens.blueprint,
    visits.blueprint,
    attempts.blueprint,
    promises.blueprint,
    disputes.blueprint,
    contact_candidates.blueprint,
    papers.blueprint,
)
"""Below /api/v1; each one's `url_prefix` is its own part (`/visits`)."""

PAGES: tuple[flask.Blueprint, ...] = (
    health.blueprint,
    console.blueprint,
)
"""Outside of the API and its document: health, console."""
