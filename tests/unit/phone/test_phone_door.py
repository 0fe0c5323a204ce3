"""The agent's way through "who is at the door", walked with the reference phone for each audience: exactly the script
and the fields of docs/outcomes.md and nothing else, in the order that the rules want."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from phone_world import World
from small_office import GUARANTOR_ANSWERS

from sync.phone import NotAllowed, Phone
from sync.phone.script import WHOM, Rules, relations
from sync.phone.vocabulary import MAY_BE_CHECKED, RELATIONS

RIGHT = {"birth_date": "31/12/1956", "mother_maiden_name": "peña"}
CODE = "0123-4567-89abc"
NAME, AGENT, AGENCY = "Prueba Canaria", "Agente Canaria", "Agencia Puerta Norte"
ADDRESS = {"street": "Avenida Canaria", "number": "12"}
Go = Callable[..., str]

OPEN = f"Buenas tardes, me llamo {AGENT}. ¿Se encuentra {NAME}?"
GREET = f"Buenas tardes, me llamo {AGENT}."
WHY = f"Sólo puedo tratarlo con {NAME}."
WHERE = "¿Dónde queda el número 12 de Avenida Canaria?"
BYE = "Gracias, buenas tardes."
BOTH = {"name_sought": NAME, "agent_name": AGENT}
ALL = BOTH | {"agency": AGENCY}
NAMELESS = {"agent_name": AGENT}

# relation → (lines, fields, after they asked which company, location question, outcome proposed), in Mexico.
MEXICO: dict[str, tuple[list[str], dict[str, str], str, str | None, str | None]] = {
    "claims_to_be_sought": ([OPEN, WHY, BYE], BOTH, "told", None, None),
    "sought": ([AGENCY, BYE], ALL, "told", "free", None),
    "guarantor": ([AGENCY, BYE], ALL, "told", "free", None),
    "attorney": ([OPEN, WHY, AGENCY, BYE], ALL, "told", None, None),
    "executor": ([GREET, AGENCY, BYE], ALL, "told", "free", None),
    "guardian": ([OPEN, WHY, AGENCY, BYE], ALL, "told", "free", None),
    "spouse": ([OPEN, WHY, WHERE, BYE], BOTH, "told", "once", None),
    "relative": ([OPEN, WHY, WHERE, BYE], BOTH, "told", "once", None),
    "minor": (["Gracias, hasta luego."], NAMELESS, "refused", None, "third_party_attended"),
    "older_or_disabled": ([BYE], BOTH, "told", None, "third_party_attended"),
    "neighbour": ([GREET, WHERE, BYE], NAMELESS, "told", "once", None),
    "guard": ([GREET, WHERE, BYE], NAMELESS, "told", "once", None),
    "employer": ([], {}, "refused", None, "third_party_attended"),
    "authority": ([GREET, AGENCY, BYE], {"agent_name": AGENT, "agency": AGENCY}, "told", None, None),
    "nobody": ([], {}, "refused", None, "nobody_there"),
}


@pytest.fixture
def go(world: World, enrolled: Phone) -> Go:
    """A visit in a jurisdiction, published and pulled; further keys go into its open part."""

    def published(jurisdiction: str = "MX", number: int = 0, body: dict[str, Any] | None = None, **more: Any) -> str:
        made = world.office.visit_body(world.visits[number], world.person, position=number + 1)
        opened = {**made["open"], "jurisdiction": jurisdiction, "place": "home", "address": ADDRESS, **more}
        world.publish(number, open=opened, **(body or {}))
        enrolled.pull()
        return world.visits[number]

    return published


def meet(world: World, phone: Phone, visit: str, relation: str) -> Any:
    """The encounter, after a passed check where the relation stands for one."""
    if relation in ("sought", "guarantor"):
        phone.encounter(visit, "claims_to_be_sought")
        claim, answers = ("sought", RIGHT) if relation == "sought" else ("other", GUARANTOR_ANSWERS)
        assert phone.check_identity(visit, claim, answers).passed
    return phone.encounter(visit, relation).now


def refused(code: str, verb: Callable[..., object], /, *arguments: Any, **more: Any) -> None:
    with pytest.raises(NotAllowed) as caught:
        verb(*arguments, **more)
    assert caught.value.code == code


def test_the_list_to_choose_from_is_every_relation_in_plain_words(enrolled: Phone) -> None:
    assert {entry["relation"] for entry in enrolled.who_may_be_there()} == RELATIONS == set(MEXICO)
    assert enrolled.who_may_be_there()[0]["words"] == "Alguien que dice ser la persona que se busca"
    for language in ("es", "en", "fr", "de"):
        assert len({entry["words"] for entry in relations(language)}) == len(RELATIONS)


def test_before_an_encounter_there_is_the_opening_line_alone(go: Go, enrolled: Phone) -> None:
    now = enrolled.may_say(go())
    assert ([line.text for line in now.lines], now.fields) == ([OPEN], BOTH)
    assert (now.relation, now.may_check, now.may_ask_location) == (None, False, False)
    refused("no-encounter", enrolled.asked_for_company, go())
    refused("no-encounter", enrolled.ask_location, go(), "shop")


def test_at_a_workplace_nobody_hears_the_name(go: Go, enrolled: Phone) -> None:
    now = enrolled.may_say(go(place="work"))
    assert ([line.text for line in now.lines], now.fields) == ([GREET], NAMELESS)


@pytest.mark.parametrize("relation", list(MEXICO))
def test_each_audience_gets_its_script_and_fields_and_nothing_else(
    world: World, enrolled: Phone, go: Go, relation: str
) -> None:
    visit = go("MX")
    lines, fields, company, location, proposes = MEXICO[relation]
    now = meet(world, enrolled, visit, relation)
    assert ([line.text for line in now.lines], now.fields) == (lines, fields)
    assert now == enrolled.may_say(visit)
    assert (now.relation, now.may_check) == (relation, relation in MAY_BE_CHECKED)
    assert (now.may_ask_location, now.proposes) == (location is not None, proposes)
    assert now.ends is (relation in ("minor", "older_or_disabled", "employer"))
    if company == "refused":
        refused("company-may-not-be-told", enrolled.asked_for_company, visit)
    else:
        told = enrolled.asked_for_company(visit).now
        assert told.fields == fields | {"agency": AGENCY}
        assert sorted(line.text for line in told.lines) == sorted({*lines, AGENCY})
    if location == "once":
        assert enrolled.ask_location(visit, "other").line.text == WHERE
        refused("location-already-asked", enrolled.ask_location, visit, "other")
    elif location is None:
        code = "attorney-known" if relation == "attorney" else "location-may-not-be-asked"
        refused(code, enrolled.ask_location, visit, "other")


@pytest.mark.parametrize("relation", ["neighbour", "guard"])
@pytest.mark.parametrize(
    ("jurisdiction", "language", "lines"),
    [
        ("US-MD", "en", [f"Hello, I'm {AGENT}. Is {NAME} in?", f"I can only speak with {NAME}.",
                         f"I'm confirming location information for {NAME}. Is this the right address?",
                         "Thank you. Goodbye."]),
        ("CA-QC", "fr", [f"Bonjour, je m'appelle {AGENT}. {NAME} est-il ou est-elle là ?",
                         f"Je ne peux en parler qu'avec {NAME}.",
                         f"Je souhaite confirmer l'adresse de {NAME}. Est-ce bien ici ?", "Merci, bonne journée."]),
        ("LI", "de", [f"Guten Tag, mein Name ist {AGENT}.", "Wo ist die Nummer 12, Avenida Canaria?",
                      "Danke, auf Wiedersehen."]),
        ("IT", "en", [f"Hello, I'm {AGENT}.", "Thank you. Goodbye."]),
        ("ZZ", "", [f"Hello, I'm {AGENT}.", "Thank you. Goodbye."]),
    ],
)  # fmt: skip
def test_neighbours_hear_what_their_jurisdiction_lets_them(
    enrolled: Phone, go: Go, relation: str, jurisdiction: str, language: str, lines: list[str]
) -> None:
    now = enrolled.encounter(go(jurisdiction, language=language), relation).now
    assert [line.text for line in now.lines] == lines
    assert ("name_sought" in now.fields) is jurisdiction.startswith(("US", "CA"))


def test_the_company_is_forgotten_when_somebody_else_answers(enrolled: Phone, go: Go) -> None:
    visit = go()
    enrolled.encounter(visit, "spouse")
    assert enrolled.asked_for_company(visit).now.fields["agency"] == AGENCY
    assert "agency" in enrolled.may_say(visit).fields
    assert "agency" not in enrolled.encounter(visit, "relative").now.fields


def test_what_the_agency_made_stricter_holds(enrolled: Phone, go: Go) -> None:
    narrower = {"spouse": {"agency": "never", "location_question": "never"}}
    visit = go("US", language="en", body={"narrower": narrower})
    now = enrolled.encounter(visit, "spouse").now
    assert [line.moment for line in now.lines] == ["open", "why", "parting"] and not now.may_ask_location
    refused("company-may-not-be-told", enrolled.asked_for_company, visit)
    refused("location-may-not-be-asked", enrolled.ask_location, visit)


@pytest.mark.parametrize(
    ("relation", "item", "said", "holds"),
    [
        ("spouse", "balance", "yes", "never"),  # looser than the packaged matrix: changes nothing
        ("guarantor", "balance", "yes", "verified"),
        ("attorney", "balance", "verified", "documented"),
        ("sought", "agency", "asked", "asked"),  # stricter: holds
        ("sought", "balance", "documented", "documented"),
        ("sought", "balance", "never", "never"),
        ("sought", "balance", "asked", "never"),  # each tells something that the other does not
        ("sought", "balance", "perhaps", "never"),
        ("sought", "balance", None, "never"),
        ("sought", "location_question", "once", "once"),
        ("neighbour", "location_question", "once", "place_only"),
        ("stranger", "balance", "yes", "never"),
    ],
)
def test_of_the_agencys_cell_and_the_packaged_one_the_stricter_holds(
    relation: str, item: str, said: Any, holds: str
) -> None:
    assert Rules("MX", {relation: {item: said}}).cell(relation, item) == holds


def test_a_narrower_row_that_is_none_tells_nothing() -> None:
    assert Rules("MX", {"sought": "yes"}).cell("sought", "agency") == "never"


def test_a_question_that_the_agency_bounds_to_the_place_names_nobody(enrolled: Phone, go: Go) -> None:
    visit = go("US", language="en", body={"narrower": {"neighbour": {"location_question": "place_only"}}})
    lines = {line.moment: line.text for line in enrolled.encounter(visit, "neighbour").now.lines}
    assert lines["location_of_place"] == "Where is number 12, Avenida Canaria?" and "location_of_person" not in lines
    assert NAME not in enrolled.ask_location(visit, "shop").line.text


@pytest.mark.parametrize("relation", ["minor", "older_or_disabled", "employer"])
def test_with_some_the_visit_ends_and_nothing_they_were_asked_is_recorded(
    enrolled: Phone, go: Go, relation: str
) -> None:
    visit = go()
    now = enrolled.encounter(visit, relation).now
    for asked in ({"lives_here": "yes"}, {"best_time": "evening"}, {"place_confirmed": True}):
        refused("may-not-be-asked", enrolled.record_outcome, visit, now.proposes, asked)
    phone_number = [{"kind": "phone", "value": "55 1234 5678"}]
    refused("may-not-be-asked", enrolled.record_outcome, visit, now.proposes, {"contacts": phone_number})
    refused("may-not-be-asked", enrolled.contact, visit, relation, phone_number)
    refused("location-may-not-be-asked", enrolled.encounter, visit, relation, location_asked=True)
    assert enrolled.record_outcome(visit, now.proposes).kind == "outcome"


def test_a_mexican_neighbour_is_asked_about_the_place_alone(enrolled: Phone, go: Go) -> None:
    visit = go()
    enrolled.encounter(visit, "neighbour")
    refused("may-not-be-asked", enrolled.record_outcome, visit, "third_party_attended", {"lives_here": "yes"})
    enrolled.record_outcome(visit, "third_party_attended", {"place_confirmed": True})


@pytest.mark.parametrize(
    ("outcome", "body", "code"),
    [
        ("client_located", {}, "no-identity-check"),
        ("third_party_attended", {}, "no-encounter"),
        ("wrong_person", {}, "no-encounter"),
        ("moved", {"told_by": "relative"}, "no-encounter"),
        ("deceased", {"told_by": "spouse"}, "no-encounter"),
        ("access_refused", {"by": "guard"}, "no-encounter"),
        ("address_not_found", {"neighbours_asked": [{"where": "No. 12", "answer": "does_not_know"}]}, "no-encounter"),
    ],
)
def test_no_outcome_presupposes_somebody_who_was_not_recorded(
    enrolled: Phone, go: Go, outcome: str, body: dict[str, Any], code: str
) -> None:
    visit = go()
    refused(code, enrolled.record_outcome, visit, outcome, body)
    enrolled.encounter(visit, "nobody")
    refused(code, enrolled.record_outcome, visit, outcome, body)


def test_one_person_is_asked_once_and_another_may_be(enrolled: Phone, go: Go) -> None:
    visit = go("US", language="en")
    enrolled.encounter(visit, "neighbour")
    refused("whom-needed", enrolled.ask_location, visit)
    refused("unknown-word", enrolled.ask_location, visit, "upstairs")
    enrolled.ask_location(visit, "next_door_left")
    refused("location-already-asked", enrolled.ask_location, visit, "next_door_left")
    refused(
        "location-already-asked", enrolled.encounter, visit, "neighbour", location_asked=True, whom="next_door_left"
    )
    for whom in sorted(set(WHOM) - {"next_door_left"}):
        assert enrolled.may_say(visit).may_ask_location
        enrolled.ask_location(visit, whom)
    assert not enrolled.may_say(visit).may_ask_location
    assert "location_of_person" not in [line.moment for line in enrolled.may_say(visit).lines]


def test_a_second_visit_to_the_same_person_knows_who_was_asked_here(enrolled: Phone, go: Go) -> None:
    first, second, elsewhere = go(number=0), go(number=1), go(number=2, address={"street": "Otra Calle", "number": "9"})
    for visit, whom in ((first, "opposite"), (elsewhere, "opposite")):
        enrolled.encounter(visit, "neighbour")
        enrolled.ask_location(visit, whom)
    enrolled.encounter(second, "neighbour")
    refused("location-already-asked", enrolled.ask_location, second, "opposite")
    enrolled.encounter(first, "spouse")
    enrolled.ask_location(first)
    enrolled.encounter(elsewhere, "spouse")
    refused("location-already-asked", enrolled.ask_location, elsewhere)


@pytest.mark.parametrize("whom", ["shop", None])
def test_what_another_agent_asked_is_not_asked_again(enrolled: Phone, go: Go, whom: str | None) -> None:
    visit = go(body={"location": {"closed": False, "asked": [{"relation": "neighbour", "whom": whom}]}})
    enrolled.encounter(visit, "neighbour")
    refused("location-already-asked", enrolled.ask_location, visit, "shop")
    if whom is None:
        assert not enrolled.may_say(visit).may_ask_location
    else:
        enrolled.ask_location(visit, "opposite")


@pytest.mark.parametrize("relation", ["neighbour", "spouse", "executor"])
def test_where_the_office_knows_of_counsel_nobody_is_asked(enrolled: Phone, go: Go, relation: str) -> None:
    visit = go(body={"location": {"closed": True, "asked": []}})
    assert not enrolled.encounter(visit, relation).now.may_ask_location
    refused("location-may-not-be-asked", enrolled.ask_location, visit, "other")


def test_counsel_met_or_named_at_this_door_ends_the_asking(world: World, enrolled: Phone, go: Go) -> None:
    visit = go()
    enrolled.encounter(visit, "attorney")
    enrolled.encounter(visit, "neighbour")
    refused("attorney-known", enrolled.ask_location, visit, "shop")
    named = go(number=1)
    meet(world, enrolled, named, "sought")
    enrolled.record_outcome(
        named, "client_located", {"results": [{"result": "attorney_named", "name": "Licenciada Inventada"}]}
    )
    enrolled.encounter(named, "spouse")
    refused("attorney-known", enrolled.ask_location, named)


def test_i_am_not_that_person_ends_contact(world: World, enrolled: Phone, go: Go) -> None:
    visit = go()
    enrolled.encounter(visit, "claims_to_be_sought")
    assert enrolled.check_identity(visit, world.person, RIGHT).passed
    enrolled.record_outcome(visit, "wrong_person")
    refused("locked", enrolled.brief, visit, world.person)
    refused("contact-ended", enrolled.check_identity, visit, world.person, RIGHT)
    refused("contact-ended", enrolled.check_identity, visit, world.person, code=CODE)
    refused("contact-ended", enrolled.may_say, visit)
    refused("contact-ended", enrolled.record_outcome, visit, "client_located")
    refused("contact-ended", enrolled.record_outcome, visit, "third_party_attended")
    for relation in RELATIONS:
        refused("contact-ended", enrolled.encounter, visit, relation)
    enrolled.letter(visit, "not_delivered", reason="not_met")


def test_a_minor_whom_somebody_seeks_is_met_through_a_guardian(enrolled: Phone, go: Go) -> None:
    now = enrolled.encounter(go(), "guardian").now
    assert now.may_check and now.fields["name_sought"] == NAME


def test_nothing_to_say_stands_in_a_printed_value(enrolled: Phone, go: Go) -> None:
    met = enrolled.encounter(go(), "spouse")
    assert NAME not in repr(met) + repr(met.now) + repr(enrolled.ask_location(go()))


def test_work_of_an_older_phone_is_read(enrolled: Phone, go: Go) -> None:
    visit = go()
    enrolled.handset.store.put("work", visit, {"visit": visit, "assignment_version": 1, "relation": "neighbour"})
    assert enrolled.may_say(visit).relation == "neighbour"
    refused("unknown-visit", enrolled.may_say, str(uuid4()))
