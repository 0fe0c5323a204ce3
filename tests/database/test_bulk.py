"""Bulk statements go through the columns' own types: what is sealed one by one is sealed by the thousand."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import psycopg
from flask import Flask
from sqlalchemy import select

from doorstep.postgres import Server
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.platform.bulk import insert_rows, update_rows
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.records.accounts import Account
from field_api.records.agency import Creditor


def _row(creditor_id: UUID, number: int) -> dict[str, Any]:
    return {
        "id": new_id(), "creditor_id": creditor_id, "reference": f"R{number}", "product": "p", "currency": "MXN",
        "principal_minor": 1, "interest_minor": 0, "fees_minor": 0, "balance_minor": 1,
        "balance_calculated_on": date(2026, 1, 1), "due_on": date(2026, 1, 1),
        "options": "half now" if number else None, "state": "placed", "version": 1,
    }  # fmt: skip


def test_rows_go_in_once_are_updated_and_stay_sealed(app: Flask, agency: UUID, database: Server) -> None:
    with transaction(agency) as session:
        creditor = Creditor(name="C", jurisdiction="MX", currency="MXN", language="es")
        session.add(creditor)
        session.flush()
        rows = [_row(creditor.id, number) for number in range(3)]
        assert insert_rows(session, Account, rows) == 3
        assert insert_rows(session, Account, rows, lambda i: i.on_conflict_do_nothing()) == 0
        update_rows(session, Account, [{"id": row["id"], "balance_minor": 7, "options": "all now"} for row in rows[1:]])
        with audience(Audience.OFFICE_JOB):
            found = [
                (
                    a.balance_minor.reveal(Audience.OFFICE_JOB),
                    None if a.options is None else a.options.reveal(Audience.OFFICE_JOB),
                )
                for a in session.scalars(select(Account).order_by(Account.reference))
            ]
    assert found == [(1, None), (7, "all now"), (7, "all now")]
    with psycopg.connect(database.conninfo("owner")) as connection:
        connection.execute("SELECT set_config('doorstep.agency', %s, false)", [str(agency)])
        stored = connection.execute("SELECT options FROM office.account WHERE options IS NOT NULL").fetchall()
    assert len(stored) == 2 and all(b"all now" not in sealed for (sealed,) in stored)


def test_nothing_to_write_is_no_statement(app: Flask, agency: UUID) -> None:
    with transaction(agency) as session:
        assert insert_rows(session, Account, []) == 0
        update_rows(session, Account, [])
