"""The feed is a dense, exact prefix of what committed, whoever writes, rolls back or is killed around a commit."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from fault_world import House
from processes import start
from proxy import Exchange
from sqlalchemy import func, select
from writers import write

from field_api.platform.database import transaction
from field_api.platform.sealing import b64u
from field_api.records.changes import Change
from field_api.records.visits import Visit
from sync.mailbox import FeedHead, FeedItem
from sync.phone import Phone, sheet
from sync.phone.feed import Content
from tests.door_client import page_of as page_of_bytes

pytest_plugins = ["fault_fixtures"]
pytestmark = pytest.mark.xdist_group("faults")
WRITERS = 8


@dataclass
class Reader:
    """A real phone that polls; everything that it is served is kept, and what had committed before it asked."""

    house: House
    phone: Phone
    committed_before: list[int] = field(default_factory=list)
    versions: dict[tuple[str, str], int] = field(default_factory=dict)
    backwards: list[Content] = field(default_factory=list)

    def see(self, content: Content) -> None:
        key = (content.kind, content.ref)
        if content.version <= self.versions.get(key, 0):
            self.backwards.append(content)
        self.versions[key] = content.version

    def poll(self, limit: int) -> None:
        with transaction(self.house.agency) as session:
            head = session.scalar(select(FeedHead.seq)) or 0
        before = len(self.house.proxy.exchanges)
        self.phone.pull(limit)
        pages = [e for e in self.house.proxy.exchanges[before:] if e.line.startswith("GET /phone/v1/feed")]
        last = page_of(pages[-1])
        assert not last.more and last.after + len(last.items) >= head, "something committed was not served"


@dataclass(frozen=True)
class Page:
    after: int
    items: list[tuple[str, str, str]]
    more: bool


def page_of(exchange: Exchange) -> Page:
    query = parse_qs(urlsplit(exchange.line.split()[1]).query)
    body = page_of_bytes(exchange.replies[0].partition(b"\r\n\r\n")[2])
    after = int(query["after"][0].split(".")[1]) if "after" in query else 0
    return Page(after, [(item["h"], item["ct"], item["sig"]) for item in body["items"]], body["more"])


def committed(house: House) -> list[tuple[str, str, str]]:
    with transaction(house.agency) as session:
        rows = session.execute(select(FeedItem.seq, FeedItem.head, FeedItem.ct, FeedItem.sig).order_by(FeedItem.seq))
        numbered = [(row.seq, (b64u(row.head), b64u(row.ct), b64u(row.sig))) for row in rows]
    assert [seq for seq, _ in numbered] == list(range(1, len(numbered) + 1))
    return [item for _, item in numbered]


@dataclass
class Crowd:
    """Eight writers at a time, `lives` in all. `died` counts those that killed themselves."""

    house: House
    told: Path
    lives: int
    rounds: int
    died: int = 0
    next: int = 0
    living: list[BaseProcess] = field(default_factory=list)

    def look_after(self) -> bool:
        """Reap the dead, start others in their place. False when all lives are lived."""
        for process in [one for one in self.living if not one.is_alive()]:
            process.join()
            assert process.exitcode in (0, -signal.SIGKILL), process.exitcode
            self.died += process.exitcode != 0
            self.living.remove(process)
        while len(self.living) < WRITERS and self.next < self.lives:
            settings = self.house.parts.office_settings
            arguments = (self.house.agency, self.house.agent, self.house.visits, self.next, self.rounds, self.told)
            self.living.append(start(write, settings, *arguments))
            self.next += 1
        return bool(self.living)


@pytest.fixture
def reader(house: House, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    with house.enrol() as phone:
        reader = Reader(house, phone)
        apply = sheet.apply

        def seen(handset: object, content: Content) -> None:
            reader.see(content)
            apply(handset, content)  # type: ignore[arg-type]  # a handset

        monkeypatch.setattr(sheet, "apply", seen)
        yield reader


@pytest.mark.parametrize(
    ("lives", "rounds"), [(14, 4), pytest.param(200, 25, marks=pytest.mark.prove)], ids=["short", "long"]
)
def test_every_page_is_a_dense_exact_prefix_of_what_committed(
    reader: Reader, tmp_path: Path, lives: int, rounds: int
) -> None:
    house = reader.house
    crowd = Crowd(house, tmp_path / "told", lives, rounds)
    polls = 0
    while crowd.look_after():
        reader.poll(limit=(1, 3, 100)[polls % 3])
        polls += 1
    house.work()
    reader.poll(limit=7)

    truth = committed(house)
    pages = [page_of(e) for e in house.proxy.exchanges if e.line.startswith("GET /phone/v1/feed")]
    for page in pages:
        assert page.items == truth[page.after : page.after + len(page.items)], (
            "a gap, another order, or never committed"
        )
    read = [item for page in pages for item in page.items]
    assert read == truth, "nothing twice, nothing left out"
    assert reader.backwards == []
    with transaction(house.agency) as session:
        assert session.scalar(select(func.count()).select_from(Change)) == 0
        versions = {
            str(row.id): row.assignment_version for row in session.execute(select(Visit.id, Visit.assignment_version))
        }
    assert {v: sheet.visit_of(reader.phone.handset, v)["assignment_version"] for v in versions} == versions
    told = Counter((tmp_path / "told").read_text().split())
    changes = sum(versions.values()) - len(versions)
    assert sum(told.values()) <= changes <= sum(told.values()) + crowd.died
    assert crowd.died > 0 and polls > 10 and {UUID(visit) for visit in told} <= set(map(UUID, versions))
    print(f"{lives} writers' lives, {crowd.died} killed, {changes} changes, {len(truth)} items, {polls} polls")
