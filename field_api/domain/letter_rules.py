"""What one place asks of letters, as data: field_api/rules/letters reads it, the composition follows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from field_api.domain.letter_model import LetterKind

_K = LetterKind
ASKING = frozenset({_K.REMINDER.value, _K.NOTIFICATION.value, _K.FINAL_WARNING.value})
"""They ask for payment."""
AGREED = frozenset({_K.PROMISE_CONFIRMATION.value, _K.PAYMENT_PLAN.value})
"""They confirm what will be paid."""
PAYING = ASKING | AGREED
"""They speak of paying: to whom alone is said in every one."""
GROUPS: Mapping[str, frozenset[str]] = {
    "": frozenset(kind.value for kind in LetterKind),
    "asking": ASKING,
    "agreed": AGREED,
    "paying": PAYING,
    **{kind.value: frozenset({kind.value}) for kind in LetterKind},
}
"""The names by which rules speak of kinds."""

ORDER = ("top", "opening", "account", "agreed", "table", "rights", "pay", "free", "questions", "end", "closing", "form")
"""The sections of a letter; a place may put them into another order. Those of NOTICE_PLACES hold notices alone."""
NOTICE_PLACES = frozenset({"top", "rights", "end", "form"})


@dataclass(frozen=True)
class Requirement:
    """A field of LetterFacts that a letter of these kinds must have."""

    field: str
    source: str
    kinds: frozenset[str] = GROUPS[""]
    sector: str = ""  # only for creditors of this sector; empty: all
    when: str = ""  # only where this field of LetterFacts holds something


@dataclass(frozen=True)
class Forbidden:
    """Words (field_api/domain/letter_words.py says how they are written) that what others supply may not hold."""

    words: tuple[str, ...]
    source: str
    fields: frozenset[str] = frozenset()  # of LetterFacts; empty: all that agency and creditor supply
    harmless: tuple[str, ...] = ()  # longer phrases with such a word that mean something else


@dataclass(frozen=True)
class Notice:
    """A text that a jurisdiction prescribes, by language."""

    id: str
    source: str
    place: str  # of NOTICE_PLACES
    text: Mapping[str, str]  # "" where boxes to tick are all of it
    heading: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    sector: str = ""  # only for creditors of this sector; empty: all
    kinds: frozenset[str] = GROUPS[""]
    when: str = ""  # only where this field of LetterFacts holds something


@dataclass(frozen=True)
class ValidationPeriod:
    """12 CFR 1006.34(b)(5): receipt is assumed business days after sending, and the period ends so many days on."""

    business_days_to_arrive: int
    days_to_answer: int


@dataclass(frozen=True)
class LetterRules:
    """What one jurisdiction asks of a letter."""

    jurisdiction: str
    territory: str  # for CLDR: how amounts and dates are written
    paper: str  # a4 | us-letter
    window: str  # din-5008-b | us-10
    default_language: str
    first_language: str  # always present, in front; empty: the addressee's alone
    confidence: str  # H, M, L: docs/letters.md
    required: Sequence[Requirement]
    forbidden: Sequence[Forbidden]
    notices: Sequence[Notice]
    outside: str = ""  # source of the rule that nothing revealing stands outside; empty: nothing stands there at all
    agency_only: str = ""  # source of the rule that letters go out in the agency's own name
    revealing: tuple[str, ...] = ()  # words that nothing on the outside may hold
    asking: tuple[str, ...] = ()  # words that ask for payment, which nothing may hold while collection is stopped
    truncate_reference: bool = False
    validation: ValidationPeriod | None = None
    also: Sequence[str] = ()  # other places that these rules serve until they have a file of their own
    order: tuple[str, ...] = ORDER
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by language: words that differ here


@dataclass(frozen=True)
class Texts:
    """The words of one language: keys of field_api/rules/letters/texts_*.toml."""

    language: str
    words: Mapping[str, str]


def required_of(rules: LetterRules, kind: str) -> Mapping[str, str]:
    """Every field that a letter of this kind may be asked for there, with its source: some only for one sector, or
    where another field holds something."""
    return {entry.field: entry.source for entry in rules.required if kind in entry.kinds}
