"""What letters say of the agency beside its name and address: `policy["letters"]`, checked where it is set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 300
MOST_PERSONS = 10
PERSONS = "responsible_persons"
TEXTS = ("registration", "permit_number", "supervisory_authority", "vat_statement", "interest_calculation")


class BadParticular(ValueError):
    """`at` names what cannot be on a letter; the text says what is wanted and repeats nothing."""

    def __init__(self, at: str, message: str) -> None:
        super().__init__(message)
        self.at, self.message = at, message


def with_particulars(stored: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """`stored` after what is said: what is not said stays, an empty text or list takes it away.

    Raises BadParticular.
    """
    unknown = sorted(set(said) - {PERSONS, *TEXTS})
    if unknown:
        raise BadParticular(unknown[0], f"known here: {', '.join((PERSONS, *TEXTS))}")
    named: dict[str, Any] = {name: _text(name, said[name]) for name in TEXTS if name in said}
    if PERSONS in said:
        named[PERSONS] = _persons(said[PERSONS])
    after = {**stored, **named}
    return {name: value for name, value in after.items() if value}


def _persons(value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or len(value) > MOST_PERSONS:
        raise BadParticular(PERSONS, f"at most {MOST_PERSONS} names")
    persons = [_text(PERSONS, person) for person in value]
    if not all(persons):
        raise BadParticular(PERSONS, "names are wanted")
    return persons


def _text(at: str, value: Any) -> str:
    text = value.strip() if isinstance(value, str) else None
    if text is None or len(text) > LONGEST or not text.isprintable():
        raise BadParticular(at, f"at most {LONGEST} printable characters")
    return text
