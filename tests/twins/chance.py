"""Chance and time that are the same for both twins, so that whatever differs between them differs for a reason.

Ids, codes, serials, nonces and tokens come from streams that are begun anew, by name, before every step; each stream
is one use, so that one twin's extra sealed value moves no id. What OpenSSL draws itself (signatures, ephemeral keys)
stays random: such bytes are compared by length, and opened where a key opens them.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

import time_machine

from field_api.platform import ids


class Stream:
    """Bytes that follow from a name. `token_bytes` grows within a step: UUIDv7 of one millisecond keep their order."""

    def __init__(self, use: str) -> None:
        self.use, self.name, self.drawn = use, "", 0

    def begin(self, name: str) -> None:
        self.name, self.drawn = name, 0

    def draw(self, count: int) -> bytes:
        self.drawn += 1
        return hashlib.shake_256(f"{self.use}|{self.name}|{self.drawn}".encode()).digest(count)

    def rising(self, count: int) -> bytes:
        body = self.draw(count)
        return self.drawn.to_bytes(4, "big") + body[4:]

    def choice(self, options: Any) -> Any:
        return options[int.from_bytes(self.draw(4), "big") % len(options)]

    def uuid4(self) -> UUID:
        return UUID(bytes=self.draw(16), version=4)


class Chance:
    """`begin(step)` before every step of either twin."""

    def __init__(self, traveller: time_machine.Coordinates) -> None:
        self.traveller = traveller
        self.streams = {use: Stream(use) for use in ("row", "opaque", "token", "nonce")}
        self.step = ""

    def begin(self, step: str) -> None:
        self.step = step
        for stream in self.streams.values():
            stream.begin(step)

    def advance(self, seconds: float) -> None:
        self.traveller.shift(seconds)

    @contextmanager
    def apart(self, name: str) -> Iterator[None]:
        """What one twin has and the other has not draws from elsewhere: the ids after it stay equal."""
        kept = {use: (stream.name, stream.drawn) for use, stream in self.streams.items()}
        for stream in self.streams.values():
            stream.begin(f"{self.step}|{name}")
        yield
        for use, (was, drawn) in kept.items():
            self.streams[use].name, self.streams[use].drawn = was, drawn


@contextmanager
def same_chance(at: datetime) -> Iterator[Chance]:
    """Time stands at `at` and moves by `advance` alone; ids and tokens follow from the step's name."""
    with time_machine.travel(at, tick=False) as traveller:
        chance = Chance(traveller)
        row, opaque, token, nonce = (chance.streams[use] for use in ("row", "opaque", "token", "nonce"))
        chosen = SimpleNamespace(
            token_bytes=row.rising, choice=opaque.choice,
            randbits=lambda count: int.from_bytes(row.rising(8), "big") >> (64 - count),
        )  # fmt: skip
        with (
            patch.object(ids, "secrets", chosen),
            patch.object(ids, "_next_ticks", lambda now: now),  # a process's count differs between the twins
            patch.object(ids, "uuid4", opaque.uuid4),
            patch.object(random, "_urandom", token.draw),
            patch.object(os, "urandom", nonce.draw),
        ):
            yield chance
