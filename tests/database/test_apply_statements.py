"""What a run of operations costs: statements are counted, so that nothing is loaded once for each of them again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import event

from field_api.platform.database import db
from field_api.platform.wiring import office_keys
from sync.office.apply import apply_device
from tests.door_client import Phone
from tests.sync_day import Day, states

pytest_plugins = ["tests.door_fixtures"]
HERE = {"lat": 19.4, "lon": -99.1, "accuracy_m": 8.0, "at": "2026-11-18T16:00:00.000Z"}
PROMISE = {
    "result": "promise", "kind": "partial", "amount": {"minor": 20_000, "currency": "MXN"}, "due_on": "2026-12-01",
}  # fmt: skip
OF_A_TURN = 42
"""Locking the device, its turn, what a run loads, decides and writes at once, and the look at what is left."""


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


def a_visit(day: Day, phone: Phone, number: int) -> list[dict[str, str]]:
    """Five operations: arrived, whom the agent met, a check, an outcome with a promise, a new telephone."""
    visit, met = day.visits[number % 2], uuid4()
    outcome = {
        "outcome": "client_located", "party": {"relation": "sought"}, "identified_by": "answers",
        "results": [PROMISE], "position": HERE,
    }  # fmt: skip
    recorded = [
        ("arrived", {"position": HERE}, {}),
        ("encounter", {"relation": "sought"}, {"op": met}),
        (
            "identity_check",
            {"method": "answers", "passed": True, "kinds": ["birth_date", "postcode"]},
            {"deps": (met,)},
        ),
        ("outcome", outcome, {"deps": (met,), "size": 1_024}),
        ("contact", {"contacts": [{"kind": "phone", "value": f"+52 55 {number:08}"}], "source": "sought"}, {}),
    ]
    return [phone.operation(kind, body, visit=visit, av=1, **more) for kind, body, more in recorded]


@pytest.mark.parametrize("visits", [1, 10])
def test_a_run_costs_few_statements_whatever_its_length(day: Day, visits: int) -> None:
    phone = day.enrol()
    phone.push(*[operation for number in range(visits) for operation in a_visit(day, phone, number)])
    with counted() as statements:
        done = apply_device(day.agency, office_keys().of(day.agency), phone.device, now=day.clock.now())
    assert done == 5 * visits and states(day) == [("applied", None)] * done
    assert len(statements) <= OF_A_TURN, "\n".join(statements)


def test_notes_alone_cost_what_a_turn_costs(day: Day) -> None:
    phone = day.enrol()
    phone.push(*[phone.operation("note", {"words": "timbre"}, visit=day.visits[n % 2], av=1) for n in range(50)])
    with counted() as statements:
        assert apply_device(day.agency, office_keys().of(day.agency), phone.device, now=day.clock.now()) == 50
    assert len(statements) <= OF_A_TURN, "\n".join(statements)
