"""One thing that cannot be made keeps nothing else back: what failed is named, or halved until it stands alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from field_api.platform.crash import place_of

T = TypeVar("T")
V = TypeVar("V")
Ref = tuple[str, UUID]
"""A kind of content ("visit", "route", "verdict") and the entity's id."""

FAILURES = 64  # of one call: finds some 28 bad ones among 400. What is left untried is tried in the next round
_OF_NO_ONE = (OperationalError, InterfaceError, MemoryError)
"""The database went away, a lock was not to be had, the memory is full: halving would blame whoever comes first."""


class NotMade(Exception):
    """Which refs could not be made, each with its trouble: all the others of the try can be."""

    def __init__(self, troubles: dict[Ref, str]) -> None:
        super().__init__(f"{len(troubles)} could not be made")
        self.troubles = troubles


def trouble_of(error: Exception) -> str:
    """Kind and place, as the log tells them: neither has a value in it."""
    return f"{type(error).__name__} {place_of(error)}"


def each_made(things: Iterable[tuple[Ref, V]], make: Callable[[V], T]) -> list[T]:
    """`make` of each, in order. Raises NotMade with every one that failed."""
    made, troubles = [], {}
    for ref, thing in things:
        try:
            made.append(make(thing))
        except _OF_NO_ONE:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary of an item: kept by kind and place, tried again later
            troubles[ref] = trouble_of(error)
    if troubles:
        raise NotMade(troubles)
    return made


@dataclass
class Apart(Generic[T]):
    """What was made, in the order of the refs; why the others were not; what nobody got to."""

    made: list[T] = field(default_factory=list)
    troubles: dict[Ref, str] = field(default_factory=dict)
    untried: list[Ref] = field(default_factory=list)


def made_apart(session: Session, refs: Sequence[Ref], make: Callable[[Sequence[Ref]], list[T]]) -> Apart[T]:
    """`make` for all refs at once or, where that fails, for the largest parts that it works for.

    Each try is a savepoint of its own, so `make` may write; what it changes elsewhere it must itself put back when it
    fails. Without a failure this costs one savepoint; where `make` names what failed (NotMade) one try more, however
    many they are; else, with `b` bad ones among `n`, about 2·b·log2(n) tries, never more than 2·FAILURES + 1.
    """
    result: Apart[T] = Apart()
    failures, groups = 0, [list(refs)]  # the last group is the next one
    while groups:
        group = groups.pop()
        if not group:
            continue
        if failures >= FAILURES:
            result.untried += group
            continue
        try:
            with session.begin_nested():
                made = make(group)
        except _OF_NO_ONE:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            failures += 1
            named = error.troubles if isinstance(error, NotMade) else {}
            half = len(group) // 2
            if named:
                result.troubles |= named
                groups.append([ref for ref in group if ref not in named])
            elif half:
                groups += [group[half:], group[:half]]
            else:
                result.troubles[group[0]] = trouble_of(error)
        else:
            result.made += made
    return result
