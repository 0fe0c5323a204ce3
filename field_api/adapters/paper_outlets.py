"""What the PDF templates may be given, and what a finished PDF may say of itself.

A sheet is carried through the street: nothing on it is above OPEN and PLACE but what tells an agent the way and the
time. A letter's inside is for its addressee; its first page lies under the envelope's window and is for anybody.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from field_api.domain.disclosure import Audience, Label
from field_api.domain.labelled import Whole, labels_of
from field_api.domain.sheets import Sheet, SheetStop, Sought
from field_api.platform.egress import Closed, EgressRefused, Outlet, OutletKind, Shape, declare, passed

OPENLY = frozenset({Label.OPEN, Label.PLACE, Label.INTERNAL})
_WORDS = Whole(Label.INTERNAL)  # of the packaged files: they are the same for everybody
_STOP = labels_of(SheetStop)
_SHEET: dict[str, Shape] = {
    "language": Label.INTERNAL,
    "words": _WORDS,
    "title": Closed(Label.INTERNAL, re.compile(r"\d{4}-\d{2}-\d{2} [A-Za-z0-9._-]{1,20}")),
    "sheet": {
        **labels_of(Sheet),
        "stops": [
            {
                **{name: _STOP[name] for name in ("number", "arrive_from", "arrive_to", "earliest", "latest", "hint")},
                "sought": [labels_of(Sought)],
                "street": Label.PLACE,
                "lines": [Label.PLACE],
                "between": Label.PLACE,
                "look": Label.INTERNAL,
                "position": Label.PLACE,
                "code": Label.PLACE,
                "hazards": [Label.PLACE],
            }
        ],
    },
    "outcome_numbers": [Label.INTERNAL],
    "letters": Label.INTERNAL,
    "fill": Label.INTERNAL,
    "envelope_numbers": [Label.INTERNAL],
    "scripts": [{"language": Label.INTERNAL, "lines": [[Label.OPEN]]}],
    "qr": [Closed(Label.PLACE, re.compile(r"geo:-?\d+\.\d{6},-?\d+\.\d{6}"))],
}
_SERIAL = re.compile(r"[0-9A-Z]{13}")
_LETTER: dict[str, Shape] = {
    "v": Label.OPEN,
    "kind": Label.CONFIDENTIAL,
    "jurisdiction": Label.OPEN,
    "serial": Closed(Label.CONFIDENTIAL, _SERIAL),
    "dated_on": Label.CONFIDENTIAL,
    "paper": Label.OPEN,
    "window": Label.OPEN,
    "sender_lines": [Label.ON_REQUEST],
    "address_lines": [Label.PLACE],
    "parts": [
        {
            "language": Label.OPEN,
            "title": Label.CONFIDENTIAL,
            "date": Label.CONFIDENTIAL,
            "blocks": Whole(Label.CONFIDENTIAL),
        }
    ],
    "in_name_of": Label.CONFIDENTIAL,
    "brand": Whole(Label.ON_REQUEST),
    "template": Label.CONFIDENTIAL,
}
_QR_OF_LETTERS = Closed(Label.CONFIDENTIAL, re.compile(rf"geo:-?\d+\.\d{{6}},-?\d+\.\d{{6}}|{_SERIAL.pattern}"))

_T = OutletKind.TEMPLATE
SHEET = declare(_T, "sheet", Audience.AGENT, shape=_SHEET, at_most=OPENLY)
LETTER = declare(
    _T,
    "letter",
    Audience.ENTITLED_PARTY,
    shape={"letter": _LETTER, "mark": Label.CONFIDENTIAL, "qr": [Closed(Label.CONFIDENTIAL, _SERIAL)]},
)
ADDRESS_PAGE = declare(
    _T,
    "letter.address_page",
    Audience.THIRD_PARTY,
    shape={
        "address_lines": [Label.PLACE],
        "paper": Label.OPEN,
        "window": Label.OPEN,
        "serial": Closed(Label.OPEN, _SERIAL),  # as a code in most windows: it carries no reference of an account
    },
    note="the page under the window; the serial in writing stands below the fold, inside the envelope",
)
STACK = declare(
    _T,
    "stack",
    Audience.ENTITLED_PARTY,
    shape={
        "title": Closed(Label.OPEN, re.compile(r"\d{4}-\d{2}-\d{2}( [A-Za-z0-9._-]{1,20})?")),
        "stacks": [
            {
                "sheet": Whole(Label.OPEN),  # passed as a sheet, below
                "separator": Whole(Label.OPEN),  # passed as one, below
                "letters": [
                    {
                        "letter": _LETTER,
                        "mark": Label.CONFIDENTIAL,
                        "finished": Closed(Label.OPEN, re.compile(r"[0-9a-f]{64}\.pdf")),  # of a creditor's template
                        "pages": Label.CONFIDENTIAL,
                    }
                ],
            }
        ],
        "qr": [_QR_OF_LETTERS],
    },
    note="one PDF for the office's printer, of a route or of a day; sheet and letters part at the page between",
)
SEPARATOR = declare(
    _T,
    "stack.separator",
    Audience.AGENT,
    shape={
        "language": Label.INTERNAL,
        "agent_code": Label.OPEN,
        "day": Label.INTERNAL,
        "rows": [[Label.INTERNAL]],
        "note": _WORDS,
    },
    at_most=OPENLY,
    note="for the office, which takes it out: whose stack, how many letters, behind which stops",
)
LEGEND = declare(
    _T,
    "legend",
    Audience.AGENT,
    shape={
        "language": Label.INTERNAL,
        "paper": Label.INTERNAL,
        "words": _WORDS,
        "outcomes": Whole(Label.INTERNAL),
        "envelope": Whole(Label.INTERNAL),
        "letters": Whole(Label.INTERNAL),
        "qr": [Label.INTERNAL],
    },
    at_most=OPENLY,
)
METADATA = declare(
    _T,
    "metadata",
    Audience.MACHINE,
    shape={
        tag: Closed(Label.INTERNAL, re.compile(form))
        for tag, form in {
            "xmp:CreatorTool": r"Typst [0-9.]+",
            "xmp:ModifyDate": r"\d{4}-\d\d-\d\dT00:00:00\+00:00",
            "xmp:CreateDate": r"\d{4}-\d\d-\d\dT00:00:00\+00:00",
            "xmpMM:InstanceID": r"[A-Za-z0-9+/=]{24}",
            "xmpMM:DocumentID": r"[A-Za-z0-9+/=]{24}",
            "xmpMM:RenditionClass": "proof",
            "xmpTPg:NPages": r"\d+",
            "dc:format": "application/pdf",
            "dc:language": r"[a-z]{2}(-[A-Za-z]{2,4})?",
            "pdf:PDFVersion": r"\d\.\d",
            "pdfuaid:part": "1",
            "info": r"Title|Creator|CreationDate|ModDate",
        }.items()
    },
    note="of every PDF, beside its title",
)

_ELEMENT = re.compile(r"<([A-Za-z]+:[A-Za-z]+)(?: [^<>]*)?>([^<>]+)</")
_NESTED = re.compile(r"<(dc:[a-z]+)><rdf:[A-Z][a-z]+>(.*?)</rdf:[A-Z][a-z]+></\1>")
_INFO = re.compile(rb"/Info (\d+) 0 R")
_KEY = re.compile(rb"/([A-Za-z]+) ?[(<]")


def check_data(template: str, way: Outlet, data: Mapping[str, Any]) -> None:
    """Raises EgressRefused where the template would be given what its audience may not see."""
    passed(way, data)
    stacks = data["stacks"] if template == "stack" else []
    letters = [entry["letter"] for stack in stacks for entry in stack["letters"]]
    letters += [data["letter"]] if template == "letter" else []
    for stack in stacks:
        passed(SHEET, stack["sheet"])
        passed(SEPARATOR, stack["separator"])
    for letter in letters:
        passed(ADDRESS_PAGE, {name: letter[name] for name in ("address_lines", "paper", "window", "serial")})


def title_of(template: str, data: Mapping[str, Any]) -> str:
    """What a PDF of this template calls itself: a day and an agent's code, a serial, the card's own name."""
    if template == "letter":
        return str(data["letter"]["serial"])
    return str(data["title"] if template in ("sheet", "stack") else data["words"]["card_title"])


def check_metadata(pdf: bytes, title: str) -> None:
    """Raises EgressRefused where a PDF says of itself anything but its title and the closed values above."""
    start, end = pdf.find(b"<?xpacket begin"), pdf.find(b"<?xpacket end")
    if start < 0 or end < start or b"/EmbeddedFiles" in pdf:
        raise EgressRefused(METADATA.place, "has no metadata, or attachments")
    packet = pdf[start:end].decode("utf-8", "replace")
    nested = {tag: html.unescape(re.sub("<[^>]*>", "", body)) for tag, body in _NESTED.findall(packet)}
    if nested.pop("dc:title", title) != title:
        raise EgressRefused(METADATA.place, "is not the template's", "dc:title")
    found = {tag: text for tag, text in _ELEMENT.findall(packet) if tag != "rdf:li"} | nested
    passed(METADATA, found)
    number = _INFO.search(pdf)
    if number is None:
        return
    begin = pdf.index(b"\n" + number[1] + b" 0 obj")
    for key in _KEY.findall(pdf[begin : pdf.index(b"endobj", begin)].replace(b"\\(", b"").replace(b"\\)", b"")):
        passed(METADATA, {"info": key.decode("ascii")})
