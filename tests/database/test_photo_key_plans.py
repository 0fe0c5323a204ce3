"""What the worker asks in every round about keys at rest is answered by indexes, however many photographs there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from field_api.platform.database import transaction
from field_api.platform.wiring import office_keys
from field_api.records.agency import Agency
from media.office.darkroom import darkroom
from media.office.destroy_expired import expired_photos
from media.office.destroy_photo import withdrawn_photos
from media.office.photos_about import photos_about
from media.office.records import Photo
from media.office.rewrap_keys import how_many_under_older_keys, how_many_without_key, rewrap_keys
from tests.photo_world import PhotoWorld

pytest_plugins = ["tests.photo_fixtures"]

MANY = (
    """
    INSERT INTO office.visit (agency_id, id, agent_id, person_id, address_id, state, assignment_version, planned_at)
    SELECT agency_id, md5('visit' || one)::uuid, agent_id, person_id, address_id, 'done', 1, now()
    FROM office.visit, generate_series(0, :many / 5) one WHERE agency_id = :agency AND id = :visit
    """,
    """
    INSERT INTO office.photo (agency_id, id, visit_id, op_id, device_id, upload_id, state, attempts, subject, sha256,
        received_at, wrap_key_id)
    SELECT :agency, gen_random_uuid(), md5('visit' || one / 5)::uuid, md5('op' || one)::uuid, gen_random_uuid(),
        gen_random_uuid(), 'developed', 1, 'facade', '', CAST(:now AS timestamptz) - one * interval '1 minute', :key
    FROM generate_series(1, :many) one
    """,
    """
    INSERT INTO office.visit_event (agency_id, id, visit_id, at, kind, actor, op_id, body, flags)
    SELECT :agency, gen_random_uuid(), md5('visit' || one / 5)::uuid, now(), 'photo', 'agent', md5('op' || one)::uuid,
        '', '[]'
    FROM generate_series(1, :many) one
    """,
)


def _insert(world: PhotoWorld, session: Session, many: int, key: str, now: datetime) -> None:
    values = {"agency": world.agency, "visit": world.visit.visit_id, "now": now, "many": many, "key": key}
    for statement in MANY:
        session.execute(text(statement), values)


@pytest.mark.parametrize("many", [10_000, pytest.param(100_000, marks=pytest.mark.prove)])
def test_no_question_of_a_round_reads_all_photographs(world: PhotoWorld, many: int) -> None:
    office = office_keys().of(world.agency)
    with transaction(world.agency) as session:
        session.get_one(Agency, world.agency).policy = {"photo_retention_days": 365}
        _insert(world, session, many, office.sealing_certificate.key_id, world.clock.now())
    world.permit(granted=False)
    asked: tuple[Callable[[Session], object], ...] = (
        lambda session: rewrap_keys(session, darkroom()),
        lambda session: how_many_under_older_keys(session, office),
        how_many_without_key,
        lambda session: expired_photos(session, world.clock.now()),
        withdrawn_photos,
        lambda session: photos_about(session, [world.visit.visit_id]),
    )
    with transaction(world.agency) as session:
        session.execute(text("ANALYZE office.photo, office.visit_event"))
        for ask in asked:
            for plan in _plans_of(session, ask):
                assert not set(_whole_scans(plan)) & {"photo", "visit_event"}, json.dumps(plan, indent=1)


def test_what_is_found_is_bounded(world: PhotoWorld) -> None:
    """However much ends at once, a round takes some of it and the next goes on."""
    with transaction(world.agency) as session:
        session.get_one(Agency, world.agency).policy = {"photo_retention_days": 1}
        _insert(world, session, 70, "", world.clock.now() - timedelta(days=2))
        visits = session.scalars(select(Photo.visit_id).distinct()).all()
    with transaction(world.agency) as session:
        assert len(expired_photos(session, world.clock.now())) == len(photos_about(session, visits)) == 20
        assert [rewrap_keys(session, darkroom()) for _ in range(3)] == [50, 20, 0]


def _plans_of(session: Session, ask: Callable[[Session], object]) -> Iterator[dict[str, Any]]:
    """Of each statement that it sends about photographs, as it is sent, with its parameters."""
    sent: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        if "office.photo" in statement and statement.lstrip().upper().startswith("SELECT"):
            sent.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        ask(session)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert sent
    for statement, parameters in sent:
        found = session.connection().exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
        yield (found if isinstance(found, list) else json.loads(found))[0]["Plan"]


def _whole_scans(node: dict[str, Any]) -> Iterator[str]:
    if node["Node Type"] == "Seq Scan":
        yield node["Relation Name"]
    for inner in node.get("Plans", ()):
        yield from _whole_scans(inner)
