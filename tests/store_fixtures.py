"""The fixtures of a real S3 server. Tests that use them belong to the group `stores`, so that one is started."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.seaweed import Seaweed, seaweed_server


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """One for all tests of the group `stores`; each takes a prefix of its own."""
    with seaweed_server(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture
def s3(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Seaweed:
    """The server, and this process's environment naming it."""
    for name, value in seaweed.environment.items():
        monkeypatch.setenv(name, value)
    return seaweed
