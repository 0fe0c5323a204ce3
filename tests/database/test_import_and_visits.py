"""A file or a call that ends a debt takes its visits back from the phones at once; nothing else does."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.platform.database import transaction
from field_api.records.accounts import Account, Hold, Party
from field_api.records.changes import Change
from field_api.records.people import Address
from field_api.records.planning import Agent
from field_api.records.visits import Visit, VisitAccount
from field_api.usecases.close_account import close_account
from field_api.usecases.record_payment import record_payment
from tests.files_of_creditors import DAY, HEADER, csv_bytes, import_file, new_creditor, row, table


@pytest.fixture
def creditor(app: Flask, agency: UUID) -> UUID:
    return new_creditor(agency)


def _import(agency: UUID, creditor: UUID, tmp_path: Path, rows: list[dict[str, Any]], day: int = 0) -> Any:
    path = tmp_path / f"{day}.csv"
    path.write_bytes(csv_bytes(rows, header=[*HEADER, "No. cliente", "Aval"]))
    report = import_file(agency, creditor, path, now=DAY + timedelta(days=day))
    assert report.errors == []
    return report


def _published_visit(agency: UUID, reference: str) -> tuple[UUID, UUID]:
    """(account, visit) of a published visit to the account's debtor."""
    with transaction(agency) as session:
        account_id = session.scalars(select(Account.id).where(Account.reference == reference)).one()
        person_id = session.scalars(
            select(Party.person_id).where(Party.account_id == account_id, Party.role == "debtor")
        ).one()
        address_id = session.scalars(select(Address.id).where(Address.person_id == person_id)).first()
        agent = Agent(code=f"A-{reference}", name="Agente Inventada", languages=["es"], timezone="America/Mexico_City")
        session.add(agent)
        session.flush()
        visit = Visit(agent_id=agent.id, person_id=person_id, address_id=address_id, state="published")
        session.add(visit)
        session.flush()
        session.add(VisitAccount(visit_id=visit.id, account_id=account_id, role="debtor"))
        return account_id, visit.id


def _state(agency: UUID) -> tuple[list[Any], list[Any], list[Any]]:
    return table(agency, Visit, "state"), table(agency, Hold, "kind"), table(agency, Change, "kind", "ref", "urgent")


@pytest.mark.parametrize(
    ("change", "hold"),
    [
        ({"Estatus": "pagado"}, "paid"),
        ({"Saldo": "0,00"}, "paid"),
        ({"Saldo": "-5,00"}, "paid"),
        ({"Estatus": "cerrado"}, "creditor_request"),
    ],
)
def test_a_row_that_ends_the_debt_withdraws_its_visit(
    agency: UUID, creditor: UUID, tmp_path: Path, change: dict[str, str], hold: str
) -> None:
    _import(agency, creditor, tmp_path, [row(1), row(2)])
    _, visit_id = _published_visit(agency, "MX-00001")
    _import(agency, creditor, tmp_path, [row(1, **change), row(2, **change)], day=1)
    visits, holds, changes = _state(agency)
    assert (visits, holds) == ([("withdrawn",)], [(hold,)]), "one hold: account 2 has no visit"
    assert ("visit", visit_id, True) in changes


def test_a_lower_balance_leaves_the_visit(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    _import(agency, creditor, tmp_path, [row(1)])
    _published_visit(agency, "MX-00001")
    _import(agency, creditor, tmp_path, [row(1, Saldo="1,00")], day=1)
    assert _state(agency)[:2] == ([("published",)], [])


def test_another_debtor_withdraws_the_visit_to_the_first(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    _import(agency, creditor, tmp_path, [row(1)])
    account_id, _ = _published_visit(agency, "MX-00001")
    _import(agency, creditor, tmp_path, [row(1, Nombre="Otra Persona", RFC="OAPE800101AAA")], day=1)
    assert _state(agency)[:2] == ([("withdrawn",)], [("clarification",)])
    with transaction(agency) as session:
        assert len(session.scalars(select(Party).where(Party.account_id == account_id)).all()) == 1


def test_the_first_guarantor_named_later_leaves_the_visit(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    _import(agency, creditor, tmp_path, [row(1)])
    _published_visit(agency, "MX-00001")
    _import(agency, creditor, tmp_path, [row(1, Aval="Eva Fiadora")], day=1)
    assert _state(agency)[:2] == ([("published",)], [])
    _import(agency, creditor, tmp_path, [row(1, Aval="Iker Fiador")], day=2)
    assert _state(agency)[:2] == ([("withdrawn",)], [("clarification",)])


def test_a_dry_run_withdraws_nothing(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    _import(agency, creditor, tmp_path, [row(1)])
    _published_visit(agency, "MX-00001")
    path = tmp_path / "dry.csv"
    path.write_bytes(csv_bytes([row(1, Estatus="pagado")]))
    report = import_file(agency, creditor, path, dry_run=True)
    assert report.counts.closed == 1
    assert _state(agency) == ([("published",)], [], [])


def test_a_payment_of_all_and_a_closing_withdraw_by_call(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    _import(agency, creditor, tmp_path, [row(1), row(2)])
    first, _ = _published_visit(agency, "MX-00001")
    second, _ = _published_visit(agency, "MX-00002")
    with transaction(agency) as session:
        record_payment(session, first, ref="A", paid_on=DAY.date(), amount_minor=123_456, now=DAY, by=None)
    assert sorted(_state(agency)[0]) == [("published",), ("withdrawn",)]
    for _ in range(2):
        with transaction(agency) as session:
            close_account(session, second, reason="closed", now=DAY, by=None)
    assert _state(agency)[:2] == ([("withdrawn",)] * 2, [("creditor_request",), ("paid",)])
