"""What the office puts behind each lock: each party's own obligations, alike from outside, opened in their own ways."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from field_api.domain.confidential import Confidential, audience
from field_api.domain.disclosure import Audience, Label
from field_api.domain.vocabulary import ChangeKind
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.ids import new_opaque_id
from field_api.platform.problems import Problem
from field_api.platform.wiring import office_keys
from field_api.records.accounts import Account
from field_api.records.agency import Agency, Creditor
from field_api.records.changes import Change
from field_api.records.people import Person, VerificationAnswer
from field_api.records.planning import Agent
from field_api.records.visits import Visit, VisitAccount, VisitKey
from field_api.usecases.change_agency import change_agency
from field_api.usecases.disclose_unlock_code import disclose_unlock_code, reissue_unlock_code
from field_api.usecases.make_visit_keys import make_visit_keys
from sync.office import stretching
from sync.office.items import Content
from sync.office.stretch_ahead import stretch_ahead
from sync.office.visit_body import sheet_visits
from sync.phone.errors import NotAllowed
from sync.phone.locks import BEFORE_ARRIVAL, BY_ATTESTATION, Brief, Locks
from tests.planning_world import NOW, World

pytestmark = pytest.mark.usefixtures("app")
SOUGHT = {"birth_date": "1956-12-31", "postcode": "06700"}
AVAL = {"birth_date": "1960-01-02", "phone_last4": "0199"}
DEVICE = new_opaque_id()


class Door:
    """A visit about two accounts: the debtor of both, a guarantor of the second, an attorney on the first, a payer, a
    minor guarantor. `debtor`, `aval`, `attorney` … are ids."""

    def __init__(self, agency: UUID, state: str = "published") -> None:
        self.agency = agency
        with transaction(agency) as session:
            world = World(session)
            self.agent = world.agent().id
            person, address, first = world.household()
            second = world.account(person, 99_000)
            route = world.route(session.get_one(Agent, (agency, self.agent)))
            self.visit = world.visit(route, 1, address, person, first, second, state=state).id
            self.debtor, self.first, self.second = person.id, first.id, second.id
            self.aval = self._party(world, second, "guarantor", name="Aval Inventado Lorenzana")
            self.attorney = self._party(world, first, "attorney")
            self._party(world, first, "payer")
            self.minor = self._party(world, second, "guarantor", is_minor=True)
            # Another debt of the guarantor's own, at another door.
            other = world.account(session.get_one(Person, (agency, self.aval)), 777_777)
            self.others_account = other.id
            for person_id, answers in ((self.debtor, SOUGHT), (self.aval, AVAL), (self.attorney, SOUGHT)):
                for kind, answer in answers.items():
                    session.add(
                        VerificationAnswer(person_id=person_id, kind=kind, independent_group=kind, answer=answer)
                    )

    @staticmethod
    def _party(world: World, account: Account, role: str, **person: Any) -> UUID:
        made = world.person(**person)
        world.party(account, made, role)
        return made.id

    def body(self, device: UUID = DEVICE) -> dict[str, Any]:
        with transaction(self.agency) as session:
            sheet = sheet_visits(session, office_keys().of(self.agency), self.agent, [self.visit])[self.visit]
            return sheet.body_for(device)

    def locks(self, device: UUID = DEVICE, body: dict[str, Any] | None = None) -> Locks:
        return Locks(str(self.agency), str(device), str(self.visit), body or self.body(device))

    def code(self, person_id: UUID) -> str:
        with transaction(self.agency) as session, audience(Audience.OFFICE_JOB):
            key = select(VisitKey).where(VisitKey.visit_id == self.visit, VisitKey.person_id == person_id)
            return session.scalars(key).one().unlock_code.reveal(Audience.OFFICE_JOB)


def accounts(brief: Brief | None) -> list[str]:
    assert brief is not None
    return sorted(account["account"] for account in brief.contents["accounts"])


def test_each_party_gets_their_own_obligations_and_representatives_open_by_code_alone(agency: UUID) -> None:
    door = Door(agency)
    locks = door.locks()
    sought = locks.by_answers("sought", SOUGHT)
    assert accounts(sought) == sorted([str(door.first), str(door.second)])
    assert sought.contents["party"] == {
        "person": str(door.debtor), "name": sought.contents["party"]["name"], "role": "debtor",
    }  # fmt: skip
    aval = locks.by_answers("other", AVAL)
    assert accounts(aval) == [str(door.second)], "never another's account, nor their own debt at another door"
    assert aval.contents["party"]["role"] == "guarantor" and aval.contents["history"] == []
    assert locks.by_answers("other", SOUGHT) is None, "who represents proves it by no answer"
    attorney = locks.by_code("other", door.code(door.attorney))
    assert accounts(attorney) == [str(door.first)] and attorney.contents["party"]["role"] == "attorney"
    assert locks.by_code("sought", door.code(door.aval)) is None
    assert locks.by_code("other", door.code(door.debtor)) is None
    with transaction(agency) as session:
        assert set(session.scalars(select(VisitKey.person_id))) == {door.debtor, door.aval, door.attorney}


def test_an_item_tells_nothing_of_who_is_behind_its_locks(agency: UUID) -> None:
    """Neither by words nor by form nor by length: with three parties, and after two of them are gone."""
    door = Door(agency)
    crowded = door.body()
    with transaction(agency) as session:
        session.execute(VisitAccount.__table__.delete().where(VisitAccount.account_id == door.second))
    lonely = door.body()
    for body in (crowded, lonely):
        shapes = [
            {
                name: [len(wrap) for wrap in value] if isinstance(value, list) else len(value)
                for name, value in lock.items()
            }
            for lock in body["locks"]
        ]
        assert [shape.pop("ct") for shape in shapes] == [1_830, 848, 848, 848]
        assert len(shapes) == 4 and all(shape == shapes[0] for shape in shapes)
        assert len(Content("visit", door.visit, body).packed(1)) == 6_144
        plain = str({name: part for name, part in body.items() if name != "locks"})
        for secret in (str(door.aval), "Lorenzana", "guarantor", "attorney", str(door.attorney), "phone_last4"):
            assert secret not in plain
    assert {name: part for name, part in crowded.items() if name != "locks"} == {
        name: part for name, part in lonely.items() if name != "locks"
    }


def test_a_minor_gets_nothing_and_their_guardian_opens_by_code(agency: UUID) -> None:
    door = Door(agency)
    with transaction(agency) as session:
        session.get_one(Person, (agency, door.debtor)).is_minor = True
        world = World(session, serial=900)
        world.creditors["MX"] = session.scalars(select(Creditor)).one()
        guardian = Door._party(world, session.get_one(Account, (agency, door.first)), "guardian")
    locks = door.locks()
    assert locks.body["questions"] == []
    with pytest.raises(NotAllowed, match="two-answers-needed"):
        locks.by_answers("sought", SOUGHT)
    assert accounts(locks.by_code("other", door.code(guardian))) == [str(door.first)]
    with transaction(agency) as session:
        make_visit_keys(session, [door.visit])
        assert door.debtor not in set(session.scalars(select(VisitKey.person_id)))


def test_a_code_issued_anew_leaves_the_old_code_and_the_old_key_worthless(agency: UUID) -> None:
    door = Door(agency)
    old_body, old_code = door.body(), door.code(door.debtor)
    assert door.locks(body=old_body).by_code("sought", old_code) is not None
    with transaction(agency) as session, audience(Audience.DISPATCHER):
        ask = {"reason": "llamó desde la puerta", "by": None, "now": NOW}
        reissue_unlock_code(session, door.visit, door.debtor, **ask)
        told = disclose_unlock_code(session, door.visit, door.debtor, **ask)
        assert session.scalars(select(Change.kind)).all() == ["code"]
        with pytest.raises(Problem, match="not-found"):
            disclose_unlock_code(session, door.visit, door.minor, **ask)
    new_body = door.body()
    assert told != old_code and door.locks(body=new_body).by_code("sought", told) is not None
    assert door.locks(body=new_body).by_code("sought", old_code) is None
    # The old wrap with the old code gives the old key, which does not open the new part.
    mixed = {
        **new_body,
        "locks": [{**new_body["locks"][0], "code": old_body["locks"][0]["code"]}, *new_body["locks"][1:]],
    }
    with pytest.raises(Exception, match="does not open"):
        door.locks(body=mixed).by_code("sought", old_code)


def test_a_code_opens_on_the_device_it_was_wrapped_for(agency: UUID) -> None:
    door = Door(agency)
    body, code = door.body(), door.code(door.debtor)
    assert Locks(str(agency), str(new_opaque_id()), str(door.visit), body).by_code("sought", code) is None


def test_nothing_lies_under_the_sheet_key_unless_the_agency_says_so(agency: UUID) -> None:
    door = Door(agency)
    locks = door.locks()
    assert locks.body["openers"] == {"attestation": None, "before_arrival": None}
    assert locks.by_opener("sought", "attestation", BY_ATTESTATION) is None
    with transaction(agency) as session:
        change_agency(session, attestation=True)
        changes = select(Change).where(Change.kind == ChangeKind.VISIT.value)
        assert [change.ref for change in session.scalars(changes)] == [door.visit], "what is out is sealed anew"
    locks = door.locks()
    assert accounts(locks.by_opener("sought", "attestation", BY_ATTESTATION)) == sorted(
        [str(door.first), str(door.second)]
    )
    assert accounts(locks.by_opener("other", "attestation", BY_ATTESTATION)) == [str(door.second)]
    assert locks.by_opener("sought", "before_arrival", BEFORE_ARRIVAL) is None
    with transaction(agency) as session:
        change_agency(session, attestation=False, read_before_arrival=True)
    locks = door.locks()
    assert locks.by_opener("sought", "attestation", BY_ATTESTATION) is None
    assert locks.by_opener("sought", "before_arrival", BEFORE_ARRIVAL) is not None
    assert locks.by_opener("other", "before_arrival", BEFORE_ARRIVAL) is None


def test_a_way_that_the_agency_takes_back_leaves_no_key_with_who_kept_an_old_item(agency: UUID) -> None:
    door = Door(agency)
    with transaction(agency) as session:
        change_agency(session, attestation=True)
    old, code = door.body(), door.code(door.debtor)
    with transaction(agency) as session:
        change_agency(session, attestation=False)
    new = door.body()
    for claim, number in (("sought", 0), ("other", 1)):
        held = {**new["locks"][number], "attestation": old["locks"][number]["attestation"]}
        locks = [held if at == number else lock for at, lock in enumerate(new["locks"])]
        with pytest.raises(Exception, match="does not open"):
            door.locks(body={**new, "openers": old["openers"], "locks": locks}).by_opener(
                claim, "attestation", BY_ATTESTATION
            )
    assert door.locks(body=new).by_code("sought", code) is not None, "a code that was read out stays good"


@pytest.mark.parametrize("said", ["yes", 1, None, {"attestation": "true", "read_before_arrival": 1}])
def test_what_is_not_plainly_true_is_off(agency: UUID, said: object) -> None:
    door = Door(agency)
    with transaction(agency) as session:
        session.get_one(Agency, agency).policy = {"lock": said}
    assert set(door.body()["openers"].values()) == {None}


@pytest.fixture
def stretched(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The answers that were stretched, in order."""
    done: list[bytes] = []
    real = stretching.stretch

    def counted(answer: bytes, salt: bytes, rounds: int) -> bytes:
        done.append(answer)
        return real(answer, salt, rounds)

    monkeypatch.setattr(stretching, "stretch", counted)
    return done


def test_answers_are_stretched_once_and_anew_only_where_one_changed(agency: UUID, stretched: list[bytes]) -> None:
    door = Door(agency)
    door.body()
    assert sorted(stretched) == sorted(answer.encode() for answer in (*SOUGHT.values(), *AVAL.values()))
    stretched.clear()
    door.body()
    assert stretched == []
    with transaction(agency) as session:
        changed = select(VerificationAnswer).where(
            VerificationAnswer.person_id == door.debtor, VerificationAnswer.kind == "postcode"
        )
        session.scalars(changed).one().answer = Confidential("11000")  # its stretched form is left standing
    locks = door.locks()
    assert stretched == [b"11000"]
    assert locks.by_answers("sought", SOUGHT) is None
    assert locks.by_answers("sought", SOUGHT | {"postcode": "11000"}) is not None


def test_a_draft_is_stretched_ahead_and_publishing_it_stretches_nothing(
    agency: UUID, clock: SetClock, stretched: list[bytes]
) -> None:
    door = Door(agency, state="planned")

    def ahead() -> int:
        with transaction(agency) as session:
            return stretch_ahead(session, office_keys().of(agency), now=clock.now())

    assert ahead() == 4 and len(stretched) == 4
    assert ahead() == 0, "nothing waits"
    stretched.clear()
    with transaction(agency) as session:
        session.get_one(Visit, {"agency_id": agency, "id": door.visit}).state = "published"
    locks = door.locks()
    assert stretched == [] and locks.by_answers("sought", SOUGHT) and locks.by_answers("other", AVAL)


def test_answers_that_no_lock_needs_are_not_looked_at_again(app: Flask, agency: UUID, clock: SetClock) -> None:
    door = Door(agency, state="planned")
    with transaction(agency) as session:
        session.get_one(Person, (agency, door.aval)).is_minor = True
    with transaction(agency) as session:
        assert stretch_ahead(session, office_keys().of(agency), now=clock.now()) == 4
        assert stretch_ahead(session, office_keys().of(agency), now=clock.now()) == 0


def test_what_the_matrix_does_not_give_a_party_is_not_in_their_part(agency: UUID) -> None:
    """An agency may make cells stricter: no terms for a guarantor, no letter and no creditor for an attorney."""
    door = Door(agency)
    with transaction(agency) as session:
        session.get_one(Account, (agency, door.second)).options = Confidential("half now", Label.CONFIDENTIAL)
        session.get_one(Account, (agency, door.first)).options = Confidential("half now", Label.CONFIDENTIAL)
        stricter = {"guarantor": {"terms": "never"}, "attorney": {"creditor": "never"}}
        session.get_one(Agency, agency).policy = {"disclosure": stricter}
    locks = door.locks()
    sought = locks.by_answers("sought", SOUGHT)
    assert [account["options"] for account in sought.contents["accounts"]] == ["half now", "half now"]
    aval = locks.by_answers("other", AVAL)
    assert [account["options"] for account in aval.contents["accounts"]] == [None]
    attorney = locks.by_code("other", door.code(door.attorney))
    assert attorney.contents["creditor"] is None and attorney.contents["accounts"][0]["options"] == "half now"
    with transaction(agency) as session:
        session.get_one(Agency, agency).policy = {"disclosure": {"attorney": {"debt_exists": "never"}}}
    assert door.locks().by_code("other", door.code(door.attorney)) is None, "the lock is empty"
