"""What a restored backup must not forget is on another disk before its transaction commits, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.domain.vocabulary import HoldKind
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.keyring import OfficeKeys
from field_api.platform.problems import Problem
from field_api.platform.restore_journal import Entry, EntryKind, JournalBroken, RestoreJournal, enter
from field_api.platform.tenancy import acting_for
from field_api.platform.told_keys import enter_unnamed_keys, told_in
from field_api.platform.wiring import office_keys
from field_api.records.accounts import Hold
from field_api.usecases.lift_hold import lift_hold
from field_api.usecases.place_hold import place_hold
from tests.planning_world import World

AT = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)


@pytest.fixture
def keys(app: Flask, agency: UUID) -> OfficeKeys:
    return office_keys().of(agency)


@pytest.fixture
def journal(app: Flask, tmp_path: Path) -> RestoreJournal:
    made = RestoreJournal(tmp_path / "elsewhere")
    made.make()
    app.extensions["doorstep.journal"] = made
    return made


def _entries(count: int) -> list[Entry]:
    return [Entry(EntryKind.DEVICE_REVOKED, AT, {"device": f"number {n}"}) for n in range(count)]


def _file(journal: RestoreJournal, agency: UUID) -> Path:
    return journal.directory / f"{agency}.journal"


def test_entries_come_back_in_order_and_nothing_of_them_can_be_read(
    journal: RestoreJournal, keys: OfficeKeys, agency: UUID
) -> None:
    journal.append(keys, _entries(2))
    journal.append(keys, _entries(1))
    assert [entry.detail["device"] for entry in journal.read(keys)] == ["number 0", "number 1", "number 0"]
    assert journal.read(keys)[0].at == AT
    assert b"number" not in _file(journal, agency).read_bytes()
    assert _file(journal, agency).stat().st_mode & 0o777 == 0o600


def test_a_long_journal_is_continued_from_its_end(journal: RestoreJournal, keys: OfficeKeys) -> None:
    for _ in range(3):
        journal.append(keys, _entries(100))
    assert len(journal.read(keys)) == 300


@pytest.mark.parametrize("change", ["flip", "remove", "swap", "repeat"])
def test_a_changed_missing_or_moved_line_is_found(
    journal: RestoreJournal, keys: OfficeKeys, agency: UUID, change: str
) -> None:
    journal.append(keys, _entries(4))
    path = _file(journal, agency)
    lines = path.read_bytes().splitlines(keepends=True)
    if change == "flip":
        lines[1] = lines[1].replace(b"A", b"B", 1)
    elif change == "remove":
        del lines[1]
    elif change == "swap":
        lines[1], lines[2] = lines[2], lines[1]
    else:
        lines.insert(1, lines[1])
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalBroken, match=r"line [23]"):
        journal.read(keys)


def test_what_a_crash_left_of_a_line_is_passed_over(journal: RestoreJournal, keys: OfficeKeys, agency: UUID) -> None:
    journal.append(keys, _entries(2))
    whole = _file(journal, agency).read_bytes()
    for cut in (len(whole) - 1, len(whole) - 40, whole.index(b"\n") + 2):
        _file(journal, agency).write_bytes(whole[:cut])
        assert len(journal.read(keys)) == 1
        journal.append(keys, _entries(1))
        assert len(journal.read(keys)) == 2


def test_a_mount_that_is_away_is_no_empty_journal(journal: RestoreJournal, keys: OfficeKeys, tmp_path: Path) -> None:
    away = RestoreJournal(tmp_path / "unmounted")
    away.directory.mkdir()
    with pytest.raises(FileNotFoundError):
        away.read(keys)
    with pytest.raises(FileNotFoundError):
        away.append(keys, _entries(1))
    assert list(away.directory.iterdir()) == []


def _held(agency: UUID, clock: SetClock) -> UUID:
    with transaction(agency) as session:
        _, _, account = World(session).household()
        hold = place_hold(
            session, kind=HoldKind.CLARIFICATION, reason="letter of the debtor", now=clock.now(), account_id=account.id
        )
        return hold.id


def test_a_hold_and_its_lifting_are_entered(
    journal: RestoreJournal, keys: OfficeKeys, agency: UUID, clock: SetClock
) -> None:
    hold = _held(agency, clock)
    (placed,) = journal.read(keys)
    assert (placed.kind, placed.detail["id"]) == (EntryKind.HOLD_PLACED, str(hold))
    assert placed.detail["reason"] == "letter of the debtor"
    with transaction(agency) as session:
        lift_hold(session, hold, reason="cleared up", now=clock.now(), lifted_by=None)
    assert [entry.kind for entry in journal.read(keys)] == [EntryKind.HOLD_PLACED, EntryKind.HOLD_LIFTED]


def test_what_was_undone_is_not_entered(journal: RestoreJournal, keys: OfficeKeys, agency: UUID) -> None:
    with pytest.raises(RuntimeError), transaction(agency) as session:
        enter(session, EntryKind.HOLD_LIFTED, {"id": "whole"}, at=AT, loosens=True)
        raise RuntimeError
    with transaction(agency) as session:
        enter(session, EntryKind.DEVICE_REVOKED, {"device": "kept"}, at=AT)
        with pytest.raises(RuntimeError), session.begin_nested():
            enter(session, EntryKind.HOLD_LIFTED, {"id": "part"}, at=AT, loosens=True)
            with session.begin_nested():
                enter(session, EntryKind.HOLD_LIFTED, {"id": "inner part"}, at=AT, loosens=True)
            raise RuntimeError
        with session.begin_nested():
            enter(session, EntryKind.DEVICE_REVOKED, {"device": "kept too"}, at=AT)
    assert [entry.detail["device"] for entry in journal.read(keys)] == ["kept", "kept too"]


def test_a_decision_waits_for_its_journal_and_a_lifting_does_not(
    app: Flask, journal: RestoreJournal, keys: OfficeKeys, agency: UUID, clock: SetClock
) -> None:
    hold = _held(agency, clock)
    (journal.directory / "doorstep-journal").unlink()
    with pytest.raises(Problem) as refused, transaction(agency) as session:
        account = session.scalars(select(Hold.account_id)).one()
        place_hold(session, kind=HoldKind.DISPUTE, reason="disputed", now=clock.now(), account_id=account)
    assert refused.value.code == "unavailable"
    with transaction(agency) as session:
        assert session.query(Hold).count() == 1
        lift_hold(session, hold, reason="cleared up", now=clock.now(), lifted_by=None)
    with transaction(agency) as session:
        assert session.get_one(Hold, {"agency_id": agency, "id": hold}).lifted_at is not None


def test_keys_from_before_the_journal_are_named_once(
    journal: RestoreJournal, keys: OfficeKeys, agency: UUID, clock: SetClock
) -> None:
    for _ in range(2):
        with acting_for(agency):
            enter_unnamed_keys(keys, at=clock.now())
    told = told_in(journal.read(keys))
    assert [each.claims["role"] for each in told.certificates] == ["office", "sealing", "door"]
    assert {each.ref for each in told.certificates} == {each[-1].ref for each in keys.certificates.values()}
    (journal.directory / "doorstep-journal").unlink()
    with pytest.raises(Problem) as refused, acting_for(agency):
        enter_unnamed_keys(keys, at=clock.now())
    assert refused.value.code == "unavailable"
