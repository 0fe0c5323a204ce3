"""Writes the dictionary that items are packed with, as phone and office each carry it: `python -m tests.vectors.make_dictionary`.

docs/protocol.md §2. A dictionary that phones have is never written anew: its bytes are part of the protocol. A better one
is another file with another number, and phones learn it with a release before the office packs with it.

Nearest the end stands what is needed most: deflate writes near places shorter, and forgets the beginning first.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from field_api.domain.disclosure import Item
from field_api.domain.identity import AnswerKind
from field_api.domain.vocabulary import OutcomeKind, Relation, Verdict, Whom
from field_api.platform.bounded_json import canonical
from field_api.rules.letters import all_rules, all_texts

ROOT = Path(__file__).parents[2]
PLACES = (ROOT / "sync" / "dictionary_1.bin", ROOT / "sync" / "phone" / "dictionary_1.bin")
LONGEST = 32 * 1024 - 262
"""zlib reaches no farther back (RFC 1951's window less its own look-ahead)."""
LANGUAGES = ("de", "fr", "en", "es")
_BLANK = re.compile(r"\{[a-z_]+\}")


def letters(language: str) -> Iterator[str]:
    """What letters in this language always say, as it stands in JSON: notices of every place, then the words."""
    for place in sorted(all_rules(), reverse=True):
        rules = all_rules()[place]
        yield from rules.texts.get(language, {}).values()
        for notice in rules.notices:
            yield from (notice.text.get(language, ""), notice.heading.get(language, ""))
            yield from (f"– {check}" for check in notice.checks.get(language, ()))
    for name, text in all_texts()[language].words.items():
        yield f"{text}: " if name.startswith(("label_", "row_")) else text


def in_json(text: str) -> str:
    """Without the blanks that are filled in, since what stands there differs from letter to letter."""
    return canonical(_BLANK.sub("", text)).decode()[1:-1] + "\\n"


def open_part(place: str = "MX") -> dict[str, Any]:
    names = "street number interior between_1 between_2 neighbourhood city municipality postcode state country hint"
    return {
        "address": {**dict.fromkeys(names.split()), "country": place, "latitude": 19.4, "longitude": -99.1},
        "alias": None,
        "jurisdiction": place,
        "kind": "person",
        "language": "es",
        "name": "",
        "place": "home",
    }


def visit() -> dict[str, Any]:
    stop = {
        "arrival_from": "2026-11-18T15:00:00.000Z", "arrival_to": "2026-11-18T15:30:00.000Z", "day": "2026-11-18",
        "position": 1, "route": "", "service_s": 600, "timezone": "America/Mexico_City",
        "visit_until": "2026-11-18T23:00:00.000Z",
    }  # fmt: skip
    groups = {"birth_date": "birth", "account_last4": "account", "postcode": "postcode", "phone_last4": "phone"}
    return {
        "assignment_version": 1,
        "location": {"asked": [], "closed": False},
        "narrower": {},
        "open": open_part(),
        "openers": {"attestation": None, "before_arrival": None},
        "person": "",
        "questions": [{"group": group, "kind": kind} for kind, group in sorted(groups.items())],
        "state": "published",
        "stop": stop,
    }


def brief() -> dict[str, Any]:
    days = dict.fromkeys(("calculated_on", "due_on"), "2026-11-01")
    names = "balance_minor days_past_due fees_minor interest_minor principal_minor"
    texts = dict.fromkeys(("account", "original_creditor", "product", "reference"), "")
    last = {"last_payment_minor": None, "last_payment_on": None, "options": None}
    account = {**days, **dict.fromkeys(names.split(), 0), **texts, **last, "currency": "MXN"}
    return {
        "accounts": [account],
        "agency": {"address": "", "name": "", "phone": "+52"},
        "creditor": {"name": "", "phone": "+52"},
        "history": [{"channel": "call", "on": "2026-10-01", "outcome": "contact"}],
        "letters": [{"kind": "notification", "language": "es", "serial": "", "text": ""}],
        "more": [{"accounts": 0, "balance_minor": 0, "currency": "MXN"}],
        "party": {"name": "", "person": "", "role": "debtor"},
    }


def route() -> dict[str, Any]:
    place = {"label": "", "latitude": 19.4, "longitude": -99.1}
    return {
        "agent": "", "day": "2026-11-18", "distance_m": 0, "end": place, "ends_at": "2026-11-18T23:00:00.000Z",
        "start": place, "starts_at": "2026-11-18T14:00:00.000Z", "stops": 0, "territory": "",
        "timezone": "America/Mexico_City", "travel_s": 0, "visits": 0,
    }  # fmt: skip


def narrower() -> Mapping[str, Mapping[str, str]]:
    return {relation.value: {item.value: "never" for item in Item} for relation in Relation}


def item(kind: str, body: Mapping[str, Any]) -> str:
    return canonical({"body": body, "kind": kind, "ref": "", "version": 1}).decode()


def parts() -> Iterator[str]:
    for language in LANGUAGES:
        yield from map(in_json, dict.fromkeys(filter(None, letters(language))))
    yield canonical(narrower()).decode()
    words = [
        *(one.value for kind in (AnswerKind, Relation, Whom, Verdict, OutcomeKind) for one in kind),
        *PLACES_ABROAD,
    ]
    yield canonical(words).decode()
    yield item("keys", {"certificates": [{"cert": "eyJ", "sig": ""}]})
    yield item("route", route())
    yield item("verdict", {"flags": [], "reason": None, "seq": 1, "verdict": "applied"})
    yield canonical(brief()).decode()
    yield item("visit", visit())


PLACES_ABROAD = (
    "Europe/Berlin", "Europe/Madrid", "Europe/Paris", "Europe/London", "America/New_York", "America/Toronto", "DE",
    "ES", "FR", "GB", "US", "EUR", "USD", "GBP", "CAD", "Calle ", "Avenida ", "Colonia ", "Ciudad de México",
)  # fmt: skip


def dictionary() -> bytes:
    made = "".join(parts()).encode()
    if len(made) > LONGEST:
        raise ValueError(f"{len(made)} bytes are more than zlib looks back")
    return made


if __name__ == "__main__":
    data = dictionary()
    for place in PLACES:
        place.write_bytes(data)
    print(f"{len(data)} bytes, DICTID {zlib.adler32(data):08x}")
