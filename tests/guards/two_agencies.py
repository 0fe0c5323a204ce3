"""Two agencies in one database, two creditors each, with a row of every kind; who owns a row can be read off its texts.

Every text of the second agency holds `MARKS["B1"]` or `MARKS["B2"]`, every text of the first agency's second creditor
`MARKS["A2"]`. Invented names only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.platform.ids import new_id
from field_api.platform.sealing import sha256
from field_api.platform.wiring import objects
from field_api.records.accounts import Account, Hold, ImportFile, Party, Payment
from field_api.records.agency import Agency, BrandImage, Creditor
from field_api.records.base import load
from field_api.records.drafts import ManualWish, PlanChange
from field_api.records.letter_templates import LetterTemplate
from field_api.records.people import Address, ContactCandidate, ContactPoint, Person, VerificationAnswer
from field_api.records.places import GeocoderAnswer, HouseFinding, PlaceHazard
from field_api.records.planning import Absence, Agent, NotPlanned, Plan, Route, Shift, Stop
from field_api.records.results import Attempt, AttemptHead, Dispute, Promise
from field_api.records.travel import KnownLegs, TravelArea
from field_api.records.visits import Visit, VisitAccount, VisitEvent
from field_api.usecases.publish_plan import send_out, visits_of
from media.office.records import Photo
from tests.paper_world import LETTER_POLICY

NOW = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
BRANCHES = ("A1", "A2", "B1", "B2")
MARKS = {"A1": "Alba", "A2": "Zxqseconda", "B1": "Zxqforeigna", "B2": "Zxqforeignb"}
DAYS = {"A1": date(2026, 11, 18), "A2": date(2026, 11, 19), "B1": date(2026, 11, 20), "B2": date(2026, 11, 21)}
"""Each branch has its plan on a day of its own: that somebody plans a day is nobody else's business."""
NUMBERS = {"A1": 1001, "A2": 2001, "B1": 7001, "B2": 7011}


@dataclass
class Branch:
    """One creditor's side of an agency: its ids by what a request calls them. The first of a kind is meant."""

    name: str
    agency: UUID
    ids: dict[str, list[str]] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        return MARKS[self.name]

    def id(self, kind: str) -> str:
        """What stands for this branch where a request names a row; days, references and names are ids here as well."""
        natural = {
            "day": DAYS[self.name].isoformat(),
            "reference": f"CT-0-{self.mark}",
            "new code": f"{self.mark[:12]}-1",
            "new name": f"Muebles {self.mark}",
            "attempt number": str(NUMBERS[self.name]),
        }
        place = {"another agent": ("agent", 1), "held account": ("account", 2), "held person": ("person", 2)}
        if kind in natural:
            return natural[kind]
        kind, index = place.get(kind, (kind, 0))
        return self.ids[kind][index]

    def note(self, kind: str, row_id: object) -> None:
        self.ids.setdefault(kind, []).append(str(row_id))


def agency_row(session: Session, agency: UUID, mark: str) -> None:
    session.add(
        Agency(
            agency_id=agency, name=f"Agencia {mark}", address=f"Calle {mark} 1", phone="+525550000000",
            email=f"hola@{mark.lower()}.example", policy={"letters": LETTER_POLICY},
        )
    )  # fmt: skip
    session.add(AttemptHead(agency_id=agency, last_number=9000))
    session.flush()


@dataclass
class BranchBuilder:
    """Adds a branch's rows in one session of its agency."""

    session: Session
    branch: Branch

    def build(self) -> Branch:
        self._creditor()
        self._agent()
        for number in range(3):
            self._household(number)
        self._results()
        self._plan()
        self._places()
        return self.branch

    def text(self, words: str) -> str:
        return f"{words} {self.branch.mark}"

    def add(self, kind: str, row: Any) -> Any:
        self.session.add(row)
        self.session.flush()
        if hasattr(row, "id"):
            self.branch.note(kind, row.id)
        return row

    def _creditor(self) -> None:
        text = self.text
        self.creditor = self.add(
            "creditor",
            Creditor(
                name=text("Muebles"), jurisdiction="MX", currency="MXN", language="es", address=text("Avenida 1"),
                phone="+52 55 0000 0001", payment_ways=[text("En sucursal")],
                brand={"signature_name": text("R.")},
                complaints_unit={"address": text("Avenida"), "email": "quejas@x.example", "phone": "+52 55 0000 0002"},
            ),
        )  # fmt: skip
        picture = text("logo").encode()
        kept = {"object_key": objects().put(picture), "length_bytes": len(picture), "added_at": NOW, "form": "svg"}
        self.add("picture", BrandImage(creditor_id=self.creditor.id, sha256=sha256(picture), **kept))
        stamps = {"created_at": NOW, "created_by": "system", "state_at": NOW, "state_by": "system"}
        source = f"// {self.branch.mark}\n#let inner(letter, mark) = [{self.branch.mark}]"
        version = {"kinds": ["reminder"], "languages": [], "state": "draft", "source": source, **stamps}
        for number in (1, 2):
            digest = sha256(source.encode())
            template = LetterTemplate(creditor_id=self.creditor.id, version=number, sha256=digest, **version)
            self.add("template", template)
        self.add(
            "file",
            ImportFile(
                creditor_id=self.creditor.id, sha256=sha256(text("f").encode()), file_name=text("cartera"),
                rows_total=1, rows_imported=1, rows_unchanged=0, rows_rejected=0, errors=[], imported_at=NOW,
            ),
        )  # fmt: skip

    def _agent(self) -> None:
        where = {"start_latitude": 19.43, "start_longitude": -99.13, "end_latitude": 19.43, "end_longitude": -99.13}
        for number in (1, 2):
            agent = Agent(
                code=f"{self.branch.mark[:12]}-{number}", name=self.text("Agente"), languages=["es"],
                timezone="America/Mexico_City", territory=self.text("norte"),
            )  # fmt: skip
            self.add("agent", agent)
            for weekday in range(6):
                shift = Shift(agent_id=agent.id, weekday=weekday, starts_at=time(9), ends_at=time(18), **where)
                self.add("shift", shift)
            away = date(2027, 1, 1)
            self.add("absence", Absence(agent_id=agent.id, first_day=away, last_day=away, reason=self.text("libre")))

        self.agent = UUID(self.branch.id("agent"))

    def _household(self, number: int) -> None:
        """The last one's address has no coordinates and its account is on no plan."""
        text, creditor = self.text, self.creditor
        person = self.add(
            "person",
            Person(
                creditor_id=creditor.id, external_ref=f"P{number} {self.branch.mark}", name=text(f"Persona {number}"),
                alias=text("alias"), language="es",
            ),
        )  # fmt: skip
        placed = number < 2
        self.add(
            "address" if placed else "unplaced address",
            Address(
                person_id=person.id, street=text("Calle"), number=str(number), city=text("Ciudad"), postcode="06700",
                country="MX", jurisdiction="MX", hint=text("portón"), timezone="America/Mexico_City",
                latitude=19.43 + number / 500 if placed else None, longitude=-99.13 if placed else None,
                geocode_state="given" if placed else "wanted", fingerprint=sha256(text(str(number)).encode()),
            ),
        )  # fmt: skip
        account = self.add(
            "account",
            Account(
                creditor_id=creditor.id, reference=f"CT-{number}-{self.branch.mark}", product=text("línea blanca"),
                original_creditor=text("Origen"), currency="MXN", principal_minor=250_000, balance_minor=250_000,
                balance_calculated_on=date(2026, 11, 1), due_on=date(2026, 8, 1), options=text("opciones"),
                contract_on=date(2024, 3, 1),
            ),
        )  # fmt: skip
        self.add("party", Party(account_id=account.id, person_id=person.id, role="debtor"))
        self.add(
            "contact point",
            ContactPoint(
                person_id=person.id, kind="email", value=f"x@{self.branch.mark.lower()}.example", source="creditor",
                fingerprint=sha256(text("mail").encode()),
            ),
        )  # fmt: skip
        for kind, group in (("tax_id", "tax"), ("postcode", "postcode")):
            row = VerificationAnswer(person_id=person.id, kind=kind, independent_group=group, answer=text(kind))
            self.add("answer", row)
        self.add(
            "payment",
            Payment(
                account_id=account.id, external_ref=f"pago {self.branch.mark}", paid_on=date(2026, 10, 1),
                amount_minor=100,
            ),
        )  # fmt: skip

    def _places(self) -> None:
        """What is known of its addresses and of the ways between them."""
        mark = self.branch.mark
        known = {"latitude": 19.43, "longitude": -99.13}
        self.add(
            "answer of a geocoder", GeocoderAnswer(asked=sha256(mark.encode()), services="", asked_at=NOW, **known)
        )
        address = UUID(self.branch.id("address"))
        self.add("finding", HouseFinding(address_id=address, state="candidate", found_at=NOW, **known))
        told = {"fingerprint": sha256(mark.encode()), "hazard": "dog", "present": True, "told_at": NOW}
        self.add("hazard", PlaceHazard(agent_id=new_id(), op_id=new_id(), **told))
        number = NUMBERS[self.branch.name]
        self.add("legs", KnownLegs(source="osrm", origin=number, legs=mark.encode(), asked_at=NOW))
        self.add("area", TravelArea(area=mark, factor=1.0, legs=30, learnt_at=NOW))

    def _results(self) -> None:
        for number, (account_id, person_id) in enumerate(zip(*self._owed(), strict=True)):
            at = NOW - timedelta(days=9 - number)
            self.add(
                "attempt",
                Attempt(
                    number=NUMBERS[self.branch.name] + number, account_id=account_id, person_id=person_id,
                    op_id=self._op(), channel="call", at=at, received_at=at, outcome="nobody_there",
                    right_party=False, detail=f'{{"words":"{self.branch.mark}"}}',
                ),
            )  # fmt: skip
            about = {"account_id": account_id, "person_id": person_id, "op_id": self._op()}
            promise = Promise(
                kind="full", amount_minor=100, currency="MXN", due_on=DAYS["A1"], made_at=at,
                flags=[self.branch.mark], **about,
            )  # fmt: skip
            self.add("promise", promise)
            self.add("dispute", Dispute(reason="paid", words=self.text("dice"), opened_at=at, **about))
            self.add(
                "lifted hold",
                Hold(
                    account_id=account_id, kind="clarification", reason=self.text("motivo"), placed_at=at,
                    op_id=self._op(), lifted_at=at, lift_reason=self.text("fin"),
                ),
            )  # fmt: skip
            self.add(
                "candidate",
                ContactCandidate(
                    person_id=person_id, op_id=self._op(), position=0, kind="phone", source="relative", usable=False,
                    value=f'{{"value":"{self.branch.mark}"}}', recorded_at=at,
                ),
            )  # fmt: skip
        for number in (1, 2):  # on the account that no visit is about
            hold = Hold(
                account_id=self._owed()[0][2], kind="clarification", reason=self.text("en vigor"), op_id=self._op(),
                placed_at=NOW - timedelta(days=number),
            )  # fmt: skip
            self.add("hold", hold)

    def _owed(self) -> tuple[list[UUID], list[UUID]]:
        ids = self.branch.ids
        return [UUID(each) for each in ids["account"]], [UUID(each) for each in ids["person"]]

    def _op(self) -> UUID:
        op_id = new_id()
        self.branch.note("op", op_id)
        return op_id

    def _plan(self) -> None:
        """A published day with two visits, a draft for the day after that."""
        day = DAYS[self.branch.name]
        for name, on in (("plan", day), ("draft", day + timedelta(days=30))):
            plan = self.add(name, Plan(for_day=on, created_at=NOW, version=3))
            hours = {"starts_at": NOW, "ends_at": NOW + timedelta(hours=8)}
            route = self.add(
                "route" if name == "plan" else "draft route",
                Route(
                    plan_id=plan.id, agent_id=self.agent, start_latitude=19.43, start_longitude=-99.13,
                    end_latitude=19.43, end_longitude=-99.13, distance_m=500, travel_s=60, **hours,
                ),
            )  # fmt: skip
            for number in range(2 if name == "plan" else 1):
                self._visit(route, number, "visit" if name == "plan" else "draft visit")
            for version in (2, 3):
                self.add("change", PlanChange(plan_id=plan.id, version=version, at=NOW, kind="pin", detail={}))
            held = UUID(self.branch.ids["account"][0])
            self.add("wish", ManualWish(plan_id=plan.id, account_id=held, agent_id=self.agent))
            for account in self.branch.ids["account"][1:]:
                row = NotPlanned(plan_id=plan.id, account_id=UUID(account), reason="on_hold", rule=self.text("regla"))
                self.add("not planned", row)
        plan = load(self.session, Plan, UUID(self.branch.id("plan")))
        # A made-up day that no rule would let be planned.
        send_out(self.session, plan, visits_of(self.session, plan), now=NOW, published_by=None)
        self.session.flush()

    def _visit(self, route: Route, number: int, kind: str) -> None:
        ids = self.branch.ids
        person, address, account = (UUID(ids[name][number]) for name in ("person", "address", "account"))
        stop = self.add(
            "stop",
            Stop(
                route_id=route.id, address_id=address, position=number + 1, arrival_from=NOW + timedelta(hours=1),
                arrival_to=NOW + timedelta(hours=2), visit_until=NOW + timedelta(hours=12), service_s=600,
            ),
        )  # fmt: skip
        if kind == "draft visit":
            self.branch.note("draft stop", stop.id)
        visit = self.add(
            kind, Visit(stop_id=stop.id, agent_id=route.agent_id, person_id=person, address_id=address, planned_at=NOW)
        )
        self.add("about", VisitAccount(visit_id=visit.id, account_id=account, role="debtor"))
        body = f'{{"words":"{self.branch.mark}"}}'
        self.add("event", VisitEvent(visit_id=visit.id, at=NOW, kind="note", actor="system", body=body))


def photo_row(branch: Branch, device: UUID, upload: UUID) -> Photo:
    """A photograph that was refused: its bytes came, nobody had allowed it."""
    return Photo(
        visit_id=UUID(branch.id("visit")), op_id=UUID(branch.id("op")), device_id=device, upload_id=upload,
        subject="facade", sha256=sha256(branch.mark.encode() + upload.bytes), received_at=NOW, state="refused",
        evidence=f'{{"words":"{branch.mark}"}}',
    )  # fmt: skip
