"""What somebody tells of calls and letters: read strictly, told apart for notices, caps and counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from field_api.adapters.rules_toml import TomlRules
from field_api.domain.contact_rules import PastAttempt, caps_reached, notices_missing
from field_api.domain.told_attempts import BadAttempt, came_of, read_attempt
from field_api.domain.vocabulary import Came

NOW = datetime(2026, 11, 17, 15, tzinfo=UTC)
DAY = date(2026, 11, 18)
CALL = {"id": "c-1", "account": "CT-1", "channel": "call", "at": "2026-11-16T10:00:00-06:00", "outcome": "reached"}
GB, ONTARIO = TomlRules().of("GB"), TomlRules().of("CA-ON")
assert GB is not None and ONTARIO is not None


def test_a_day_alone_and_a_time_with_its_offset_are_read() -> None:
    assert read_attempt(CALL, NOW).at == datetime(2026, 11, 16, 16, tzinfo=UTC)
    for day in ("2026-11-16", date(2026, 11, 16)):
        assert read_attempt({**CALL, "at": day}, NOW).at == datetime(2026, 11, 16, 12, tzinfo=UTC)
    creditor, other = UUID(int=1), UUID(int=2)
    told = read_attempt({**CALL, "by": " Creditor "}, NOW)
    assert told.by == "creditor" and told.op_id(creditor) == read_attempt(CALL, NOW).op_id(creditor) != told.op_id(
        other
    )


@pytest.mark.parametrize(("at", "value"), [
    ("id", ""), ("id", "x" * 81), ("id", "a\nb"), ("account", None), ("channel", "visit"), ("channel", "pigeon"),
    ("outcome", "sent"), ("outcome", "fine"), ("by", "neighbour"), ("at", "2026-11-16T10:00"), ("at", "yesterday"),
    ("at", "2026-11-18"), ("at", "2015-01-01"), ("at", None), ("at", True),
])  # fmt: skip
def test_what_is_not_understood_is_refused_at_its_field(at: str, value: object) -> None:
    with pytest.raises(BadAttempt) as fault:
        read_attempt({**CALL, at: value}, NOW)
    assert fault.value.at == at and str(value or "?") not in fault.value.message


def past(days_ago: int, channel: str, outcome: str) -> PastAttempt:
    return PastAttempt(DAY - timedelta(days=days_ago), channel, came=came_of(channel, outcome))


@pytest.mark.parametrize(("tried", "announced"), [
    ([(2, "letter", "sent")], True), ([(1, "letter", "sent")], False), ([(2, "call", "reached")], True),
    ([(2, "call", "no_answer")], False), ([(2, "call", "other_person")], False), ([(2, "email", "wrong_contact")], False),
    ([(9, "letter", "sent"), (3, "letter", "returned")], False), ([(9, "letter", "sent"), (3, "email", "returned")], True),
    ([(9, "letter", "sent"), (4, "letter", "returned"), (2, "letter", "sent")], True), ([(31, "letter", "sent")], False),
])  # fmt: skip
def test_a_notice_is_one_that_came_to_the_person(tried: list[tuple[int, str, str]], announced: bool) -> None:
    told = [past(*one) for one in tried]
    missing = list(notices_missing(DAY, told, GB, "financial", False))
    assert [refusal.rule.id for refusal in missing] == ([] if announced else ["gb-prior-notice"])


def test_calls_and_letters_count_for_caps_over_all_channels_and_what_came_back_does_not_count_twice() -> None:
    two = [past(6, "letter", "sent"), past(2, "call", "no_answer")]
    assert not list(caps_reached(DAY, [*two, past(1, "letter", "returned")], ONTARIO))
    reached = caps_reached(DAY, [*two, past(1, "message", "sent")], ONTARIO)
    assert [refusal.rule.id for refusal in reached] == ["ca-on-three-contacts-a-week"]
    assert past(1, "letter", "returned").came is Came.BACK
