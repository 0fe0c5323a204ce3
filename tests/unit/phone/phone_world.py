"""A phone of the small office and how to open it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from small_door import SmallDoor
from small_office import SmallOffice

from sync.phone import Patience, Phone

PASSPHRASE = "correct horse"


def crockford(secret: bytes) -> str:
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    value = int.from_bytes(secret, "big")
    return "".join(alphabet[value >> shift & 31] for shift in range(125, -1, -5))


@dataclass
class World:
    office: SmallOffice
    door: SmallDoor
    directory: Path
    person: str
    visits: list[str]
    waits: list[float]

    def patience(self) -> Patience:
        return Patience(sleep=self.waits.append, chance=lambda: 0.5)

    def enrol(self, **options: Any) -> Phone:
        line = f"https://door.test#{crockford(self.office.secret)}"
        return Phone.enrol(
            self.directory, PASSPHRASE, line, transport=self.door, patience=self.patience(), scrypt_cost=2**4, **options
        )

    def open(self, **options: Any) -> Phone:
        options = {"transport": self.door, "patience": self.patience(), **options}
        return Phone.open(self.directory, PASSPHRASE, **options)

    def publish(self, number: int, version: int = 1, **changes: Any) -> None:
        visit = self.visits[number]
        body = self.office.visit_body(visit, self.person, position=number + 1) | changes
        self.office.publish("visit", visit, version, body)
