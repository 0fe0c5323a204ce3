"""Letters that are there already come through their migrations, whoever owns the tables."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, text, update

from doorstep.migrate import alembic_config
from doorstep.server import Server
from field_api.platform.database import db, transaction
from field_api.records.visits import Letter
from field_api.usecases.renew_letters import renew_letters
from field_api.usecases.want_letters import want_letters
from tests.paper_world import paper_world, stating
from tests.planning_world import NOW

OWNED = """
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'office' OR tablename = 'alembic_version' LOOP
        EXECUTE format('ALTER TABLE %I.%I OWNER TO plain_owner', found.schemaname, found.tablename);
    END LOOP;
END $$
"""


def _moved(connection: Connection, move, revision: str) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    move(config, revision)


@pytest.mark.usefixtures("app")
def test_letters_that_are_there_come_through_under_an_owner_whom_row_security_binds(
    agency: UUID, database: Server
) -> None:
    with transaction(agency) as session:
        world = paper_world(session)
        person = world.person(stating(world))
        visit = world.visit(world.route(world.agent()), 1, world.address(person), person, world.account(person))
        want_letters(session, [visit.id], NOW)
        renew_letters(session, [visit.id], NOW, actor="system", reason="reassigned")
        session.execute(update(Letter).values(state="printed"))
    db.session.remove()
    engine = create_engine(database.url("owner"))
    with engine.begin() as connection:
        _moved(connection, command.downgrade, "0025")
        connection.execute(text("CREATE ROLE plain_owner NOSUPERUSER NOBYPASSRLS"))
        connection.execute(text("GRANT ALL ON SCHEMA office TO plain_owner"))
        connection.execute(text(OWNED))
        connection.execute(text("UPDATE office.letter SET state = 'pulled' WHERE superseded_at IS NOT NULL"))
        connection.execute(text("SET ROLE plain_owner"))
        _moved(connection, command.downgrade, "0023")
        connection.execute(text("RESET ROLE"))
        states = connection.scalars(text("SELECT state FROM office.letter ORDER BY state")).all()
        assert states == ["printed", "returned"]
        connection.execute(text("SET ROLE plain_owner"))
        _moved(connection, command.upgrade, "0025")
        connection.execute(text("RESET ROLE"))
        query = "SELECT stack_on, stack_stop, stack_agent_id IS NOT NULL FROM office.letter WHERE state = 'printed'"
        assert connection.execute(text(query)).all() == [(date(2026, 11, 18), 1, True)]
        connection.execute(text("SET ROLE plain_owner"))
        _moved(connection, command.downgrade, "0019")
        _moved(connection, command.upgrade, "0025")
        connection.execute(text("RESET ROLE"))
        forced = "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'office'::regnamespace"
        assert connection.scalar(text(forced)), "row security binds everybody again"
        assert connection.scalar(text("SELECT count(*) FROM office.letter")) == 1
        connection.execute(text("REASSIGN OWNED BY plain_owner TO CURRENT_USER"))
        connection.execute(text("DROP OWNED BY plain_owner"))
        connection.execute(text("DROP ROLE plain_owner"))
    engine.dispose()
