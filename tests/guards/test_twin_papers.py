"""Twin papers and plans: what is drawn and who is visited when, with the real layout and the real solver.

A visit sheet and a legend card are the same bytes whatever anybody owes. Of a letter, whose inside goes into a sealed
envelope, what shows outside is the same: the address page, the file's own information, and that it exists. How many pages lie
behind the address page may differ with the text: they are for the addressee, inside the envelope (docs/letters.md).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import delete, func, select, update

from doorstep.planning import planning_parts
from doorstep.server import Server
from field_api.adapters.typst_papers import TypstPapers
from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.ports import Paper, PaperJob
from field_api.platform.database import transaction
from field_api.queries.route_sheets import route_sheets
from field_api.records.people import Address
from field_api.records.planning import Agent, Plan, Route, Shift, Stop
from field_api.records.visits import Letter, Visit
from field_api.usecases.issue_papers import letter_data, made_at, sheet_job
from field_api.usecases.plan_day import plan_day
from field_api.usecases.print_legend import print_legend
from field_api.usecases.publish_plan import publish_plan
from sync.mailbox import FeedItem
from sync.office.work import work_once
from tests.twins.hidden import COUNTED
from tests.twins.sides import Side, Twins, TwinWorld, twin_installations
from tests.twins.world import DAY, NOON

LATER = date(2026, 11, 25)


@pytest.fixture(scope="module")
def twins(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    folder: Path = tmp_path_factory.mktemp("papers")
    with twin_installations(postgres, folder) as made:
        yield made


def _papers(side: Side, world: TwinWorld) -> tuple[list[bytes], list[Any]]:
    """Sheets and the card as bytes; of each letter its address page and what the file says of itself."""
    renderer = TypstPapers()
    with side.office.app_context(), transaction(world.known.agency) as session:
        with audience(Audience.AGENT):
            sheets = renderer.render([sheet_job(found) for found in route_sheets(session, plan_id=world.known.plan)])
            card = print_legend("es", renderer=renderer)
        letters = session.scalars(select(Letter).order_by(Letter.visit_id, Letter.account_id)).all()
        assert {letter.state for letter in letters} == {"wanted"}
        with audience(Audience.ENTITLED_PARTY):
            drawn = renderer.render([PaperJob("letter", letter_data(letter), made_at(DAY)) for letter in letters])
    made = [paper for paper in (*sheets, card, *drawn) if isinstance(paper, Paper)]
    assert len(made) == len(sheets) + 1 + len(drawn) >= 6
    outside = [_outside(paper.pdf) for paper in drawn if isinstance(paper, Paper)]
    return [paper.pdf for paper in (*sheets, card) if isinstance(paper, Paper)], outside


def _outside(pdf: bytes) -> tuple[str, dict[str, str]]:
    reader = PdfReader(io.BytesIO(pdf))
    return reader.pages[0].extract_text(), {name: str(value) for name, value in (reader.metadata or {}).items()}


@pytest.mark.parametrize("kind", ["everything", "more accounts"])
def test_paper_that_may_be_seen_is_the_same_bytes(twins: Twins, kind: str) -> None:
    world = twins.world(7, kind)
    (left, left_outside), (right, right_outside) = (_papers(side, world) for side in twins.sides)
    assert left == right
    assert "Inventada" in left_outside[0][0] and "$" not in left_outside[0][0]
    if kind in COUNTED:  # one letter for each account: another number of envelopes, all looking alike
        assert _but_serials(left_outside) == _but_serials(right_outside)
    else:
        assert left_outside == right_outside


def _but_serials(outside: list[tuple[str, dict[str, str]]]) -> set[str]:
    """The address pages without their last line, which is a serial that carries no reference."""
    parted = [page.rpartition("\n") for page, _ in outside]
    assert all(re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{13}", serial) for _, _, serial in parted)
    return {address for address, _, _ in parted}


def _planned(side: Side, twins: Twins, world: TwinWorld) -> list[Any]:
    """The day's route as the real planner makes it, once nobody is on another one; with lunch, skills and known times."""
    agency = world.known.agency
    twins.chance.begin(f"{agency}|plan")
    with side.office.app_context(), transaction(agency) as session:
        session.execute(update(Visit).values(stop_id=None, state="withdrawn", withdrawn_at=NOON))
        session.execute(delete(Stop))
        first, second, *_ = session.scalars(select(Address.id).order_by(Address.street, Address.id))
        session.execute(update(Agent).values(skills=["sign-language"], most_stops=12))
        session.execute(update(Shift).values(lunch_minutes=40, lunch_from=time(12, 30), lunch_until=time(14)))
        session.execute(update(Address).where(Address.id == first).values(known_times=["mon-sun 15:00-16:30"]))
        session.execute(update(Address).where(Address.id == second).values(needed_skills=["sign-language"]))
        plan = plan_day(session, LATER, parts=planning_parts(), now=NOON, created_by=None, seed=3)
        session.flush()
        query = (
            select(Route.agent_id, Stop.position, Stop.address_id, Stop.arrival_from, Stop.arrival_to, Visit.person_id)
            .join(Stop, Stop.route_id == Route.id)
            .join(Visit, Visit.stop_id == Stop.id)
            .join(Plan, Plan.id == Route.plan_id)
            .where(Plan.id == plan.id)
            .order_by(Route.agent_id, Stop.position, Visit.person_id)
        )
        return [tuple(row) for row in session.execute(query)]


def _published(side: Side, twins: Twins, world: TwinWorld) -> list[Any]:
    """What of the plan reaches sheets and phones: the sheets' data, and each item's size, in order."""
    agency = world.known.agency
    twins.chance.begin(f"{agency}|publish")
    with side.office.app_context():
        with transaction(agency) as session:
            plan_id = session.scalars(select(Plan.id).where(Plan.for_day == LATER)).one()
            publish_plan(session, plan_id, parts=planning_parts(), now=NOON, published_by=None)
            with audience(Audience.AGENT):
                sheets = [sheet_job(found).data for found in route_sheets(session, plan_id=plan_id)]
            stops = sorted(session.execute(_times(plan_id)).all())
        work_once(side.office, agency, NOON)
        with transaction(agency) as session:
            items = session.execute(
                select(FeedItem.device_id, FeedItem.seq, func.length(FeedItem.ct)).order_by(
                    FeedItem.device_id, FeedItem.seq
                )
            )
            return [sheets, stops, [tuple(row) for row in items]]


def _times(plan_id: Any) -> Any:
    """Of every stop, when: what goes to phones in the open; and each route's lunch."""
    return (
        select(Stop.position, Stop.arrival_from, Stop.arrival_to, Stop.visit_until, Stop.service_s, Route.lunch_at)
        .join(Route, Route.id == Stop.route_id)
        .where(Route.plan_id == plan_id)
    )


@pytest.mark.parametrize("kind", ["digits", "names", "more accounts"])
def test_the_order_of_a_route_does_not_follow_from_what_is_owed(twins: Twins, kind: str) -> None:
    world = twins.world(8, kind)
    left, right = (_planned(side, twins, world) for side in twins.sides)
    assert left == right
    assert len({address for _, _, address, *_ in left}) == 4, "all four places are visited in both"
    out, beside = (_published(side, twins, world) for side in twins.sides)
    assert out == beside
    sheets, stops, items = out
    assert sheets and stops and items and all(lunch_at is not None for *_, lunch_at in stops)
