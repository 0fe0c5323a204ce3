"""JSON with bounds: refuses what `flask.get_json` lets through (deep nesting, NaN, duplicate keys, huge numbers)."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 32
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
"""Strings whole. Nothing of the expression backtracks."""
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class BadJson(ValueError):
    """The bytes are not acceptable JSON; the text says why and repeats none of it."""


def loads(body: bytes, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> Any:
    """Parse UTF-8 JSON of at most `max_bytes` bytes and `max_depth` levels. Raises BadJson."""
    if len(body) > max_bytes:
        raise BadJson(f"larger than {max_bytes} bytes")
    _check_depth(body, max_depth)
    try:
        value = _DECODER.decode(body.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise BadJson("not valid UTF-8 JSON") from error
    if b"\\u" in body:
        _check_text(value)
    return value


def _check_depth(body: bytes, max_depth: int) -> None:
    if body.count(b"{") + body.count(b"[") <= max_depth:
        return  # whatever they are within each other
    depth = 0
    for bracket in _outside_strings(body).translate(None, _NO_BRACKETS):
        if bracket in b"[{":
            depth += 1
            if depth > max_depth:
                raise BadJson(f"nested deeper than {max_depth} levels")
        else:
            depth -= 1


def _outside_strings(body: bytes) -> bytes:
    """What phones send is mostly long strings without escapes: there each quote begins or ends one."""
    return _STRING.sub(b"", body) if b"\\" in body else b"".join(body.split(b'"')[::2])


def _refuse_constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is not JSON")


def _bounded_int(digits: str) -> int:
    if len(digits) > 20:
        raise BadJson("a number is longer than 20 digits")
    return int(digits)


def _bounded_float(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise BadJson("a number is out of range")
    return value


def _check_text(value: Any) -> None:
    """Refuse what only an escape can bring in and nothing downstream can store: NUL and lone surrogates."""
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
            raise BadJson("a text holds NUL or half a surrogate pair")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise BadJson("an object has a key twice")
    return result


# Made once: `json.loads` and `json.dumps` make a new one at each call that wants anything special.
_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant, object_pairs_hook=_unique, parse_int=_bounded_int, parse_float=_bounded_float
)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: Any) -> bytes:
    """JSON bytes with sorted keys and no spaces, for hashing and signing what this side wrote itself."""
    return _ENCODER.encode(value).encode()
