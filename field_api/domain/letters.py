"""The written notification: what it must say where, composed from facts, or refused with the missing field's name.

A letter is data: parts in one or two languages, each a list of blocks. The paper and the phone lay out the same
blocks. Rules and words are data of field_api/rules/letters (one file per jurisdiction and one per language, each rule
with its source).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from field_api.domain.letter_model import (
    DisputeFacts,
    Instalment,
    LetterBrand,
    LetterContent,
    LetterFacts,
    LetterKind,
    LetterRefused,
    LetterRules,
    LetterState,
    Notice,
    Part,
    PromiseFacts,
    Texts,
)
from field_api.domain.letter_strings import Strings, letter_strings, unbroken
from field_api.domain.printable import printable_in

__all__ = [
    "DisputeFacts",
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
    "Texts",
    "compose",
]


def compose(
    facts: LetterFacts, rules: LetterRules, texts: Mapping[str, Texts], serial: str
) -> LetterContent | LetterRefused:
    """The letter, or why it is refused: every required field present, no forbidden word in what others supplied."""
    facts = printable_in(facts)
    refusal = missing_field(facts, rules) or forbidden_words(facts, rules)
    if refusal:
        return refusal
    return LetterContent(
        kind=facts.kind,
        jurisdiction=rules.jurisdiction,
        serial=serial,
        dated_on=facts.dated_on.isoformat(),
        paper=rules.paper,
        window=rules.window,
        sender_lines=tuple(
            filter(None, [facts.agency_name, facts.agency_address, facts.agency_phone, facts.agency_email])
        ),
        address_lines=(facts.name, *facts.address_lines),
        parts=tuple(_part(facts, rules, texts[language]) for language in languages_for(facts, rules, texts)),
        in_name_of=facts.in_name_of,
        brand=facts.brand,
        template=facts.template,
    )


def missing_field(facts: LetterFacts, rules: LetterRules) -> LetterRefused | None:
    for name, source in rules.required.items():
        if not getattr(facts, name):
            return LetterRefused(name, "missing", source)
    return None


def forbidden_words(facts: LetterFacts, rules: LetterRules) -> LetterRefused | None:
    """Looks at what the agency and the creditor supplied; the shipped texts and prescribed notices are reviewed."""
    supplied = {
        "agency_name": facts.agency_name,
        "creditor_name": facts.creditor_name,
        "product": facts.product,
        "settlement": facts.settlement,
        "payment_ways": " ".join(facts.payment_ways),
        "collector_name": facts.collector_name,
    }
    for name, value in supplied.items():
        for pattern, source in rules.forbidden.items():
            if re.search(pattern, value, re.IGNORECASE):
                return LetterRefused(name, "forbidden", source)
    return None


def languages_for(facts: LetterFacts, rules: LetterRules, texts: Mapping[str, Texts]) -> list[str]:
    """The jurisdiction's own language first where it insists, then the addressee's where the office has its words."""
    wanted = facts.language.partition("-")[0].lower()
    spoken = wanted if wanted in texts else rules.default_language
    return list(dict.fromkeys(filter(None, [rules.first_language, spoken])))


def _part(facts: LetterFacts, rules: LetterRules, texts: Texts) -> Part:
    say = letter_strings(facts, rules, texts)
    notices = [notice for notice in rules.notices if notice.sector in ("", facts.sector)]
    blocks = [
        *_notices(notices, "top", rules, say),
        *_opening(facts, say),
        _facts_block(facts, say),
        _table(facts, say),
        *_settling(facts, say),
        *_complaints(facts, say),
        *_notices(notices, "end", rules, say),
        *_closing(facts, say),
    ]
    return Part(texts.language, say("title_" + facts.kind), say.day(facts.dated_on), tuple(blocks))


def _opening(facts: LetterFacts, say: Strings) -> list[dict[str, Any]]:
    opening = "opening_guarantor" if facts.role == "guarantor" else "opening"
    return [_block("paragraph", text=say("greeting")), _block("paragraph", text=say(opening))]


def _facts_block(facts: LetterFacts, say: Strings) -> dict[str, Any]:
    original = facts.original_creditor if facts.original_creditor != facts.creditor_name else ""
    rows = [
        ("creditor", say.creditor),
        ("original_creditor", original),
        ("product", facts.product),
        ("reference", say.reference),
        ("contract_on", say.day(facts.contract_on)),
        ("due_on", say.day(facts.due_on)),
        ("calculated_on", say.day(facts.calculated_on)),
        ("interest_calculation", facts.interest_calculation),
        ("vat_statement", facts.vat_statement),
    ]
    return _block("facts", rows=[[say("label_" + key), value] for key, value in rows if value])


def _table(facts: LetterFacts, say: Strings) -> dict[str, Any]:
    rows = [
        ["principal", say.money(facts.principal_minor)],
        ["interest", say.money(facts.interest_minor)],
        ["fees", say.money(facts.fees_minor)],
        ["credits", say.money(-facts.credits_minor)],
    ]
    return _block(
        "table",
        caption=say("table_caption"),
        rows=[[say("row_" + key), amount] for key, amount in rows],
        total=[say("row_total"), say.money(facts.balance_minor)],
    )


def _settling(facts: LetterFacts, say: Strings) -> list[dict[str, Any]]:
    terms = [_block("paragraph", text=say("settlement_terms"))] if facts.settlement else []
    return [
        _block("heading", text=say("heading_pay")),
        _block("paragraph", text=say("settlement_full")),
        *terms,
        _block("list", items=list(facts.payment_ways)),
        _block("paragraph", text=say("pay_only"), strong=True),
    ]


def _complaints(facts: LetterFacts, say: Strings) -> list[dict[str, Any]]:
    unit = " · ".join(
        filter(None, [facts.complaints_address, unbroken(facts.complaints_phone), facts.complaints_email])
    )
    return [
        _block("heading", text=say("heading_questions")),
        _block("paragraph", text=say("questions")),
        *([_block("paragraph", text=f"{say('complaints')} {unit}")] if unit else []),
    ]


def _notices(notices: Sequence[Notice], place: str, rules: LetterRules, say: Strings) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for notice in (notice for notice in notices if notice.place == place):
        language = say.language if say.language in notice.text else rules.default_language
        if language in notice.heading:
            blocks.append(_block("heading", text=notice.heading[language]))
        blocks.append(
            _block("paragraph" if notice.checks or place == "top" else "small", text=say.fill(notice.text[language]))
        )
        if language in notice.checks:
            blocks.append(_block("checks", items=list(notice.checks[language])))
    return blocks


def _closing(facts: LetterFacts, say: Strings) -> list[dict[str, Any]]:
    rows = [
        ("collector_name", facts.collector_name),
        ("responsible_persons", facts.responsible_persons),
        ("registration", facts.registration),
        ("permit_number", facts.permit_number),
        ("supervisory_authority", facts.supervisory_authority),
    ]
    return [
        _block("paragraph", text=say("closing")),
        _block("facts", rows=[[say("label_" + key), value] for key, value in rows if value]),
    ]


def _block(kind: str, **content: Any) -> dict[str, Any]:
    return {"block": kind, **content}
