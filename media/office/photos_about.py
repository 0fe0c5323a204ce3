"""Which photographs an erasure order is about: those of a visit, of an account's visits, of the visits to a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.platform.problems import Problem
from field_api.platform.tenancy import current_agency
from field_api.queries.photo_declarations import PhotoDeclaration
from field_api.records.accounts import Account
from field_api.records.people import Person
from field_api.records.visits import Visit, VisitAccount
from media.office.expected_photos import expected_photos
from media.office.records import Photo, PhotoState

BATCH = 20


@dataclass(frozen=True)
class Subject:
    """One of the three. `person_id`: visits on which this person was sought."""

    visit_id: UUID | None = None
    account_id: UUID | None = None
    person_id: UUID | None = None

    def __post_init__(self) -> None:
        if [self.visit_id, self.account_id, self.person_id].count(None) != 2:
            raise ValueError("one visit, one account or one person")


def visits_about(session: Session, subject: Subject) -> Sequence[UUID]:
    """Raises Problem `not-found` where there is no such visit, account or person: an order must not end in a typo."""
    kind, wanted = _named(subject)
    if session.scalar(select(kind.id).where(kind.agency_id == current_agency(), kind.id == wanted)) is None:
        raise Problem("not-found", "no such visit, account or person")
    return session.scalars(_visits(subject)).all()


def photos_about(session: Session, visits: Sequence[UUID], aside: Collection[UUID] = ()) -> Sequence[UUID]:
    """Photographs of these visits that are not destroyed yet, BATCH at most; none that is set `aside`."""
    kept = Photo.agency_id == current_agency(), Photo.state != PhotoState.DESTROYED.value, Photo.id.not_in(aside)
    return session.scalars(select(Photo.id).where(*kept, Photo.visit_id.in_(visits)).limit(BATCH)).all()


def expected_about(session: Session, visits: Sequence[UUID], to: Audience) -> list[PhotoDeclaration]:
    """Photographs that were declared on these visits and have not come whole. Two statements for each visit."""
    return [declared for visit_id in visits for declared in expected_photos(session, visit_id, to)]


def _named(subject: Subject) -> tuple[type[Visit | Account | Person], UUID | None]:
    if subject.visit_id is not None:
        return Visit, subject.visit_id
    return (Account, subject.account_id) if subject.account_id is not None else (Person, subject.person_id)


def _visits(subject: Subject) -> Select[UUID]:
    if subject.account_id is not None:
        of_account = VisitAccount.account_id == subject.account_id
        return select(VisitAccount.visit_id).where(VisitAccount.agency_id == current_agency(), of_account)
    which = Visit.id == subject.visit_id if subject.visit_id is not None else Visit.person_id == subject.person_id
    return select(Visit.id).where(Visit.agency_id == current_agency(), which)
