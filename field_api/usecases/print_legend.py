"""The agent's own card: which numbered box of the visit sheet means what."""

from __future__ import annotations

from datetime import UTC, datetime

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.ports import Paper, PaperJob, PaperRefused, Papers
from field_api.domain.sheets import legend_data
from field_api.platform.problems import Problem
from field_api.rules.sheets import words_for

_MADE_AT = datetime(2000, 1, 1, tzinfo=UTC)  # the card is of no day: the same words give the same bytes


def print_legend(language: str, *, renderer: Papers, paper: str = "a4") -> Paper:
    """One page in the language (English where the office has none). Raises Problem `unavailable`."""
    with audience(Audience.AGENT):
        [card] = renderer.render([PaperJob("legend", legend_data(words_for(language), paper), _MADE_AT)])
    if isinstance(card, PaperRefused):
        raise Problem("unavailable", f"the card cannot be laid out: {card.reason}")
    return card
