"""A column map says which column holds what; headers in four languages need none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from field_api.domain.cells import DateOrder, fold
from field_api.domain.column_fields import ACCOUNT_FIELDS, PARTY_FIELDS, field_by_header, field_names
from field_api.domain.column_map import ColumnMap, MapRefused, bind, column_map_from
from field_api.domain.identity import AnswerKind
from field_api.domain.row_errors import RowCode

DOCUMENT = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")


def test_every_answer_kind_has_a_field() -> None:
    assert {f"answer.{kind.value}" for kind in AnswerKind} == {n for n in PARTY_FIELDS if n.startswith("answer.")}


def test_no_known_header_means_two_fields_of_one_kind() -> None:
    for fields in (ACCOUNT_FIELDS, PARTY_FIELDS):
        owners: dict[str, str] = {}
        for name, headers in fields.items():
            for header in headers:
                assert owners.setdefault(fold(header), name) == name, header


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("Saldo", "balance"), ("NÚMERO DE CONTRATO", "reference"), ("Nombre", "debtor.name"), ("Aval", "guarantor.name"),
        ("aval_calle", "guarantor.address.street"), ("Teléfono del aval", "guarantor.phone"), ("R.F.C.", "debtor.answer.tax_id"),
        ("Due Date", "due_on"), ("Co-signer name", "guarantor.name"), ("Geburtsdatum", "debtor.answer.birth_date"),
        ("Straße", "debtor.address.street"), ("Échéance", "due_on"), ("guarantor.address.hint", "guarantor.address.hint"),
    ],
)  # fmt: skip
def test_headers_are_known_in_four_languages(header: str, field: str) -> None:
    assert field_by_header()[fold(header)].name == field


def test_a_map_overrides_what_is_known() -> None:
    using = column_map_from({"columns": {"balance": ["Nope", "Saldo vencido"]}}, "MX")
    bound = bind(["Contrato", "Saldo", "Saldo vencido"], using)
    assert bound.columns["balance"].index == 2 and bound.ignored == ("Saldo",)


def test_headers_of_any_script_can_be_mapped() -> None:
    using = column_map_from({"columns": {"reference": "Договор", "balance": "残高"}}, "MX")
    assert bind(["残高", " договор "], using).columns["reference"].index == 1


@pytest.mark.parametrize(
    ("stored", "code"),
    [
        ({"colums": {}}, "unknown-key"),
        ({"columns": {"saldo": "Saldo"}}, "unknown-field"),
        ({"columns": {"balance": []}}, "not-a-header"),
        ({"columns": []}, "not-an-object"),
        ({"constants": {"reference": "1"}}, "not-a-constant"),
        ({"dates": "YDM"}, "not-allowed"),
        ({"decimal": "'"}, "not-allowed"),
        ({"header_row": 0}, "not-allowed"),
        ({"statuses": {"X": "gone"}}, "unknown-status"),
        ({"sheet": 3}, "not-text"),
    ],
)
def test_a_wrong_map_is_refused_by_name(stored: dict[str, Any], code: str) -> None:
    with pytest.raises(MapRefused) as refused:
        column_map_from(stored, "MX")
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("headers", "stored", "code"),
    [
        (["Saldo"], {}, "no-reference"),
        (["Contrato", "Cuenta"], {}, "column-twice"),
        (["Contrato", "A", "A"], {"columns": {"balance": "A"}}, "column-twice"),
        (["Contrato"], {"columns": {"balance": "A"}}, "column-missing"),
    ],
)
def test_columns_must_be_there_once(headers: list[str], stored: dict[str, Any], code: str) -> None:
    with pytest.raises(MapRefused) as refused:
        bind(headers, column_map_from(stored, "MX"))
    assert refused.value.code == code


def test_month_comes_first_in_the_us_alone() -> None:
    assert column_map_from({}, "US-MD").date_order is DateOrder.MDY
    assert column_map_from({}, "MX").date_order is ColumnMap().date_order is DateOrder.DMY


def test_the_document_names_every_row_code_and_account_field() -> None:
    named = set(re.findall(r"`([^`\n]+)`", DOCUMENT.replace("```", "")))
    assert {code.value for code in RowCode} <= named
    assert set(ACCOUNT_FIELDS) <= named
    assert {name for name in field_names() if name.startswith("debtor.")} == {f"debtor.{p}" for p in PARTY_FIELDS}
