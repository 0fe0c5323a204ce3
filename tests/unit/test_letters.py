"""Letters of six kinds: each says what it is for, in the right language and writing, or is refused by name."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import holidays
import pytest

from field_api.domain.days_off import us_legal_holidays
from field_api.domain.letter_days import validation_until
from field_api.domain.letter_rules import ASKING, PAYING, ValidationPeriod
from field_api.domain.letter_strings import direction, locale_of, money
from field_api.domain.letter_text import plain_text
from field_api.domain.letters import (
    DisputeFacts,
    Instalment,
    LetterBrand,
    LetterFacts,
    LetterRefused,
    PromiseFacts,
    compose,
)
from field_api.rules.letters import LANGUAGES, all_rules, all_texts, rules_for
from tests.letter_samples import FACTS, KINDS, SERIAL, composed, sample

DAY = FACTS.dated_on


def said(facts: LetterFacts) -> str:
    return json.dumps(composed(facts).wire(), ensure_ascii=False).replace("\N{NO-BREAK SPACE}", " ")


def refused(facts: LetterFacts) -> LetterRefused:
    rules = rules_for(facts.jurisdiction)
    assert rules is not None
    result = compose(facts, rules, all_texts(), SERIAL)
    assert isinstance(result, LetterRefused), "it was written"
    return result


# Words of every language


def test_every_language_has_every_sentence_with_the_same_blanks() -> None:
    english = all_texts()["en"].words
    for language, texts in all_texts().items():
        assert texts.words.keys() == english.keys(), language
        for key, sentence in texts.words.items():
            assert sentence.strip() == sentence and sentence, f"{language}.{key}"
            assert _blanks(sentence) == _blanks(english[key]), f"{language}.{key}"


def test_no_two_languages_say_the_same_sentence() -> None:
    """A key that was copied and not translated stands out."""
    sentences = [
        text for texts in all_texts().values() for key, text in texts.words.items() if key.startswith(("opening", "q"))
    ]
    assert len(sentences) == len(set(sentences)) == 9 * len(LANGUAGES)


def _blanks(sentence: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", sentence))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_is_written_in_every_language(language: str) -> None:
    openings = set()
    for kind in KINDS:
        [part] = composed(sample(kind, "LI", language)).parts
        assert part.language == language
        assert part.title == all_texts()[language].words[f"title_{kind}"]
        text = plain_text(part)
        assert "{" not in text and "None" not in text and ".." not in text
        openings.add(all_texts()[language].words[f"opening_{kind}"])
    assert len(openings) == len(KINDS)


# What a kind needs and says


@pytest.mark.parametrize("kind", KINDS)
def test_who_speaks_of_paying_says_that_only_the_creditor_is_paid(kind: str) -> None:
    for language in LANGUAGES:
        text = said(sample(kind, "LI", language))
        only = all_texts()[language].words["pay_only"].replace("{creditor}", FACTS.creditor_name)
        assert (only in text) == (kind in PAYING)
        assert (FACTS.payment_ways[0] in text) == (kind in PAYING)


def test_an_acknowledged_dispute_asks_for_nothing() -> None:
    facts = sample("dispute_acknowledgement", settlement="10 % off")
    text = said(facts)
    assert "El monto es incorrecto" in text and "30 de noviembre de 2026" in text
    assert "$" not in text and "10 % off" not in text and "Vencido" not in text
    for balance in (0, -500):  # what was paid and is disputed
        composed(replace(facts, balance_minor=balance))
    for words in ("Por favor pague hoy.", "PAGUE YA"):
        assert refused(replace(facts, free_paragraphs=(words,))).field == "free_paragraphs"
    composed(replace(facts, free_paragraphs=("Lo revisamos con cuidado.",)))


def test_a_promise_is_confirmed_with_what_stays_open() -> None:
    text = said(sample("promise_confirmation"))
    assert "$4,000.00" in text and "1 de diciembre de 2026" in text and "SPEI" in text
    assert "quedan por pagar $6,000.00" in text
    whole = PromiseFacts(1_000_000, due_on=date(2026, 12, 1), made_on=DAY)
    assert "Una vez pagado lo acordado, queda liquidado" in said(sample("promise_confirmation", promise=whole))


def test_a_plan_shows_every_instalment_and_their_sum() -> None:
    blocks = composed(sample("payment_plan")).parts[0].blocks
    schedule = next(block for block in blocks if block["block"] == "table")
    assert schedule["rows"][0] == ["1 · 1 de diciembre de 2026", "$3,000.00"] and len(schedule["rows"]) == 3
    assert schedule["total"] == ["Suma de las parcialidades", "$9,000.00"]
    assert [block["head"] for block in blocks if block["block"] == "table"] == [
        ["Parcialidad y fecha", "Monto"],
        ["Concepto", "Monto"],
    ]


def _plan(*minors: int, days: tuple[int, ...] = (1, 2, 3), first: int = 1) -> dict[str, Any]:
    entries = zip(minors, days, strict=False)
    return {
        "instalments": tuple(
            Instalment(number, DAY + timedelta(days=day), minor) for number, (minor, day) in enumerate(entries, first)
        )
    }


_EARLY, _LATE = DAY - timedelta(days=1), DAY + timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "facts", "field", "reason"),
    [
        ("promise_confirmation", {"promise": None}, "promise", "missing"),
        ("promise_confirmation", {"promise": PromiseFacts(0, _LATE, DAY)}, "promise", "out-of-range"),
        ("promise_confirmation", {"promise": PromiseFacts(1_000_001, _LATE, DAY)}, "promise", "out-of-range"),
        ("promise_confirmation", {"promise": PromiseFacts(1, _LATE, _LATE)}, "promise", "inconsistent"),
        ("promise_confirmation", {"promise": PromiseFacts(1, _EARLY, DAY)}, "promise", "inconsistent"),
        ("payment_plan", {"instalments": ()}, "instalments", "missing"),
        ("payment_plan", _plan(300_000, 300_000, 299_999), "instalments", "inconsistent"),
        ("payment_plan", _plan(600_000, -1, 300_001), "instalments", "out-of-range"),
        ("payment_plan", _plan(300_000, 300_000, 300_000, days=(1, 3, 2)), "instalments", "inconsistent"),
        ("payment_plan", _plan(300_000, 300_000, 300_000, first=2), "instalments", "inconsistent"),
        ("payment_plan", {"promise": None}, "instalments", "inconsistent"),  # then the whole balance is to be paid
        ("dispute_acknowledgement", {"dispute": None}, "dispute", "missing"),
        ("dispute_acknowledgement", {"dispute": DisputeFacts("paid", DAY, None)}, "dispute.answer_by", "missing"),
        ("dispute_acknowledgement", {"dispute": DisputeFacts("paid", DAY, _EARLY)}, "dispute.answer_by", "inconsistent"),
        ("dispute_acknowledgement", {"dispute": DisputeFacts("paid", _LATE, _LATE)}, "dispute.answer_by", "inconsistent"),
        ("dispute_acknowledgement", {"dispute": DisputeFacts("mood", DAY, _LATE)}, "dispute", "out-of-range"),
        ("invoice", {}, "kind", "out-of-range"),
        ("notification", {"in_name_of": "court"}, "in_name_of", "out-of-range"),
        ("notification", {"free_paragraphs": ("x" * 4_001,)}, "free_paragraphs", "out-of-range"),
    ],
)  # fmt: skip
def test_what_a_kind_needs_is_there_and_agrees(kind: str, facts: dict[str, Any], field: str, reason: str) -> None:
    result = refused(sample(kind, **facts))
    assert (result.field, result.reason) == (field, reason)
    assert str(result).startswith(f"{reason}: {field} (") and result.source


@pytest.mark.parametrize("kind", sorted(PAYING))
@pytest.mark.parametrize("balance", [0, -1, 10**18])
def test_a_letter_about_no_amount_is_refused_by_the_fields_name(kind: str, balance: int) -> None:
    assert str(refused(sample(kind, balance_minor=balance))).startswith("out-of-range: balance_minor (")


@pytest.mark.parametrize("name", ["principal_minor", "interest_minor", "fees_minor"])
def test_a_negative_part_is_refused_by_its_name(name: str) -> None:
    assert refused(sample(**{name: -1})).field == name


def test_a_last_notice_threatens_nothing_and_sets_no_day() -> None:
    """The only day that it names is the one on which the amount was calculated, and since when it is overdue."""
    for language in LANGUAGES:
        opening = all_texts()[language].words["opening_final_warning"]
        assert _blanks(opening) == {"total", "creditor"}
        assert not re.search(r"\d", opening)


# In whose name, and the creditor's own words


def test_a_letter_in_the_creditors_name_says_who_acts_for_it() -> None:
    content = composed(sample(in_name_of="creditor"))
    assert content.sender_lines == (FACTS.creditor_name, FACTS.creditor_address, FACTS.creditor_phone)
    text = plain_text(content.parts[0])
    assert text.count(FACTS.agency_name) == 2, "in the first sentence, and where questions go"
    assert FACTS.agency_address in text and content.in_name_of == "creditor"


def test_a_brand_has_its_own_sender_lines_and_travels_with_the_content() -> None:
    brand = LetterBrand(sender_lines=("Mueblería Ficticia",), colour="#123456", signature_name="R. Inventada")
    content = composed(sample(brand=brand, template="ab" * 32))
    assert content.sender_lines == ("Mueblería Ficticia",)
    assert content.wire()["brand"]["colour"] == "#123456" and content.wire()["template"] == "ab" * 32


def test_the_creditors_paragraphs_stand_in_the_addressees_part_alone() -> None:
    parts = composed(sample(jurisdiction="US", free_paragraphs=("Le damos las gracias.",))).parts
    assert ["Le damos las gracias." in plain_text(part) for part in parts] == [False, True]


def test_a_value_is_never_read_as_a_pattern() -> None:
    text = said(replace(FACTS, creditor_name="{agency_phone} {0}", settlement="{total}", reference="{"))
    assert "{agency_phone} {0}" in text and "Condiciones que ofrece el acreedor: {total}" in text


def test_a_value_keeps_its_full_stops() -> None:
    text = said(replace(FACTS, settlement="Pague 50 %... y ya."))
    assert "Pague 50 %... y ya." in text and "C.V..," not in text


# Amounts and days as people there write them


@pytest.mark.parametrize(
    ("jurisdiction", "language", "currency", "amount", "day"),
    [
        ("MX", "es", "MXN", "$10,000.00", "18 de noviembre de 2026"),
        ("LI", "de", "CHF", "CHF 10’000.00", "18. November 2026"),
        ("FR", "fr", "EUR", "10\u202f000,00 €", "18 novembre 2026"),
        ("US", "en", "USD", "$10,000.00", "November 18, 2026"),
        ("GB", "en", "GBP", "£10,000.00", "18 November 2026"),
        ("CA-QC", "fr", "CAD", "10 000,00 $", "18 novembre 2026"),
        ("IT", "it", "EUR", "10.000,00 €", "18 novembre 2026"),
        ("PT", "pt", "EUR", "10 000,00 €", "18 de novembro de 2026"),
        ("NL", "nl", "EUR", "€ 10.000,00", "18 november 2026"),
        ("ES", "es", "EUR", "10.000,00 €", "18 de noviembre de 2026"),
        ("AT", "de", "EUR", "€ 10.000,00", "18. November 2026"),
        ("IE", "en", "EUR", "€10,000.00", "18 November 2026"),
        ("PL", "en", "EUR", "10.000,00 €", "18 November 2026"),
        ("MX", "es", "JPY", "1,000,000", "18 de noviembre de 2026"),
        ("MX", "es", "KWD", "1,000.000", "18 de noviembre de 2026"),
    ],
)
def test_amounts_and_dates_are_written_as_people_there_write_them(
    jurisdiction: str, language: str, currency: str, amount: str, day: str
) -> None:
    text = said(replace(FACTS, jurisdiction=jurisdiction, language=language, currency=currency))
    assert amount in text and day in text


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "written"),
    [
        (0, "MXN", "es_MX", "$0.00"),
        (-60_000, "MXN", "es_MX", "-$600.00"),
        (-1, "EUR", "de_DE", "-0,01 €"),
        (-1, "CHF", "de_LI", "-CHF 0.01"),
        (10**18 - 1, "USD", "en_US", "$9,999,999,999,999,999.99"),
        (10**18 - 1, "JPY", "en_US", "¥999,999,999,999,999,999"),
        (10**18 - 1, "KWD", "en_US", "KWD999,999,999,999,999.999"),
        (123_456_789, "EUR", "pt_PT", "1 234 567,89 €"),
    ],
)
def test_no_amount_loses_a_digit(minor: int, currency: str, locale: str, written: str) -> None:
    found = money(minor, currency, locale_of(*locale.split("_")))
    assert re.sub(r"[\u00a0\u202f]", " ", found) == written


def test_the_first_of_a_month_is_written_as_french_writes_it() -> None:
    text = said(replace(FACTS, jurisdiction="FR", language="fr"))
    assert "1er novembre 2026" in text and "31 janvier 2024" in text and " 1 novembre" not in text


def test_words_are_set_as_print_sets_them() -> None:
    """Apostrophes are curled; no sentence has two spaces or a space before its full stop."""
    notices = [text for rules in all_rules().values() for notice in rules.notices for text in notice.text.values()]
    for text in [*notices, *(word for texts in all_texts().values() for word in texts.words.values())]:
        assert not re.search(r"\w'\w|  | \.", text), text


def test_the_table_adds_up_and_shows_what_was_paid() -> None:
    table = next(block for block in composed(FACTS).parts[0].blocks if block["block"] == "table")
    assert [amount for _, amount in table["rows"]] == ["$10,000.00", "$500.00", "$100.00", "-$600.00"]
    assert table["total"] == ["Total", "$10,000.00"]


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("es-MX", "ltr"),
        ("ar", "rtl"),
        ("he-IL", "rtl"),
        ("fa", "rtl"),
        ("az-Arab", "rtl"),
        ("xx-not", "ltr"),
        ("", "ltr"),
    ],
)
def test_how_a_language_is_written(language: str, written: str) -> None:
    assert direction(language) == written


# Days of the United States


def test_legal_holidays_are_those_of_the_calendar_with_the_days_on_which_they_are_kept() -> None:
    for year in range(2024, 2034):
        assert us_legal_holidays(year) == frozenset(holidays.country_holidays("US", years=year)), year


@pytest.mark.parametrize(
    ("sent_on", "until"),
    [
        (date(2026, 11, 18), date(2026, 12, 25)),  # a week of five days before Thanksgiving: there on Wednesday 25th
        (date(2026, 11, 20), date(2026, 12, 30)),  # over Thanksgiving: there on Monday 30th
        (date(2026, 12, 18), date(2027, 1, 27)),  # over Christmas: there on Monday 28th
        (date(2026, 7, 1), date(2026, 8, 8)),  # the Fourth is a Saturday, kept on Friday: there on Thursday 9th
        (date(2027, 12, 27), date(2028, 2, 3)),  # New Year's Day 2028 is a Saturday, kept on Friday 31st
    ],
)
def test_the_validation_period_counts_business_days_to_arrive_and_thirty_to_answer(sent_on: date, until: date) -> None:
    assert validation_until(sent_on, ValidationPeriod(5, 30)) == until


def test_every_letter_that_may_be_the_first_tells_the_day_in_words() -> None:
    for kind in KINDS:
        assert ("December 25, 2026" in said(sample(kind, "US", "en"))) == (kind in ASKING)
