"""A paper as it was issued, out of the store; what a store lost is a refusal in words, never an error."""

from __future__ import annotations

from field_api.domain.ports import ObjectAbsent, Objects
from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable

MISSING, DIFFERS = "document-missing", "document-differs"


class PaperLost(Problem):
    """Problem `gone`. `reason`: MISSING or DIFFERS."""

    def __init__(self, reason: str) -> None:
        super().__init__("gone", "the stored document is missing or altered: printing the route lays it out anew")
        self.reason = reason


def kept_paper(objects: Objects, key: str) -> bytes:
    """The PDF. Raises PaperLost; Problem `unavailable` where the store is away."""
    try:
        return objects.get(key)
    except ObjectAbsent as error:
        raise PaperLost(MISSING) from error
    except Unsealable as error:
        raise PaperLost(DIFFERS) from error
