"""A furnished house on any server: what `fault_fixtures.house` gives, for tests that bring a server of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from fault_world import House
from processes import Parts, free_port
from proxy import FaultProxy

from doorstep.app import worker_app
from doorstep.server import Server
from field_api.platform.clock import SystemClock
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import db, transaction
from field_api.platform.ids import new_id
from field_api.platform.settings import Settings
from field_api.records.agency import Agency
from tests.planning_world import World


@contextmanager
def furnished_house(database: Server, folder: Path, *where: str) -> Iterator[House]:
    """An agency, an agent with three published visits, a door process behind a proxy; the worker is not started.

    `where`: address and name of the proxy, where it is not 127.0.0.1.
    """
    port = free_port()
    with FaultProxy(port, *where) as proxy:
        settings = Settings(folder / "home", database.url("office"), proxy.url, "http://office.test")
        app = worker_app(settings)
        parts = Parts(replace(settings, database_url=database.url("door")), settings, port)
        with app.app_context():
            try:
                house = House(app, new_id(), parts, proxy, folder)
                _furnish(house, settings)
                parts.start_door()
                yield house
            finally:
                parts.close()
                db.session.remove()
                db.engine.dispose()


def _furnish(house: House, settings: Settings) -> None:
    create_agency_keys(settings.home, house.agency, SystemClock().now())
    with transaction(house.agency) as session:
        session.add(
            Agency(agency_id=house.agency, name="Agencia Puerta Norte", address="Calle 1", phone="+525550000000")
        )
        session.flush()
        world = World(session)
        agent = world.agent()
        house.agent = agent.id
        route = world.route(agent)
        for position in (1, 2, 3):
            person, address, account = world.household()
            house.visits.append(str(world.visit(route, position, address, person, account).id))
