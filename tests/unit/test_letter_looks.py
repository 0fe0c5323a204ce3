"""What a reader finds on the pages: a sender's pictures and colour, tables that go on, languages that stand apart."""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from datetime import date
from typing import Any

import pytest

from field_api.adapters.typst_worker import Layout
from field_api.domain.letters import Instalment, PromiseFacts
from tests.letter_pages import content, pdf_bytes, pdf_of

LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 10"><rect width="40" height="10" fill="#0b5d8a"/></svg>'
)
YELLOW = "#ffee00"


def png(side: int) -> bytes:
    """A green square."""
    rows = (b"\0" + b"\x1b\x7f\x5b" * side) * side

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def layout() -> Layout:
    return Layout()


def named(body: bytes, end: str) -> tuple[str, dict[str, bytes]]:
    digest = hashlib.sha256(body).hexdigest()
    return digest, {f"{digest}.{end}": body}


def colours(layout: Layout, letter: dict[str, Any], files: dict[str, bytes]) -> set[tuple[float, ...]]:
    """Red, green and blue of what is filled on the letter's first inner page."""
    drawn = pdf_of(layout, letter, files).pages[2].get_contents()
    assert drawn is not None
    found = re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) (?:sc|scn|rg)\b", drawn.get_data())
    return {tuple(round(float(part), 3) for part in colour) for colour in found}


def test_a_senders_pictures_are_drawn_and_described(layout: Layout) -> None:
    logo, files = named(LOGO, "svg")
    signature, more = named(png(8), "png")
    letter = content(in_name_of="creditor")
    letter["brand"] |= {
        "sender_lines": ["Mueblería Ficticia", "Avenida Ficticia 1"],
        "logo": logo,
        "signature_image": signature,
        "signature_name": "R. Inventada",
    }
    pdf = pdf_bytes(layout, letter, files | more)
    assert pdf.count(b"/Alt") == 3, "the code's, the logo's, the signature's"
    assert b"/Subtype/Image" in pdf.replace(b" ", b""), "the signature, a PNG"
    text = "".join(page.extract_text() for page in pdf_of(layout, letter, files | more).pages)
    assert "Avenida Ficticia 1" in text and "R. Inventada" in text


def test_a_letter_without_the_picture_that_it_names_is_refused(layout: Layout) -> None:
    letter = content()
    letter["brand"]["logo"] = "0" * 64
    with pytest.raises(Exception, match="image is missing"):
        pdf_bytes(layout, letter)


def test_a_senders_colour_is_darkened_until_it_can_be_read(layout: Layout) -> None:
    letter = content()
    letter["brand"]["colour"] = YELLOW
    seen = colours(layout, letter, {})
    assert seen and all(_contrast(colour) >= 4.5 for colour in seen), seen
    assert any(colour[0] > 2 * colour[2] + 0.1 for colour in seen), "it is still a yellow"


def _contrast(colour: tuple[float, ...]) -> float:
    """Against white paper: WCAG 2.2, relative luminance."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 1.05 / (sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True)) + 0.05)


def test_a_long_plan_goes_on_with_its_head_on_every_page_and_a_sum_at_its_end(layout: Layout) -> None:
    days = [date(2027 + month // 12, month % 12 + 1, 1) for month in range(60)]
    entries = tuple(Instalment(number, day, 100_000) for number, day in enumerate(days, 1))
    promise = PromiseFacts(6_000_000, due_on=days[-1], made_on=date(2026, 11, 16))
    letter = content(
        kind="payment_plan", jurisdiction="GB", language="en", instalments=entries, promise=promise,
        balance_minor=6_000_000, principal_minor=6_000_000, interest_minor=0, fees_minor=0,
    )  # fmt: skip
    pages = [page.extract_text() for page in pdf_of(layout, letter).pages]
    holding = [page for page in pages if len(re.findall(r"\d · 1 \w+ 20\d\d", page)) > 2]
    assert len(holding) >= 2 and all("Instalment" in page for page in holding)
    assert "£60,000.00" in holding[-1] and sum(len(re.findall(r"· 1 \w+ 20\d\d", page)) for page in pages) == 60


def test_each_language_begins_on_its_own_page_and_says_which_it_is(layout: Layout) -> None:
    letter = content(jurisdiction="US", language="es")
    pages = [page.extract_text() for page in pdf_of(layout, letter).pages]
    english = next(index for index, page in enumerate(pages) if "English" in page)
    spanish = next(index for index, page in enumerate(pages) if "Español" in page)
    assert 2 == english < spanish and "¿" not in "".join(pages[:spanish])
    numbered = [found[0] for page in pages if (found := re.findall(r"\b\d/\d+\b(?=\s*$)", page))]
    assert numbered == [f"{number}/{len(numbered)}" for number in range(1, len(numbered) + 1)]


@pytest.mark.parametrize("filled", range(26, 42, 2))
def test_no_heading_stands_at_a_pages_foot(layout: Layout, filled: int) -> None:
    letter = content()
    lines = [{"block": "paragraph", "text": f"Renglón {line}."} for line in range(filled)]
    headed = [{"block": "heading", "text": "Encabezado"}, {"block": "paragraph", "text": "Texto que le sigue. " * 30}]
    letter["parts"][0]["blocks"] = lines + headed
    said = [page.extract_text().partition("Encabezado") for page in pdf_of(layout, letter).pages]
    assert ["Texto que" in after for _, heading, after in said if heading] == [True]
