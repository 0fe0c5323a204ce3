"""Packing, codes, the tree of the log and the slices of a push hold for whatever they are given."""

from __future__ import annotations

import json
import os
import random
import zlib
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.identity import AnswerKind
from field_api.domain.phone_flags import TOLD_TO_PHONES
from field_api.domain.vocabulary import Relation, Whom
from field_api.platform.bounded_json import BadJson, loads
from field_api.platform.sealing import b64u
from sync.crockford import ALPHABET, grouped, new_code, written
from sync.door.op_form import elements_of
from sync.merkle import leaf_hash, new_nodes, root_from_tiles, root_of
from sync.office.brief import BRIEF_BYTES, cut_to_fit
from sync.office.items import Content
from sync.packing import DICTIONARY, DoesNotFit, pack, packed_length, pad, unpack, unpad
from tests.door_client import unpacked

ROOT = Path(__file__).parents[2]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_what_is_packed_has_one_size_and_comes_back(value: Any) -> None:
    packed = pack(value, 4_096)
    assert len(packed) == 4_096
    assert unpack(packed) == value


@given(st.binary(max_size=64))
def test_unpadding_never_reads_past_its_end(data: bytes) -> None:
    try:
        assert pad(unpad(data), len(data))[: 4 + len(unpad(data))] == data[: 4 + len(unpad(data))]
    except DoesNotFit:
        assert len(data) < 4 or int.from_bytes(data[:4], "big") > len(data) - 4


def test_a_bomb_is_stopped_at_one_mebibyte() -> None:
    bomb = zlib.compress(b'"' + b" " * (8 * 1024 * 1024) + b'"')
    with pytest.raises(DoesNotFit):
        unpack(pad(bomb, 16_384))
    with pytest.raises(DoesNotFit):
        pack({"x": list(range(5_000))}, 512)


def test_phone_office_and_document_name_the_same_dictionary() -> None:
    """One that phones have stays as it is, so that what they keep can be read: a better one gets another number."""
    assert (ROOT / "sync" / "phone" / "dictionary_1.bin").read_bytes() == DICTIONARY
    assert f"{zlib.adler32(DICTIONARY):08x}" in (ROOT / "docs" / "protocol.md").read_text()


def test_a_dictionary_that_is_not_known_is_said_and_an_item_without_one_opens() -> None:
    plain, other = zlib.compress(b"{}"), zlib.compressobj(zdict=b"another dictionary")
    assert unpack(pad(plain, 64)) == {}
    with pytest.raises(DoesNotFit, match="not known"):
        unpack(pad(other.compress(b"{}") + other.flush(), 64))
    named_only = pack({}, 64)[:4] + b"\x78\xf9"
    with pytest.raises(DoesNotFit):
        unpack(named_only)


def reference_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 2.1 to the letter."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + reference_root(leaves[:split]) + reference_root(leaves[split:])).digest()


@given(st.lists(st.binary(max_size=3), max_size=40))
def test_the_root_is_the_one_of_rfc_6962(leaves: list[bytes]) -> None:
    assert root_of([leaf_hash(leaf) for leaf in leaves]) == reference_root(leaves)


@pytest.mark.parametrize("batches", [[1, 1, 1], [255, 1, 1], [256], [257, 255], [300, 700, 1, 23], [65_536, 300]])
def test_a_log_grown_in_tiles_has_the_same_root_as_grown_at_once(batches: list[int]) -> None:
    nodes: dict[int, list[bytes]] = {}
    leaves: list[bytes] = []
    for count in batches:
        new = [leaf_hash(b"%d" % number) for number in range(len(leaves), len(leaves) + count)]
        added = new_nodes(len(leaves), new, _open(nodes, len(leaves)))
        for level, found in added.items():
            for position, value in found:
                assert position == len(nodes.setdefault(level, []))
                nodes[level].append(value)
        leaves += new
        assert root_from_tiles(_open(nodes, len(leaves))) == root_of(leaves)


def _open(nodes: dict[int, list[bytes]], size: int) -> dict[int, list[bytes]]:
    tiles = {}
    for level in range(8):
        count = size // 256**level
        tiles[level] = nodes.get(level, [])[count - count % 256 : count]
    return tiles


def test_a_batch_that_does_not_follow_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        new_nodes(3, [b"x" * 32], {0: []})


@given(st.binary(min_size=16, max_size=16))
def test_a_secret_is_26_characters_and_reads_back(secret: bytes) -> None:
    text = written(secret)
    value = 0
    for letter in text:
        value = value << 5 | ALPHABET.index(letter)
    assert (len(text), value.to_bytes(16, "big")) == (26, secret)
    assert grouped(text).replace("-", "") == text


def test_codes_have_13_characters_and_do_not_repeat() -> None:
    codes = {new_code() for _ in range(1_000)}
    assert len(codes) == 1_000
    assert {len(code) for code in codes} == {13}
    assert set("".join(codes)) <= set(ALPHABET)


@given(st.lists(JSON, max_size=6), st.booleans())
def test_each_operation_is_sliced_as_it_stands_in_the_body(values: list[Any], indented: bool) -> None:
    body = json.dumps({"before": {"ops": [1]}, "ops": values, "after": []}, indent=1 if indented else None).encode()
    slices = elements_of(body, "ops")
    assert [json.loads(piece) for piece in slices] == values
    assert all(piece in body for piece in slices)


@given(st.binary(max_size=60))
def test_any_bytes_that_pass_as_json_are_sliced_or_refused(data: bytes) -> None:
    body = b'{"ops":[' + data + b"]}"
    try:
        value = loads(body, max_bytes=1_000)
    except BadJson:
        return
    assert [json.loads(piece) for piece in elements_of(body, "ops")] == value["ops"]


@pytest.mark.parametrize("accounts", [1, 3, 60])
def test_a_brief_is_cut_until_it_fits_and_keeps_what_matters_most(accounts: int) -> None:
    noise = random.Random(1)

    def text(length: int) -> str:
        return "".join(chr(noise.randrange(0x4E00, 0x9FFF)) for _ in range(length))

    brief = {
        "accounts": [
            {"reference": text(20), "options": text(60), "balance_minor": n, "currency": ["MXN", "USD"][n % 2]}
            for n in range(accounts)
        ],
        "history": [{"on": text(30)} for _ in range(30)],
        "letters": [{"text": text(4_000)}],
        "more": [],
    }
    cut = cut_to_fit(brief, 1_344)
    assert packed_length(cut) <= 1_344
    assert cut["accounts"][0]["reference"] == brief["accounts"][0]["reference"]
    told = sum(line["balance_minor"] for line in cut["more"]) + sum(a["balance_minor"] for a in cut["accounts"])
    assert told == sum(range(accounts)), "an account without room of its own is still told"
    assert sum(line["accounts"] for line in cut["more"]) == accounts - len(cut["accounts"])
    assert len(brief["history"]) == 30  # the original is left as it was


def test_a_brief_that_nothing_can_shorten_is_refused_and_not_cut_for_ever() -> None:
    brief = {
        "agency": {"name": os.urandom(8_000).hex()},
        "accounts": [{"options": "x", "currency": "MXN", "balance_minor": 1}],
        "history": [],
        "letters": [],
    }
    with pytest.raises(DoesNotFit):
        cut_to_fit(brief, 1_344)


def test_a_route_with_long_names_is_shortened_to_its_size() -> None:
    """Every text that the API takes at its longest, in letters that do not compress."""
    noise = random.Random(3)
    name, territory, start, end = (
        "".join(chr(noise.randrange(0x20000, 0x2A6D0)) for _ in range(200)) for _ in range(4)
    )
    body = {
        "day": "2026-11-18",
        "agent": name,
        "territory": territory,
        "start": {"label": start},
        "end": {"label": end},
    }
    packed = Content("route", UUID(int=1), body).packed(1)
    assert len(packed) == 1_024
    cut = unpack(packed)["body"]
    assert cut["day"] == "2026-11-18" and cut["agent"] and name.startswith(cut["agent"])
    assert start.startswith(cut["start"]["label"])


def lock_of_noise(number: int) -> dict[str, Any]:
    wraps = [b64u(os.urandom(60)) for _ in range(9)]
    names = dict(zip(("code", "attestation", "before_arrival"), wraps[6:], strict=True))
    return {"answers": wraps[:6], **names, "ct": b64u(os.urandom(BRIEF_BYTES[number] + 28))}


@pytest.mark.parametrize("alphabet", [(0x61, 0x7A), (0x4E00, 0x9FFF), (0x20000, 0x2A6D0)])
def test_a_visit_whose_every_text_is_at_its_longest_is_shortened_to_its_size(alphabet: tuple[int, int]) -> None:
    """In letters that do not compress, with both openers, people asked before, and a matrix that the agency narrowed."""
    noise = random.Random(5)

    def text(length: int) -> str:
        return "".join(chr(noise.randrange(*alphabet)) for _ in range(length))

    names = "street number interior between_1 between_2 neighbourhood city municipality postcode state country"
    address = {name: text(160) for name in names.split()}
    narrower = {relation.value: {"creditor": "never", "terms": "on_request"} for relation in list(Relation)[::4]}
    body = {
        "state": "published",
        "assignment_version": 12,
        "stop": {
            "route": str(uuid4()), "day": "2026-11-18", "position": 61, "arrival_from": "2026-11-18T16:12:13.000Z",
            "arrival_to": "2026-11-18T16:42:13.000Z", "visit_until": "2026-11-18T17:00:00.000Z", "visit_from": "2026-11-18T14:00:00.000Z", "service_s": 540,
            "timezone": "America/Mexico_City",
        },
        "open": {
            "name": text(160), "alias": text(160), "kind": "person", "language": "es", "jurisdiction": "MX-CMX",
            "place": "home",
            "address": {**address, "hint": text(400), "latitude": 19.432608, "longitude": -99.133209},
        },
        "person": str(uuid4()),
        "questions": [{"kind": kind.value, "group": kind.value} for kind in list(AnswerKind)[:5]],
        "openers": {name: b64u(os.urandom(32)) for name in ("attestation", "before_arrival")},
        "location": {"closed": False, "asked": [{"relation": "neighbour", "whom": whom.value} for whom in Whom]},
        "narrower": narrower,
        "locks": [lock_of_noise(number) for number in range(4)],
    }  # fmt: skip
    packed = Content("visit", UUID(int=1), body).packed(1)
    assert len(packed) == 6_144
    cut = unpack(packed)["body"]
    assert body["open"]["name"].startswith(cut["open"]["name"]) and len(cut["open"]["name"]) >= 24
    assert cut["open"]["address"]["street"] and address["street"].startswith(cut["open"]["address"]["street"])
    assert {name: cut[name] for name in ("stop", "narrower", "location", "openers")} == {
        name: body[name] for name in ("stop", "narrower", "location", "openers")
    }
    assert unpacked(packed)["body"]["locks"] == body["locks"]


def test_a_verdict_with_every_flag_that_phones_are_told_fits_its_size() -> None:
    body = {"seq": 10**12, "verdict": "quarantined", "reason": "unknown-photo-subject", "flags": sorted(TOLD_TO_PHONES)}
    packed = Content("verdict", UUID(int=1), body).packed(10**12)
    assert (len(packed), unpack(packed)["body"]) == (512, body)
