"""The same letter by ReportLab: same words, fonts, pages and QR code; its PDF has no tags, and the mark no drawing."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4, letter
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    BaseDocTemplate,
    Flowable,
    Frame,
    ListFlowable,
    NextPageTemplate,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)

from field_api.adapters.typst_worker import TEMPLATES

INK, GREY = HexColor("#1a1a1a"), HexColor("#5c5c5c")
FONTS = {"Sans": "SourceSansPro-Regular.ttf", "SansBold": "SourceSansPro-Semibold.ttf"}


def _style(name: str, size: float, font: str = "Sans", **more: Any) -> ParagraphStyle:
    return ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.35, textColor=INK, **more)


STYLES = {
    "body": _style("body", 10.5, spaceAfter=6),
    "strong": _style("strong", 10.5, "SansBold", spaceAfter=6),
    "small": _style("small", 9, spaceAfter=6),
    "title": _style("title", 17, "SansBold", spaceAfter=12),
    "heading": _style("heading", 12, "SansBold", spaceBefore=10, spaceAfter=4),
    "right": _style("right", 10.5, alignment=2),
}


class ReportLabLetters:
    """Fonts are read once, as they are for the others."""

    def __init__(self, fonts: Path = TEMPLATES / "fonts") -> None:
        for name, file in FONTS.items():
            pdfmetrics.registerFont(TTFont(name, str(fonts / file)))

    def render(self, data: Mapping[str, Any]) -> bytes:
        content, target = data["letter"], io.BytesIO()
        size = letter if content["paper"] == "us-letter" else A4
        document = BaseDocTemplate(target, pagesize=size, title=content["serial"], invariant=1)
        inner = Frame(25 * mm, 22 * mm, size[0] - 45 * mm, size[1] - 44 * mm, 0, 0, 0, 0)
        window = Frame(25 * mm, size[1] - 90 * mm, 75 * mm, 27 * mm, 0, 0, 0, 0)
        document.addPageTemplates(
            [
                PageTemplate("address", [window], onPage=lambda canvas, _: _code(canvas, content, size)),
                PageTemplate("inner", [inner], onPage=lambda canvas, _: _foot(canvas, content)),
            ]
        )
        document.build(list(_pages(content)))
        return target.getvalue()


def _code(canvas: Any, content: Mapping[str, Any], size: tuple[float, float]) -> None:
    drawing = Drawing(20 * mm, 20 * mm)
    drawing.add(QrCodeWidget(content["serial"], barLevel="M", barWidth=20 * mm, barHeight=20 * mm))
    drawing.drawOn(canvas, size[0] - 36 * mm, 22 * mm)
    canvas.setFont("Sans", 8)
    canvas.drawRightString(size[0] - 16 * mm, 16 * mm, content["serial"])


def _foot(canvas: Any, content: Mapping[str, Any]) -> None:
    canvas.setFont("Sans", 8)
    canvas.setFillColor(GREY)
    canvas.drawString(25 * mm, 12 * mm, content["serial"])
    canvas.drawRightString(190 * mm, 12 * mm, str(canvas.getPageNumber() - 2))


def _pages(content: Mapping[str, Any]) -> Iterator[Flowable]:
    yield _lines(content["address_lines"], STYLES["body"])
    yield from (PageBreak(), Spacer(1, 1), NextPageTemplate("inner"), PageBreak())
    yield _lines(content["brand"]["sender_lines"] or content["sender_lines"], STYLES["small"])
    for number, part in enumerate(content["parts"]):
        if number:
            yield PageBreak()
        yield _lines(content["address_lines"], STYLES["body"])
        yield Paragraph(escape(part["date"]), STYLES["right"])
        yield Paragraph(escape(part["title"]), STYLES["title"])
        for block in part["blocks"]:
            yield from _block(block)


def _lines(lines: Sequence[str], style: ParagraphStyle) -> Paragraph:
    return Paragraph("<br/>".join(map(escape, lines)), style)


def _block(block: Mapping[str, Any]) -> Iterator[Flowable]:
    kind = block["block"]
    if kind in ("paragraph", "small", "heading"):
        name = kind if kind != "paragraph" else "strong" if block.get("strong") else "body"
        yield Paragraph(escape(block["text"]), STYLES[name])
    elif kind == "facts":
        yield _table(block["rows"], [46 * mm, 119 * mm], [])
    elif kind == "table":
        yield Paragraph(escape(block["caption"]), STYLES["strong"])
        rows = [*([block["head"]] if block.get("head") else []), *block["rows"]]
        total = block.get("total") or []
        rows += [["" for _ in rows[0][len(total) :]] + list(total)] if total else []
        yield _table(rows, None, [("LINEABOVE", (0, 0), (-1, -1), 0.3, GREY), ("ALIGN", (-1, 0), (-1, -1), "RIGHT")])
    elif kind in ("list", "checks"):
        items = [Paragraph(escape(item), STYLES["body"]) for item in block["items"]]
        if items:
            yield ListFlowable(items, bulletType="bullet", start="square" if kind == "checks" else None)


def _table(rows: Sequence[Sequence[str]], widths: list[float] | None, style: list[Any]) -> Table:
    cells = [[Paragraph(escape(cell), STYLES["body"]) for cell in row] for row in rows]
    return Table(cells, colWidths=widths, style=[("VALIGN", (0, 0), (-1, -1), "TOP"), *style], spaceAfter=8)
