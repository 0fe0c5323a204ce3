"""The written notification: what it must say where, composed from facts, or refused with the missing field's name.

A letter is data: parts in one or two languages, each a list of blocks. The paper and the phone lay out the same
blocks. Rules and words are data of field_api/rules/letters (one file per jurisdiction and one per language, each rule
with its source).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from field_api.domain.letter_blocks import notices_of, part
from field_api.domain.letter_checks import refusal
from field_api.domain.letter_model import (
    DisputeFacts,
    Instalment,
    LetterBrand,
    LetterContent,
    LetterFacts,
    LetterKind,
    LetterRefused,
    LetterState,
    Part,
    PromiseFacts,
)
from field_api.domain.letter_rules import Forbidden, LetterRules, Notice, Requirement, Texts, required_of
from field_api.domain.letter_text import plain_text
from field_api.domain.letter_words import check_words
from field_api.domain.printable import printable_in

__all__ = [
    "DisputeFacts",
    "Forbidden",
    "Instalment",
    "LetterBrand",
    "LetterContent",
    "LetterFacts",
    "LetterKind",
    "LetterRefused",
    "LetterRules",
    "LetterState",
    "Notice",
    "Part",
    "PromiseFacts",
    "Requirement",
    "Texts",
    "check_words",
    "compose",
    "languages_for",
    "plain_text",
    "required_of",
]


def compose(
    facts: LetterFacts, rules: LetterRules, texts: Mapping[str, Texts], serial: str
) -> LetterContent | LetterRefused:
    """The letter, or why it is refused: every required field present, no forbidden word in what others supplied."""
    facts = printable_in(facts)
    refused = refusal(facts, rules)
    if refused:
        return refused
    languages = languages_for(facts, rules, texts)
    brand = _look(facts.brand, rules)
    return LetterContent(
        kind=facts.kind,
        jurisdiction=rules.jurisdiction,
        serial=serial,
        dated_on=facts.dated_on.isoformat(),
        paper=rules.paper,
        window=rules.window,
        sender_lines=brand.sender_lines or _own_lines(facts),
        address_lines=(facts.name, *facts.address_lines),
        parts=tuple(part(facts, rules, texts[one], with_free=one == languages[-1]) for one in languages),
        in_name_of=facts.in_name_of,
        brand=brand,
        template=facts.template,
    )


def languages_for(facts: LetterFacts, rules: LetterRules, texts: Mapping[str, Texts]) -> list[str]:
    """The languages of the letter's parts, the addressee's last.

    The addressee's where the office has its words, else the place's default. In front of it the place's own, where it
    insists (`first_language`), or where it prescribes a notice that it does not word in the addressee's language: then
    the default language stands beside it, whole, and its notices with it.
    """
    wanted = facts.language.partition("-")[0].lower()
    spoken = wanted if wanted in texts else rules.default_language
    lacks_notice = any(spoken not in notice.text for notice in notices_of(facts, rules))
    beside = rules.default_language if lacks_notice else ""
    return list(dict.fromkeys(filter(None, [rules.first_language, beside, spoken])))


def _look(brand: LetterBrand, rules: LetterRules) -> LetterBrand:
    """Where letters go out in the agency's own name, no letterhead of a creditor says otherwise."""
    return replace(brand, sender_lines=(), logo="") if rules.agency_only else brand


def _own_lines(facts: LetterFacts) -> tuple[str, ...]:
    agency = (facts.agency_name, facts.agency_address, facts.agency_phone, facts.agency_email)
    creditor = (facts.creditor_name, facts.creditor_address, facts.creditor_phone)
    return tuple(filter(None, creditor if facts.in_name_of == "creditor" else agency))
