"""Apply a batch of read rows to a creditor's accounts: look up in sets, decide row by row, write in sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from field_api.domain.account_merge import FieldRefused, Standing, merged, paid, placed_from
from field_api.domain.account_row import AccountRow, PartyData, PaymentData
from field_api.domain.cells import fold
from field_api.domain.identity import AnswerKind
from field_api.domain.read_row import made_payment_ref
from field_api.domain.row_errors import RowCode
from field_api.domain.vocabulary import OBLIGORS
from field_api.platform.columns import fingerprint
from field_api.platform.ids import new_id
from field_api.queries.known_accounts import (
    KnownParty,
    KnownPerson,
    account_keys,
    parties_of,
    payments_of,
    people,
    standings,
)
from field_api.usecases.lock_visit import lock_accounts
from field_api.usecases.stop_ended_visits import stop_ended_visits
from field_api.usecases.write_account_batch import AccountWrites, standing_values

Refuse = Callable[[AccountRow, str, RowCode, str], None]
"""Reports a row left out: the row, the field, the code, the message."""


@dataclass
class Counts:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    closed: int = 0
    reopened: int = 0
    never_placed: int = 0  # told closed or paid before they were ever placed
    payments_added: int = 0


@dataclass(frozen=True)
class BatchContext:
    """What all batches of one file share."""

    creditor_id: UUID
    language: str
    now: datetime
    imported_by: UUID | None
    refuse: Refuse

    @property
    def today(self) -> date:
        return self.now.date()


def body_mark(row: AccountRow) -> bytes:
    """A keyed hash of what the row says: equal marks say nothing new."""
    return fingerprint("account.row")(row.body())


def apply_account_rows(
    session: Session, context: BatchContext, rows: Sequence[tuple[AccountRow, bytes, bool]], counts: Counts
) -> None:
    """Apply rows, each with its body's mark and whether only its payment counts. Works as Audience.OFFICE_JOB.

    Accounts that change are locked first, in id order, as publishing and holds do.
    """
    batch = _Batch(session, context, counts)
    batch.load(rows)
    for row, mark, only_payment in rows:
        batch.apply(row, mark, only_payment)
    batch.finish()


@dataclass
class _Batch:
    session: Session
    context: BatchContext
    counts: Counts
    keys: dict[str, tuple[UUID, bytes | None]] = field(default_factory=dict)
    now_standing: dict[UUID, Standing] = field(default_factory=dict)
    was_standing: dict[UUID, Standing] = field(default_factory=dict)
    marks: dict[UUID, bytes | None] = field(default_factory=dict)  # of the accounts that changed
    parties: dict[UUID, list[KnownParty]] = field(default_factory=dict)
    payments: dict[UUID, dict[str, tuple[date, int]]] = field(default_factory=dict)
    by_ref: dict[str, KnownPerson] = field(default_factory=dict)
    by_id: dict[UUID, KnownPerson] = field(default_factory=dict)
    other_obligors: set[UUID] = field(default_factory=set)  # accounts whose debtor or guarantor was replaced
    writes: AccountWrites = field(init=False)

    def __post_init__(self) -> None:
        self.writes = AccountWrites(self.context.creditor_id, self.context.now)

    def load(self, rows: Sequence[tuple[AccountRow, bytes, bool]]) -> None:
        self.keys = account_keys(self.session, self.context.creditor_id, {row.reference for row, _, _ in rows})
        touched = {
            self.keys[row.reference][0]
            for row, mark, only_payment in rows
            if row.reference in self.keys and (only_payment or row.payment or self.keys[row.reference][1] != mark)
        }
        lock_accounts(self.session, touched)
        self.was_standing = standings(self.session, touched)
        self.now_standing = dict(self.was_standing)
        self.parties = parties_of(self.session, touched)
        paying = {row.reference for row, _, _ in rows if row.payment or row.last_payment_on}
        self.payments = payments_of(self.session, {self.keys[r][0] for r in paying & self.keys.keys()} & touched)
        refs = {ref for row, _, _ in rows for party in row.parties for ref in (_key_of(row, party),)}
        ids = {party.person_id for known in self.parties.values() for party in known}
        for person in people(self.session, self.context.creditor_id, refs, ids):
            self.by_ref[person.external_ref] = self.by_id[person.id] = person
        self.writes.known_people = set(self.by_id)

    def apply(self, row: AccountRow, mark: bytes, only_payment: bool) -> None:
        known = self.keys.get(row.reference)
        if known is None:
            if only_payment:
                self.context.refuse(row, "reference", RowCode.MISSING_VALUE, "a payment of an account nobody placed")
            else:
                self._place(row, mark)
        elif only_payment or known[1] == mark:
            self._pay_alone(row, known[0])
        else:
            self._follow(row, mark, known[0])

    def _place(self, row: AccountRow, mark: bytes) -> None:
        if row.status in ("paid", "closed"):
            self.counts.never_placed += 1
            return
        standing, lacking = placed_from(row, self.context.today)
        for refusal in lacking:
            self.context.refuse(row, refusal.field, refusal.code, refusal.message)
        if standing is None or self._nameless(row, None):
            return
        account_id = new_id()
        self.keys[row.reference] = (account_id, mark)
        self.now_standing[account_id] = standing
        self.writes.new_accounts[row.reference] = {
            "id": account_id, "creditor_id": self.context.creditor_id, "reference": row.reference,
            **standing_values(standing, self.context.now), "placed_at": self.context.now, "version": 1,
            "row_fingerprint": mark,
        }  # fmt: skip
        self._tie(row, account_id)
        self._add_payments(row, account_id)
        self.counts.created += 1

    def _follow(self, row: AccountRow, mark: bytes, account_id: UUID) -> None:
        before = self.now_standing[account_id]
        try:
            after = merged(before, row, self.context.today)
            payments = self._new_payments(row, account_id)
        except FieldRefused as refusal:
            self.context.refuse(row, refusal.field, refusal.code, refusal.message)
            return
        if self._nameless(row, account_id):
            return
        if row.owed is None:
            for payment in payments:
                after = paid(after, payment)
        self._keep_payments(account_id, payments)
        self._tie(row, account_id)
        self.now_standing[account_id] = after
        self.marks[account_id] = mark if after == before or row.owed is not None or not payments else None
        self.counts.updated += 1
        self.counts.closed += before.is_placed and not after.is_placed
        self.counts.reopened += after.is_placed and not before.is_placed

    def _pay_alone(self, row: AccountRow, account_id: UUID) -> None:
        """The row says nothing new, but for its payment perhaps."""
        try:
            payments = self._new_payments(row, account_id, last_too=False) if row.payment else []
        except FieldRefused as refusal:
            self.context.refuse(row, refusal.field, refusal.code, refusal.message)
            return
        if not payments:
            self.counts.unchanged += 1
            return
        if row.only_a_payment and account_id in self.now_standing:
            self.now_standing[account_id] = paid(self.now_standing[account_id], payments[0])
            self.marks[account_id] = None
        self._keep_payments(account_id, payments)
        self.counts.updated += 1

    def _new_payments(self, row: AccountRow, account_id: UUID, last_too: bool = True) -> list[PaymentData]:
        """Payments of the row that are not known. Raises FieldRefused where a known key comes with other values."""
        known = self.payments.setdefault(account_id, {})
        new: dict[str, PaymentData] = {}
        if row.payment is not None:
            there = known.get(row.payment.ref)
            if there is None:
                new[row.payment.ref] = row.payment
            elif there != (row.payment.paid_on, row.payment.amount_minor):
                raise FieldRefused("payment_ref", RowCode.PAYMENT_CHANGED, "this payment is known with other values")
        if last_too and row.last_payment_on is not None and row.last_payment_minor is not None:
            last = (row.last_payment_on, row.last_payment_minor)
            same = [payment for payment in new.values() if (payment.paid_on, payment.amount_minor) == last]
            if last not in known.values() and not same:
                new[made_payment_ref(*last)] = PaymentData(made_payment_ref(*last), *last)
        return list(new.values())

    def _add_payments(self, row: AccountRow, account_id: UUID) -> None:
        self._keep_payments(account_id, self._new_payments(row, account_id))

    def _keep_payments(self, account_id: UUID, payments: Sequence[PaymentData]) -> None:
        for payment in payments:
            self.payments.setdefault(account_id, {})[payment.ref] = (payment.paid_on, payment.amount_minor)
            self.writes.payments[account_id, payment.ref] = {
                "id": new_id(), "account_id": account_id, "external_ref": payment.ref, "paid_on": payment.paid_on,
                "amount_minor": payment.amount_minor, "recorded_at": self.context.now,
            }  # fmt: skip
            self.counts.payments_added += 1

    def _nameless(self, row: AccountRow, account_id: UUID | None) -> bool:
        """Whether a party is somebody unknown without a name; reported."""
        lacking = [p for p in row.parties if p.name is None and self._known(row, p, account_id) is None]
        for party in lacking:
            self.context.refuse(
                row, f"{party.role.value}.name", RowCode.MISSING_VALUE, "nobody is known by this key: a name is needed"
            )
        return bool(lacking)

    def _known(self, row: AccountRow, party: PartyData, account_id: UUID | None) -> KnownPerson | None:
        """Who a party is: by the creditor's key, or by the same name in the same role, or by name and tax id."""
        if party.ref is None and party.name is not None and account_id is not None:
            for tied in self.parties.get(account_id, ()):
                if tied.role == party.role.value and fold(tied.name) == fold(party.name):
                    return self.by_id[tied.person_id]
        return self.by_ref.get(_key_of(row, party))

    def _tie(self, row: AccountRow, account_id: UUID) -> None:
        """Make or change the row's people, and tie them to the account in place of who had their role before."""
        tied = self.parties.setdefault(account_id, [])
        for party in row.parties:
            person = self._person(row, party, account_id)
            self.writes.add_details(person.id, party)
            there = [t for t in tied if t.role == party.role.value]
            if any(t.person_id == person.id for t in there):
                continue
            for gone in there:
                self.writes.parties_gone.add((account_id, gone.person_id, gone.role))
                self.writes.parties.discard((account_id, gone.person_id, gone.role))
                tied.remove(gone)
                if party.role in OBLIGORS:
                    self.other_obligors.add(account_id)
            tied.append(KnownParty(account_id, party.role.value, person.id, person.name))
            self.writes.parties.add((account_id, person.id, party.role.value))
            self.writes.parties_gone.discard((account_id, person.id, party.role.value))

    def _person(self, row: AccountRow, party: PartyData, account_id: UUID) -> KnownPerson:
        before = self._known(row, party, account_id)
        key = before.external_ref if before else _key_of(row, party)
        after = KnownPerson(
            id=before.id if before else new_id(),
            external_ref=key,
            name=party.name or (before.name if before else ""),
            alias=party.alias or (before.alias if before else None),
            kind=party.kind or (before.kind if before else "person"),
            language=party.language or (before.language if before else self.context.language),
            is_minor=party.is_minor if party.is_minor is not None else bool(before and before.is_minor),
        )
        if after != before:
            self._write_person(after)
        self.by_ref[key] = self.by_id[after.id] = after
        return after

    def _write_person(self, person: KnownPerson) -> None:
        told = {
            "id": person.id, "name": person.name, "alias": person.alias, "kind": person.kind,
            "language": person.language, "is_minor": person.is_minor,
        }  # fmt: skip
        if person.id in self.writes.known_people:
            self.writes.changed_people[person.id] = told
        else:
            own = {"creditor_id": self.context.creditor_id, "external_ref": person.external_ref, "version": 1}
            self.writes.new_people[person.external_ref] = {**told, **own, "created_at": self.context.now}

    def finish(self) -> None:
        for account_id, mark in self.marks.items():
            self.writes.changed_accounts[account_id] = {
                "id": account_id, **standing_values(self.now_standing[account_id], self.context.now),
                "row_fingerprint": mark,
            }  # fmt: skip
        self.writes.write(self.session)
        self._stop_ended()

    def _stop_ended(self) -> None:
        ended = {
            account_id: self.now_standing[account_id]
            for account_id, before in self.was_standing.items()
            if before.to_collect and not self.now_standing[account_id].to_collect
        }
        stop_ended_visits(
            self.session,
            ended,
            other_obligors=self.other_obligors,
            now=self.context.now,
            by=self.context.imported_by,
        )


def _key_of(row: AccountRow, party: PartyData) -> str:
    """The creditor's key of the person; or a keyed hash of name and tax id; or of the account, so that nobody merges
    two people who only share a name."""
    if party.ref is not None:
        return party.ref
    name = fold(party.name or "")
    tax_id = party.answer(AnswerKind.TAX_ID) or party.answer(AnswerKind.CURP)
    told = f"{name}|{tax_id}" if tax_id else f"{name}|{party.role.value}|{row.reference}"
    return "made:" + fingerprint("person.external_ref")(told).hex()
