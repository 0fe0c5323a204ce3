"""The doorstep lock on the phone: who may open what, what is written first, what no lock tells before."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest
from phone_world import World
from small_office import GUARANTOR, GUARANTOR_ANSWERS, GUARANTOR_CODE

from field_api.platform.sealing import b64u
from sync.phone import NotAllowed, Phone

RIGHT = {"birth_date": "31/12/1956", "mother_maiden_name": "peña"}
WRONG = {"birth_date": "31/12/1956", "mother_maiden_name": "ruiz"}
CODE = "0123-4567-89abc"
WRONG_CODE = "0" * 13


def recorded(world: World, phone: Phone) -> list[dict[str, Any]]:
    return [world.office.read_op(kept["document"])[1] for _, kept in phone.handset.store.all("op")]


def test_a_guarantor_opens_their_own_part_and_no_other(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    visit = at_the_door()
    check = phone.check_identity(visit, "other", GUARANTOR_ANSWERS)
    assert check.brief is not None
    assert (check.brief.person, check.brief.contents["party"]["role"]) == (GUARANTOR, "guarantor")
    with pytest.raises(NotAllowed, match="locked"):
        phone.brief(visit, world.person)
    assert not phone.check_identity(visit, "sought", code=GUARANTOR_CODE).passed
    assert not phone.check_identity(visit, "other", code=CODE).passed
    assert phone.check_identity(visit, "other", code=GUARANTOR_CODE).brief.person == GUARANTOR


def test_a_failed_try_of_somebody_else_names_nobody(world: World, phone: Phone, at_the_door: Callable[[], str]) -> None:
    phone.check_identity(at_the_door(), "other", RIGHT)
    body = recorded(world, phone)[-1]["body"]
    assert (body["claim"], body["passed"], "person" in body) == ("other", False, False)


def test_an_opened_phone_cannot_tell_a_party_from_an_empty_lock(world: World, phone: Phone) -> None:
    """A lock's lengths are those of its number; no name, role, question or number of anybody but the sought is told."""
    body = world.office.visit_body(world.visits[0], world.person)
    shapes = [
        {name: [len(w) for w in w_] if isinstance(w_, list) else len(w_) for name, w_ in lock.items()}
        for lock in body["locks"]
    ]
    assert [shape.pop("ct") for shape in shapes] == [1_830, 848, 848, 848]
    assert len(shapes) == 4 and all(shape == shapes[0] for shape in shapes)
    shown = json.dumps(body)
    assert GUARANTOR not in shown and "Aval" not in shown and "curp" not in shown and "guarantor" not in shown


def test_ten_wrong_codes_end_it_and_answers_of_the_other_claim_stay(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    visit = at_the_door()
    for _ in range(10):
        assert not phone.check_identity(visit, "sought", code=WRONG_CODE).passed
    with pytest.raises(NotAllowed, match="no-tries-left"):
        phone.check_identity(visit, "sought", code=CODE)
    assert phone.check_identity(visit, "other", code=GUARANTOR_CODE).passed
    assert len([op for op in recorded(world, phone) if op["kind"] == "identity_check"]) == 11


def test_wrong_tries_are_counted_over_restarts_new_items_and_pulls(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    visit = at_the_door()
    for _ in range(3):
        phone.check_identity(visit, "sought", WRONG)
    world.publish(0, version=2)
    phone.pull()
    assert phone.check_identity(visit, "sought", WRONG).tries_left == 1
    phone.close()
    with world.open() as again:
        world.publish(0, version=3, assignment_version=2)
        again.pull()
        assert again.check_identity(visit, "sought", WRONG).tries_left == 0
        world.publish(0, version=4)
        again.pull()
        with pytest.raises(NotAllowed, match="only-the-code"):
            again.check_identity(visit, "sought", RIGHT)
        assert again.check_identity(visit, "sought", code=CODE).passed


def test_a_fifth_wrong_answer_that_is_no_answer_at_all_counts(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    check = phone.check_identity(at_the_door(), "sought", {"birth_date": "yesterday", "postcode": "05219"})
    assert (check.passed, check.tries_left) == (False, 4)


class DiskFull(OSError):
    pass


@pytest.mark.parametrize("where", ["op.packed", "op.sealed", "op.signed", "op.written"])
@pytest.mark.parametrize("way", ["answers", "code", "attestation", "before_arrival"])
def test_nothing_is_shown_unless_the_try_is_on_the_disk(
    world: World, phone: Phone, at_the_door: Callable[[], str], where: str, way: str
) -> None:
    visit = at_the_door() if way != "before_arrival" else world.visits[0]
    _under_policy(world, phone)
    tries: dict[str, Callable[[], Any]] = {
        "answers": lambda: phone.check_identity(visit, "sought", RIGHT),
        "code": lambda: phone.check_identity(visit, "sought", code=CODE),
        "attestation": lambda: phone.attest(visit, "sought", "passport"),
        "before_arrival": lambda: phone.read_before_arrival(visit),
    }
    before = len(phone.queue())

    def full(step: str) -> None:
        if step == where:
            raise DiskFull

    phone.handset.step = full
    with pytest.raises(DiskFull):
        tries[way]()
    phone.handset.step = lambda _: None
    with pytest.raises(NotAllowed, match="locked"):
        phone.brief(visit, world.person)
    assert len(phone.queue()) == before
    assert phone.opened_for(visit) == []
    tries[way]()
    assert phone.brief(visit, world.person).contents["accounts"] and len(phone.queue()) == before + 1


def test_a_crash_between_writing_and_showing_leaves_the_try_and_nothing_open(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    visit = at_the_door()

    class Crash(BaseException):
        pass

    def crash(step: str) -> None:
        if step == "op.stored":
            raise Crash

    phone.handset.step = crash
    with pytest.raises(Crash):
        phone.check_identity(visit, "sought", RIGHT)
    phone.close()
    with world.open() as again:
        assert recorded(world, again)[-1]["kind"] == "identity_check"
        with pytest.raises(NotAllowed, match="locked"):
            again.brief(visit, world.person)


def _under_policy(world: World, phone: Phone) -> None:
    """The first visit as an agency publishes it whose policy lets both ways be."""
    opener, visit = os.urandom(32), world.visits[0]
    body = world.office.visit_body(visit, world.person)
    for name in ("attestation", "before_arrival"):
        body["locks"][0] = world.office.under_sheet(visit, name, 0, body["locks"][0], opener)
    openers = {"attestation": b64u(opener), "before_arrival": b64u(opener)}
    world.office.publish("visit", visit, 9, body | {"openers": openers})
    phone.pull()


def test_an_attestation_opens_under_the_agencys_policy_alone(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    visit = at_the_door()
    refused = phone.attest(visit, "sought", "passport")
    assert (refused.passed, refused.brief) == (False, None)
    assert recorded(world, phone)[-1]["body"] | {"tries_left": 0} == {
        "method": "attestation", "passed": False, "claim": "sought", "document": "passport", "tries_left": 0,
    }  # fmt: skip
    with pytest.raises(NotAllowed, match="no-identity-check"):
        phone.letter(visit, "handed_over", "sought")
    _under_policy(world, phone)
    assert phone.attest(visit, "sought", "passport").brief.person == world.person
    assert not phone.attest(visit, "other", "passport").passed


def test_a_brief_is_read_before_arrival_under_the_agencys_policy_alone(world: World, phone: Phone) -> None:
    visit = world.visits[0]
    with pytest.raises(NotAllowed, match="not-by-policy"):
        phone.read_before_arrival(visit)
    _under_policy(world, phone)
    assert phone.read_before_arrival(visit).person == world.person
    body = recorded(world, phone)[-1]["body"]
    assert body == {"parts": ["brief"], "person": world.person, "before_arrival": True}
    phone.encounter(visit, "spouse")
    with pytest.raises(NotAllowed, match="locked"):
        phone.brief(visit, world.person)
    with pytest.raises(NotAllowed, match="third-party"):
        phone.read_before_arrival(visit)


def test_what_was_published_for_another_device_opens_nothing_here(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    """A code is wrapped for one device: the other phone's item, laid into this one's sheet, stays shut."""
    visit, own = at_the_door(), world.office.device
    world.office.device = "00000000-0000-4000-8000-0000000000ff"
    body = world.office.visit_body(visit, world.person)
    world.office.device = own
    world.office.publish("visit", visit, 9, body)
    phone.pull()
    assert not phone.check_identity(visit, "sought", code=CODE).passed
    assert phone.check_identity(visit, "sought", RIGHT).passed


@pytest.mark.parametrize("relation", ["guarantor", "attorney", "executor", "guardian", "authority", "spouse"])
def test_whoever_else_answers_does_not_find_the_part_of_the_one_sought_open(
    world: World, phone: Phone, at_the_door: Callable[[], str], relation: str
) -> None:
    visit = at_the_door()
    assert phone.check_identity(visit, "other", GUARANTOR_ANSWERS).passed
    assert phone.check_identity(visit, "sought", RIGHT).passed
    phone.encounter(visit, relation)
    with pytest.raises(NotAllowed, match="locked"):
        phone.brief(visit, world.person)
    assert phone.opened_for(visit) == []


@pytest.mark.parametrize(("relation", "stays"), [("guarantor", [GUARANTOR]), ("attorney", []), ("spouse", [])])
def test_a_guarantors_part_stays_open_to_guarantors_alone(
    phone: Phone, at_the_door: Callable[[], str], relation: str, stays: list[str]
) -> None:
    visit = at_the_door()
    assert phone.check_identity(visit, "other", GUARANTOR_ANSWERS).passed
    phone.encounter(visit, relation)
    assert phone.opened_for(visit) == stays


@pytest.mark.parametrize("how", ["right", "wrong", "code", "attestation", "no try"])
def test_who_claims_to_be_another_does_not_find_the_part_of_the_one_sought_open(
    world: World, phone: Phone, at_the_door: Callable[[], str], how: str
) -> None:
    visit = at_the_door()
    assert phone.check_identity(visit, "sought", RIGHT).passed
    match how:
        case "right":
            phone.check_identity(visit, "other", GUARANTOR_ANSWERS)
        case "wrong":
            phone.check_identity(visit, "other", RIGHT)
        case "code":
            phone.check_identity(visit, "other", code=CODE)
        case "attestation":
            phone.attest(visit, "other", "passport")
        case _:
            with pytest.raises(NotAllowed, match="two-answers-needed"):
                phone.check_identity(visit, "other", {})
    with pytest.raises(NotAllowed, match="locked"):
        phone.brief(visit, world.person)
    with pytest.raises(NotAllowed, match="locked"):
        phone.opened(visit, world.person)


def test_who_claims_to_be_the_one_sought_does_not_find_the_part_of_another_open(
    phone: Phone, at_the_door: Callable[[], str]
) -> None:
    visit = at_the_door()
    assert phone.check_identity(visit, "other", GUARANTOR_ANSWERS).passed
    assert not phone.check_identity(visit, "sought", code="0" * 13).passed
    assert phone.opened_for(visit) == []


def test_the_part_of_the_one_sought_stays_open_to_them_alone(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    visit = at_the_door()
    assert phone.check_identity(visit, "other", GUARANTOR_ANSWERS).passed
    assert phone.check_identity(visit, "sought", RIGHT).passed
    phone.encounter(visit, "sought")
    assert phone.opened_for(visit) == [world.person]


@pytest.mark.parametrize(
    ("claim", "answers", "relation"), [("sought", RIGHT, "guarantor"), ("other", GUARANTOR_ANSWERS, "sought")]
)
def test_a_check_of_one_party_does_not_stand_for_another(
    phone: Phone, at_the_door: Callable[[], str], claim: str, answers: dict[str, str], relation: str
) -> None:
    visit = at_the_door()
    assert phone.check_identity(visit, claim, answers).passed
    with pytest.raises(NotAllowed, match="no-identity-check"):
        phone.encounter(visit, relation)


def test_what_a_guarantor_is_checked_for_is_not_recorded_of_the_one_sought(
    phone: Phone, at_the_door: Callable[[], str]
) -> None:
    visit = at_the_door()
    assert phone.check_identity(visit, "other", GUARANTOR_ANSWERS).passed
    with pytest.raises(NotAllowed, match="no-identity-check"):
        phone.letter(visit, "handed_over", "sought")
    with pytest.raises(NotAllowed, match="no-identity-check"):
        phone.record_outcome(visit, "client_located")
    phone.encounter(visit, "guarantor")
    phone.record_outcome(visit, "client_located", {"party": {"relation": "guarantor", "person": GUARANTOR}})
    phone.letter(visit, "handed_over", "guarantor")


def test_an_outcome_of_a_checked_guarantor_names_them(
    world: World, phone: Phone, at_the_door: Callable[[], str]
) -> None:
    """Without a person the office takes the one sought to be meant, and that check was not theirs."""
    visit = at_the_door()
    assert phone.check_identity(visit, "other", GUARANTOR_ANSWERS).passed
    phone.encounter(visit, "guarantor")
    phone.record_outcome(visit, "client_located")
    recorded = [world.office.read_op(kept["document"])[1] for _, kept in phone.handset.store.all("op")]
    [outcome] = [content["body"] for content in recorded if content["kind"] == "outcome"]
    assert outcome["party"] == {"relation": "guarantor", "person": GUARANTOR}
