"""A POST that is repeated under one Idempotency-Key is done once, whatever comes in between."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import marshmallow as ma
import pytest
from flask import Flask, g, request
from flask_smorest import Blueprint
from sqlalchemy import func, select, text

from doorstep.app import worker_app
from field_api.domain.disclosure import Audience
from field_api.http import idempotency, register
from field_api.http.permits import TOKEN_PERMISSIONS, answers, permitted
from field_api.http.schemas.audiences import CARRIERS
from field_api.http.schemas.labelled import Schema, internal, open_
from field_api.platform.clock import SystemClock
from field_api.platform.database import db, transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.settings import Settings
from field_api.records.staff import ApiToken, IdempotencyKey
from field_api.usecases.issue_api_token import issue_api_token
from tests.office_client import OfficeClient

probe = Blueprint("probe", __name__, url_prefix="/probe")


def _deed(name: str) -> ApiToken:
    return ApiToken(id=new_id(), name=name, token_sha256=b"", permissions=[], created_at=SystemClock().now())


class DeedSchema(Schema):
    audiences = CARRIERS
    id = internal(ma.fields.UUID())
    bytes = internal(ma.fields.String())
    name = open_(ma.fields.String())


@probe.post("/other", endpoint="elsewhere")
@probe.post("")
@answers(Audience.MANAGER, Audience.INTEGRATOR)
@permitted("accounts.write")
@probe.response(201, DeedSchema)
def act() -> dict[str, str]:
    """Do something that counts, slowly, as the query says."""
    name = request.args["name"]
    body = request.files["file"].read() if request.files else request.stream.read()
    with transaction(g.actor.agency_id) as session:
        deed = _deed(name)
        session.add(deed)
        session.flush()
        session.execute(text("SELECT pg_sleep(0.2)"))
        if request.args.get("fail") == "inside":
            raise Problem("conflict", "as asked")
    if request.args.get("fail") == "after":
        raise Problem("conflict", "as asked, after the view's own transaction")
    return {"id": str(deed.id), "bytes": str(len(body)), "name": "Zoë Q. Third"}


@pytest.fixture
def client(app: Flask, settings: Settings, agency: UUID) -> Iterator[Callable[[], OfficeClient]]:
    """Makes clients that bear one and the same token."""
    application = worker_app(settings)
    register(application, more=[probe])
    application.test_client_class = OfficeClient
    with transaction(agency) as session:
        wire = issue_api_token(
            session, name="t", permissions=TOKEN_PERMISSIONS, allowed=TOKEN_PERMISSIONS, now=SystemClock().now()
        )

    def make() -> OfficeClient:
        made = application.test_client()
        assert isinstance(made, OfficeClient)
        made.bearer = str(wire)
        return made

    yield make
    with application.app_context():
        db.session.remove()
        db.engine.dispose()


def deeds(agency: UUID, name: str) -> int:
    with transaction(agency) as session:
        return session.scalar(select(func.count()).where(ApiToken.name == name)) or 0


def post(
    client: OfficeClient, key: str | None, name: str = "deed", data: bytes = b"x", path: str = "", **query: str
):  # werkzeug's TestResponse
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"/api/v1/probe{path}", query_string={"name": name, **query}, data=data, headers=headers)


def test_a_repeat_gets_the_stored_answer(client: Callable[[], OfficeClient], agency: UUID) -> None:
    first, again = post(client(), "k1"), post(client(), "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.data == again.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert deeds(agency, "deed") == 1


def test_a_key_is_its_actors_and_its_routes_alone(client: Callable[[], OfficeClient], agency: UUID) -> None:
    """Two who chose the same key, and one who uses it at two places, get each their own answer, also when repeated."""
    mine, theirs = client(), client()
    with transaction(agency) as session:
        wire = issue_api_token(
            session, name="t2", permissions=TOKEN_PERMISSIONS, allowed=TOKEN_PERMISSIONS, now=SystemClock().now()
        )
    theirs.bearer = str(wire)
    asked = [(mine, ""), (theirs, ""), (mine, "/other")]
    first = [post(client, "shared", name="shared", path=path).json["id"] for client, path in asked]
    again = [post(client, "shared", name="shared", path=path).json["id"] for client, path in asked]
    assert len(set(first)) == 3 and again == first
    assert deeds(agency, "shared") == 3


def test_without_a_key_everything_is_done_anew(client: Callable[[], OfficeClient], agency: UUID) -> None:
    post(client(), None)
    post(client(), None)
    assert deeds(agency, "deed") == 2


def test_eight_at_once_are_done_once(client: Callable[[], OfficeClient], agency: UUID) -> None:
    barrier = threading.Barrier(8)

    def call(_: int):  # werkzeug's TestResponse
        own = client()
        barrier.wait()
        return post(own, "k1")

    with ThreadPoolExecutor(8) as pool:
        answers_ = list(pool.map(call, range(8)))
    assert {answer.status_code for answer in answers_} == {201}
    assert len({answer.data for answer in answers_}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers_) == 7
    assert deeds(agency, "deed") == 1


@pytest.mark.parametrize(("name", "data"), [("deed", b"y"), ("other", b"x")])
def test_the_same_key_with_other_content_is_refused(
    client: Callable[[], OfficeClient], agency: UUID, name: str, data: bytes
) -> None:
    post(client(), "k1")
    answer = post(client(), "k1", name=name, data=data)
    assert (answer.status_code, answer.json["code"]) == (409, "idempotency-mismatch")
    assert deeds(agency, "deed") + deeds(agency, "other") == 1


@pytest.mark.parametrize("fail", ["inside", "after"])
def test_a_refusal_leaves_nothing_behind(client: Callable[[], OfficeClient], agency: UUID, fail: str) -> None:
    """Also what the view had committed on its own account: deed and answer stand or fall together."""
    assert post(client(), "k1", fail=fail).status_code == 409
    assert deeds(agency, "deed") == 0
    with transaction(agency) as session:
        assert session.scalars(select(IdempotencyKey)).all() == []
    assert post(client(), "k1").status_code == 201
    assert deeds(agency, "deed") == 1


def _dying(store: Callable[..., None]) -> Callable[..., None]:
    """`store`, but the first call dies after it stored."""
    fails = iter([True])

    def dies_once(*args: object) -> None:
        store(*args)
        if next(fails, False):
            raise MemoryError

    return dies_once


def test_a_failure_of_the_first_lets_the_second_do_the_work(
    client: Callable[[], OfficeClient], agency: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once, and the first dies after its work: the second, which waited, does it instead."""
    monkeypatch.setattr("field_api.http.idempotency._store", _dying(idempotency._store))
    with ThreadPoolExecutor(2) as pool:
        answers_ = list(pool.map(lambda _: post(client(), "k1"), range(2)))
    assert sorted(answer.status_code for answer in answers_) == [201, 500]
    assert deeds(agency, "deed") == 1


def test_a_large_raw_body_still_reaches_the_view(client: Callable[[], OfficeClient], agency: UUID) -> None:
    body = b"z" * (3 * 1024 * 1024)
    assert post(client(), "k1", data=body).json["bytes"] == str(len(body))


def test_a_multipart_repeat_has_another_boundary_and_the_same_content(
    client: Callable[[], OfficeClient], agency: UUID
) -> None:
    def send(content: bytes, boundary: str):  # werkzeug's TestResponse
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'.encode()
            + content
            + f"\r\n--{boundary}--\r\n".encode()
        )
        return client().post(
            "/api/v1/probe?name=deed",
            input_stream=io.BytesIO(body),
            content_length=len(body),
            content_type=f"multipart/form-data; boundary={boundary}",
            headers={"Idempotency-Key": "k1"},
        )

    first, again, other = send(b"1,2,3", "aaa"), send(b"1,2,3", "bbb"), send(b"1,2,4", "ccc")
    assert first.json["bytes"] == "5"
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert deeds(agency, "deed") == 1


@pytest.mark.parametrize("key", ["", " ", "a b", "é", "x" * 201])
def test_a_malformed_key_is_refused(client: Callable[[], OfficeClient], agency: UUID, key: str) -> None:
    answer = client().post("/api/v1/probe?name=deed", headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json["at"]) == (400, "Idempotency-Key")
    assert deeds(agency, "deed") == 0


def test_stored_answers_are_sealed(client: Callable[[], OfficeClient], agency: UUID) -> None:
    assert "Third" in post(client(), "k1").text
    with transaction(agency) as session:
        row = session.scalars(select(IdempotencyKey)).one()
        assert b"Third" not in row.body


def test_a_secret_shown_once_is_never_stored(as_role: Callable[..., OfficeClient]) -> None:
    body = {"name": "x", "permissions": ["self.read"]}
    answer = as_role("admin").post("/api/v1/tokens", json=body, headers={"Idempotency-Key": "k1"})
    assert (answer.status_code, answer.json["at"]) == (400, "Idempotency-Key")
