"""A letter's sentences with its facts filled in: amounts and dates as CLDR writes them in that place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision

from field_api.domain.letter_model import LetterFacts, LetterRules, Texts

ASSUMED_TO_ARRIVE_DAYS = 14
"""12 CFR 1006.34(b)(5): receipt may be assumed five business days on, not before; 14 days hold five in any season."""
VALIDATION_DAYS = 30  # 12 CFR 1006.34(b)(5)


@dataclass(frozen=True)
class Strings:
    """`say("key")` is a sentence of the language; values go in as they are and are never read as a pattern again."""

    language: str
    locale: Locale
    currency: str
    words: Mapping[str, str]
    values: Mapping[str, str]

    def __call__(self, key: str) -> str:
        return self.fill(self.words[key])

    def fill(self, sentence: str) -> str:
        # A company's name may end in a full stop ("S.A. de C.V."), and so may the sentence: one is enough.
        return sentence.format_map(self.values).replace("..", ".")

    def money(self, minor: int) -> str:
        return money(minor, self.currency, self.locale)

    def day(self, value: date | None) -> str:
        return format_date(value, "long", locale=self.locale) if value else ""

    @property
    def creditor(self) -> str:
        return self.values["creditor_full"]

    @property
    def reference(self) -> str:
        return self.values["reference"]


def money(minor: int, currency: str, locale: Locale) -> str:
    """Integer minor units in the locale's writing, with as many decimals as the currency has (CLDR)."""
    amount = Decimal(minor).scaleb(-get_currency_precision(currency))
    return format_currency(amount, currency, locale=locale)


def unbroken(phone: str) -> str:
    """A telephone number that no line break divides."""
    return phone.replace(" ", "\N{NO-BREAK SPACE}")


def locale_of(language: str, territory: str) -> Locale:
    """The locale of a language in a territory, of the language alone, or English: what CLDR has."""
    for name in (f"{language}_{territory}", language):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):  # ValueError: not even the shape of a locale's name
            continue
    return Locale("en")


def letter_strings(facts: LetterFacts, rules: LetterRules, texts: Texts) -> Strings:
    locale = locale_of(texts.language, rules.territory)

    def day(value: date | None) -> str:
        return format_date(value, "long", locale=locale) if value else ""

    until = facts.dated_on + timedelta(days=ASSUMED_TO_ARRIVE_DAYS + VALIDATION_DAYS)
    values = {
        "name": facts.name,
        "agency": facts.agency_name,
        "agency_address": facts.agency_address,
        "agency_phone": facts.agency_phone,
        "agency_contact": " · ".join(
            filter(None, [unbroken(facts.agency_phone), facts.agency_email, facts.agency_address])
        ),
        "collector": facts.collector_name,
        "creditor": facts.creditor_name,
        "creditor_full": ", ".join(
            filter(None, [facts.creditor_name, facts.creditor_address, unbroken(facts.creditor_phone)])
        ),
        "reference": _truncated(facts.reference) if rules.truncate_reference else facts.reference,
        "total": money(facts.balance_minor, facts.currency, locale),
        "dated_on": day(facts.dated_on),
        "calculated_on": day(facts.calculated_on),
        "itemised_on": day(facts.itemised_on),
        "validation_until": day(until),
        "settlement": facts.settlement,
    }
    return Strings(
        texts.language, locale, facts.currency, {**texts.words, **rules.texts.get(texts.language, {})}, values
    )


def _truncated(reference: str) -> str:
    """12 CFR 1006.34(c)(2)(iv): the account number, or a truncated version of it."""
    return reference if len(reference) <= 4 else f"…{reference[-4:]}"
