"""One agency built twice from one seed: what is public is the same, what is secret comes from each twin's `Hidden`."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy.orm import Session

from field_api.domain.credentials import uniquifier
from field_api.http.permits import TOKEN_PERMISSIONS
from field_api.platform.database import Base
from field_api.platform.devices import Device
from field_api.platform.sealing import sha256
from field_api.records.accounts import Account, Hold, ImportFile, Party, Payment
from field_api.records.agency import Agency, Creditor
from field_api.records.base import load
from field_api.records.people import Address, ContactCandidate, ContactPoint, Person, VerificationAnswer
from field_api.records.planning import Absence, Agent, NotPlanned, Plan, Route, Shift, Stop
from field_api.records.results import Attempt, AttemptHead, Dispute, Promise
from field_api.records.staff import ApiToken, Staff
from field_api.records.visits import Visit, VisitAccount, VisitEvent
from field_api.usecases.publish_plan import send_out, visits_of
from media.office.records import Photo
from media.records import COMPLETE, Upload
from sync.mailbox import FeedHead
from sync.roll import first_roll
from tests.door_client import point
from tests.paper_world import LETTER_POLICY
from tests.twins.chance import Chance
from tests.twins.hidden import Hidden

NOON = datetime(2026, 11, 17, 18, 0, tzinfo=UTC)
DAY = date(2026, 11, 18)
ROLES = ("agent", "dispatcher", "manager", "admin", "controller", "controller elsewhere")
NOBODY = UUID(int=0)
NAMES = ["Abril", "Bruno", "Celia", "Darío", "Elena", "Fabio", "Gema", "Hugo", "Inés", "Julio"]
HINTS = ("portón azul", "frente a la panadería", "segundo piso", None)


_TABLES = Base.metadata.sorted_tables


@dataclass
class Known:
    """Ids of a world, the same in both twins, by what a request calls them."""

    agency: UUID
    ids: dict[str, list[str]] = field(default_factory=dict)
    people: list[UUID] = field(default_factory=list)
    visits: list[UUID] = field(default_factory=list)
    sessions: dict[str, str] = field(default_factory=dict)  # role -> the session's user
    bearer: str = ""
    device: UUID = NOBODY
    agent: UUID = NOBODY
    plan: UUID = NOBODY
    route: UUID = NOBODY

    def note(self, name: str, row_id: UUID) -> None:
        self.ids.setdefault(name, []).append(str(row_id))


@dataclass
class Builder:
    """Adds one world's rows to one twin's session. Named ids follow from agency and name, whatever else is added."""

    session: Session
    chance: Chance
    hidden: Hidden
    known: Known

    def __post_init__(self) -> None:
        self.public = random.Random(f"{self.hidden.seed}|public")
        self.accounts: dict[UUID, list[UUID]] = {}
        self.numbers = iter(range(1, 10_000))
        self.waiting: list[Any] = []

    def id(self, *name: object) -> UUID:
        return uuid5(self.known.agency, "|".join(map(str, name)))

    def add(self, row: Any) -> Any:
        self.waiting.append(row)
        return row

    def flush(self) -> None:
        """Rows that others refer to first: the mappers know no relationships that would tell the session."""
        for table in _TABLES:
            self.session.add_all([row for row in self.waiting if row.__table__ is table])
            self.session.flush()
        self.waiting.clear()

    @contextmanager
    def extra(self, kind: str, *name: object) -> Iterator[range]:
        """How many more of this kind this twin has."""
        with self.chance.apart(f"{kind}|{name}"):
            yield range(self.hidden.extra.get(kind, 0))

    def build(self) -> Known:
        self._agency()
        self._staff()
        for number in range(5):
            self._household(number)
        self.flush()
        for number, person in enumerate(self.known.people):
            self._results(number, person)
        self.flush()
        self._plans()
        self._phone()
        self.flush()
        return self.known

    def _agency(self) -> None:
        self.add(
            Agency(
                agency_id=self.known.agency, name="Agencia Puerta Norte", address="Calle 1", phone="+525550000000",
                email="hola@puerta.example", policy={"letters": LETTER_POLICY}, created_at=NOON,
            )
        )  # fmt: skip
        for which in ("a", "b"):
            creditor = self.id("creditor", which)
            hidden = self.hidden
            self.add(
                Creditor(
                    id=creditor,
                    name=f"{hidden.creditor_name()} {which}",
                    jurisdiction="MX",
                    currency=hidden.currency,
                    threshold_minor=hidden.threshold_minor,
                    language="es",
                    strategy=hidden.strategy(which),
                    address=hidden.text("names", which, "address"),
                    phone=hidden.text("names", which, "phone"),
                    complaints_unit={name: hidden.text("names", which, name) for name in ("address", "email", "phone")},
                    payment_ways=[hidden.text("names", which, "ways")],
                    brand=hidden.brand(which),
                    created_at=NOON,
                )
            )
            self.known.note("creditor", creditor)
            self.add(
                ImportFile(
                    id=self.id("file", which), creditor_id=creditor, sha256=sha256(hidden.text("names").encode()),
                    file_name="cartera.csv", rows_total=5, rows_imported=5, rows_unchanged=0, rows_rejected=0,
                    errors=[], imported_at=NOON,
                )
            )  # fmt: skip
        for code in ("MX-1", "MX-2"):
            agent = self.add(
                Agent(
                    id=self.id("agent", code), code=code, name=f"Agente {code}", languages=["es"],
                    timezone="America/Mexico_City", created_at=NOON,
                )
            )  # fmt: skip
            self.known.note("agent", agent.id)
            for weekday in range(6):
                self.add(
                    Shift(
                        id=self.id("shift", code, weekday), agent_id=agent.id, weekday=weekday, starts_at=time(9),
                        ends_at=time(18), start_latitude=19.43, start_longitude=-99.13, end_latitude=19.43,
                        end_longitude=-99.13,
                    )
                )  # fmt: skip
            self.add(
                Absence(
                    id=self.id("absence", code), agent_id=agent.id, first_day=date(2027, 1, 1),
                    last_day=date(2027, 1, 2), reason="vacaciones",
                )
            )  # fmt: skip
        self.known.agent = self.id("agent", "MX-1")
        self.flush()

    def _staff(self) -> None:
        for role in (*ROLES, "spare"):
            kind = "controller" if role.startswith("controller") else "agent" if role == "spare" else role
            session_user = uniquifier(self.known.agency, self.id("session", role).hex)
            bound = {"controller": "a", "controller elsewhere": "b"}.get(role)
            self.add(
                Staff(
                    id=self.id("staff", role), email=f"{role.replace(' ', '.')}@{self.known.agency.hex}.test",
                    name=role.title(), role=kind, creditor_id=self.id("creditor", bound) if bound else None,
                    password=None, fs_uniquifier=session_user, created_at=NOON,
                )
            )  # fmt: skip
            self.known.sessions[role] = session_user
        self.known.note("staff", self.id("staff", "spare"))
        for name, permissions in (("integrator", sorted(TOKEN_PERMISSIONS)), ("spare", ["visits.read"])):
            secret = sha256(self.id("token", name).bytes).hex()
            self.add(
                ApiToken(
                    id=self.id("token", name), name=name, token_sha256=sha256(secret.encode()),
                    permissions=permissions, created_at=NOON,
                )
            )  # fmt: skip
            if name == "integrator":
                self.known.bearer = f"ds_{self.known.agency.hex}_{self.id('token', name).hex}_{secret}"
        self.known.note("token", self.id("token", "spare"))

    def _household(self, number: int) -> None:
        person = self.id("person", number)
        name = f"{NAMES[number]} Inventada {self.public.randrange(10**4)}"
        which = "b" if number == 3 else "a"
        self.add(
            Person(
                id=person, creditor_id=self.id("creditor", which), external_ref=f"P{number}", name=name,
                alias=self.public.choice((None, "la Güera")), language="es", created_at=NOON,
            )
        )  # fmt: skip
        self.known.people.append(person)
        self.known.note("person", person)
        placed = number != 4
        self.add(
            Address(
                id=self.id("address", number), person_id=person, street=f"Calle Imaginaria {self.public.randrange(99)}",
                number=str(self.public.randrange(1, 200)), city="Ciudad de México", postcode="06700", country="MX",
                jurisdiction="MX", hint=self.public.choice(HINTS), timezone="America/Mexico_City",
                latitude=19.43 + number / 500 if placed else None, longitude=-99.13 if placed else None,
                geocode_state="given" if placed else "wanted", fingerprint=self.id("place", number).bytes * 2,
                created_at=NOON,
            )
        )  # fmt: skip
        self.known.note("address", self.id("address", number))
        for kind in ("phone", "email"):
            self.add(
                ContactPoint(
                    id=self.id("contact", number, kind), person_id=person, kind=kind, source="creditor",
                    value=self.hidden.text("contacts", number, kind), created_at=NOON,
                    fingerprint=sha256(self.hidden.text("contacts", number, kind).encode()),
                )
            )  # fmt: skip
        if number in (0, 1):
            for kind, group in (("tax_id", "tax"), ("postcode", "postcode")):
                self.add(
                    VerificationAnswer(
                        id=self.id("answer", number, kind), person_id=person, kind=kind, independent_group=group,
                        answer=self.hidden.text("answers", number, kind),
                    )
                )  # fmt: skip
        self.accounts[person] = [self._account(person, which, f"{number}.{n}") for n in range(1 + number % 2)]
        with self.extra("more accounts", number) as more:
            self.accounts[person] += [self._account(person, which, f"{number}.more{n}", known=False) for n in more]

    def _account(self, person: UUID, which: str, name: str, known: bool = True) -> UUID:
        number = next(self.numbers) if known else hash_of(name)
        owed = self.hidden.owed(number)
        account = self.id("account", name)
        self.add(
            Account(
                id=account, creditor_id=self.id("creditor", which), reference=owed.reference, product=owed.product,
                original_creditor=owed.original_creditor, currency=owed.currency,
                principal_minor=owed.principal_minor, interest_minor=owed.interest_minor, fees_minor=owed.fees_minor,
                balance_minor=owed.balance_minor, balance_calculated_on=owed.calculated_on, due_on=owed.due_on,
                contract_on=owed.contract_on, last_payment_on=owed.last_payment_on, last_payment_minor=owed.last_payment_minor,
                options=owed.options, placed_at=NOON, visits_consented_on=self.hidden.consented_on(number),
            )
        )  # fmt: skip
        self.add(Party(id=self.id("party", name), account_id=account, person_id=person, role="debtor"))
        if known:
            self.known.note("account", account)
        payments = self.hidden.number("payments", 4, name)
        with self.chance.apart(f"payments {name}"):
            for n in range(payments):
                self.add(
                    Payment(
                        id=self.id("payment", name, n), account_id=account, external_ref=f"A{n}", recorded_at=NOON,
                        paid_on=self.hidden.day("payments", name, n),
                        amount_minor=self.hidden.number("payments", 10**7, name, n),
                    )
                )  # fmt: skip
        return account

    def _results(self, number: int, person: UUID) -> None:
        account = self.accounts[person][0]
        self._attempt(number, person, account, number + 1)
        self._promise(number, person, account, "one")
        self._dispute(number, person, account, "one")
        self._hold(number, account, "lifted", lifted=True)
        if number == 4:
            self._hold(number, account, "standing", lifted=False)
        with self.extra("more results", number) as more:
            for n in more:
                self._promise(number, person, account, f"more {n}")
                self._dispute(number, person, account, f"more {n}")
        with self.extra("more parties", number) as more:
            for n in more:
                other = self.id("guarantor", number, n)
                creditor = self.id("creditor", "b" if number == 3 else "a")
                self.add(
                    Person(
                        id=other, creditor_id=creditor, external_ref=f"G{number}.{n}", name=f"Aval {n}", language="es",
                        created_at=NOON,
                    )
                )  # fmt: skip
                self.flush()
                self.add(Party(id=self.id("more", number, n), account_id=account, person_id=other, role="guarantor"))
        with self.extra("more attempts", number) as more:
            for n in more:
                self._attempt(number, person, account, 100 + 10 * number + n)
        for kind in ("phone", "address"):
            candidate = self.add(
                ContactCandidate(
                    id=self.id("candidate", number, kind), person_id=person, op_id=self.id("op", number, kind),
                    position=0, kind=kind, value=self._candidate(number, kind), source="relative",
                    usable=False, recorded_at=NOON,
                )
            )  # fmt: skip
            self.known.note("candidate", candidate.id)

    def _candidate(self, number: int, kind: str) -> str:
        if kind == "phone":
            return json.dumps({"value": f"+52 55 {self.hidden.number('contacts', 10**8, number) + 10**7:08}"})
        # A place that is accepted is one to be visited: where somebody lives is no secret of this comparison.
        return json.dumps(
            {"street": f"Calle Nueva {number}", "number": "7", "country": "MX", "city": "Puebla", "kind": "home"}
        )

    def _attempt(self, number: int, person: UUID, account: UUID, rank: int) -> None:
        words = self.hidden.text("history", number, rank)
        at = NOON - timedelta(days=20 - number)
        self.add(
            Attempt(
                id=self.id("attempt", rank), number=rank, account_id=account, person_id=person,
                op_id=self.id("attempt op", rank),
                channel=self.hidden.pick("history", ("call", "letter", "email", "message"), rank), at=at, received_at=at, outcome="nobody_there",
                right_party=False, detail=f'{{"outcome":"nobody_there","words":"{words}"}}',
            )
        )  # fmt: skip

    def _promise(self, number: int, person: UUID, account: UUID, name: str) -> None:
        place = (number, name)
        self.add(
            Promise(
                id=self.id("promise", *place), account_id=account, person_id=person, op_id=self.id("p op", *place),
                kind=self.hidden.pick("promises", ("full", "partial"), *place), made_at=NOON,
                amount_minor=self.hidden.number("promises", 10**9, *place), currency=self.hidden.currency,
                due_on=self.hidden.day("promises", *place),
                state=self.hidden.pick("promises", ("open", "kept", "partly", "broken"), *place, "state"),
            )
        )  # fmt: skip

    def _dispute(self, number: int, person: UUID, account: UUID, name: str) -> None:
        place = (number, name)
        words = self.hidden.text("disputes", *place)
        self.add(
            Dispute(
                id=self.id("dispute", *place), account_id=account, person_id=person, op_id=self.id("d op", *place),
                reason=self.hidden.pick("disputes", ("wrong_amount", "fraud", "paid"), *place), opened_at=NOON,
                words=self.hidden.optional("disputes", words, *place),
            )
        )  # fmt: skip

    def _hold(self, number: int, account: UUID, name: str, *, lifted: bool) -> None:
        place = (number, name)
        hold = self.add(
            Hold(
                id=self.id("hold", *place), account_id=account,
                kind=self.hidden.pick("holds", ("clarification", "dispute", "creditor_request"), *place),
                reason=self.hidden.text("holds", *place), placed_at=NOON, op_id=self.id("h op", *place),
                lifted_at=NOON if lifted else None,
                lift_reason=self.hidden.text("holds", "lift", *place) if lifted else None,
            )
        )  # fmt: skip
        self.known.note("hold", hold.id)

    def _plans(self) -> None:
        """One published day with four visits at three stops, and a draft of the day after."""
        self.add(AttemptHead(agency_id=self.known.agency, last_number=200))
        for name, day, people in (("published", DAY, range(4)), ("draft", DAY + timedelta(days=1), range(1))):
            plan = self.add(Plan(id=self.id("plan", name), for_day=day, created_at=NOON))
            self.flush()
            route = self.add(
                Route(
                    id=self.id("route", name), plan_id=plan.id, agent_id=self.known.agent,
                    starts_at=datetime(2026, 11, 18, 15, tzinfo=UTC), ends_at=datetime(2026, 11, 18, 23, tzinfo=UTC),
                    start_latitude=19.43, start_longitude=-99.13, end_latitude=19.43, end_longitude=-99.13,
                    distance_m=5_000, travel_s=900,
                )
            )  # fmt: skip
            self.flush()
            for number in people:
                self._visit(route, name, number)
            self.add(
                NotPlanned(
                    id=self.id("not planned", name), plan_id=plan.id, reason="on_hold", rule="a hold",
                    account_id=self.accounts[self.known.people[4]][0],
                )
            )  # fmt: skip
            self.known.note("plan", plan.id)
            self.known.note("route", route.id)
            self.flush()
        self.known.plan, self.known.route = self.id("plan", "published"), self.id("route", "published")
        plan = load(self.session, Plan, self.known.plan)
        # A made-up day that no rule would let be planned.
        send_out(
            self.session, plan, visits_of(self.session, plan), now=NOON, published_by=self.id("staff", "dispatcher")
        )

    def _visit(self, route: Route, plan: str, number: int) -> None:
        stop, person = self.id("stop", plan, min(number, 2)), self.known.people[number]
        if number < 3:
            arrives = datetime(2026, 11, 18, 16 + number, tzinfo=UTC)
            self.add(
                Stop(
                    id=stop, route_id=route.id, address_id=self.id("address", number), position=number + 1,
                    arrival_from=arrives, arrival_to=arrives + timedelta(minutes=30),
                    visit_from=datetime(2026, 11, 18, 14, tzinfo=UTC),
                    visit_until=datetime(2026, 11, 19, 3, tzinfo=UTC), service_s=600,
                )
            )  # fmt: skip
            self.known.note("stop", stop)
            self.flush()
        visit = self.add(
            Visit(
                id=self.id("visit", plan, number), stop_id=stop, agent_id=route.agent_id, person_id=person,
                address_id=self.id("address", number), planned_at=NOON,
            )
        )  # fmt: skip
        self.flush()
        for n, account in enumerate(self.accounts[person]):
            self.add(
                VisitAccount(id=self.id("about", plan, number, n), visit_id=visit.id, account_id=account, role="debtor")
            )
        self.add(
            VisitEvent(
                id=self.id("event", plan, number), visit_id=visit.id, at=NOON, kind="note", actor="system",
                body=f'{{"words":"{self.hidden.text("events", number)}"}}',
            )
        )  # fmt: skip
        self.known.visits.append(visit.id)
        self.known.note("visit", visit.id)

    def _phone(self) -> None:
        for name in ("phone", "spare"):
            signing, sealing = phone_keys(self.known.agency, name)
            device = self.add(
                Device(
                    id=self.id("device", name), agent_id=self.known.agent if name == "phone" else self.id("agent", "x"),
                    state="active", signing_public=point(signing), sealing_public=point(sealing), enrolled_at=NOON,
                )
            )  # fmt: skip
            self.flush()
            self.add(FeedHead(device_id=device.id, epoch=1, seq=0, roll=first_roll(self.known.agency, device.id, 1)))
        self.known.device = self.id("device", "phone")
        self.known.note("device", self.id("device", "spare"))
        self.add(
            Upload(
                id=self.id("upload"), device_id=self.known.device, photo_id=self.id("photo op"), sha256=bytes(32),
                sealing_key_id="0" * 16, wrap_sha256=bytes(32), length_bytes=500, received_bytes=500, state=COMPLETE,
                created_at=NOON, expires_at=NOON, completed_at=NOON, taken_at=NOON,
            )
        )  # fmt: skip
        photo = self.add(
            Photo(
                id=self.id("photo"), visit_id=self.known.visits[0], op_id=self.id("photo op"),
                device_id=self.known.device, upload_id=self.id("upload"), subject="facade", sha256=bytes(32),
                evidence=f'{{"words":"{self.hidden.text("events", "photo")}"}}', received_at=NOON,
            )
        )  # fmt: skip
        self.known.note("photo", photo.id)


def hash_of(name: str) -> int:
    """A number that follows from a name, apart from those counted."""
    return 10_000 + int.from_bytes(sha256(name.encode())[:4], "big")


def phone_keys(agency: UUID, name: str) -> tuple[Any, Any]:
    """The device's private keys, the same in both twins."""
    from cryptography.hazmat.primitives.asymmetric import ec

    made = [sha256(f"{agency}|{name}|{use}".encode()) for use in ("signing", "sealing")]
    signing, sealing = (ec.derive_private_key(int.from_bytes(seed[:31], "big"), ec.SECP256R1()) for seed in made)
    return signing, sealing
