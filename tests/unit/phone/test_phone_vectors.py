"""The phone's own cryptography and answer rules, by vectors that it had no hand in."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.bindings._rust import openssl
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.identity import AnswerKind, NoAnswer, normalise
from field_api.platform import sealing
from sync.phone import answers, crypto, wire
from sync.phone.crypto import BadSeal
from sync.phone.errors import NotAllowed, Untrusted
from sync.phone.locks import BEFORE_ARRIVAL, BY_ATTESTATION, Brief, Locks
from sync.phone.signatures import signature_base

VECTORS = Path(__file__).parents[2] / "vectors"


def _vectors(name: str) -> dict:  # type: ignore[type-arg]  # as the file has it
    return json.loads((VECTORS / name).read_text())


def _normal(kind: str, text: str) -> str | None:
    try:
        return answers.normal_answer(kind, text)
    except answers.NoAnswer:
        return None


def test_every_identity_answer_has_its_normal_form() -> None:
    vectors = _vectors("identity_answers.json")["answers"]
    assert [v for v in vectors if _normal(v["kind"], v["input"]) != v["normalised"]] == []
    assert {v["kind"] for v in vectors} == answers.ANSWER_KINDS


@given(
    st.sampled_from(sorted(answers.ANSWER_KINDS)),
    st.text(max_size=60) | st.from_regex(r"[0-9]{1,4}[ ./-][0-9]{1,2}[ ./-][0-9]{1,4}"),
)
def test_phone_and_office_read_every_answer_alike(kind: str, text: str) -> None:
    try:
        office = normalise(AnswerKind(kind), text)
    except NoAnswer:
        office = None
    assert _normal(kind, text) == office


def test_the_suite_opens_the_rfc_9180_vectors() -> None:
    """The RFC's first encryptions have associated data, which the phone's own verb leaves empty: the library's
    entry for it shows that the phone's suite is the RFC's, and that the data count."""
    vectors = _vectors("hpke_p256_sha256_aes256gcm_base.json")["vectors"]
    assert vectors
    for vector in vectors:
        key = ec.derive_private_key(int(vector["skRm"], 16), ec.SECP256R1())
        assert crypto.public_of(bytes.fromhex(vector["skRm"])).hex() == vector["pkRm"]
        first, info = vector["encryptions"][0], bytes.fromhex(vector["info"])
        sealed = bytes.fromhex(vector["enc"] + first["ct"])
        opened = openssl.hpke._decrypt_with_aad(crypto.SUITE, sealed, key, info, bytes.fromhex(first["aad"]))
        assert opened.hex() == first["pt"]
        with pytest.raises(BadSeal):
            crypto.open_sealed(bytes.fromhex(vector["skRm"]), info, sealed)


def test_the_wycheproof_signatures_are_judged_as_published() -> None:
    wrong, seen = [], 0
    for group in _vectors("wycheproof_ecdsa_p256_sha256_p1363.json")["testGroups"]:
        key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        assert isinstance(key, ec.EllipticCurvePublicKey)
        point = bytes.fromhex(group["publicKey"]["uncompressed"])
        for test in group["tests"]:
            seen += 1
            try:
                crypto.verify(point, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
                verdict = "valid"
            except BadSeal:
                verdict = "invalid"
            if verdict != test["result"]:
                wrong.append(test["tcId"])
    assert wrong == [] and seen > 200


def test_rfc_9421_example_b_2_4_verifies() -> None:
    key = base64.b64decode(
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ=="
    )
    parameters = (
        '("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"'
    )
    digest = "sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:"
    lines = [
        ("@status", "200"),
        ("content-type", "application/json"),
        ("content-digest", digest),
        ("content-length", "23"),
    ]
    signature = base64.b64decode(
        "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw=="
    )
    public = load_der_public_key(key)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    crypto.verify(key[-65:], signature_base(lines, parameters), signature)
    with pytest.raises(BadSeal):
        crypto.verify(key[-65:], signature_base(lines, parameters + "x"), signature)


@given(st.binary(max_size=300), st.binary(max_size=80))
def test_phone_and_office_seal_and_sign_for_each_other(data: bytes, info: bytes) -> None:
    private = crypto.new_private_key()
    public = crypto.public_of(private)
    assert sealing.open_sealed(private, info, crypto.seal_to(public, info, data)) == data
    assert crypto.open_sealed(private, info, sealing.seal_to(public, info, data)) == data
    sealing.verify(public, data, crypto.sign(private, data))
    crypto.verify(public, data, sealing.sign(private, data))
    key = crypto.sha256(info)
    assert crypto.unseal(key, sealing.aead_seal(key, data, info), info) == data
    assert crypto.derive(key, info) == sealing.derive(key, info)


@given(st.binary(max_size=40), st.sampled_from(["=", "\n", " ", "+", "/"]))
def test_base64url_has_one_form_only(data: bytes, extra: str) -> None:
    text = crypto.b64u(data)
    assert crypto.from_b64u(text) == data
    with pytest.raises(BadSeal):
        crypto.from_b64u(text + extra)


@pytest.mark.parametrize("text", ["AB", "AAB", "A", "AA=="])
def test_base64url_with_loose_bits_or_padding_is_refused(text: str) -> None:
    with pytest.raises(BadSeal):
        crypto.from_b64u(text)


@pytest.mark.parametrize(
    "text", [b"[" * 40 + b"]" * 40, b'{"a":1,"a":2}', b"NaN", b"[Infinity]", b"1" * 21, b'"\xff"', b"{", b""]
)
def test_json_outside_the_bounds_is_refused(text: bytes) -> None:
    with pytest.raises(Untrusted):
        wire.read_json(text)


def test_a_packed_bomb_stops_at_a_mebibyte() -> None:
    import zlib

    bomb = zlib.compress(b'"' + b"a" * 5_000_000 + b'"', 9)
    with pytest.raises(Untrusted, match="1 MiB"):
        wire.unpack(wire.pad(bomb, len(bomb) + 4))


@pytest.mark.parametrize("padded", [b"", b"\0\0", b"\0\0\0\5abcd", b"\xff\xff\xff\xffabc"])
def test_a_padded_length_that_does_not_fit_is_refused(padded: bytes) -> None:
    with pytest.raises(Untrusted):
        wire.unpad(padded)


def test_the_phone_opens_what_the_vectors_open_and_nothing_more() -> None:
    file = _vectors("lock.json")
    for vector in file["tries"]:
        found = _tried(file, file["device"], vector)
        assert (found and {"lock": found.lock, "brief": found.contents}) == vector["expect"], vector
    assert _tried(file, file["other_device"]["device"], file["other_device"]) is None
    for vector in file["no_tries"]:
        with pytest.raises(NotAllowed, match=vector["refused"]):
            _tried(file, file["device"], vector)


def _tried(file: dict, device: str, vector: dict) -> Brief | None:  # type: ignore[type-arg]  # as the file has it
    locks = Locks(file["agency"], device, file["visit"], file["body"])
    if "opener" in vector:
        context = {"attestation": BY_ATTESTATION, "before_arrival": BEFORE_ARRIVAL}[vector["opener"]]
        return locks.by_opener(vector["claim"], vector["opener"], context)
    if "code" in vector:
        return locks.by_code(vector["claim"], vector["code"])
    return locks.by_answers(vector["claim"], vector["answers"])
