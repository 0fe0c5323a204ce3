"""Who of a visit's parties has a locked part of their own, and about which accounts (rules: docs/protocol.md §7).

A visit has always the same number of locks. Number 0 is the person's who is sought; the others hold obligors and
representatives of the visit's accounts, or nobody. Source of who may have what: the disclosure matrix' rows for debtor,
guarantor, attorney, executor, guardian and minor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from field_api.domain.vocabulary import OBLIGORS, Role

LOCKS = 4  # the one sought and three more: beyond them somebody is to be met at a visit of their own
REPRESENTING = (Role.ATTORNEY, Role.EXECUTOR, Role.GUARDIAN)  # with documented authority; the first one held counts


@dataclass(frozen=True)
class Tie:
    """One person's role on one of a visit's accounts."""

    account_id: UUID
    person_id: UUID
    role: str


@dataclass(frozen=True)
class Entitled:
    """A party with a lock. `accounts` are those that they owe themselves, or stand for others in."""

    number: int
    person_id: UUID
    role: Role
    accounts: frozenset[UUID]

    @property
    def by_code_only(self) -> bool:
        """Authority is on record here, and no answer at a door proves it."""
        return self.role not in OBLIGORS


def entitled_parties(sought: UUID, ties: Iterable[Tie], minors: Collection[UUID]) -> tuple[Entitled, ...]:
    """The parties with a lock, the one sought first, then obligors, then representatives, each in order of their ids.

    Minors get nothing, and neither do payers. Who owes and represents as well is an obligor: answers prove who somebody
    is, never for whom they may speak. At most `LOCKS` - 1 others get a lock.
    """
    roles: dict[UUID, dict[UUID, set[str]]] = defaultdict(lambda: defaultdict(set))
    for tie in ties:
        if tie.person_id not in minors:
            roles[tie.person_id][tie.account_id].add(tie.role)
    found = [part for person_id, held in roles.items() if (part := _part(person_id, held)) is not None]
    others = sorted(
        (part for part in found if part.person_id != sought), key=lambda part: (part.by_code_only, part.person_id)
    )
    numbered = [
        Entitled(number, part.person_id, part.role, part.accounts)
        for number, part in enumerate(others[: LOCKS - 1], start=1)
    ]
    return (*(part for part in found if part.person_id == sought), *numbered)


def _part(person_id: UUID, held: dict[UUID, set[str]]) -> Entitled | None:
    """What one person is entitled to, as if they were the one sought."""
    owed = frozenset(account for account, roles in held.items() if roles & OBLIGORS)
    if owed:
        role = Role.DEBTOR if any(Role.DEBTOR in held[account] for account in owed) else Role.GUARANTOR
        return Entitled(0, person_id, role, owed)
    for role in REPRESENTING:
        represented = frozenset(account for account, roles in held.items() if role in roles)
        if represented:
            return Entitled(0, person_id, role, represented)
    return None
