"""What the demonstration measured: counted in the office's and the door's tables, never asserted."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import VisitEventKind
from field_api.records.accounts import Account, ImportFile
from field_api.records.people import ContactCandidate
from field_api.records.planning import NotPlanned, Route
from field_api.records.results import Dispute, Promise
from field_api.records.visits import Letter, Sheet, Visit, VisitEvent
from media.office.records import Photo, PhotoState
from sync.mailbox import InboxOp, QuarantinedBytes


def measured(session: Session) -> dict[str, Any]:
    """Everything that the office knows of the day, by the names of summary.json."""
    ops = Counter(session.scalars(select(InboxOp.state)))
    odd = Counter(session.scalars(select(QuarantinedBytes.status)))
    checks = _identity_checks(session)
    return {
        "accounts_imported": _count(session, Account),
        "rows_rejected": session.scalar(select(func.sum(ImportFile.rows_rejected))),
        "routes": _count(session, Route),
        "visits_planned": _count(session, Visit),
        "visits_not_planned": dict(sorted(Counter(session.scalars(select(NotPlanned.reason))).items())),
        "sheets_pdf": _count(session, Sheet),
        "letters_pdf": session.scalar(select(func.count()).select_from(Letter).where(Letter.object_key.is_not(None))),
        "letters_refused": session.scalar(select(func.count()).select_from(Letter).where(Letter.state == "refused")),
        "ops_received": sum(ops.values()) + sum(odd.values()),
        "ops_applied": ops["applied"],
        "ops_late": ops["late"],
        "ops_quarantined": ops["quarantined"] + odd["quarantined"],
        "ops_held": ops["held"] + ops["received"],
        "ops_forked": odd["fork"],
        "photos_developed": _photos(session, PhotoState.DEVELOPED),
        "photos_refused_without_permission": _photos(session, PhotoState.REFUSED),
        "contact_candidates": _count(session, ContactCandidate),
        "promises": _count(session, Promise),
        "disputes": _count(session, Dispute),
        "identity_checks_passed": checks[True],
        "identity_checks_failed": checks[False],
    }


def _count(session: Session, table: Any) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def _photos(session: Session, state: PhotoState) -> int:
    return session.scalar(select(func.count()).select_from(Photo).where(Photo.state == state.value)) or 0


def _identity_checks(session: Session) -> Counter[bool]:
    rows = session.scalars(select(VisitEvent.body).where(VisitEvent.kind == VisitEventKind.IDENTITY_CHECK.value))
    with audience(Audience.MANAGER):
        return Counter(bool(json.loads(body.reveal(Audience.MANAGER))["recorded"]["passed"]) for body in rows)
