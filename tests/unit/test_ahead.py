"""Working ahead changes neither order nor errors, and rests once it is closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from field_api.platform.ahead import ahead


def test_the_same_items_in_the_same_order() -> None:
    assert list(ahead(range(1_000), depth=3)) == list(range(1_000))
    assert list(ahead([])) == []
    assert list(ahead([None, 0, ()])) == [None, 0, ()]


def test_an_error_comes_where_its_item_would() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise OSError("the file went away")

    source = ahead(items())
    assert next(source) == 1
    with pytest.raises(OSError, match="went away"):
        next(source)


def test_closing_makes_nothing_further() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            yield number

    source = ahead(items(), depth=2)
    next(source)
    source.close()
    count = len(made)
    assert count <= 4
    assert list(source) == [] and len(made) == count
