"""A creditor's file becomes accounts, exactly and once; later files change them."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.platform.database import transaction
from field_api.platform.problems import Problem
from field_api.records.accounts import Account, ImportFile, Party, Payment
from field_api.records.people import Address, ContactPoint, Person, VerificationAnswer
from tests.files_of_creditors import DAY, HEADER, csv_bytes, import_file, new_creditor, row, table, xlsx_file

EVERYTHING = (
    (Account, ("reference", "balance_minor", "principal_minor", "due_on", "state", "row_fingerprint", "version")),
    (Person, ("external_ref", "name", "version")),
    (Address, ("street", "number", "latitude", "geocode_state", "retired_at", "version")),
    (ContactPoint, ("kind", "value")),
    (VerificationAnswer, ("kind", "independent_group", "answer")),
    (Party, ("account_id", "person_id", "role")),
    (Payment, ("external_ref", "paid_on", "amount_minor")),
)


def _all_of(agency: UUID) -> list[Any]:
    return [table(agency, kind, *names) for kind, names in EVERYTHING]


@pytest.fixture
def creditor(app: Flask, agency: UUID) -> UUID:
    return new_creditor(agency)


def _write(tmp_path: Path, content: bytes, name: str = "file.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_a_file_becomes_accounts_people_places_and_answers(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1), row(2)])))
    assert (report.counts.created, report.rows_rejected, report.errors) == (2, 0, [])
    assert table(agency, Account, "reference", "balance_minor", "currency", "due_on", "balance_calculated_on") == [
        ("MX-00001", 123_456, "MXN", date(2026, 8, 1), date(2026, 11, 17)),
        ("MX-00002", 123_456, "MXN", date(2026, 8, 1), date(2026, 11, 17)),
    ]
    assert (
        table(agency, Address, "number", "geocode_state", "timezone", "jurisdiction")
        == [("S/N", "given", "America/Mexico_City", "MX")] * 2
    )
    assert ("phone", "+525551234567") in table(agency, ContactPoint, "kind", "value")
    assert table(agency, VerificationAnswer, "kind", "independent_group", "answer")[0] == (
        "tax_id", "birth", "PENU800102A1B",
    )  # fmt: skip


def test_the_persons_key_holds_no_tax_id(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1)])))
    ((key,),) = table(agency, Person, "external_ref")
    assert key.startswith("made:") and "PENU" not in key


def test_no_file_moves_a_house_that_somebody_found(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    found = (19.5, "house", "agent at the door")
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1)])))
    with transaction(agency) as session:
        address = session.scalars(select(Address)).one()
        address.latitude, address.place_quality, address.place_source = found
    again = csv_bytes([row(1, Latitud="19.3740")])
    import_file(agency, creditor, _write(tmp_path, again))
    assert table(agency, Address, "latitude", "place_quality", "place_source") == [found]
    with transaction(agency) as session:
        session.scalars(select(Address)).one().place_source = "nominatim at geo.example"
    later = csv_bytes([row(1, Latitud="19.3741")])
    import_file(agency, creditor, _write(tmp_path, later))
    assert table(agency, Address, "latitude", "place_quality", "place_source") == [(19.3741, None, None)]


def test_without_coordinates_the_address_waits_for_them(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1, Latitud="", Longitud="")])))
    assert table(agency, Address, "geocode_state", "latitude", "timezone") == [("wanted", None, None)]


def test_bad_rows_are_told_by_row_and_column_and_left_out(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    rows = [
        row(1),
        row(2, Saldo="ocho"),
        row(3, Vencimiento="31/02/2026", Teléfono="12", Correo="nobody"),
        row(4, Nombre=""),
        row(5, Calle=""),
        row(1, Saldo="7,00"),
        row(6, Latitud="", Longitud="-99"),
        row(7, RFC="???"),
        row(8),
    ]
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes(rows)))
    assert [(e.row, e.column, e.code.value) for e in report.errors] == [
        (3, "Saldo", "not-an-amount"),
        (4, "Vencimiento", "not-a-date"),
        (4, "Teléfono", "not-a-phone"),
        (4, "Correo", "not-an-email"),
        (5, "Nombre", "missing-value"),
        (6, "Calle", "missing-value"),
        (7, "Contrato", "duplicate-reference"),
        (8, "Latitud", "missing-value"),
        (9, "RFC", "not-an-answer"),
    ]
    assert (report.rows_total, report.rows_rejected, report.counts.created) == (9, 7, 2)
    assert [r for (r,) in table(agency, Account, "reference")] == ["MX-00001", "MX-00008"]
    assert len(table(agency, Person, "id")) == 2


def test_an_error_never_repeats_a_value(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    canary = "zq9canary"
    bad = dict.fromkeys(HEADER, canary * 60)
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes([bad, row(1, RFC=canary[:3], Teléfono=canary)])))
    assert report.rows_rejected == 2
    assert canary[:3] not in repr(report)
    assert canary[:3] not in repr(table(agency, ImportFile, "errors"))


def test_the_same_file_again_does_nothing_and_says_so(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    path = _write(tmp_path, csv_bytes([row(1), row(2, Saldo="x")]))
    import_file(agency, creditor, path)
    before = _all_of(agency)
    report = import_file(agency, creditor, path, now=DAY + timedelta(days=1))
    assert report.already_imported and report.rows_total == 0
    assert _all_of(agency) == before
    assert len(table(agency, ImportFile, "id")) == 1


def test_the_same_rows_in_another_file_change_nothing(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    """Another delimiter, encoding, order of columns and rows, and another format of the file: it says the same."""
    rows = [row(n) for n in range(1, 6)]
    import_file(agency, creditor, _write(tmp_path, csv_bytes(rows)))
    before = _all_of(agency)
    other = csv_bytes(rows[::-1], header=HEADER[::-1], delimiter=",", encoding="utf-16")
    for path in (
        _write(tmp_path, other, "other.csv"),
        xlsx_file(tmp_path / "other.xlsx", [HEADER, *[[line[name] for name in HEADER] for line in rows]]),
    ):
        report = import_file(agency, creditor, path, now=DAY + timedelta(days=1))
        assert (report.counts.unchanged, report.counts.updated, report.rows_rejected) == (5, 0, 0)
        assert _all_of(agency) == before


def test_a_dry_run_tells_all_and_keeps_nothing(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    path = _write(tmp_path, csv_bytes([row(1), row(2, Saldo="x")]))
    before = _all_of(agency)
    dry = import_file(agency, creditor, path, dry_run=True)
    assert (dry.counts.created, dry.rows_rejected) == (1, 1)
    assert _all_of(agency) == before and table(agency, ImportFile, "id") == []
    wet = import_file(agency, creditor, path)
    assert (wet.counts, wet.errors) == (dry.counts, dry.errors)


def test_a_bad_file_changes_nothing(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    """Two thousand good rows, then bytes that are not of the encoding: not one of them stays."""
    good = csv_bytes([row(n) for n in range(2_000)], encoding="utf-8-sig")
    with pytest.raises(Problem) as refused:
        import_file(agency, creditor, _write(tmp_path, good + b"\xff\xfe;1\n"))
    assert (refused.value.code, refused.value.extra["reason"]) == ("invalid-file", "not-this-encoding")
    assert _all_of(agency) == [[] for _ in EVERYTHING]
    assert table(agency, ImportFile, "id") == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not-a-table"),
        (b"PK\x03\x04nonsense", "broken-workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old-workbook"),
        (b"a;b\n1;2\n", "no-reference"),
        (b"contrato;contrato;saldo\n1;1;2\n", "column-twice"),
        (b"contrato;nombre\n1;\"abc\n" + b"x;y\n" * 90_000, "broken-quotes"),
        (b"contrato;" + b"x;" * 600 + b"\n", "too-many-columns"),
        (b"contrato;" + b"x" * 300_000 + b"\n", "broken-quotes"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_refused_with_its_reason(
    agency: UUID, creditor: UUID, tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(Problem) as refused:
        import_file(agency, creditor, _write(tmp_path, content))
    assert (refused.value.code, refused.value.extra["reason"]) == ("invalid-file", reason)


def test_a_later_file_updates_adds_payments_and_closes(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1), row(2), row(3)])))
    header = ["Contrato", "Saldo", "Fecha de corte", "Último pago", "Fecha último pago", "Estatus"]
    later = [
        {"Contrato": "MX-00001", "Saldo": "1.000,00", "Fecha de corte": "18/11/2026", "Último pago": "234,56",
         "Fecha último pago": "18/11/2026"},
        {"Contrato": "MX-00002", "Estatus": "PAGADO"},
    ]  # fmt: skip
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes(later, header=header), "later.csv"))
    assert report.errors == []
    assert (report.counts.updated, report.counts.closed, report.counts.payments_added) == (2, 1, 1)
    assert table(agency, Account, "reference", "balance_minor", "state", "closed_reason", "version") == [
        ("MX-00001", 100_000, "placed", None, 2),
        ("MX-00002", 0, "closed", "paid", 2),
        ("MX-00003", 123_456, "placed", None, 1),
    ]
    assert table(agency, Payment, "paid_on", "amount_minor") == [(date(2026, 11, 18), 23_456)]


def test_absence_never_closes(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1), row(2)])))
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(3)]), "later.csv"))
    assert {state for (state,) in table(agency, Account, "state")} == {"placed"}


def test_an_empty_cell_says_nothing(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1)])))
    blank = {"Contrato": "MX-00001", "Vencimiento": "02/08/2026"}
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes([blank]), "later.csv"))
    assert report.errors == []
    assert table(agency, Account, "balance_minor", "due_on") == [(123_456, date(2026, 8, 2))]
    assert len(table(agency, Address, "id")) == len(table(agency, Person, "id")) == 1


def test_a_balance_of_an_earlier_day_does_not_replace_a_later_one(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1)])))
    old = row(1, Saldo="9.999,00", **{"Fecha de corte": "16/11/2026"})
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes([old]), "old.csv"))
    assert [(e.column, e.code.value) for e in report.errors] == [("Fecha de corte", "older-than-known")]
    assert table(agency, Account, "balance_minor") == [(123_456,)]


def test_a_closed_account_opens_again_only_where_the_status_says_so(
    agency: UUID, creditor: UUID, tmp_path: Path
) -> None:
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1)])))
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1, Estatus="Cerrado")]), "b.csv"))
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1, Saldo="5,00")]), "c.csv"))
    assert [e.code.value for e in report.errors] == ["account-closed"]
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1, Estatus="Vigente")]), "d.csv"))
    assert report.counts.reopened == 1
    assert table(agency, Account, "state", "closed_at") == [("placed", None)]


def test_what_was_closed_before_it_came_is_not_placed(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1, Estatus="pagado"), row(2)])))
    assert (report.counts.never_placed, report.counts.created, report.errors) == (1, 1, [])


def test_a_payments_file_lowers_balances_once(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    """Several payments of one account, one of them from before the balance; the file comes twice in two forms."""
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1), row(2)])))
    header = ["Contrato", "Folio de pago", "Fecha de pago", "Pago"]
    paid = [
        ["MX-00001", "A1", "18/11/2026", "200,00"],
        ["MX-00001", "A2", "18/11/2026", "34,56"],
        ["MX-00001", "A0", "01/11/2026", "999,00"],
        ["MX-00009", "A9", "18/11/2026", "1,00"],
    ]
    rows = [dict(zip(header, line, strict=True)) for line in paid]
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes(rows, header=header), "paid.csv"))
    assert [(e.row, e.code.value) for e in report.errors] == [(5, "missing-value")]
    assert report.counts.payments_added == 3
    assert table(agency, Account, "reference", "balance_minor") == [("MX-00001", 100_000), ("MX-00002", 123_456)]
    again = import_file(
        agency, creditor, _write(tmp_path, csv_bytes(rows, header=header, delimiter=","), "paid-again.csv")
    )
    assert (again.counts.payments_added, again.counts.unchanged) == (0, 3)
    changed = [{**rows[0], "Pago": "201,00"}]
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes(changed, header=header), "changed.csv"))
    assert [(e.column, e.code.value) for e in report.errors] == [("Folio de pago", "payment-changed")]


def test_people_with_the_same_name_stay_two_and_with_one_key_are_one(
    agency: UUID, creditor: UUID, tmp_path: Path
) -> None:
    rows = [
        row(1, Nombre="Ana Inventada", RFC=""),
        row(2, Nombre="Ana Inventada", RFC=""),
        row(3, Nombre="Luz Inventada", RFC="INLU800101AAA"),
        row(4, Nombre="LUZ  INVENTADA", RFC="inlu-800101-aaa"),
    ]
    import_file(agency, creditor, _write(tmp_path, csv_bytes(rows)))
    assert [name for (name,) in table(agency, Person, "name")].count("Ana Inventada") == 2
    assert len(table(agency, Person, "id")) == 3


def test_guarantor_and_payer_come_with_the_account(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    header = [*HEADER, "Aval", "Aval calle", "Aval CP", "Aval RFC", "Pagador", "Nombre comercial"]
    one = row(1, **{
        "Aval": "Eva Fiadora", "Aval calle": "Mz 4 Lt 12", "Aval CP": "01000", "Aval RFC": "FIEV800101AAA",
        "Pagador": "Inés Paga", "Nombre comercial": "La Güera",
    })  # fmt: skip
    report = import_file(agency, creditor, _write(tmp_path, csv_bytes([one], header=header)))
    assert (report.errors, report.ignored_columns) == ([], ())
    assert [role for (role,) in table(agency, Party, "role")] == ["debtor", "guarantor", "payer"]
    assert [alias for (alias,) in table(agency, Person, "alias") if alias] == ["La Güera"]
    assert ("Mz 4 Lt 12", "wanted") in table(agency, Address, "street", "geocode_state")


def test_another_address_retires_the_one_from_an_earlier_file(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1), row(2)])))
    moved = row(1, Calle="Otra Calle", Latitud="", Longitud="")
    import_file(agency, creditor, _write(tmp_path, csv_bytes([moved]), "b.csv"), now=DAY + timedelta(days=1))
    retired = {street: at is not None for street, at in table(agency, Address, "street", "retired_at")}
    assert retired["Otra Calle"] is False
    assert sum(1 for _, at in table(agency, Address, "street", "retired_at") if at) == 1
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1)]), "c.csv"), now=DAY + timedelta(days=2))
    assert {s: at is not None for s, at in table(agency, Address, "street", "retired_at")} == {
        "Calle Inventada": False, "Otra Calle": True,
    }  # fmt: skip


def test_currency_of_an_account_does_not_change(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1)])))
    other = csv_bytes([row(1, Moneda="USD")], header=[*HEADER, "Moneda"])
    report = import_file(agency, creditor, _write(tmp_path, other, "b.csv"))
    assert [(e.column, e.code.value) for e in report.errors] == [("Moneda", "currency-changed")]


def test_another_agency_sees_nothing_of_it(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    from field_api.platform.ids import new_id

    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1)])))
    assert table(new_id(), Account, "id") == []


def test_the_number_of_statements_does_not_grow_with_the_rows(agency: UUID, creditor: UUID, tmp_path: Path) -> None:
    from sqlalchemy import event

    from field_api.platform.database import db

    counts = []
    for size, name in ((150, "a.csv"), (900, "b.csv")):
        seen: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_: Any, seen: list[str] = seen) -> None:
            seen.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        import_file(agency, creditor, _write(tmp_path, csv_bytes([row(n + size) for n in range(size)]), name))
        event.remove(db.engine, "before_cursor_execute", note)
        counts.append(len(seen))
    assert abs(counts[0] - counts[1]) <= 2


def test_a_file_says_who_pays_automatically_and_who_is_sought_first(
    agency: UUID, creditor: UUID, tmp_path: Path
) -> None:
    header = [*HEADER, "Domiciliado", "Rechazo del cargo", "Aval primero"]
    told = {"Domiciliado": "sí", "Rechazo del cargo": "05/11/2026", "Aval primero": "sí"}
    import_file(agency, creditor, _write(tmp_path, csv_bytes([row(1, **told), row(2)], header=header)))
    columns = ("reference", "auto_pay", "auto_pay_failed_on", "guarantor_first")
    first = [("MX-00001", True, date(2026, 11, 5), True), ("MX-00002", False, None, False)]
    assert table(agency, Account, *columns) == first
    silent = csv_bytes([row(1, Saldo="999.00"), row(2, Domiciliado="quizás")], header=header)
    report = import_file(agency, creditor, _write(tmp_path, silent, "later.csv"))
    assert [(error.row, error.column) for error in report.errors] == [(3, "Domiciliado")]
    assert table(agency, Account, *columns) == first
