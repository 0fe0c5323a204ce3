"""Contact attempts made elsewhere, as somebody tells of them: calls, letters by post, e-mails, messages. Pure.

Nothing of them is free text: what was said on a telephone stays where it was said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID, uuid5

from field_api.domain.vocabulary import Came, MadeBy, ToldChannel, ToldOutcome

MOST_REFERENCE = 80
MOST_AT_ONCE = 1_000
OLDEST = timedelta(days=3_660)
"""The longest that a notice can be asked to reach back (`at_most_days` of a rule)."""
CLOCKS_MAY_DIFFER = timedelta(minutes=5)
COLUMNS = ("id", "account", "channel", "at", "outcome", "by")
Word = TypeVar("Word", bound=StrEnum)
_NAMESPACE = UUID("7a1c2f0e-6d7b-5c55-9a5e-0d6f2b3c4e51")

_WRITTEN = frozenset({ToldOutcome.SENT, ToldOutcome.DELIVERED, ToldOutcome.RETURNED})
_SPOKEN = frozenset({ToldOutcome.REACHED, ToldOutcome.OTHER_PERSON, ToldOutcome.NO_ANSWER, ToldOutcome.WRONG_CONTACT})
OUTCOMES = {
    ToldChannel.CALL: _SPOKEN,
    ToldChannel.LETTER: _WRITTEN,
    ToldChannel.EMAIL: _WRITTEN | {ToldOutcome.WRONG_CONTACT},
    ToldChannel.MESSAGE: _WRITTEN | {ToldOutcome.WRONG_CONTACT},
}
"""What can come of an attempt on each channel."""

_NOT_TOLD = {
    ToldOutcome.OTHER_PERSON.value,
    ToldOutcome.NO_ANSWER.value,
    ToldOutcome.WRONG_CONTACT.value,
}


class BadAttempt(ValueError):
    """One attempt cannot be understood. `at` names the field, the text says what is wanted and quotes nothing."""

    def __init__(self, at: str, message: str) -> None:
        super().__init__(message)
        self.at, self.message = at, message


@dataclass(frozen=True)
class ToldAttempt:
    """An attempt that somebody made. `ref` is its own id where it comes from: once per creditor and account."""

    ref: str
    account: str  # the creditor's reference
    channel: ToldChannel
    at: datetime  # aware
    outcome: ToldOutcome
    by: MadeBy

    def op_id(self, creditor_id: UUID) -> UUID:
        """The same attempt has the same id whoever tells of it, and how often."""
        return uuid5(_NAMESPACE, f"{creditor_id}:{self.ref}")


def came_of(channel: str, outcome: str) -> Came:
    """Whether an attempt came to the person, as notices count; a visit's outcomes are its own and count as tried.

    A letter counts from the day on which it was sent: of a wait "after sending" that is what the rules say.
    """
    if outcome == ToldOutcome.RETURNED.value:
        return Came.BACK
    if channel != "visit" and outcome in _NOT_TOLD:
        return Came.TRIED
    return Came.TOLD


def read_attempt(fields: Mapping[str, Any], now: datetime) -> ToldAttempt:
    """From texts (`at`: ISO 8601 with an offset, or a day) or typed values. Raises BadAttempt for the first fault."""
    ref, account = (_reference(name, fields.get(name)) for name in ("id", "account"))
    channel = _one_of("channel", ToldChannel, fields.get("channel"))
    outcome = _one_of("outcome", ToldOutcome, fields.get("outcome"))
    if outcome not in OUTCOMES[channel]:
        raise BadAttempt("outcome", f"of this channel: {', '.join(sorted(OUTCOMES[channel]))}")
    at = _moment(fields.get("at"))
    if at > now + CLOCKS_MAY_DIFFER:
        raise BadAttempt("at", "an attempt that was made is wanted, not one to come")
    if at < now - OLDEST:
        raise BadAttempt("at", "longer ago than any rule looks back")
    return ToldAttempt(ref, account, channel, at, outcome, _one_of("by", MadeBy, fields.get("by") or MadeBy.AGENCY))


def _reference(name: str, value: Any) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not 0 < len(text) <= MOST_REFERENCE or not text.isprintable():
        raise BadAttempt(name, f"1 to {MOST_REFERENCE} printable characters are wanted")
    return text


def _one_of(name: str, kind: type[Word], value: Any) -> Word:
    try:
        return kind(value.strip().lower() if isinstance(value, str) else value)
    except ValueError as error:
        known = ", ".join(sorted(member.value for member in kind))
        raise BadAttempt(name, f"one of {known} is wanted") from error


def _moment(value: Any) -> datetime:
    """A day alone is its noon in Greenwich: then it is that day nearly everywhere, so that waits count it rightly."""
    if isinstance(value, str):
        value = _read(value.strip())
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise BadAttempt("at", "a time needs its offset: 2026-11-17T09:30:00-06:00; or a day alone")
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(12), UTC)
    raise BadAttempt("at", "2026-11-17, or 2026-11-17T09:30:00-06:00, is wanted")


def _read(text: str) -> date | datetime | None:
    try:
        return date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)
    except ValueError:
        return None
