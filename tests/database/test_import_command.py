"""`doorstep creditor` and `doorstep import`, as somebody at a terminal runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import click
import pytest
from click.testing import CliRunner
from flask import Flask

from doorstep.commands import creditor as creditor_module
from doorstep.commands import import_file as import_module
from field_api.platform.problems import Problem
from field_api.records.accounts import Account
from field_api.records.agency import Creditor
from tests.files_of_creditors import csv_bytes, row, table


@pytest.fixture
def runner(app: Flask, agency: UUID, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    """Commands run in the test's application: what `office_context` brings up is tested with the installation."""

    @contextmanager
    def context() -> Iterator[UUID]:
        try:
            yield agency
        except Problem as problem:
            raise click.ClickException(f"{problem.code}: {problem.detail}") from problem

    for module in (creditor_module, import_module):
        monkeypatch.setattr(module, "office_context", context)
    return CliRunner(env={"COLUMNS": "160"})


def _add(runner: CliRunner, *more: str) -> None:
    done = runner.invoke(
        creditor_module.creditor,
        ["add", "Crédito Inventado", "--jurisdiction", "MX", "--currency", "MXN", "--language", "es", *more],
    )
    assert done.exit_code == 0, done.output


def test_a_creditor_is_added_changed_and_listed(runner: CliRunner, agency: UUID, tmp_path: Path) -> None:
    mapping = tmp_path / "map.json"
    mapping.write_text(json.dumps({"columns": {"balance": "Saldo exigible"}}), encoding="utf-8")
    _add(runner, "--threshold-minor", "5000")
    changed = runner.invoke(creditor_module.creditor, ["change", "Crédito Inventado", "--map", str(mapping)])
    assert changed.exit_code == 0, changed.output
    assert "Crédito Inventado  MX  MXN  5000" in runner.invoke(creditor_module.creditor, ["list"]).output
    assert table(agency, Creditor, "column_map") == [({"columns": {"balance": "Saldo exigible"}},)]
    mapping.write_text('{"columns": {"saldo": "S"}}', encoding="utf-8")
    refused = runner.invoke(creditor_module.creditor, ["change", "Crédito Inventado", "--map", str(mapping)])
    assert refused.exit_code == 1 and "not a field" in refused.output


def test_a_file_is_tried_imported_and_known_again(runner: CliRunner, agency: UUID, tmp_path: Path) -> None:
    _add(runner)
    path = tmp_path / "cartera.csv"
    path.write_bytes(csv_bytes([row(1), row(2, Saldo="secreto99")]))
    command = [str(path), "--creditor", "Crédito Inventado"]
    dry = runner.invoke(import_module.import_file, [*command, "--dry-run"])
    assert dry.exit_code == 0 and "nothing was kept" in dry.output and table(agency, Account, "id") == []
    done = runner.invoke(import_module.import_file, command)
    assert done.exit_code == 0 and "1 new" in done.output and "not-an-amount" in done.output
    assert "Saldo" in done.output and "secreto99" not in done.output
    assert len(table(agency, Account, "id")) == 1
    assert "imported before" in runner.invoke(import_module.import_file, command).output


def test_a_bad_file_and_an_unknown_creditor_are_one_line(runner: CliRunner, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"a;b\n1;2\n")
    unknown = runner.invoke(import_module.import_file, [str(path), "--creditor", "Nobody"])
    assert unknown.exit_code == 1 and "no creditor of this name" in unknown.output
    _add(runner)
    bad = runner.invoke(import_module.import_file, [str(path), "--creditor", "Crédito Inventado"])
    assert bad.exit_code == 1 and "no column holds the account's reference" in bad.output
