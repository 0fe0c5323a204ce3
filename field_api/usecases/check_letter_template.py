"""Try a creditor's template on invented letters of the places and kinds that it is for, plain ones and hard ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letter_model import LetterKind
from field_api.domain.letter_rules import LetterRules
from field_api.domain.letter_templates import MAX_SOURCE_BYTES, TemplateFault
from field_api.domain.letter_words import TooLong, asks_for_payment, check_words
from field_api.domain.ports import Paper, PaperJob, PaperRefused, Papers
from field_api.domain.sample_letters import (
    DATED_ON,
    KINDS,
    sample_facts,
    sample_files,
    sample_letter,
    sample_must_show,
)
from field_api.platform.bounded_json import canonical, loads
from field_api.rules.letters import all_rules, all_texts, rules_for
from field_api.usecases.issue_papers import MAX_LETTER_BYTES, made_at

_PLUGIN = re.compile(r"\bplugin\b")


@dataclass(frozen=True)
class Sample:
    """One invented letter: which, and how it is laid out."""

    name: str  # "MX notification es, hard"
    rules: LetterRules
    job: PaperJob


def places() -> list[str]:
    """Every place that has letter rules of its own."""
    return sorted(place for place, rules in all_rules().items() if rules.jurisdiction == place)


def check_letter_template(
    source: bytes,
    *,
    jurisdictions: Sequence[str],
    kinds: Sequence[str] = (),
    languages: Sequence[str] = (),
    renderer: Papers,
) -> list[TemplateFault]:
    """Why it is refused, each reason once, in the order of the file where it has a place; empty: it may be used.

    `jurisdictions` that share their rules are tried once; `kinds` and `languages` empty: all kinds, each place's own
    language. Raises PaperFailed.
    """
    rules = {one.jurisdiction: one for one in filter(None, map(rules_for, jurisdictions))}
    found = list(_of_source(source, list(rules.values())))
    if found:  # nothing is laid out by what is no text, is too long, or speaks as it may not
        return found
    samples = [
        sample_of(source, one, kind, language, hard=hard)
        for one in rules.values()
        for kind in kinds or KINDS
        for language in languages or ("",)
        for hard in (False, True)
    ]
    with audience(Audience.ENTITLED_PARTY):
        papers = renderer.render([sample.job for sample in samples])
    faults = [fault for sample, paper in zip(samples, papers, strict=True) for fault in _of_paper(sample, paper)]
    return list({(fault.reason, fault.at): fault for fault in reversed(faults)}.values())[::-1]


def sample_of(
    source: bytes, rules: LetterRules, kind: str, language: str, *, hard: bool, complete: bool = True
) -> Sample:
    """The job that lays an invented letter out by this template; by the house's own where there is no source.
    `complete`: it must show what it has to."""
    digest = hashlib.sha256(source).hexdigest() if source else ""
    facts = sample_facts(rules, kind, language, hard=hard)
    content = sample_letter(facts, rules, all_texts(), digest)
    wire = content.wire()
    job = PaperJob(
        "letter",
        {"letter": _plain(wire), "mark": "", "qr": [content.serial]},
        made_at(DATED_ON),
        files={**sample_files(facts), **({f"{digest}.typ": source} if source else {})},
        must_show=sample_must_show(content, facts, rules, all_texts()) if source and complete else {},
        explain=True,
    )
    hardness = ", hard" if hard else ""
    return Sample(f"{rules.jurisdiction} {kind} {content.parts[-1].language}{hardness}", rules, job)


def _plain(wire: dict[str, object]) -> dict[str, object]:
    return loads(canonical(wire), max_bytes=MAX_LETTER_BYTES)


def _of_source(source: bytes, rules: Sequence[LetterRules]) -> Iterator[TemplateFault]:
    if len(source) > MAX_SOURCE_BYTES:
        yield TemplateFault("too-large", "", f"more than {MAX_SOURCE_BYTES} bytes", "the file")
        return
    try:
        lines = source.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        yield TemplateFault("not-text", "", "the file is not UTF-8", "the file")
        return
    for number, line in enumerate(lines, 1):
        match = _PLUGIN.search(line)
        if match:
            yield TemplateFault(
                "plugin-refused", f"{number}:{match.start() + 1}", "a template runs no other program", "the file"
            )
        for one in rules:
            yield from _words_of(line, f"{number}:1", one, one.jurisdiction)


def _of_paper(sample: Sample, paper: Paper | PaperRefused) -> Iterator[TemplateFault]:
    if isinstance(paper, PaperRefused):
        yield TemplateFault(paper.reason, paper.at, paper.detail, sample.name)
    else:
        yield from _words_of(paper.own_words, "", sample.rules, sample.name)
        if sample.job.data["letter"]["kind"] == LetterKind.DISPUTE_ACKNOWLEDGEMENT:
            for found in asks_for_payment(paper.own_words, sample.rules)[:1]:
                yield TemplateFault("forbidden-word", "", f"{found.word} ({found.source})", sample.name)


def _words_of(text: str, at: str, rules: LetterRules, letter: str) -> Iterator[TemplateFault]:
    try:
        for found in check_words(text, rules)[:1]:
            yield TemplateFault("forbidden-word", at, f"{found.word} ({found.source})", letter)
    except TooLong:
        yield TemplateFault("too-large", at, "a line is too long", letter)
