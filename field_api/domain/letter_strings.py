"""A letter's sentences with its facts filled in: amounts and dates as CLDR writes them in that place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal

from field_api.domain.amounts import minor_digits
from field_api.domain.letter_days import validation_until
from field_api.domain.letter_model import LetterFacts
from field_api.domain.letter_rules import LetterRules, Texts

_BLANK = re.compile(r"\{([a-z_]+)\}(\.?)")


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
        """Raises KeyError, naming it, where the sentence has a blank that no letter fills."""

        # A company's name may end in a full stop ("S.A. de C.V."), and so may the sentence: one is enough.
        def filled(blank: re.Match[str]) -> str:
            value = self.values[blank[1]]
            return value if value.endswith(".") else value + blank[2]

        return _BLANK.sub(filled, sentence)

    def money(self, minor: int) -> str:
        return money(minor, self.currency, self.locale)

    def day(self, value: date | None) -> str:
        if value is None:
            return ""
        written = format_date(value, "long", locale=self.locale)
        # CLDR's pattern has no ordinals; French writes one for the first of the month alone.
        return f"1er{written[1:]}" if self.language == "fr" and value.day == 1 else written

    def number(self, value: int) -> str:
        return str(format_decimal(value, locale=self.locale))


def money(minor: int, currency: str, locale: Locale) -> str:
    """Integer minor units (below 10**18) in the locale's writing, with as many decimals as the currency has (CLDR)."""
    amount = Decimal(minor).scaleb(-minor_digits(currency))
    return str(format_currency(amount, currency, locale=locale))


def unbroken(phone: str) -> str:
    """A telephone number that no line break divides."""
    return phone.replace(" ", "\N{NO-BREAK SPACE}")


def locale_of(language: str, territory: str) -> Locale:
    """The locale of a language in a territory, of the language in Europe or alone, or English: what CLDR has."""
    for name in (f"{language}_{territory}", f"{language}_150", language):
        try:
            return Locale.parse(name)
        except (UnknownLocaleError, ValueError):  # ValueError: not even the shape of a locale's name
            continue
    return Locale("en")


def direction(language: str) -> str:
    """`rtl` or `ltr`: how a language (BCP 47) is written; `ltr` where CLDR does not know it."""
    try:
        return "rtl" if Locale.parse(language, sep="-").text_direction == "rtl" else "ltr"
    except (UnknownLocaleError, ValueError):
        return "ltr"


def letter_strings(facts: LetterFacts, rules: LetterRules, texts: Texts) -> Strings:
    """The words of `texts`, or those that differ in this place, with every blank that letters fill."""
    locale = locale_of(texts.language, rules.territory)
    words = {**texts.words, **rules.texts.get(texts.language, {})}
    bare = Strings(texts.language, locale, facts.currency, words, {})
    return Strings(
        texts.language, locale, facts.currency, words, _sides(facts) | _debt(facts, rules, bare) | _agreed(facts, bare)
    )


def _sides(facts: LetterFacts) -> dict[str, str]:
    agency = [unbroken(facts.agency_phone), facts.agency_email, facts.agency_address]
    if facts.in_name_of == "creditor":
        agency.insert(0, facts.agency_name)  # elsewhere it is the sender
    return {
        "name": facts.name,
        "agency": facts.agency_name,
        "agency_address": facts.agency_address,
        "agency_phone": facts.agency_phone,
        "agency_contact": " · ".join(filter(None, agency)),
        "collector": facts.collector_name,
        "creditor": facts.creditor_name,
        "creditor_full": ", ".join(
            filter(None, [facts.creditor_name, facts.creditor_address, unbroken(facts.creditor_phone)])
        ),
        "original_creditor": facts.original_creditor,
        "permit_number": facts.permit_number,
        "registration": facts.registration,
        "address_source": facts.address_source,
    }


def _debt(facts: LetterFacts, rules: LetterRules, say: Strings) -> dict[str, str]:
    until = validation_until(facts.dated_on, rules.validation) if rules.validation else None
    return {
        "reference": _truncated(facts.reference) if rules.truncate_reference else facts.reference,
        "total": say.money(facts.balance_minor),
        "dated_on": say.day(facts.dated_on),
        "due_on": say.day(facts.due_on),
        "calculated_on": say.day(facts.calculated_on),
        "itemised_on": say.day(facts.itemised_on),
        "validation_until": say.day(until),
        "settlement": facts.settlement,
    }


def _agreed(facts: LetterFacts, say: Strings) -> dict[str, str]:
    promise, dispute = facts.promise, facts.dispute
    return {
        "agreed": say.money(facts.agreed_minor),
        "rest": say.money(facts.balance_minor - facts.agreed_minor),
        "promise_made_on": say.day(promise.made_on if promise else None),
        "dispute_answer_by": say.day(dispute.answer_by if dispute else None),
    }


def _truncated(reference: str) -> str:
    """12 CFR 1006.34(c)(2)(iv): the account number, or a truncated version of it."""
    return reference if len(reference) <= 4 else f"…{reference[-4:]}"
