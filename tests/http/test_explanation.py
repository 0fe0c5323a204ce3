"""For any account and date: planned where and when, or every reason and the next day on which it could be."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from doorstep.commands import plan as plan_module
from field_api.domain.vocabulary import HoldKind
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.queries.explain_account import Explanation, explain_account
from field_api.records.accounts import Account
from field_api.records.people import Address, Person
from field_api.records.planning import Absence
from field_api.records.results import Attempt
from field_api.records.visits import VisitAccount
from field_api.usecases.lift_hold import lift_hold
from field_api.usecases.place_hold import place_hold
from field_api.usecases.plan_day import plan_day
from field_api.usecases.publish_plan import publish_plan
from tests.office_client import OfficeClient
from tests.planning_world import MEXICO_CITY, NOW, PARTS, WEDNESDAY, World

API = "/api/v1"


@pytest.fixture
def office(office: Flask) -> Flask:
    office.extensions["doorstep.clock"] = SetClock(datetime(2026, 11, 17, 15, tzinfo=UTC))
    office.extensions["doorstep.planning"] = lambda: PARTS
    return office


def explained(session: Session, account: Account, day: date = WEDNESDAY) -> Explanation:
    return explain_account(session, account.id, day, PARTS)


def rule_ids(said: Explanation) -> list[str]:
    return [reason.rule.id for reason in said.reasons]


def visited(session: Session, account: Account, person: Person, at: datetime) -> None:
    session.add(
        Attempt(
            number=1, account_id=account.id, person_id=person.id, op_id=new_id(), channel="visit", at=at, received_at=at,
            outcome="nobody_there", right_party=False, detail="{}",
        )
    )  # fmt: skip
    session.flush()


def test_every_reason_is_told_and_the_first_day_on_which_none_is_left(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.agent()
        person, _, account = world.household(visits_opted_out=False)
        account.due_on = WEDNESDAY + timedelta(days=2)
        visited(session, account, person, NOW)
        hold = place_hold(session, kind=HoldKind.DISPUTE, reason="x", now=NOW, account_id=account.id)
        said = explained(session, account)
        assert rule_ids(said) == ["due-date", "hold:dispute", "mx-one-visit-a-week"]
        assert all(len(reason.rule.source) > 10 and reason.rule.confidence in "HML" for reason in said.reasons)
        assert said.next_on is None and said.searched_days == 370
        lift_hold(session, hold.id, reason="settled", now=NOW, lifted_by=None)
        said = explained(session, account)
        # Due on Friday the 20th, so past on the 21st, a Saturday; the week after the visit of the 17th ends on the 24th.
        assert said.next_on == date(2026, 11, 24)
        assert explained(session, account, said.next_on).reasons == []


@pytest.mark.parametrize(("day", "expected"), [
    (date(2026, 11, 13), date(2026, 11, 17)),  # a Friday: the weekend, and the Monday of the Revolution
    (date(2026, 12, 24), date(2026, 12, 28)),
    (date(2026, 12, 31), date(2027, 1, 4)),
])  # fmt: skip
def test_the_next_day_jumps_over_weekends_and_rest_days(agency: UUID, day: date, expected: date) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.agent()
        _, _, account = world.household()
        said = explained(session, account, day)
        assert (said.reasons, said.next_on) == ([], expected)
        assert said.opens_at is not None and said.closes_at is not None and said.opens_at.date() == day


def test_it_agrees_with_the_plan_about_every_account(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.agent()
        for n in range(3):
            world.household((MEXICO_CITY[0] + n / 1000, MEXICO_CITY[1]))
        world.household(None)
        world.household(visits_opted_out=True)
        world.household((20.97, -89.62))  # Mérida: nobody gets there and back
        person, _, account = world.household()
        place_hold(session, kind=HoldKind.PAID, reason="x", now=NOW, account_id=account.id)
        world.party(world.account(person), world.person(is_minor=True), "guarantor")
        plan_id = plan_day(session, WEDNESDAY, parts=PARTS, now=NOW).id
        planned = set(session.scalars(select(VisitAccount.account_id)))
        for one in session.scalars(select(Account)).all():
            said = explained(session, one)
            assert (said.planned is not None) == (one.id in planned) == (not said.reasons), one.id
        reasons = {
            reason.rule.id for one in session.scalars(select(Account)) for reason in explained(session, one).reasons
        }
        assert reasons == {"no-coordinates", "address-opted-out", "out-of-reach", "hold:paid"}
        publish_plan(session, plan_id, parts=PARTS, now=NOW, published_by=None)
        (first, *_) = planned
        said = explain_account(session, first, WEDNESDAY, PARTS)
        assert said.planned is not None and (said.planned.state, said.planned.agent_code) == ("published", "MX-1")
        later = explain_account(session, first, WEDNESDAY + timedelta(days=1), PARTS)
        assert rule_ids(later) == ["mx-one-visit-a-week"] and later.next_on == WEDNESDAY + timedelta(days=7)


def test_an_account_that_nobody_owes_or_that_is_closed_is_explained_too(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        world.creditor()
        _, _, closed = world.household()
        closed.state, closed.closed_reason = "closed", "paid"
        person, _, unowed = world.household()
        session.flush()
        session.execute(Address.__table__.delete().where(Address.person_id == person.id))
        assert rule_ids(explained(session, closed)) == ["closed"]
        assert rule_ids(explained(session, unowed)) == ["no-address"]


def test_over_http_with_rule_source_and_confidence_and_no_amount(
    agency: UUID, as_role: Callable[..., OfficeClient]
) -> None:
    with transaction(agency) as session:
        world = World(session)
        session.add(Absence(agent_id=world.agent().id, first_day=WEDNESDAY, last_day=WEDNESDAY))
        account, creditor_id = world.household()[2].id, world.creditor().id
        small = world.household()[2]
        small.balance_minor = 9_977
        small_id = small.id
    dispatcher = as_role("dispatcher")
    dispatcher.post(f"{API}/plans", json={"day": "2026-11-18"})
    said = dispatcher.get(f"{API}/plans/explanation?account={account}&day=2026-11-18").json
    assert said["planned"] is None and said["next_on"] == "2026-11-19"
    assert [(one["reason"], one["rule"], one["confidence"]) for one in said["reasons"]] == [
        ("no_agent", "nobody-on-duty", "H")
    ]
    answer = dispatcher.get(f"{API}/plans/explanation?account={small_id}&day=2026-11-18")
    assert [one["rule"] for one in answer.json["reasons"]] == ["threshold"] and "99" not in answer.text
    assert dispatcher.get(f"{API}/plans/explanation?account={uuid4()}&day=2026-11-18").status_code == 404
    assert as_role("controller", creditor_id=creditor_id).get(f"{API}/plans/explanation?account={account}&day=2026-11-18").status_code in (401, 403)  # fmt: skip


def test_on_the_command_line(app: Flask, agency: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "office_context", lambda: nullcontext(agency))
    app.extensions["doorstep.planning"] = lambda: PARTS
    with transaction(agency) as session:
        world = World(session)
        account = world.household()[2]
        name, account_id, reference = world.creditor().name, account.id, "CT-3"
        world.agent()
        plan_day(session, WEDNESDAY, parts=PARTS, now=NOW)
    run = lambda *more: CliRunner().invoke(plan_module.plan, ["--date", *more], catch_exceptions=False).output  # noqa: E731 one line, used thrice
    told = run("2026-11-18", "--explain", str(account_id))
    assert "planned: agent MX-1, stop 1" in told and "2026-11-18 15:00Z" in told
    told = run("2026-11-21", "--explain", reference, "--creditor", name)
    assert "no_visit_day: mx-product-hours [L]: Product default" in told
    assert "no_visit_day: mx-profeco-hours [M]: PROFECO" in told
    assert told.endswith("next day on which it could be: Mon 2026-11-23\n")
