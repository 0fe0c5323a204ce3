"""The same requests to both twins, by everybody, over everything; every pair is counted."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from itertools import cycle, islice
from typing import Any
from unittest.mock import patch

from sqlalchemy import select

from doorstep.worker_metrics import queues_of_agency
from field_api.http.openapi import document_of
from field_api.http.permits import PERMISSIONS
from field_api.platform.database import Base, transaction
from field_api.platform.devices import MAILBOX
from sync.office.work import work_once
from tests.twins.compare import ENTITLED, Answer, Difference, door_answer, office_answer
from tests.twins.door import AT_THE_DOOR, DOOR, DoorRequest, door_operations, opened_feed
from tests.twins.hidden import COUNTED
from tests.twins.requests import Operation, Request, Requests, everybody, operations
from tests.twins.sides import Side, Twins, TwinWorld
from tests.twins.world import NOON, Known

STEP_S = 0.2
SELECTING = {"digits", "zero", "threshold", "dates", "holds", "strategies", "everything"}
"""Kinds by which a planner would select others: the plan is given there, and none is drafted anew."""


@dataclass
class Comparison:
    """Counts pairs of answers and keeps what differed."""

    twins: Twins
    world: TwinWorld
    pairs: int = 0
    differences: list[Difference] = field(default_factory=list)
    covered: set[tuple[str, str]] = field(default_factory=set)
    statuses: dict[int, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)  # answers of 500 and more: nothing was compared there

    def __post_init__(self) -> None:
        office = self.twins.sides[0].office
        self.document = document_of(office)
        self.operations = operations(office)
        self.door_operations = door_operations(self.twins.sides[0].door)
        self.chance = random.Random(f"{self.world.seed}|{self.world.kind}|requests")
        self.requests = Requests(self.document, self.world.known, self.chance)

    def sweep(self, pairs: int, first: int = 0) -> None:
        """So many pairs over all operations by everybody; `first` is where in the round it begins."""
        round_of = [(operation, who) for operation in self.operations for who in everybody(operation)]
        round_of += [(operation, who) for operation, who in round_of if allowed(operation, who)]
        round_of += [(operation, who) for operation in self.door_operations for who in DOOR]
        order = sorted(range(len(round_of)), key=lambda index: random.Random(f"{index}|order").random())
        asked = cycle(order[first % len(order) :] + order[: first % len(order)])
        for index in islice(asked, len(order) + 4 * pairs):
            if self.pairs >= pairs:
                return
            self.ask(*round_of[index])
        raise AssertionError("too few of the operations can be compared in this world")

    def ask(self, operation: Operation, who: str) -> None:
        if who in DOOR:
            self._ask_door(operation, who)
        elif not self._counted_for(operation, who):
            self._ask_office(operation, who)

    def _counted_for(self, operation: Operation, who: str) -> bool:
        """Pairs in which a count differs, or a selection would, are not for those who may see why."""
        if who not in ENTITLED or not allowed(operation, who):
            return False
        changes = operation.path.endswith(("/changes", "/optimise"))
        drafts = (operation.path == "/api/v1/plans" or changes) and operation.method == "POST"
        settles = operation.path == "/api/v1/accounts/{account_id}" and operation.method == "PATCH"
        imports = operation.path.endswith("/imports")
        return self.world.kind in COUNTED or ((drafts or settles or imports) and self.world.kind in SELECTING)

    def _ask_office(self, operation: Operation, who: str) -> None:
        self._send(self.requests.build(operation), who)

    def _send(self, request: Request, who: str) -> None:
        operation = request.operation

        def one(side: Side) -> Answer:
            response = side.client(self.world.known, who).open(
                request.path, method=operation.method, **request.kwargs()
            )
            self._note_status(f"{operation} as {who}", response.status_code, side.log.getvalue())
            return office_answer(self.document, operation, who, response, side.log.getvalue())

        self._compare(f"{operation} {request.path} as {who}", one)
        self.covered.add((str(operation), who))

    def promises(self) -> None:
        """At two doors somebody promises to pay; it takes effect, and the phone is told of the verdict."""
        (ops,) = (one for one in self.door_operations if one.path.endswith("/ops"))
        (feed,) = (one for one in self.door_operations if one.path.endswith("/feed"))
        for number in (1, 4):
            self._ask_door(ops, "phone", f"{AT_THE_DOOR + number}")
        self.work()
        self.tables()
        with patch.object(DoorRequest, "pick", lambda _request, *_: "limit=200"):
            self._ask_door(feed, "phone")

    def _ask_door(self, operation: Operation, who: str, name: str | None = None) -> None:
        request = DoorRequest(operation, self.world, self.chance, name or f"{self.pairs}")

        def one(side: Side) -> Answer:
            index = self.twins.sides.index(side)
            response = request.send(side.phone(self.world.known, who), who, self.world.hidden[index])
            self._note_status(f"{operation} as {who}", response.status_code, side.log.getvalue())
            answer = door_answer(response, side.log.getvalue())
            if who == "phone" and response.status_code == 200 and "feed" in operation.path:
                return Answer({**answer.parts, "opened": opened_feed(side.phone(self.world.known, who), response)})
            return answer

        self._compare(f"{operation} as {who}", one)
        self.covered.add((str(operation), who))

    def work(self) -> None:
        """A round of the worker on both sides: what phones sent takes effect; its log lines are compared."""

        def one(side: Side) -> Answer:
            with side.office.app_context():
                done = work_once(side.office, self.world.known.agency, NOON)
            return Answer({"done": done, "log": side.log.getvalue()})

        self._compare("a round of work", one)

    def tables(self) -> None:
        """What the door's process can read, and what the office tells its jobs: rows, order, lengths of bytes."""
        left, right = (_rows(side, self.world.known) for side in self.twins.sides)
        self.differences.extend(Answer(left).differences(Answer(right), f"[{self.world.kind}] the tables"))

    def exactly(self, method: str, path: str, who: str, described: str = "", **query: str) -> None:
        """One request as it is written here; `described` is the path in the document where it has place-holders."""
        (operation,) = (one for one in self.operations if (one.method, one.path) == (method, described or path))
        json = self.requests.build(operation).json if operation.described.get("requestBody") else None
        self._send(Request(operation, path, query, {}, json), who)

    def object_names(self) -> None:
        """Where both have as many letters, the object stores hold as many objects, under the same names."""
        left, right = (side.object_names(self.world.known.agency) for side in self.twins.sides)
        if self.world.kind not in COUNTED:
            found = Answer({"names": left}).differences(Answer({"names": right}), "the object store")
            self.differences.extend(found)

    def metrics(self) -> None:
        """The numbers that a monitoring system reads; whoever operates it sees no debt."""

        def numbers(side: Side) -> dict[str, float]:
            with side.office.app_context(), transaction(self.world.known.agency) as session:
                told = queues_of_agency(session, self.world.known.agency, NOON)
            return {family.name: number for family, number in told.items()}

        left, right = (numbers(side) for side in self.twins.sides)
        self.differences.extend(Answer(left).differences(Answer(right), f"[{self.world.kind}] the metrics"))

    def _note_status(self, where: str, status: int, log: str) -> None:
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status >= 500:
            self.failed.append(f"{status} {where}: {log}")

    def _compare(self, where: str, ask: Any) -> None:
        self.pairs += 1
        answers = []
        for side in self.twins.sides:
            self.twins.chance.begin(f"{self.world.known.agency}|{self.pairs}")
            with side.running():
                answers.append(ask(side))
        self.twins.chance.advance(STEP_S)
        self.differences.extend(answers[0].differences(answers[1], f"[{self.world.kind}] {where}"))


def _rows(side: Side, known: Known) -> dict[str, Any]:
    """Every row of the mailbox and of the changes, bytes by their length, by primary key."""
    tables = [table for table in Base.metadata.sorted_tables if table.schema == MAILBOX or table.name == "change"]
    found = {}
    with side.office.app_context(), transaction(known.agency) as session:
        for table in tables:
            rows = session.execute(select(table).order_by(*table.primary_key.columns))
            columns = [f"{table.name}.{column.name}" for column in table.c]
            found[table.name] = [[_told(*pair) for pair in zip(columns, row, strict=True)] for row in rows]
    return found


_DRAWN = {"feed_item.sheet_key", "sheet_key.id", "change.id"}
"""A sheet key's name is drawn from the stream of nonces, and a change's number from the database's sequence."""


def _told(column: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return f"drawn, {type(value).__name__}" if column in _DRAWN else value


def allowed(operation: Operation, who: str) -> bool:
    """Who gets more than a refusal is asked for more often. What is allowed the permission table says."""
    permission = operation.described.get("x-permission")
    role = "controller" if who.startswith("controller") else who
    return permission is not None and role in {name.value for name in PERMISSIONS[permission]}


def first_words(differences: list[Difference], most: int = 12) -> str:
    """For an assertion's message."""
    return "\n".join(str(difference) for difference in differences[:most])
