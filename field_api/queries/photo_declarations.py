"""What operations say of photographs: which were declared, and who permitted them. Read from the visits' stories."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.domain.photo_notice import notice_words
from field_api.domain.vocabulary import VisitEventKind
from field_api.platform.sealing import from_b64u
from field_api.platform.tenancy import current_agency
from field_api.records.visits import VisitEvent

NO_PERMISSION = "no-permission"
"""The flag that `record_operation` leaves on a photo whose permission does not stand."""
PERMISSION_WITHDRAWN = "permission-withdrawn"
"""The flag on a `photo_permission` that takes earlier ones back."""


@dataclass(frozen=True)
class PhotoDeclaration:
    """A recorded `photo` operation; times and places are the phone's claims."""

    event_id: UUID
    op_id: UUID
    visit_id: UUID
    device_id: UUID
    sha256: bytes  # of the sealed bytes
    subject: str
    permission_op_id: UUID | None
    permission_stands: bool
    taken_at: datetime | None
    latitude: float | None
    longitude: float | None
    accuracy_m: float | None


@dataclass(frozen=True)
class ShownNotice:
    """Which privacy notice the phone says was shown or read out: the words are those of that version and language."""

    version: str
    language: str

    @property
    def words(self) -> str | None:
        return notice_words(self.version, self.language)


@dataclass(frozen=True)
class PhotoPermission:
    """A recorded `photo_permission` that grants; no subjects means all."""

    op_id: UUID
    visit_id: UUID
    allowed_by: str  # field_api.domain.vocabulary.Relation
    subjects: frozenset[str]
    at: datetime
    name: str | None = field(repr=False)  # of whoever allowed it, where they gave it
    words: str | None = field(repr=False)  # what was said, as the agent wrote it down
    notice: ShownNotice | None  # None: no word of one, as from phones before there was one


def photo_declarations(session: Session, op_ids: Collection[UUID], to: Audience) -> dict[UUID, list[PhotoDeclaration]]:
    """Declarations by operation; several only where two phones made up the same id. One statement."""
    found: dict[UUID, list[PhotoDeclaration]] = {}
    for event in session.scalars(_events(VisitEventKind.PHOTO).where(VisitEvent.op_id.in_(op_ids))):
        declaration = _declaration(event, to)
        found.setdefault(declaration.op_id, []).append(declaration)
    return found


def declared_photos(session: Session, visit_id: UUID, to: Audience) -> list[PhotoDeclaration]:
    """Every photograph that was declared on the visit, in order. One statement."""
    events = _events(VisitEventKind.PHOTO).where(VisitEvent.visit_id == visit_id, VisitEvent.op_id.is_not(None))
    return [_declaration(event, to) for event in session.scalars(events.order_by(VisitEvent.at, VisitEvent.id))]


def photo_permissions(session: Session, op_ids: Collection[UUID], to: Audience) -> dict[UUID, list[PhotoPermission]]:
    """Permissions by operation. One statement."""
    found: dict[UUID, list[PhotoPermission]] = {}
    for event in session.scalars(_events(VisitEventKind.PHOTO_PERMISSION).where(VisitEvent.op_id.in_(op_ids))):
        recorded = _body(event, to)["recorded"]
        if recorded["granted"] and event.op_id is not None:
            subjects = frozenset(recorded.get("subjects") or ())
            said = recorded.get("name"), recorded.get("words"), _notice(recorded)
            permission = PhotoPermission(event.op_id, event.visit_id, recorded["by"], subjects, event.at, *said)
            found.setdefault(event.op_id, []).append(permission)
    return found


def _notice(recorded: Mapping[str, Any]) -> ShownNotice | None:
    """Of operations from before the key had a form: whatever stood there, as nothing."""
    notice = recorded.get("notice")
    said = [notice.get(name) for name in ("version", "language")] if isinstance(notice, Mapping) else []
    return ShownNotice(*said) if said and all(isinstance(part, str) for part in said) else None


def _events(kind: VisitEventKind) -> Select[VisitEvent]:
    return select(VisitEvent).where(VisitEvent.agency_id == current_agency(), VisitEvent.kind == kind.value)


def _body(event: VisitEvent, to: Audience) -> dict[str, Any]:
    return dict(json.loads(event.body.reveal(to)))


def _declaration(event: VisitEvent, to: Audience) -> PhotoDeclaration:
    body = _body(event, to)
    recorded = body["recorded"]
    position = recorded.get("position") or {}
    permission, taken_at = recorded.get("permission"), recorded.get("taken_at")
    if event.op_id is None:
        raise ValueError("a declaration without its operation")
    return PhotoDeclaration(
        event_id=event.id,
        op_id=event.op_id,
        visit_id=event.visit_id,
        device_id=UUID(body["device"]),
        sha256=from_b64u(recorded["sha256"]),
        subject=recorded["subject"],
        permission_op_id=UUID(permission) if permission else None,
        permission_stands=NO_PERMISSION not in event.flags,
        taken_at=datetime.fromisoformat(taken_at) if taken_at else None,
        latitude=position.get("lat"),
        longitude=position.get("lon"),
        accuracy_m=position.get("accuracy_m"),
    )
