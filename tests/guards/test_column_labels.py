"""Every column of every table says how secret it is, and what is secret comes into Python as Confidential."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, MetaData, Table, Text
from sqlalchemy.orm import registry

import doorstep.app  # noqa: F401 loads every module with tables
from field_api.domain.disclosure import Label
from field_api.platform.columns import ConfidentialAmount, ConfidentialDate, ConfidentialText, Sealed
from field_api.platform.database import db
from field_api.platform.labels import confidential, internal, label_of, place

CONFIDENTIAL_IN_PYTHON = (Sealed, ConfidentialAmount, ConfidentialDate, ConfidentialText)

PLAIN_WITH_A_REASON: dict[str, tuple[str, ...]] = {
    "A code of a closed list that decides what happens next. As an enum's value it is compared all over the office, "
    "and its fields on the wire are labelled.": (
        "office.account.state", "office.account.closed_reason", "office.account.currency", "office.party.role",
        "office.visit_account.role", "office.hold.kind", "office.promise.kind", "office.promise.state",
        "office.promise.currency", "office.promise.flags", "office.dispute.reason", "office.dispute.state",
        "office.attempt.channel", "office.attempt.outcome", "office.attempt.right_party", "office.attempt.flags",
        "office.letter.kind", "office.letter.state", "office.letter.refusal", "office.letter_custody.state",
        "office.letter_custody.recipient", "office.not_planned.reason", "office.not_planned.rule",
        "office.person.is_minor", "office.contact_point.kind", "office.contact_point.source",
        "office.contact_candidate.kind", "office.contact_candidate.source", "office.creditor.sector",
        "office.creditor.currency", "office.account.auto_pay", "office.account.guarantor_first",
    ),
    "A moment or a number that orders rows: the database compares it with frequency rules, waiting times and pages.": (
        "office.account.placed_at", "office.account.closed_at", "office.payment.recorded_at", "office.hold.placed_at",
        "office.hold.lifted_at", "office.attempt.at", "office.promise.made_at", "office.promise.position",
        "office.dispute.opened_at", "office.letter.issued_at", "office.letter.pages", "office.letter_custody.at",
        "office.letter_custody.extra",
    ),
    "Who the client is and how it works: one row per creditor, no debtor in it. Looked up by name, used in SQL.": (
        "office.creditor.name", "office.creditor.address", "office.creditor.phone", "office.creditor.threshold_minor",
        "office.creditor.complaints_unit", "office.creditor.payment_ways", "office.import_file.file_name",
        "office.creditor.strategy", "office.creditor.brand", "office.letter_template.source",
    ),
    "A key that creditors' files are matched by, 100,000 at a time: a Confidential is no key of a dict, on purpose.": (
        "office.person.external_ref", "office.payment.external_ref", "office.creditor.exclusions",
    ),
    "Random, says nothing of an account; printed on the letter and looked up when it comes back.": (
        "office.letter.serial",
    ),
    "A hash or a salt, to be compared or hashed again.": (
        "office.letter.content_sha256", "office.idempotency_key.request_sha256", "office.api_token.token_sha256",
        "office.log_entry.salt",
    ),
    "Ciphertext: only the keyring opens it, and not on loading the row.": (
        "office.verification_answer.stretched", "office.visit_key.sealed_key", "office.enrolment_secret.sealed",
        "office.idempotency_key.body", "mailbox.sheet_key.sealed",
    ),
    "The sign-in library reads and writes these as text.": (
        "office.staff.email", "office.staff.password", "office.staff.fs_uniquifier", "office.staff.tf_totp_secret",
    ),
    "Of the agency's own people, not of anybody who is visited.": ("office.absence.reason",),
    "When somebody is at home and what an agent must bring along: planning reads thousands of them for every day.": (
        "office.address.known_times", "office.address.needed_skills",
    ),
}  # fmt: skip

QUEUES = (
    "office.change", "mailbox.inbox", "mailbox.quarantine", "mailbox.snapshot_request", "mailbox.enrolment",
    "mailbox.enrolment_claim", "mailbox.upload", "mailbox.feed_item", "mailbox.feed_head", "mailbox.snapshot",
    "mailbox.durable", "mailbox.sheet_digest", "mailbox.wipe_order", "office.attempt_head", "office.apply_turn", "office.on_sheet",
)  # fmt: skip
"""What a worker or a phone takes its next piece of work from (docs/adr/0003-queues-in-tables.md)."""


def faults(metadata: MetaData, argued: set[str]) -> list[str]:
    """Each column that says nothing of its secrecy, or whose secret is plain in Python without a reason."""
    found = []
    for table in metadata.tables.values():
        for column in table.columns:
            name = f"{table.fullname}.{column.name}"
            label = label_of(column)
            if label is None:
                found.append(f"{name} has no label: field_api/platform/labels.py")
            elif label in (Label.CONFIDENTIAL, Label.PERSONAL) and not _confidential(column) and name not in argued:
                found.append(f"{name} is {label.value} and plain in Python: Sealed, Confidential…, or a reason here")
    return found


def _confidential(column: Column[object]) -> bool:
    return isinstance(column.type, CONFIDENTIAL_IN_PYTHON)


def test_every_column_has_a_label_and_every_secret_is_confidential_in_python() -> None:
    argued = {name for names in PLAIN_WITH_A_REASON.values() for name in names}
    assert not faults(db.metadata, argued)


def test_the_argued_list_names_only_what_is_still_so() -> None:
    names = [name for listed in PLAIN_WITH_A_REASON.values() for name in listed]
    assert len(names) == len(set(names))
    columns = {f"{t.fullname}.{c.name}": c for t in db.metadata.tables.values() for c in t.columns}
    for name in names:
        assert label_of(columns[name]) in (Label.CONFIDENTIAL, Label.PERSONAL), name
        assert not _confidential(columns[name]), name


def test_all_models_of_the_application_are_looked_at() -> None:
    schemas = {table.schema for table in db.metadata.tables.values()}
    assert schemas == {"office", "mailbox"}
    assert len(db.metadata.tables) >= 52
    assert {m.local_table.fullname for m in db.Model.registry.mappers} == set(db.metadata.tables)  # type: ignore[attr-defined]  # the model's registry


def test_a_forgotten_label_and_a_plain_secret_are_found() -> None:
    models = registry()
    table = Table(
        "planted",
        models.metadata,
        Column("forgotten", Text),
        Column("owed", Text, info={"label": Label.CONFIDENTIAL}),
        Column("mobile", Text, info={"label": Label.PERSONAL}),
        Column("misspelt", Text, info={"label": "confidental"}),
        Column("street", Text, info={"label": Label.PLACE}),
        Column("reference", ConfidentialText),
        Column("note", Sealed("planted.note")),
    )
    assert [fault.split()[0] for fault in faults(models.metadata, set())] == [
        "planted.forgotten", "planted.owed", "planted.mobile", "planted.misspelt",
    ]  # fmt: skip
    assert label_of(table.c.reference) is Label.CONFIDENTIAL
    assert label_of(table.c.note) is Label.PERSONAL


@pytest.mark.parametrize("table", QUEUES)
def test_what_work_is_taken_from_says_nothing_of_anybody(table: str) -> None:
    """Ids, states, sizes and ciphertext: a piece of work never carries a secret, the worker loads it itself."""
    assert {column.name: label_of(column) for column in db.metadata.tables[table].columns} == {
        column.name: Label.INTERNAL for column in db.metadata.tables[table].columns
    }


def test_the_helpers_keep_what_a_column_says_beside_its_label() -> None:
    made = place(Text, info={"note": "x"}, nullable=True).column
    assert made.info == {"note": "x", "label": Label.PLACE}
    assert made.nullable
    assert label_of(internal(Text).column) is Label.INTERNAL
    assert label_of(confidential(Text).column) is Label.CONFIDENTIAL
