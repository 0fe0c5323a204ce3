"""The fixture of a house under fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_house import furnished_house
from fault_world import House

from doorstep.server import Server


@pytest.fixture
def house(database: Server, tmp_path: Path) -> Iterator[House]:
    """On a database of its own, which forgets what it is not told to keep: for all but the tests of its own end."""
    with furnished_house(database, tmp_path) as house:
        yield house
