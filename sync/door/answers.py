"""What the routes of sync answer, key by key: ids, numbers and ciphertext (docs/protocol.md §4–§8, §11)."""

from __future__ import annotations

from field_api.platform.door_gate import (
    ANCHOR,
    HASHES,
    MOMENT,
    NUMBER,
    SEALED,
    UUID_TEXT,
    Answers,
    RecordShape,
    closed,
    declare_answers,
)
from field_api.platform.overload import Load
from sync.kinds import ITEM_SIZES, OVERHEAD_BYTES, RecordKind

PREFIX = "/phone/v1"
_STATEMENT = {"statement": SEALED, "sig": SEALED}
_KEY_ID = closed(r"[0-9a-f]{16}")
_MINE = {"v": NUMBER, "agency": UUID_TEXT, "device": UUID_TEXT}
_PLACE = {**_MINE, "epoch": NUMBER, "seq": NUMBER}
_ITEM_LENGTHS = frozenset(size + OVERHEAD_BYTES for size in ITEM_SIZES.values())
_SHEET_KEY = RecordShape("sheet_key", {**_MINE, "id": _KEY_ID, "day": closed(r"\d{4}-\d\d-\d\d"), "wrapped": SEALED})
_ITEM = RecordShape("item", {**_PLACE, "prev": SEALED, "key": _KEY_ID}, sealed=_ITEM_LENGTHS)
_DURABLE = RecordShape(
    "durable", {**_MINE, "epoch": NUMBER, "number": NUMBER, "durable_seq": NUMBER, "at": MOMENT, "except": [NUMBER]}
)
_DIGEST = RecordShape("digest", {**_PLACE, "key": _KEY_ID, "sheet": SEALED})
_END = RecordShape("end", {"more": NUMBER}, signed=False)
_KEYS = RecordShape(
    "keys",
    {
        "roots": [{"root": SEALED, "old": SEALED, "new": SEALED}],
        "certificates": [{"cert": SEALED, "sig": SEALED}],
    },
    signed=False,
)
_MANIFEST = RecordShape(
    "manifest",
    {**_PLACE, "roll": SEALED, "count": NUMBER, "sha256": SEALED, "key": _KEY_ID, "sheet": SEALED}
    | {"sheet_keys": [_STATEMENT]},
)
_LINE = RecordShape("line", {"key": _KEY_ID}, signed=False, sealed=_ITEM_LENGTHS)

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
        records={
            200: {
                RecordKind.SHEET_KEY: _SHEET_KEY,
                RecordKind.ITEM: _ITEM,
                RecordKind.DURABLE: _DURABLE,
                RecordKind.DIGEST: _DIGEST,
                RecordKind.END: _END,
            }
        },
        load=Load.PULLS,
    ),
    Answers(
        "GET",
        f"{PREFIX}/feed/snapshot",
        {202: {"building": NUMBER}},
        records={200: {RecordKind.KEYS: _KEYS, RecordKind.MANIFEST: _MANIFEST, RecordKind.LINE: _LINE}},
        sealed={206: HASHES},  # a piece of what the view has had looked at whole
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
