"""Read one row of a creditor's file under its column map: everything it says, or every reason why it is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Any, TypeVar

from field_api.domain.account_row import AccountRow, AddressData, AnswerData, PartyData, PaymentData, RowError
from field_api.domain.amounts import Owed, owed_from, read_amount, read_currency
from field_api.domain.cells import (
    MAX_NOTE,
    Cell,
    DateOrder,
    is_blank,
    read_coordinate,
    read_date,
    read_text,
    read_word,
    read_yes_no,
)
from field_api.domain.column_map import ADDRESS_KINDS, PERSON_KINDS, BoundColumns, ColumnMap
from field_api.domain.contact_data import read_email, read_phone
from field_api.domain.identity import AnswerKind, NoAnswer, clean, independent_group, normalise
from field_api.domain.places import jurisdiction_of, read_country, read_language
from field_api.domain.row_errors import CellRefused, RowCode
from field_api.domain.vocabulary import Role

T = TypeVar("T")
MAX_REFERENCE = 80
MOST_CONTACTS = 5
_SEPARATORS = re.compile(r"[;,/|\n]")
_BETWEEN = re.compile(r"\s+(?:y|e|and|und|et|&)\s+|\s*/\s*", re.IGNORECASE)
_ADDRESS_TEXTS = (
    "number", "interior", "between_1", "between_2", "neighbourhood", "city", "municipality", "postcode", "state",
)  # fmt: skip
_PLAIN_LOCAL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._+-]{0,62}[A-Za-z0-9])?", re.ASCII)
_STREET = "address.street"
_ANSWER_OF = {f"answer.{kind.value}": kind for kind in AnswerKind}


@dataclass(frozen=True)
class Defaults:
    """What holds where a row does not say otherwise: the creditor's own."""

    currency: str
    country: str


class RowRefused(Exception):
    """The row is left out; `errors` says why, cell by cell."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = tuple(errors)


class RowReader:
    """Reads rows of one file. Made once per file, so that nothing is looked up by name for every row."""

    def __init__(self, columns: BoundColumns, using: ColumnMap, defaults: Defaults) -> None:
        self._columns = columns
        self._using = using
        self._defaults = defaults
        self._roles = [role for role in Role if any(c.field.role is role for c in columns.columns.values())]
        self._parts = {
            role: sorted(name.partition(".")[2] for name, c in columns.columns.items() if c.field.role is role)
            for role in self._roles
        }

    def read(self, row: int, cells: Sequence[Cell]) -> AccountRow:
        """Raises RowRefused with every error of the row, not the first alone."""
        return _Row(self._columns, self._using, self._defaults, row, cells).read(self._roles, self._parts)


class _Row:
    def __init__(
        self, columns: BoundColumns, using: ColumnMap, defaults: Defaults, row: int, cells: Sequence[Cell]
    ) -> None:
        self.columns, self.using, self.defaults, self.row, self.cells = columns, using, defaults, row, cells
        self.errors: list[RowError] = []

    def read(self, roles: Sequence[Role], parts: dict[Role, list[str]]) -> AccountRow:
        if any(not is_blank(cell) for cell in self.cells[self.columns.width :]):
            self.refuse("", RowCode.TOO_MANY_CELLS, "more cells than the header has columns")
        reference = self.take("reference", lambda cell: read_text(cell, MAX_REFERENCE))
        if reference is None and not self.errors:
            self.refuse("reference", RowCode.MISSING_VALUE, "every row needs a reference")
        currency = self.take("currency", lambda cell: read_currency(read_text(cell)))
        amounts = self.amounts(currency or self.defaults.currency)
        language = self.take("language", read_language)
        parties = [self.party(role, parts[role], language) for role in roles]
        read = AccountRow(
            row=self.row,
            reference=reference or "",
            currency=currency or self.defaults.currency,
            currency_given=currency is not None,
            product=self.take("product", read_text),
            original_creditor=self.take("original_creditor", read_text),
            balance_calculated_on=self.day("balance_calculated_on"),
            due_on=self.day("due_on"),
            contract_on=self.day("contract_on"),
            options=self.take("options", lambda cell: read_text(cell, MAX_NOTE)),
            auto_pay=self.take("auto_pay", read_yes_no),
            auto_pay_failed_on=self.day("auto_pay_failed_on"),
            guarantor_first=self.take("guarantor_first", read_yes_no),
            status=self.take("status", lambda cell: read_word(cell, self.using.statuses, RowCode.UNKNOWN_STATUS)),
            parties=tuple(party for party in parties if party is not None),
            **amounts,
        )
        if self.errors:
            raise RowRefused(self.errors)
        return read

    def refuse(self, name: str, code: RowCode, message: str) -> None:
        self.errors.append(RowError(self.row, self.columns.header_of(name), code, message))

    def take(self, name: str, reader: Callable[[Cell], T]) -> T | None:
        """What the field's cell says, None where it is empty or was refused."""
        column = self.columns.columns.get(name)
        if column is None:
            return None
        cell = self.cells[column.index] if column.index is not None and column.index < len(self.cells) else None
        if is_blank(cell):
            cell = column.constant
            if cell is None:
                return None
        try:
            return reader(cell)
        except CellRefused as refusal:
            self.refuse(name, refusal.code, refusal.message)
            return None

    def day(self, name: str) -> date | None:
        return self.take(name, lambda cell: read_date(cell, self.using.date_order))

    def money(self, name: str, currency: str) -> int | None:
        return self.take(name, lambda cell: read_amount(cell, currency, self.using.decimal_mark))

    def amounts(self, currency: str) -> dict[str, Any]:
        return {
            "owed": self.owed(currency),
            **dict(zip(("last_payment_on", "last_payment_minor"), self.paid("last_payment", currency), strict=True)),
            "payment": self.payment(currency),
        }

    def owed(self, currency: str) -> Owed | None:
        before = len(self.errors)
        parts = [self.money(name, currency) for name in ("balance", "principal", "interest", "fees")]
        if len(self.errors) > before:
            return None
        try:
            return owed_from(*parts)
        except CellRefused as refusal:
            self.refuse("balance", refusal.code, refusal.message)
            return None

    def paid(self, name: str, currency: str) -> tuple[date | None, int | None]:
        """Day and amount of a payment: both or, with an error, none. An amount of zero says nothing."""
        before = len(self.errors)
        on, amount = self.day(f"{name}_on"), self.money(name, currency)
        if len(self.errors) > before or (not amount and on is None):
            return None, None
        if amount is not None and amount < 0:
            self.refuse(name, RowCode.NEGATIVE_AMOUNT, "a payment cannot be below zero")
        elif amount and on is None:
            self.refuse(f"{name}_on", RowCode.MISSING_VALUE, "a payment needs its day")
        elif not amount:
            if amount is None:
                self.refuse(name, RowCode.MISSING_VALUE, "a payment needs its amount")
            return None, None
        return on, amount

    def payment(self, currency: str) -> PaymentData | None:
        on, amount = self.paid("payment", currency)
        ref = self.take("payment_ref", lambda cell: read_text(cell, MAX_REFERENCE))
        if on is None or amount is None:
            return None
        return PaymentData(f"ref:{ref}" if ref else made_payment_ref(on, amount), on, amount)

    def party(self, role: Role, parts: Sequence[str], language: str | None) -> PartyData | None:
        prefix = role.value
        if all(is_blank(self.given(f"{prefix}.{part}")) for part in parts):
            return None
        name = self.take(f"{prefix}.name", read_text)
        ref = self.take(f"{prefix}.ref", lambda cell: read_text(cell, MAX_REFERENCE))
        if name is None and ref is None:
            self.refuse(f"{prefix}.name", RowCode.MISSING_VALUE, "a party needs a name, or the creditor's key of it")
        country = self.take(f"{prefix}.address.country", read_country) or self.defaults.country
        address = self.address(prefix, parts, country)
        return PartyData(
            role=role,
            name=name,
            ref=ref,
            alias=self.take(f"{prefix}.alias", read_text),
            kind=self.take(f"{prefix}.kind", lambda cell: read_word(cell, PERSON_KINDS, RowCode.UNKNOWN_PERSON_KIND)),
            language=self.take(f"{prefix}.language", read_language) or language,
            is_minor=self.take(f"{prefix}.is_minor", read_yes_no),
            address=address,
            phones=self.phones(prefix, country),
            emails=self.take(f"{prefix}.email", _read_emails) or (),
            answers=self.answers(prefix, parts, country, address),
        )

    def given(self, name: str) -> Cell:
        """The row's own cell: a constant alone does not make a party."""
        column = self.columns.columns.get(name)
        if column is None or column.index is None or column.index >= len(self.cells):
            return None
        return self.cells[column.index]

    def address(self, prefix: str, parts: Sequence[str], country: str) -> AddressData | None:
        at = f"{prefix}.address."
        if all(is_blank(self.given(f"{prefix}.{part}")) for part in parts if part.startswith("address.")):
            return None
        street = self.take(f"{prefix}.{_STREET}", read_text)
        if street is None:
            self.refuse(
                f"{prefix}.{_STREET}", RowCode.MISSING_VALUE, "an address needs its street, or what is known of it"
            )
        texts = {part: self.take(at + part, read_text) for part in _ADDRESS_TEXTS}
        if between := self.take(at + "between", read_text):
            first, *rest = _BETWEEN.split(between, maxsplit=1)
            texts["between_1"], texts["between_2"] = (
                texts["between_1"] or first,
                texts["between_2"] or "".join(rest) or None,
            )
        jurisdiction = self.take_value(at + "state", lambda: jurisdiction_of(country, texts["state"]))
        latitude, longitude = self.coordinates(at)
        return AddressData(
            street=street or "",
            country=country,
            jurisdiction=jurisdiction or country,
            kind=self.take(at + "kind", lambda c: read_word(c, ADDRESS_KINDS, RowCode.NOT_TEXT)) or "home",
            hint=self.take(at + "hint", lambda c: read_text(c, MAX_NOTE)),
            latitude=latitude,
            longitude=longitude,
            **texts,
        )

    def take_value(self, name: str, make: Callable[[], T]) -> T | None:
        try:
            return make()
        except CellRefused as refusal:
            self.refuse(name, refusal.code, refusal.message)
            return None

    def coordinates(self, at: str) -> tuple[float | None, float | None]:
        before = len(self.errors)
        latitude = self.take(at + "latitude", lambda c: read_coordinate(c, 90))
        longitude = self.take(at + "longitude", lambda c: read_coordinate(c, 180))
        if len(self.errors) > before or (latitude is None and longitude is None):
            return None, None
        if latitude is None or longitude is None:
            missing = "latitude" if latitude is None else "longitude"
            self.refuse(at + missing, RowCode.MISSING_VALUE, "coordinates come in pairs")
        elif latitude == 0 and longitude == 0:
            self.refuse(at + "latitude", RowCode.NOT_A_COORDINATE, "0, 0 is where no coordinates were found")
        return latitude, longitude

    def phones(self, prefix: str, country: str) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for part in ("phone", "phone_2"):
            for number in self.take(f"{prefix}.{part}", lambda cell: _read_phones(cell, country)) or ():
                found[number] = None
        return tuple(found)

    def answers(
        self, prefix: str, parts: Sequence[str], country: str, address: AddressData | None
    ) -> tuple[AnswerData, ...]:
        found = []
        for part in parts:
            kind = _ANSWER_OF.get(part)
            if kind is None:
                continue
            name = f"{prefix}.{part}"
            normal = self.take(name, partial(_read_answer, kind, self.using.date_order))
            if normal is None:
                continue
            if kind is AnswerKind.POSTCODE and address and clean(address.postcode or "") == normal:
                self.refuse(name, RowCode.ANSWER_IS_ON_THE_SHEET, "the postcode of the visited address proves nothing")
            found.append(AnswerData(kind, independent_group(kind, country), normal))
        return tuple(found)


def _read_answer(kind: AnswerKind, order: DateOrder, cell: Cell) -> str:
    text = read_date(cell, order).isoformat() if kind is AnswerKind.BIRTH_DATE else read_text(cell)
    try:
        return normalise(kind, text)
    except NoAnswer as refusal:
        raise CellRefused(RowCode.NOT_AN_ANSWER, f"cannot be a {kind.value}: {refusal}") from refusal


def made_payment_ref(paid_on: date, amount_minor: int) -> str:
    """The key of a payment that has none of the creditor's: its day and amount."""
    return f"{paid_on.isoformat()}:{amount_minor}"


def _read_phones(cell: Cell, country: str) -> tuple[str, ...]:
    texts = [text for text in _SEPARATORS.split(read_text(cell)) if text.strip()]
    numbers = [read_phone(text.strip(), country) for text in texts]
    if len(numbers) > MOST_CONTACTS or any(number.flag for number in numbers):
        raise CellRefused(RowCode.NOT_A_PHONE, f"not a telephone number of {country} (or with + of any country)")
    return tuple(number.value for number in numbers)


def _read_emails(cell: Cell) -> tuple[str, ...]:
    texts = [text for text in _SEPARATORS.split(read_text(cell)) if text.strip()]
    addresses = [_email(text.strip()) for text in texts]
    if len(addresses) > MOST_CONTACTS:
        raise CellRefused(RowCode.NOT_AN_EMAIL, f"more than {MOST_CONTACTS} e-mail addresses")
    return tuple(addresses)


def _email(text: str) -> str:
    """As `read_email`, but a file has few domains: each is checked once."""
    local, _, domain = text.rpartition("@")
    if _PLAIN_LOCAL.fullmatch(local) and ".." not in local:
        return f"{local}@{_domain(domain)}"
    return _whole_email(text)


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str:
    return _whole_email(f"a@{domain}").removeprefix("a@")


def _whole_email(text: str) -> str:
    read = read_email(text)
    if read.flag:
        raise CellRefused(RowCode.NOT_AN_EMAIL, "not an e-mail address")
    return read.value
