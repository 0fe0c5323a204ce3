"""Crockford base 32, as the office writes it: no letters that look like digits."""

from __future__ import annotations

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_CHARACTERS = 13  # 65 bits


def written(secret: bytes) -> str:
    """The bytes as a big-endian integer, most significant character first: 16 bytes are 26 characters."""
    value, count = int.from_bytes(secret, "big"), -(-len(secret) * 8 // 5)
    return "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(count)))


def grouped(text: str, by: int = 5) -> str:
    """With hyphens, as people read it out."""
    return "-".join(text[at : at + by] for at in range(0, len(text), by))


def new_code() -> str:
    """A random unlock code."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARACTERS))
