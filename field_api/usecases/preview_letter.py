"""Lay out an invented letter, so that somebody sees what a template makes of it. Nobody of its names owes anything."""

from __future__ import annotations

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letter_templates import TemplateFault
from field_api.domain.ports import Paper, Papers
from field_api.platform.problems import Problem
from field_api.rules.letters import rules_for
from field_api.usecases.add_letter_template import refused
from field_api.usecases.check_letter_template import sample_of


def preview_letter(
    source: bytes, *, jurisdiction: str, kind: str, language: str = "", hard: bool = False, renderer: Papers
) -> Paper:
    """By the template whose source this is, or by the house's own where it is empty. `hard`: every field as long and as
    odd as it may come. What the template must show is not asked for here: a designer looks at unfinished work.

    Raises `invalid-fields` for a place without letter rules, or where the letter cannot be laid out at all.
    """
    rules = rules_for(jurisdiction)
    if rules is None:
        raise Problem("invalid-fields", "no letter rules for this place", at="jurisdiction")
    with audience(Audience.ENTITLED_PARTY):
        job = sample_of(source, rules, kind, language, hard=hard, complete=False).job
        [paper] = renderer.render([job])
    if isinstance(paper, Paper):
        return paper
    raise refused([TemplateFault(paper.reason, paper.at, paper.detail, f"{jurisdiction} {kind}")])
