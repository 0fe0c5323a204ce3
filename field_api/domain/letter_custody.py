"""Which custody states may follow which. A letter exists on paper from `issued` on."""

from __future__ import annotations

from collections.abc import Mapping

from field_api.domain.letters import LetterState

NOT_ENTITLED = "recipient-not-entitled"
LETTER_UNKNOWN = "letter-unknown"

_S = LetterState
_FOLLOWS: Mapping[LetterState, frozenset[LetterState]] = {
    _S.WANTED: frozenset({_S.ISSUED, _S.REFUSED}),
    # Some agencies print at the agent's: the office knows of the print only when the letter was handed over.
    _S.ISSUED: frozenset({_S.PRINTED, _S.HANDED_OVER, _S.RETURNED, _S.DESTROYED}),
    _S.PRINTED: frozenset({_S.PRINTED, _S.HANDED_OVER, _S.RETURNED, _S.DESTROYED}),
    _S.RETURNED: frozenset({_S.PRINTED, _S.HANDED_OVER, _S.DESTROYED}),
    _S.HANDED_OVER: frozenset(),
    _S.DESTROYED: frozenset(),
    _S.REFUSED: frozenset(),
}


def may_follow(present: LetterState, following: LetterState) -> bool:
    """Whether a letter in `present` may become `following`. What was handed over stays handed over."""
    return following in _FOLLOWS[present]
