"""The story costs the same number of statements however much happened, and shows at most a thousand events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import event

from field_api.domain.vocabulary import OpKind, VisitEventKind
from field_api.platform.database import db, transaction
from field_api.queries.visit_story import MAX_EVENTS, visit_story
from field_api.usecases.note_visit_event import note_visit_event
from tests.outcome_world import AT_THE_DOOR, HERE, RECEIVED, Phone, published_visit

PROMISE = {
    "result": "promise",
    "kind": "partial",
    "amount": {"minor": 50_000, "currency": "MXN"},
    "due_on": "2026-12-01",
}


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection, _cursor, statement, *_rest) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def statements_of_story(phone: Phone) -> int:
    with counted() as statements, transaction(phone.agency) as session:
        visit_story(session, phone.visit_id)
    return len(statements)


def test_the_story_takes_as_many_statements_for_a_long_day_as_for_a_short_one(agency: UUID) -> None:
    phone = published_visit(agency, accounts=3)
    phone.outcome("nobody_there")
    short = statements_of_story(phone)
    for _ in range(4):
        phone.located(
            PROMISE, {"result": "dispute", "reason": "fraud"}, contacts=[{"kind": "email", "value": "a@example.com"}]
        )
        phone.records(OpKind.NOTE, {"words": "portón azul"})
    assert statements_of_story(phone) == short <= 14


def test_a_story_is_cut_at_a_thousand_events_and_says_so(agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        for _ in range(MAX_EVENTS + 1):
            note_visit_event(session, phone.visit_id, VisitEventKind.NOTE, AT_THE_DOOR, "system", {})
    with transaction(agency) as session:
        story = visit_story(session, phone.visit_id)
    assert (len(story.events), story.events_cut) == (MAX_EVENTS, True)


def test_events_of_one_moment_are_told_in_the_order_they_were_recorded(agency: UUID) -> None:
    phone = published_visit(agency)
    kinds = [OpKind.ARRIVED, OpKind.ENCOUNTER, OpKind.NOTE, OpKind.OPENED]
    bodies = [{"position": HERE}, {"relation": "neighbour"}, {"words": "x"}, {"parts": ["brief"]}]
    for kind, body in zip(kinds, bodies, strict=True):
        phone.records(kind, body)
    with transaction(agency) as session:
        story = visit_story(session, phone.visit_id)
    assert [entry.kind for entry in story.events] == [kind.value for kind in kinds]
    assert {entry.at for entry in story.events} == {AT_THE_DOOR} != {RECEIVED}
