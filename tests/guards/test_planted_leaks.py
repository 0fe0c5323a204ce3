"""Planted leaks: the real application with one leak at a time; every one is caught, and without one nothing is.

A leak plants the twins' own secrets (who owes more, how much, to whom) somewhere. It is caught by the *start-up*, which
refuses to come up; by the *gate*, which refuses to let it out; or by the *twins* (tests/twins), who can then be told
apart. The test names for each leak what must catch it. A leak that asks several steps is caught if any of them is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import flask
import marshmallow as ma
import pytest
import structlog
from flask import current_app
from sqlalchemy import event, select

from doorstep.app import office_app
from doorstep.server import Server
from field_api.domain.disclosure import Audience, Label
from field_api.http import blueprints
from field_api.http.guard import UndeclaredRoute
from field_api.http.permits import answers, permitted
from field_api.http.schemas.labelled import Schema, SchemaRefused, confidential, internal
from field_api.platform.crash import StartRefused
from field_api.platform.database import transaction
from field_api.platform.egress import OutletKind, Registry, check_declared
from field_api.platform.problems import Problem
from field_api.records.changes import Change
from field_api.records.visits import Visit
from field_api.usecases.operation_context import AtTheDoor
from tests.twins.run import Comparison, first_words
from tests.twins.sides import Twins, twin_installations
from tests.twins.world import DAY

AGENTS = "/api/v1/agents"
START, GATE, TWINS = "start-up", "gate", "twins"
pytestmark = pytest.mark.xdist_group("planted leaks")


@dataclass
class Bench:
    """Two pairs of worlds to plant leaks in, and what is secret of the side that runs just now."""

    twins: Twins
    steady: Comparison  # for leaks that leave nothing behind

    @property
    def side(self) -> int:
        app = current_app._get_current_object()
        return next(n for n, side in enumerate(self.twins.sides) if side.office is app)

    @property
    def owes(self) -> int:
        """What all owe together: the two twins differ in it."""
        hidden = self.steady.world.hidden[self.side]
        return sum(hidden.owed(number).balance_minor for number in range(1, 8))

    @property
    def owes_more(self) -> bool:
        return self.side == max((0, 1), key=self._owed_by)

    def _owed_by(self, side: int) -> int:
        return sum(self.steady.world.hidden[side].owed(number).balance_minor for number in range(1, 8))

    @property
    def creditor(self) -> str:
        return self.steady.world.hidden[self.side].creditor_name()


Plant = Callable[[Bench], Any]
Steps = Callable[[Comparison], None]


@dataclass(frozen=True)
class Leak:
    """`plant(bench)` is a context manager; `fresh` is the kind of a new pair of worlds, where the leak leaves traces."""

    name: str
    plant: Plant
    steps: Steps
    caught_by: str
    fresh: str | None = None


@pytest.fixture(scope="module")
def bench(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder: Path = tmp_path_factory.mktemp("leaks")
    with twin_installations(postgres, folder) as twins:
        yield Bench(twins, _comparison(twins, "everything"))


def _comparison(twins: Twins, kind: str) -> Comparison:
    comparison = Comparison(twins, twins.world(1, kind))
    comparison.requests.wrong = 0
    return comparison


# What is asked


def _agents(comparison: Comparison) -> None:
    comparison.exactly("GET", AGENTS, "admin")


def _first_agent(comparison: Comparison) -> None:
    comparison.exactly("GET", AGENTS, "admin", limit="1")


def _console(comparison: Comparison) -> None:
    comparison.exactly("GET", "/console/", "admin")
    comparison.exactly("GET", "/console/", "anonymous")


def _route(comparison: Comparison) -> None:
    agent = str(comparison.world.known.agent)
    comparison.exactly("GET", f"{AGENTS}/{agent}/route", "dispatcher", f"{AGENTS}/{{agent_id}}/route", day=str(DAY))


def _feed(comparison: Comparison) -> None:
    (feed,) = (one for one in comparison.door_operations if one.path.endswith("/feed"))
    with patch("tests.twins.door.DoorRequest.pick", lambda _request, *_: "limit=200"):
        comparison.ask(feed, "phone")
    comparison.tables()


def _snapshot(comparison: Comparison) -> None:
    (snapshot,) = (one for one in comparison.door_operations if one.path.endswith("/snapshot"))
    with patch("tests.twins.door.DoorRequest.pick", lambda _request, *_: None):
        comparison.ask(snapshot, "phone")


def _promises(comparison: Comparison) -> None:
    comparison.promises()


def _papers(comparison: Comparison) -> None:
    known = comparison.world.known
    path = "/api/v1/plans/{plan_id}/papers"
    comparison.exactly("POST", path.replace("{plan_id}", str(known.plan)), "dispatcher", path)
    path = "/api/v1/routes/{route_id}/sheet"
    comparison.exactly("GET", path.replace("{route_id}", str(known.route)), "dispatcher", path)
    comparison.object_names()


def _changes(comparison: Comparison) -> None:
    """As a new code does: a row for the publisher, looked at before it is published."""
    known = comparison.world.known
    for side in comparison.twins.sides:
        with side.office.app_context(), transaction(known.agency) as session:
            for visit in session.scalars(select(Visit).where(Visit.state == "published").order_by(Visit.id)):
                session.add(Change(agent_id=visit.agent_id, kind="visit", ref=visit.id))
    comparison.tables()


def _nothing(_comparison: Comparison) -> None:
    """For leaks that do not come up."""


# How it is planted


def answering(endpoint: str, change: Callable[[Any, Bench], Any]) -> Plant:
    """The view's response, changed with the running side's secret before the gate sees it."""

    @contextmanager
    def planted(bench: Bench) -> Iterator[None]:
        with ExitStack() as stack:
            for side in bench.twins.sides:
                view = side.office.view_functions[endpoint]

                def leaking(_view: Any = view, **values: Any) -> Any:
                    response = flask.make_response(_view(**values))
                    change(response, bench)
                    return response

                stack.enter_context(patch.dict(side.office.view_functions, {endpoint: leaking}))
            yield

    return planted


def saying(change: Callable[[Any, Bench], None], endpoint: str = "agents.list_agents") -> Plant:
    """The JSON of a response, changed."""

    def rewrite(response: Any, bench: Bench) -> None:
        said = response.get_json()
        change(said, bench)
        response.set_data(flask.json.dumps(said))

    return answering(endpoint, rewrite)


def instead(target: str, make: Callable[[Any, Bench], Any]) -> Plant:
    """A function of the application, wrapped."""

    @contextmanager
    def planted(bench: Bench) -> Iterator[None]:
        module, _, name = target.rpartition(".")
        original = getattr(__import__(module, fromlist=[name]), name)
        with patch(target, make(original, bench)):
            yield

    return planted


def starting(start: Callable[[Bench], Any]) -> Plant:
    """Something that is refused while the process comes up."""

    @contextmanager
    def planted(bench: Bench) -> Iterator[None]:
        start(bench)
        yield

    return planted


def _conflict(_response: Any, bench: Bench) -> None:
    raise Problem("conflict", f"{bench.owes} is owed already")


def _marked(response: Any, bench: Bench) -> None:
    response.set_data(response.data.replace(b"<table>", b'<table class="rich">' if bench.owes_more else b"<table>"))


def _log_line(_response: Any, bench: Bench) -> None:
    structlog.get_logger().error("incident", incident="0" * 16, place=f"agents:{bench.owes}")


def _in_hint(original: Any, bench: Bench) -> Any:
    return lambda *values: replace(original(*values), hint=bench.creditor)


def _open_with(change: Callable[[dict[str, Any], Bench], None]) -> Callable[[Any, Bench], Any]:
    def wrap(original: Any, bench: Bench) -> Any:
        def body(*values: Any, **named: Any) -> Any:
            made = original(*values, **named)
            change(made, bench)
            return made

        return body

    return wrap


def _service_by_accounts(original: Any, _bench: Bench) -> Any:
    def stop(item: Any) -> Any:
        made = original(item)
        return made and {**made, "service_s": 600 * len(item.accounts)}

    return stop


def _stops_by_balance(original: Any, bench: Bench) -> Any:
    def route(*values: Any) -> Any:
        found = original(*values)
        return replace(found, stops=found.stops[::-1]) if bench.owes_more else found

    return route


def _poorer_agents(original: Any, bench: Bench) -> Any:
    from field_api.records.planning import Agent

    return lambda: original().where(Agent.code != "MX-2") if bench.owes_more else original()


def _longer(line: Any, more: bool) -> Any:
    """A snapshot's line whose JSON has a space to spare."""
    return replace(line, document=line.document[:-1] + b" " * more + line.document[-1:])


def _unpadded(original: Any, _bench: Bench) -> Any:
    from sync.packing import packed_length

    return lambda value, size: original(value, packed_length(value))


@contextmanager
def _titled_papers(bench: Bench) -> Iterator[None]:
    """The PDF's own information says it; what draws papers says nothing of the kind by itself."""
    import io

    from pypdf import PdfReader, PdfWriter

    from tests.twins import sides

    draw, render = sides.pdf_of, sides.DataPapers.render

    def with_subject(data: bytes, owes: int) -> bytes:
        written = io.BytesIO()
        writer = PdfWriter(clone_from=PdfReader(io.BytesIO(draw(data))))
        writer.add_metadata({"/Subject": str(owes)})
        writer.write(written)
        return written.getvalue()

    def leaking(papers: Any, jobs: Any) -> Any:
        owes = bench.owes  # papers are drawn in threads, which know no running application
        with patch.object(sides, "pdf_of", lambda data: with_subject(data, owes)):
            return render(papers, jobs)

    with patch.object(sides.DataPapers, "render", leaking):
        yield


@contextmanager
def _verdicts_compare(_bench: Bench) -> Iterator[None]:
    with patch.object(AtTheDoor, "withhold", AtTheDoor.flag):
        yield


@contextmanager
def _urgent_changes(bench: Bench) -> Iterator[None]:
    def mark(_mapper: Any, _connection: Any, change: Change) -> None:
        change.urgent = bench.owes_more

    event.listen(Change, "before_insert", mark)
    try:
        yield
    finally:
        event.remove(Change, "before_insert", mark)


@contextmanager
def _names_of_objects(bench: Bench) -> Iterator[None]:
    from field_api.adapters import object_names

    serial = iter(range(10**6))
    with patch.object(object_names.secrets, "token_hex", lambda size: f"{bench.owes:024x}{next(serial):08x}"):
        yield


def _schema(label: Callable[[Any], Any]) -> Callable[[Bench], Any]:
    def make(_bench: Bench) -> Any:
        fields = {"audiences": frozenset({Audience.ADMIN}), "balance_minor": label(ma.fields.Integer())}
        return type("LeakingSchema", (Schema,), {"__module__": __name__, **fields})

    return make


def _route_without(*marks: Callable[[Any], Any]) -> Callable[[Bench], Any]:
    def start(bench: Bench) -> Any:
        page = flask.Blueprint("leaking", __name__)

        def view() -> str:
            return str(bench.owes)

        for mark in marks:
            view = mark(view)
        page.get("/balances")(view)
        with patch.object(blueprints, "PAGES", (*blueprints.PAGES, page)):
            return office_app(bench.twins.sides[0].settings)

    return start


def _undeclared_item(_bench: Bench) -> Any:
    return check_declared([(OutletKind.FEED_ITEM, "balance")])


def _secret_metric(_bench: Bench) -> Any:
    return Registry().declare(OutletKind.METRIC, "visits", Audience.MACHINE, shape={"creditor": Label.CONFIDENTIAL})


def _undeclared_metric(_bench: Bench) -> Any:
    return check_declared([(OutletKind.METRIC, "visits_by_creditor")])


LIST = "agents.list_agents"
LEAKS = (
    Leak("a schema that gives administrators a balance", starting(_schema(confidential)), _nothing, START),
    Leak("a schema with a field that nobody labelled", starting(_schema(lambda one: one)), _nothing, START),
    Leak("a free-form field labelled harmless", starting(_schema(lambda _: internal(ma.fields.Raw()))), _nothing, START),
    Leak("a page that declares nothing", starting(_route_without()), _nothing, START),
    Leak(
        "a page for an audience that its permission does not let in",
        starting(_route_without(permitted("accounts.read"), answers(Audience.ADMIN))), _nothing, START,
    ),
    Leak("a feed-item kind that nobody declared", starting(_undeclared_item), _nothing, START),
    Leak("a metric with the creditor's name as label", starting(_secret_metric), _nothing, START),
    Leak("a metric that nobody declared", starting(_undeclared_metric), _nothing, START),
    Leak("a field", saying(lambda said, b: said["items"][0].update(balance_minor=b.owes)), _agents, GATE),
    Leak("a derived flag in a field that may be there", saying(
        lambda said, b: said["items"][0].update(active=not b.owes_more)), _agents, TWINS),
    Leak("a number in a text that may be there", saying(
        lambda said, b: said["items"][0].update(territory=f"zone {b.owes}")), _agents, TWINS),
    Leak("an order", saying(lambda said, b: b.owes_more and said["items"].reverse()), _agents, TWINS),
    Leak("a page's cursor", saying(
        lambda said, b: said.update(next=f"{said['next']}.{b.owes}")), _first_agent, TWINS),
    Leak("a filter whose hits depend on it", instead("field_api.http.agents.agents", _poorer_agents), _agents, TWINS),
    Leak("a status code", answering(LIST, lambda r, b: setattr(r, "status_code", 200 + b.owes_more)), _agents, TWINS),
    Leak("an ETag", answering(LIST, lambda r, b: r.set_etag(str(b.owes))), _agents, GATE),
    Leak("a time of change", answering(
        LIST, lambda r, b: r.headers.set("Last-Modified", f"Wed, 18 Nov 2026 1{b.side}:00:00 GMT")), _agents, GATE),
    Leak("a header", answering(LIST, lambda r, b: r.headers.set("X-Owed", str(b.owes))), _agents, GATE),
    Leak("a cookie", answering(LIST, lambda r, b: r.set_cookie("seen", str(b.owes))), _agents, GATE),
    Leak("a length", answering(LIST, lambda r, b: r.set_data(r.data + b" " * b.owes_more)), _agents, TWINS),
    Leak("an error's text", answering(LIST, _conflict), _agents, TWINS),
    Leak("a log line", answering(LIST, _log_line), _agents, TWINS),
    Leak("where one is sent to sign in", instead("field_api.http.console.url_for", lambda original, b: (
        lambda *a, **n: original(*a, **{**n, "next": f"/console/?day={b.owes}"}))), _console, GATE),
    Leak("a count on the console", instead("field_api.http.console._devices", lambda original, b: (
        lambda session: replace(original(session), title=f"Phones {b.owes % 997}"))), _console, TWINS),
    Leak("a mark in the console's HTML", answering("console.show", _marked), _console, TWINS),
    Leak("stops of a route by what is owed there", instead(
        "field_api.http.agents.route_of_agent", _stops_by_balance), _route, TWINS),
    Leak("a balance in the open part", instead("sync.office.visit_body._body", _open_with(
        lambda body, b: body["open"].update(balance_minor=b.owes))), _feed, GATE, "everything"),
    Leak("the creditor in a hint of the open part", instead("sync.office.visit_body._body", _open_with(
        lambda body, b: body["open"]["address"].update(hint=b.creditor))), _feed, TWINS, "everything"),
    Leak("the number of accounts in the minutes of a stop", instead(
        "sync.office.visit_body._stop", _service_by_accounts), _feed, TWINS, "more accounts"),
    Leak("an item that is not padded", instead("sync.office.items.pack", _unpadded), _feed, GATE, "everything"),
    Leak("items by what is owed", instead("sync.office.publish.refs_of", lambda original, b: (
        lambda rows: original(rows)[::-1] if b.owes_more else original(rows))), _feed, TWINS, "everything"),
    Leak("a snapshot's size", instead("sync.office.snapshots._line", lambda original, b: (
        lambda *values: _longer(original(*values), b.owes_more))), _snapshot, TWINS, "everything"),
    Leak("a verdict that says how a promise compares with the balance",
        _verdicts_compare, _promises, TWINS, "threshold"),
    Leak("a job's row", _urgent_changes, _changes, TWINS, "everything"),
    Leak("the creditor on the visit sheet", instead(
        "field_api.queries.route_sheets._sheet_stop", _in_hint), _papers, TWINS, "everything"),
    Leak("a field of the sheet's data", instead("field_api.usecases.issue_papers.sheet_data", _open_with(
        lambda data, b: data["sheet"].update(owed=b.owes))), _papers, GATE, "everything"),
    Leak("a PDF's information", _titled_papers, _papers, GATE, "everything"),
    Leak("a download's name", answering("papers.sheet", lambda r, b: r.headers.set(
        "Content-Disposition", f'attachment; filename="sheet-{b.owes}.pdf"')), _papers, GATE, "everything"),
    Leak("an object's name", _names_of_objects, _papers, TWINS, "everything"),
)  # fmt: skip


def caught(bench: Bench, leak: Leak) -> tuple[set[str], str]:
    """What caught it, and how that reads."""
    by: set[str] = set()
    said: list[str] = []
    try:
        with leak.plant(bench):
            try:
                comparison = _comparison(bench.twins, leak.fresh) if leak.fresh else bench.steady
                leak.steps(comparison)
            except AssertionError as error:  # a world that cannot be built: its worker's log says why
                if "EgressRefused" not in str(error):
                    raise
                by.add(GATE)
                return by, str(error)
    except (StartRefused, SchemaRefused, UndeclaredRoute) as error:
        return {START}, str(error)
    if comparison.differences:
        by.add(TWINS)
        said.append(first_words(comparison.differences, 3))
    refused = [failed for failed in comparison.failed if "egress-refused" in failed or "EgressRefused" in failed]
    assert refused == comparison.failed, "the leak itself does not work"
    if refused:
        by.add(GATE)
        said.extend(refused[:2])
    comparison.differences.clear()
    comparison.failed.clear()
    return by, "\n".join(said)


def test_without_a_leak_nothing_is_caught(bench: Bench) -> None:
    """Every step that a leak is looked for with, on the application as it is."""
    for kind in sorted({leak.fresh or "everything" for leak in LEAKS}):
        comparison = _comparison(bench.twins, kind)
        for steps in {leak.steps: None for leak in LEAKS if (leak.fresh or "everything") == kind}:
            steps(comparison)
            assert (comparison.differences, comparison.failed) == ([], []), first_words(comparison.differences)
        assert set(comparison.statuses) <= {200, 302}, f"not answered: {comparison.statuses}"


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.name)
def test_a_planted_leak_is_caught(bench: Bench, leak: Leak) -> None:
    by, said = caught(bench, leak)
    assert leak.caught_by in by, f"caught by {by or 'nothing'}: {said}"


def test_there_are_twenty_and_every_layer_catches_some() -> None:
    assert len({leak.name for leak in LEAKS}) == len(LEAKS) >= 20
    assert {leak.caught_by for leak in LEAKS} == {START, GATE, TWINS}
