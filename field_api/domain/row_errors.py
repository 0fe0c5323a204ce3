"""Why a row of a creditor's file is left out: one closed catalogue (docs/import.md). Texts never repeat a value."""

from __future__ import annotations

from enum import StrEnum


class RowCode(StrEnum):
    MISSING_VALUE = "missing-value"
    TOO_LONG = "too-long"
    CONTROL_CHARACTER = "control-character"
    DIGITS_LOST = "digits-lost"
    NOT_TEXT = "not-text"
    NOT_A_DATE = "not-a-date"
    NOT_AN_AMOUNT = "not-an-amount"
    AMBIGUOUS_AMOUNT = "ambiguous-amount"
    TOO_MANY_DECIMALS = "too-many-decimals"
    NEGATIVE_AMOUNT = "negative-amount"
    AMOUNTS_DO_NOT_ADD_UP = "amounts-do-not-add-up"
    UNKNOWN_CURRENCY = "unknown-currency"
    CURRENCY_CHANGED = "currency-changed"
    NOT_A_COORDINATE = "not-a-coordinate"
    UNKNOWN_COUNTRY = "unknown-country"
    UNKNOWN_STATE = "unknown-state"
    UNKNOWN_LANGUAGE = "unknown-language"
    UNKNOWN_PERSON_KIND = "unknown-person-kind"
    UNKNOWN_STATUS = "unknown-status"
    NOT_YES_OR_NO = "not-yes-or-no"
    NOT_A_PHONE = "not-a-phone"
    NOT_AN_EMAIL = "not-an-email"
    NOT_AN_ANSWER = "not-an-answer"
    ANSWER_IS_ON_THE_SHEET = "answer-is-on-the-sheet"
    TOO_MANY_CELLS = "too-many-cells"
    DUPLICATE_REFERENCE = "duplicate-reference"
    OLDER_THAN_KNOWN = "older-than-known"
    ACCOUNT_CLOSED = "account-closed"
    PAYMENT_CHANGED = "payment-changed"


class CellRefused(ValueError):
    """One cell cannot be what its column says. `message` holds no value."""

    def __init__(self, code: RowCode, message: str) -> None:
        super().__init__(code.value)
        self.code = code
        self.message = message
