"""Made-up people: given names that many bear, family names put together from syllables, so that none is real."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

GIVEN = {
    "es": ("Lucía", "Mateo", "Ximena", "Diego", "Renata", "Emilio", "Paula", "Andrés", "Camila", "Tomás"),
    "en": ("Avery", "Jordan", "Morgan", "Riley", "Casey", "Quinn", "Harper", "Rowan", "Emery", "Sawyer"),
    "de": ("Lena", "Jonas", "Mara", "Felix", "Nora", "Elias", "Svenja", "Till", "Ronja", "Anton"),
}
SYLLABLES = {
    "es": ("Quis Vel Zor Tre Mon Lar Bri Cor", "an ue id or", "dro vaz mil queta"),
    "en": ("Thor Wex Brin Cald Fen Harl Quim Stav", "o i er a", "wick mund sley barr"),
    "de": ("Krum Veld Zor Hag Brun Tor Wes Lim", "e i el a", "zacher winger bolt mayr"),
}


@dataclass(frozen=True)
class MadeUpPerson:
    """Somebody who does not exist. The answers are what the creditor supplied to tell them from anybody else."""

    key: str
    name: str
    alias: str | None
    language: str
    birth_date: date
    tax_id: str
    account_last4: str
    agreed_word: str


class People:
    """Draws people from a seed; names never repeat."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._used: set[str] = set()

    def draw(self, language: str, key: str) -> MadeUpPerson:
        draw = self._random
        given = draw.choice(GIVEN[language])
        name = self._unused(lambda: f"{given} {self.surname(language)}" + self._second(language))
        born = date(1955, 1, 1) + timedelta(days=draw.randrange(365 * 45))
        return MadeUpPerson(
            key=key,
            name=name,
            alias=given[:4] if draw.random() < 0.12 else None,
            language=language,
            birth_date=born,
            tax_id=f"XX{draw.randrange(10**8):08d}",
            account_last4=f"{draw.randrange(10**4):04d}",
            agreed_word=self.surname(language).lower(),
        )

    def surname(self, language: str) -> str:
        return "".join(self._random.choice(part.split()) for part in SYLLABLES[language])

    def _second(self, language: str) -> str:
        return " " + self.surname(language) if language == "es" else ""

    def _unused(self, make: Callable[[], str]) -> str:
        for _ in range(1000):
            name = make()
            if name not in self._used:
                self._used.add(name)
                return name
        raise RuntimeError("the syllables are used up")
