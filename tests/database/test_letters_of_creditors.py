"""Letters by the creditor's strategy and in its look; those that the office asks for and posts; another collector's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace
from unittest.mock import Mock
from uuid import UUID

import pytest
from sqlalchemy import select, update

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.letters import LetterKind, LetterState
from field_api.domain.ports import House, ObjectAbsent, Paper, PaperJob
from field_api.domain.vocabulary import HoldKind, LetterHandling, Relation
from field_api.platform.database import transaction, transaction_beside
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.sealing import Unsealable
from field_api.queries.letter_readiness import letter_readiness
from field_api.records.accounts import Account, Hold
from field_api.records.agency import Agency
from field_api.records.changes import Change
from field_api.records.planning import Agent
from field_api.records.results import Attempt, Dispute, Promise
from field_api.records.visits import Letter, LetterCustody, Visit, VisitAccount
from field_api.usecases.ask_for_letters import ask_for_letters
from field_api.usecases.change_agency import change_particulars
from field_api.usecases.confirm_promises import confirm_promises
from field_api.usecases.renew_letters import renew_letters
from field_api.usecases.set_brand import add_brand_image, brand_version, set_brand
from field_api.usecases.take_custody_step import take_custody_step
from field_api.usecases.take_letter_note import take_letter_note
from field_api.usecases.want_letters import want_letters
from field_api.usecases.write_asked_letters import lay_out, write_asked_letters, write_confirmations
from tests.fake_objects import MemoryObjects
from tests.paper_world import paper_world, stating
from tests.planning_world import NOW, World, statements

pytestmark = pytest.mark.usefixtures("app")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10"><rect width="20" height="10"/></svg>'
LETTERS = {"final_warning_after_visits": 2, "final_warning_after_letters": 2, "confirm_promises": True}


class Seen:
    """Lays out nothing and remembers what it was given."""

    def __init__(self) -> None:
        self.jobs: list[PaperJob] = []

    def render(self, jobs: Sequence[PaperJob]) -> list[Paper]:
        self.jobs += jobs
        return [Paper(json.dumps(job.data).encode(), 4) for job in jobs]

    def house(self) -> House:
        return House(sha256(b"house").hexdigest(), "0", b"house")


@pytest.fixture
def case(agency: UUID):
    """An account whose debtor is visited every week: `visit()` is the next one."""
    with transaction(agency) as session:
        world = paper_world(session)
        creditor = stating(world)
        creditor.strategy = {"letters": LETTERS}
        person = world.person(creditor)
        address, account, agent = world.address(person), world.account(person), world.agent()
        made = SimpleNamespace(world=world, session=session, creditor=creditor, person=person, account=account)
        made.agent, made.route = agent, world.route(agent)
        made.visit = lambda: world.visit(made.route, world._next(), address, person, account)
        yield made


def kind_of(letters: Sequence[Letter]) -> list[str]:
    return [letter.kind for letter in letters]


def content_of(session, letter: Letter) -> dict:
    session.flush()
    session.refresh(letter)
    with audience(Audience.ENTITLED_PARTY):
        return json.loads(letter.content.reveal(Audience.ENTITLED_PARTY))


def promise(case, *amounts: int, at: datetime = NOW, visit: Visit | None = None, currency: str = "MXN") -> UUID:
    op_id = new_id()
    for position, minor in enumerate(amounts):
        case.session.add(
            Promise(
                account_id=case.account.id, person_id=case.person.id, visit_id=visit.id if visit else None, op_id=op_id,
                position=position, kind="plan" if len(amounts) > 1 else "partial", amount_minor=minor, currency=currency,
                due_on=date(2026, 12, 1) + timedelta(days=30 * position), made_at=at,
            )
        )  # fmt: skip
    case.session.flush()
    return op_id


def hold(case, kind: HoldKind, **of: UUID) -> Hold:
    of = of or {"account_id": case.account.id}
    held = Hold(kind=kind.value, reason="r", placed_at=NOW, op_id=new_id(), **of)
    case.session.add(held)
    case.session.flush()
    return held


def visited(case, visit: Visit) -> None:
    case.session.add(
        Attempt(
            number=case.world._next(), account_id=case.account.id, person_id=case.person.id, visit_id=visit.id,
            op_id=new_id(), channel="visit", at=NOW, received_at=NOW, outcome="client_located", right_party=True,
            detail="{}",
        )
    )  # fmt: skip
    case.session.flush()


def test_a_visits_letter_is_the_one_that_the_strategy_calls_for(case) -> None:
    session = case.session
    kinds = []
    for _ in range(4):
        visit = case.visit()
        [letter] = want_letters(session, [visit.id], NOW)
        assert [again.id for again in want_letters(session, [visit.id], NOW)] == [letter.id]
        kinds.append(letter.kind)
        letter.state = LetterState.HANDED_OVER.value
        visited(case, visit)
    assert kinds == ["notification", "reminder", "final_warning", "reminder"]
    promise(case, 10_000, 20_000, visit=visit)
    after = case.visit()
    [schedule] = want_letters(session, [after.id], NOW)
    said = json.dumps(content_of(session, schedule), ensure_ascii=False)
    assert (schedule.kind, schedule.state) == ("payment_plan", "wanted"), schedule.refusal
    assert "$100.00" in said and "$200.00" in said
    assert kind_of(want_letters(session, [case.visit().id], NOW)) == ["reminder"], "it is confirmed already"
    hold(case, HoldKind.COMPLAINT, person_id=case.person.id)
    assert want_letters(session, [case.visit().id], NOW) == []


def test_a_letter_that_came_back_or_was_written_to_somebody_else_is_no_first_letter(case) -> None:
    for state in ("returned", "issued", "destroyed", "refused"):
        [letter] = want_letters(case.session, [case.visit().id], NOW)
        assert letter.kind == "notification"
        letter.state = state
        case.session.flush()


def test_the_office_asks_for_a_promise_in_writing_and_posts_it_once(case) -> None:
    session, visit, renderer = case.session, case.visit(), Seen()
    made = {"renderer": renderer, "objects": MemoryObjects(), "now": NOW, "by": new_id()}
    with pytest.raises(Problem) as nothing:
        write_asked_letters(session, visit.id, LetterKind.PROMISE_CONFIRMATION, **made)
    assert nothing.value.code == "conflict"
    promise(case, 9_900, currency="USD", visit=visit)  # a misunderstanding, and no promise of a letter's
    promise(case, 12_345, visit=visit)
    [letter] = write_asked_letters(session, visit.id, LetterKind.PROMISE_CONFIRMATION, **made)
    assert (letter.state, letter.refusal) == ("issued", None)
    said = json.dumps(content_of(session, letter), ensure_ascii=False)
    assert "$123.45" in said and "1 de diciembre de 2026" in said
    assert content_of(session, letter)["dated_on"] == "2026-11-17", "the day on which it is written"
    assert write_asked_letters(session, visit.id, LetterKind.PROMISE_CONFIRMATION, **made) == [letter]
    assert len(renderer.jobs) == 1
    assert session.scalars(select(Change.ref).where(Change.kind == "visit")).all() == [visit.id], (
        "its phone hears of it"
    )
    _post(session, letter)
    [attempt] = session.scalars(select(Attempt)).all()
    assert (letter.state, attempt.channel, attempt.outcome) == ("posted", "letter", "sent")
    with pytest.raises(Problem) as twice:
        _post(session, letter)
    assert twice.value.code == "conflict"
    _post(session, letter, LetterState.RETURNED)
    assert session.scalars(select(Attempt.outcome).order_by(Attempt.number)).all() == ["sent", "returned"]
    with pytest.raises(Problem) as plan:
        ask_for_letters(session, visit.id, LetterKind.PAYMENT_PLAN, now=NOW, by=None)
    assert plan.value.code == "conflict", "one payment is no plan"


def _post(session, letter: Letter, to: LetterState = LetterState.POSTED) -> None:
    session.flush()
    take_custody_step(session, letter.id, to, recipient=None, staff_id=new_id(), now=NOW)


def test_nothing_is_sent_to_whom_nothing_may_be_sent(case) -> None:
    session, visit = case.session, case.visit()
    promise(case, 5_000, visit=visit)
    session.add(
        Dispute(
            account_id=case.account.id, person_id=case.person.id, visit_id=visit.id, op_id=new_id(), reason="fraud",
            opened_at=NOW,
        )
    )  # fmt: skip
    dispute = hold(case, HoldKind.DISPUTE)

    def ask(kind: LetterKind) -> list[Letter]:
        return ask_for_letters(session, visit.id, kind, now=NOW, by=None)

    [answer] = ask(LetterKind.DISPUTE_ACKNOWLEDGEMENT)
    said = json.dumps(content_of(session, answer), ensure_ascii=False)
    assert answer.state == "wanted", answer.refusal
    assert "1 de diciembre de 2026" in said, "ten working days from 17 November"
    with pytest.raises(Problem) as disputed:
        ask(LetterKind.PROMISE_CONFIRMATION)
    assert (disputed.value.code, "dispute" in disputed.value.detail) == ("hold-in-force", True)
    dispute.lifted_at = NOW
    session.flush()
    [confirmed] = ask(LetterKind.PROMISE_CONFIRMATION)
    for kind in (HoldKind.CEASE_CONTACT, HoldKind.ATTORNEY):
        held = hold(case, kind, person_id=case.person.id)
        with pytest.raises(Problem) as refused:
            ask(LetterKind.DISPUTE_ACKNOWLEDGEMENT)
        assert refused.value.code == "hold-in-force"
        confirmed.state = "issued"
        with pytest.raises(Problem) as kept:
            _post(session, confirmed)
        assert kept.value.code == "hold-in-force"
        held.lifted_at = NOW
    case.world.party(case.account, case.world.person(case.creditor), "attorney")
    with pytest.raises(Problem) as represented:
        ask(LetterKind.DISPUTE_ACKNOWLEDGEMENT)
    assert "attorney" in represented.value.detail
    session.execute(update(Account).values(state="closed"))
    with pytest.raises(Problem) as closed:
        _post(session, confirmed)
    assert "closed" in closed.value.detail
    with pytest.raises(Problem) as demand:
        ask(LetterKind.FINAL_WARNING)
    assert demand.value.code == "invalid-fields"


def test_promises_at_doors_are_confirmed_where_the_strategy_says_so(case) -> None:
    session, visit = case.session, case.visit()
    case.creditor.strategy = {}
    promise(case, 5_000, visit=visit)
    session.flush()
    assert confirm_promises(session, NOW) == []
    case.creditor.strategy = {"letters": LETTERS}
    session.flush()
    [letter] = write_confirmations(session, renderer=Seen(), objects=MemoryObjects(), now=NOW)
    assert (letter.kind, letter.visit_id, letter.state) == ("promise_confirmation", visit.id, "issued")
    assert confirm_promises(session, NOW) == []
    session.execute(update(Promise).values(state="replaced"))  # corrected at the same door
    promise(case, 6_000, at=NOW + timedelta(hours=1), visit=visit)
    [anew] = confirm_promises(session, NOW + timedelta(hours=2))
    assert letter.superseded_at is not None and "$60.00" in json.dumps(content_of(session, anew))
    hold(case, HoldKind.DISPUTE)
    promise(case, 7_000, at=NOW + timedelta(hours=3), visit=visit)
    assert confirm_promises(session, NOW + timedelta(hours=4)) == []


def test_a_letter_of_another_collector_is_another_letter_and_the_old_one_is_to_be_pulled(case) -> None:
    session = case.session
    visits = [case.visit() for _ in range(3)]
    letters = [letter for visit in visits for letter in want_letters(session, [visit.id], NOW)]
    for letter, state in zip(letters, ("wanted", "printed", "handed_over"), strict=True):
        letter.state = state
    other = Agent(code="MX-9", name="Agente Otro", languages=["es"], timezone="America/Mexico_City")
    session.add(other)
    session.flush()
    session.execute(update(Visit).values(agent_id=other.id))
    before = content_of(session, letters[1])
    new = renew_letters(session, [visit.id for visit in visits], NOW, actor="system", reason="reassigned")
    assert {letter.visit_id for letter in new} == {visit.id for visit in visits[:2]}
    assert [letter.superseded_at is not None for letter in letters] == [True, True, False]
    assert all("Agente Otro" in json.dumps(content_of(session, letter)) for letter in new)
    assert content_of(session, letters[1]) == before and "Agente MX-1" in json.dumps(before)
    assert len({letter.serial for letter in (*letters, *new)}) == 5
    told = session.scalars(select(LetterCustody.extra).where(LetterCustody.letter_id == letters[1].id)).all()
    assert {"superseded": "reassigned"} in told
    assert {letter.id for letter in want_letters(session, [visits[1].id], NOW)} == {
        letter.id for letter in new if letter.visit_id == visits[1].id
    }
    with pytest.raises(Problem) as pulled:
        _post(session, letters[1])
    assert "another letter" in pulled.value.detail


def test_a_brand_is_on_letters_that_are_written_from_then_on_with_its_pictures_beside(case, monkeypatch) -> None:
    session, objects, renderer = case.session, MemoryObjects(), Seen()
    promise(case, 5_000, visit=(old := case.visit()))
    [before] = ask_for_letters(session, old.id, LetterKind.PROMISE_CONFIRMATION, now=NOW, by=None)
    image = add_brand_image(session, case.creditor.id, SVG, objects=objects, now=NOW)
    assert add_brand_image(session, case.creditor.id, SVG, objects=objects, now=NOW) is image
    logo = bytes(image.sha256).hex()
    assert sha256(objects.get(image.object_key)).hexdigest() == logo
    version = brand_version(case.creditor)
    wanted = {"in_name_of": "creditor", "colour": "#003366", "logo": logo, "signature_name": "R. Inventada",
              "paragraphs": {"promise_confirmation": {"es": ["Gracias por su compromiso."]}}}  # fmt: skip
    set_brand(session, case.creditor.id, wanted, seen={version})
    with pytest.raises(Problem) as stale:
        set_brand(session, case.creditor.id, {}, seen={version})
    assert stale.value.code == "precondition-failed"
    promise(case, 6_000, at=NOW + timedelta(hours=1), visit=(new := case.visit()))
    made = {"renderer": renderer, "objects": objects, "now": NOW + timedelta(hours=2), "by": None}
    [letter] = write_asked_letters(session, new.id, LetterKind.PROMISE_CONFIRMATION, **made)
    content = content_of(session, letter)
    assert letter.state == "issued", letter.refusal
    assert (content["in_name_of"], content["brand"]["logo"], content["brand"]["colour"]) == (
        "creditor", logo, "#003366",
    )  # fmt: skip
    assert "Gracias por su compromiso." in json.dumps(content, ensure_ascii=False)
    assert dict(renderer.jobs[0].files) == {f"{logo}.svg": objects.get(image.object_key)}
    assert content_of(session, before)["brand"]["logo"] == "", "what is wanted already stays as it was"
    promise(case, 7_000, at=NOW + timedelta(hours=3), visit=(last := case.visit()))
    for trouble in (ObjectAbsent("gone"), Unsealable("altered")):
        monkeypatch.setattr(objects, "get", Mock(side_effect=trouble))
        [lost] = write_asked_letters(session, last.id, LetterKind.PROMISE_CONFIRMATION, **made | {"now": made["now"]})
        assert (lost.state, lost.refusal) == ("refused", "layout: picture-missing")


@pytest.mark.parametrize(
    ("brand", "at"),
    [
        ({"logo": "0" * 64}, "brand.logo"),
        ({"paragraphs": {"reminder": {"es": ["Acuda al juzgado segundo"]}}}, "brand.paragraphs.reminder.es.0"),
        ({"sender_lines": ["High Court Collections"]}, "brand.sender_lines.0"),
        ({"seal": "x"}, "brand.brand"),
    ],
)
def test_a_brand_that_no_letter_may_have_is_refused_naming_the_place(case, brand, at) -> None:
    with pytest.raises(Problem) as refused:
        set_brand(case.session, case.creditor.id, brand)
    assert (refused.value.code, refused.value.at) == ("invalid-fields", at)


def test_what_letters_lack_is_told_by_place_before_any_plan(agency: UUID) -> None:
    with transaction(agency) as session:
        world = World(session)
        session.scalars(select(Agency)).one().policy = {}
        creditor = world.creditor("DE", "EUR", "de")
        person = world.person(creditor)
        world.address(person, country="DE", jurisdiction="DE")
        world.account(person)
        world.account(person, contract_on=date(2024, 5, 1))
        stranger = world.person(creditor)
        world.address(stranger, country="JP", jurisdiction="JP")
        world.account(stranger)
        germany, japan = letter_readiness(session, creditor.id)
        lacking = {lack.field: (lack.of, lack.accounts) for lack in germany.lacks}
        assert (germany.jurisdiction, germany.accounts, japan.rules) == ("DE", 2, False)
        assert lacking["contract_on"] == ("account", 1)
        agency_row = session.scalars(select(Agency)).one()
        assert germany.outside == tuple(filter(None, [agency_row.name, agency_row.address])) and japan.outside == ()
        agency_row.name = "Inkasso Erfunden GmbH"
        assert letter_readiness(session, creditor.id)[0].outside == tuple(filter(None, [agency_row.address]))
        assert lacking["supervisory_authority"] == ("agency", None)
        assert lacking["creditor_address"] == ("creditor", None)
        change_particulars(session, {"supervisory_authority": "Aufsicht Inventa", "vat_statement": "keine"})
        [germany, _] = letter_readiness(session, creditor.id)
        assert "supervisory_authority" not in {lack.field for lack in germany.lacks}


def test_a_letter_that_somebody_else_issued_meanwhile_is_not_issued_again(agency: UUID, case) -> None:
    session, visit, renderer = case.session, case.visit(), Seen()
    promise(case, 5_000, visit=visit)
    letters = ask_for_letters(session, visit.id, LetterKind.PROMISE_CONFIRMATION, now=NOW, by=None)
    session.commit()
    [letter] = ask_for_letters(session, visit.id, LetterKind.PROMISE_CONFIRMATION, now=NOW, by=None)
    assert [letter] == letters and letter.state == "wanted"
    with transaction_beside(agency) as other:
        other.execute(update(Letter).values(state="printed"))
    lay_out(session, [letter], renderer=renderer, objects=MemoryObjects(), now=NOW, by=None)
    assert (renderer.jobs, letter.state) == ([], "printed")


def test_letters_are_laid_out_in_as_many_statements_however_many_they_are(case) -> None:
    counts = []
    for many in (1, 4):
        visits = [case.visit().id for _ in range(many)]
        letters = want_letters(case.session, visits, NOW, kind=LetterKind.NOTIFICATION)
        with statements() as seen:
            lay_out(case.session, letters, renderer=Seen(), objects=MemoryObjects(), now=NOW, by=None)
        assert {letter.state for letter in letters} == {"issued"}
        counts.append(sum(statement.startswith("SELECT") for statement in seen))
    assert counts[0] >= counts[1], "the first one keeps the house besides"


def test_an_acknowledgement_that_was_refused_is_written_when_its_data_are_mended(case) -> None:
    session, visit = case.session, case.visit()
    session.add(
        Dispute(
            account_id=case.account.id, person_id=case.person.id, visit_id=visit.id, op_id=new_id(), reason="fraud",
            opened_at=NOW,
        )
    )  # fmt: skip
    hold(case, HoldKind.DISPUTE)
    case.creditor.brand = {"colour": "no colour"}
    [refused] = ask_for_letters(session, visit.id, LetterKind.DISPUTE_ACKNOWLEDGEMENT, now=NOW, by=None)
    assert refused.state == "refused"
    case.creditor.brand = {}
    [written] = ask_for_letters(session, visit.id, LetterKind.DISPUTE_ACKNOWLEDGEMENT, now=NOW, by=None)
    assert (written.state, refused.superseded_at) == ("wanted", NOW)
    assert ask_for_letters(session, visit.id, LetterKind.DISPUTE_ACKNOWLEDGEMENT, now=NOW, by=None) == [written]


def test_a_promise_is_not_confirmed_by_a_letter_that_was_posted_after_it(case) -> None:
    session, visit = case.session, case.visit()
    promise(case, 5_000, visit=visit)
    [first] = write_confirmations(session, renderer=Seen(), objects=MemoryObjects(), now=NOW)
    session.execute(update(Promise).values(state="replaced"))
    promise(case, 6_000, at=NOW + timedelta(minutes=5), visit=visit)
    session.flush()
    take_custody_step(
        session, first.id, LetterState.POSTED, recipient=None, staff_id=new_id(), now=NOW + timedelta(minutes=10)
    )
    [second] = confirm_promises(session, NOW + timedelta(hours=1))
    assert "$60.00" in json.dumps(content_of(session, second))


def test_what_nothing_is_written_about_keeps_no_promise_waiting(case, monkeypatch) -> None:
    session = case.session
    monkeypatch.setattr("field_api.usecases.confirm_promises.AT_ONCE", 1)
    promise(case, 5_000, visit=case.visit())
    hold(case, HoldKind.CLARIFICATION)
    case.account = case.world.account(case.person)
    other = case.visit()
    session.execute(update(VisitAccount).where(VisitAccount.visit_id == other.id).values(account_id=case.account.id))
    promise(case, 6_000, visit=other)
    [letter] = confirm_promises(session, NOW)
    assert letter.visit_id == other.id
    session.execute(update(Promise).values(made_at=NOW + timedelta(hours=1)))
    case.world.party(case.account, case.world.person(case.creditor), "attorney")
    assert confirm_promises(session, NOW + timedelta(hours=2)) == [], "nothing is written past an attorney"


def test_the_office_hands_over_nothing_that_it_may_not_post(case) -> None:
    session = case.session
    first, second = [want_letters(session, [case.visit().id], NOW)[0] for _ in range(2)]
    for letter in (first, second):
        letter.state = "printed"

    def hand(letter: Letter, recipient: Relation = Relation.SOUGHT) -> str | None:
        session.flush()
        try:
            take_custody_step(
                session, letter.id, LetterState.HANDED_OVER, recipient=recipient, staff_id=new_id(), now=NOW
            )
        except Problem as problem:
            return problem.code
        return None

    held = hold(case, HoldKind.DISPUTE)
    assert hand(first) == "hold-in-force"
    held.lifted_at = NOW
    assert hand(first, Relation.GUARANTOR) == "conflict", "the account has no other obligor"
    renew_letters(session, [first.visit_id], NOW, actor="system", reason="reassigned")
    assert hand(first) == "conflict", "another letter stands in its place"
    assert (hand(second), second.state) == (None, "handed_over")


@pytest.mark.parametrize("to", [LetterState.POSTED, LetterState.HANDED_OVER])
def test_a_letter_whose_last_day_to_dispute_comes_too_soon_is_not_given(agency: UUID, to) -> None:
    with transaction(agency) as session:
        world = paper_world(session)
        creditor = stating(world, "US", "USD", "en")
        person = world.person(creditor)
        address = world.address(person)
        address.jurisdiction, address.timezone = "US", "America/New_York"
        visit = world.visit(world.route(world.agent()), 1, address, person, world.account(person, 50_000))
        [letter] = want_letters(session, [visit.id], NOW)
        letter.state = "printed"
        session.flush()
        recipient = Relation.SOUGHT if to is LetterState.HANDED_OVER else None
        said = {"recipient": recipient, "staff_id": new_id()}
        day = datetime.fromisoformat(content_of(session, letter)["dated_on"] + "T17:00:00+00:00")
        with pytest.raises(Problem) as late:
            take_custody_step(session, letter.id, to, now=day + timedelta(days=8), **said)
        assert "too soon" in late.value.detail
        take_custody_step(session, letter.id, to, now=day, **said)
        assert letter.state == to.value


def test_a_paper_that_was_superseded_and_is_handed_over_all_the_same_is_flagged(case) -> None:
    session, visit = case.session, case.visit()
    [letter] = want_letters(session, [visit.id], NOW)
    letter.state = "printed"
    renew_letters(session, [visit.id], NOW, actor="system", reason="reassigned")
    told = {"handling": LetterHandling.HANDED_OVER, "recipient": Relation.SOUGHT, "at": NOW, "actor": "agent:x"}
    flags = take_letter_note(session, visit=visit, op_id=new_id(), serial=letter.serial, **told)
    assert (flags, letter.state) == (["letter-superseded"], "handed_over")


def test_a_phone_forgets_a_letter_whose_successor_is_refused(case) -> None:
    session, visit = case.session, case.visit()
    made = {"renderer": Seen(), "objects": MemoryObjects(), "by": None}
    promise(case, 5_000, visit=visit)
    [shown] = write_asked_letters(session, visit.id, LetterKind.PROMISE_CONFIRMATION, now=NOW, **made)
    case.creditor.brand = {"seal": "x"}
    promise(case, 6_000, at=NOW + timedelta(hours=1), visit=visit)
    later = NOW + timedelta(hours=2)
    [refused] = write_asked_letters(session, visit.id, LetterKind.PROMISE_CONFIRMATION, now=later, **made)
    assert (refused.state, shown.superseded_at) == ("refused", later)
    assert session.scalars(select(Change.ref).where(Change.kind == "visit")).all() == [visit.id, visit.id]
