"""What every verb of the phone works with: its store, keys, clocks and trust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sync.phone import crypto, wire
from sync.phone.address import DoorAddress, read_address
from sync.phone.clock import Clock
from sync.phone.errors import NotAllowed, Untrusted
from sync.phone.store import Store
from sync.phone.trust import Moment, Trust, check_signature
from sync.phone.vault import Keys

MAX_ANCHOR_CHARACTERS = 1_024
Step = Callable[[str], None]


@dataclass(frozen=True)
class Anchor:
    """The newest verified server time: its text as received, when the server said it, when the phone heard it."""

    text: str
    at: datetime
    mono_ms: int
    boot: str


class Handset:
    """An enrolled phone's insides. `step` is told the name of each step taken, so that progress can be shown and
    tests can kill the process exactly there."""

    def __init__(self, directory: Path, store: Store, keys: Keys, clock: Clock, step: Step) -> None:
        self.directory, self.store, self.keys, self.clock, self.step = directory, store, keys, clock, step
        identity = store.get("state", "identity")
        if identity is None:
            raise NotAllowed("not-enrolled", "finish the enrolment first")
        self.agency: str = identity["agency"]
        self.device: str = identity["device"]
        self.app: str = identity["app"]
        self.agent: dict[str, Any] = identity["agent"]
        self.agency_name: str = identity["agency_name"]
        self.device_certificate: dict[str, Any] = identity["device_certificate"]
        self.address: DoorAddress = read_address(identity["door"])
        root = crypto.from_b64u(identity["root"], 65)
        steps = store.get("state", "root_steps") or []
        self.trust = Trust(root, self.agency, store.get("state", "certificates"), steps)
        self._unproven: tuple[str, dict[str, Any]] | None = None  # an anchor of a key that may be announced yet
        self.nonce: str | None = store.get("state", "nonce")

    @property
    def epoch(self) -> int:
        return int(self.store.get("state", "epoch"))

    @property
    def anchor(self) -> Anchor | None:
        kept = self.store.get("state", "anchor")
        return Anchor(kept["text"], wire.read_time(kept["at"]), kept["mono_ms"], kept["boot"]) if kept else None

    def moment(self) -> Moment:
        anchor = self.anchor
        return Moment(anchor.at if anchor else None, self.clock.now())

    def best_now(self) -> datetime:
        """The time by the newest anchor and what passed since, where the phone was not restarted; else by its clock."""
        anchor = self.anchor
        if anchor is None or anchor.boot != self.clock.boot():
            return self.clock.now()
        return anchor.at + timedelta(milliseconds=self.clock.mono_ms() - anchor.mono_ms)

    def keys_of(self, role: str) -> list[bytes]:
        return self.trust.keys(role, self.moment())

    def hear_anchor(self, text: str) -> datetime | None:
        """Take a new anchor: always as the next nonce, and as evidence of time where its signature verifies."""
        sendable = text.isascii() and text.isprintable() and not {'"', "\\"} & set(text)  # as a quoted parameter
        if len(text) > MAX_ANCHOR_CHARACTERS or not sendable:
            raise Untrusted("anchor", "no anchor at all")
        at = self._anchor_time(text)
        self.nonce = text
        heard = {"mono_ms": self.clock.mono_ms(), "boot": self.clock.boot()}
        self._unproven = (text, heard) if at is None else None
        with self.store.transaction():
            self.store.put("state", "nonce", text)
            if at is not None:
                self.store.put("state", "anchor", {"text": text, "at": wire.time_text(at), **heard})
        return at

    def _anchor_time(self, text: str) -> datetime | None:
        body, _, signature = text.partition(".")
        try:
            data = wire.from_b64u(body)
            claims = wire.read_json(data, MAX_ANCHOR_CHARACTERS)
            at = wire.read_time(wire.field(claims, "at", str))
            if not self.is_mine(claims):
                return None
            # The anchor says what time it is, so the door's certificate is judged by that very time.
            keys = self.trust.keys("door", Moment(at, at))
            check_signature(keys, b"doorstep-anchor-v1" + data, wire.from_b64u(signature, 64), "anchor")
        except Untrusted:
            return None
        return at

    def trust_more(self, announced: Any, *, passing_over: bool = False) -> None:
        """Take keys that the agency announces, durably; `passing_over` as for `Trust.add`. Raises Untrusted.

        The newest anchor may have waited for just this key: then it says the time from here on.
        """
        self.trust.add(announced, self.moment(), passing_over=passing_over)
        with self.store.transaction():
            self.store.put("state", "root_steps", self.trust.steps)
            self.store.put("state", "certificates", self.trust.documents())
            if self._unproven and (at := self._anchor_time(self._unproven[0])):
                text, heard = self._unproven
                self.store.put("state", "anchor", {"text": text, "at": wire.time_text(at), **heard})
                self._unproven = None

    def is_mine(self, document: Any) -> bool:
        """Whether a statement is version 1 and names this agency and device."""
        named = document.get("v"), document.get("agency"), document.get("device")
        return named == (1, self.agency, self.device)

    def count(self, what: str, by: int = 1) -> None:
        """Add to a tally that `status` shows."""
        tally = self.store.get("state", "tally") or {}
        self.store.put("state", "tally", {**tally, what: tally.get(what, 0) + by})
