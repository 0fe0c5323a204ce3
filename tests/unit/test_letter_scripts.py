"""Names in every script, endless words and both directions: each has its letters, and none leaves the page."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest

from field_api.adapters.typst_worker import Layout
from field_api.domain.printable import printable_in
from tests.letter_pages import content, ink_of, pdf_of, png_compiler

PIXELS_PER_MM = 2.0
NAMES = (
    "Ñandú Güemes Østergård Škvorecký Łukasz Đặng Văn Ơn",
    "Ἀριστοτέλης Παπαδόπουλος",
    "Щербакова Ірина Ђорђевић",
    "Հովհաննես Թումանյան",
    "ნინო ქართველი",
    "שָׁרָה לֵוִי",
    "محمد عبد الله",
    "نستعلیق پژمان گچ‌پژ",
    "ܡܪܝܡ",
    "ޢަލީ",
    "ߒߞߏ",
    "ሰላም ተስፋዬ",
    "लक्ष्मी श्रीवास्तव",
    "তানভীর আহমেদ",
    "ਗੁਰਪ੍ਰੀਤ ਸਿੰਘ",
    "પટેલ ગુજરાતી",
    "ଓଡ଼ିଆ ନାମ",
    "தமிழ்ச்செல்வி",
    "తెలుగు పేరు",
    "ಕನ್ನಡ ಹೆಸರು",
    "മലയാളം പേര്",
    "සිංහල නම",
    "ชื่อสมมติ",
    "ຊື່ສົມມຸດ",
    "བཀྲ་ཤིས་བདེ་ལེགས",
    "မြန်မာအမည်",
    "ឈ្មោះប្រឌិត",
    "ᠮᠣᠩᠭᠣᠯ",
    "ᏣᎳᎩ",
    "ᐃᓄᒃᑎᑐᑦ",
    "ꦗꦮ",
    "ᬩᬮᬶ",
    "ⵜⴰⵎⴰⵣⵉⵖⵜ",
    "ꆈꌠꁱꂷ",
    "𞤀𞤁𞤂𞤢𞤥",
    "𐓏𐓘𐓻𐓘𐓻𐓟",
    "山田太郎 𠮷野家 ヤマダ やまだ",
    "王小明 龍龜",
    "홍길동 ᄒᆞᆫ글",
    "ㄅㄆㄇ",
    "𓀀𓁐 𒀀𒀁 𐤀𐤁 ᚠᚢᚦ 𝠀 𗀀",
    "Ana 🙂 👩‍👩‍👧 🇲🇽 ❤️ ★ № ™ ½ ﬁ 𝓐𝓷𝓪",
    "Z̷̡̛a̴l̸g̶o",
)


@pytest.fixture(scope="module")
def layout() -> Layout:
    return Layout()


def letters() -> Iterator[str]:
    """What is assigned below the supplementary planes of Han: letters, marks, digits, punctuation and symbols."""
    for code in range(0xA0, 0x20000):
        if 0x3400 <= code < 0xA000 or 0x18AF3 <= code < 0x18D10:  # Han; the latest rows of Tangut, which no font has
            continue
        if unicodedata.category(chr(code))[0] in "LNPS":
            yield chr(code)


def test_every_script_has_its_letters(layout: Layout) -> None:
    """One in five of all, with those of the smallest scripts among them; a glyph that is missing would be refused."""
    letter = content()
    letter["parts"][0]["blocks"] = [{"block": "paragraph", "text": " ".join(list(letters())[::5])}]
    assert len(pdf_of(layout, letter).pages) > 4


@pytest.mark.prove
def test_every_letter_is_there(layout: Layout) -> None:
    letter = content()
    letter["parts"][0]["blocks"] = [{"block": "paragraph", "text": " ".join(letters())}]
    assert len(pdf_of(layout, letter).pages) > 20


def test_a_name_may_be_written_in_any_script(layout: Layout) -> None:
    for first in range(0, len(NAMES), 6):
        name, *lines = NAMES[first : first + 6]
        letter = content(name=name, address_lines=tuple(lines), product=name, settlement=" ".join(lines))
        page = pdf_of(layout, letter).pages[0].extract_text()
        assert page.count("\N{REPLACEMENT CHARACTER}") == 0 and len(page) > 20


def test_a_character_that_no_font_has_is_refused_and_never_an_empty_box(layout: Layout) -> None:
    with pytest.raises(Exception, match="could not be displayed"):
        pdf_of(layout, content(name="\U00020005"))


def test_nothing_reaches_into_the_margins_however_long_it_is() -> None:
    """Every field at once: words without an end, without a break, from the right, with breaks and without."""
    compiler, letter = png_compiler(), printable_in(content())
    for endless in ("W" * 400, "ש" * 300, "ก" * 400, "abc.def@" * 60):
        letter |= {"sender_lines": [endless] * 3, "address_lines": ["Ana", "Calle 1", "Ciudad"]}
        letter["brand"] = {"signature_name": endless, "signature_title": endless, "colour": "#ffee00"}
        letter["parts"][0] |= {"title": endless, "blocks": every_block(endless)}
        for ink in ink_of(compiler, letter, PIXELS_PER_MM)[2:]:
            right, left = round(14 * PIXELS_PER_MM), round(9 * PIXELS_PER_MM)
            assert not ink[:, -right:].any(), f"{endless[:3]} leaves the page"
            assert not ink[:, left : round(22 * PIXELS_PER_MM)].any()
            assert not ink[-round(8 * PIXELS_PER_MM) :].any() and not ink[: round(8 * PIXELS_PER_MM)].any()


def every_block(text: str) -> list[dict[str, Any]]:
    table = {
        "block": "table",
        "caption": text,
        "head": [text, "1"],
        "rows": [[text, "9" * 30]] * 3,
        "total": [text, "9" * 30],
    }
    return [
        {"block": "heading", "text": text},
        {"block": "paragraph", "text": text, "strong": True},
        {"block": "facts", "rows": [["Etiqueta", text], ["Nombre", text]]},
        table,
        {"block": "list", "items": [text, text]},
        {"block": "checks", "items": [text]},
        {"block": "small", "text": text},
    ]
