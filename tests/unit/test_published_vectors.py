"""Vectors that others published, through the wrappers of both sides: trees, request signatures, sealing, anchors."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from http_message_signatures import HTTPSignatureKeyResolver
from http_message_signatures.exceptions import HTTPMessageSignaturesException, InvalidSignature
from hypothesis import given
from hypothesis import strategies as st

from field_api.platform import sealing, signatures
from field_api.platform.anchors import StaleAnchor, make_anchor, read_anchor
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.keyring_files import DoorKeyring
from sync.merkle import GrowingTree, leaf_hash, node_hash, root_of, subtree_root
from sync.merkle_proofs import (
    DoesNotProve,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from sync.phone import crypto
from sync.phone.signatures import signature_base

VECTORS = Path(__file__).parents[1] / "vectors"


def read(name: str) -> dict[str, Any]:
    return json.loads((VECTORS / f"{name}.json").read_text())


TREE = read("rfc6962_tree")
LEAVES = [leaf_hash(bytes.fromhex(leaf)) for leaf in TREE["leaves"]]
ROOTS = [bytes.fromhex(root) for root in TREE["roots"]]


def tiles(leaves: Sequence[bytes]) -> Callable[[int, int], Sequence[bytes]]:
    levels = [list(leaves)]
    while len(levels[-1]) >= 256:
        below = levels[-1]
        levels.append([root_of(below[at : at + 256]) for at in range(0, len(below) - 255, 256)])
    return lambda level, index: levels[level][index * 256 : (index + 1) * 256] if level < len(levels) else []


def hashes(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def test_every_way_of_growing_gives_the_published_roots() -> None:
    tree = GrowingTree()
    assert root_of([]).hex() == tree.root().hex() == TREE["empty_root"]
    for size, root in enumerate(ROOTS, start=1):
        tree.append(LEAVES[size - 1])
        assert root == tree.root() == root_of(LEAVES[:size]) == subtree_root(0, size, tiles(LEAVES[:size]))


def test_the_published_proofs_are_made_and_verified() -> None:
    for vector in TREE["inclusion"]:
        number, size, path = vector["leaf"], vector["size"], hashes(vector["path"])
        assert inclusion_proof(number, size, tiles(LEAVES[:size])) == path
        verify_inclusion(LEAVES[number], number, size, path, ROOTS[size - 1])
    for vector in TREE["consistency"]:
        old, new, path = vector["old"], vector["new"], hashes(vector["path"])
        assert consistency_proof(old, new, tiles(LEAVES[:new])) == path
        verify_consistency(old, ROOTS[old - 1], new, ROOTS[new - 1], path)


def path_of(number: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1 to the letter."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if number < split:
        return [*path_of(number, leaves[:split]), root_of(leaves[split:])]
    return [*path_of(number - split, leaves[split:]), root_of(leaves[:split])]


def subproof(old: int, leaves: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2 to the letter."""
    if old == len(leaves):
        return [] if whole else [root_of(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old <= split:
        return [*subproof(old, leaves[:split], whole), root_of(leaves[split:])]
    return [*subproof(old - split, leaves[split:], False), root_of(leaves[:split])]


MANY = [leaf_hash(number.to_bytes(4, "big")) for number in range(1_100)]


@given(st.integers(1, 1_100), st.data())
def test_proofs_are_those_of_the_rfc_and_hold_for_nothing_else(size: int, data: st.DataObject) -> None:
    number, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    leaves, root = MANY[:size], root_of(MANY[:size])
    path = inclusion_proof(number, size, tiles(leaves))
    assert path == path_of(number, leaves)
    verify_inclusion(leaves[number], number, size, path, root)
    between = consistency_proof(old, size, tiles(leaves))
    assert between == subproof(old, leaves, True)
    verify_consistency(old, root_of(leaves[:old]), size, root, between)
    wrong = node_hash(root, root)
    for leaf, at, way, end in (
        (wrong, number, path, root), (leaves[number], number, path, wrong), (leaves[number], number, [*path, wrong], root),
        (leaves[number], size, path, root), (leaves[number], number, [wrong, *path[1:]] if path else [wrong], root),
    ):  # fmt: skip
        with pytest.raises(DoesNotProve):
            verify_inclusion(leaf, at, size, way, end)
    for before, way, end in (
        (wrong, between, root), (root_of(leaves[:old]), between, wrong), (root_of(leaves[:old]), [*between, wrong], root),
    ):  # fmt: skip
        with pytest.raises(DoesNotProve):
            verify_consistency(old, before, size, end, way)


def test_what_cannot_be_proven_is_refused() -> None:
    for attempt in (
        lambda: inclusion_proof(3, 3, tiles(LEAVES)),
        lambda: consistency_proof(0, 3, tiles(LEAVES)),
        lambda: inclusion_proof(0, 8, tiles(LEAVES[:7])),
    ):
        with pytest.raises(ValueError):
            attempt()
    for old, new in ((0, 8), (8, 6)):
        with pytest.raises(DoesNotProve):
            verify_consistency(old, ROOTS[0], new, ROOTS[-1], [])


EXAMPLE = read("rfc9421_b_2_4")
POINT = base64.b64decode(EXAMPLE["public_key_der_base64"])[-65:]
SIGNATURE = base64.b64decode(EXAMPLE["signature_base64"])


class _OneKey(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> bytes:
        return POINT

    def resolve_private_key(self, key_id: str) -> bytes:
        raise NotImplementedError


class _Response(SimpleNamespace):
    status_code = EXAMPLE["status"]
    request = None


def verified_by_the_door(signature: bytes, changes: dict[str, str]) -> Any:
    """The door's verifier, as it takes phones' requests."""
    headers = dict(EXAMPLE["headers"]) | {
        "signature-input": f"{EXAMPLE['label']}={EXAMPLE['parameters']}",
        "signature": f"{EXAMPLE['label']}=:{base64.b64encode(signature).decode()}:",
    }  # fmt: skip
    verifier = signatures._Verifier(signature_algorithm=signatures._Es256, key_resolver=_OneKey())
    return verifier.verify(_Response(headers=headers | changes), max_age=None)


def test_the_doors_verifier_takes_example_b_2_4_of_rfc_9421_and_no_flipped_byte_of_it() -> None:
    (result,) = verified_by_the_door(SIGNATURE, {})
    assert result.parameters["keyid"] == "test-key-ecc-p256"
    for at in range(len(SIGNATURE)):
        with pytest.raises((InvalidSignature, sealing.Unsealable)):
            verified_by_the_door(SIGNATURE[:at] + bytes([SIGNATURE[at] ^ 1]) + SIGNATURE[at + 1 :], {})
    with pytest.raises((HTTPMessageSignaturesException, sealing.Unsealable)):
        verified_by_the_door(SIGNATURE, {"content-type": "application/xml"})


def test_the_phones_signature_base_is_the_one_of_example_b_2_4() -> None:
    lines = [("@status", str(EXAMPLE["status"])), *((name, value) for name, value in EXAMPLE["headers"])]
    base = signature_base(lines, EXAMPLE["parameters"])
    crypto.verify(POINT, base, SIGNATURE)
    sealing.verify(POINT, base, SIGNATURE)
    for at in range(0, len(base), 7):
        with pytest.raises(crypto.BadSeal):
            crypto.verify(POINT, base[:at] + bytes([base[at] ^ 1]) + base[at + 1 :], SIGNATURE)


@pytest.mark.parametrize("side", [sealing, crypto], ids=["office", "phone"])
def test_both_sides_open_what_rfc_9180_derives(side: Any) -> None:
    """With the associated data of the RFC by the suite itself, with none (this house's form) by the wrapper."""
    suite = sealing._SUITE if side is sealing else crypto.SUITE
    refused = sealing.Unsealable if side is sealing else crypto.BadSeal
    vectors = read("hpke_p256_sha256_aes256gcm_base")["vectors"]
    assert vectors
    for vector in vectors:
        private, info, first = bytes.fromhex(vector["skRm"]), bytes.fromhex(vector["info"]), vector["encryptions"][0]
        key = ec.derive_private_key(int(vector["skRm"], 16), ec.SECP256R1())
        sealed = bytes.fromhex(vector["enc"] + first["ct"])
        opened = openssl.hpke._decrypt_with_aad(suite, sealed, key, info, bytes.fromhex(first["aad"]))
        assert opened.hex() == first["pt"]
        plain = AESGCM(bytes.fromhex(vector["key"])).encrypt(bytes.fromhex(vector["base_nonce"]), opened, b"")
        mine = bytes.fromhex(vector["enc"]) + plain
        assert side.open_sealed(private, info, mine) == opened
        for at in range(len(mine)):
            with pytest.raises(refused):
                side.open_sealed(private, info, mine[:at] + bytes([mine[at] ^ 1]) + mine[at + 1 :])


def test_no_flipped_byte_of_an_anchor_is_taken_by_the_door(tmp_path: Path) -> None:
    agency, device, now = uuid4(), uuid4(), datetime(2026, 11, 18, 15, tzinfo=UTC)
    create_agency_keys(tmp_path, agency, now)
    keys = DoorKeyring(tmp_path / "keys" / "door").of(agency)
    anchor = make_anchor(keys, device, now)
    assert read_anchor(keys, device, anchor, now) == now
    for at in range(len(anchor)):
        with pytest.raises(StaleAnchor):
            read_anchor(keys, device, anchor[:at] + chr(ord(anchor[at]) ^ 1) + anchor[at + 1 :], now)
