"""The whole day, every part a process of its own: nothing is lost, nothing leaks, and the seed decides the counts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doorstep.demo import day, stage
from doorstep.demo.cast import CREDITORS
from doorstep.demo.stage import DemoDay
from doorstep.postgres import EmbeddedPostgres

pytestmark = pytest.mark.xdist_group("demo")  # one day for all tests of this file
SMALL = {"es": 24, "en": 30, "de": 30}
NOT_COUNTS = {"seconds"}


@pytest.fixture(scope="module")
def small_day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoDay]:
    """A day with a tenth of the accounts; everything else as in `make demo`."""
    out = tmp_path_factory.mktemp("demo") / "out"
    creditors = [replace(creditor, accounts=SMALL[creditor.language]) for creditor in CREDITORS]
    made = stage.prepare(out, 11, lambda _line: None, 0, 0, creditors)
    try:
        with day.run(made):
            yield made
    finally:
        EmbeddedPostgres(made.installation.home).destroy()


def test_every_recorded_operation_is_received_and_decided(small_day: DemoDay) -> None:
    counts = small_day.summary
    assert counts["ops_recorded"] == counts["ops_received"] > 0
    assert counts["ops_received"] == counts["ops_applied"] + counts["ops_late"] + counts["ops_quarantined"]
    assert (counts["ops_held"], counts["ops_forked"]) == (0, 0)


def test_everything_that_was_to_go_wrong_did(small_day: DemoDay) -> None:
    counts = small_day.summary
    assert counts["rows_rejected"] == 12
    assert counts["ops_late"] > 0
    assert counts["ops_quarantined"] == 1
    assert counts["duplicates_absorbed"] > 0
    assert counts["answers_lost"] == 1
    assert counts["phones_killed"] == 1
    assert counts["photos_refused_without_permission"] == 1
    assert counts["photos_developed"] > 0
    assert counts["identity_checks_passed"] > 0
    assert counts["identity_checks_failed"] > 0


def test_nothing_secret_is_found_and_every_canary_is(small_day: DemoDay) -> None:
    assert len(small_day.findings) == 6
    for place, searched in small_day.findings.items():
        assert searched.found == (), place
        assert searched.canaries_missed == 0, place
    assert sum(1 for searched in small_day.findings.values() if searched.size_bytes > 10_000) >= 5


def test_papers_exports_and_the_log_are_there_and_hold(small_day: DemoDay) -> None:
    counts = small_day.summary
    assert counts["sheets_pdf"] == counts["routes"] == len(list((small_day.out / "sheets-and-letters").glob("*.pdf")))
    assert counts["letters_pdf"] > 0 and counts["letters_refused"] == 0
    assert counts["log_leaves"] > counts["ops_received"] and counts["log_findings"] == 0
    story = json.loads((small_day.out / "exports" / "one-visit.json").read_text())
    kinds = [event["kind"] for event in story["events"]]
    assert kinds[:2] == ["planned", "published"] and "outcome" in kinds


def test_a_leak_would_be_found(small_day: DemoDay) -> None:
    """The search sees what a slip would leave: a balance in a file of a phone, an amount written another way."""
    from doorstep.demo.search import files_below, search, secrets_of

    slip = small_day.out / "slip"
    slip.mkdir()
    (slip / "cache.txt").write_text("Saldo: 12’345.67")
    secrets = secrets_of([1_234_567], ["LI-000000001"], ["Nobody AG"])
    found = search([("slip", lambda: files_below(slip))], secrets, [b"12345.67"])
    assert found["slip"].found == ("amount at byte 17",)


@pytest.mark.prove
def test_the_same_seed_gives_the_same_counts(tmp_path: Path) -> None:
    first, second = (_full_day(tmp_path / name) for name in ("first", "second"))
    assert {k: v for k, v in first.items() if k not in NOT_COUNTS} == {
        k: v for k, v in second.items() if k not in NOT_COUNTS
    }


def _full_day(out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "doorstep.cli", "demo", "--no-serve", "--out", str(out), "--office-port", "0"]
    subprocess.run([*command, "--door-port", "0"], check=True, capture_output=True, timeout=600)
    summary: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return summary
