"""Sign-in, sessions and tokens of the office."""

from __future__ import annotations

from uuid import UUID

from tests.office_client import OfficeClient


def test_a_manager_signs_in_and_is_known(office_client: OfficeClient, agency: UUID) -> None:
    me = office_client.get("/api/v1/me")
    assert me.status_code == 200, me.json
    assert me.json["role"] == "manager"
    assert me.json["agency_id"] == str(agency)
