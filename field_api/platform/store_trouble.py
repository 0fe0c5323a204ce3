"""What goes wrong with stored objects, told once to the log and the numbers, and to whoever asked as a refusal."""

from __future__ import annotations

import structlog
from flask import has_app_context

from field_api.platform.measured import count
from field_api.platform.metrics import OBJECTS_FLAWED, STORE_UNAVAILABLE
from field_api.platform.overload import later_s
from field_api.platform.problems import Problem

OFFICE, DOOR = "office", "door"
MISSING, CORRUPT = "missing", "corrupt"

log = structlog.get_logger()


class StoreUnavailable(Problem):
    """The store does not answer, refuses, or has no room: nothing is known of the object, and later may do.

    Problem `unavailable` to whoever asked; a job leaves what it has as it is and comes back.
    """

    def __init__(self) -> None:
        super().__init__("unavailable", "the store does not answer now", headers={"Retry-After": later_s(60, 90)})


def store_unavailable(store: str, error: BaseException) -> StoreUnavailable:
    """To raise. The library's text may quote requests: the log has its kind alone."""
    log.error("store-unavailable", store=store, error=type(error).__name__)
    if has_app_context():
        count(STORE_UNAVAILABLE, store)
    return StoreUnavailable()


def note_flaw(store: str, flaw: str, ref: str) -> None:
    """An object that a row refers to is `missing` or `corrupt`. `ref` is its random key or its upload's id."""
    log.error("object-flawed", store=store, flaw=flaw, ref=ref)
    if has_app_context():
        count(OBJECTS_FLAWED, store, flaw)
