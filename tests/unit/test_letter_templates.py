"""Creditors' own templates: what they may not do is refused by name, what they must show is looked for on the pages."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from doorstep.commands.letter import letter
from field_api.adapters import typst_worker
from field_api.adapters.pdf_text import read_pages
from field_api.adapters.typst_errors import told
from field_api.adapters.typst_papers import TypstPapers
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letter_shown import MAX_PIECES, missing, must_show, own_words, written
from field_api.domain.letter_templates import ActiveTemplate, choose
from field_api.domain.ports import Paper, PaperJob, PaperRefused
from field_api.rules.letters import rules_for
from field_api.usecases.check_letter_template import check_letter_template, sample_of

EXAMPLE = Path(typst_worker.TEMPLATES, "examples", "two-columns.typ").read_text(encoding="utf-8")
PAPERS = TypstPapers(cpu_seconds=0.4)
MX = rules_for("MX")
assert MX is not None


def job(source: str, **changed: Any) -> PaperJob:
    assert MX is not None
    return replace(sample_of(source.encode(), MX, "notification", "", hard=False).job, **changed)


def inner(body: str) -> str:
    return "#let inner(letter, mark) = {\n  " + body + "\n}"


def laid_out(jobs: list[PaperJob]) -> list[Paper | PaperRefused]:
    with audience(Audience.ENTITLED_PARTY):
        return PAPERS.render(jobs)


SVG = '<svg xmlns=\\"http://www.w3.org/2000/svg\\" xmlns:xlink=\\"http://www.w3.org/1999/xlink\\" '
ATTACKS = {
    'read("/etc/passwd")': "file-refused",
    'read("/proc/self/environ")': "file-refused",
    'read("/fonts/SourceSansPro-It.ttf", encoding: none)': "file-refused",
    'eval("read(\\"/etc/passwd\\")")': "file-refused",
    'import "@preview/cetz:0.3.0": canvas': "package-refused",
    f'image(bytes("{SVG}width=\\"9\\" height=\\"9\\"><image xlink:href=\\"file:///etc/passwd\\"/></svg>"), alt: "x")': (
        "template-error"
    ),
    "let x = 0; while x < 1 { x = x * 1 }": "too-slow",
    "for i in range(100000) { [a]; pagebreak() }": "too-slow",
    "let f(x) = f(x + 1); f(1)": "too-deep",
    "[" + "#[" * 5000 + "]" * 5001: "too-deep",
    'let a = "x" * 4000000000; [#a.len()]': "too-much-memory",
    '"a".matches(regex("(((a{0,100}){0,100}){0,100}){0,100}"))': "template-error",
    "let p = plugin(bytes((0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))); [#repr(p)]": "template-error",
    'set document(title: "Adeudo"); [a]': "metadata",
    'pdf.attach("x.txt", bytes("abc"), description: "x"); [a]': "metadata",
    "set heading(bookmarked: true, outlined: true); heading[Adeudo]": "metadata",
    'link("https://beispiel.example/?x=" + letter.serial)[a]': "link",
    'set page(paper: "a3"); [a]': "page-size",
    "place(top + left, dx: -30mm)[a]": "outside-page",
    "for i in range(30) { [a]; pagebreak() }": "too-many-pages",
    "panic(letter)": "template-error",
}


def test_what_a_template_may_not_do_is_refused_by_name_and_spares_the_others() -> None:
    """All in one batch, and behind them a letter that comes out. Nothing told of a refusal holds the letter's data."""
    sources = [*map(inner, ATTACKS), EXAMPLE]
    jobs = [job(source, must_show={}, explain=False) for source in sources]
    *refused, fine = laid_out(jobs)
    reasons = {attack: getattr(paper, "reason", paper) for attack, paper in zip(ATTACKS, refused, strict=True)}
    assert reasons == ATTACKS
    assert isinstance(fine, Paper)
    assert all(paper.detail == "" for paper in refused if isinstance(paper, PaperRefused))


def test_a_templates_clock_and_its_random_numbers_are_the_letters_day() -> None:
    [first, second] = laid_out([job(inner("[#datetime.today().display()]"), must_show={})] * 2)
    assert isinstance(first, Paper) and isinstance(second, Paper)
    assert first.pdf == second.pdf
    assert "2026-11-18" in read_pages(first.pdf)[2].readable


def test_a_template_touches_neither_the_address_page_nor_its_back_nor_how_sheets_part() -> None:
    """Not even one that sets all it can: the first two pages are drawn as the house's own letter draws them."""
    body = (
        "set page(background: [#letter.sender_lines.first()], foreground: [#letter.serial], header: [a])\n"
        "  set text(size: 20pt, fill: red)\n  counter(page).update(1)\n  [a]; pagebreak(); [b]; pagebreak(); [c]"
    )
    [own] = laid_out([job(inner(body), must_show={})])
    assert MX is not None
    [house] = laid_out([sample_of(b"", MX, "notification", "", hard=False).job])
    assert isinstance(own, Paper) and isinstance(house, Paper)
    assert [page.runs for page in read_pages(own.pdf)[:2]] == [page.runs for page in read_pages(house.pdf)[:2]]
    assert own.pages % 2 == 0 and read_pages(own.pdf)[-1].runs == ()


BLOCK = "show-block(b, accent: accent(letter))"
HIDING = {
    "pale": "text(fill: luma(80%), @)",
    "tiny": "text(size: 0.6em, @)",
    "see-through": "text(fill: rgb(0, 0, 0, 20), @)",
    "a gradient": "text(fill: gradient.linear(black, white), @)",
    "hidden": "hide(@)",
    "clipped": "box(width: 100%, height: 2mm, clip: true, @)",
    "covered": "block({ @; place(top + left, rect(width: 100%, height: 9cm, fill: white)) })",
    "covered at one side": "block({ @; place(top + left, rect(width: 20%, height: 9cm, fill: white)) })",
    "under a line": "block({ @; place(top + left, line(length: 100%, stroke: 18cm + white)) })",
    "under a see-through picture": 'block({ @; place(top + left, image(COVER, alt: "x", width: 100%)) })',
    "dark on dark": "block(fill: luma(40%), radius: 2pt, @)",
    "mirrored": "scale(x: -100%, @)",
    "filled by its outline": "text(stroke: 3pt + black, @)",
}
COVER = (
    f'bytes("{SVG}width=\\"600\\" height=\\"300\\"><g opacity=\\"0.99\\">'
    '<rect width=\\"600\\" height=\\"300\\" fill=\\"white\\"/></g></svg>")'
)
READ = (  # all at once: a dark panel, a frame, a tint, letters that are a little bolder
    "block(fill: rgb(0, 0, 60), stroke: 2pt, text(fill: white, BLOCK))",
    "block(fill: rgb(200, 0, 0, 20), radius: 3mm, inset: 1mm, rect(stroke: 1pt, text(stroke: 0.1pt, BLOCK)))",
    "rotate(180deg, BLOCK)",
)


def test_text_counts_as_shown_where_somebody_reads_it_who_holds_the_paper() -> None:
    hiding = [EXAMPLE.replace(BLOCK, how.replace("@", BLOCK).replace("COVER", COVER)) for how in HIDING.values()]
    plain = [
        EXAMPLE.replace(BLOCK, how.replace("BLOCK", BLOCK.replace(", accent: accent(letter)", ", accent: white")))
        for how in READ[:1]
    ]
    plain += [EXAMPLE.replace(BLOCK, how.replace("BLOCK", BLOCK)) for how in READ[1:]]
    styled = EXAMPLE.replace(BLOCK, f"text(hyphenate: true, upper(columns(2, {BLOCK})))")
    papers = laid_out([job(source) for source in [*hiding, *plain, styled]])
    found = dict(zip(HIDING, (getattr(paper, "reason", paper) for paper in papers), strict=False))
    assert found == dict.fromkeys(HIDING, "not-shown")
    for shown in papers[len(HIDING) :]:
        assert isinstance(shown, Paper), shown


def faults(source: str, **more: Any) -> list[str]:
    given = {"jurisdictions": ["MX"], "kinds": ["notification"], "renderer": PAPERS, **more}
    return [fault.told("mine.typ") for fault in check_letter_template(source.encode(), **given)]


def test_the_shipped_example_lays_out_every_kind() -> None:
    assert faults(EXAMPLE, kinds=()) == []


@pytest.mark.parametrize(
    ("old", "new", "told_as"),
    [
        ("cards(b.rows)", "cards(b.rows.slice(1))", "mine.typ: not-shown (collector_name (CONDUSEF"),
        ("show-block(b, ", 'if b.block != "small" { show-block(b) }; let x = (', "mine.typ: not-shown (es notice redeco (CONDUSEF, REDECO)): Puede"),
        ("part.title", "part.titel", 'mine.typ:35:54: template-error: dictionary does not contain key "titel"'),
        ("text(fill: grey, part.date)", "[Juzgado Primero]", "mine.typ:32:1: forbidden-word: juzgado* (CONDUSEF"),
        ("part.date)", 'part.date + "Juz" + "gado")', "mine.typ: forbidden-word: juzgado*"),
        ("v(8mm)", "plugin", "mine.typ:29:5: plugin-refused: a template runs no other program"),
        ("#let inner(", "#let outer(", "mine.typ: no-inner: the template defines no inner(letter, mark)"),
    ],
)  # fmt: skip
def test_a_bad_template_fails_with_file_line_and_reason(old: str, new: str, told_as: str) -> None:
    assert old in EXAMPLE
    [line, *_] = faults(EXAMPLE.replace(old, new))
    assert line.startswith(told_as), line
    assert str(Path.cwd()) not in line and "/papers" not in line


def test_a_template_asks_for_no_payment_in_the_letter_that_confirms_an_objection() -> None:
    asking = EXAMPLE.replace("part.date)", 'part.date + " Pague hoy.")')
    assert faults(asking) == []
    [line, *_] = faults(asking, kinds=["dispute_acknowledgement"])
    assert line.startswith("mine.typ: forbidden-word: pague (while collection is stopped"), line


def test_what_is_no_text_or_too_long_is_refused_before_anything_is_laid_out() -> None:
    assert check_letter_template(b"\xff", jurisdictions=["MX"], renderer=PAPERS)[0].reason == "not-text"
    assert check_letter_template(b" " * 300_000, jurisdictions=["MX"], renderer=PAPERS)[0].reason == "too-large"


def test_an_error_tells_neither_paths_nor_data() -> None:
    class Said(RuntimeError):
        message = "file not found (searched at /home/somebody/x.typ)"
        diagnostic = "error\n ┌─ ../../" + "a" * 64 + ".typ:3:7\n"
        hints = ("see /home/somebody/y",)

    assert told(Said("x"), "", explain=True) == {"failed": "Said"}
    assert told(Said("x"), "a" * 64, explain=False) == {"failed": "file-refused", "at": "3:7"}
    assert "/home" not in json.dumps(told(Said("x"), "a" * 64, explain=True))


WORDS = st.lists(st.text("abcdeéñß0123456789.,$€", min_size=1, max_size=12), min_size=3, max_size=40)


@given(WORDS, st.integers(0, 2**32))
def test_a_text_is_found_however_its_lines_and_pages_break(words: list[str], seed: int) -> None:
    chance = random.Random(seed)
    text = " ".join(words)
    cut = chance.randrange(len(text))
    lines = "".join(c + chance.choice(["", "", "-\n", "\n "]) for c in text[:cut])
    page = ["Seite 1 " + lines, text[cut:] + " Fuß"]
    assert missing({"a": (text,)}, page) is None or len(written(text[cut:])) < 4 or len(written(text[:cut])) < 4
    assert missing({"a": (text + " ¿falta esto?",)}, page) == ("a", text + " ¿falta esto?")


def test_pieces_are_few_and_scripts_that_are_drawn_in_another_order_are_found_by_their_letters() -> None:
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    assert missing({"a": (alphabet,)}, [" ".join(alphabet[n : n + 4] + "!" for n in range(0, 36, 4))]) is not None
    assert len(alphabet) // 4 > MAX_PIECES
    assert missing({"a": ("חברה S.A.",)}, ["S.A. הרבח"]) is None
    assert missing({"a": ("חברה S.A.",)}, ["S.A."]) is not None
    assert own_words({"a": ("Saldo: 100",)}, ["Saldo:", "100", "Juzgado"]) == "Juzgado"


def test_every_text_of_a_letter_must_be_shown() -> None:
    assert MX is not None
    letter = sample_of(b"", MX, "payment_plan", "", hard=True).job.data["letter"]
    wanted = {text for texts in must_show(letter).values() for text in texts}
    heads = {text for part in letter["parts"] for block in part["blocks"] for text in block.get("head", ())}

    def texts_in(value: Any) -> set[str]:
        if isinstance(value, str):
            return {value}
        inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return set[str]().union(*map(texts_in, inside))

    said = set[str]().union(*(texts_in({**block, "block": []}) for part in letter["parts"] for block in part["blocks"]))
    assert said - heads <= wanted


def test_the_nearest_template_lays_out() -> None:
    active = [
        ActiveTemplate("aa", 1, (), ()),
        ActiveTemplate("bb", 2, ("reminder",), ()),
        ActiveTemplate("cc", 3, ("reminder",), ("es",)),
        ActiveTemplate("dd", 4, (), ("fr",)),
    ]
    assert choose(active, "reminder", "es-MX") == "cc"
    assert choose(active, "reminder", "fr") == "bb"
    assert choose(active, "notification", "fr") == "dd"
    assert choose(active, "notification", "de") == "aa"
    assert choose(active[1:3], "notification", "es") == ""


def test_the_command_says_file_line_and_reason_and_fails(tmp_path: Path) -> None:
    file = tmp_path / "mine.typ"
    file.write_text(EXAMPLE.replace("part.title", "part.titel"), encoding="utf-8")
    run = CliRunner().invoke
    done = run(letter, ["template", "check", str(file), "--jurisdiction", "MX", "--kind", "reminder"])
    assert done.exit_code == 1
    assert done.output.startswith("mine.typ:35:54: template-error: dictionary does not contain key")
    shown = run(letter, ["preview", str(file), "--jurisdiction", "MX", "--out", str(tmp_path / "x.pdf")])
    assert shown.exit_code == 1 and "mine.typ:35:54: template-error" in shown.output
    file.write_text(EXAMPLE, encoding="utf-8")
    out = tmp_path / "x.pdf"
    assert run(letter, ["preview", str(file), "--jurisdiction", "MX", "--hard", "--out", str(out)]).exit_code == 0
    assert out.read_bytes().startswith(b"%PDF")
