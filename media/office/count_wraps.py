"""Which sealing keys the key store needs: counted from its files, since a row may be wrong about a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from field_api.platform.tenancy import current_agency
from media.photo_keys import KeyAbsent, PhotoKeys
from media.records import DESTROYED, FORGOTTEN, Upload

IDS = 1_000


@dataclass
class WrapCounts:
    """By sealing key: wrapped keys of photographs, and of uploads that the office has not taken. `unknown`: of no
    upload here, or of one that is gone: they open nothing, and the worker destroys the latter."""

    photographs: Counter[str] = field(default_factory=Counter)
    uploads: Counter[str] = field(default_factory=Counter)
    unknown: int = 0


def count_wraps(session: Session, keys: PhotoKeys) -> WrapCounts:
    """Reads every file of the agency's key store: some seconds for a hundred thousand."""
    counts, agency_id = WrapCounts(), current_agency()
    for folder in keys.folders(agency_id):
        upload_ids = sorted(keys.in_folder(folder))
        known = {row.id: row for row in _rows(session, upload_ids)}
        for upload_id in upload_ids:
            try:
                key_id = keys.get(agency_id, upload_id).key_id
            except KeyAbsent:
                continue  # destroyed meanwhile
            row = known.get(upload_id)
            if row is None or row.state in (DESTROYED, FORGOTTEN):
                counts.unknown += 1
                continue
            into = counts.photographs if row.taken_at else counts.uploads
            into[key_id or row.sealing_key_id] += 1
    return counts


def _rows(session: Session, upload_ids: Collection[UUID]) -> Iterator[Row[UUID, str, object, str]]:
    ordered = list(upload_ids)
    wanted = select(Upload.id, Upload.sealing_key_id, Upload.taken_at, Upload.state)
    for first in range(0, len(ordered), IDS):
        some = Upload.id.in_(ordered[first : first + IDS])
        yield from session.execute(wanted.where(Upload.agency_id == current_agency(), some))
