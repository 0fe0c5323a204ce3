"""Creditors, files and accounts over HTTP."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from field_api.records.accounts import Account, ImportFile
from field_api.records.people import Address
from tests.files_of_creditors import csv_bytes, new_creditor, row, table
from tests.office_client import OfficeClient

CREDITOR = {"name": "Crédito Inventado", "jurisdiction": "MX", "currency": "MXN", "language": "es"}


@pytest.fixture
def integrator(as_role: Callable[..., OfficeClient]) -> OfficeClient:
    return as_role("integrator")


def _upload(client: OfficeClient, creditor_id: Any, content: bytes, query: str = "", name: str = "cartera.csv") -> Any:
    return client.post(
        f"/api/v1/creditors/{creditor_id}/imports{query}",
        data={"file": (io.BytesIO(content), name)},
        content_type="multipart/form-data",
    )


def test_a_creditor_is_made_shown_listed_and_changed(integrator: OfficeClient) -> None:
    body = {**CREDITOR, "threshold_minor": 5_000, "column_map": {"columns": {"balance": "Saldo exigible"}}}
    made = integrator.post("/api/v1/creditors", json=body)
    assert made.status_code == 201 and made.json["threshold_minor"] == 5_000
    assert integrator.get(f"/api/v1/creditors/{made.json['id']}").json == made.json
    assert [c["name"] for c in integrator.get("/api/v1/creditors").json["items"]] == [CREDITOR["name"]]
    changed = integrator.patch(f"/api/v1/creditors/{made.json['id']}", json={"threshold_minor": 7, "column_map": {}})
    assert (changed.json["threshold_minor"], changed.json["column_map"]) == (7, {})


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"currency": "XXZ"}, "currency"), ({"jurisdiction": "ZZ"}, "jurisdiction"), ({"language": "??"}, "language"),
        ({"column_map": {"columns": {"saldo": "S"}}}, "column_map.columns.saldo"),
    ],
)  # fmt: skip
def test_a_wrong_creditor_is_refused_by_field(integrator: OfficeClient, change: dict[str, Any], at: str) -> None:
    refused = integrator.post("/api/v1/creditors", json={**CREDITOR, **change})
    assert (refused.status_code, refused.json["code"], refused.json["at"]) == (422, "invalid-fields", at)


def test_two_creditors_have_two_names(integrator: OfficeClient) -> None:
    assert integrator.post("/api/v1/creditors", json=CREDITOR).status_code == 201
    assert integrator.post("/api/v1/creditors", json=CREDITOR).status_code == 409


def test_a_file_is_imported_and_its_report_answered(integrator: OfficeClient, agency: UUID) -> None:
    creditor = new_creditor(agency)
    content = csv_bytes([row(1), row(2, Saldo="ocho")])
    dry = _upload(integrator, creditor, content, "?dry_run=true")
    assert (dry.status_code, dry.json["created"], dry.json["dry_run"]) == (200, 1, True)
    assert table(agency, Account, "id") == []
    done = _upload(integrator, creditor, content)
    assert (done.json["created"], done.json["rows_rejected"]) == (1, 1)
    assert done.json["errors"] == [{"row": 3, "column": "Saldo", "code": "not-an-amount", "message": "not an amount"}]
    assert _upload(integrator, creditor, content).json["already_imported"] is True
    assert len(table(agency, ImportFile, "id")) == 1


def test_a_bad_file_is_a_problem_with_a_reason(integrator: OfficeClient, agency: UUID) -> None:
    refused = _upload(integrator, new_creditor(agency), b"PK\x03\x04 no workbook", name="x.xlsx")
    assert (refused.status_code, refused.json["code"], refused.json["reason"]) == (
        422, "invalid-file", "broken-workbook",
    )  # fmt: skip


def test_an_upload_without_a_file_and_one_too_large_are_refused(
    integrator: OfficeClient, agency: UUID, office: Any
) -> None:
    creditor = new_creditor(agency)
    assert integrator.post(f"/api/v1/creditors/{creditor}/imports", data={}).status_code == 422
    office.config["MAX_CONTENT_LENGTH"] = 10_000
    assert _upload(integrator, creditor, b"x" * 20_000).status_code == 413


def test_only_managers_and_integrators_import(as_role: Callable[..., OfficeClient], agency: UUID) -> None:
    creditor = new_creditor(agency)
    for role in ("dispatcher", "controller", "admin", "agent"):
        assert _upload(as_role(role), creditor, csv_bytes([row(1)])).status_code == 403, role
    assert _upload(as_role("manager"), creditor, csv_bytes([row(1)])).status_code == 200


def test_another_agencys_creditor_is_not_found(
    as_role: Callable[..., OfficeClient], agency: UUID, other_agency: UUID
) -> None:
    stranger = as_role("integrator", agency_id=other_agency)
    creditor = new_creditor(agency)
    assert _upload(stranger, creditor, csv_bytes([row(1)])).status_code == 404
    assert stranger.get(f"/api/v1/creditors/{creditor}").status_code == 404
    assert stranger.get("/api/v1/accounts").json["items"] == []


def test_accounts_are_listed_by_cursor_in_one_statement(integrator: OfficeClient, agency: UUID) -> None:
    creditor = new_creditor(agency)
    _upload(integrator, creditor, csv_bytes([row(n) for n in range(25)]))
    seen: list[str] = []
    statements = []
    after = ""
    while True:
        event.listen(Engine, "before_cursor_execute", _counter := lambda *a: statements.append(a[2]))
        page = integrator.get(f"/api/v1/accounts?limit=10&creditor={creditor}{after}")
        event.remove(Engine, "before_cursor_execute", _counter)
        seen += [item["reference"] for item in page.json["items"]]
        if page.json["next"] is None:
            break
        after = f"&after={page.json['next']}"
    assert sorted(seen) == [f"MX-{n:05d}" for n in range(25)] and len(set(seen)) == 25
    assert sum("FROM office.account" in s for s in statements) == 3


def test_an_account_is_found_by_reference_and_follows_the_creditor(integrator: OfficeClient, agency: UUID) -> None:
    creditor = new_creditor(agency)
    _upload(integrator, creditor, csv_bytes([row(1)]))
    body = {"creditor_id": str(creditor), "references": ["MX-00001", "MX-00009"]}
    (found,) = integrator.post("/api/v1/accounts/search", json=body).json["items"]
    at = f"/api/v1/accounts/{found['id']}"
    paid = {"payment": {"ref": "A1", "paid_on": "2026-11-18", "amount_minor": 23_456}}
    assert integrator.patch(at, json=paid).json["balance_minor"] == 100_000
    assert integrator.patch(at, json=paid).json["balance_minor"] == 100_000, "the same payment counts once"
    other = {"payment": {**paid["payment"], "amount_minor": 1}}
    assert integrator.patch(at, json=other).status_code == 409
    wrong = integrator.patch(at, json={"balance_minor": 5, "principal_minor": 9})
    assert (wrong.status_code, wrong.json["at"]) == (422, "balance_minor")
    both = {"payment": {"ref": "A2", "paid_on": "2026-11-18", "amount_minor": 100}, "balance_minor": 90_000}
    assert integrator.patch(at, json=both).json["balance_minor"] == 90_000
    closed = integrator.patch(at, json={"status": "paid"})
    assert (closed.json["state"], closed.json["closed_reason"], closed.json["balance_minor"]) == ("closed", "paid", 0)
    assert integrator.patch(at, json={"balance_minor": 10}).json["reason"] == "account-closed"
    assert integrator.patch(at, json={"status": "open", "balance_minor": 10}).json["state"] == "placed"


def test_after_a_call_the_file_is_followed_again(integrator: OfficeClient, agency: UUID) -> None:
    """The row is the same as before, but the account is not: it is not «unchanged»."""
    creditor = new_creditor(agency)
    _upload(integrator, creditor, csv_bytes([row(1)]))
    ((account,),) = table(agency, Account, "id")
    integrator.patch(f"/api/v1/accounts/{account}", json={"balance_minor": 1, "balance_calculated_on": "2026-11-17"})
    again = _upload(integrator, creditor, csv_bytes([row(1)], delimiter=","))
    assert (again.json["updated"], again.json["unchanged"]) == (1, 0)
    assert table(agency, Account, "balance_minor") == [(123_456,)]


def test_a_controller_sees_one_creditor_alone(as_role: Callable[..., OfficeClient], agency: UUID) -> None:
    manager = as_role("manager")
    mine, other = new_creditor(agency), new_creditor(agency, name="Otro Crédito Inventado")
    for creditor in (mine, other):
        _upload(manager, creditor, csv_bytes([row(1)]))
    controller = as_role("controller", creditor_id=mine)
    assert {a["creditor_id"] for a in controller.get("/api/v1/accounts").json["items"]} == {str(mine)}
    assert [c["id"] for c in controller.get("/api/v1/creditors").json["items"]] == [str(mine)]
    assert controller.get(f"/api/v1/creditors/{other}").status_code == 404
    foreign = next(a for a in manager.get("/api/v1/accounts").json["items"] if a["creditor_id"] == str(other))
    assert controller.get(f"/api/v1/accounts/{foreign['id']}").status_code == 404
    body = {"creditor_id": str(other), "references": ["MX-00001"]}
    assert controller.post("/api/v1/accounts/search", json=body).status_code == 404


def test_an_uploads_name_is_only_a_name(integrator: OfficeClient, agency: UUID, tmp_path: Path) -> None:
    done = _upload(integrator, new_creditor(agency), csv_bytes([row(1)]), name="../../etc/x.csv")
    assert done.json["file_name"] == "x.csv"
    assert len(table(agency, Address, "id")) == 1
