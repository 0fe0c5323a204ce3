"""What of a sender may stand outside, on an envelope or where a window shows it: nothing that tells why."""

from __future__ import annotations

from field_api.domain.debt_words import find_debt_words
from field_api.domain.letter_model import LetterFacts
from field_api.domain.letter_rules import LetterRules
from field_api.domain.letter_words import holds_word


def outside_lines(facts: LetterFacts, rules: LetterRules) -> tuple[str, ...]:
    """The return address that may stand there: the sender's name where it tells nothing, and its address.

    Never a telephone, an e-mail or a web address, never the brand's lines (15 USC 1692f(8)). Empty where the place's
    rules do not speak of it: then nothing stands outside.
    """
    if not rules.outside:
        return ()
    by_creditor = facts.in_name_of == "creditor"
    name = facts.creditor_name if by_creditor else facts.agency_name
    address = facts.creditor_address if by_creditor else facts.agency_address
    return tuple(line for line in (name, address) if line and tells_nothing(line, rules))


def tells_nothing(line: str, rules: LetterRules) -> bool:
    """Whether a passer-by who reads this line learns nothing of a debt."""
    return not holds_word(line, rules.revealing) and not find_debt_words(line)
