"""How long verifying an exported log of N leaves takes: `python -m bench.audit 100000`. Prints seconds, peak memory.

The lines are made as `doorstep audit export` writes them, without the database; their verification is the real one.
With `--export` the log is made in a database of its own, and exporting it is measured (bench/audit_export.py).
"""

from __future__ import annotations

import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import click

from bench.audit_export import measure_export
from field_api.platform.bounded_json import canonical
from field_api.platform.clock import utc_text
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.keyring import OfficeKeys
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.sealing import b64u, sha256
from sync.merkle import GrowingTree, leaf_hash
from sync.office.audit import EXPORT_CONTEXT
from sync.office.audit_lines import lines_of
from sync.office.audit_verify import verify_export
from sync.office.log import CHECKPOINT_CONTEXT, commitment_of

LEAVES_PER_CHECKPOINT = 500
NOW = datetime.now(UTC)


def lines(keys: OfficeKeys, count: int) -> Iterator[bytes]:
    """All but the head; the newest statement and signature come last, as a line of their own."""
    tree, before = GrowingTree(), None
    for number in range(count):
        salt, payload, ref = os.urandom(32), os.urandom(128), f"inbox/{uuid4()}/{uuid4()}"
        told = {"kind": "op", "at": utc_text(NOW), "ref": ref}
        leaf = canonical({**told, "commitment": b64u(commitment_of(salt, sha256(payload)))})
        rest = {"salt": b64u(salt), "payload_sha256": b64u(sha256(payload)), "payload": b64u(payload), "row": None}
        hashed = leaf_hash(leaf)
        yield canonical({**told, **rest, "number": number, "hash": b64u(hashed), "leaf": b64u(leaf), "sig": None})
        for level, position in tree.append(hashed):
            yield canonical({"level": level, "position": position, "hash": b64u(tree.node(level))})
        if tree.size % LEAVES_PER_CHECKPOINT == 0 or tree.size == count:
            claims = {"v": 1, "agency": str(keys.agency_id), "size": tree.size, "root": b64u(tree.root())}
            statement = canonical({**claims, "at": utc_text(NOW), "prev": before})
            before, signed = b64u(sha256(statement)), b64u(keys.sign(CHECKPOINT_CONTEXT, statement))
            point = {"checkpoint": b64u(statement), "sig": signed}
            yield canonical({"size": tree.size, "root": claims["root"], **point})
    yield canonical(point)


def head_of(keys: OfficeKeys, newest: dict[str, str], count: int) -> bytes:
    certificates = [each.wire() for role in ("office", "door") for each in keys.certificates[role]]
    points = -(-count // LEAVES_PER_CHECKPOINT)
    signed = canonical(
        {"v": 2, "agency": str(keys.agency_id), "at": utc_text(NOW), "checkpoints": points, **newest, "roots": [],
         "certificates": certificates}
    )  # fmt: skip
    return canonical({"head": b64u(signed), "sig": b64u(keys.sign(EXPORT_CONTEXT, signed))}) + b"\n"


def measure_verification(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        agency, home = uuid4(), Path(folder)
        create_agency_keys(home, agency, NOW)
        keys = OfficeKeyring(home / "keys" / "office").of(agency)
        body, whole, newest = home / "body", home / "log.jsonl", {}
        with body.open("wb") as file:
            for line in lines(keys, count):
                newest = json.loads(line) if line.startswith(b'{"checkpoint"') and b'"size"' not in line else newest
                if not newest:
                    file.write(line + b"\n")
        with whole.open("wb") as file, body.open("rb") as rest:
            file.write(head_of(keys, newest, count))
            while piece := rest.read(1 << 20):
                file.write(piece)
        before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
        with whole.open("rb") as file:
            report = verify_export(lines_of(file), keys.root_public)
        took, peak = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        click.echo(f"{report.leaves} leaves, {report.checkpoints} checkpoints, {whole.stat().st_size / 1e6:.0f} MB")
        click.echo(f"verified in {took:.1f} s ({count / took:,.0f}/s)")
        click.echo(f"peak {peak / 1024:.0f} MiB, {(peak - before) / 1024:.0f} of them for verifying")
        click.echo(f"findings: {[str(each) for each in report.findings]}")


@click.command()
@click.argument("leaves", type=int, default=100_000)
@click.option("--export", is_flag=True, help="Measure the export from a database instead.")
def main(leaves: int, export: bool) -> None:
    """Measure the log's verification, or its export."""
    (measure_export if export else measure_verification)(leaves)


if __name__ == "__main__":
    main()
