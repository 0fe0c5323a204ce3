"""What a phone recorded takes effect at once: holds, promises, disputes, candidates, attempts; late changes no plan."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from field_api.domain.confidential import Confidential, audience
from field_api.domain.disclosure import Audience
from field_api.domain.operations import ClockEvidence, Effect, UnreadableOperation
from field_api.domain.paper_entry import TIME_NOT_WRITTEN
from field_api.domain.vocabulary import PERSON_HOLDS, HoldKind, OpKind, Verdict
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.records.accounts import Account, Hold, Party
from field_api.records.agency import Creditor
from field_api.records.base import load
from field_api.records.people import ContactCandidate, Person
from field_api.records.planning import Agent
from field_api.records.results import Attempt, Dispute, Promise
from field_api.records.visits import Letter, LetterCustody, Visit, VisitAccount, VisitEvent
from field_api.usecases.withdraw_visit import withdraw_visit
from tests.outcome_world import ANCHOR, AT_THE_DOOR, HERE, RECEIVED, Phone, published_visit
from tests.planning_world import World

PROMISE = {
    "result": "promise",
    "kind": "partial",
    "amount": {"minor": 50_000, "currency": "MXN"},
    "due_on": "2026-12-01",
}


def rows(phone: Phone, kind: Any) -> list[Any]:
    with transaction(phone.agency) as session:
        found = list(session.scalars(select(kind).order_by(kind.id)))
        session.expunge_all()
        return found


def state_of(phone: Phone) -> str:
    with transaction(phone.agency) as session:
        return load(session, Visit, phone.visit_id).state


def take_back(phone: Phone) -> None:
    with transaction(phone.agency) as session:
        withdraw_visit(session, phone.visit_id, reason="dispatcher", now=RECEIVED, by=None)


RESULT_HOLDS = [
    ({"result": "payment_claimed", "reference": "F-1", "paid_on": "2026-11-01"}, HoldKind.PAID),
    ({"result": "dispute", "reason": "wrong_amount", "words": "no es esa cantidad"}, HoldKind.DISPUTE),
    ({"result": "clarification", "words": "quiere ver el contrato"}, HoldKind.CLARIFICATION),
    ({"result": "attorney_named", "name": "Licenciada Inventada"}, HoldKind.ATTORNEY),
    ({"result": "cease_contact"}, HoldKind.CEASE_CONTACT),
    ({"result": "do_not_visit"}, HoldKind.DO_NOT_VISIT),
    ({"result": "insolvency", "case_reference": "12/2026"}, HoldKind.INSOLVENT),
    ({"result": "vulnerability", "words": "muy enfermo"}, HoldKind.VULNERABLE),
    ({"result": "complaint", "words": "trato grosero"}, HoldKind.COMPLAINT),
]


@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
@pytest.mark.parametrize(("result", "kind"), RESULT_HOLDS, ids=[kind.value for _, kind in RESULT_HOLDS])
def test_every_result_places_its_hold_at_once_late_or_not(agency: UUID, result, kind: HoldKind, late: bool) -> None:
    phone = published_visit(agency, accounts=2)
    if late:
        take_back(phone)
    effect = phone.located(result)
    assert effect.verdict is (Verdict.LATE if late else Verdict.APPLIED)
    holds = rows(phone, Hold)
    assert {hold.kind for hold in holds} == {kind.value}
    assert {hold.person_id for hold in holds} == {phone.sought}
    assert {hold.account_id for hold in holds} == ({None} if kind in PERSON_HOLDS else set(phone.accounts))


@pytest.mark.parametrize(
    ("outcome", "body", "kind"),
    [
        ("deceased", {"told_by": "spouse", "executor": {"name": "Albacea Inventado"}}, HoldKind.DECEASED),
        ("wrong_person", {"lives_here": "no"}, HoldKind.WRONG_PERSON),
        ("unsafe", {"danger": "animal"}, HoldKind.UNSAFE_PLACE),
        ("third_party_attended", {"relation": "relative", "sought_is_minor": True}, HoldKind.MINOR),
    ],
)
@pytest.mark.parametrize("late", [False, True], ids=["in time", "late"])
def test_every_outcome_places_its_hold_at_once_late_or_not(agency: UUID, outcome, body, kind, late: bool) -> None:
    phone = published_visit(agency)
    if late:
        take_back(phone)
    phone.outcome(outcome, **body)
    [hold] = rows(phone, Hold)
    assert (hold.kind, hold.person_id, hold.account_id) == (kind.value, phone.sought, None)
    assert state_of(phone) == ("withdrawn" if late else "done")


@pytest.mark.parametrize(
    ("outcome", "body"),
    [
        ("client_located", {"party": {"relation": "sought"}, "identified_by": "code"}),
        ("third_party_attended", {"relation": "neighbour", "lives_here": "yes", "best_time": "evening"}),
        ("nobody_there", {"signs_of_life": True}),
        ("address_not_found", {"neighbours_asked": [{"where": "la tienda", "answer": "does_not_know"}]}),
        ("moved", {"told_by": "neighbour"}),
        ("vacant", {}),
        ("access_refused", {"by": "guard"}),
    ],
)
def test_outcomes_without_a_hold_finish_the_visit_and_count_as_an_attempt(agency: UUID, outcome, body) -> None:
    phone = published_visit(agency, accounts=2)
    assert phone.outcome(outcome, **body).verdict is Verdict.APPLIED
    assert state_of(phone) == "done"
    assert rows(phone, Hold) == []
    attempts = rows(phone, Attempt)
    assert {attempt.account_id for attempt in attempts} == set(phone.accounts)
    assert sorted(attempt.number for attempt in attempts) == [1, 2]
    assert {attempt.outcome for attempt in attempts} == {outcome}


def test_a_skipped_visit_is_still_to_be_visited_and_is_no_attempt(agency: UUID) -> None:
    phone = published_visit(agency)
    phone.outcome("skipped", reason="no_time")
    assert state_of(phone) == "published"
    assert rows(phone, Attempt) == []
    assert [event.kind for event in rows(phone, VisitEvent)] == ["outcome"]


def test_a_hold_takes_back_other_visits_and_leaves_this_one_done(agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        world = World(session)
        world.serial = 100
        visit = load(session, Visit, phone.visit_id)
        other = Visit(
            stop_id=None,
            agent_id=phone.agent_id,
            person_id=phone.sought,
            address_id=visit.address_id,
            state="published",
        )
        session.add(other)
        session.flush()
        session.add(VisitAccount(visit_id=other.id, account_id=phone.accounts[0], role="debtor"))
        other_id = other.id
    phone.located({"result": "cease_contact"})
    with transaction(agency) as session:
        assert load(session, Visit, other_id).state == "withdrawn"
        assert load(session, Visit, phone.visit_id).state == "done"


def test_what_follows_at_the_same_door_is_in_time(agency: UUID) -> None:
    phone = published_visit(agency)
    phone.located({"result": "cease_contact"})
    assert phone.records(OpKind.NOTE, {"words": "puerta azul"}).verdict is Verdict.APPLIED
    assert phone.located(PROMISE).flags.count("again") == 1


def test_promises_stand_beside_their_account_with_what_is_odd_about_them(agency: UUID) -> None:
    phone = published_visit(agency, accounts=2)
    plan = {
        "result": "promise",
        "kind": "plan",
        "account": str(phone.accounts[1]),
        "instalments": [
            {"amount": {"minor": 10_000 * n, "currency": "MXN"}, "due_on": f"2026-12-0{n}"} for n in (1, 2, 3)
        ],
    }
    foreign = {**PROMISE, "account": str(phone.accounts[1]), "amount": {"minor": 1, "currency": "USD"}}
    effect = phone.located(plan, PROMISE, foreign)
    assert "no-identity-check" in effect.flags
    told = {"account-not-named", "currency-differs", "more-than-owed"} & set(effect.flags)
    assert told == set(), "whoever records amounts learns what is owed"
    promises = sorted(rows(phone, Promise), key=lambda p: (p.account_id, p.position))
    of_second = [p for p in promises if p.account_id == phone.accounts[1]]
    assert [p.position for p in of_second] == list(range(len(of_second)))
    assert sorted(p.kind for p in promises) == ["partial", "partial", "plan", "plan", "plan"]
    with audience(Audience.OFFICE_JOB):
        assert {p.due_on.reveal(Audience.OFFICE_JOB) for p in promises if p.kind == "plan"} == {
            date(2026, 12, n) for n in (1, 2, 3)
        }
    assert [p.flags for p in of_second if p.currency == "USD"] == [["currency-differs"]]


def test_two_disputes_in_one_operation_are_one_with_all_words(agency: UUID) -> None:
    phone = published_visit(agency)
    phone.located(
        {"result": "dispute", "reason": "fraud", "words": "no firmé"},
        {"result": "dispute", "reason": "other", "words": "ni vivo aquí"},
        {"result": "payment_claimed"},
        {"result": "payment_claimed"},
    )
    [dispute] = rows(phone, Dispute)
    with audience(Audience.OFFICE_JOB):
        assert (dispute.reason, dispute.words.reveal(Audience.OFFICE_JOB)) == ("fraud", "no firmé\nni vivo aquí")
    assert sorted(hold.kind for hold in rows(phone, Hold)) == ["dispute", "paid"]


def test_a_verified_party_counts_only_after_a_passed_check_of_the_same_agent(agency: UUID) -> None:
    phone = published_visit(agency)
    phone.records(OpKind.IDENTITY_CHECK, {"method": "answers", "passed": False})
    assert "no-identity-check" in phone.located().flags
    phone.passes_check()
    assert "no-identity-check" not in phone.located().flags
    assert [attempt.right_party for attempt in rows(phone, Attempt)] == [False, True]


def test_a_reassigned_visit_is_late_and_its_facts_are_kept(agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        visit = load(session, Visit, phone.visit_id)
        visit.agent_id = World(session).agent(code="MX-2").id
        visit.assignment_version = 2
    effect = phone.located(PROMISE, contacts=[{"kind": "email", "value": "a@example.com"}])
    assert (effect.verdict, effect.flags[0]) == (Verdict.LATE, "late")
    assert state_of(phone) == "published"
    assert [p.flags for p in rows(phone, Promise)] == [["late"]]
    assert [c.flags for c in rows(phone, ContactCandidate)] == ["late"]
    assert [a.late for a in rows(phone, Attempt)] == [True]
    [event] = [e for e in rows(phone, VisitEvent) if e.kind == "outcome"]
    assert "late" in event.flags


def test_a_late_dispute_takes_the_visit_from_its_new_agent(agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        visit = load(session, Visit, phone.visit_id)
        visit.agent_id = World(session).agent(code="MX-2").id
        visit.assignment_version = 2
    assert phone.located({"result": "dispute", "reason": "fraud"}).verdict is Verdict.LATE
    assert [h.kind for h in rows(phone, Hold)] == ["dispute"]
    assert state_of(phone) == "withdrawn"


def test_a_phone_of_1970_is_flagged_and_the_evidence_gives_the_time(agency: UUID) -> None:
    phone = published_visit(agency)
    operation = phone.operation(OpKind.OUTCOME, {"outcome": "vacant", "position": HERE})
    wall = datetime(1970, 1, 1, 0, 3, tzinfo=UTC)
    evidence = replace(operation.evidence, wall=wall, anchor_monotonic_ms=0, monotonic_ms=5_400_000)
    effect = phone.records(OpKind.OUTCOME, operation.body, wall_clock=wall, evidence=evidence)
    assert effect.flags == ("clock-wrong",)
    assert [attempt.at for attempt in rows(phone, Attempt)] == [ANCHOR + timedelta(minutes=90)]


OUTSIDE = [
    (OpKind.ARRIVED, {"position": HERE}, 0, ()),
    (OpKind.ARRIVED, {"position": HERE}, -3, ("outside-hours",)),
    (OpKind.ENCOUNTER, {"relation": "nobody"}, 11, ("outside-hours",)),  # the hours' end itself is outside
    (OpKind.OUTCOME, {"outcome": "skipped", "reason": "weather", "position": HERE}, 12, ()),
    (OpKind.NOTE, {"words": "portón azul"}, 12, ()),
    (OpKind.OUTCOME, {"outcome": "nobody_there", "position": HERE}, 12, ("outside-hours",)),
]  # fmt: skip


def test_what_happened_at_a_door_outside_of_the_contact_hours_is_flagged_and_stands(agency: UUID) -> None:
    phone = published_visit(agency)
    for kind, body, hours_after, told in OUTSIDE:
        wall = AT_THE_DOOR + timedelta(hours=hours_after)
        evidence = ClockEvidence(wall=wall, monotonic_ms=1, boot_id="boot", anchor_at=ANCHOR - timedelta(hours=9))
        effect = phone.records(kind, body, evidence=evidence, wall_clock=wall, received_at=ANCHOR + timedelta(days=1))
        assert (effect.verdict, effect.flags) == (Verdict.APPLIED, told), kind
    late = ANCHOR + timedelta(days=1)
    evidence = ClockEvidence(wall=late, monotonic_ms=0, boot_id="", anchor_at=ANCHOR)
    for noted in ((), (TIME_NOT_WRITTEN,)):
        typed = phone.records(
            OpKind.ARRIVED, {"position": HERE}, from_paper=True, received_at=late, evidence=evidence, noted=noted
        )
        assert ("outside-hours" in typed.flags) == (not noted), "a time that nobody wrote is the plan's"
    assert [attempt.flags for attempt in rows(phone, Attempt)] == [["outside-hours"]]


def test_where_it_was_recorded_is_measured_from_the_address(agency: UUID) -> None:
    phone = published_visit(agency)
    far = {**HERE, "lat": HERE["lat"] + 0.01}
    assert phone.outcome("vacant", position=far).flags == ("far-away",)
    assert phone.outcome("vacant", position=None).flags == ("no-position", "again")
    first, second = rows(phone, Attempt)
    assert first.distance_m == pytest.approx(1107, abs=2)
    assert (second.distance_m, second.latitude) == (None, None)
    assert first.at == AT_THE_DOOR


def test_contact_data_become_candidates_by_source(agency: UUID) -> None:
    phone = published_visit(agency)
    phone.records(
        OpKind.CONTACT,
        {
            "source": "neighbour",
            "contacts": [
                {"kind": "phone", "value": "55 1234 5678"},
                {"kind": "phone", "value": "(55) 1234-5678", "source": "sought"},
                {"kind": "phone", "value": "12", "source": "guarantor"},
                {"kind": "email", "value": "Nadie@Example.COM"},
                {"kind": "email", "value": "no es correo"},
                {"kind": "person", "name": "Vecina Inventada", "relation": "neighbour"},
                {"kind": "address", "street": "Calle Nueva", "number": "S/N", "hint": "portón azul"},
            ],
        },
    )
    found = sorted(rows(phone, ContactCandidate), key=lambda candidate: candidate.position)
    with audience(Audience.OFFICE_JOB):
        values = [json.loads(candidate.value.reveal(Audience.OFFICE_JOB)) for candidate in found]
    assert [value.get("value") for value in values[:5]] == [
        "+525512345678",
        "+525512345678",
        "12",
        "Nadie@example.com",
        "no es correo",
    ]
    assert [(c.usable, c.flags) for c in found[:5]] == [
        (False, "not-from-obligor"),
        (True, ""),
        (False, "invalid-phone"),
        (True, ""),
        (False, "invalid-email"),
    ]
    assert values[6]["country"] == "MX"
    assert [candidate.source for candidate in found[:3]] == ["neighbour", "sought", "guarantor"]


def test_elsewhere_a_neighbours_number_may_be_used(agency: UUID) -> None:
    phone = published_visit(agency, jurisdiction="US-MD", country="US")
    phone.records(OpKind.CONTACT, {"source": "neighbour", "contacts": [{"kind": "phone", "value": "410 555 2368"}]})
    [candidate] = rows(phone, ContactCandidate)
    assert "not-from-obligor" not in candidate.flags


def test_a_new_address_an_attorney_and_an_executor_are_candidates_too(agency: UUID) -> None:
    phone = published_visit(agency)
    phone.outcome("moved", told_by="relative", new_address={"street": "Avenida Otra", "number": "9"})
    phone.located({"result": "attorney_named", "name": "Licenciada Inventada", "phone": "55 1111 2222"})
    phone.outcome("deceased", executor={"name": "Albacea Inventado"})
    found = sorted(rows(phone, ContactCandidate), key=lambda candidate: candidate.id)
    assert [(candidate.kind, candidate.source) for candidate in found] == [
        ("address", "relative"),
        ("person", "sought"),
        ("person", "nobody"),
    ]


def test_minors_and_employers_are_asked_for_nothing(agency: UUID) -> None:
    phone = published_visit(agency)
    asked = {"source": "minor", "contacts": [{"kind": "phone", "value": "55 1234 5678"}]}
    assert "asked-where-not-allowed" in phone.records(OpKind.CONTACT, asked).flags


def test_debt_words_are_flagged_where_a_third_party_could_be_told(agency: UUID) -> None:
    phone = published_visit(agency)
    third = {"outcome": "third_party_attended", "relation": "neighbour", "position": HERE}
    assert "debt-words" in phone.records(OpKind.OUTCOME, {**third, "note": "le dije que es por su deuda"}).flags
    assert "debt-words" in phone.records(OpKind.NOTE, {"words": "debe $2,500.00"}).flags
    assert "debt-words" not in phone.records(OpKind.NOTE, {"words": "portón azul"}).flags
    assert "debt-words" not in phone.located({"result": "refusal", "words": "no piensa pagar la deuda"}).flags


def test_a_photo_needs_a_permission_of_the_same_visit_that_still_stands(agency: UUID) -> None:
    phone = published_visit(agency)
    photo = {"sha256": "A" * 43, "subject": "facade"}
    assert "no-permission" in phone.records(OpKind.PHOTO, photo).flags
    granted = new_id()
    phone.records(OpKind.PHOTO_PERMISSION, {"granted": True, "by": "sought"}, op_id=granted)
    allowed = {**photo, "permission": str(granted)}
    assert "no-permission" not in phone.records(OpKind.PHOTO, allowed).flags
    phone.records(OpKind.PHOTO_PERMISSION, {"granted": False, "by": "sought"})
    assert "no-permission" in phone.records(OpKind.PHOTO, allowed).flags


def test_a_correction_is_a_new_fact_and_replaces_the_promise(agency: UUID) -> None:
    phone = published_visit(agency)
    wrong = new_id()
    body = {
        "outcome": "client_located",
        "party": {"relation": "sought"},
        "identified_by": "answers",
        "results": [PROMISE],
    }
    phone.records(OpKind.OUTCOME, body, op_id=wrong)
    right = {**body, "results": [{**PROMISE, "due_on": "2026-12-15"}]}
    effect = phone.records(OpKind.CORRECTION, {"corrects": str(wrong), "words": "fecha equivocada", "outcome": right})
    assert "correction" in effect.flags and "again" not in effect.flags
    assert sorted(promise.state for promise in rows(phone, Promise)) == ["open", "replaced"]
    assert len(rows(phone, Attempt)) == 2


@pytest.mark.parametrize(
    ("kind", "body", "change", "reason"),
    [
        (OpKind.NOTE, {"words": "x"}, {"visit_id": None}, "visit-required"),
        (OpKind.NOTE, {"words": "x"}, {"visit_id": new_id()}, "unknown-visit"),
    ],
)  # fmt: skip
def test_what_the_office_does_not_know_is_unreadable_and_leaves_nothing(
    agency: UUID, kind, body, change, reason
) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        with pytest.raises(UnreadableOperation, match=reason):
            phone.apply(session, kind, body, **change)
        assert not session.new and not session.dirty
    assert rows(phone, VisitEvent) == rows(phone, Promise) == rows(phone, Attempt) == []


def _more(session: Session) -> World:
    """To add to what `published_visit` made."""
    return World(session, serial=500, creditors={"MX": session.scalars(select(Creditor)).one()})


def _guarantor(world: World, phone: Phone) -> UUID:
    """Somebody who answers for the visit's first account."""
    account = world.session.get_one(Account, (phone.agency, phone.accounts[0]))
    person = world.person()
    world.party(account, person, "guarantor")
    return person.id


def _story_of(phone: Phone, person: UUID, account: UUID) -> list[Effect]:
    """Every operation that can name a person or an account, before and after a check that passed."""
    check = {"method": "answers", "claim": "other", "person": str(person)}
    named = {"party": {"relation": "guarantor", "person": str(person)}, "identified_by": "answers"}
    results = [
        {**PROMISE, "account": str(account)},
        {"result": "dispute", "reason": "fraud", "account": str(account)},
        {"result": "cease_contact"},
    ]
    told = [
        (OpKind.OPENED, {"parts": ["brief"], "person": str(person)}),
        (OpKind.IDENTITY_CHECK, {**check, "passed": False}),
        (OpKind.OUTCOME, {"outcome": "client_located", **named}),
        (OpKind.IDENTITY_CHECK, {**check, "passed": True}),
        (OpKind.OPENED, {"parts": ["brief"], "person": str(person)}),
        (OpKind.CONTACT, {"source": "minor", "person": str(person), "contacts": [{"kind": "phone", "value": "12"}]}),
        (OpKind.OUTCOME, {"outcome": "client_located", **named, "results": results}),
        (
            OpKind.CORRECTION,
            {"corrects": str(new_id()), "words": "x", "outcome": {"outcome": "client_located", **named}},
        ),
    ]
    return [phone.records(kind, body) for kind, body in told]


def test_no_verdict_tells_who_or_what_a_visit_is_about(agency: UUID) -> None:
    """Whoever knows an id from another visit learns nothing by naming it here, now or by what follows."""
    about = published_visit(agency)
    with transaction(agency) as session:
        world = _more(session)
        guarantor = _guarantor(world, about)
        sought, place, owed = world.household()
        route = world.route(session.get_one(Agent, (agency, about.agent_id)), day=date(2026, 11, 19))
        visit_id = world.visit(route, 1, place, sought, owed).id
        stranger = replace(about, visit_id=visit_id, sought=sought.id, accounts=[owed.id], seq=100)
    known = _story_of(about, guarantor, about.accounts[0])
    unknown = _story_of(stranger, guarantor, about.accounts[0])
    assert known == unknown and {effect.verdict for effect in known} == {Verdict.APPLIED}
    assert "person-not-of-the-visit" not in str(unknown) and "account-not-of-the-visit" not in str(unknown)
    assert "opened-without-check" in unknown[0].flags and "opened-without-check" not in unknown[4].flags
    flagged = {event.op_id for event in rows(stranger, VisitEvent) if "person-not-of-the-visit" in event.flags}
    assert flagged == {
        event.op_id for event in rows(stranger, VisitEvent) if event.visit_id == visit_id and event.op_id
    }
    assert len(flagged) == len(unknown)


def test_a_stranger_to_the_visit_promises_disputes_and_verifies_nothing_and_what_stops_work_stands(
    agency: UUID,
) -> None:
    phone = published_visit(agency)
    _story_of(phone, new_id(), new_id())
    assert rows(phone, Promise) == rows(phone, Dispute) == rows(phone, ContactCandidate) == []
    assert {(a.person_id, a.right_party) for a in rows(phone, Attempt)} == {(phone.sought, False)}
    holds = {(hold.kind, hold.account_id, hold.person_id) for hold in rows(phone, Hold)}
    assert holds == {("dispute", phone.accounts[0], phone.sought), ("cease_contact", None, phone.sought)}


def test_an_account_of_another_visit_stops_work_on_all_of_this_one_and_is_promised_nothing(agency: UUID) -> None:
    phone = published_visit(agency, accounts=2)
    other = str(new_id())
    effect = phone.located({**PROMISE, "account": other}, {"result": "payment_claimed", "account": other})
    assert effect.verdict is Verdict.APPLIED and "account-not-of-the-visit" not in effect.flags
    assert rows(phone, Promise) == []
    assert {hold.account_id for hold in rows(phone, Hold)} == set(phone.accounts)
    assert all("account-not-of-the-visit" in attempt.flags for attempt in rows(phone, Attempt))


def test_a_guarantors_check_says_nothing_of_the_one_sought(agency: UUID) -> None:
    phone = published_visit(agency)
    with transaction(agency) as session:
        guarantor = _guarantor(_more(session), phone)
    check = {"method": "answers", "passed": True, "claim": "other", "person": str(guarantor)}
    phone.records(OpKind.IDENTITY_CHECK, check)
    aval = {"relation": "guarantor", "person": str(guarantor)}
    assert "no-identity-check" in phone.located().flags
    assert "no-identity-check" in phone.located(party={**aval, "relation": "sought"}).flags
    assert "no-identity-check" in phone.located(party={"relation": "guarantor"}).flags
    assert "no-identity-check" not in phone.located(party=aval).flags
    assert [attempt.right_party for attempt in rows(phone, Attempt)] == [False, False, False, True]


def test_a_session_needs_no_visit(agency: UUID) -> None:
    phone = published_visit(agency)
    assert phone.records(OpKind.SESSION, {"app_version": "1.0"}, visit_id=None).verdict is Verdict.APPLIED


def test_the_story_keeps_every_word_and_every_clock(agency: UUID) -> None:
    phone = published_visit(agency)
    phone.records(OpKind.ARRIVED, {"position": HERE, "mood": "sunny"})
    [event] = rows(phone, VisitEvent)
    with audience(Audience.OFFICE_JOB):
        body = json.loads(event.body.reveal(Audience.OFFICE_JOB))
    assert body["recorded"] == {"position": HERE, "mood": "sunny"}
    assert (body["verdict"], body["seq"], body["distance_m"], body["boot_id"]) == ("applied", 1, 0.0, "boot")
    assert event.actor == f"agent:{phone.agent_id}"


def test_nothing_secret_lies_plain_in_what_an_outcome_writes(agency: UUID) -> None:
    phone = published_visit(agency)
    phone.located(
        {"result": "dispute", "reason": "other", "words": "canario-amarillo"},
        contacts=[{"kind": "person", "name": "canario-azul", "relation": "relative"}],
    )
    with transaction(agency) as session:
        for table in ("visit_event", "attempt", "dispute", "hold", "contact_candidate"):
            stored = " ".join(session.scalars(text(f"SELECT t::text FROM office.{table} t")))
            assert stored and "canario" not in stored
            assert b"canario".hex() not in stored


def _printed_letters(phone: Phone) -> None:
    """One to the person sought about each of the visit's accounts."""
    with transaction(phone.agency) as session:
        for number, account in enumerate(phone.accounts):
            letter = Letter(
                visit_id=phone.visit_id,
                account_id=account,
                person_id=phone.sought,
                kind="reminder",
                language="es",
                jurisdiction="MX",
                serial=f"ABCD234{number}",
                state="printed",
                content=Confidential("{}"),
            )
            session.add(letter)


def test_a_letter_handed_over_changes_hands_and_an_unknown_one_is_flagged(agency: UUID) -> None:
    phone = published_visit(agency)
    assert phone.records(OpKind.LETTER, {"handling": "not_delivered", "reason": "not_met"}).flags == ("letter-unknown",)
    _printed_letters(phone)
    assert phone.records(OpKind.LETTER, {"handling": "handed_over", "recipient": "sought"}).flags == ()
    assert [letter.state for letter in rows(phone, Letter)] == ["handed_over"]
    assert [step.recipient for step in rows(phone, LetterCustody)] == ["sought"]


def _letter_states(phone: Phone) -> dict[UUID, str]:
    return {letter.account_id: letter.state for letter in rows(phone, Letter)}


@pytest.mark.parametrize("from_paper", [False, True], ids=["phone", "paper"])
def test_a_guarantor_is_handed_the_letters_of_their_own_account_alone(agency: UUID, from_paper: bool) -> None:
    phone = published_visit(agency, accounts=2)
    _printed_letters(phone)
    with transaction(agency) as session:
        guarantor = _guarantor(_more(session), phone)
    first, second = phone.accounts
    handed = {"handling": "handed_over", "recipient": "guarantor"}
    check = {"method": "answers", "passed": True, "claim": "other", "person": str(guarantor)}
    if not from_paper:
        phone.passes_check()
        assert phone.records(OpKind.LETTER, handed).flags == ("recipient-not-entitled",), "the one sought was checked"
        assert set(_letter_states(phone).values()) == {"printed"}
        phone.records(OpKind.IDENTITY_CHECK, check)
    assert "recipient-not-entitled" in phone.records(OpKind.LETTER, handed, from_paper=from_paper).flags
    assert _letter_states(phone) == {first: "handed_over", second: "printed"}
    flagged = [step for step in rows(phone, LetterCustody) if step.extra.get("flag") == "recipient-not-entitled"]
    assert flagged[-1].recipient == "guarantor" and flagged[-1].state == "printed"


@pytest.mark.parametrize("tie", ["none", "payer", "minor"])
def test_who_does_not_owe_an_account_is_handed_no_letter_about_it(agency: UUID, tie: str) -> None:
    phone = published_visit(agency)
    _printed_letters(phone)
    with transaction(agency) as session:
        [party] = session.scalars(select(Party))
        other = _more(session).person(is_minor=tie == "minor").id
        _more(session).party(load(session, Account, phone.accounts[0]), load(session, Person, other), "guarantor")
        if tie == "minor":
            load(session, Person, phone.sought).is_minor = True
        else:
            party.role = "payer"
        if tie == "none":
            session.delete(party)
    phone.passes_check()
    handed = {"handling": "handed_over", "recipient": "sought"}
    assert phone.records(OpKind.LETTER, handed).flags == ("recipient-not-entitled",)
    if tie == "minor":
        claim = {"method": "answers", "passed": True, "claim": "other", "person": str(other)}
        phone.records(OpKind.IDENTITY_CHECK, claim)
        assert "recipient-not-entitled" in phone.records(OpKind.LETTER, {**handed, "recipient": "guarantor"}).flags
    assert set(_letter_states(phone).values()) == {"printed"}


def test_two_doors_of_one_person_at_once_wait_for_each_other(app: Flask, agency: UUID) -> None:
    phone = published_visit(agency, accounts=2)
    with transaction(agency) as session:
        world = World(session)
        world.serial = 500
        place = world.address(load(session, Person, phone.sought))
        accounts = [load(session, Account, account_id) for account_id in phone.accounts]
        route = world.route(world.agent(code="MX-2"))
        visit = world.visit(route, 1, place, load(session, Person, phone.sought), *accounts)
        other = replace(phone, agent_id=route.agent_id, visit_id=visit.id, seq=0)

    def at_once(which: Phone) -> Effect:
        with app.app_context():
            return which.located({"result": "cease_contact"}, {"result": "dispute", "reason": "fraud"}, PROMISE)

    with ThreadPoolExecutor(2) as pool:
        verdicts = sorted(effect.verdict.value for effect in pool.map(at_once, [phone, other]))
    assert verdicts == ["applied", "late"]
    assert {state_of(phone), state_of(other)} == {"done", "withdrawn"}
    assert sorted(attempt.number for attempt in rows(phone, Attempt)) == [1, 2, 3, 4]
    assert len(rows(phone, Dispute)) == 4
