"""Every paper can be read aloud: PDF/UA-1's structure, looked at with a library that neither lays out nor searches ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from itertools import pairwise
from typing import Any

import pikepdf
import pytest
from pypdf import PdfReader

from field_api.adapters.joined_pdf import joined
from field_api.adapters.paper_bookmarks import check_bookmarks
from field_api.adapters.typst_papers import TypstPapers
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.ports import Paper, PaperJob
from field_api.domain.sheets import legend_data
from field_api.platform.egress import EgressRefused
from field_api.rules.letters import LANGUAGES
from field_api.rules.sheets import words_for
from tests.unit.test_papers import AT, letter_job, sheet_job

PLACES = {"de": "DE", "en": "GB", "es": "MX", "fr": "FR", "it": "IT", "nl": "EU", "pt": "EU"}
PAINTS = {"Tj", "TJ", "'", '"', "f", "F", "f*", "B", "B*", "b", "b*", "S", "s", "Do", "sh", "BI"}


@dataclass(frozen=True)
class Made:
    name: str
    language: str
    job: PaperJob
    pdf: bytes


def jobs() -> Iterator[tuple[str, str, PaperJob]]:
    for language in LANGUAGES:
        yield (
            f"letter {language}",
            language,
            letter_job(language=language, jurisdiction=PLACES[language], currency="EUR"),
        )
    yield "letter es behind en", "en", letter_job(language="es", jurisdiction="US", currency="USD")
    yield "sheet", "es", sheet_job()
    for language in LANGUAGES:
        yield f"card {language}", language, PaperJob("legend", legend_data(words_for(language), "a4"), AT)


@cache
def papers() -> dict[str, Made]:
    """All kinds, each process started once for all tests here."""
    made: dict[str, Made] = {}
    listed = list(jobs())
    for who, templates in ((Audience.ENTITLED_PARTY, {"letter"}), (Audience.AGENT, {"sheet", "legend"})):
        chosen = [entry for entry in listed if entry[2].template in templates]
        with audience(who):
            answers = TypstPapers().render([job for _, _, job in chosen])
        for (name, language, job), paper in zip(chosen, answers, strict=True):
            assert isinstance(paper, Paper), (name, paper)
            made[name] = Made(name, language, job, paper.pdf)
    letters = [made["letter de"], made["letter es"], made["letter es behind en"]]
    stack = joined([made["sheet"].pdf, *(letter.pdf for letter in letters)])
    return made | {"joined": Made("joined", "es", made["sheet"].job, stack)}


NAMES = [name for name, _, _ in jobs()] + ["joined"]


def elements(node: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """Every structure element with the kinds of those that it lies in, in reading order."""
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid, above
            yield from elements(kid, (*above, str(kid.S)))


def structure(pdf: pikepdf.Pdf) -> list[tuple[Any, tuple[str, ...]]]:
    return list(elements(pdf.Root.StructTreeRoot))


@pytest.mark.parametrize("name", NAMES)
def test_a_paper_says_what_it_is_and_opens_nothing_by_itself(name: str) -> None:
    made = papers()[name]
    with pikepdf.open(BytesIO(made.pdf)) as pdf:
        assert pdf.Root.MarkInfo.Marked and not pdf.Root.MarkInfo.get("/Suspects", False)
        assert str(pdf.Root.Lang).partition("-")[0] == made.language
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        assert not {"/PageMode", "/OpenAction", "/AA", "/AcroForm", "/Names"} & set(pdf.Root.keys())
        xmp = pdf.open_metadata()
        assert xmp["pdfuaid:part"] == "1" and xmp["dc:title"] == str(pdf.docinfo["/Title"]) != ""
        assert all(page.obj.Tabs == "/S" for page in pdf.pages)
        assert pdf.check_pdf_syntax() == []


@pytest.mark.parametrize("name", NAMES)
def test_headings_tables_and_pictures_can_be_followed(name: str) -> None:
    with pikepdf.open(BytesIO(papers()[name].pdf)) as pdf:
        found = structure(pdf)
        levels = [int(str(element.S)[2:]) for element, _ in found if str(element.S) in {"/H1", "/H2", "/H3", "/H4"}]
        assert levels and levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        for element, _ in found:
            if str(element.S) == "/Figure":
                assert str(element.get("/Alt", "")).strip(), "a picture without words"
            if str(element.S) == "/Table":
                heads = [inner for inner, _ in elements(element) if str(inner.S) == "/TH"]
                assert heads and all(scope_of(head) in {"/Column", "/Row"} for head in heads)
        rows = {str(kind) for element, above in found if str(element.S) in {"/TD", "/TH"} for kind in above[-1:]}
        assert rows <= {"/TR"}
        ids = [str(element.ID) for element, _ in found if "/ID" in element]
        assert len(ids) == len(set(ids)), "two cells of one name"


def scope_of(head: Any) -> str:
    return next((str(entry["/Scope"]) for entry in head.A if "/Scope" in entry), "")


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_painted_that_is_neither_told_nor_named_decoration(name: str) -> None:
    """Every painting operator stands in marked content; what has an id there is found from the structure tree."""
    with pikepdf.open(BytesIO(papers()[name].pdf)) as pdf:
        told = {mark for element, _ in structure(pdf) for mark in marks_of(element)}
        for page in pdf.pages:
            open_marks: list[Any] = []
            for instruction in pikepdf.parse_content_stream(page):
                operator = str(instruction.operator)
                if operator == "BDC":
                    open_marks.append(instruction.operands[1].get("/MCID"))
                    assert open_marks[-1] is None or (page.obj.objgen, int(open_marks[-1])) in told
                elif operator == "BMC":
                    open_marks.append(None)
                elif operator == "EMC":
                    open_marks.pop()
                elif operator in PAINTS:
                    assert open_marks, f"{operator} is not marked"
            assert not open_marks


def marks_of(element: Any) -> Iterator[tuple[Any, int]]:
    """The pages and numbers of what an element holds itself; one that goes on has some on the next page."""
    kids = element.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, int):
            yield element["/Pg"].objgen, kid
        elif isinstance(kid, pikepdf.Dictionary) and kid.get("/Type") == "/MCR":
            yield kid.get("/Pg", element.get("/Pg")).objgen, int(kid.MCID)


@pytest.mark.parametrize("name", NAMES)
def test_every_font_says_which_letters_its_shapes_are(name: str) -> None:
    with pikepdf.open(BytesIO(papers()[name].pdf)) as pdf:
        for page in pdf.pages:
            for font in page.obj.Resources.get("/Font", {}).values():
                assert "/ToUnicode" in font
                embedded = font.DescendantFonts[0].FontDescriptor
                assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(embedded.keys())
    text = "".join(page.extract_text() for page in PdfReader(BytesIO(papers()[name].pdf)).pages)
    assert text.strip() and "\ufffd" not in text and "\x00" not in text


def test_a_part_in_another_language_says_so() -> None:
    with pikepdf.open(BytesIO(papers()["letter es behind en"].pdf)) as pdf:
        spoken = [str(element.Lang) for element, _ in structure(pdf) if "/Lang" in element]
        assert str(pdf.Root.Lang) == "en" and "es" in spoken


def bookmarks(pdf: bytes) -> list[str]:
    with pikepdf.open(BytesIO(pdf)) as opened, opened.open_outline() as outline:
        return [title for item in outline.root for title in titles(item)]


def titles(item: Any) -> Iterator[str]:
    yield item.title
    for inner in item.children:
        yield from titles(inner)


def test_bookmarks_are_a_letters_headings_and_a_sheets_numbers_alone() -> None:
    for language in LANGUAGES:
        made = papers()[f"letter {language}"]
        (part,) = made.job.data["letter"]["parts"]
        heads = [block["text"] for block in part["blocks"] if block["block"] == "heading"]
        assert bookmarks(made.pdf) == [part["title"], *heads] != []
    assert bookmarks(papers()["sheet"].pdf) == ["1"]
    assert bookmarks(papers()["card de"].pdf) == []
    together = bookmarks(papers()["joined"].pdf)
    assert together[:2] == [papers()["sheet"].job.data["title"], "1"]
    assert together.count("7H3K9QW2X5TZA") == 3 and set(bookmarks(papers()["letter de"].pdf)) <= set(together)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("letter es", b"/Title(Aclaraciones y quejas)", b"/Title(Saldo 7751)"),
        ("letter es", b"/Title(Aclaraciones y quejas)", b"/Title<FEFF00530061006C0064006F>"),
        ("letter es", b"/Type/Catalog", b"/Type/Catalog/PageMode/UseOutlines"),
        ("letter es", b"/Type/Catalog", b"/Type/Catalog/OpenAction 9 0 R"),
        ("sheet", b"/Title(1)", b"/Title(Ana)"),
        ("sheet", b"/Title(1)", b"/Title(\\101na)"),
        ("card es", b"/Type/Outlines", b"/Type/Outlines/First 5 0 R>>endobj 5 0 obj<</Title (saldo (7751))"),
    ],
)
def test_a_bookmark_that_says_more_does_not_leave(name: str, old: bytes, new: bytes) -> None:
    made = papers()[name]
    assert old in made.pdf
    check_bookmarks(made.pdf, made.job.template, made.job.data)
    with pytest.raises(EgressRefused) as refused:
        check_bookmarks(made.pdf.replace(old, new, 1), made.job.template, made.job.data)
    assert "7751" not in str(refused.value)
