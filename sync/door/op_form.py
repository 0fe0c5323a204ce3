"""What the door can tell of an operation without opening it: form, owner, signature (docs/protocol.md §8)."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from uuid import UUID

from field_api.platform.bounded_json import BadJson, loads
from field_api.platform.devices import Device
from field_api.platform.sealing import Unsealable, from_b64u, sha256, verify

SIGNATURE_CONTEXT = b"doorstep-op-v1"
LINK_CONTEXT = b"doorstep-chain-v1"
MAX_PROTECTED_BYTES, MAX_CT_BYTES = 4 * 1024, 33 * 1024
MAX_SEQ = 1 << 53  # what every client's numbers hold exactly
UNREAD: Any = object()


class WellSigned(NamedTuple):
    """An operation of this device, signed by it. What is sealed in it nobody here knows."""

    raw: bytes
    op_id: UUID
    seq: int
    protected: bytes
    ct: bytes
    sig: bytes
    link: bytes


class Odd(NamedTuple):
    """Bytes that are kept and looked at by a person. `link` is what the receipt names."""

    raw: bytes
    reason: str
    link: bytes
    op_id: UUID | None = None
    seq: int | None = None
    status: str = "quarantined"


def link_of(protected: bytes, ct_sha256: bytes) -> bytes:
    """What the next operation of the chain points to."""
    return sha256(LINK_CONTEXT + sha256(protected) + ct_sha256)


def elements_of(body: bytes, key: str) -> list[bytes]:
    """The JSON bytes of each element of the array at `key` of an object, as they stand in `body`.

    `body` must have passed `bounded_json.loads`. Raises BadJson where `key` is no array.
    """
    text, decoder = body.decode(), json.JSONDecoder()
    at = _next(text, 0) + 1  # past the brace
    while text[at := _next(text, at)] != "}":
        name, at = decoder.raw_decode(text, at)
        at = _next(text, _next(text, at) + 1)  # past the colon
        if name == key:
            return _elements(text, at, decoder)
        at = _next(text, decoder.raw_decode(text, at)[1])
        at += text[at] == ","
    raise BadJson(f"no array {key}")


def _elements(text: str, at: int, decoder: json.JSONDecoder) -> list[bytes]:
    if text[at] != "[":
        raise BadJson("not an array")
    found: list[bytes] = []
    at += 1
    while text[at := _next(text, at)] != "]":
        end = decoder.raw_decode(text, at)[1]
        found.append(text[at:end].encode())
        at = _next(text, end)
        at += text[at] == ","
    return found


def _next(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at


def read_op(raw: bytes, device: Device, value: Any = UNREAD) -> WellSigned | Odd:
    """Look at one element of a push; `value` is what `bounded_json` read in it, where somebody has it already.

    Never raises: what is wrong becomes a reason.
    """
    try:
        if value is UNREAD:
            value = loads(raw, max_bytes=len(raw))
        protected, ct, sig = (from_b64u(value[name]) for name in ("protected", "ct", "sig"))
    except (BadJson, TypeError, KeyError, Unsealable):
        return Odd(raw, "bad-form", sha256(raw))
    if len(protected) > MAX_PROTECTED_BYTES or len(ct) > MAX_CT_BYTES:
        return Odd(raw, "too-large", sha256(raw))
    try:
        header = loads(protected, max_bytes=MAX_PROTECTED_BYTES)
        op_id, seq = _op_id(header["op"]), _seq(header["seq"])
        owner, version = (header["agency"], header["device"]), header["v"]
    except (BadJson, TypeError, KeyError, ValueError):
        return Odd(raw, "bad-form", sha256(raw))
    ct_sha256 = sha256(ct)
    link = link_of(protected, ct_sha256)
    if owner != (str(device.agency_id), str(device.id)):
        return Odd(raw, "wrong-device", link, op_id, seq)
    try:
        verify(device.signing_public, SIGNATURE_CONTEXT + protected + ct_sha256, sig)
    except Unsealable:
        return Odd(raw, "bad-signature", link, op_id, seq)
    if version != 1:
        return Odd(raw, "unknown-version", link, op_id, seq)
    return WellSigned(raw, op_id, seq, protected, ct, sig, link)


def _op_id(value: Any) -> UUID:
    op_id = UUID(value) if isinstance(value, str) else None
    if op_id is None or str(op_id) != value:
        raise ValueError("not a canonical id")
    return op_id


def _seq(value: Any) -> int:
    if type(value) is not int or not 1 <= value < MAX_SEQ:
        raise ValueError("not a sequence number")
    return value
