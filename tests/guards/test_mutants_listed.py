"""The list of bench/mutants.py speaks of the code as it is, and docs/checks.md of that list."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.mutants import GROUPS
from tests.guards.mutant_counts import documented

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("group", GROUPS)
def test_every_listed_check_stands_where_the_list_says(group: str) -> None:
    mutants = list(GROUPS[group](ROOT))
    for mutant in mutants:
        text = (ROOT / mutant.file).read_text(encoding="utf-8")
        assert mutant.changed(text) != text, mutant.name
        assert mutant.tests and all((ROOT / test.partition("::")[0]).exists() for test in mutant.tests), mutant.name
    assert len({mutant.name for mutant in mutants}) == len(mutants)
    if group != "doubly held":  # as many as there are files with such a filter: no promise
        assert [len(mutants)] == documented(group)[:1], "docs/checks.md says otherwise"
