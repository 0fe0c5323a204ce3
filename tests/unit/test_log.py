"""What a log line may carry is a closed list."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import structlog

from field_api.domain.confidential import Confidential
from field_api.platform.log import FIELDS, configure_logging


@pytest.fixture
def lines() -> Iterator[Any]:
    """A function that gives the lines written so far, parsed."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_listed_names_are_written(lines: Any) -> None:
    structlog.get_logger().info("applied", device="d-1", seq=7, visit=UUID(int=1))
    (line,) = lines()
    assert (line["event"], line["device"], line["seq"], line["level"]) == ("applied", "d-1", 7, "info")
    assert line["visit"] == str(UUID(int=1))


def test_an_unknown_name_is_dropped_and_counted(lines: Any) -> None:
    structlog.get_logger().info("applied", balance=123456, device="d-1")
    (line,) = lines()
    assert "123456" not in json.dumps(line)
    assert line["dropped"] == 1
    assert line["device"] == "d-1"


@pytest.mark.parametrize(
    "value", ["owes 1,234.50 to a shop", {"a": 1}, Confidential(5), b"x", "a" * 200, "line\nbreak"]
)
def test_a_listed_name_carries_words_and_numbers_alone(lines: Any, value: Any) -> None:
    structlog.get_logger().warning("applied", reason=value)
    (line,) = lines()
    assert "reason" not in line
    assert line["dropped"] == 1


def test_a_sentence_is_no_event(lines: Any) -> None:
    structlog.get_logger().info("paid 500 MXN today")
    (line,) = lines()
    assert line["event"] == "unnamed"


def test_libraries_lose_their_text(lines: Any) -> None:
    try:
        raise ValueError("balance 987654")
    except ValueError:
        logging.getLogger("sqlalchemy.engine").exception("failed with parameters %s", {"balance": 987654})
    (line,) = lines()
    assert "987654" not in json.dumps(line)
    assert (line["logger"], line["error"], line["level"]) == ("sqlalchemy.engine", "ValueError", "error")


def test_every_log_call_of_ours_names_listed_fields_alone() -> None:
    """A name that is not listed is dropped: "who looked at the photograph" was, and nobody noticed."""
    root = Path(__file__).parents[2]
    unlisted, seen = [], 0
    for path in (
        path for folder in ("doorstep", "field_api", "sync", "media") for path in (root / folder).rglob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            to_log = isinstance(node.func.value, ast.Name) and node.func.value.id == "log"
            if to_log and node.func.attr in {"debug", "info", "warning", "error", "critical", "log"}:
                seen += 1
                names = {keyword.arg for keyword in node.keywords}
                unlisted += [f"{path.name}:{node.lineno} {name}" for name in names - FIELDS]
    assert unlisted == [] and seen >= 8
