"""Whatever a creditor's file, a phone or a person wrote: it is laid out as what it says, on the page, or refused by name."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from field_api.adapters import typst_process
from field_api.adapters.pdf_text import PageText, read_pages
from field_api.adapters.typst_papers import MOST_ENDED, TypstPapers
from field_api.adapters.typst_worker import Layout
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letter_checks import TOO_MUCH
from field_api.domain.letter_model import LetterContent
from field_api.domain.letters import LetterFacts, LetterRefused, compose
from field_api.domain.ports import Paper, PaperFailed, PaperJob, PaperRefused
from field_api.domain.printable import LOST, printable
from field_api.rules.letters import all_texts, rules_for
from tests.unit.test_letters import FACTS
from tests.unit.test_papers import AT, letter_job, sheet_job

SERIAL = "7H3K9QW2X5TZA"
PRINTED = (
    "name", "creditor_name", "creditor_address", "agency_name", "agency_address", "collector_name", "reference",
    "product", "original_creditor", "settlement", "complaints_address", "responsible_persons",
)  # fmt: skip
"""Facts that are one text each and stand on the paper as they are."""
INJECTIONS = (
    '#panic("x") #let a = 1; #include "x.typ" #read("/etc/passwd")',
    "*bold* _it_ `raw` $x^2$ @cite <label> = Heading // not /* gone */ -- --- ... ~ \\ \\u{41}",
    '"}], "serial": "AAAAAAAAAAAAA", "parts": [{',
    ") Tj ET endstream endobj 1 0 obj <</OpenAction 9 0 R>> %%EOF (",
    "<svg onload=x><image href='file:///etc/passwd'/></svg> <!DOCTYPE a> &amp; ]]>",
    "{name} {creditor.__class__} %s %(x)s ${x} {{",
    "geo:0,0 https://pay.example/?x=1 javascript:alert(1) \x1b]8;;x\x07",
)
HOSTILE = (
    *INJECTIONS,
    "abc\u202ecba\u2066 \u0000\u0007z",
    "half \ud83d",
    "a\u200b\u2060b\ufeff",
)
REASONS = {"missing-glyph", "address-too-long"}
LAYOUT_ONLY = dict.fromkeys(map(ord, " \n\t\u200b\u00a0\u202f\u2068\u2069\u00ad"))


@cache
def layout() -> Layout:
    """One for all that are tried here: as warm as in a batch."""
    return Layout()


def bare(text: str) -> str:
    """What is left of a text where spaces and breaks do not count."""
    return unicodedata.normalize("NFC", text).translate(LAYOUT_ONLY)


def letter_of(facts: LetterFacts) -> LetterContent | LetterRefused:
    rules = rules_for(facts.jurisdiction)
    assert rules is not None
    return compose(facts, rules, all_texts(), SERIAL)


def pages_of(job: PaperJob) -> list[PageText]:
    return read_pages(layout().render({"template": job.template, "data": job.data, "made_at": AT.isoformat()}, {}))


def on_the_paper(pages: Sequence[PageText]) -> str:
    """All that is written there; raises where something leaves the page."""
    for page in pages:
        for run in page.runs:
            left, bottom, right, top = run.box
            assert left >= 0 and bottom >= 0 and right <= page.width and top <= page.height, (run.text, run.box)
    return bare("".join(run.text for page in pages for run in page.runs))


def test_markup_of_every_language_is_written_and_never_obeyed() -> None:
    for field in PRINTED:
        texts = INJECTIONS if field in ("name", "settlement") else INJECTIONS[:2]
        for text in texts:
            job = letter_job(**{field: text}, sector="commercial")
            assert bare(printable(text)) in on_the_paper(pages_of(job)), (field, text)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_window_holds_a_hostile_name_whole_and_nothing_of_the_inside(text: str) -> None:
    pages = pages_of(letter_job(name=text, address_lines=(text, "06500 Ciudad Inventada")))
    outside = on_the_paper(pages[:1])
    assert outside == bare(printable(text) * 2 + "06500 Ciudad Inventada" + SERIAL)
    left, bottom, right, top = (f(run.box[i] for run in pages[0].runs[:-1]) for i, f in enumerate((min, min, max, max)))
    mm = 25.4 / 72
    assert left * mm >= 20 and right * mm <= 110 and pages[0].height - top >= 45 / mm and bottom >= 0


def test_what_turns_the_reading_order_moves_no_neighbour() -> None:
    plain = on_the_paper(pages_of(letter_job(name="abcba", product="xyz")))
    turned = on_the_paper(pages_of(letter_job(name="ab\u202ecba\u2067\u202b", product="\u202exyz\u2066")))
    assert turned == plain
    mixed = letter_of(replace(FACTS, name="דוד 12"))
    assert isinstance(mixed, LetterContent) and mixed.address_lines[0] == "\u2068דוד 12\u2069"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"balance_minor": 0, "principal_minor": 0, "interest_minor": 0, "fees_minor": 0}, "balance_minor"),
        ({"balance_minor": -5}, "balance_minor"),
        ({"balance_minor": 10**18, "principal_minor": 1}, "balance_minor"),
        ({"name": "\u202e\x00\u200b"}, "name"),
        ({"agency_name": " \n\u3164"}, "agency_name"),
    ],
)
def test_a_letter_with_nothing_to_say_in_its_place_is_refused_by_that_name(facts: Any, expected: str) -> None:
    refused = letter_of(replace(FACTS, **facts, jurisdiction="MX"))
    assert isinstance(refused, LetterRefused) and refused.field == expected


@pytest.mark.parametrize("currency", ["MXN", "JPY", "BHD"])
def test_a_huge_amount_stays_on_the_page_and_whole(currency: str) -> None:
    huge = TOO_MUCH - 3
    job = letter_job(principal_minor=huge, interest_minor=0, fees_minor=0, balance_minor=huge, currency=currency)
    digits = re.sub(r"\D", "", on_the_paper(pages_of(job)))
    assert str(huge) in digits


@pytest.mark.parametrize("jurisdiction", ["MX", "US"])
def test_long_names_and_long_addresses_fit_or_are_refused(jurisdiction: str) -> None:
    words, endless = ("Compañía Inventada de Ejemplos " * 10)[:300], "X" * 300
    twelve = tuple(f"Edificio {number}, patio interior" for number in range(12))
    for facts in (
        {"creditor_name": words, "agency_name": words, "name": words, "product": words},
        {
            "creditor_name": endless,
            "agency_name": endless,
            "name": "Ana",
            "reference": endless,
            "collector_name": endless,
        },
        {"name": "Ana", "address_lines": twelve},
    ):
        made = on_the_paper(pages_of(letter_job(**facts, jurisdiction=jurisdiction, currency="USD")))
        assert all(bare(text) in made for key, text in facts.items() if key in ("creditor_name", "name"))
        assert all(bare(line) in made for line in facts.get("address_lines", ()))


WRITTEN = st.text(
    st.one_of(
        st.characters(exclude_categories=("Cn", "Mn", "Me"), max_codepoint=0x52F),
        st.sampled_from("#*_$@<\\\"'`\u202e\u2067\x00 \n"),
    ),
    max_size=80,
)


def lays_out_what_was_written(written: dict[str, str]) -> None:
    content = letter_of(replace(FACTS, **{"name": "Ana", **written}))
    if isinstance(content, LetterRefused):
        assert content.reason in {"missing", "forbidden"}
        return
    data = {"letter": content.wire(), "mark": "", "qr": [SERIAL]}
    try:
        made = on_the_paper(pages_of(PaperJob("letter", data, AT)))
    except RuntimeError as error:
        assert re.search("could not be displayed|does not fit", str(error)), error
        return
    for field, text in written.items():
        if field != "reference":
            assert bare(printable(text)) in made, field


FIELDS = st.dictionaries(
    st.sampled_from(("name", "creditor_name", "collector_name", "product", "reference")),
    WRITTEN,
    min_size=1,
    max_size=3,
)


@settings(max_examples=15, deadline=None)
@given(FIELDS)
@example({"name": "0Ǿ0"})  # two glyphs that the font has for one letter
def test_whatever_is_written_is_laid_out_or_refused(written: dict[str, str]) -> None:
    lays_out_what_was_written(written)


@pytest.mark.prove
@settings(max_examples=1500, deadline=None)
@given(FIELDS)
def test_whatever_is_written_is_laid_out_or_refused_many_times(written: dict[str, str]) -> None:
    lays_out_what_was_written(written)


def test_a_sheet_shows_hostile_names_and_hints_as_they_are_and_on_the_page() -> None:
    job = sheet_job()
    given_sheet = job.data["sheet"]
    stop = {**given_sheet["stops"][0]}
    stops = []
    for number, text in enumerate((*HOSTILE, "X" * 300, "palabra " * 40), start=1):
        shown = printable(text)
        sought = [{**person, "name": shown, "alias": shown} for person in stop["sought"]]
        stops.append({**stop, "number": number, "sought": sought, "street": shown, "lines": [shown], "hint": shown})
    data = {**job.data, "sheet": {**given_sheet, "stops": stops}, "qr": list(job.data["qr"]) * len(stops)}
    made = on_the_paper(pages_of(replace(job, data=data)))
    for text in (*INJECTIONS, "X" * 300):
        assert made.count(bare(printable(text))) >= 5, text


BROKEN: tuple[tuple[str, Any], ...] = (
    ("parts", "x"),
    ("parts", [{"language": "es", "title": "t", "date": "d", "blocks": [{"block": "table", "rows": None}]}]),
    ("parts", [{"language": "es"}]),
    ("address_lines", [1, {"a": 2}]),
    ("address_lines", None),
    ("window", "no-such-window"),
    ("serial", "saldo 7751"),
    ("sender_lines", []),
)


def test_broken_records_are_named_and_left_out_and_the_rest_are_made() -> None:
    jobs = [letter_job()]
    for name, value in BROKEN:
        job = letter_job()
        jobs += [replace(job, data={**job.data, "letter": {**job.data["letter"], name: value}}), letter_job()]
    with audience(Audience.ENTITLED_PARTY):
        answers = TypstPapers().render(jobs)
    assert all(isinstance(answer, Paper) for answer in answers[::2])
    refused = answers[1::2]
    assert all(isinstance(answer, PaperRefused) and answer.reason for answer in refused), refused
    assert {answer.reason for answer in refused if isinstance(answer, PaperRefused)} <= {"malformed", *REASONS}
    assert "7751" not in str(refused)


KILLING = """
import json, os, signal, sys
from field_api.adapters import typst_worker as worker
real = worker.Layout.render
def render(self, job, files):
    name = job["data"]["letter"]["address_lines"][0]
    if name == "Kills":
        os.kill(os.getpid(), signal.SIGSEGV)
    if name == "Lasts":
        while True: pass
    return real(self, job, files)
worker.Layout.render = render
worker.main()
"""


@pytest.fixture
def killable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typst_process, "_COMMAND", [sys.executable, "-c", KILLING])


@pytest.mark.usefixtures("killable")
def test_a_record_that_kills_its_process_or_never_ends_is_left_out_alone() -> None:
    names = ["Ana", "Kills", "Eva", "Lasts", "Ida"]
    with audience(Audience.ENTITLED_PARTY):
        answers = TypstPapers(seconds_per_paper=1.0).render([letter_job(name=name) for name in names])
    assert [type(answer) for answer in answers] == [Paper, PaperRefused, Paper, PaperRefused, Paper]
    reasons = [answer.reason for answer in answers if isinstance(answer, PaperRefused)]
    assert reasons == ["crashed", "too-slow"]


@pytest.mark.usefixtures("killable")
def test_a_process_that_ends_at_every_paper_is_no_records_fault() -> None:
    with audience(Audience.ENTITLED_PARTY), pytest.raises(PaperFailed, match="again and again"):
        TypstPapers().render([letter_job(name="Kills") for _ in range(MOST_ENDED + 2)])


def test_marks_without_end_cover_no_other_line() -> None:
    pages = pages_of(
        letter_job(name="Zalgo" + "\u0316\u0301\u0489" * 40, address_lines=("Calle Uno 1", "06500 Ciudad"))
    )
    assert "CalleUno1" in on_the_paper(pages)
    assert sum(unicodedata.combining(c) > 0 for page in pages for run in page.runs for c in run.text) < 60


def test_a_lost_character_is_seen() -> None:
    assert LOST in on_the_paper(pages_of(letter_job(name="Ana \ud800")))
