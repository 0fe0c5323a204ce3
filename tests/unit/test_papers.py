"""Papers as PDFs: where the address stands, what the worker may do, and that data are never read as markup."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Annotated, Any

import pytest
from pypdf import PdfReader
from pypdf._page import PageObject

from field_api.adapters import paper_outlets, typst_worker
from field_api.adapters.typst_papers import TypstPapers
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience, Label
from field_api.domain.labelled import labels_of
from field_api.domain.ports import Paper, PaperFailed, PaperJob, PaperRefused
from field_api.domain.postal import PostalAddress
from field_api.domain.route_sketch import sketch
from field_api.domain.sheets import SKETCH_HEIGHT, Sheet, SheetStop, Sought, legend_data, sheet_data
from field_api.platform.egress import EgressRefused, OutletKind, Registry, UndeclaredOutlet
from field_api.rules.sheets import LANGUAGES, words_for
from tests.unit.test_letters import FACTS, composed

AT = datetime(2026, 11, 18, tzinfo=UTC)
POINTS_PER_MM = 72 / 25.4
PAPERS = TypstPapers()
# In millimetres from the paper's upper left corner, the part that the window shows however the sheet lies.
WINDOWS = {"MX": (20, 45, 110, 90), "US": (22.2, 63.5, 111, 80.4)}
LONG = (
    "Wilhelmina Maximiliana Quaderer-Beck von und zu Hinterschellenberg",
    "c/o Werkstatt",
    "Aeulestrasse 20",
    "9490 Vaduz",
)


def letter_job(**facts: Any) -> PaperJob:
    content = composed(replace(FACTS, **facts))
    data = json.loads(json.dumps(content.wire()))
    return PaperJob("letter", {"letter": data, "mark": "", "qr": [content.serial]}, AT)


def render(job: PaperJob) -> Paper:
    with audience(Audience.AGENT if job.template in {"sheet", "legend"} else Audience.ENTITLED_PARTY):
        [paper] = PAPERS.render([job])
    assert isinstance(paper, Paper), paper
    return paper


def placed_texts(page: PageObject) -> list[tuple[str, float, float]]:
    """(text, mm from the left, mm from the top of its baseline) of everything on the page."""
    height = float(page.mediabox.height)
    found: list[tuple[str, float, float]] = []

    def visit(text: str, cm: list[float], tm: list[float], _font: object, _size: float) -> None:
        if text.strip():
            x, y = tm[4] * cm[0] + tm[5] * cm[2] + cm[4], tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
            found.append((text.strip(), x / POINTS_PER_MM, (height - y) / POINTS_PER_MM))

    page.extract_text(visitor_text=visit)
    return found


@pytest.mark.parametrize("jurisdiction", ["MX", "US"])
@pytest.mark.parametrize("name", ["Persona Inventada", LONG[0]])
def test_the_window_shows_name_and_address_and_nothing_else(jurisdiction: str, name: str) -> None:
    job = letter_job(jurisdiction=jurisdiction, currency="USD", name=name, address_lines=LONG[1:])
    page = PdfReader(BytesIO(render(job).pdf)).pages[0]
    left, top, right, bottom = WINDOWS[jurisdiction]
    texts = placed_texts(page)
    inside = [text for text, x, y in texts if left <= x <= right and top <= y <= bottom]
    outside = [text for text, _, _ in texts if text not in inside]
    assert "".join(inside).replace(" ", "") == "".join([name, *LONG[1:]]).replace(" ", "")
    assert outside == [job.data["letter"]["serial"]]


@pytest.mark.parametrize("jurisdiction", ["MX", "US"])
def test_the_serial_lies_where_no_window_is(jurisdiction: str) -> None:
    page = PdfReader(BytesIO(render(letter_job(jurisdiction=jurisdiction, currency="USD")).pdf)).pages[0]
    [(_, _, y)] = [placed for placed in placed_texts(page) if placed[0] == "7H3K9QW2X5TZA"]
    assert y > float(page.mediabox.height) / POINTS_PER_MM * 2 / 3, "below the second fold"


@pytest.mark.parametrize(("jurisdiction", "size_mm"), [("MX", (210, 297)), ("LI", (210, 297)), ("US", (215.9, 279.4))])
def test_papers_have_the_size_of_their_country(jurisdiction: str, size_mm: tuple[float, float]) -> None:
    job = letter_job(jurisdiction=jurisdiction, currency="USD")
    for page in PdfReader(BytesIO(render(job).pdf)).pages:
        size = (float(page.mediabox.width) / POINTS_PER_MM, float(page.mediabox.height) / POINTS_PER_MM)
        assert size == pytest.approx(size_mm, abs=0.1)


def test_the_same_facts_give_the_same_bytes() -> None:
    assert render(letter_job()).pdf == render(letter_job()).pdf


def test_the_pdf_itself_names_nobody() -> None:
    reader = PdfReader(BytesIO(render(letter_job()).pdf))
    assert reader.metadata is not None
    said = " ".join(str(value) for value in reader.metadata.values()) + str(reader.xmp_metadata and "")
    for secret in ("Persona", "Mueblería", "Puerta", "CT-99"):
        assert secret not in said
    assert reader.metadata.title == "7H3K9QW2X5TZA"


@pytest.mark.parametrize(
    "text", ['#panic("x")', "*bold* _it_ $x$ @ref <label>", '"; #read("/etc/passwd")', "\\u{41} // x"]
)
def test_data_are_laid_out_and_never_read_as_markup(text: str) -> None:
    pages = PdfReader(BytesIO(render(letter_job(settlement=text)).pdf)).pages
    assert text.replace(" ", "") in "".join(page.extract_text() for page in pages).replace(" ", "").replace("\n", "")


def test_a_missing_glyph_or_an_endless_address_is_refused_with_its_reason_and_spares_the_others() -> None:
    jobs = [
        letter_job(name="\U00020005"),
        letter_job(),
        letter_job(address_lines=tuple(f"Calle {n}" for n in range(200))),
    ]
    with audience(Audience.ENTITLED_PARTY):
        first, second, third = PAPERS.render(jobs)
    assert (first, third) == (PaperRefused("missing-glyph"), PaperRefused("address-too-long"))
    assert isinstance(second, Paper) and second.pages == 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_agents_card_is_one_page_with_every_number(language: str) -> None:
    card = render(PaperJob("legend", legend_data(words_for(language), "a4"), AT))
    text = PdfReader(BytesIO(card.pdf)).pages[0].extract_text()
    assert card.pages == 1
    assert all(str(number) in text for number in range(1, 14))


def test_a_worker_that_takes_too_long_is_killed() -> None:
    with audience(Audience.ENTITLED_PARTY), pytest.raises(PaperFailed, match="letter: not done in 0 s"):
        TypstPapers(seconds_per_paper=0.0).render([letter_job()])


def test_the_worker_inherits_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    real = subprocess.Popen.__init__

    def watching(self: Any, args: Any, **kwargs: Any) -> None:
        seen.update(kwargs, command=args)
        real(self, args, **kwargs)

    monkeypatch.setenv("PGPASSWORD", "secret")
    monkeypatch.setattr(subprocess.Popen, "__init__", watching)
    render(letter_job())
    assert set(seen["env"]) == {"LC_ALL", "GLIBC_TUNABLES"}
    assert seen["command"] == [sys.executable, "-I", "-m", "field_api.adapters.typst_worker"]


def test_the_worker_may_write_no_file_and_has_bounded_memory(tmp_path) -> None:
    program = (
        "from field_api.adapters.typst_worker import limit; limit()\n"
        f"try: open({str(tmp_path / 'x')!r}, 'w').write('x' * 100_000)\n"
        "except OSError as error: print(error.errno)\n"
        "try: bytearray(8 * 1024**3)\n"
        "except MemoryError: print('memory')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.split() == ["27", "memory"]  # EFBIG


def test_an_unknown_template_is_refused() -> None:
    with audience(Audience.ENTITLED_PARTY), pytest.raises(UndeclaredOutlet, match="secret is not declared"):
        PAPERS.render([PaperJob("../secret", {"qr": []}, AT)])
    with pytest.raises(ValueError, match="unknown template"):  # the worker does not rely on its parent
        typst_worker.Layout().render({"template": "../secret", "data": {"qr": []}}, {})


def sheet_job(**more: Any) -> PaperJob:
    words = words_for("es")
    stop = SheetStop(
        1, "09:00", "09:20", "20:00", "08:00", (Sought("Ana Inventada", "", "es"),), PostalAddress("Calle Uno", "MX"), "",
        19.4, -99.1,
    )  # fmt: skip
    drawing = sketch((19.3, -99.0), [(19.4, -99.1)], (19.3, -99.0), SKETCH_HEIGHT)
    sheet = Sheet(
        "a4", "A-1", "Luz", "miércoles", "2026-11-18", "Norte", "09:00–17:00", "13:00", "America/Mexico_City", "Base", "Base",
        "4 km", "12 min", drawing, (stop,),
    )  # fmt: skip
    data = sheet_data(sheet, words, [words])
    return PaperJob("sheet", {**data, **more}, AT)


def test_every_template_is_for_one_audience_and_renders_for_no_other() -> None:
    card = PaperJob("legend", legend_data(words_for("es"), "a4"), AT)
    for job, others in (
        (sheet_job(), set(Audience) - {Audience.AGENT}),
        (letter_job(), set(Audience) - {Audience.ENTITLED_PARTY}),
        (card, set(Audience) - {Audience.AGENT}),
    ):
        for who in others:
            with audience(who), pytest.raises(EgressRefused, match=job.template):
                PAPERS.render([job])
        with pytest.raises(EgressRefused):
            PAPERS.render([job])


@pytest.mark.parametrize(
    "leak",
    [
        {"balance_minor": 7751204},
        {"title": "2026-11-18 A-1 saldo 7751"},
        {"qr": ["https://pay.example/7751204"]},
        {"scripts": [{"language": "es", "lines": [], "reason": "saldo"}]},
    ],
)
def test_a_sheet_is_given_nothing_that_its_shape_does_not_list(leak: dict[str, Any]) -> None:
    with audience(Audience.AGENT), pytest.raises(EgressRefused) as refused:
        PAPERS.render([sheet_job(**leak)])
    assert "7751" not in str(refused.value)


def test_a_sheet_can_get_no_field_above_its_labels() -> None:
    """Whoever adds `balance: Annotated[str, Label.CONFIDENTIAL]` to the sheet does not get past the import."""

    @dataclass(frozen=True)
    class Wider(Sheet):
        balance: Annotated[str, Label.CONFIDENTIAL] = ""

    @dataclass(frozen=True)
    class Unlabelled:
        balance: str

    with pytest.raises(UndeclaredOutlet, match="balance is confidential"):
        Registry().declare(
            OutletKind.TEMPLATE, "sheet", Audience.AGENT, shape=labels_of(Wider), at_most=paper_outlets.OPENLY
        )
    with pytest.raises(TypeError, match=r"Unlabelled\.balance has no label"):
        labels_of(Unlabelled)


@pytest.mark.parametrize("make", [sheet_job, letter_job])
def test_a_pdf_says_of_itself_its_title_and_closed_values_alone(make: Any) -> None:
    job = make()
    pdf = render(job).pdf
    title = paper_outlets.title_of(job.template, job.data)
    reader = PdfReader(BytesIO(pdf))
    assert reader.metadata.title == title
    assert set(reader.metadata) == {"/Title", "/Creator", "/CreationDate", "/ModDate"}
    paper_outlets.check_metadata(pdf, title)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<dc:format>application/pdf", b"<dc:subject>saldo 7751</dc:subject><dc:format>application/pdf"),
        (b"</rdf:Description>", b"<pdf:Keywords>saldo</pdf:Keywords></rdf:Description>"),
        (b"<xmp:CreatorTool>Typst", b"<xmp:CreatorTool>saldo 7751 Typst"),
        (b"7H3K9QW2X5TZA</rdf:li>", b"saldo 7751</rdf:li>"),
        (b"/Creator(", b"/Keywords(saldo)/Creator("),
    ],
)
def test_metadata_that_say_more_do_not_leave(old: bytes, new: bytes) -> None:
    pdf = render(letter_job()).pdf
    assert old in pdf
    with pytest.raises(EgressRefused) as refused:
        paper_outlets.check_metadata(pdf.replace(old, new, 1), "7H3K9QW2X5TZA")
    assert "7751" not in str(refused.value)


def test_a_worker_that_dies_is_told_apart_from_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("field_api.adapters.typst_process._COMMAND", [sys.executable, "-c", "import os; os.abort()"])
    with audience(Audience.ENTITLED_PARTY), pytest.raises(PaperFailed, match="ended early"):
        PAPERS.render([letter_job()])


def test_pages_are_counted_as_readers_count_them() -> None:
    pdf = render(letter_job(jurisdiction="US", currency="USD")).pdf
    assert typst_worker.pages_of(pdf) == len(PdfReader(BytesIO(pdf)).pages) == 6
