"""Read a letter as it was issued."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.ports import ObjectAbsent, Objects
from field_api.platform.problems import Problem
from field_api.records.base import load
from field_api.records.visits import Letter


def read_letter(session: Session, letter_id: UUID, *, objects: Objects) -> bytes:
    """The letter's PDF. Raises Problem `not-found` where it was not issued, `gone` where its object is no more."""
    letter = load(session, Letter, letter_id)
    if letter.object_key is None:
        raise Problem("not-found", f"the letter is {letter.state}: there is no document")
    try:
        return objects.get(letter.object_key)
    except ObjectAbsent as error:
        raise Problem("gone", "the document is no longer kept") from error
