"""Pulling: the feed page by page; where it cannot go on, a snapshot, downloaded in pieces that survive a kill."""

from __future__ import annotations

from dataclasses import dataclass

from sync.phone import sheet, wire
from sync.phone.calls import Door, pieces_of, retry_after_s
from sync.phone.crypto import b64u
from sync.phone.errors import DoorRefused, Later, Untrusted
from sync.phone.feed import (
    Content,
    Cursor,
    load_cursor,
    nul,
    open_content,
    read_item,
    save_cursor,
    sheet_key,
    take_durable,
    take_sheet_keys,
)
from sync.phone.handset import Handset
from sync.phone.records import Page, Record, read_page, read_snapshot
from sync.phone.sheet_digest import keep_digest, note_whether_mended, take_digest, wants_snapshot
from sync.phone.trust import signed_part

SNAPSHOT = b"doorstep-snapshot-v1"
MAX_SNAPSHOT_BYTES = 64 * 1024 * 1024
MAX_PAGES = 10_000


@dataclass(frozen=True)
class Pulled:
    """What a pull brought: feed items, and snapshots (at most 2) that replaced the sheet."""

    items: int = 0
    snapshots: int = 0


def pull(door: Door, limit: int = 100) -> Pulled:
    """Bring the sheet up to date. Raises Untrusted, Later, Revoked, DoorRefused; what was verified before stays."""
    snapshots = 0
    try:
        items = _follow(door, limit)
    except DoorRefused as refusal:
        if refusal.code != "resync-required":
            raise
        snapshots, items = 1, _begin_anew(door, limit)
    if wants_snapshot(door.handset):
        snapshots, items = snapshots + 1, items + _begin_anew(door, limit)
    return Pulled(items, snapshots)


def _begin_anew(door: Door, limit: int) -> int:
    door.handset.step("resync")
    take_snapshot(door)
    return _follow(door, limit)


def _follow(door: Door, limit: int) -> int:
    handset, taken = door.handset, 0
    for _ in range(MAX_PAGES):
        cursor = load_cursor(handset)
        after = f"after={cursor.text()}&" if cursor.seq else ""
        page = read_page(door.call("GET", "/feed", f"{after}limit={limit}").body)
        taken += _take_page(handset, cursor, page)
        handset.step("pull.page")
        if not page.more:
            break
        if not page.items:
            raise Untrusted("feed", "says there is more, and sends nothing")
    return taken


def _take_page(handset: Handset, cursor: Cursor, page: Page) -> int:
    """Verify and keep a page in one transaction. Items before a bad one are kept; the bad one raises Untrusted."""
    broken: Untrusted | None = None
    start = cursor.seq
    with handset.store.transaction():
        unknown = take_sheet_keys(handset, page.sheet_keys)
        for item in page.items:
            try:
                after, content = read_item(handset, cursor, item)
                sheet.apply(handset, content)
            except Untrusted as error:
                broken = error
                break
            cursor = after
            if content.kind == "keys":
                unknown = take_sheet_keys(handset, unknown)
        save_cursor(handset, cursor)
        if broken is None and not page.more:  # the key that signed it may be announced on a later page
            try:
                take_durable(handset, page.durable)
                take_digest(handset, page.digest)
            except Untrusted as error:
                broken = error
    if broken is not None:
        raise broken
    return cursor.seq - start


def take_snapshot(door: Door) -> None:
    """Replace the sheet by the office's snapshot. Raises Untrusted, and then the old sheet stays."""
    handset = door.handset
    data = _download(door)
    try:
        _replace_sheet(handset, data)
    finally:
        with handset.store.transaction():
            handset.store.clear("part")
            handset.store.delete("state", "part")
    handset.step("pull.snapshot")


def _download(door: Door) -> bytes:
    """All bytes of the snapshot. Each piece is stored as it comes; after a break the download goes on from there."""
    store, held = door.handset.store, load_cursor(door.handset)
    since = f"since={held.epoch}.{held.seq}" if held.seq else ""

    def once() -> None:
        have = sum(len(data) for _, data in store.all_bytes("part"))
        etag = (store.get("state", "part") or {}).get("etag")
        if have and not etag:
            have = 0
        headers = {"range": f"bytes={have}-", "if-range": str(etag)} if have else {}
        with door.exchange("GET", "/feed/snapshot", since, b"", headers) as (response, _):
            if response.status_code == 202:
                raise Later("snapshot-not-ready", after_s=retry_after_s(response))
            if response.status_code != 206:
                have = 0
                with store.transaction():
                    store.clear("part")
                    store.put("state", "part", {"etag": response.headers.get("ETag")})
            for number, piece in enumerate(pieces_of(response), start=len(store.keys("part"))):
                have += len(piece)
                if have > MAX_SNAPSHOT_BYTES:
                    raise Untrusted("too-large", "the snapshot")
                store.put_bytes("part", number, piece)
                door.handset.step("pull.piece")

    def from_anywhere() -> None:
        try:
            once()
        except DoorRefused as refusal:
            if refusal.status != 416:
                raise
            # Everything was there already, or what is there now is shorter: start again from nothing.
            store.clear("part")
            raise Later("snapshot-range") from refusal

    door.patience.insist(from_anywhere)
    return b"".join(data for _, data in store.all_bytes("part"))


def _replace_sheet(handset: Handset, data: bytes) -> None:
    parts = read_snapshot(data)
    with handset.store.transaction():
        if parts.keys is not None:
            handset.trust_more(parts.keys, passing_over=True)
        manifest = signed_part(handset.keys_of("office"), SNAPSHOT, parts.manifest, "m")
        epoch, seq, count = (int(wire.field(manifest, name, int)) for name in ("epoch", "seq", "count"))
        held = load_cursor(handset)
        if not handset.is_mine(manifest) or manifest.get("sha256") != b64u(parts.sha256):
            raise Untrusted("snapshot", "for another phone, or not whole")
        if (epoch, seq) < (held.epoch, held.seq):
            raise Untrusted("snapshot", "older than what this phone has already read")
        take_sheet_keys(handset, wire.field(manifest, "sheet_keys", list))
        if len(parts.lines) != count:
            raise Untrusted("snapshot", "not the number of lines it says")
        contents = [_read_line(handset, line, (epoch, seq, index)) for index, line in enumerate(parts.lines)]
        handset.store.clear("sheet")
        cursor = Cursor(epoch, seq, wire.binary(manifest, "roll", 32))
        save_cursor(handset, cursor)
        for content in contents:
            sheet.apply(handset, content)
        if wire.has(manifest, "sheet"):
            keep_digest(handset, cursor, manifest)
            note_whether_mended(handset)


def _read_line(handset: Handset, line: Record, place: tuple[int, int, int]) -> Content:
    associated = SNAPSHOT + nul(handset.agency, handset.device, *map(str, place))
    key = sheet_key(handset, wire.field(wire.read_json(line.document), "key", str))
    return open_content(key, line.sealed, associated)
