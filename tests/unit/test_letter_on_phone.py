"""The letter in the locked part: in the addressee's language, whole where there is room, and never cut in silence."""

from __future__ import annotations

from typing import Any

import pytest

from field_api.domain.confidential import Confidential, audience
from field_api.domain.disclosure import Audience
from field_api.domain.letters import LetterFacts
from field_api.platform.bounded_json import canonical
from field_api.records.visits import Letter
from field_api.rules.letters import LANGUAGES, all_texts
from sync.office.brief import BRIEF_BYTES, SHORTEST_LETTER, cut_to_fit, shown_letter
from sync.packing import packed_length
from sync.phone.errors import Untrusted
from sync.phone.letters import letters_of
from sync.phone.locks import Brief
from tests.letter_samples import KINDS, OWN, SERIAL, composed, sample

NAMES = "reference product original_creditor calculated_on due_on last_payment_on options"
AMOUNTS = "balance_minor principal_minor interest_minor fees_minor days_past_due last_payment_minor"


def kept(facts: LetterFacts) -> dict[str, Any]:
    """What the brief says of this letter, after it was composed and stored."""
    content = canonical(composed(facts).wire()).decode()
    letter = Letter(serial=SERIAL, kind=facts.kind, language=facts.language, content=Confidential(content))
    with audience(Audience.OFFICE_JOB):
        return shown_letter(letter)


def brief_with(*letters: dict[str, Any]) -> dict[str, Any]:
    """A part as real ones are: one account with everything said."""
    account = dict.fromkeys(NAMES.split(), "2026-11-01") | dict.fromkeys(AMOUNTS.split(), 1_000_000)
    return {
        "agency": {"name": "Agencia Puerta Norte", "address": "Calle Dos 2", "phone": "+525500000002"},
        "creditor": {"name": "Mueblería Ficticia, S.A. de C.V.", "phone": "+525500000001"},
        "party": {"person": "5e7c1d2a-1b2c-4d3e-8f90-123456789abc", "name": "Persona Inventada", "role": "debtor"},
        "accounts": [account | {"account": "0f9c1d2a-1b2c-4d3e-8f90-123456789abc", "currency": "MXN"}],
        "history": [],
        "letters": list(letters),
        "more": [],
    }


def opened(brief: dict[str, Any]) -> Brief:
    return Brief("visit", "person", 0, brief)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_letter_of_every_kind_and_language_finds_room_beside_its_account(kind: str, language: str) -> None:
    place = next(place for place, spoken in OWN.items() if spoken == language)
    letter = kept(sample(kind, place, language))
    brief = cut_to_fit(brief_with(letter), BRIEF_BYTES[0])
    assert packed_length(brief) <= BRIEF_BYTES[0] and brief["accounts"][0]["options"]
    [shown] = letters_of(opened(brief))
    assert (shown.language, shown.direction, shown.kind, shown.is_whole) == (language, "ltr", kind, True)
    assert shown.title == all_texts()[language].words[f"title_{kind}"]
    assert "\n".join(shown.lines) == letter["text"] and shown.title not in shown.lines


def test_it_is_in_the_addressees_language_where_the_paper_has_two() -> None:
    letter = kept(sample("notification", "US", "es"))
    assert letter["language"] == "es" and letter["title"] == "Notificación de adeudo"
    assert "is a debt collector" not in letter["text"] and "es un cobrador de deudas" in letter["text"]
    assert kept(sample("notification", "LI", "pl"))["language"] == "de", "the office has no Polish: the text is German"


@pytest.mark.parametrize("number", range(len(BRIEF_BYTES)))
def test_what_has_no_room_is_cut_at_a_line_and_says_so(number: int) -> None:
    letters = [kept(sample(kind, "NL", "nl")) for kind in ("notification", "payment_plan")]
    brief = cut_to_fit(brief_with(*letters), BRIEF_BYTES[number])
    assert packed_length(brief) <= BRIEF_BYTES[number]
    shown = letters_of(opened(brief))
    assert shown or number, "the first lock has room for some of both"
    for one, letter in zip(shown, letters, strict=False):
        whole = letter["text"].split("\n")
        assert list(one.lines) == whole[: len(one.lines)] and one.is_whole == (len(one.lines) == len(whole))
    assert not all(one.is_whole for one in shown) or not shown


def test_one_endless_line_is_cut_as_well() -> None:
    letter = kept(sample()) | {"text": "".join(chr(0x4E00 + n * 37 % 20_000) for n in range(4_000))}
    brief = cut_to_fit(brief_with(letter), BRIEF_BYTES[0])
    [shown] = letters_of(opened(brief))
    assert not shown.is_whole and letter["text"].startswith(shown.lines[0])
    assert len(shown.lines[0]) >= SHORTEST_LETTER * 3 // 4 - 2


def test_a_language_from_right_to_left_is_told_as_such() -> None:
    facts = sample("notification", "LI", "de")
    content = composed(facts).wire()
    arabic = {**content["parts"][0], "language": "ar"}
    stored = canonical({**content, "parts": [arabic]}).decode()
    with audience(Audience.OFFICE_JOB):
        letter = shown_letter(Letter(serial=SERIAL, kind="notification", language="ar", content=Confidential(stored)))
    [shown] = letters_of(opened(brief_with(letter)))
    assert (shown.language, shown.direction) == ("ar", "rtl")


def test_a_phone_takes_what_an_older_office_sends_and_refuses_what_is_no_letter() -> None:
    old = {"serial": SERIAL, "language": "es", "kind": "reminder", "text": "Recordatorio de pago\n1 de mayo"}
    [shown] = letters_of(opened(brief_with(old)))
    assert (shown.title, shown.lines, shown.direction) == ("Recordatorio de pago", ("1 de mayo",), "ltr")
    assert "Recordatorio" not in repr(shown) and "1 de mayo" not in repr(shown)
    for wrong in ({"direction": "up"}, {"title": 5}, {"text": None}):
        with pytest.raises(Untrusted, match="bad-form"):
            letters_of(opened(brief_with(old | wrong)))
    with pytest.raises(Untrusted, match="bad-form"):
        letters_of(opened({"letters": ["x"]}))
