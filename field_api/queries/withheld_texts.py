"""The dispatcher's list: hints and aliases that no sheet and no open part shows, because they speak of a debt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from field_api.domain.debt_words import find_debt_words
from field_api.platform.tenancy import current_agency
from field_api.records.people import Address, Person

_CHUNK = 1_000


@dataclass(frozen=True)
class WithheldText:
    address_id: UUID
    person_name: str
    which: str
    """`hint` or `alias`."""
    text: str
    terms: tuple[str, ...]


def withheld_texts(session: Session, limit: int) -> list[WithheldText]:
    """The oldest addresses' first, at most `limit`. One statement, streamed: reads every hint and alias in use."""
    return list(islice(_withheld(session), limit))


def _withheld(session: Session) -> Iterator[WithheldText]:
    rows = session.execute(
        select(Address.id, Person.name, Address.hint, Person.alias)
        .join(Person, (Person.agency_id == Address.agency_id) & (Person.id == Address.person_id))
        .where(
            Address.agency_id == current_agency(),
            Address.retired_at.is_(None),
            or_(Address.hint.is_not(None), Person.alias.is_not(None)),
        )
        .order_by(Address.created_at, Address.id)
        .execution_options(yield_per=_CHUNK)
    )
    for address_id, name, hint, alias in rows:
        for which, text in (("hint", hint), ("alias", alias)):
            terms = find_debt_words(text or "")
            if terms:
                yield WithheldText(address_id, name, which, text, tuple(terms))
