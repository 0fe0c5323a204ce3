"""One thing that cannot be made keeps nothing else back: what fails is halved until it stands alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from field_api.platform.crash import place_of
from sync.office.contents import Ref

T = TypeVar("T")

FAILURES = 64  # of one call: finds some 28 bad ones among 400. What is left untried is tried in the next round
_OF_NO_ONE = (OperationalError, InterfaceError, MemoryError)
"""The database went away, a lock was not to be had, the memory is full: halving would blame whoever comes first."""


@dataclass
class Apart(Generic[T]):
    """What was made, in the order of the refs; why the others were not; what nobody got to."""

    made: list[T] = field(default_factory=list)
    troubles: dict[Ref, str] = field(default_factory=dict)
    untried: list[Ref] = field(default_factory=list)


def made_apart(session: Session, refs: Sequence[Ref], make: Callable[[Sequence[Ref]], list[T]]) -> Apart[T]:
    """`make` for all refs at once or, where that fails, for the largest parts that it works for.

    Each try is a savepoint of its own, so `make` may write; what it changes elsewhere it must itself put back when it
    fails. Without a failure this costs one savepoint; with `b` bad ones among `n` about 2·b·log2(n) tries, never more
    than 2·FAILURES + 1.
    """
    result: Apart[T] = Apart()
    failures, groups = 0, [list(refs)]  # the last group is the next one
    while groups:
        group = groups.pop()
        if failures >= FAILURES:
            result.untried += group
            continue
        try:
            with session.begin_nested():
                made = make(group)
        except _OF_NO_ONE:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary of an item: kept by kind and place, tried again later
            failures += 1
            half = len(group) // 2
            if half:
                groups += [group[half:], group[:half]]
            else:
                # As the log tells it: neither has a value in it.
                result.troubles[group[0]] = f"{type(error).__name__} {place_of(error)}"
        else:
            result.made += made
    return result
