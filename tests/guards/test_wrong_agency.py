"""Another agency's id, and another creditor's for a controller, is answered byte for byte like one that nobody has.

From the URL map: every operation, every place where an id can stand, every role and state of an account.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql
from werkzeug.http import generate_etag

from field_api.domain.credentials import WireToken
from field_api.http.guard import routes
from field_api.http.openapi import document_of, documented_path
from field_api.http.permits import Declaration
from media.office.photo_links import PhotoLinks, Use
from tests.guards.two_agencies import MARKS
from tests.guards.two_agencies_house import House
from tests.guards.two_agencies_requests import API, OPERATIONS, Ask, documented_places, path_of, send, with_parts

pytestmark = pytest.mark.xdist_group("two-agencies")
UUID_TEXT = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
OFFICE = {"A1": "manager", "A2": "controller elsewhere", "B1": "foreign manager"}
"""Whose pages the cursors of each branch come from."""
NATURAL = {"new code": ("agent", "code"), "new name": ("creditor", "name")}
"""What an agency chooses itself: it may choose what another one has; each time it is forgotten again."""
LINKS = {"large link": Use.LARGE, "original link": Use.ORIGINAL}
OF_THE_AGENCY = ("spare device", "staff", "token")
"""Kinds that no creditor has: for a controller only the other agency's are foreign."""
WITHOUT_SIGN_IN = {
    "GET /healthz", "GET /readyz", "GET /style.css", "GET /sign-in", "POST /sign-in", "POST /sign-out",
    "GET /api/v1/openapi.json",
}  # fmt: skip
CONTROLLERS = ("controller",)


@pytest.fixture(scope="module")
def watch(house: House) -> Watch:
    return Watch.over(house)


@dataclass
class Watch:
    """Looks at every answer of the run for what only the other agency, or the other creditor, has."""

    foreign: frozenset[str]
    second: frozenset[str]
    seen: Counter[str]
    pairs: int = 0

    @classmethod
    def over(cls, house: House) -> Watch:
        first, second, other = (house.branches[name] for name in ("A1", "A2", "B1"))
        mine = {uuid.UUID(each).hex for ids in first.ids.values() for each in ids if UUID_TEXT.fullmatch(each)}
        theirs = {uuid.UUID(each).hex for ids in second.ids.values() for each in ids if UUID_TEXT.fullmatch(each)}
        foreign = all_ids(house, other.agency)
        assert len(foreign) > 200
        assert not foreign & mine
        return cls(frozenset(foreign), frozenset(theirs - mine), Counter())

    def look(self, who: str, answer: Any, *sent: str) -> Any:
        """The answer, once nothing in it is somebody else's."""
        self.seen[who] += 1
        body = answer.get_data().decode("latin-1")
        papers = [bytes.fromhex(data).decode("latin-1") for data in re.findall(r"% ((?:[0-9a-f]{2})+)", body)]
        text = "\n".join([*(f"{name}: {value}" for name, value in answer.headers), body, *papers])
        for each in sent:
            text = text.replace(each, "").replace(each.replace("-", ""), "")
        assert "Zxqforeign" not in text, (who, answer.request.path)
        ids = {found.replace("-", "") for found in UUID_TEXT.findall(text)}
        assert not ids & self.foreign, (who, answer.request.path)
        if who in CONTROLLERS:
            assert MARKS["A2"] not in text, (who, answer.request.path)
            assert not ids & self.second, (who, answer.request.path)
        return answer


def all_ids(house: House, agency: uuid.UUID) -> set[str]:
    """Every id in every row of the agency, in all tables there are; each table has one at least."""
    found, empty = {agency.hex}, set()
    with psycopg.connect(house.database.conninfo("owner")) as connection:
        columns = connection.execute(
            "SELECT table_schema, table_name, array_agg(column_name::text) FROM information_schema.columns"
            " WHERE table_schema IN ('office', 'mailbox') AND udt_name = 'uuid' GROUP BY 1, 2 ORDER BY 1, 2"
        ).fetchall()
        for schema, table, names in columns:
            row = sql.SQL(", ").join(map(sql.Identifier, names))
            query = sql.SQL("SELECT {} FROM {} WHERE agency_id = {}").format(
                row, sql.Identifier(schema, table), sql.Literal(agency)
            )
            rows = connection.execute(query).fetchall()
            found |= {each.hex for one in rows for each in one if each is not None}
            empty |= set() if rows else {table}
    # Some are queues, which the work has emptied; two fill when somebody claims or repeats, as later tests do.
    passing = {"apply_turn", "change", "returning_device", "snapshot_request", "enrolment_claim", "idempotency_key"}
    assert empty <= passing, f"the world has no row in {empty - passing}"
    return found


class Answers:
    """Asks with ids of one branch or of nobody, and brings answers into the form in which they are compared."""

    def __init__(self, house: House, watch: Watch) -> None:
        self.house, self.watch = house, watch
        self.cursors: dict[tuple[str, str], str | None] = {}
        self.links: dict[tuple[str, str], str] = {}

    def id(self, operation: str, ask: Ask, place: str, branch: str) -> str | None:
        kind = ask.places[place].kind
        if kind == "cursor":
            return self._cursor(operation, ask, branch)
        if kind in LINKS:
            return self._link(kind, branch)
        if branch == "A2" and kind in OF_THE_AGENCY:
            return None
        return self.house.branches[branch].id(kind)

    def unknown(self, operation: str, ask: Ask, place: str) -> str:
        kind = ask.places[place].kind
        if kind == "cursor" or kind in LINKS:
            made = self._cursor(operation, ask, "B1") if kind == "cursor" else self._link(kind, "B1")
            payload, _, signature = str(made).rpartition(".")
            return f"{payload}.{signature[::-1]}"
        natural = {"day": "2031-03-03", "attempt number": "8888"}
        if kind in natural:
            return natural[kind]
        if kind in (*NATURAL, "reference", "email"):  # as long as the foreign one, so that lengths tell nothing here
            there, chance = self.house.branches["B1"].id(kind), uuid.uuid4().hex
            name, at, host = there.partition("@")
            return (chance + name)[: len(name)] + at + host
        return str(uuid.uuid4())

    def _cursor(self, operation: str, ask: Ask, branch: str) -> str | None:
        key = operation, branch
        if key not in self.cursors:
            ids = {
                place: self.house.branches[branch].id(ref.kind)
                for place, ref in ask.places.items()
                if ref.kind != "cursor"
            }
            first = Ask(ask.path, {name: value for name, value in ask.query.items() if name != "after"})
            answer = send(self.house.clients[OFFICE[branch]], path_of(operation), first, ids)
            self.cursors[key] = answer.json.get("next") if answer.status_code == 200 else None
        return self.cursors[key]

    def _link(self, kind: str, branch: str) -> str | None:
        """A manager's own link to their own photograph, signed as the office does; no creditor has any."""
        if branch == "A2":
            return None
        if (kind, branch) not in self.links:
            client, ours = self.house.clients[OFFICE[branch]], self.house.branches[branch]
            staff_id = uuid.UUID(client.get("/api/v1/me").json["id"])
            signed = PhotoLinks(str(self.house.office.secret_key), ours.agency, staff_id, timedelta(hours=1))
            link = signed.write(uuid.UUID(ours.id("photo")), LINKS[kind], datetime.now(UTC))
            self.links[kind, branch] = link.token
        return self.links[kind, branch]

    def own(self, operation: str, ask: Ask) -> dict[str, str]:
        ids = {place: self.id(operation, ask, place, "A1") for place in ask.places}
        assert None not in ids.values(), f"{operation}: the world has no second page of it"
        return {place: str(each) for place, each in ids.items()}

    def ask(self, who: str, operation: str, ask: Ask, ids: dict[str, str], **headers: str) -> Any:
        answer = send(self.house.clients[who], path_of(operation), ask, ids, **headers)
        assert answer.status_code < 500, (who, operation, ids, answer.get_data()[:300])
        for place, ref in ask.places.items():
            if ref.kind in NATURAL and answer.status_code == 201:
                self._forget(*NATURAL[ref.kind], ids[place])
        return self.watch.look(who, answer, *ids.values())

    def _forget(self, table: str, column: str, value: str) -> None:
        agency = self.house.branches["A1"].agency
        with psycopg.connect(self.house.database.conninfo("owner")) as connection:
            names = sql.Identifier("office", table), sql.Identifier(column)
            statement = sql.SQL("DELETE FROM {} WHERE agency_id = {} AND {} = {}").format(
                names[0], sql.Literal(agency), names[1], sql.Literal(value)
            )
            assert connection.execute(statement).rowcount == 1

    def differ(self, who: str, operation: str, ask: Ask, one: dict[str, str], other: dict[str, str]) -> bool:
        answers = [self.ask(who, operation, ask, ids) for ids in (one, other)]
        return settled(answers[0], ask, one) != settled(answers[1], ask, other)


CSRF = re.compile(r'(name="csrf_token" value=)"[^"]*"')
"""A form's token is signed with the second in which it was made."""


def settled(answer: Any, ask: Ask, ids: dict[str, str]) -> tuple[int, list[tuple[str, str]], str]:
    """Status, headers and body, with the ids that were sent, and nothing else, taken for the same."""
    made = uuid.UUID(int=0).hex

    def same(text: str) -> str:
        for each in sorted(ids.values(), key=len, reverse=True):
            text = text.replace(each, "ID").replace(each.replace("-", ""), "ID")
        return UUID_TEXT.sub(made, text) if ask.makes else text

    body = answer.get_data()
    of_body = f'"{generate_etag(body)}"'  # says what the body says, and changes with the id where a body repeats it
    headers = sorted((name, same(value.replace(of_body, "ETAG"))) for name, value in answer.headers if name != "Date")
    return answer.status_code, headers, same(CSRF.sub(r"\1", body.decode("latin-1")))


@pytest.fixture(scope="module")
def answers(house: House, watch: Watch) -> Answers:
    return Answers(house, watch)


def every_ask() -> Iterator[tuple[str, Ask]]:
    for operation, asks in OPERATIONS.items():
        for ask in asks:
            yield operation, ask


def askers(house: House, ask: Ask) -> list[str]:
    return [ask.only] if ask.only else list(house.askers)


def test_every_operation_and_every_place_of_an_id_is_asked(house: House) -> None:
    """100 %: the URL map and the table of requests are the same set; so are the places that the document lists."""
    url_map = {f"{route.method} {documented_path(route)}" for route in routes(house.office)}
    assert set(OPERATIONS) - url_map == set(), "no such operation"
    assert url_map - set(OPERATIONS) == set(), "an operation without a valid request in two_agencies_requests.py"
    documented = set(documented_places(document_of(house.office)))
    asked = {(operation, place) for operation, ask in every_ask() for place in ask.places}
    assert documented - asked == set(), "a place for an id without a Ref in two_agencies_requests.py"
    assert len(documented) >= 65


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_foreign_id_is_answered_like_an_unknown_one(house: House, answers: Answers, operation: str) -> None:
    wrong = []
    for ask in OPERATIONS[operation]:
        own = answers.own(operation, ask)
        for who in askers(house, ask):
            if operation.startswith("GET") or not ask.places:
                answers.ask(who, operation, ask.whole, own)
            for branch in ("B1", "A2") if who in CONTROLLERS else ("B1",):
                for places in ask.place_sets:
                    foreign = {place: answers.id(operation, ask, place, branch) for place in places}
                    if None in foreign.values():
                        continue  # nobody there has such a row, or a second page of it
                    unknown = {place: answers.unknown(operation, ask, place) for place in places}
                    answers.watch.pairs += 1
                    if answers.differ(who, operation, ask, own | foreign, own | unknown):
                        wrong.append((places, who, branch))
    assert wrong == []


def test_enough_was_compared(request: pytest.FixtureRequest, watch: Watch) -> None:
    """Every operation by everybody; a thousand comparisons are no accident of an empty loop."""
    names = [item.name for item in request.session.items if item.path == request.path]
    if sum(name.startswith("test_a_foreign_id") for name in names) < len(OPERATIONS):
        pytest.skip("not all of this file was chosen to run")
    assert watch.pairs >= 900
    assert min(watch.seen[who] for who in ("manager", "agent", "controller", "disabled", "revoked token")) >= 150


def test_no_other_agency_gets_in_by_a_tokens_own_ids(house: House, watch: Watch) -> None:
    """The bearer token names agency and token in the clear: of another one, they are as good as made up."""
    mine, theirs = house.clients["integrator"].bearer, WireToken.parse(str(house.clients["foreign integrator"].bearer))
    assert mine is not None and theirs is not None
    chance = uuid.uuid4
    pairs = [
        (with_parts(mine, agency_id=theirs.agency_id), with_parts(mine, agency_id=chance())),
        (with_parts(mine, token_id=theirs.token_id), with_parts(mine, token_id=chance())),
        (
            with_parts(mine, agency_id=theirs.agency_id, token_id=theirs.token_id),
            with_parts(mine, agency_id=chance(), token_id=chance()),
        ),
    ]
    client = house.clients["anonymous"]
    for operation, ask in every_ask():
        ids = {place: house.branches["A1"].ids.get(ref.kind, ["x"])[0] for place, ref in ask.places.items()}
        for foreign, unknown in pairs if operation not in WITHOUT_SIGN_IN else ():
            both = [
                watch.look(
                    "anonymous", send(client, path_of(operation), ask, ids, Authorization=f"Bearer {token}"), token
                )
                for token in (foreign, unknown)
            ]
            assert settled(both[0], ask, ids) == settled(both[1], ask, ids), operation
            assert both[0].status_code in (401, 302), operation


def test_a_sign_in_says_nothing_of_who_has_one(house: House) -> None:
    """Another agency's person, one who was invited and has no password, one who was ended: as an unknown e-mail."""
    found = []
    for email in (*house.branches["B1"].ids["email"][:1], *house.odd_emails, "nobody@agency.test"):
        client = house.office.test_client()
        answer = client.sign_in(email, "not the one at all")
        found.append((answer.status_code, answer.get_data()))
    assert {status for status, _ in found} == {401}
    assert len(set(found)) == 1
    for email in house.odd_emails:
        assert house.office.test_client().sign_in(email).status_code == 401


def test_a_repeat_is_answered_to_its_own_actor_alone(house: House, answers: Answers) -> None:
    """An Idempotency-Key that another agency used for the same request is a new key."""
    stored = 0
    for operation, ask in every_ask():
        if not operation.startswith(f"POST {API}") or not declared(house, operation).replay or makes_a_name(ask):
            continue
        foreign = {place: str(answers.id(operation, ask, place, "B1")) for place in ask.places}
        key = f"key-{uuid.uuid4()}"
        for who in ("foreign manager", "foreign admin"):
            theirs = send(house.clients[who], path_of(operation), ask, foreign, **{"Idempotency-Key": key})
            if theirs.status_code < 400:
                stored += 1
                again = send(house.clients[who], path_of(operation), ask, foreign, **{"Idempotency-Key": key})
                assert again.headers.get("Idempotency-Replayed") == "true", operation
        for who in askers(house, ask):
            unknown = {place: answers.unknown(operation, ask, place) for place in ask.places}
            both = [
                answers.ask(who, operation, ask, ids, **{"Idempotency-Key": name})
                for ids, name in ((foreign, key), (unknown, f"key-{uuid.uuid4()}"))
            ]
            assert settled(both[0], ask, foreign) == settled(both[1], ask, unknown) or not ask.places, (operation, who)
            assert all("Idempotency-Replayed" not in each.headers for each in both), (operation, who)
    assert stored >= 12


def declared(house: House, operation: str) -> Declaration:
    (found,) = (
        route.declaration for route in routes(house.office) if f"{route.method} {documented_path(route)}" == operation
    )
    return found


def makes_a_name(ask: Ask) -> bool:
    return any(ref.kind in NATURAL for ref in ask.places.values())


def test_every_place_is_looked_at(house: House, answers: Answers) -> None:
    """The positive control: an own id is answered otherwise than an unknown one, for one role at least.

    Last: it does what is asked.
    """
    silent = []
    for operation, ask in every_ask():
        own = answers.own(operation, ask)
        for place in ask.places:
            unknown = own | {place: answers.unknown(operation, ask, place)}
            if not any(
                answers.differ(who, operation, ask, own, unknown)
                for who in ([ask.only] if ask.only else ("manager", "admin", "integrator", "dispatcher"))
            ):
                silent.append((operation, place))
    assert silent == []
