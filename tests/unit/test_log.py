"""What a log line may carry is a closed list."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import structlog

from field_api.domain.confidential import Confidential
from field_api.platform.log import configure_logging


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
    structlog.get_logger().info("photo-destroyed", sha256="00ff", photo=UUID(int=1))
    (line,) = lines()
    assert (line["event"], line["sha256"], line["level"]) == ("photo-destroyed", "00ff", "info")
    assert line["photo"] == str(UUID(int=1))


def test_an_unknown_name_is_dropped_and_counted(lines: Any) -> None:
    structlog.get_logger().info("photo-destroyed", balance=123456, photo="p-1")
    (line,) = lines()
    assert "123456" not in json.dumps(line)
    assert line["dropped"] == 1
    assert line["photo"] == "p-1"


def test_a_field_of_another_event_is_dropped(lines: Any) -> None:
    structlog.get_logger().info("photo-destroyed", photo="p-1", actor="a-1")
    (line,) = lines()
    assert "actor" not in line and line["dropped"] == 1


def test_an_event_that_the_catalogue_lacks_is_unnamed_and_all_of_it_counted(lines: Any) -> None:
    structlog.get_logger().info("balance-told", photo="p-1", sha256="123456")
    (line,) = lines()
    assert (line["event"], line["dropped"]) == ("unnamed", 3)
    assert set(line) == {"event", "level", "timestamp", "dropped"}


@pytest.mark.parametrize(
    "value", ["owes 1,234.50 to a shop", {"a": 1}, Confidential(5), b"x", "a" * 200, "line\nbreak"]
)
def test_a_listed_name_carries_words_and_numbers_alone(lines: Any, value: Any) -> None:
    structlog.get_logger().warning("photo-destroyed", reason=value)
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


def test_warnings_lose_their_text(lines: Any) -> None:
    """`warnings.warn(f"odd balance {value}")` in some library would print it to standard error."""
    logging.captureWarnings(True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(False)  # catch_warnings put its own way of showing in
            logging.captureWarnings(True)
            warnings.warn("odd balance 987654", stacklevel=1)
    finally:
        logging.captureWarnings(False)
    (line,) = lines()
    assert "987654" not in json.dumps(line)
    assert (line["event"], line["logger"]) == ("library", "py.warnings")
