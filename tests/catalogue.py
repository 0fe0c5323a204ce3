"""What keeps agencies and the door apart in the database, read out of the catalogue: each check lists its faults.

The checks are functions of the owner's connection, so that the tests ask them about the database as it is, and about one
that has lost a protection (tests/guards/test_mutants_database.py). A fault names what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, LiteralString

import psycopg

from field_api.platform.database import Base

AGENCY = "(agency_id = (NULLIF(current_setting('doorstep.agency'::text, true), ''::text))::uuid)"
"""The condition of every table's policy `tenant`, in PostgreSQL's own words."""
EARLY_READS = {
    "office.staff": ("sign_in", "(email = NULLIF(current_setting('doorstep.sign_in'::text, true), ''::text))"),
    "mailbox.enrolment": (
        "enrolling",
        "((hash = decode(NULLIF(current_setting('doorstep.enrolment_hash'::text, true), ''::text), 'hex'::text))"
        " OR (id = (NULLIF(current_setting('doorstep.enrolment_id'::text, true), ''::text))::uuid))",
    ),
}
"""For the two reads that come before an agency is known: one row each, by a hash, an id or an e-mail."""

OFFICE_ON_EVERY_TABLE = ("SELECT", "INSERT", "UPDATE", "DELETE", "MAINTAIN")
DOOR_ON_TABLES = {
    "mailbox.device": ("SELECT",),
    "mailbox.feed_item": ("SELECT",),
    "mailbox.snapshot": ("SELECT",),
    "mailbox.durable": ("SELECT",),
    "mailbox.sheet_digest": ("SELECT",),
    "mailbox.wipe_order": ("SELECT",),
    "mailbox.log_node": ("SELECT",),
    "mailbox.checkpoint": ("SELECT",),
    "mailbox.upload": ("SELECT", "INSERT"),
}
DOOR_ON_COLUMNS = {
    ("mailbox.enrolment", "SELECT"): "agency_id id hash expires_at answer answer_mac",
    ("mailbox.enrolment_claim", "SELECT"): "agency_id enrolment_id position sha256",
    ("mailbox.enrolment_claim", "INSERT"): "agency_id enrolment_id position sha256 request mac received_at",
    ("mailbox.inbox", "SELECT"): "agency_id device_id op_id seq link receipt receipt_sig",
    ("mailbox.inbox", "INSERT"): "agency_id device_id op_id seq protected ct sig link receipt receipt_sig received_at",
    ("mailbox.quarantine", "SELECT"): "agency_id device_id sha256 reason seq receipt receipt_sig",
    ("mailbox.quarantine", "INSERT"): "agency_id device_id sha256 id raw status reason op_id seq receipt receipt_sig"
    " received_at",
    ("mailbox.sheet_key", "SELECT"): "agency_id device_id id statement sig",
    ("mailbox.snapshot_request", "SELECT"): "agency_id device_id",
    ("mailbox.snapshot_request", "INSERT"): "agency_id device_id",
    ("mailbox.device_contact", "SELECT"): "agency_id device_id heard_at newest_seq newest_told_at clock_ahead_s",
    ("mailbox.device_contact", "INSERT"): "agency_id device_id heard_at newest_seq newest_told_at clock_ahead_s",
    ("mailbox.device_contact", "UPDATE"): "heard_at newest_seq newest_told_at clock_ahead_s",
    ("mailbox.returning_device", "SELECT"): "agency_id sha256",
    ("mailbox.returning_device", "INSERT"): "agency_id sha256 certificate sig received_at",
    ("mailbox.upload", "UPDATE"): "photo_id sealing_key_id wrap_sha256 length_bytes received_bytes fence told_at"
    " state created_at expires_at completed_at",
}
"""Every right of the door: it inserts what came, reads what it serves, and reads back neither operations nor keys."""
ON_SCHEMAS = {
    ("doorstep_office", "office", "USAGE"),
    ("doorstep_office", "mailbox", "USAGE"),
    ("doorstep_door", "mailbox", "USAGE"),
    ("PUBLIC", "public", "USAGE"),
}

Owner = psycopg.Connection[Any]
Grant = tuple[str, str, str, str]
"""Who, on which relation, on which column (`` for all of them), what."""


def tables() -> list[str]:
    """Those of the models, `schema.name`: what the database must hold."""
    return sorted(f"{table.schema}.{table.name}" for table in Base.metadata.tables.values())


def expected_grants() -> set[Grant]:
    found = {("doorstep_office", table, "", right) for table in tables() for right in OFFICE_ON_EVERY_TABLE}
    found |= {("doorstep_door", table, "", right) for table, rights in DOOR_ON_TABLES.items() for right in rights}
    for (table, right), columns in DOOR_ON_COLUMNS.items():
        found |= {("doorstep_door", table, column, right) for column in columns.split()}
    readers = ("doorstep_office", "doorstep_door")
    return found | {(role, "public.alembic_version", "", "SELECT") for role in readers}


def unprotected_tables(owner: Owner) -> list[str]:
    """Tables without an agency, without forced row security, or without a policy; and any view, which has none."""
    rows = _rows(
        owner,
        """
        SELECT n.nspname || '.' || c.relname, c.relkind IN ('r', 'p'), c.relrowsecurity, c.relforcerowsecurity,
               EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'agency_id'),
               EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname IN ('office', 'mailbox')
        """,
    )
    missing = set(tables()) - {row[0] for row in rows}
    return [f"{row[0]} is not protected" for row in rows if not all(row[1:])] + [f"{name} is gone" for name in missing]


def wrong_policies(owner: Owner) -> list[str]:
    """Policies are alternatives: one that says more than its neighbours opens the table."""
    found = _rows(
        owner,
        "SELECT schemaname || '.' || tablename, policyname, permissive, cmd, qual, with_check, roles::text"
        " FROM pg_policies",
    )
    expected = {(table, "tenant", "PERMISSIVE", "ALL", AGENCY, None, "{public}") for table in tables()}
    expected |= {
        (table, name, "PERMISSIVE", "SELECT", words, None, "{public}") for table, (name, words) in EARLY_READS.items()
    }
    return [f"{row[0]}: the policy {row[1]} is not as it must be" for row in found ^ expected]


def wrong_keys(owner: Owner) -> list[str]:
    """A plain foreign key would be checked without row-level security and could point at another agency's row."""
    rows = _rows(
        owner,
        """
        SELECT n.nspname || '.' || t.relname, c.conname, EXISTS (
            SELECT 1 FROM unnest(c.conkey, c.confkey) AS k (here, there)
            JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.here
            JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = k.there
            WHERE a.attname = 'agency_id' AND b.attname = 'agency_id')
        FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE c.contype = 'f' AND n.nspname IN ('office', 'mailbox')
        """,
    )
    return [f"{table}: {name} does not carry the agency" for table, name, carried in rows if not carried]


def wrong_grants(owner: Owner) -> list[str]:
    """Rights on relations and columns of everybody but their owner: neither more nor fewer than those above."""
    found = _rows(
        owner,
        """
        SELECT coalesce(r.rolname, 'PUBLIC'), n.nspname || '.' || c.relname, acl.col, acl.privilege_type
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (
            SELECT '' AS col, x.* FROM aclexplode(c.relacl) x
            UNION ALL SELECT a.attname::text, x.* FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = c.oid
        ) acl LEFT JOIN pg_roles r ON r.oid = acl.grantee
        WHERE n.nspname IN ('office', 'mailbox', 'public') AND acl.grantee <> c.relowner
        """,
    )
    said = _said(found, expected_grants())
    given = _rows(owner, "SELECT defaclnamespace::regnamespace::text FROM pg_default_acl")
    return said + [f"{schema}: rights are given in advance" for (schema,) in given]


def wrong_schemas(owner: Owner) -> list[str]:
    """Who may enter a schema, or make something in it."""
    found = _rows(
        owner,
        """
        SELECT coalesce(r.rolname, 'PUBLIC'), n.nspname, acl.privilege_type
        FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) acl LEFT JOIN pg_roles r ON r.oid = acl.grantee
        WHERE n.nspname IN ('office', 'mailbox', 'public') AND acl.grantee <> n.nspowner
        """,
    )
    return _said(found, ON_SCHEMAS)


def strong_roles(owner: Owner) -> list[str]:
    """The office and the door are neither exempt from row security nor able to become so; they own nothing."""
    ours = "('doorstep_door', 'doorstep_office')"
    roles = _rows(
        owner,
        "SELECT rolname FROM pg_roles WHERE rolname IN ('doorstep_door', 'doorstep_office')"
        " AND NOT (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication)",
    )
    strong = {"doorstep_door", "doorstep_office"} - {name for (name,) in roles}
    members = _rows(
        owner,
        "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member"
        " WHERE r.rolname IN ('doorstep_door', 'doorstep_office')",
    )
    owned = _rows(
        owner,
        f"SELECT r.rolname || ' owns ' || o.what FROM pg_roles r JOIN (SELECT relowner, oid::regclass::text FROM pg_class"
        f" UNION ALL SELECT nspowner, nspname FROM pg_namespace UNION ALL SELECT proowner, proname FROM pg_proc)"
        f" AS o (who, what) ON o.who = r.oid WHERE r.rolname IN {ours}",
    )
    settings = _rows(
        owner,
        f"SELECT r.rolname FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole WHERE r.rolname IN {ours}",
    )
    return [
        *(f"{name} may more than a role of ours must" for name in strong),
        *(f"{name} is a member of another role" for (name,) in members),
        *(text for (text,) in owned),
        *(f"{name} has settings of its own" for (name,) in settings),
    ]


def functions_with_owners_rights(owner: Owner) -> list[str]:
    rows = _rows(
        owner,
        "SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')",
    )
    return [f"{name} runs with its owner's rights" for (name,) in rows]


CHECKS: tuple[Callable[[Owner], list[str]], ...] = (
    unprotected_tables,
    wrong_policies,
    wrong_keys,
    wrong_grants,
    wrong_schemas,
    strong_roles,
    functions_with_owners_rights,
)


def faults(owner: Owner) -> Iterator[str]:
    """Of all checks, as far as they are asked for: the next one runs when the faults of the last are read."""
    for check in CHECKS:
        yield from check(owner)


def _rows(owner: Owner, statement: LiteralString) -> set[tuple[Any, ...]]:
    return set(owner.execute(statement).fetchall())


def _said(found: set[tuple[Any, ...]], expected: set[tuple[Any, ...]]) -> list[str]:
    too_much = [f"{one[0]} has too much: {' '.join(one[1:])}" for one in found - expected]
    return too_much + [f"{one[0]} lacks: {' '.join(one[1:])}" for one in expected - found]
