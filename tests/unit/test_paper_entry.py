"""A row typed from paper: what is spelt otherwise says the same, and no field costs more to read than its length."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from doorstep.commands.sheet import _cell, _text
from field_api.domain.paper_entry import (
    Line,
    ReadRow,
    Trouble,
    TypedBefore,
    TypedRow,
    Unreadable,
    operations_of,
    read_row,
)
from field_api.domain.vocabulary import OpKind

DAY, ZONE, NOW = date(2026, 11, 18), ZoneInfo("America/Mexico_City"), datetime(2026, 11, 19, 1, tzinfo=UTC)
ROUTE, VISIT = UUID(int=1), UUID(int=2)


def kinds(typed: TypedRow, *before: tuple[Line, TypedRow]) -> list[OpKind]:
    read = read_row(typed, day=DAY, zone=ZONE, now=NOW)
    assert isinstance(read, ReadRow)
    known = [TypedBefore(UUID(int=9 + number), line, row) for number, (line, row) in enumerate(before)]
    return [one.kind for one in operations_of(read, typed, known, route_id=ROUTE, visit_id=VISIT)]


@pytest.mark.parametrize(
    "again",
    [
        TypedRow(time="9.05", box="2", letter="b", envelope="012"),
        TypedRow(time="905", box="2B", envelope="12"),
        TypedRow(time="9:05 am", box="02 b", envelope="12"),
    ],
)
def test_two_who_spell_the_same_row_otherwise_record_it_once(again: TypedRow) -> None:
    first = TypedRow(time="9:05", box="2b", envelope="12")
    before = ((Line.OUTCOME, first), (Line.ENVELOPE, first))
    assert kinds(again, *before) == []
    assert kinds(TypedRow(time="9:06", box="2b", envelope="13"), *before) == [OpKind.CORRECTION, OpKind.LETTER]


def test_a_note_or_a_time_that_the_second_one_leaves_out_is_not_taken_back() -> None:
    before = (Line.OUTCOME, TypedRow(time="9:05", box="3", note="regresa"))
    assert kinds(TypedRow(box="3"), before) == []
    assert kinds(TypedRow(time="9:05", box="3", note="otra cosa"), before) == [OpKind.CORRECTION]
    assert kinds(TypedRow(box="4"), before) == [OpKind.CORRECTION]


def test_a_field_that_is_too_long_is_named_before_any_pattern_is_tried() -> None:
    begun = time.process_time()
    read = read_row(TypedRow(time="9" + " " * 3_900 + "x", box="1" * 3_900), day=DAY, zone=ZONE, now=NOW)
    assert read == (Unreadable("time", Trouble.TOO_LONG), Unreadable("box", Trouble.TOO_LONG))
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("written", ["'s avonds thuis", "+49 30 1234", "-", "", "''"])
def test_what_a_spreadsheet_may_reckon_with_comes_back_as_it_was_written(written: str) -> None:
    assert _text(_cell(written)) == written
