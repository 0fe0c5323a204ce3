"""What the routes of sync answer, key by key: ids, numbers and ciphertext (docs/protocol.md §4–§8, §11)."""

from __future__ import annotations

from field_api.platform.door_gate import (
    ANCHOR,
    HASHES,
    LINES,
    NUMBER,
    SEALED,
    UUID_TEXT,
    Answers,
    closed,
    declare_answers,
)
from field_api.platform.overload import Load

PREFIX = "/phone/v1"
_STATEMENT = {"statement": SEALED, "sig": SEALED}

declare_answers(
    Answers("POST", f"{PREFIX}/anchors", {200: {"anchor": ANCHOR}}),
    Answers("POST", f"{PREFIX}/enrolments", {202: {"enrolment": UUID_TEXT}}),
    Answers(
        "GET",
        f"{PREFIX}/enrolments/<uuid:enrolment_id>",
        {200: {"answer": SEALED, "mac": SEALED}, 202: {"enrolment": UUID_TEXT}},
    ),
    Answers(
        "GET",
        f"{PREFIX}/feed",
        {
            200: {
                "items": [{"h": SEALED, "ct": SEALED, "sig": SEALED}],
                "sheet_keys": [_STATEMENT],
                "next": closed(r"\d+\.\d+\.[A-Za-z0-9_-]{43}"),
                "more": NUMBER,
                "durable": _STATEMENT,
            }
        },
        load=Load.PULLS,
    ),
    Answers(
        "GET",
        f"{PREFIX}/feed/snapshot",
        {202: {"building": NUMBER}},
        sealed={200: LINES, 206: LINES},
        empty=frozenset({304, 416}),
        load=Load.SNAPSHOTS,
    ),
    Answers("POST", f"{PREFIX}/devices", {202: {"device": UUID_TEXT}}),
    Answers("POST", f"{PREFIX}/ops", {200: {"receipts": [{"receipt": SEALED, "sig": SEALED}]}}, load=Load.OPS),
    # Asked before every push, so that pulls must not hold it up.
    Answers(
        "GET",
        f"{PREFIX}/ops/state",
        {200: {"epoch": NUMBER, "contiguous": NUMBER, "ranges": [[NUMBER]]}},
        load=Load.OPS,
    ),
    Answers("GET", f"{PREFIX}/log/checkpoint", {200: {"checkpoint": SEALED, "sig": SEALED}}, load=Load.PULLS),
    Answers("GET", f"{PREFIX}/log/tile/<int:level>/<int:index>", sealed={200: HASHES}, load=Load.PULLS),
)
