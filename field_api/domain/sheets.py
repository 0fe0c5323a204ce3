"""The visit sheet: what an agent may carry on paper, and so what anybody may find in the street.

Open data only: whom to ask for, where, when. No agency, no account, no letter, no word of the detector's list. How the
stops were *chosen* may depend on amounts; nothing on the paper does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from field_api.domain.debt_words import find_debt_words
from field_api.domain.disclosure import Label
from field_api.domain.plus_code import plus_code
from field_api.domain.postal import PostalAddress, between_line, postal_lines
from field_api.domain.printable import printable_in
from field_api.domain.route_sketch import Sketch
from field_api.domain.vocabulary import THIRD_PARTIES, Danger, LetterHandling, OutcomeKind, Relation, SkipReason

OUTCOME_NUMBERS: Mapping[int, OutcomeKind] = dict(enumerate(OutcomeKind, start=1))
"""The numbered boxes of the paper; the legend is a card of its own."""
ENVELOPE_NUMBERS: Mapping[int, LetterHandling] = dict(enumerate(LetterHandling, start=len(OUTCOME_NUMBERS) + 1))
_WHO = [relation for relation in Relation if relation in THIRD_PARTIES | {Relation.AUTHORITY}]
LETTERS: Mapping[OutcomeKind, Mapping[str, Relation | Danger | SkipReason]] = {
    OutcomeKind.THIRD_PARTY_ATTENDED: dict(zip("abcdefghi", _WHO, strict=True)),
    OutcomeKind.UNSAFE: dict(zip("abcdef", Danger, strict=True)),
    OutcomeKind.SKIPPED: dict(zip("abcdef", SkipReason, strict=True)),
}
"""What an agent writes beside a number that leaves something open: who it was, what is dangerous, why not."""
SKETCH_HEIGHT = 0.62

Open = Annotated[str, Label.OPEN]
Place = Annotated[str, Label.PLACE]
Internal = Annotated[str, Label.INTERNAL]


@dataclass(frozen=True)
class SheetWords:
    """The words of one language (field_api/rules/sheets)."""

    language: str
    words: Mapping[str, str]
    script: Mapping[str, str]
    outcomes: Mapping[str, str]
    envelopes: Mapping[str, str]
    letters: Mapping[str, Mapping[str, str]]  # by outcome: what the letter beside its number can mean


@dataclass(frozen=True)
class Sought:
    """A person to ask for at a stop. `row` names their boxes when the sheet is typed in: "3", or "3b" where several
    are sought there; `envelope` is their turn in the stack of envelopes, which everybody has, with or without one: who
    gets how many follows from what they owe. 0: no stack."""

    name: Open
    alias: Open
    language: Internal
    row: Internal = ""
    envelope: Annotated[int, Label.INTERNAL] = 0


@dataclass(frozen=True)
class SheetStop:
    """Times are local "HH:MM" of the stop's address; `earliest` to `latest`, exclusive, are the contact hours there;
    `earliest` is empty where it is not known."""

    number: Annotated[int, Label.INTERNAL]
    arrive_from: Internal
    arrive_to: Internal
    latest: Internal
    earliest: Internal
    sought: tuple[Sought, ...]
    address: Annotated[PostalAddress, Label.PLACE]
    hint: Place
    latitude: Annotated[float, Label.PLACE]
    longitude: Annotated[float, Label.PLACE]
    known: Internal = ""  # how well the place is known, where it is none of a house (domain.placing.PlaceQuality)
    hazards: Annotated[tuple[str, ...], Label.PLACE] = ()  # field_api.domain.vocabulary.Hazard: what agents before said


@dataclass(frozen=True)
class Sheet:
    """One route as its agent carries it. A field above these labels cannot be added: the template's outlet refuses."""

    paper: Internal  # a4 | us-letter
    agent_code: Internal
    agent_name: Open
    day: Internal  # long local date
    day_iso: Internal
    territory: Place
    shift: Internal
    lunch: Internal  # local time, empty where none is planned
    timezone: Internal
    start_label: Place
    end_label: Place
    distance_km: Internal
    travel: Internal
    sketch: Annotated[Sketch, Label.PLACE]
    stops: tuple[SheetStop, ...]
    issue: Internal = ""  # which print it is, for whoever types it in: changes with the rows and nothing else


def sheet_data(sheet: Sheet, words: SheetWords, scripts: Sequence[SheetWords]) -> dict[str, Any]:
    """Plain JSON data for the sheet's template; `scripts` are the languages that people on this route speak."""
    return {
        "language": words.language,
        "words": dict(words.words),
        "title": f"{sheet.day_iso} {sheet.agent_code}",
        "sheet": printable_in({**asdict(sheet), "stops": [_stop(stop, words) for stop in sheet.stops]}),
        "outcome_numbers": list(OUTCOME_NUMBERS),
        "letters": _span(),
        "fill": False,
        "envelope_numbers": list(ENVELOPE_NUMBERS),
        "scripts": printable_in([_script(spoken, sheet.agent_name) for spoken in scripts]),
        "qr": [geo_uri(stop.latitude, stop.longitude) for stop in sheet.stops],
    }


def legend_data(words: SheetWords, paper: str) -> dict[str, Any]:
    """The agent's own card: which number means what. Never printed with a sheet."""
    return {
        "language": words.language,
        "paper": paper,
        "words": dict(words.words),
        "outcomes": [[number, words.outcomes[kind.value]] for number, kind in OUTCOME_NUMBERS.items()],
        "envelope": [[number, words.envelopes[kind.value]] for number, kind in ENVELOPE_NUMBERS.items()],
        "letters": [
            [number, [[letter, words.letters[kind.value][meant.value]] for letter, meant in LETTERS[kind].items()]]
            for number, kind in OUTCOME_NUMBERS.items()
            if kind in LETTERS
        ],
        "qr": [],
    }


def geo_uri(latitude: float, longitude: float) -> str:
    """RFC 5870, six decimals: 0.1 m."""
    return f"geo:{latitude:.6f},{longitude:.6f}"


def safe_hint(hint: str) -> str:
    """A location hint or an alias is the creditor's free text: one that speaks of debts or amounts is shown to nobody
    at a door, on paper as little as in a stop's open part on the phone."""
    return "" if find_debt_words(hint) else hint.strip()


def _stop(stop: SheetStop, words: SheetWords) -> dict[str, Any]:
    street, *rest = postal_lines(stop.address)
    return {
        "number": stop.number,
        "arrive_from": stop.arrive_from,
        "arrive_to": stop.arrive_to,
        "earliest": stop.earliest,
        "latest": stop.latest,
        "sought": [{**asdict(person), "alias": safe_hint(person.alias)} for person in stop.sought],
        "street": street,
        "lines": rest,
        "between": between_line(stop.address, (words.words["between"], words.words["and"])),
        "look": words.words.get(f"look_{stop.known}", ""),
        "hint": safe_hint(stop.hint),
        "position": f"{stop.latitude:.5f}, {stop.longitude:.5f}",
        "code": plus_code(stop.latitude, stop.longitude),
        "hazards": [words.words[f"hazard_{hazard}"] for hazard in stop.hazards],
    }


def _span() -> str:
    """The head of the box for a letter: from the first to the last that any number has."""
    letters = sorted({letter for some in LETTERS.values() for letter in some})
    return f"{letters[0]}–{letters[-1]}"


def _script(words: SheetWords, agent_name: str) -> dict[str, Any]:
    values = {"agent": agent_name, "name": words.script["somebody"]}
    return {
        "language": words.language,
        "lines": [
            [words.words[f"say_{moment}"], words.script[moment].format_map(values)]
            for moment in ("open", "why", "gone", "minor")
        ],
    }
