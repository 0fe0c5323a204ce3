"""Why a letter is not written: a fact that is missing, that cannot be, or that holds a forbidden word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from field_api.domain.letter_model import LetterFacts, LetterKind, LetterRefused
from field_api.domain.letter_rules import AGREED, ASKING, GROUPS, PAYING, Forbidden, LetterRules
from field_api.domain.letter_words import STOPPED, TooLong, first_word

MAX_INSTALMENTS = 60  # docs/outcomes.md: as many as a promise may have
MAX_FREE_CHARACTERS = 4_000  # a page and a half; what a creditor adds must not bury what the law wants read
DISPUTE_KINDS = frozenset({"not_my_debt", "wrong_amount", "paid", "service_not_rendered", "fraud", "other"})

_OWN: Mapping[str, Mapping[str, str]] = {
    LetterKind.PROMISE_CONFIRMATION.value: {"promise": "a confirmation states the promise"},
    LetterKind.PAYMENT_PLAN.value: {"instalments": "a plan states its instalments"},
    LetterKind.DISPUTE_ACKNOWLEDGEMENT.value: {"dispute": "an acknowledgement states the dispute"},
}
TOO_MUCH = 10**18
"""Minor units that no account holds: more than a billion times a million in the currency with the most decimals."""
_PARTS = "the parts of an amount are not negative: credits are their own row"
_POSITIVE = "a letter about paying states an amount that is owed"
_SUM = "what is paid, what was agreed and what is owed must agree"
_DAYS = "the days of a letter must follow each other"


def refusal(facts: LetterFacts, rules: LetterRules) -> LetterRefused | None:
    """The first reason not to write this letter, or None."""
    if facts.kind not in GROUPS[""]:
        return LetterRefused("kind", "out-of-range", "a letter is of a known kind")
    return next(_reasons(facts, rules), None)


def _reasons(facts: LetterFacts, rules: LetterRules) -> Iterator[LetterRefused]:
    yield from _amounts(facts)
    yield from _missing(facts, rules)
    yield from _agreed(facts)
    yield from _disputed(facts)
    yield from _sender(facts, rules)
    yield from _words(facts, rules.forbidden)
    if facts.kind == LetterKind.DISPUTE_ACKNOWLEDGEMENT:
        yield from _words(facts, [Forbidden(rules.asking, STOPPED, fields=frozenset({"free_paragraphs"}))])


def _amounts(facts: LetterFacts) -> Iterator[LetterRefused]:
    """An acknowledgement of a dispute states no amount, so any balance is right there."""
    if facts.kind not in PAYING:
        return
    if not 0 < facts.balance_minor < TOO_MUCH:
        yield LetterRefused("balance_minor", "out-of-range", _POSITIVE)
    for name in ("principal_minor", "interest_minor", "fees_minor"):
        if not 0 <= getattr(facts, name) < TOO_MUCH:
            yield LetterRefused(name, "out-of-range", _PARTS)


def _missing(facts: LetterFacts, rules: LetterRules) -> Iterator[LetterRefused]:
    for entry in rules.required:
        if facts.kind not in entry.kinds or entry.sector not in ("", facts.sector):
            continue
        if (not entry.when or getattr(facts, entry.when)) and not _holds(getattr(facts, entry.field)):
            yield LetterRefused(entry.field, "missing", entry.source)
    for name, source in _OWN.get(facts.kind, {}).items():
        if not getattr(facts, name):
            yield LetterRefused(name, "missing", source)
    if not facts.name:  # one of control characters alone is none, once it is printable
        yield LetterRefused("name", "missing", "a letter is written to somebody")


def _holds(value: object) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)


def _agreed(facts: LetterFacts) -> Iterator[LetterRefused]:
    if facts.kind not in AGREED:
        return
    if not 0 < facts.agreed_minor <= facts.balance_minor:
        yield LetterRefused("promise", "out-of-range", _SUM)
    if facts.promise and facts.kind == LetterKind.PROMISE_CONFIRMATION:
        if not facts.promise.made_on <= facts.dated_on:
            yield LetterRefused("promise", "inconsistent", _DAYS)
        if not facts.promise.made_on <= facts.promise.due_on:
            yield LetterRefused("promise", "inconsistent", _DAYS)
    if facts.kind == LetterKind.PAYMENT_PLAN:
        yield from _plan(facts)


def _plan(facts: LetterFacts) -> Iterator[LetterRefused]:
    entries = facts.instalments
    if len(entries) > MAX_INSTALMENTS or any(entry.amount_minor <= 0 for entry in entries):
        yield LetterRefused("instalments", "out-of-range", f"1 to {MAX_INSTALMENTS} instalments, each above zero")
    if sum(entry.amount_minor for entry in entries) != facts.agreed_minor:
        yield LetterRefused("instalments", "inconsistent", _SUM)
    days = [entry.due_on for entry in entries]
    if [entry.number for entry in entries] != list(range(1, len(entries) + 1)) or days != sorted(days):
        yield LetterRefused("instalments", "inconsistent", _DAYS)


def _disputed(facts: LetterFacts) -> Iterator[LetterRefused]:
    dispute = facts.dispute
    if facts.kind != LetterKind.DISPUTE_ACKNOWLEDGEMENT or dispute is None:
        return
    if dispute.kind not in DISPUTE_KINDS:
        yield LetterRefused("dispute", "out-of-range", "the dispute is of a known kind")
    if dispute.answer_by is None:
        yield LetterRefused("dispute.answer_by", "missing", "an acknowledgement states by when it is answered")
    elif not dispute.received_on <= facts.dated_on <= dispute.answer_by:
        yield LetterRefused("dispute.answer_by", "inconsistent", _DAYS)


def _sender(facts: LetterFacts, rules: LetterRules) -> Iterator[LetterRefused]:
    if facts.in_name_of not in ("agency", "creditor"):
        yield LetterRefused("in_name_of", "out-of-range", "a letter goes out in the agency's or the creditor's name")
    if facts.in_name_of == "creditor" and rules.agency_only:
        yield LetterRefused("in_name_of", "forbidden", rules.agency_only)
    if sum(map(len, facts.free_paragraphs)) > MAX_FREE_CHARACTERS:
        yield LetterRefused("free_paragraphs", "out-of-range", f"at most {MAX_FREE_CHARACTERS} characters")


def _words(facts: LetterFacts, forbidden: Sequence[Forbidden]) -> Iterator[LetterRefused]:
    supplied = supplied_texts(facts)
    for entry in forbidden:
        for name, texts in supplied.items():
            if name in entry.fields or (not entry.fields and name not in _ADDRESSEE):
                yield from _word_of(name, texts, entry)


def _word_of(name: str, texts: Sequence[str], entry: Forbidden) -> Iterator[LetterRefused]:
    try:
        if first_word(texts, entry):
            yield LetterRefused(name, "forbidden", entry.source)
    except TooLong as error:
        yield LetterRefused(name, "out-of-range", str(error))


_ADDRESSEE = frozenset({"name", "address_lines"})
"""Somebody may live in Court Street or be called so: only rules that name these fields look at them."""


def supplied_texts(facts: LetterFacts) -> Mapping[str, Sequence[str]]:
    """What agency and creditor supplied, by field: all of it is shown. The shipped texts are reviewed instead.

    Not the addresses of agency and creditor, nor the supervisory authority: they are what they are called.
    """
    return {
        "name": [facts.name],
        "address_lines": facts.address_lines,
        "agency_name": [facts.agency_name],
        "creditor_name": [facts.creditor_name],
        "original_creditor": [facts.original_creditor],
        "collector_name": [facts.collector_name],
        "responsible_persons": [facts.responsible_persons],
        "registration": [facts.registration],
        "permit_number": [facts.permit_number],
        "reference": [facts.reference],
        "product": [facts.product],
        "vat_statement": [facts.vat_statement],
        "interest_calculation": [facts.interest_calculation],
        "address_source": [facts.address_source],
        "settlement": [facts.settlement] if facts.kind in ASKING else [],
        "payment_ways": facts.payment_ways if facts.kind in PAYING else [],
        "promise": [facts.promise.way] if facts.promise and facts.kind in AGREED else [],
        "free_paragraphs": facts.free_paragraphs,
        "brand.sender_lines": facts.brand.sender_lines,
        "brand.signature_name": [facts.brand.signature_name],
        "brand.signature_title": [facts.brand.signature_title],
    }
