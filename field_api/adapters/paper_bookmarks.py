"""A PDF's bookmarks: what a viewer lists beside the page, and so what lies open beside an address or a stop.

A sheet and a stack have numbers there, and a stack whose it is; a letter has its own headings, which are its inside as
much as its text. Nothing is opened by itself: whoever wants the list asks the viewer for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from field_api.domain.disclosure import Audience, Label
from field_api.platform.egress import Closed, EgressRefused, OutletKind, declare, passed

NUMBERS = declare(
    OutletKind.TEMPLATE,
    "bookmarks",
    Audience.AGENT,
    shape=[Closed(Label.INTERNAL, re.compile(r"\d{1,4}"))],
    note="of sheets: the stops",
)
STACKS = declare(
    OutletKind.TEMPLATE,
    "stack.bookmarks",
    Audience.AGENT,
    shape=[Closed(Label.INTERNAL, re.compile(r"\d{1,4}|[A-Za-z0-9._-]{1,20}"))],
    note="whose stack, and its stops",
)
HEADINGS = declare(
    OutletKind.TEMPLATE,
    "letter.bookmarks",
    Audience.ENTITLED_PARTY,
    shape=[Label.CONFIDENTIAL],
    note="headings that stand on the letter's pages",
)
_OPENS = re.compile(rb"/(?:PageMode|OpenAction|AA)\b(?!\s*/UseNone)")
_PACKED = re.compile(rb"/Type ?/ObjStm\b")
_TITLE = re.compile(rb"/Title\s*([(<])")
_OCTAL = re.compile(rb"\\([0-7]{1,3})")
_ESCAPED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
_UNSEEN = re.compile("[\u200b\u2060\u2066-\u2069\\s]+")


def check_bookmarks(pdf: bytes, template: str, data: Mapping[str, Any]) -> None:
    """Raises EgressRefused for a bookmark that is not the template's, or a PDF that opens its list by itself."""
    catalogue = _catalogue(pdf)
    if not catalogue or _OPENS.search(catalogue) or _PACKED.search(pdf):
        raise EgressRefused(NUMBERS.place, "opens by itself, or has its objects packed")
    found = bookmarks_of(pdf)
    if template == "letter":
        _check_headings(found, headings_of(data["letter"]))
    elif template == "legend":
        _check_headings(found, {data["words"][name] for name in ("card_title", "card_outcomes", "card_envelope")})
    else:
        passed(STACKS if template == "stack" else NUMBERS, found)


def headings_of(letter: Mapping[str, Any]) -> set[str]:
    """What may head something on the letter's pages."""
    blocks = [block for part in letter["parts"] for block in part["blocks"]]
    titles = {part["title"] for part in letter["parts"]}
    heads = {block["text"] for block in blocks if block["block"] == "heading"}
    return titles | heads | {block["caption"] for block in blocks if "caption" in block}


def bookmarks_of(pdf: bytes) -> list[str]:
    """The titles of everything in a PDF that has one, but the document. Typst writes these objects in the clear."""
    info = re.search(rb"/Info (\d+) 0 R", pdf)
    begin = pdf.rfind(b"\n%s 0 obj" % info[1]) if info else -1
    end = pdf.find(b"endobj", begin)
    return [
        _text(pdf, match.start(1)) for match in _TITLE.finditer(pdf) if not (begin >= 0 and begin < match.start() < end)
    ]


def _catalogue(pdf: bytes) -> bytes:
    """The document's root, in the clear as all that a viewer is told; empty where it is not found."""
    at = max(pdf.rfind(b"/Type/Catalog"), pdf.rfind(b"/Type /Catalog"))
    return pdf[pdf.rfind(b" obj", 0, at) : pdf.find(b"endobj", at)] if at >= 0 else b""


def _check_headings(found: list[str], known: set[str]) -> None:
    plain = {_UNSEEN.sub(" ", heading).strip() for heading in known}
    if not {_UNSEEN.sub(" ", title).strip() for title in found} <= plain:
        raise EgressRefused(HEADINGS.place, "is no heading of the paper")


def _text(pdf: bytes, at: int) -> str:
    """The PDF text string that begins there (ISO 32000-1, 7.3.4): UTF-16 with its mark, or PDFDocEncoding's ASCII."""
    if pdf[at : at + 1] == b"<":
        raw = bytes.fromhex(pdf[at + 1 : pdf.index(b">", at)].decode("ascii"))
    else:
        raw = b"".join(_literal(pdf, at + 1))
    return raw[2:].decode("utf-16-be", "replace") if raw[:2] == b"\xfe\xff" else raw.decode("latin-1")


def _literal(pdf: bytes, at: int) -> Iterator[bytes]:
    """The bytes of a string in parentheses, which may stand in pairs inside of it."""
    depth = 1
    while at < len(pdf):
        octal = _OCTAL.match(pdf, at)
        here = pdf[at : at + 1]
        if octal:
            yield bytes([int(octal[1], 8) & 0xFF])
            at += len(octal[0])
            continue
        if here == b"\\":
            following = pdf[at + 1 : at + 2]
            yield _ESCAPED.get(following, following)
            at += 2
            continue
        depth += (here == b"(") - (here == b")")
        if not depth:
            return
        yield here
        at += 1
