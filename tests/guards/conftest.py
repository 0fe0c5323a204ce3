"""Two agencies in one house, built once for all tests that ask at it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from doorstep.server import Server
from tests.guards.two_agencies_house import House, open_house


@pytest.fixture(scope="session")
def house(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with open_house(postgres, tmp_path_factory.mktemp("two-agencies")) as made:
        yield made
