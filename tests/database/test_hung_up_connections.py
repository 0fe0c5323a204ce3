"""A connection that the server closed while it lay in the pool is not used, and nobody notices."""

from __future__ import annotations

from uuid import UUID

import psycopg
from sqlalchemy import text

from doorstep.server import Server
from field_api.platform.database import db, transaction

BACKEND = text("SELECT pg_backend_pid()")


def test_connections_that_the_server_closed_meanwhile_are_replaced(database: Server, agency: UUID) -> None:
    with db.engine.connect() as one, db.engine.connect() as other:
        lying = {one.scalar(BACKEND), other.scalar(BACKEND)}
    with psycopg.connect(database.conninfo("owner", "postgres"), autocommit=True) as owner:
        for backend in lying:
            (ended,) = owner.execute("SELECT pg_terminate_backend(%s, 5000)", [backend]).fetchone() or (False,)
            assert ended
    with transaction(agency) as session:
        assert session.scalar(BACKEND) not in lying
    with db.engine.connect() as one, db.engine.connect() as other:
        assert not lying & {one.scalar(BACKEND), other.scalar(BACKEND)}


def test_a_connection_that_is_well_is_used_again(agency: UUID) -> None:
    with transaction(agency) as session:
        first = session.scalar(BACKEND)
    for _ in range(3):
        with transaction(agency) as session:
            assert session.scalar(BACKEND) == first
