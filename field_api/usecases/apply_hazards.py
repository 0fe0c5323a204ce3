"""What agents said of places that they came to: kept for whoever comes next. The latest word on each hazard stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from field_api.domain.vocabulary import HAZARD_OF_DANGER, Hazard
from field_api.platform.ids import new_id
from field_api.platform.tenancy import current_agency
from field_api.records.places import PlaceHazard


@dataclass(frozen=True)
class ToldHazard:
    """One word of one operation about a place (an address's fingerprint)."""

    fingerprint: bytes
    hazard: Hazard
    present: bool
    at: datetime
    agent_id: UUID
    op_id: UUID


def hazards_told(body: Mapping[str, Any]) -> Iterator[tuple[Hazard, bool]]:
    """What a read `arrived` or outcome says is there (True) or is there no more (False)."""
    there = {*body.get("hazards", ())}
    if (danger := body.get("danger")) in HAZARD_OF_DANGER:
        there.add(HAZARD_OF_DANGER[danger])
    yield from ((hazard, True) for hazard in Hazard if hazard in there)
    yield from ((hazard, False) for hazard in Hazard if hazard in set(body.get("hazards_gone", ())) - there)


def apply_hazards(session: Session, told: Sequence[ToldHazard]) -> None:
    """One statement. Rows are written in one order, so that phones at the same places never wait for each other; what
    an operation that came late says does not undo what was told after it."""
    latest = _latest(told)
    if not latest:
        return
    agency = current_agency()
    statement = insert(PlaceHazard).values(
        [
            {
                "agency_id": agency, "id": new_id(), "fingerprint": one.fingerprint, "hazard": one.hazard.value,
                "present": one.present, "told_at": one.at, "agent_id": one.agent_id, "op_id": one.op_id,
            }
            for one in latest
        ]
    )  # fmt: skip
    newer = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["agency_id", "fingerprint", "hazard"],
            set_={name: newer[name] for name in ("present", "told_at", "agent_id", "op_id")},
            where=PlaceHazard.told_at <= newer.told_at,
        )
    )


def _latest(told: Collection[ToldHazard]) -> list[ToldHazard]:
    """One statement may touch a row only once: of several words on one hazard the latest, and of those the last."""
    by_row: dict[tuple[bytes, str], ToldHazard] = {}
    for one in told:
        key = (one.fingerprint, one.hazard.value)
        if key not in by_row or by_row[key].at <= one.at:
            by_row[key] = one
    return [by_row[key] for key in sorted(by_row)]
