"""The lines of visits' stories that later operations are compared with: read once, and kept up with what is added."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.tenancy import current_agency
from field_api.queries.arrays import among
from field_api.records.visits import Visit, VisitEvent

COMPARED = frozenset(
    {
        VisitEventKind.ARRIVED.value,
        VisitEventKind.ENCOUNTER.value,
        VisitEventKind.IDENTITY_CHECK.value,
        VisitEventKind.PHOTO_PERMISSION.value,
    }
)


@dataclass(frozen=True)
class Told:
    """One line. Its sealed body is not read: hardly any is ever needed. `event`: where it was noted just now."""

    id: UUID
    visit_id: UUID
    at: datetime
    kind: str
    actor: str
    op_id: UUID | None
    flags: Collection[str]
    event: VisitEvent | None = None

    def full(self, session: Session) -> VisitEvent:
        return self.event or session.get_one(VisitEvent, {"agency_id": current_agency(), "id": self.id})


class ToldBefore:
    """Lines of some visits and of those at the same stops, in the order in which they were noted."""

    def __init__(self, lines: list[Told], stops: dict[UUID, UUID | None]) -> None:
        self._lines, self._stops = lines, stops

    def add(self, event: VisitEvent) -> None:
        if event.kind in COMPARED:
            self._lines.append(
                Told(event.id, event.visit_id, event.at, event.kind, event.actor, event.op_id, event.flags, event)
            )

    def of_visit(self, visit: Visit, *kinds: VisitEventKind) -> Iterator[Told]:
        return (line for line in self._lines if line.visit_id == visit.id and line.kind in kinds)

    def of_stop(self, visit: Visit, *kinds: VisitEventKind) -> Iterator[Told]:
        """Of this visit and those beside it. One that was taken back meanwhile has no stop, and stands alone."""
        if visit.stop_id is None:
            return self.of_visit(visit, *kinds)
        return (line for line in self._lines if self._stops[line.visit_id] == visit.stop_id and line.kind in kinds)


def told_before(session: Session, visits: Collection[Visit]) -> ToldBefore:
    """One statement, whatever the number. The visits are locked: nobody else adds to what is told of them."""
    rows = session.execute(
        select(
            VisitEvent.id, VisitEvent.visit_id, VisitEvent.at, VisitEvent.kind, VisitEvent.actor, VisitEvent.op_id,
            VisitEvent.flags, Visit.stop_id,
        )
        .join(Visit, (Visit.agency_id == VisitEvent.agency_id) & (Visit.id == VisitEvent.visit_id))
        .where(
            Visit.agency_id == current_agency(),
            or_(
                among(Visit.id, [visit.id for visit in visits]),
                among(Visit.stop_id, {visit.stop_id for visit in visits if visit.stop_id is not None}),
            ),
            VisitEvent.kind.in_(sorted(COMPARED)),
        )
        .order_by(VisitEvent.id)
    ).all()  # fmt: skip
    stops = {row.visit_id: row.stop_id for row in rows} | {visit.id: visit.stop_id for visit in visits}
    return ToldBefore([Told(*row[:-1]) for row in rows], stops)
