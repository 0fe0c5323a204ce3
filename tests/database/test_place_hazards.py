"""What agents say of a place is told to whoever is sent there next, until somebody says that it is so no more."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.operations import ClockEvidence
from field_api.domain.vocabulary import OpKind
from field_api.platform.database import transaction
from field_api.queries.phone_visits import phone_visits
from field_api.queries.route_sheets import route_sheets
from field_api.records.base import load
from field_api.records.planning import Route
from field_api.records.visits import Visit
from tests.outcome_world import ANCHOR, AT_THE_DOOR, HERE, Phone, published_visit


def _told(phone: Phone) -> tuple[str, ...]:
    """To phones and on the sheet alike."""
    with transaction(phone.agency) as session, audience(Audience.OFFICE_JOB):
        load(session, Visit, phone.visit_id).state = "published"
        session.flush()
        route = session.scalars(select(Route.id)).one()
        [sheet] = route_sheets(session, route_id=route)
        on_phone = phone_visits(session, [phone.visit_id])[phone.visit_id].hazards
        assert sheet.sheet.stops[0].hazards == on_phone
        return on_phone


def _at(hours: int) -> dict:
    wall = AT_THE_DOOR + timedelta(hours=hours)
    evidence = ClockEvidence(wall=wall, monotonic_ms=0, boot_id="", anchor_at=ANCHOR)
    return {"evidence": evidence, "wall_clock": wall, "received_at": ANCHOR + timedelta(days=1)}


def test_hazards_of_a_place_are_told_to_whoever_comes_next_and_the_later_word_stands(agency: UUID) -> None:
    phone = published_visit(agency)
    assert _told(phone) == ()
    phone.records(OpKind.ARRIVED, {"position": HERE, "hazards": ["dark", "dog"]}, **_at(1))
    assert _told(phone) == ("dog", "dark"), "in the vocabulary's order"
    phone.records(
        OpKind.OUTCOME, {"outcome": "unsafe", "danger": "threat", "hazards_gone": ["dark", "aggression"]}, **_at(3)
    )
    assert _told(phone) == ("dog", "aggression"), "the danger is one of them"
    phone.records(OpKind.ARRIVED, {"position": HERE, "hazards": ["dark"], "hazards_gone": ["dog"]}, **_at(2))
    assert _told(phone) == ("aggression",), "dark was said to be gone after that; the dog was not seen again since"
