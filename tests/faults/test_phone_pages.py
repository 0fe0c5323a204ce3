"""A phone's cursor never passes what it stored, and no kill, cut, error or lie on the way takes anything off its sheet.

What the phone must hold after item n is taken from a copy of it that read one item at a time over a good network.
"""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from failpoints import FAILPOINTS, Armed, Failpoint
from fault_world import IMPATIENT, PASSPHRASE, House
from phone_lives import pull
from processes import start
from proxy import Fault
from sqlalchemy import update

from field_api.domain.vocabulary import ChangeKind
from field_api.platform.clock import SystemClock
from field_api.platform.database import transaction
from field_api.records.visits import Visit
from field_api.usecases.tell_agent import tell_agent
from field_api.usecases.withdraw_visit import withdraw_visit
from sync.phone import Patience, Phone
from sync.phone.errors import PhoneError
from sync.phone.feed import load_cursor
from tests.door_client import page_bytes, page_of, records

pytest_plugins = ["fault_fixtures"]
pytestmark = pytest.mark.xdist_group("faults")
FEED, SNAPSHOT = "GET /phone/v1/feed?", "GET /phone/v1/feed/snapshot"
PAGE = 5
ALL_TABLES = ("sheet", "verdict", "op", "receipt", "sent", "draft", "work")


@dataclass
class Waiting:
    """A phone behind its feed, and what its tables hold after each further item."""

    house: House
    start: int
    after: dict[int, dict[str, dict[Any, bytes]]]
    copies: int = 0

    @property
    def end(self) -> int:
        return max(self.after)

    def copy(self) -> str:
        self.copies += 1
        shutil.copytree(self.house.folder / "phone", self.house.folder / f"copy{self.copies}")
        return f"copy{self.copies}"

    def is_whole(self, phone: Phone, at_least: int) -> int:
        """The phone holds what it must hold at its cursor: no less, and no more. Returns where it stands."""
        seq = load_cursor(phone.handset).seq
        assert at_least <= seq <= self.end
        assert tables(phone) == self.after[seq]
        return seq


def tables(phone: Phone) -> dict[str, dict[Any, bytes]]:
    return {table: dict(phone.handset.store.all_bytes(table)) for table in ALL_TABLES}


@pytest.fixture
def waiting(house: House) -> Iterator[Waiting]:
    """Fourteen items wait: changed visits, verdicts, a visit taken back. A draft and unsent operations lie on the phone."""
    with house.enrol() as phone:
        for visit in house.visits:
            phone.arrive(visit)
            phone.note(visit, "portón azul")
        phone.push()
        phone.note(house.visits[1], "sin enviar")
        phone.save_draft(house.visits[2], {"words": "a medias"})
        start = load_cursor(phone.handset).seq
    for round_ in range(3):
        for visit in house.visits[: 3 - round_]:
            _change(house, UUID(visit))
        house.work()
    with transaction(house.agency) as session:
        withdraw_visit(session, UUID(house.visits[0]), reason="pagó", now=SystemClock().now(), by=None)
    house.work()
    waiting = Waiting(house, start, {})
    # Deletion of what is durable is not of this file's business: the copy reads pages, nothing else.
    with house.open(waiting.copy()) as phone:
        from sync.phone.pulling import _follow

        waiting.after[start] = tables(phone)

        def each(name: str) -> None:
            if name == "pull.page":
                waiting.after[load_cursor(phone.handset).seq] = tables(phone)

        phone.handset.step = each
        _follow(phone.door, 1)
    assert len(waiting.after) >= 12
    house.proxy.forget()
    yield waiting


def _change(house: House, visit: UUID) -> None:
    with transaction(house.agency) as session:
        session.execute(update(Visit).where(Visit.id == visit).values(assignment_version=Visit.assignment_version + 1))
        tell_agent(session, house.agent, ChangeKind.VISIT, visit)


def spoiled(phone: Phone, limit: int = PAGE) -> PhoneError | None:
    """One try. What went wrong, if anything did."""
    from sync.phone.pulling import pull as pull_feed

    try:
        pull_feed(phone.door, limit)
    except PhoneError as error:
        return error
    return None


def goes_on(phone: Phone) -> bool:
    """With the patience that a phone has: a connection that broke may only show when it is used again."""
    phone.door.patience = Patience(tries=4, first_s=0, sleep=lambda _: None)
    error = spoiled(phone)
    phone.door.patience = IMPATIENT
    print("goes on:", repr(error))  # seen where the test fails
    return error is None


STORING = [
    p for p in FAILPOINTS if p.part == "phone" and ("pulling" in p.place or "sheet" in p.place or "pull." in p.when)
]


def test_a_phone_killed_while_it_stores_a_page_stands_where_it_stored(waiting: Waiting) -> None:
    house = waiting.house
    deaths: list[tuple[Failpoint, int, int]] = []
    for point in STORING:
        for times in (1, 2, 4) if point.place.endswith("sheet:apply") else (1, 2):
            name = waiting.copy()
            child = start(pull, house.folder / name, PASSPHRASE, Armed(point, times), PAGE)
            child.join(30)
            assert child.exitcode == -signal.SIGKILL, f"{point}: never reached"
            with house.open(name) as phone:
                deaths.append((point, times, waiting.is_whole(phone, waiting.start)))
                assert goes_on(phone)
                assert waiting.is_whole(phone, waiting.end) == waiting.end
    assert len(STORING) >= 5
    # A page is stored whole or not at all, and its cursor with it.
    assert {(seq - waiting.start) % PAGE for _, _, seq in deaths} == {0}
    assert {seq for _, _, seq in deaths} >= {waiting.start, waiting.start + PAGE}


def _body(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Another body, with the length that it really has."""

    def swap(reply: bytes) -> bytes:
        head, _, body = reply.partition(b"\r\n\r\n")
        body = change(body)
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
        return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])

    return swap


def _document(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes], bytes]:
    def changed(body: bytes) -> bytes:
        page = page_of(body)
        change(page)
        return page_bytes(page)

    return _body(changed)


def _status(line: bytes, body: bytes = b"<html>sorry</html>") -> Callable[[bytes], bytes]:
    return lambda _reply: (
        b"HTTP/1.1 %s\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s" % (line, len(body), body)
    )


LIES: dict[str, Callable[[bytes], bytes]] = {
    "500": _status(b"500 Internal Server Error"),
    "502": _status(b"502 Bad Gateway"),
    "404": _status(b"404 Not Found"),
    "captive portal": _status(b"200 OK"),
    "no http": lambda _reply: b"\x00\xffnonsense\r\n\r\n",
    "nothing": lambda _reply: b"",
    "empty body": _body(lambda _body: b""),
    "empty object": _body(lambda _body: b"{}"),
    "null": _body(lambda _body: b"null"),
    "half the page": _body(lambda body: body[: len(body) // 2]),
    "all but the last byte": _body(lambda body: body[:-1]),
    "all but the last record": _body(lambda body: body[: records(body)[-2][4]]),
    "something after its end": _body(lambda body: body + body),
    "a record of four gigabytes": _body(lambda body: body[:2] + b"\xff" * 8 + body[10:]),
    "a length too long": lambda reply: reply.replace(b"Content-Length: ", b"Content-Length: 9"),
    "a length too short": lambda reply: reply.replace(b"Content-Length: ", b"Content-Length: 1", 1)[:-1000],
    "no length": lambda reply: reply.replace(b"Content-Length", b"X-Nothing"),
    "fewer items": _document(lambda page: page["items"].pop()),
    "no items": _document(lambda page: page["items"].clear()),
    "no items and no more": _document(lambda page: page.update(items=[], more=False)),
    "no first item": _document(lambda page: page["items"].pop(0)),
    "items swapped": _document(lambda page: page["items"].reverse()),
    "an item twice": _document(lambda page: page["items"].insert(1, page["items"][0])),
    "no sheet keys": _document(lambda page: page["sheet_keys"].clear()),
    "items as sheet keys": _document(
        lambda page: page.update(
            items=[], sheet_keys=[{"statement": item["h"], "sig": item["sig"]} for item in page["items"]]
        )
    ),
    "an item without anything": _document(
        lambda page: page["items"].__setitem__(1, dict.fromkeys(("h", "ct", "sig"), ""))
    ),
    "a more that is none": _body(lambda body: body.replace(b'"more":true', b'"more":1234')),
    "NaN": _body(lambda body: body.replace(b'"more":true', b'"more": NaN')),
    "a flipped signature": _document(lambda page: page["items"][2].update(sig=page["items"][1]["sig"])),
}


def test_no_wrong_page_takes_anything_off_the_sheet(waiting: Waiting) -> None:
    proxy = waiting.house.proxy
    for name, lie in LIES.items():
        with waiting.house.open(waiting.copy()) as phone:
            for _turn in ("the first page", "one in the middle"):
                at = load_cursor(phone.handset).seq
                proxy.spoil(Fault(reply=lie), FEED)
                spoiled(phone)
                assert proxy.unspoiled() == 0, name
                if (stands := waiting.is_whole(phone, at)) == at:
                    _one_page(phone)
                elif stands == waiting.end:
                    break  # a page with less in it is a page: the next ones brought the rest
            assert goes_on(phone), name
            waiting.is_whole(phone, waiting.end)


def _one_page(phone: Phone) -> None:
    """Go on by one good page, so that the next lie meets the middle of the feed."""
    from sync.phone.pulling import _take_page
    from sync.phone.records import read_page

    cursor = load_cursor(phone.handset)
    phone.door.patience = Patience(tries=4, first_s=0, sleep=lambda _: None)
    page = phone.door.call("GET", "/feed", f"after={cursor.text()}&limit={PAGE}").body
    phone.door.patience = IMPATIENT
    _take_page(phone.handset, cursor, read_page(page))


@pytest.mark.parametrize("cuts", [14, pytest.param(1500, marks=pytest.mark.prove)], ids=["short", "long"])
def test_a_page_cut_or_changed_at_any_byte(waiting: Waiting, cuts: int) -> None:
    chance = random.Random(6)
    house = waiting.house
    changed_nothing = 0
    with house.open(waiting.copy()) as phone:
        assert goes_on(phone)
        whole = len(house.proxy.exchanges[-1].replies[0])
    for number in range(cuts):
        with house.open(waiting.copy()) as phone:
            at = chance.randrange(whole)
            house.proxy.spoil(Fault(cut_reply_at=at) if number % 2 else Fault(reply=_flipped(at, chance)), FEED)
            spoiled(phone)
            changed_nothing += waiting.is_whole(phone, waiting.start) == waiting.start
            assert goes_on(phone)
            waiting.is_whole(phone, waiting.end)
        shutil.rmtree(house.folder / f"copy{waiting.copies}")
    assert changed_nothing > cuts / 3


def _flipped(at: int, chance: random.Random) -> Callable[[bytes], bytes]:
    bit = 1 << chance.randrange(8)
    return lambda reply: reply[: at % len(reply)] + bytes([reply[at % len(reply)] ^ bit]) + reply[at % len(reply) + 1 :]


def _each(body: bytes) -> list[bytes]:
    """The bytes of each record."""
    return [body[start:end] for start, end in pairwise([0, *(one[4] for one in records(body))])]


RESYNC = _status(b"410 Gone", b'{"code":"resync-required"}')
SNAPSHOT_LIES: dict[str, Callable[[bytes], bytes]] = {
    **{name: LIES[name] for name in ("500", "404", "captive portal", "nothing", "empty body", "a length too long")},
    "half of it": _body(lambda body: body[: len(body) // 2]),
    "the manifest alone": _body(lambda body: body[: records(body)[1][4]]),
    "a line less": _body(lambda body: body[: records(body)[-2][4]]),
    "lines swapped": _body(lambda body: b"".join([*_each(body)[:2], *_each(body)[:1:-1]])),
    "no manifest": _body(lambda body: b"".join([_each(body)[0], *_each(body)[2:]])),
    "no count": _body(lambda body: body.replace(b'"count"', b'"tnuoc"', 1)),
    "another phone's bytes behind": _body(lambda body: body + body),
}


@dataclass
class Resync:
    """What the phone holds before the snapshot and after it."""

    waiting: Waiting
    before: dict[str, dict[Any, bytes]]
    after: dict[str, dict[Any, bytes]]

    def send_to_snapshot(self, *spoiled: Fault) -> None:
        self.waiting.house.proxy.spoil(Fault(reply=RESYNC, hangs_up=False), FEED)
        for fault in spoiled:
            self.waiting.house.proxy.spoil(fault, SNAPSHOT)

    def is_whole(self, phone: Phone) -> bool:
        """Whether the snapshot was taken: all of it, or nothing of it."""
        taken = load_cursor(phone.handset).seq == self.waiting.end
        assert tables(phone) == (self.after if taken else self.before)
        return taken


@pytest.fixture
def resync(waiting: Waiting) -> Resync:
    with waiting.house.open(waiting.copy()) as phone:
        before = tables(phone)
        resync = Resync(waiting, before, {})
        resync.send_to_snapshot()
        refused = spoiled(phone)
        assert refused is not None and refused.code == "snapshot-not-ready"
        waiting.house.work()
        resync.send_to_snapshot()
        assert goes_on(phone)
        resync.after = tables(phone)
    untouched = [table for table in ALL_TABLES if table != "sheet"]
    assert all(resync.after[table] == before[table] for table in untouched)
    # The visit that was taken back is no more in it; the others and the route are.
    assert len(resync.after["sheet"]) == len(before["sheet"]) - 1 >= 3
    return resync


def test_no_wrong_snapshot_takes_anything_off_the_sheet(resync: Resync) -> None:
    waiting = resync.waiting
    whole = len(waiting.house.proxy.exchanges[-2].replies[0])
    faults = {name: Fault(reply=lie) for name, lie in SNAPSHOT_LIES.items()}
    faults |= {f"cut at {at}": Fault(cut_reply_at=at) for at in (1, 60, 400, whole // 2, whole - 1)}
    for name, fault in faults.items():
        with waiting.house.open(waiting.copy()) as phone:
            resync.send_to_snapshot(fault)
            assert spoiled(phone) is not None, name
            assert waiting.house.proxy.unspoiled() == 0 and not resync.is_whole(phone), name
            resync.send_to_snapshot()
            assert goes_on(phone), name
            assert resync.is_whole(phone)


def test_a_phone_killed_while_it_takes_a_snapshot_has_the_old_sheet_or_the_new_one(resync: Resync) -> None:
    house = resync.waiting.house
    pieces = Failpoint(101, "phone", "sync.phone.handset:Handset.step", "pull.piece", "a piece stored")
    cleared = Failpoint(102, "phone", "sync.phone.store:Store.clear", "after", "the old sheet cleared, not committed")
    cursor = next(p for p in STORING if p.place.endswith("save_cursor") and p.when == "after")
    written = next(p for p in STORING if p.place.endswith("sheet:apply"))
    for point, times in ((pieces, 1), (cleared, 1), (cleared, 2), (cursor, 1), (written, 2)):
        name = resync.waiting.copy()
        resync.send_to_snapshot()
        child = start(pull, house.folder / name, PASSPHRASE, Armed(point, times), PAGE)
        child.join(30)
        assert child.exitcode == -signal.SIGKILL, f"{point}: never reached"
        with house.open(name) as phone:
            assert not resync.is_whole(phone)
            resync.send_to_snapshot()
            assert goes_on(phone)
            assert resync.is_whole(phone)
