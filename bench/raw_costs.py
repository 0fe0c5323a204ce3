"""What nobody can be faster than, measured on the same machine in the same run."""

from __future__ import annotations

import os

import psycopg
from psycopg import sql

from bench.figures import say, timed
from doorstep.postgres import Server
from field_api.platform import sealing

BATCH = 50


def raw_costs(server: Server, operations: list[dict[str, str]]) -> None:
    """What nobody can be faster than: rows of this size committed in batches, one verification, one opening."""
    sizes = {name: len(sealing.from_b64u(value)) for name, value in operations[0].items()}
    with psycopg.connect(server.conninfo("owner"), autocommit=True) as connection:
        connection.execute("CREATE TABLE raw (id uuid PRIMARY KEY, p bytea, c bytea, s bytea, r bytea)")
        row = [os.urandom(sizes[name]) for name in ("protected", "ct", "sig")] + [os.urandom(314)]
        values = sql.SQL(", ").join([sql.SQL("(gen_random_uuid(), %b, %b, %b, %b)")] * BATCH)
        statement = sql.SQL("INSERT INTO raw VALUES ") + values
        with timed() as seconds:
            for _ in range(200):
                connection.execute(statement, row * BATCH)
        say("raw insert and commit", f"{200 * BATCH / seconds():9,.0f} rows/s in batches of {BATCH}")
        connection.execute("DROP TABLE raw")
    private = sealing.new_private_key()
    public, message = sealing.public_key_of(private), os.urandom(600)
    signature, sealed = sealing.sign(private, message), sealing.seal_to(public, b"info", os.urandom(512))
    for what, work in (
        ("raw ES256 verification", lambda: sealing.verify(public, message, signature)),
        ("raw ES256 signature", lambda: sealing.sign(private, message)),
        ("raw HPKE opening", lambda: sealing.open_sealed(private, b"info", sealed)),
    ):
        with timed() as seconds:
            for _ in range(2_000):
                work()
        say(what, f"{2_000 / seconds():9,.0f} /s on one core")
