"""The sections of a letter as blocks (field_api/domain/letter_model.py Part), in the order that the place wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from field_api.domain.letter_model import LetterFacts, LetterKind, Part
from field_api.domain.letter_rules import AGREED, ASKING, NOTICE_PLACES, LetterRules, Notice, Texts
from field_api.domain.letter_strings import Strings, letter_strings, unbroken

Blocks = list[dict[str, Any]]


def part(facts: LetterFacts, rules: LetterRules, texts: Texts, *, with_free: bool) -> Part:
    """The letter in one language. `with_free`: it is the addressee's, in which the creditor's own paragraphs are."""
    say = letter_strings(facts, rules, texts)
    notices = notices_of(facts, rules)
    blocks: Blocks = []
    for section in rules.order:
        if section in NOTICE_PLACES:
            blocks += _notices([notice for notice in notices if notice.place == section], say)
        elif section != "free" or with_free:
            blocks += _SECTIONS[section](facts, say)
    return Part(texts.language, say("title_" + facts.kind), say.day(facts.dated_on), tuple(blocks))


def notices_of(facts: LetterFacts, rules: LetterRules) -> list[Notice]:
    """The prescribed texts that this letter carries."""
    return [
        notice
        for notice in rules.notices
        if facts.kind in notice.kinds
        and notice.sector in ("", facts.sector)
        and (not notice.when or getattr(facts, notice.when))
    ]


def _notices(notices: Sequence[Notice], say: Strings) -> Blocks:
    """Those that are written in this language; of one that is not, the place's own language stands in front."""
    blocks: Blocks = []
    for notice in notices:
        if say.language not in notice.text:
            continue
        if say.language in notice.heading:
            blocks.append(_block("heading", text=notice.heading[say.language]))
        kind = "small" if notice.place == "end" and not notice.heading else "paragraph"
        text = say.fill(notice.text[say.language])
        blocks += [_block(kind, text=text)] if text else []
        if say.language in notice.checks:
            blocks.append(_block("checks", items=list(notice.checks[say.language])))
    return blocks


def _opening(facts: LetterFacts, say: Strings) -> Blocks:
    keys = ["greeting", "writes_" + facts.in_name_of]
    keys += ["guarantor"] if facts.role == "guarantor" else []
    return _paragraphs(say, *keys, "opening_" + facts.kind)


def _account(facts: LetterFacts, say: Strings) -> Blocks:
    rows = [
        ("creditor", say.values["creditor_full"]),
        ("original_creditor", facts.original_creditor if facts.transferred else ""),
        ("product", facts.product),
        ("reference", say.values["reference"]),
        ("contract_on", say.day(facts.contract_on)),
    ]
    if facts.kind != LetterKind.DISPUTE_ACKNOWLEDGEMENT:
        rows += [
            ("due_on", say.day(facts.due_on)),
            ("calculated_on", say.day(facts.calculated_on)),
            ("interest_calculation", facts.interest_calculation),
            ("vat_statement", facts.vat_statement),
        ]
    return _facts(rows, say)


def _agreed(facts: LetterFacts, say: Strings) -> Blocks:
    """What was agreed, or what was contested."""
    if facts.kind == LetterKind.PROMISE_CONFIRMATION:
        return _promise(facts, say)
    if facts.kind == LetterKind.PAYMENT_PLAN:
        return _schedule(facts, say)
    return _dispute(facts, say) if facts.kind == LetterKind.DISPUTE_ACKNOWLEDGEMENT else []


def _promise(facts: LetterFacts, say: Strings) -> Blocks:
    promise = facts.promise
    if promise is None:
        return []
    rows = [
        ("promise_amount", say.money(promise.amount_minor)),
        ("promise_due_on", say.day(promise.due_on)),
        ("promise_way", promise.way),
        ("promise_made_on", say.day(promise.made_on)),
    ]
    return _facts(rows, say)


def _schedule(facts: LetterFacts, say: Strings) -> Blocks:
    rows = [
        [f"{say.number(entry.number)} · {say.day(entry.due_on)}", say.money(entry.amount_minor)]
        for entry in facts.instalments
    ]
    return [
        *_facts([("instalment_count", say.number(len(rows)))], say),
        _table(say, "schedule_caption", "head_instalment", rows, "row_instalments", facts.agreed_minor),
    ]


def _dispute(facts: LetterFacts, say: Strings) -> Blocks:
    dispute = facts.dispute
    if dispute is None:
        return []
    rows = [
        ("dispute_kind", say("dispute_kind_" + dispute.kind)),
        ("dispute_received_on", say.day(dispute.received_on)),
        ("dispute_answer_by", say.day(dispute.answer_by)),
    ]
    return [*_facts(rows, say), *_paragraphs(say, "dispute_stopped", "dispute_answer")]


def _itemisation(facts: LetterFacts, say: Strings) -> Blocks:
    if facts.kind == LetterKind.DISPUTE_ACKNOWLEDGEMENT:
        return []
    amounts = {
        "principal": facts.principal_minor,
        "interest": facts.interest_minor,
        "fees": facts.fees_minor,
        "credits": -facts.credits_minor,
    }
    rows = [[say("row_" + name), say.money(minor)] for name, minor in amounts.items()]
    return [_table(say, "table_caption", "head_item", rows, "row_total", facts.balance_minor)]


def _pay(facts: LetterFacts, say: Strings) -> Blocks:
    """How the creditor is paid, and that nobody else is. Nothing of it while a dispute stops collection."""
    if facts.kind in ASKING:
        settles = ["settlement_full", *(["settlement_terms"] if facts.settlement else [])]
    elif facts.kind in AGREED:
        settles = ["agreed_settles" if facts.agreed_minor == facts.balance_minor else "agreed_rest"]
    else:
        return []
    return [
        _block("heading", text=say("heading_pay")),
        *_paragraphs(say, *settles),
        *([_block("list", items=list(facts.payment_ways))] if facts.payment_ways else []),
        _block("paragraph", text=say("pay_only"), strong=True),
    ]


def _free(facts: LetterFacts, say: Strings) -> Blocks:
    return [_block("paragraph", text=text) for text in facts.free_paragraphs]


def _questions(facts: LetterFacts, say: Strings) -> Blocks:
    unit = " · ".join(
        filter(None, [facts.complaints_address, unbroken(facts.complaints_phone), facts.complaints_email])
    )
    ending = "_agreed" if facts.kind in AGREED else "" if facts.kind in ASKING else "_disputed"
    return [
        _block("heading", text=say("heading_questions")),
        *_paragraphs(say, "questions" + ending),
        *([_block("paragraph", text=f"{say('complaints')} {unit}")] if unit else []),
    ]


def _closing(facts: LetterFacts, say: Strings) -> Blocks:
    names = ("collector_name", "responsible_persons", "registration", "permit_number", "supervisory_authority")
    return [*_paragraphs(say, "closing"), *_facts([(name, getattr(facts, name)) for name in names], say)]


_SECTIONS: Mapping[str, Callable[[LetterFacts, Strings], Blocks]] = {
    "opening": _opening,
    "account": _account,
    "agreed": _agreed,
    "table": _itemisation,
    "pay": _pay,
    "free": _free,
    "questions": _questions,
    "closing": _closing,
}


def _paragraphs(say: Strings, *keys: str) -> Blocks:
    return [_block("paragraph", text=say(key)) for key in keys]


def _facts(rows: Sequence[tuple[str, str]], say: Strings) -> Blocks:
    shown = [[say("label_" + name), value] for name, value in rows if value]
    return [_block("facts", rows=shown)] if shown else []


def _table(say: Strings, caption: str, head: str, rows: list[list[str]], total: str, minor: int) -> dict[str, Any]:
    return _block(
        "table",
        caption=say(caption),
        head=[say(head), say("head_amount")],
        rows=rows,
        total=[say(total), say.money(minor)],
    )


def _block(kind: str, **content: Any) -> dict[str, Any]:
    return {"block": kind, **content}
