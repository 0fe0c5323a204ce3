"""The status page: for dispatchers and managers, plain, and without a word about a debt."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import event

from field_api.http.panels import Panel, add_panels
from field_api.platform.database import db, transaction
from field_api.platform.devices import Device
from field_api.platform.ids import new_id
from field_api.records.agency import Agency
from field_api.records.changes import Change
from field_api.records.people import Address, Person
from field_api.records.planning import Agent, Plan, Route, Stop
from field_api.records.visits import Visit
from sync.mailbox import InboxOp
from tests.office_client import PASSWORD, OfficeClient, a_creditor, add_person

AsRole = Callable[..., OfficeClient]
DAY = date(2026, 11, 18)
NINE = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)


def test_without_a_session_one_is_shown_the_door(anonymous: OfficeClient) -> None:
    answer = anonymous.get("/console/?day=2026-11-18")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/sign-in?next=/console/?day%3D2026-11-18"


@pytest.mark.parametrize(
    ("role", "status"), [("dispatcher", 200), ("manager", 200), ("agent", 403), ("controller", 403)]
)
def test_it_is_for_those_who_run_the_day(as_role: AsRole, role: str, status: int) -> None:
    assert as_role(role).get("/console/").status_code == status


def test_unlocks_to_review_are_shown_to_managers_alone(as_role: AsRole) -> None:
    assert "Unlocks to review" in as_role("manager").get("/console/").text
    for role in ("dispatcher", "admin"):
        assert "Unlocks to review" not in as_role(role).get("/console/").text


def test_an_empty_agency_says_so(office_client: OfficeClient) -> None:
    page = office_client.get("/console/").text
    assert "There is no plan yet." in page
    assert "No phone is enrolled." in page


def test_a_bad_day_is_refused(office_client: OfficeClient) -> None:
    assert office_client.get("/console/?day=tomorrow").json["at"] == "day"


def a_plan(agency: UUID, routes: int = 1, stops: int = 3) -> None:
    """Routes for DAY, each with a first visit done, and a phone for every agent."""
    address, person = _somebody(agency)
    with transaction(agency) as session:
        session.get_one(Agency, agency).name = "Puerta <Norte> & Cía"
        plan = Plan(for_day=DAY, state="published", created_at=NINE)
        session.add_all([plan, person])
        session.flush()
        session.add(address)
        session.flush()
        for number in range(routes):
            agent = Agent(code=f"MX-{number}", name="Ana", languages=["es"], timezone="America/Mexico_City")
            session.add(agent)
            session.flush()
            route = Route(
                plan_id=plan.id, agent_id=agent.id, starts_at=NINE, ends_at=NINE + timedelta(hours=8), distance_m=12_345,
                travel_s=60, start_latitude=0, start_longitude=0, end_latitude=0, end_longitude=0,
            )  # fmt: skip
            session.add_all([route, _phone(agency, agent.id)])
            session.flush()
            for position in range(1, stops + 1):
                stop = Stop(
                    route_id=route.id, address_id=address.id, position=position, arrival_from=NINE, arrival_to=NINE,
                    visit_until=NINE, service_s=300,
                )  # fmt: skip
                session.add(stop)
                session.flush()
                state = "done" if position == 1 else "published"
                session.add(
                    Visit(stop_id=stop.id, agent_id=agent.id, person_id=person.id, address_id=address.id, state=state)
                )


def _somebody(agency: UUID) -> tuple[Address, Person]:
    creditor_id = a_creditor(agency)
    key = str(new_id())
    person = Person(id=new_id(), creditor_id=creditor_id, external_ref=key, name="Inventada Persona", language="es")
    address = Address(
        person_id=person.id, street="Calle Falsa", country="MX", jurisdiction="MX", geocode_state="given",
        fingerprint=key.encode(),
    )  # fmt: skip
    return address, person


def _phone(agency: UUID, agent_id: UUID) -> Device:
    return Device(agent_id=agent_id, state="active", signing_public=b"x", sealing_public=b"y", enrolled_at=NINE)


def test_the_page_shows_the_days_routes_and_their_progress(agency: UUID, office_client: OfficeClient) -> None:
    a_plan(agency)
    page = office_client.get("/console/").text
    for text in ("2026-11-18", "published", "MX-0 Ana", "1 of 3", "09:00 to 17:00", "12.3 km", "active"):
        assert text in page
    assert "Puerta &lt;Norte&gt; &amp; Cía" in page
    assert "Inventada" not in page and "Calle Falsa" not in page
    assert "There is no plan for 2026-11-19" in office_client.get("/console/?day=2026-11-19").text


@pytest.mark.parametrize(("role", "shown"), [("dispatcher", True), ("manager", True), ("admin", False)])
def test_how_many_accounts_owe_too_little_is_not_for_an_administrator(
    agency: UUID, as_role: AsRole, role: str, shown: bool
) -> None:
    a_plan(agency)
    page = as_role(role).get("/console/").text
    assert "1 of 3" in page and ("Not on the plan" in page) is shown


def test_a_policy_that_stops_publishing_is_told(agency: UUID, office_client: OfficeClient) -> None:
    told = "no visit is published"
    assert told not in office_client.get("/console/").text
    with transaction(agency) as session:
        session.get_one(Agency, agency).policy = {"disclosure": {"spouse": {"balance": "yes"}}}
    page = office_client.get("/console/").text
    assert told in page and "disclosure.spouse.balance" in page


def test_what_waits_long_for_phones_is_told_with_its_reason(agency: UUID, office_client: OfficeClient) -> None:
    a_plan(agency)
    why = "EgressRefused feed_item:visit:balance_minor"
    old, soon = datetime.now(UTC) - timedelta(minutes=6), datetime.now(UTC) - timedelta(minutes=4)
    with transaction(agency) as session:
        agent, visit = session.query(Agent).one(), session.query(Visit).first()
        assert visit is not None
        for kind, trouble, since in (("visit", why, old), ("visit", None, old), ("code", "DoesNotFit", soon)):
            session.add(Change(agent_id=agent.id, kind=kind, ref=visit.id, trouble=trouble, tries=3, created_at=since))
        session.add_all(Change(agent_id=agent.id, kind="verdict", ref=new_id(), created_at=old) for _ in range(21))
    page = office_client.get("/console/").text
    assert "Waiting for phones" in page and "DoesNotFit" not in page
    assert f"<td>{str(visit.id)[:8]}</td><td>MX-0</td><td>3</td><td>{why}</td>" in page
    assert page.count(why) == 1, "a visit stands once, however many of its changes wait"
    assert "<td>2 more</td>" in page


def test_another_agencys_day_is_not_shown(agency: UUID, other_agency: UUID, as_role: AsRole) -> None:
    a_plan(agency)
    page = as_role("manager", agency_id=other_agency).get("/console/").text
    assert "There is no plan yet." in page and "No phone is enrolled." in page and "MX-0" not in page


def test_more_routes_take_no_more_statements(office: Flask, agency: UUID, office_client: OfficeClient) -> None:
    def statements() -> int:
        seen: list[str] = []
        with office.app_context():
            engine = db.engine

        def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
            seen.append(statement)

        event.listen(engine, "before_cursor_execute", count)
        try:
            assert office_client.get("/console/").status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", count)
        return len(seen)

    a_plan(agency, routes=1)
    one = statements()
    with transaction(agency) as session:
        session.query(Agent).update({"code": "MX-OLD"})
        session.query(Plan).update({"state": "superseded"})
    a_plan(agency, routes=9)
    assert statements() == one


def test_what_waits_for_a_person_is_counted(agency: UUID, office_client: OfficeClient) -> None:
    a_plan(agency)
    with transaction(agency) as session:
        device = session.query(Device).one()
        for state in ("applied", "quarantined", "quarantined"):
            session.add(
                InboxOp(
                    device_id=device.id, op_id=new_id(), seq=1, protected=b"", ct=b"", sig=b"", link=b"", receipt=b"",
                    receipt_sig=b"", received_at=NINE, state=state, reason="unreadable",
                )
            )  # fmt: skip
    page = office_client.get("/console/").text
    assert re.search(r"<td>quarantined</td><td>2</td>", page)
    assert re.search(r"<td>quarantined</td><td>unreadable</td><td>2</td><td>2026-11-18 15:00:00</td>", page)


def test_other_packages_bring_panels(office: Flask, office_client: OfficeClient) -> None:
    add_panels(
        office,
        [("console.read", lambda _session: Panel("Operations <b>", ("State", "Count"), [("quarantined", "2")]))],
    )
    page = office_client.get("/console/").text
    assert "Operations &lt;b&gt;" in page and "<td>quarantined</td><td>2</td>" in page


def test_a_person_signs_in_and_out_with_a_form(office: Flask, agency: UUID) -> None:
    """As a browser does it: the page, its hidden token, the redirect."""
    browser = office.test_client()
    form = browser.get("/sign-in?next=/console/").text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token and "<style" not in form and "<script" not in form
    data = {"email": add_person(agency, "manager"), "password": PASSWORD, "csrf_token": token[1]}
    wrong = browser.post("/sign-in", data=data | {"password": "wrong wrong wrong"})
    assert "E-mail and password do not match." in wrong.text
    done = browser.post("/sign-in?next=/console/", data=data)
    assert (done.status_code, done.headers["Location"]) == (302, "/console/")
    page = browser.get("/console/").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    assert browser.post("/sign-out", data={"csrf_token": token[1]}).status_code == 302
    assert browser.get("/console/").status_code == 302


def test_sign_in_sends_nobody_elsewhere(office: Flask, agency: UUID, anonymous: OfficeClient) -> None:
    token = anonymous.get("/sign-in", headers={"Accept": "application/json"}).json["csrf_token"]
    data = {"email": add_person(agency, "manager"), "password": PASSWORD, "csrf_token": token}
    done = anonymous.post("/sign-in?next=https://evil.example/", data=data)
    assert "evil.example" not in done.headers.get("Location", "")
