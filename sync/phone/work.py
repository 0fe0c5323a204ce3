"""What was done at a visit, as far as the phone must know it to apply its own rules: ids and codes, never contents."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from sync.phone import sheet
from sync.phone.errors import NotAllowed
from sync.phone.handset import Handset
from sync.phone.operations import About, Recorded, unique


@dataclass
class Work:
    """`passed`: person → method. `wrong` and `wrong_codes`: claim (`sought`,
    `other`) → wrong tries so far; whatever is published anew, they stay. `ops`: [id, seq, kind] in order.

    `met`: everybody recorded at the door, in order. `asked`: [relation, whom] of location questions put here about
    `person` at `place`. `ended`: "I am not that person". `counsel`: an attorney was met or named.
    `visited`: an outcome but `skipped` was recorded.
    """

    visit: str
    assignment_version: int
    encounter: str | None = None
    relation: str | None = None
    passed: dict[str, str] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)
    wrong_codes: dict[str, int] = field(default_factory=dict)
    permissions: list[dict[str, Any]] = field(default_factory=list)
    ops: list[list[Any]] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    asked: list[list[str | None]] = field(default_factory=list)
    person: str | None = None
    place: str = ""
    company_asked: bool = False
    ended: bool = False
    counsel: bool = False
    visited: bool = False

    def meet(self, encounter: str, relation: str, company_asked: bool) -> None:
        """Somebody answers. Who asked for the company's name asked it once for all; somebody else has not."""
        self.company_asked = company_asked or (self.company_asked and relation == self.relation)
        self.counsel = self.counsel or relation == "attorney"
        self.encounter, self.relation = encounter, relation
        self.met.append(relation)

    def about(self, deps: tuple[str | None, ...] = (), photos: tuple[str, ...] = ()) -> About:
        """What an operation at this visit concerns; it needs the encounter, where there was one."""
        return About(self.visit, self.assignment_version, unique([self.encounter, *deps]), photos)

    def save(self, handset: Handset, recorded: Recorded) -> None:
        """Inside the operation's transaction."""
        self.ops.append([recorded.op, recorded.seq, recorded.kind])
        handset.store.put("work", self.visit, asdict(self))
        handset.store.delete("draft", self.visit)


def work_at(handset: Handset, visit: str) -> Work:
    """The work at a visit on the sheet, or at one that was begun before the office took it back: what happened there
    is a fact and stays recordable under the assignment that the agent knew. Raises NotAllowed otherwise."""
    kept = handset.store.get("work", visit)
    work = Work(**kept) if kept else None
    try:
        version = int(sheet.visit_of(handset, visit)["assignment_version"])
    except NotAllowed:
        if work is None:
            raise
        return work
    if work is None:
        return Work(visit, version)
    work.assignment_version = version
    return work


def work_of_op(handset: Handset, op: str) -> Work:
    """The work that an operation of this phone belongs to. Raises NotAllowed `unknown-operation`."""
    for _, kept in handset.store.all("work"):
        if any(known[0] == op for known in kept["ops"]):
            return Work(**kept)
    raise NotAllowed("unknown-operation", "this phone recorded no such operation at a visit")
