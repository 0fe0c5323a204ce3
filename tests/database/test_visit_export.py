"""The export of visits: every visit of the span, what came of it, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner

from doorstep.commands.export import export, write_visits
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience, Label
from field_api.platform.database import transaction
from field_api.platform.egress import EgressRefused, shape_labels
from field_api.platform.tenancy import acting_for
from field_api.queries import visit_export
from field_api.queries.visit_export import visit_rows
from field_api.records.base import load
from field_api.records.people import Person
from field_api.usecases.withdraw_visit import withdraw_visit
from tests.outcome_world import RECEIVED, published_visit

WEDNESDAY = date(2026, 11, 18)
PROMISED = {"minor": 50_000, "currency": "MXN"}
PLAN = {
    "result": "promise",
    "kind": "plan",
    "instalments": [{"amount": PROMISED, "due_on": "2026-12-15"}, {"amount": PROMISED, "due_on": "2026-12-01"}],
}


def exported(agency: UUID, path: Path, first: date = WEDNESDAY, last: date = WEDNESDAY) -> list[dict[str, str]]:
    write_visits(agency, first, last, "csv", path)
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_row_tells_what_came_of_a_visit(agency: UUID, tmp_path: Path) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        load(session, Person, phone.sought).name = "=HYPERLINK(evil)"
    phone.passes_check()
    phone.located(PLAN, {"result": "dispute", "reason": "fraud"})
    [row] = exported(agency, tmp_path / "out.csv")
    assert row["person"] == "'=HYPERLINK(evil)"
    assert (row["day"], row["state"], row["outcome"], row["right_party"]) == (
        "2026-11-18",
        "done",
        "client_located",
        "true",
    )
    assert (row["promised_minor"], row["promised_first_on"], row["dispute"]) == ("100000", "2026-12-01", "fraud")
    assert row["account_reference"].startswith("CT-")


def test_every_visit_is_there_once_per_account_attempted_or_not(agency: UUID, tmp_path: Path) -> None:
    phone = published_visit(agency, accounts=2)
    assert [row["outcome"] for row in exported(agency, tmp_path / "a")] == ["", ""]
    phone.outcome("nobody_there")
    phone.outcome("vacant")
    assert sorted(row["outcome"] for row in exported(agency, tmp_path / "b")) == ["nobody_there"] * 2 + ["vacant"] * 2
    assert exported(agency, tmp_path / "c", date(2026, 11, 19), date(2026, 12, 31)) == []


def test_a_visit_taken_off_its_route_stays_in_the_export(agency: UUID, tmp_path: Path) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        withdraw_visit(session, phone.visit_id, reason="dispatcher", now=RECEIVED, by=None)
    rows = exported(agency, tmp_path / "out.csv", date(2020, 1, 1), date(2100, 1, 1))
    assert [row["state"] for row in rows] == ["withdrawn"]


def test_an_export_for_anybody_but_its_audience_is_refused(agency: UUID) -> None:
    published_visit(agency)
    with transaction(agency) as session, pytest.raises(EgressRefused):
        list(visit_rows(session, WEDNESDAY, WEDNESDAY))
    for who in set(Audience) - {Audience.MANAGER}:
        with transaction(agency) as session, audience(who), pytest.raises(EgressRefused):
            list(visit_rows(session, WEDNESDAY, WEDNESDAY))


def test_a_column_of_the_export_is_as_secret_as_the_column_it_comes_from(agency: UUID) -> None:
    with acting_for(agency):
        selected = list(visit_export._statement(WEDNESDAY, WEDNESDAY).selected_columns)
    assert len(selected) == len(visit_export.COLUMNS)
    stored = {
        name: getattr(column, "info", {}).get("label")
        for name, column in zip(visit_export.COLUMNS, selected, strict=True)
    }
    labels = dict(shape_labels(visit_export.EXPORT.shape))
    open_ones = {Label.OPEN, Label.PLACE, Label.INTERNAL}
    shown_too_openly = {
        name for name, label in stored.items() if label and label not in open_ones and labels[name] in open_ones
    }
    assert sum(label is not None for label in stored.values()) > 20 and shown_too_openly == set()


def test_the_command_refuses_a_span_that_ends_before_it_begins() -> None:
    arguments = ["visits", "--from", "2026-11-19", "--to", "2026-11-18", "--out", "x.csv"]
    answer = CliRunner().invoke(export, arguments)
    assert answer.exit_code == 1 and "before" in answer.output


def test_a_place_that_cannot_be_written_is_named(agency: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def here() -> Iterator[UUID]:
        yield agency

    monkeypatch.setattr("doorstep.commands.export.office_context", here)
    out = tmp_path / "absent" / "out.csv"
    answer = CliRunner().invoke(export, ["visits", "--from", "2026-11-18", "--to", "2026-11-18", "--out", str(out)])
    assert answer.exit_code == 1
    assert "No such file or directory" in answer.output and str(out) in answer.output
