"""Every resource of the office API, in the order of the OpenAPI document. Append yours here."""

from __future__ import annotations

import flask
import flask_smorest

from field_api.http import (
    accounts,
    addresses,
    agents,
    api_tokens,
    attempts,
    chase,
    chase_page,
    console,
    contact_candidates,
    creditors,
    disputes,
    drafts,
    health,
    holds,
    imports,
    letter_templates,
    letters,
    me,
    paper_page,
    paper_sheets,
    papers,
    plans,
    promises,
    replanning,
    staff,
    unlocks,
    visit_changes,
    visits,
)

BLUEPRINTS: tuple[flask_smorest.Blueprint, ...] = (
    me.blueprint,
    staff.blueprint,
    api_tokens.blueprint,
    agents.blueprint,
    plans.blueprint,
    replanning.blueprint,
    drafts.blueprint,
    creditors.blueprint,
    imports.blueprint,
    accounts.blueprint,
    visits.blueprint,
    visit_changes.blueprint,
    unlocks.blueprint,
    holds.blueprint,
    addresses.blueprint,
    attempts.blueprint,
    promises.blueprint,
    disputes.blueprint,
    contact_candidates.blueprint,
    papers.blueprint,
    letter_templates.blueprint,
    paper_sheets.blueprint,
    chase.blueprint,
    letters.blueprint,
)
"""Below /api/v1; each one's `url_prefix` is its own part (`/visits`)."""

PAGES: tuple[flask.Blueprint, ...] = (
    health.blueprint,
    console.blueprint,
    chase_page.blueprint,
    paper_page.blueprint,
)
"""Outside of the API and its document: health, console."""
