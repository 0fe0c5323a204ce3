"""The closed words that the phone itself acts on (docs/outcomes.md). Bodies are the office's to judge."""

from __future__ import annotations

THIRD_PARTIES = frozenset(
    {
        "claims_to_be_sought",
        "spouse",
        "relative",
        "minor",
        "older_or_disabled",
        "neighbour",
        "guard",
        "employer",
        "authority",
    }
)
VERIFIED = frozenset({"sought", "guarantor"})  # only after a passed check
DOCUMENTED = frozenset({"attorney", "executor", "guardian"})  # authority on record: code only
RELATIONS = THIRD_PARTIES | VERIFIED | DOCUMENTED | {"nobody"}
MAY_BE_CHECKED = VERIFIED | DOCUMENTED | {"claims_to_be_sought"}
"""Who may be asked the questions: asking anybody else would tell them that there is something to know."""

HOME_OF = {"spouse": "same_home", "relative": "same_home", "older_or_disabled": "same_home", "guard": "gatehouse"}
"""Where somebody of this relation is found, unless the agent says otherwise; of the others it must be said."""

OUTCOMES = frozenset(
    {
        "client_located",
        "third_party_attended",
        "nobody_there",
        "address_not_found",
        "moved",
        "vacant",
        "access_refused",
        "unsafe",
        "deceased",
        "wrong_person",
        "skipped",
    }
)
HAZARDS = frozenset({"dog", "animal", "stairs", "building", "dark", "aggression", "area", "road"})
SUBJECTS = ("facade", "house_number", "street", "meter")
DOCUMENTS = frozenset({"national_id", "passport", "driving_licence", "residence_permit", "other"})
PARTS = frozenset({"brief", "letter"})
LETTER_HANDLINGS = frozenset({"handed_over", "not_delivered"})

ABOUT_PERSON = frozenset({"lives_here", "best_time"})
"""Facts of an outcome about the person sought: never asked of somebody who may not be told the name."""
ASKED = ABOUT_PERSON | {"place_confirmed", "contacts"}
"""Facts of an outcome that somebody was asked for: never asked of those with whom a visit ends politely."""
SAID_BY = {"moved": "told_by", "vacant": "told_by", "deceased": "told_by", "access_refused": "by"}
"""Outcomes that somebody may have told, and the key that says who: an encounter with them comes first."""
