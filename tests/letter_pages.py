"""A letter's pages as a reader has them: the PDF that leaves, and where there is ink on each page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import typst
from PIL import Image
from pypdf import PdfReader

from field_api.adapters.typst_worker import TEMPLATES, Layout, qr_svg
from tests.letter_samples import composed, sample


def content(**facts: Any) -> dict[str, Any]:
    """A letter's content as it is stored; `facts`: of field_api.domain.letter_model LetterFacts."""
    made: dict[str, Any] = json.loads(json.dumps(composed(sample(**facts)).wire()))
    return made


def pdf_bytes(layout: Layout, letter: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> bytes:
    data = {"letter": letter, "mark": "", "qr": [letter["serial"]]}
    return layout.render({"template": "letter", "data": data, "made_at": "2026-11-18T00:00:00+00:00"}, files or {})


def pdf_of(layout: Layout, letter: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> PdfReader:
    return PdfReader(BytesIO(pdf_bytes(layout, letter, files)))


def png_compiler() -> typst.Compiler:
    """The layout library with the package's fonts and templates, for pictures: the program itself makes PDFs alone."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(TEMPLATES / "fonts")])
    return typst.Compiler(root=str(TEMPLATES), font_paths=fonts, ignore_system_fonts=True)


ADDRESS_PAGE = """#import "common.typ": given, sans
#import "address_page.typ": address-page
#set text(font: sans)
#address-page(given().data.letter, 0)
"""


def ink_of(
    compiler: typst.Compiler, letter: Mapping[str, Any], pixels_per_mm: float, *, main: str = ""
) -> list[np.ndarray]:
    """Of each page where it is not white: rows from the top, columns from the left. `main`: only what it lays out."""
    given = {"data": {"letter": letter, "mark": ""}, "qr": [qr_svg(letter["serial"])], "files": []}
    template = main.encode() or (TEMPLATES / "letter.typ").read_bytes()
    pages = []
    for page in _pngs(compiler, {"main.typ": template, "given.json": json.dumps(given).encode()}, pixels_per_mm):
        with Image.open(BytesIO(page)) as image:
            pages.append(np.asarray(image.convert("L")) < 250)
    return pages


def _pngs(compiler: typst.Compiler, files: Mapping[str, bytes], pixels_per_mm: float) -> list[bytes]:
    made = compiler.compile(input=dict(files), format="png", ppi=pixels_per_mm * 25.4)
    return made if isinstance(made, list) else [made]
