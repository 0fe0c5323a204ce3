"""Sign-in, sessions and tokens of the office."""

from __future__ import annotations

import stat
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from flask import Flask

from doorstep.app import office_app
from field_api.platform.clock import SystemClock
from field_api.platform.database import db, transaction
from field_api.platform.settings import Settings
from field_api.queries.staff import token_by_id
from field_api.usecases.issue_api_token import issue_api_token
from field_api.usecases.revoke_api_token import revoke_api_token
from tests.office_client import PASSWORD, OfficeClient, add_person

AsRole = Callable[..., OfficeClient]


def test_a_manager_signs_in_and_is_known(office_client: OfficeClient, agency: UUID) -> None:
    me = office_client.get("/api/v1/me")
    assert me.status_code == 200, me.json
    assert me.json["role"] == "manager"
    assert me.json["agency_id"] == str(agency)


def test_the_session_cookie_is_locked_down(office: Flask, agency: UUID, anonymous: OfficeClient) -> None:
    answer = anonymous.sign_in(add_person(agency, "manager"))
    cookies = [value for name, value in answer.headers if name == "Set-Cookie"]
    (cookie,) = [cookie for cookie in cookies if cookie.startswith("doorstep=")]
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


def test_only_on_the_machine_itself_a_cookie_goes_without_tls(app: Flask, settings: Settings) -> None:
    local = office_app(replace(settings, office_url="http://127.0.0.1:8400"))
    assert local.config["SESSION_COOKIE_SECURE"] is False
    for url in ("http://office.test", "http://127.0.0.1.example.org", "https://office.test"):
        assert office_app(replace(settings, office_url=url)).config["SESSION_COOKIE_SECURE"] is True


def test_the_secret_of_the_cookies_is_made_once_for_the_owner_alone(office: Flask, settings: Settings) -> None:
    path = settings.home / "secrets" / "flask.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert office_app(settings).secret_key == office.secret_key
    assert len(str(office.secret_key)) == 64


def test_an_unknown_email_and_a_wrong_password_get_one_answer(
    office: Flask, agency: UUID, anonymous: OfficeClient
) -> None:
    known = anonymous.sign_in(add_person(agency, "manager"), "not the right one")
    unknown = anonymous.sign_in("nobody@agency.test", "not the right one")
    assert known.status_code == unknown.status_code == 401
    assert known.data == unknown.data
    assert anonymous.get("/api/v1/me").status_code == 401


def test_an_unknown_email_costs_as_much_time_as_a_wrong_password(office: Flask, agency: UUID) -> None:
    """argon2id is by far the most of it: without the blind hash the two differ by a factor of ten."""
    email = add_person(agency, "manager")

    def seconds(who: str) -> float:
        client = office.test_client()
        assert isinstance(client, OfficeClient)
        client.csrf_token = client.get("/sign-in", headers={"Accept": "application/json"}).json["csrf_token"]
        began = time.perf_counter()
        assert client.post("/sign-in", json={"email": who, "password": "wrong wrong wrong"}).status_code == 401
        return time.perf_counter() - began

    known = statistics.median(seconds(email) for _ in range(4))
    unknown = statistics.median(seconds("nobody@agency.test") for _ in range(4))
    assert 0.4 < unknown / known < 2.5


def test_sign_in_is_limited(office: Flask, agency: UUID, anonymous: OfficeClient) -> None:
    email = add_person(agency, "manager")
    answers = [anonymous.sign_in(email, "wrong wrong wrong").status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    refused = anonymous.sign_in(email)
    assert refused.json["code"] == "rate-limited"


def test_somebody_who_left_does_not_get_in(office: Flask, agency: UUID, as_role: AsRole) -> None:
    dispatcher, admin = as_role("dispatcher"), as_role("admin")
    staff_id = dispatcher.get("/api/v1/me").json["id"]
    assert admin.delete(f"/api/v1/staff/{staff_id}").status_code == 204
    assert dispatcher.get("/api/v1/me").status_code == 401


def test_somebody_who_left_cannot_sign_in_anew(agency: UUID, anonymous: OfficeClient, as_role: AsRole) -> None:
    """With a password that is still right: an open session ends by another way than this."""
    email = add_person(agency, "dispatcher")
    admin = as_role("admin")
    everybody = admin.get("/api/v1/staff").json["items"]
    (staff_id,) = (person["id"] for person in everybody if person["email"] == email)
    assert admin.delete(f"/api/v1/staff/{staff_id}").status_code == 204
    refused = anonymous.sign_in(email)
    assert refused.status_code == anonymous.sign_in(email, "not the right one").status_code >= 400
    assert anonymous.get("/api/v1/me").status_code == 401


def test_a_new_password_ends_every_session(as_role: AsRole) -> None:
    client = as_role("dispatcher")
    wrong = client.post("/api/v1/me/password", json={"old_password": "no", "new_password": "x" * 12})
    assert (wrong.status_code, wrong.json["at"]) == (403, "old_password")
    done = client.post("/api/v1/me/password", json={"old_password": PASSWORD, "new_password": "another long one"})
    assert done.status_code == 204
    assert client.get("/api/v1/me").status_code == 401


def test_a_session_ends_after_a_working_day(office_client: OfficeClient) -> None:
    with time_machine.travel(SystemClock().now() + timedelta(hours=12, minutes=1), tick=False):
        assert office_client.get("/api/v1/me").status_code == 401


def test_writing_with_a_session_needs_its_csrf_token(as_role: AsRole) -> None:
    client = as_role("admin")
    body = {"email": "new@agency.test", "name": "N", "role": "agent", "password": "long enough for us"}
    token, client.csrf_token = client.csrf_token, None
    refused = client.post("/api/v1/staff", json=body)
    assert (refused.status_code, refused.json["at"]) == (403, "X-CSRF-Token")
    forged = client.post("/api/v1/staff", json=body, headers={"X-CSRF-Token": as_role("admin").csrf_token})
    assert forged.status_code == 403
    client.csrf_token = token
    assert client.post("/api/v1/staff", json=body).status_code == 201


def test_signing_in_needs_a_csrf_token_too(office: Flask, agency: UUID, anonymous: OfficeClient) -> None:
    answer = anonymous.post("/sign-in", json={"email": add_person(agency, "manager"), "password": PASSWORD})
    assert answer.status_code == 401
    assert anonymous.get("/api/v1/me").status_code == 401


def test_signing_out_ends_it(office_client: OfficeClient) -> None:
    assert office_client.post("/sign-out", headers={"Accept": "application/json"}).status_code == 200
    assert office_client.get("/api/v1/me").status_code == 401


def test_the_librarys_own_tokens_are_not_accepted(office: Flask, agency: UUID, anonymous: OfficeClient) -> None:
    email = add_person(agency, "manager")
    anonymous.csrf_token = anonymous.get("/sign-in", headers={"Accept": "application/json"}).json["csrf_token"]
    answer = anonymous.post("/sign-in?include_auth_token", json={"email": email, "password": PASSWORD})
    assert set(answer.json) == {"csrf_token", "user"}
    with office.test_request_context():
        user = office.extensions["security"].datastore.find_user(email=email)
        library_token = user.get_auth_token()
    stranger = office.test_client()
    assert stranger.get("/api/v1/me", headers={"Authentication-Token": library_token}).status_code == 401
    assert stranger.get("/api/v1/me", query_string={"auth_token": library_token}).status_code == 401


def test_a_token_works_until_it_is_revoked(office: Flask, agency: UUID, as_role: AsRole) -> None:
    client = as_role("integrator")
    me = client.get("/api/v1/me")
    assert me.json["kind"] == "token"
    with transaction(agency) as session:
        token = token_by_id(session, UUID(me.json["id"]))
        assert token is not None and token.last_used_at is not None
        assert client.bearer is not None and client.bearer.rpartition("_")[2].encode() not in token.token_sha256
        revoke_api_token(session, token.id, now=SystemClock().now())
    refused = client.get("/api/v1/me")
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def _last_digit(token: str) -> str:
    return token[:-1] + ("0" if token[-1] != "0" else "1")


@pytest.mark.parametrize(
    "spoil",
    [
        _last_digit,
        lambda token: token.upper(),
        lambda token: token + "0",
        lambda token: token[:-1],
        lambda token: "ds_" + UUID(int=7).hex + token[35:],
        lambda token: token[:36] + UUID(int=7).hex + token[68:],
        lambda token: "x",
        lambda token: "ds__" + "\xe9",
    ],
)
def test_a_token_that_is_not_exactly_right_is_refused_alike(as_role: AsRole, spoil: Callable[[str], str]) -> None:
    client = as_role("integrator")
    assert client.bearer is not None
    client.bearer = spoil(client.bearer)
    answer = client.get("/api/v1/me")
    assert (answer.status_code, answer.json["detail"]) == (401, "the token is not valid")


def test_a_broken_token_is_not_made_good_by_a_session(office_client: OfficeClient) -> None:
    assert office_client.get("/api/v1/me", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_token_does_what_its_own_list_says_and_no_more(office: Flask, agency: UUID, anonymous: OfficeClient) -> None:
    with transaction(agency) as session:
        wire = issue_api_token(
            session,
            name="reader",
            permissions=["visits.read"],
            allowed=frozenset({"visits.read", "self.read"}),
            now=SystemClock().now(),
        )
    anonymous.bearer = str(wire)
    assert anonymous.get("/api/v1/me").status_code == 403
    assert anonymous.get("/api/v1/staff").status_code == 403


def test_a_token_is_given_only_what_tokens_may_have(as_role: AsRole) -> None:
    admin = as_role("admin")
    refused = admin.post("/api/v1/tokens", json={"name": "x", "permissions": ["staff.write"]})
    assert (refused.status_code, refused.json["at"]) == (422, "permissions")
    issued = admin.post("/api/v1/tokens", json={"name": "x", "permissions": ["self.read"]})
    assert issued.status_code == 201
    bearer = {"Authorization": "Bearer " + issued.json["token"]}
    stranger = admin.application.test_client()
    assert stranger.get("/api/v1/me", headers=bearer).status_code == 200
    assert admin.delete(f"/api/v1/tokens/{issued.json['id']}").status_code == 204
    assert stranger.get("/api/v1/me", headers=bearer).status_code == 401
    listed = admin.get("/api/v1/tokens").json["items"]
    assert [(row["name"], row["revoked_at"] is not None) for row in listed] == [("x", True)]
    assert "token" not in listed[0]


def test_staff_of_one_agency_are_not_seen_by_another(
    office: Flask, agency: UUID, other_agency: UUID, as_role: AsRole
) -> None:
    ours, theirs = as_role("admin"), as_role("admin", agency_id=other_agency)
    our_emails = {row["email"] for row in ours.get("/api/v1/staff").json["items"]}
    their_emails = {row["email"] for row in theirs.get("/api/v1/staff").json["items"]}
    assert our_emails and their_emails and not our_emails & their_emails
    their_id = theirs.get("/api/v1/me").json["id"]
    assert ours.delete(f"/api/v1/staff/{their_id}").status_code == 404
    assert theirs.get("/api/v1/me").status_code == 200


def test_tokens_of_one_agency_are_worth_nothing_at_another(agency: UUID, other_agency: UUID, as_role: AsRole) -> None:
    client = as_role("integrator")
    assert client.bearer is not None
    client.bearer = client.bearer.replace(agency.hex, other_agency.hex)
    assert client.get("/api/v1/me").status_code == 401


def test_an_email_signs_in_at_one_agency_only(other_agency: UUID, as_role: AsRole) -> None:
    ours, theirs = as_role("admin"), as_role("admin", agency_id=other_agency)
    body = {"email": "Twice@Agency.test", "name": "T", "role": "agent", "password": "long enough for us"}
    assert ours.post("/api/v1/staff", json=body).status_code == 201
    again = theirs.post("/api/v1/staff", json=body | {"email": "twice@agency.test"})
    assert (again.status_code, again.json["code"], again.json["at"]) == (409, "conflict", "email")


def test_the_policy_of_sign_in_shows_one_row_and_changes_none(app: Flask, agency: UUID) -> None:
    from sqlalchemy import select, text, update

    from field_api.platform.database import across_agencies
    from field_api.records.staff import Staff

    mine, _other = add_person(agency, "manager"), add_person(agency, "dispatcher")
    with across_agencies("test") as session:
        session.execute(text("SELECT set_config('doorstep.sign_in', :e, true)"), {"e": mine})
        assert [row.email for row in session.scalars(select(Staff))] == [mine]
        changed = session.execute(update(Staff).values(role="admin").execution_options(synchronize_session=False))
        assert changed.rowcount == 0  # type: ignore[attr-defined]  # a CursorResult
    with across_agencies("test") as session:
        assert session.scalars(select(Staff)).all() == []
    db.session.remove()
