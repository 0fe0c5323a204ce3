"""Cryptographic verbs, each with one suite and no options (docs/protocol.md §2).

HPKE (RFC 9180) base mode DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM; ES256 in the IEEE P1363 form (64 bytes);
AES-256-GCM with a random 96-bit nonce in front. Public keys are 65 bytes, X9.62 uncompressed.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_SUITE = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
NONCE_BYTES = 12
HPKE_OVERHEAD_BYTES = 65 + 16
AEAD_OVERHEAD_BYTES = NONCE_BYTES + 16

_ES256 = ec.ECDSA(hashes.SHA256())
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/!!!")  # what base64url has not becomes what no base64 has
# Of a last group of two or three characters the bits beyond its bytes are zero: these are what it may end with.
_LAST = {2: "AQgw", 3: "AEIMQUYcgkosw048"}


class Unsealable(Exception):
    """The bytes do not open under this key and context, or a signature does not verify. Says nothing more."""


def b64u(data: bytes) -> str:
    """base64url without padding (RFC 4648 §5)."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=").decode()


def from_b64u(text: str) -> bytes:
    """The bytes of unpadded base64url. Raises Unsealable for anything but its one canonical form."""
    try:
        body = str.encode(text, "ascii").translate(_FROM_URL)
        data = binascii.a2b_base64(body + b"=" * (-len(body) % 4), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise Unsealable("not base64url") from error
    if (rest := len(text) % 4) and text[-1] not in _LAST[rest]:
        raise Unsealable("not canonical base64url")
    return data


def new_private_key() -> bytes:
    """A P-256 private key as its 32-byte big-endian scalar."""
    return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big")


def public_key_of(private: bytes) -> bytes:
    return _private(private).public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def public_point(point: bytes) -> bytes:
    """The same 65 bytes, known to be a point of the curve. Raises Unsealable."""
    _public(point)
    if len(point) != 65:
        raise Unsealable("not an uncompressed point")
    return point


def key_id_of(public: bytes) -> str:
    """16 hex digits of the SHA-256 of the public key."""
    return hashlib.sha256(public).hexdigest()[:16]


def sign(private: bytes, message: bytes) -> bytes:
    """ES256 over the message: r and s, 32 bytes each."""
    r, s = decode_dss_signature(_private(private).sign(message, _ES256))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify(public: bytes, message: bytes, signature: bytes) -> None:
    """Raises Unsealable unless `signature` is this key's ES256 over the message."""
    if len(signature) != 64:
        raise Unsealable("signature length")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        _public(public).verify(encode_dss_signature(r, s), message, _ES256)
    except InvalidSignature as error:
        raise Unsealable("signature") from error


def seal_to(public: bytes, info: bytes, plaintext: bytes) -> bytes:
    """HPKE single-shot: encapsulated key (65 bytes) followed by the ciphertext with its tag."""
    return _SUITE.encrypt(plaintext, _public(public), info=info)


def open_sealed(private: bytes, info: bytes, sealed: bytes) -> bytes:
    """The plaintext of `seal_to`. Raises Unsealable."""
    try:
        return _SUITE.decrypt(sealed, _private(private), info=info)
    except (InvalidTag, ValueError) as error:
        raise Unsealable("hpke") from error


def aead_seal(key: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """AES-256-GCM under a random nonce, which stands in front."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated)


def aead_open(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    """The plaintext of `aead_seal`. Raises Unsealable."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], associated)
    except (InvalidTag, ValueError) as error:
        raise Unsealable("aead") from error


def chunk_seal(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """AES-256-GCM under a nonce that the format counts (docs/photo-format.md §3): ciphertext and tag, no nonce.

    The key must be new for each stream: a counter repeats over two streams of one key.
    """
    return AESGCM(key).encrypt(nonce, plaintext, associated)


def chunk_open(key: bytes, nonce: bytes, sealed: bytes, associated: bytes) -> bytes:
    """The plaintext of `chunk_seal`. Raises Unsealable."""
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated)
    except (InvalidTag, ValueError) as error:
        raise Unsealable("chunk") from error


def derive(secret: bytes, info: bytes, length: int = 32, salt: bytes = b"") -> bytes:
    """HKDF-SHA256 (RFC 5869)."""
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def same(left: bytes, right: bytes) -> bool:
    """Constant-time comparison."""
    return hmac.compare_digest(left, right)


def stretch(secret: bytes, salt: bytes, rounds: int) -> bytes:
    """PBKDF2-HMAC-SHA256, 32 bytes."""
    return hashlib.pbkdf2_hmac("sha256", secret, salt, rounds)


def stretch_passphrase(passphrase: bytes, salt: bytes) -> bytes:
    """scrypt (RFC 7914), 128 MiB and about half a second: 32 bytes that a guess costs as much for."""
    return Scrypt(salt=salt, length=32, n=2**17, r=8, p=1).derive(passphrase)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


# Reading a key costs as much as signing with it, and a process uses few: its own, and those of the phones of the hour.
@lru_cache(maxsize=64)
def _private(scalar: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(scalar, "big"), ec.SECP256R1())


@lru_cache(maxsize=4_096)
def _public(point: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise Unsealable("not a P-256 point") from error
