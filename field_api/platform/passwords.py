"""Passwords of staff: argon2id with the library's recommended cost (RFC 9106, second choice: 64 MiB)."""

from __future__ import annotations

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from field_api.platform.problems import Problem

MIN_LETTERS = 12
MAX_LETTERS = 200  # nobody types more, and hashing is made to be dear
_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The encoded argon2id hash of the password in NFKD. Raises Problem `invalid-fields` for a bad length."""
    if not MIN_LETTERS <= len(password) <= MAX_LETTERS:
        raise Problem("invalid-fields", f"a password has {MIN_LETTERS} to {MAX_LETTERS} letters", at="password")
    return _hasher.hash(_normal(password))


def password_fits(encoded: str | None, password: str) -> bool:
    """Whether the password is the one; a missing hash costs as much time as a wrong one."""
    try:
        return _hasher.verify(encoded or _NOBODYS, _normal(password)) and encoded is not None
    except VerificationError:
        return False


def one_time_password() -> str:
    """120 random bits in 24 letters, to be handed over once and changed."""
    return secrets.token_urlsafe(18)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKD", password)


_NOBODYS = _hasher.hash(secrets.token_hex(16))
