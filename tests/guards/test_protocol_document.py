"""docs/protocol.md is a contract: its limits, codes, routes and kinds are the program's, and none is missing in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import media.door
import sync.door
from field_api.platform import anchors, bounded_json, call_rates, problems, records, signatures
from field_api.platform.door_gate import _ANSWERS, Answers
from field_api.platform.overload import LONGEST_RETRY_S, SLOTS, Load
from field_api.platform.sealing import HPKE_OVERHEAD_BYTES
from field_api.usecases.operation_schemas import MAX_BODY_BYTES
from media import sealed_photo
from media.door import headers, uploads
from sync import kinds, mailbox, merkle, packing
from sync.door import contacts, enrolments, feed, log, op_form, ops, returning
from sync.office import devices, enrolment, excepted, lost_operations, open_op, turns
from sync.phone import calls, handset, locks, operations, pulling, pushing, sealed_photos, trust, wire
from sync.phone import enrolment as phone_enrolment
from sync.phone import feed as phone_feed
from sync.phone import records as phone_records

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/protocol.md").read_text()
SECTIONS = re.split(r"^## ", TEXT, flags=re.MULTILINE)  # by number: the title stands before the first
KIB, MIB = 1024, 1024 * 1024
TICKED = re.compile(r"`([^`]+)`")

BY_FLASK = {400, 404, 405, 413, 416}
"""What Flask refuses by itself at the door: a path, a method, a body's length, a Range. Nothing there aborts otherwise."""
REFUSED_EVERYWHERE = ("signatures.py", "call_rates.py", "overload.py", "database.py")
ROUTES_OF = {
    "sync/door/anchors.py": ["POST /anchors"],
    "sync/door/contacts.py": ["GET /ops/state"],
    "sync/door/enrolments.py": ["POST /enrolments", "GET /enrolments/ID"],
    "sync/door/feed.py": ["GET /feed"],
    "sync/door/log.py": ["GET /log/checkpoint", "GET /log/tile/LEVEL/INDEX"],
    "sync/door/ops.py": ["POST /ops", "GET /ops/state"],
    "sync/door/returning.py": ["POST /devices"],
    "sync/door/snapshots.py": ["GET /feed/snapshot"],
    **{
        f"media/door/{name}.py": ["POST /photos", "HEAD /photos/ID", "PATCH /photos/ID", "DELETE /photos/ID"]
        for name in ("headers", "http", "uploads")
    },
}


def tables(number: int) -> list[dict[str, list[str]]]:
    """The tables of a section: cells of each row by the first one."""
    found = re.findall(r"(?:^\|.*\|\n)+", SECTIONS[number], re.MULTILINE)
    return [{row[0]: row[1:] for row in map(_cells, table.splitlines()[2:])} for table in found]


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def table_of(number: int, row: str) -> dict[str, list[str]]:
    """The one table of the section that has this row."""
    (found,) = (table for table in tables(number) if row in table)
    return found


def calls_in(path: Path, *names: str) -> Iterator[list[object]]:
    """The arguments of calls of one of these names; None where one is no constant."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args]


def codes_in(paths: Iterable[Path]) -> set[str]:
    return {str(arguments[0]) for path in paths for arguments in calls_in(path, "Problem") if arguments[0] is not None}


def in_source(path: str, pattern: str) -> int:
    """The number that stands at the one place where the pattern fits."""
    (found,) = set(re.findall(pattern, (ROOT / path).read_text()))
    return int(found)


def size(number: int) -> str:
    whole = [(unit, name) for unit, name in ((MIB, "MiB"), (KIB, "KiB")) if number % unit == 0]
    return f"{number // whole[0][0]:,} {whole[0][1]}" if whole else f"{number:,}"


def minutes(span: timedelta) -> str:
    return str(span // timedelta(minutes=1))


LIMITS = {
    "request body (not photos)": [size(signatures.MAX_BODY_BYTES)],
    "body of an enrolment, of `POST /devices`": [size(enrolments.MAX_BODY_BYTES)],
    "R of an enrolment, `app`": [f"{enrolments.MAX_REQUEST_BYTES:,}", str(enrolment.MAX_APP_CHARACTERS)],
    "claims for one code": [str(mailbox.MAX_CLAIMS)],
    "headers of a request, `Signature` and `Signature-Input`": [
        size(in_source("doorstep/serve.py", r"max_request_header_size=(\d+) \* 1024") * KIB),
        f"{signatures.MAX_SIGNATURE_HEADER_CHARACTERS:,}",
    ],
    "anchor": [f"{anchors.MAX_CHARACTERS:,}", minutes(anchors.LIFETIME), minutes(anchors.DRIFT)],
    "cursor": [str(in_source("sync/door/feed.py", r"text\[:(\d+)\]"))],
    "ops per call": [str(ops.MAX_OPS)],
    "one op: P, C": [size(op_form.MAX_PROTECTED_BYTES), size(op_form.MAX_CT_BYTES)],
    "one op: body, `deps`, `photos`": [
        size(MAX_BODY_BYTES), str(open_op.MAX_DEPENDENCIES), str(operations.MAX_NAMED),
    ],
    "ranges of `/ops/state`, numbers in `except`": [str(ops.MAX_RANGES), str(excepted.MOST_EXCEPTED)],
    "digits of `newest`": [str(contacts.MAX_DIGITS)],
    "seq of an op": ["2", f"{op_form.MAX_SEQ:,}"],
    "JSON: levels, digits of a number": [
        str(bounded_json.MAX_DEPTH),
        str(in_source("field_api/platform/bounded_json.py", r"len\(digits\) > (\d+)")),
    ],
    "unpacked JSON": [size(packing.MAX_UNPACKED_BYTES)],
    "record: J, C": [size(records.MAX_PART_BYTES)],
    "item: H": [size(in_source("sync/phone/feed.py", r"read_json\(header, (\d+)\)"))],
    "any other signed JSON": [size(trust.MAX_SIGNED_BYTES)],
    "feed page": [str(feed.MAX_ITEMS), size(calls.MAX_ANSWER_BYTES)],
    "answer to an enrolment, problem document, any other answer": [
        size(in_source("sync/phone/enrolment.py", r"read_body\(response, (\d+) \* 1024\)") * KIB),
        size(calls.MAX_PROBLEM_BYTES),
        size(calls.MAX_ANSWER_BYTES),
    ],
    "snapshot": [size(pulling.MAX_SNAPSHOT_BYTES)],
    "tile of the log": [str(merkle.TILE_WIDTH), str(log.MAX_LEVEL)],
    "sealed photograph, body of a `PATCH`": [size(sealed_photo.MAX_SEALED_BYTES), size(headers.MAX_PATCH_BYTES)],
    "photographs of one device that wait at the door": [
        f"{uploads.MAX_WAITING:,}", size(uploads.MAX_WAITING_BYTES), str(uploads.LIFETIME.days),
    ],
    "wrong tries": [str(locks.OPEN_TRIES), str(locks.CODE_TRIES)],
    "calls of one device to one route": [
        f"{sync.door.CALLS_PER_MINUTE:,}", str(media.door.CALLS_PER_MINUTE), str(call_rates.FAILED_PER_MINUTE), "429",
    ],
    "calls of one address to `/enrolments`, to `/devices`": [
        f"{sync.door.ENROLMENTS_PER_MINUTE:,}", str(sync.door.RETURNS_PER_MINUTE),
    ],
    "certificates that wait at `/devices`": [f"{returning.MAX_WAITING:,}", "503"],
    "calls in hand at one process of the door": [
        *(str(SLOTS[load]) for load in (Load.OPS, Load.SMALL, Load.PULLS, Load.PHOTOS, Load.SNAPSHOTS)), "503",
    ],
}  # fmt: skip
"""The numbers of each row of §12, in their order."""

SAME_ON_BOTH_SIDES = [
    (returning.MAX_BODY_BYTES, enrolments.MAX_BODY_BYTES),
    (phone_enrolment.MAX_APP_CHARACTERS, enrolment.MAX_APP_CHARACTERS),
    (handset.MAX_ANCHOR_CHARACTERS, anchors.MAX_CHARACTERS),
    (pushing.MAX_OPS, ops.MAX_OPS),
    (pushing.MAX_BATCH_BYTES, signatures.MAX_BODY_BYTES),
    (pushing.STATUSES, {"received", "fork", "quarantined"}),
    (operations.MAX_PROTECTED_BYTES, op_form.MAX_PROTECTED_BYTES),
    (open_op.MAX_HEADER_BYTES, op_form.MAX_PROTECTED_BYTES),
    (operations.MAX_BODY_BYTES, MAX_BODY_BYTES),
    (operations.MAX_NAMED, open_op.MAX_DEPENDENCIES),
    (set(operations.BUCKETS), open_op.BUCKETS),
    (wire.MAX_DEPTH, bounded_json.MAX_DEPTH),
    (wire.MAX_UNPACKED_BYTES, packing.MAX_UNPACKED_BYTES),
    (phone_records.MAX_PART_BYTES, records.MAX_PART_BYTES),
    (phone_records.MAX_ITEMS, feed.MAX_ITEMS),
    (phone_feed.SIZES, kinds.ITEM_SIZES),
    (sealed_photos.MAX_SEALED_BYTES, sealed_photo.MAX_SEALED_BYTES),
]


def test_every_limit_stands_in_the_table_with_its_value() -> None:
    number = re.compile(r"\d+(?:,\d{3})*(?: [KM]iB)?")
    assert {row: number.findall(cells[0]) for row, cells in table_of(12, "ops per call").items()} == LIMITS


def test_phone_door_and_office_keep_to_the_same_limits() -> None:
    assert [pair for pair in SAME_ON_BOTH_SIDES if pair[0] != pair[1]] == []


def test_the_numbers_of_the_running_text_are_the_programs() -> None:
    buckets = ", ".join(f"{bucket:,}" for bucket in sorted(open_op.BUCKETS))
    assert f"buckets: {buckets}." in SECTIONS[8]
    assert f"C is `size` + {HPKE_OVERHEAD_BYTES} bytes" in SECTIONS[8]
    assert max(open_op.BUCKETS) + HPKE_OVERHEAD_BYTES <= op_form.MAX_CT_BYTES
    assert f"N from 1 to {feed.MAX_ITEMS}, default {feed.DEFAULT_ITEMS}" in SECTIONS[6]
    assert f"1 to {LONGEST_RETRY_S} where more calls" in SECTIONS[5]
    assert f"1 to {60 + call_rates.SPREAD_S} at a limit per minute" in SECTIONS[5]
    assert f"good once, for {enrolment.LIFETIME // timedelta(hours=1)} hours" in SECTIONS[4]


def test_the_kinds_of_records_and_items_stand_there_with_their_sizes() -> None:
    told = [table for table in tables(6) if "1" in table]
    assert {int(number) for number in told[0]} == {int(kind) for kind in kinds.RecordKind}
    for kind in kinds.RecordKind:
        assert getattr(phone_records, kind.name) == kind
    items = table_of(6, "`visit`")
    assert {row.strip("`"): cells[0] for row, cells in items.items()} == {
        kind: f"{length:,}" for kind, length in kinds.ITEM_SIZES.items()
    }


def door_files() -> list[Path]:
    return [*(ROOT / "sync/door").glob("*.py"), *(ROOT / "media/door").glob("*.py"), ROOT / "doorstep/door.py"]


def platform_files() -> list[Path]:
    return [ROOT / "field_api/platform" / name for name in REFUSED_EVERYWHERE]


def test_every_code_that_the_door_can_answer_stands_there_with_its_status_and_no_other() -> None:
    made = codes_in([*door_files(), *platform_files()]) | {problems._HTTP_CODES[status] for status in BY_FLASK}
    made |= {"internal"}  # whatever is not foreseen
    told = {row.strip("`"): int(cells[0]) for row, cells in table_of(12, "`anchor-stale`").items()}
    assert told == {code: problems.STATUS[code] for code in made}


def test_every_code_that_any_call_may_meet_is_told_before_the_routes() -> None:
    assert codes_in(platform_files()) <= of_any_call()


def of_any_call() -> set[str]:
    (sentence,) = (line for line in SECTIONS[12].splitlines() if line.startswith("Every call may be answered with"))
    return set(TICKED.findall(sentence))


@pytest.mark.parametrize("file", sorted(ROUTES_OF))
def test_every_code_of_a_route_stands_in_its_row(file: str) -> None:
    rows = table_of(12, "`POST /ops`")
    told = {code for route in ROUTES_OF[file] for code in TICKED.findall(rows[f"`{route}`"][2])}
    assert codes_in([ROOT / file]) <= told | of_any_call()


def test_no_file_of_the_door_refuses_unseen() -> None:
    refusing = {str(path.relative_to(ROOT)) for path in door_files() if codes_in([path])}
    assert refusing - {"doorstep/door.py"} <= set(ROUTES_OF)  # that one: a probe's


def test_every_route_stands_there_with_its_answers() -> None:
    sync.door.answers, media.door.http  # noqa: B018 - loaded: they declare
    told = {row.strip("`"): cells for row, cells in table_of(12, "`POST /ops`").items()}
    mine = {_as_told(each): each for each in _ANSWERS.values() if each.path.startswith("/phone/v1")}
    assert set(told) == set(mine)
    for route, each in mine.items():
        statuses = {*each.json, *each.sealed, *each.records, *each.empty} - {416}  # a refusal
        assert {int(status) for status in told[route][1].split(", ")} == statuses, route


def _as_told(each: Answers) -> str:
    path = each.path.removeprefix("/phone/v1")
    for part, name in ((r"<uuid:\w+>", "ID"), (r"<int:level>", "LEVEL"), (r"<int:index>", "INDEX")):
        path = re.sub(part, name, path)
    return f"{each.method} {path}"


def test_every_reason_for_setting_apart_stands_there_and_no_other() -> None:
    made = {str(arguments[1]) for path in door_files() for arguments in calls_in(path, "Odd") if arguments[1]}
    office = [*(ROOT / "sync/office").glob("*.py"), *(ROOT / "field_api/usecases").rglob("*.py")]
    for path in office:
        made |= {str(arguments[0]) for arguments in calls_in(path, "Quarantined", "UnreadableOperation", "Refused")
                 if isinstance(arguments[0], str)}  # fmt: skip
    made |= {"device-revoked", turns.CRASHED_WORKER, "crashed:KIND", "waits", lost_operations.REASON}
    told = {code for row in table_of(8, "`bad-form`") for code in TICKED.findall(row)}
    assert told == made


def test_the_states_of_operations_and_devices_and_their_words_stand_there() -> None:
    assert set(table_of(8, "`received`")) == {f"`{status}`" for status in pushing.STATUSES}
    assert f'"reason": {"·".join(devices.REVOCATION_REASONS)}' in SECTIONS[10]
    moves = table_of(10, "pending · active")
    assert {"(unknown)", "pending", "pending · active"} == set(moves)


_CONTEXT = re.compile(r"doorstep-(?!phone-(?:store|vault|probe)-)[a-z-]+-v1")


def test_every_context_of_a_signature_stands_there() -> None:
    """But those that the phone uses on its own disk alone."""
    photographs = (ROOT / "docs/photo-format.md").read_text()
    used = {found for path in (ROOT / "sync/phone").rglob("*.py") for found in _CONTEXT.findall(path.read_text())}
    assert {context for context in used if context not in TEXT + photographs} == set()
