"""The address page under the envelope's window, by geometry: every place where a folded sheet can lie is looked through.

Measures of envelopes and windows are written down here once more, from DIN 678-1 and DIN 680 and from the usual US #10,
so that the templates' own reckoning (field_api/adapters/papers/windows.typ) is checked and not repeated.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
import typst

from field_api.adapters.typst_worker import Layout
from tests.letter_pages import ADDRESS_PAGE, content, ink_of, pdf_of, png_compiler
from tests.letter_samples import SERIAL

PIXELS_PER_MM = 4.0
MARGIN_MM = 10.0  # what the sheet may slip beyond what anybody foresees


@dataclass(frozen=True)
class Envelope:
    """In millimetres: its own size, and the window's distance from the left and the bottom edge, width and height."""

    width: float
    height: float
    left: float
    bottom: float
    across: float
    high: float


DL = Envelope(220, 110, 20, 15, 90, 45)
C65 = Envelope(229, 114, 20, 15, 90, 45)
US10 = Envelope(9.5 * 25.4, 4.125 * 25.4, 0.875 * 25.4, 0.5 * 25.4, 4.5 * 25.4, 1.125 * 25.4)
# By the letter's window: its envelopes, the sheet's width, where it is folded, and how high it is then.
FORMS: dict[str, tuple[list[Envelope], float, tuple[float, float], float]] = {
    "din-5008-a": ([DL, C65], 210, (87, 192), 105),
    "din-5008-b": ([DL, C65], 210, (105, 210), 105),
    "c5-6": ([DL, C65], 210, (99, 198), 99),
    "us-10": ([US10], 215.9, (279.4 / 3, 279.4 * 2 / 3), 279.4 / 3),
}
COMPANY = ("Compañía Inventada de Muebles, Línea Blanca y Servicios Domésticos del Noroeste y Asociados " * 4)[:300]
TWELVE = (*(f"Manzana {n}, Lote {n} bis, Andador {n}" for n in range(1, 12)), "06500 Ciudad Inventada, Estado")
ADDRESSES: dict[str, tuple[str, ...]] = {
    "short": ("Persona Inventada", "Calle Uno 1", "06500 Ciudad Inventada"),
    "endless": (COMPANY, *TWELVE),
    "one word": ("W" * 120, "Calle Uno 1", "06500 Ciudad Inventada"),
    "from the right": ("\u2068שם בדוי\u2069", "\u2068רחוב אחד 1\u2069", "\u206861000 עיר\u2069"),
    "han": ("王小明有限公司" * 20, "中正路一號", "10001 臺北市"),
}


def letter(window: str, **more: Any) -> dict[str, Any]:
    place = {"jurisdiction": "US", "language": "en"} if window == "us-10" else {}
    return {**content(**place), "window": window, **more}


@pytest.fixture(scope="module")
def compiler() -> typst.Compiler:
    return png_compiler()


@pytest.fixture(scope="module")
def layout() -> Layout:
    return Layout()


def looked_at(window: str) -> list[tuple[float, float, float, float]]:
    """What the window shows of the sheet (left, top, right, bottom, in mm of the sheet) at every end of its slips."""
    envelopes, width, (fold, _), pile = FORMS[window]
    shown = []
    for envelope in envelopes:
        slips = product((0.0, envelope.width - width), (0.0, envelope.height - pile))
        for right, up in slips:  # of the sheet, out of the lower left corner
            left, bottom = envelope.left - right, fold - envelope.bottom + up
            shown.append((left, bottom - envelope.high, left + envelope.across, bottom))
    return shown


def part(ink: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    only = np.zeros_like(ink)
    rows = slice(max(0, round(top * PIXELS_PER_MM)), max(0, round(bottom * PIXELS_PER_MM)))
    only[rows, max(0, round(left * PIXELS_PER_MM)) : round(right * PIXELS_PER_MM)] = True
    return ink & only


@pytest.mark.parametrize("window", FORMS)
@pytest.mark.parametrize("who", ADDRESSES)
def test_the_window_shows_all_of_the_address_and_nothing_else(
    compiler: typst.Compiler, layout: Layout, window: str, who: str
) -> None:
    made = letter(window, address_lines=list(ADDRESSES[who]))
    made["parts"][0]["blocks"] = []
    [ink] = ink_of(compiler, made, PIXELS_PER_MM, main=ADDRESS_PAGE)
    shown = looked_at(window)
    always = part(ink, *(max(p[i] for p in shown) for i in (0, 1)), *(min(p[i] for p in shown) for i in (2, 3)))
    ever = part(ink, *(min(p[i] for p in shown) for i in (0, 1)), *(max(p[i] for p in shown) for i in (2, 3)))
    assert always.sum() > 200, "an address is seen"
    assert (always == ever).all(), "cut off at one end of the slips, or seen with something else"
    # Even 10 mm further in every direction than an envelope lets it, nothing of anybody comes into sight.
    left, top, right, bottom = shown[0]
    wider = part(ink, left - MARGIN_MM, top - MARGIN_MM, right + MARGIN_MM, bottom + MARGIN_MM)
    assert (wider == always).all()
    page = pdf_of(layout, made).pages[0].extract_text()
    assert letters(page) == letters("".join(ADDRESSES[who]) + SERIAL)


def letters(text: str) -> Counter[str]:
    """How often each character stands there, but for what only lays out: spaces, isolates, points between lines."""
    return Counter(re.sub("[\\s·\u200b\u2068\u2069]", "", text))


def test_what_does_not_fit_is_refused_and_not_cut(layout: Layout) -> None:
    made = letter("us-10", address_lines=[COMPANY, *TWELVE, *TWELVE])
    with pytest.raises(Exception, match="address does not fit"):
        pdf_of(layout, made)


@pytest.mark.parametrize("window", FORMS)
def test_folds_are_marked_where_no_window_is_and_only_on_the_first_of_the_inner_pages(
    compiler: typst.Compiler, window: str
) -> None:
    made = letter(window)
    made["parts"][0]["blocks"] *= 2  # more inner pages than one
    _, _, folds, _ = FORMS[window]
    pages = ink_of(compiler, made, PIXELS_PER_MM)
    marked = []
    for ink in pages:
        edges = ink[:, : round(9 * PIXELS_PER_MM)].any(1) | ink[:, -round(9 * PIXELS_PER_MM) :].any(1)
        rows = np.flatnonzero(edges) / PIXELS_PER_MM
        marked.append(bool(rows.size))
        if rows.size:
            assert all(min(abs(rows - fold)) < 0.3 for fold in folds)
            assert {round(row) for row in rows} <= {
                round(y) for fold in (*folds, 148.5) for y in (fold - 0.3, fold, fold + 0.3)
            }
    assert marked == [True, False, True] + [False] * (len(pages) - 3)


@pytest.mark.parametrize("window", FORMS)
@pytest.mark.parametrize("length", [1, 2, 4, 6])
def test_no_line_of_a_letter_lies_outside_when_its_sheets_are_folded(layout: Layout, window: str, length: int) -> None:
    """Page 2 is the address page's back; the last page's lower panel is the folded pile's other side."""
    made = letter(window)
    paragraphs = [b for b in made["parts"][0]["blocks"] if b["block"] != "table"]
    made["parts"][0]["blocks"] = [{"block": "paragraph", "text": "Son $12,345.67 de adeudo. " * 9}] * (
        4 * length
    ) + paragraphs
    pages = pdf_of(layout, made).pages
    assert len(pages) % 2 == 0, "the next letter begins on a front side"
    back = pages[1].get_contents()
    assert back is None or not re.search(rb"\b(Tj|TJ|Do|f|S)\b", back.get_data())
    _, _, (upper, lower), pile = FORMS[window]
    outside = lower - (pile - upper)
    for text, y_mm in texts_of(pages[-1]):
        assert y_mm < outside or re.fullmatch(rf"{SERIAL}|\d+/\d+", text), text


def texts_of(page: Any) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    height = float(page.mediabox.height)

    def visit(text: str, cm: list[float], tm: list[float], _font: object, _size: float) -> None:
        if text.strip():
            y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
            found.append((text.strip(), (height - y) / 72 * 25.4))

    page.extract_text(visitor_text=visit)
    return found
