"""The same letter by WeasyPrint: HTML and CSS with the same words, fonts, pages, QR code and mark, as PDF/UA-1."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from field_api.adapters.typst_worker import TEMPLATES, qr_svg

_FONTS = TEMPLATES / "fonts"
_STYLE = f"""
@font-face {{ font-family: Sans; src: url({(_FONTS / "SourceSansPro-Regular.ttf").as_uri()}) }}
@font-face {{ font-family: Sans; font-weight: 600; src: url({(_FONTS / "SourceSansPro-Semibold.ttf").as_uri()}) }}
@page {{ margin: 22mm 20mm 22mm 25mm; @bottom-left {{ content: string(serial); font: 8pt Sans; color: #5c5c5c }}
  @bottom-right {{ content: counter(page); font: 8pt Sans; color: #5c5c5c }} }}
@page outside {{ margin: 0; @bottom-left {{ content: none }} @bottom-right {{ content: none }} }}
body {{ font: 10.5pt/1.35 Sans; color: #1a1a1a; margin: 0 }}
.outside {{ page: outside; height: 290mm; position: relative; break-after: page }}
.window {{ position: absolute; left: 25mm; top: 62.7mm; width: 75mm; height: 27.3mm }}
.code {{ position: absolute; right: 16mm; bottom: 16mm; text-align: center; font-size: 8pt }}
.code img {{ width: 20mm; display: block }}
.serial {{ string-set: serial content(); position: absolute; font-size: 0 }}
.mark {{ height: 15mm }}
.part + .part {{ break-before: page }}
h1 {{ font-size: 17pt }} h2 {{ font-size: 12pt; break-after: avoid }} h1, h2, b, caption, tfoot {{ font-weight: 600 }}
.date, td:last-child {{ text-align: right }} .small {{ font-size: 9pt }}
table {{ width: 100%; border-collapse: collapse }} td, th {{ border-bottom: 0.3pt solid #5c5c5c; padding: 1.7mm 0 }}
dl {{ display: grid; grid-template-columns: 46mm 1fr; gap: 2mm 4mm }} dd {{ margin: 0 }} dt {{ color: #5c5c5c }}
caption, th {{ text-align: left }}
"""


class WeasyPrintLetters:
    """The style sheet and the fonts are read once, as they are for the others."""

    def __init__(self) -> None:
        self._fonts = FontConfiguration()
        self._style = CSS(string=_STYLE, font_config=self._fonts)

    def render(self, data: Mapping[str, Any], mark: bytes) -> bytes:
        html = HTML(string=_document(data["letter"], mark))
        return bytes(html.write_pdf(stylesheets=[self._style], font_config=self._fonts, pdf_variant="pdf/ua-1"))


def _document(content: Mapping[str, Any], mark: bytes) -> str:
    size = "letter" if content["paper"] == "us-letter" else "A4"
    serial = escape(content["serial"])
    address = _lines(content["address_lines"])
    sender = _lines(content["brand"]["sender_lines"] or content["sender_lines"])
    parts = "".join(_part(part, address) for part in content["parts"])
    name = escape(content["sender_lines"][0])
    picture = f'<p><img class="mark" alt="{name}" src="{_image(mark)}"></p>' if mark else ""
    return f"""<!DOCTYPE html><html lang="{content["parts"][0]["language"]}"><title>{serial}</title>
<style>@page {{ size: {size} }}</style>
<div class="outside"><div class="window">{address}</div>
<div class="code"><img alt="{serial}" src="{_image(qr_svg(content["serial"]).encode())}">{serial}</div></div>
<div class="outside"></div><div class="serial">{serial}</div>
{picture}<p class="small">{sender}</p>
{parts}</html>"""


def _part(part: Mapping[str, Any], address: str) -> str:
    blocks = "".join(map(_block, part["blocks"]))
    return (
        f'<div class="part" lang="{part["language"]}"><p>{address}</p><p class="date">{escape(part["date"])}</p>'
        f"<h1>{escape(part['title'])}</h1>{blocks}</div>"
    )


def _block(block: Mapping[str, Any]) -> str:
    kind = block["block"]
    if kind in ("paragraph", "small", "heading"):
        inside = escape(block["text"])
        if kind == "heading":
            return f"<h2>{inside}</h2>"
        return f'<p class="{kind}">{f"<b>{inside}</b>" if block.get("strong") else inside}</p>'
    if kind == "facts":
        return "<dl>" + "".join(f"<dt>{escape(label)}<dd>{escape(value)}" for label, value in block["rows"]) + "</dl>"
    if kind == "table":
        head = _row(block["head"], "th") if block.get("head") else ""
        rows = "".join(_row(row, "td") for row in block["rows"])
        total = block.get("total") or []
        span = len(block["rows"][0]) - len(total) + 1 if block["rows"] else 1
        foot = _row(total, "td", f' colspan="{span}"') if total else ""
        return f"<table><caption>{escape(block['caption'])}</caption><thead>{head}<tbody>{rows}<tfoot>{foot}</table>"
    return "<ul>" + "".join(f"<li>{escape(item)}" for item in block.get("items", [])) + "</ul>"


def _row(cells: Sequence[str], tag: str, first: str = "") -> str:
    return "<tr>" + "".join(
        f"<{tag}{first if not place else ''}>{escape(cell)}</{tag}>" for place, cell in enumerate(cells)
    )


def _lines(lines: Sequence[str]) -> str:
    return "<br>".join(map(escape, lines))


def _image(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
