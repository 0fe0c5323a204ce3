"""Crockford base 32, as people type it: enrolment secrets of 26 characters, unlock codes of 13."""

from __future__ import annotations

from sync.phone.errors import NotAllowed

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def tidy(text: str, length: int) -> str:
    """Upper case, O as 0, I and L as 1, without hyphens and blanks. Raises NotAllowed `not-a-code`."""
    code = text.upper().translate(_READ_AS)
    if len(code) != length or not set(code) <= set(ALPHABET):
        raise NotAllowed("not-a-code", f"a code has {length} characters of {ALPHABET}")
    return code


def read_secret(text: str) -> bytes:
    """The 16 bytes of an enrolment secret. Raises NotAllowed `not-a-code`."""
    value = 0
    for letter in tidy(text, 26):
        value = value << 5 | ALPHABET.index(letter)
    if value >= 1 << 128:
        raise NotAllowed("not-a-code", "the first character is past 7")
    return value.to_bytes(16, "big")
