"""What a PDF or a picture says of itself: nothing but neutral values may stand in its metadata.

The text of a letter is for its addressee; its metadata are read by print servers, indexers and previews.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from pypdf import PdfReader

from field_api.rules.sheets import LANGUAGES, words_for

_DAY_AND_AGENT = r"\d{4}-\d\d-\d\d( [A-Za-z0-9._-]{1,20})?"
_SERIAL = r"[0-9A-HJKMNP-TV-Z]{13}"
_MOMENT = r"D:\d{14}(Z|[+-]\d\d'\d\d'?)?"
_ISO_MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"
_TYPST = r"Typst \d+\.\d+\.\d+"
_DIGEST = r"[A-Za-z0-9+/]{22}=="


def _title() -> str:
    """A day and an agent, a day for all of them, a letter's serial, or the legend card's fixed title."""
    cards = [re.escape(words_for(language).words["card_title"]) for language in LANGUAGES]
    return "|".join([_DAY_AND_AGENT, _SERIAL, *cards])


_INFO = {"/Title": _title(), "/Creator": _TYPST, "/ModDate": _MOMENT, "/CreationDate": _MOMENT}
_XMP = {
    "title": _title(),
    "CreatorTool": _TYPST,
    "language": r"[a-z]{2}(-[A-Za-z]{2,4})?",
    "ModifyDate": _ISO_MOMENT,
    "CreateDate": _ISO_MOMENT,
    "part": r"\d",
    "NPages": r"\d{1,5}",  # of a day of sixty routes
    "format": r"application/pdf",
    "InstanceID": _DIGEST,
    "DocumentID": _DIGEST,
    "RenditionClass": r"proof",
    "PDFVersion": r"\d\.\d",
}
_BOOKMARK = rf"\d{{1,4}}|{_DAY_AND_AGENT}"
_PACKAGING = {"xmpmeta", "RDF", "Description", "Alt", "Bag", "Seq", "li"}
_ATTRIBUTES = {"about": "", "lang": "x-default", "xmptk": "xmp-writer"}
_CATALOGUE = {
    "/Type", "/Pages", "/Metadata", "/Lang", "/StructTreeRoot", "/MarkInfo", "/ViewerPreferences", "/Outlines",
    "/PageLabels",
}  # fmt: skip
"""What a document of ours has at its root: no attachment, no script, no form."""

_JPEG_SEGMENTS = {0xE0, 0xDB, 0xC0, 0xC1, 0xC2, 0xC4, 0xDD}
"""JFIF header, tables, frames: no Exif, no XMP, no colour profile, no comment."""


class NotNeutral(Exception):
    """Metadata say something, or cannot be read. Names the place, never the value."""


def check_pdf(pdf: bytes, *, inside: bool = False) -> None:
    """Raises NotNeutral unless the document information and XMP hold neutral values alone, and so do bookmarks.

    `inside`: a letter's headings may be its bookmarks (field_api.adapters.paper_bookmarks held them to those).
    """
    try:
        reader = PdfReader(io.BytesIO(pdf), strict=True)
        root = reader.trailer["/Root"].get_object()
        information = dict(reader.metadata or {})
        metadata = root["/Metadata"].get_object().get_data() if "/Metadata" in root else b""
        bookmarks = [] if inside else list(_bookmarks(reader.outline))
    except Exception as error:  # whatever pypdf meets, a document that cannot be read is not sent
        raise NotNeutral("pdf") from error
    if not set(root) <= _CATALOGUE:
        raise NotNeutral("pdf-catalogue")
    for name, value in information.items():
        if not re.fullmatch(_INFO.get(name, "(?!)"), str(value)):
            raise NotNeutral("pdf-information")
    if not all(re.fullmatch(_BOOKMARK, title) for title in bookmarks):
        raise NotNeutral("pdf-bookmark")
    if metadata:
        _check_xmp(metadata)


def _bookmarks(entries: Any) -> Iterator[str]:
    """The titles of an outline as pypdf gives it: lists in lists."""
    for entry in entries:
        if isinstance(entry, list):
            yield from _bookmarks(entry)
        else:
            yield str(entry.title)


def _check_xmp(metadata: bytes) -> None:
    if b"<!" in metadata:
        raise NotNeutral("xmp")  # no declarations: nothing for a parser to expand
    try:
        tree = ElementTree.fromstring(metadata)  # noqa: S314  # our own layout's, and without declarations
    except ElementTree.ParseError as error:
        raise NotNeutral("xmp") from error
    _check_element(tree, None)


def _check_element(element: Any, form: str | None) -> None:
    name = element.tag.rpartition("}")[2]
    if name not in _PACKAGING:
        form = _XMP.get(name)
        if form is None:
            raise NotNeutral("xmp-name")
    if any(_ATTRIBUTES.get(key.rpartition("}")[2]) != value for key, value in element.attrib.items()):
        raise NotNeutral("xmp-attribute")
    text = (element.text or "").strip()
    if (text and (form is None or not re.fullmatch(form, text))) or (element.tail or "").strip():
        raise NotNeutral("xmp-value")
    for inner in element:
        _check_element(inner, form)


def check_jpeg(jpeg: bytes) -> None:
    """Raises NotNeutral unless there is nothing before the picture's data but what decoding needs."""
    if jpeg[:2] != b"\xff\xd8":
        raise NotNeutral("jpeg")
    at = 2
    while at + 4 <= len(jpeg) and jpeg[at] == 0xFF:
        kind = jpeg[at + 1]
        if kind == 0xDA:
            return
        if kind not in _JPEG_SEGMENTS:
            raise NotNeutral("jpeg-segment")
        at += 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    raise NotNeutral("jpeg")
