"""The office's tables. Every row belongs to an agency; keys and foreign keys are composite with it.

`import field_api.records` loads them all, for migrations and guards.
"""

from field_api.records import (
    accounts,
    agency,
    changes,
    drafts,
    letter_templates,
    log,
    people,
    places,
    planning,
    results,
    staff,
    travel,
    unlocks,
    visits,
)

__all__ = [
    "accounts",
    "agency",
    "changes",
    "drafts",
    "letter_templates",
    "log",
    "people",
    "places",
    "planning",
    "results",
    "staff",
    "travel",
    "unlocks",
    "visits",
]
