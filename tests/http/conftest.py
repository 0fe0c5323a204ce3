"""Clients of the office for every role: `office_client` is a signed-in manager, `as_role(role)` anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from flask import Flask

from doorstep.app import office_app
from field_api.domain.roles import StaffRole
from field_api.http.permits import TOKEN_PERMISSIONS
from field_api.platform.clock import SystemClock
from field_api.platform.database import db, transaction
from field_api.platform.ids import new_id
from field_api.platform.settings import Settings
from field_api.usecases.create_agency import create_agency
from field_api.usecases.issue_api_token import issue_api_token
from tests.office_client import OfficeClient, a_creditor, add_person


@pytest.fixture
def office(app: Flask, settings: Settings) -> Iterator[Flask]:
    """The office's application with all routes. Use its clients outside of an application context of your own."""
    application = office_app(settings)
    application.test_client_class = OfficeClient
    yield application
    with application.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def anonymous(office: Flask) -> OfficeClient:
    client = office.test_client()
    assert isinstance(client, OfficeClient)
    return client


@pytest.fixture
def as_role(office: Flask, agency: UUID) -> Callable[..., OfficeClient]:
    """`as_role("dispatcher")` signs in somebody new; `as_role("integrator")` bears a token with every permission that
    tokens may have; `as_role("controller", creditor_id=...)` is bounded to that creditor (by default, to any one)."""

    def make(role: str, *, agency_id: UUID = agency, creditor_id: UUID | None = None) -> OfficeClient:
        client = office.test_client()
        assert isinstance(client, OfficeClient)
        if role == StaffRole.INTEGRATOR:
            with transaction(agency_id) as session:
                wire = issue_api_token(
                    session,
                    name="test",
                    permissions=TOKEN_PERMISSIONS,
                    allowed=TOKEN_PERMISSIONS,
                    now=SystemClock().now(),
                )
            client.bearer = str(wire)
            return client
        if role == StaffRole.CONTROLLER:
            creditor_id = creditor_id or a_creditor(agency_id)
        assert client.sign_in(add_person(agency_id, role, creditor_id)).status_code == 200
        return client

    return make


@pytest.fixture
def office_client(as_role: Callable[..., OfficeClient]) -> OfficeClient:
    """A signed-in manager of `agency`."""
    return as_role("manager")


@pytest.fixture
def other_agency(app: Flask, settings: Settings) -> UUID:
    """A second agency on the same database."""
    agency_id = new_id()
    with transaction(agency_id) as session:
        return create_agency(session, agency_id, settings.home, "Cobros del Sur", now=SystemClock().now())
