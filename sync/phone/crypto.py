"""The phone's cryptographic verbs: one suite, no options (docs/protocol.md §2). Keys are bytes, errors say nothing.

Private keys are 32-byte P-256 scalars, public keys 65-byte X9.62 points, signatures 64 bytes r ‖ s.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SUITE = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
KEY_BYTES = 32
NONCE_BYTES = 12


class BadSeal(Exception):
    """Bytes that do not open, a signature that does not verify, or a text that is not base64url."""


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64u(text: object, length: int | None = None) -> bytes:
    """The bytes of canonical, unpadded base64url, of exactly `length` bytes where given. Raises BadSeal."""
    if not isinstance(text, str):
        raise BadSeal("not a text")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadSeal("not base64url") from error
    if b64u(data) != text or (length is not None and len(data) != length):
        raise BadSeal("not canonical, or of another length")
    return data


def random_bytes(length: int) -> bytes:
    return os.urandom(length)


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def same(left: bytes, right: bytes) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(left, right)


def derive(secret: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 with empty salt, 32 bytes."""
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=b"", info=info).derive(secret)


def stretch(answer: bytes, salt: bytes, rounds: int) -> bytes:
    """PBKDF2-HMAC-SHA256, 32 bytes."""
    return hashlib.pbkdf2_hmac("sha256", answer, salt, rounds, KEY_BYTES)


def stretch_passphrase(passphrase: str, salt: bytes, cost: int) -> bytes:
    """scrypt with N = `cost`, r = 8, p = 1 (RFC 7914): 32 bytes."""
    return Scrypt(salt=salt, length=KEY_BYTES, n=cost, r=8, p=1).derive(passphrase.encode())


def new_private_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big")


def public_of(private: bytes) -> bytes:
    return _private(private).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def sign(private: bytes, message: bytes) -> bytes:
    r, s = decode_dss_signature(_private(private).sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Raises BadSeal unless `signature` is this key's ES256 over `message`."""
    if len(signature) != 64:
        raise BadSeal("signature")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        _public(public).verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise BadSeal("signature") from error


def seal_to(public: bytes, info: bytes, plaintext: bytes) -> bytes:
    """HPKE base mode, single shot: encapsulated key (65 bytes) ‖ ciphertext with tag."""
    return SUITE.encrypt(plaintext, _public(public), info=info)


def open_sealed(private: bytes, info: bytes, sealed: bytes) -> bytes:
    """The plaintext of `seal_to`. Raises BadSeal."""
    try:
        return SUITE.decrypt(sealed, _private(private), info=info)
    except (InvalidTag, ValueError) as error:
        raise BadSeal("hpke") from error


def seal(key: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """AES-256-GCM with a random nonce in front."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated)


def unseal(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    """The plaintext of `seal`. Raises BadSeal."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)
    except (InvalidTag, ValueError) as error:
        raise BadSeal("aead") from error


def seal_piece(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """AES-256-GCM under a nonce that the caller counts (docs/photo-format.md §3): the key must be used once."""
    return AESGCM(key).encrypt(nonce, plaintext, associated)


def _private(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


def _public(point: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise BadSeal("not a P-256 point") from error
