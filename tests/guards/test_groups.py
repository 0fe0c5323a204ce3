"""Tests that share something dear run in one worker: the name of their group reaches whoever deals them out."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.xdist_group("a group of its own")


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="tests are not dealt out to workers here")
def test_a_groups_name_stands_in_the_tests_id(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@a group of its own")
