"""The office's test client and the people who use it."""

from __future__ import annotations

import secrets
from functools import cache
from typing import Any
from uuid import UUID

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from field_api.domain.credentials import uniquifier
from field_api.platform.database import transaction
from field_api.platform.passwords import hash_password
from field_api.records.agency import Creditor
from field_api.records.staff import Staff

PASSWORD = "correct horse battery"
BASE_URL = "https://office.test"


class OfficeClient(FlaskClient):
    """A test client over https that adds the CSRF token of its session, or a bearer token, to every request."""

    csrf_token: str | None = None
    bearer: str | None = None

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        kwargs.setdefault("base_url", BASE_URL)
        headers = dict(kwargs.pop("headers", None) or {})
        if self.csrf_token:
            headers.setdefault("X-CSRF-Token", self.csrf_token)
        if self.bearer:
            headers.setdefault("Authorization", f"Bearer {self.bearer}")
        return super().open(*args, headers=headers, **kwargs)

    def sign_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        """Through the real sign-in, as a program does it: fetch a CSRF token, send JSON, keep the new token."""
        self.csrf_token = self.get("/sign-in", headers={"Accept": "application/json"}).json["csrf_token"]
        answer = self.post("/sign-in", json={"email": email, "password": password})
        if answer.status_code == 200:
            self.csrf_token = answer.json["csrf_token"]
        return answer


@cache
def hashed_once() -> str:
    """PASSWORD's real argon2id hash; making one for each of hundreds of people would be most of the tests' time."""
    return hash_password(PASSWORD)


def add_person(agency_id: UUID, role: str, creditor_id: UUID | None = None) -> str:
    """A sign-in with PASSWORD; returns its e-mail. Needs an application context."""
    email = f"{role}-{secrets.token_hex(4)}@agency.test"
    with transaction(agency_id) as session:
        session.add(
            Staff(
                email=email, name=role.title(), role=role, creditor_id=creditor_id, password=hashed_once(),
                fs_uniquifier=uniquifier(agency_id, secrets.token_hex(16)),
            )
        )  # fmt: skip
    return email


def a_creditor(agency_id: UUID) -> UUID:
    with transaction(agency_id) as session:
        found = session.scalars(select(Creditor.id).order_by(Creditor.id)).first()
        if found:
            return found
        creditor = Creditor(name="Tienda Inventada", jurisdiction="MX", currency="MXN", language="es")
        session.add(creditor)
        session.flush()
        return creditor.id
