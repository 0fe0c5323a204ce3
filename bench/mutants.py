"""The single checks that `mutate_checks.py` takes away, by group.

What the database holds, the permission table and the declarations of the routes are not here: tests/guards tries those
in every run (docs/checks.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

AGENCY = "tests/guards/test_wrong_agency.py"
PHONE = "tests/guards/test_wrong_phone.py"
HTTP = "tests/http"
FRAME = (f"{HTTP}/test_routes.py", f"{HTTP}/test_frame.py", f"{HTTP}/test_sign_in.py", f"{HTTP}/test_idempotency.py")
GATE = f"{HTTP}/test_response_gate.py"
DOOR = (f"{HTTP}/test_door_signatures.py", f"{HTTP}/test_door_ops.py", PHONE)


@dataclass(frozen=True)
class Mutant:
    """`old`, a text of the file (the `nth` of its kind), becomes `new`."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    nth: int = 0

    def changed(self, text: str) -> str:
        """Raises ValueError where the check does not stand there any more: the list is to be mended then."""
        parts = text.split(self.old)
        if len(parts) < self.nth + 2:
            raise ValueError(f"{self.name}: not found in {self.file}")
        before, after = self.old.join(parts[: self.nth + 1]), self.old.join(parts[self.nth + 1 :])
        return before + self.new + after


def creditors(_tree: Path) -> Iterator[Mutant]:
    """A controller's bound, where each view or query keeps it; and whose cursor it is."""

    def of(file: str, old: str, new: str, operation: str, nth: int = 0) -> Mutant:
        test = f"{AGENCY}::test_a_foreign_id_is_answered_like_an_unknown_one[{operation}]"
        return Mutant(f"{file}: {old.strip()} ({nth})", file, old, new, (test,), nth)

    http, queries = "field_api/http", "field_api/queries"
    never, api = "if False:", "/api/v1"
    yield of(f"{http}/accounts.py", "if g.actor.creditor_id is not None:", never, f"GET {api}/accounts")
    yield of(
        f"{http}/accounts.py",
        'if g.actor.creditor_id not in (None, body["creditor_id"]):',
        never,
        f"POST {api}/accounts/search",
    )
    yield of(
        f"{http}/accounts.py",
        "if g.actor.creditor_id not in (None, account.creditor_id):",
        never,
        f"GET {api}/accounts/{{account_id}}",
    )
    yield of(
        f"{http}/creditors.py",
        "if g.actor.creditor_id not in (None, creditor_id):",
        never,
        f"GET {api}/creditors/{{creditor_id}}",
    )
    bound = "creditor_id=g.actor.creditor_id"
    for name in ("creditors", "attempts", "promises", "disputes", "holds", "visits"):
        yield of(f"{http}/{name}.py", bound, "creditor_id=None", f"GET {api}/{name}")
    kept = "if creditor_id is not None:"
    yield of(f"{queries}/accounts.py", kept, never, f"POST {api}/accounts/search")
    yield of(
        f"{queries}/accounts.py", "found if creditor_id is None else", "found if True else", f"GET {api}/creditors"
    )
    yield of(f"{queries}/holds.py", kept, never, f"GET {api}/holds")
    yield of(f"{queries}/results.py", kept, never, f"GET {api}/attempts")
    yield of(f"{queries}/results.py", kept, never, f"GET {api}/promises", 1)
    yield of(f"{queries}/visits.py", kept, never, f"GET {api}/visits")
    yield of(f"{http}/paging.py", ":{whose}", "", f"GET {api}/agents")
    yield of(f"{http}/paging.py", "{g.actor.agency_id}:", "", f"GET {api}/agents")
    yield of(f"{http}/paging.py", ":{g.actor.creditor_id}", "", f"GET {api}/promises")


def frame(_tree: Path) -> Iterator[Mutant]:
    """Who is let in, by what, and that an answer is its asker's alone."""
    http = "field_api/http"
    cases = [
        (
            f"{http}/frame.py",
            "if declaration.permission is None or not actor.may(declaration.permission):",
            "if False:",
        ),
        (
            f"{http}/frame.py",
            "if actor.role is StaffRole.CONTROLLER and not (declaration.by_creditor and actor.creditor_id):",
            "if False:",
        ),
        (f"{http}/frame.py", "if not declaration.open_to_all:", "if False:"),
        (f"{http}/frame.py", "if request.method not in SAFE_METHODS:", "if False:"),
        (f"{http}/frame.py", "if who not in declaration.audiences:", "if False:"),
        (f"{http}/frame.py", "if not declaration.complete:", "if False:"),
        (f"{http}/frame.py", "    check_routes(app)\n", "    pass\n"),
        (f"{http}/frame.py", "    install_gate(app, operations)\n", "    pass\n"),
        (f"{http}/guard.py", "if declaration.audiences != declaration.admitted:", "if False:"),
        (f"{http}/guard.py", "if not declaration.complete:", "if False:"),
        (f"{http}/guard.py", "if not route.bodies:", "if False:"),
        (f"{http}/permits.py", "if self.role not in PERMISSIONS.get(permission, frozenset()):", "if False:"),
        (f"{http}/permits.py", 'return self.kind == "staff" or permission in self.permissions', "return True"),
        (f"{http}/permits.py", "if permission not in PERMISSIONS:", "if False:"),
        (f"{http}/permits.py", "if by_creditor and StaffRole.CONTROLLER not in PERMISSIONS[permission]:", "if False:"),
        (f"{http}/tokens.py", "not sealing.same(expected, sealing.sha256(wire.secret.encode())) or ", ""),
        (f"{http}/tokens.py", " or token.revoked_at", ""),
        (f"{http}/sign_in.py", "row.password, row.active", "row.password, True"),
        (f"{http}/sign_in.py", "StaffRole(row.role), row.creditor_id", "StaffRole(row.role), None"),
        (f"{http}/sign_in.py", '"WTF_CSRF_CHECK_DEFAULT": False', '"WTF_CSRF_ENABLED": False'),
        (f"{http}/idempotency.py", "IdempotencyKey.actor_id == actor.id, ", ""),
        (f"{http}/idempotency.py", "IdempotencyKey.route == route, ", ""),
        (f"{http}/idempotency.py", "if not sealing.same(row.request_sha256, content):", "if False:"),
        (f"{http}/idempotency.py", "if not may_store:", "if False:"),
    ]
    for file, old, new in cases:
        yield Mutant(f"{file}: {old.strip()}", file, old, new, (*FRAME, GATE, f"{HTTP}/test_generated_requests.py"))


def tenancy(_tree: Path) -> Iterator[Mutant]:
    """Above row-level security; then row-level security is what holds (the second line of each filter)."""
    database = "field_api/platform/database.py"
    yield Mutant("every agency's key in the session", database, 'str(agency_id) if agency_id else ""', '""', (AGENCY,))
    yield Mutant(
        "the agency outlives its transaction",
        database,
        ":agency, true)",
        ":agency, false)",
        ("tests/database/test_row_security.py", AGENCY),
    )
    yield Mutant(
        "a joint transaction for two agencies",
        database,
        'if outer.info.get("agency_id") != agency_id:',
        "if False:",
        (f"{HTTP}/test_idempotency.py", "tests/database"),
    )
    yield Mutant(
        "load finds nothing and goes on", "field_api/records/base.py", "if row is None:", "if False:", (AGENCY,)
    )


def door(_tree: Path) -> Iterator[Mutant]:
    signatures, forms, uploads = "field_api/platform/signatures.py", "sync/door/op_form.py", "media/door/uploads.py"
    cases = [
        (signatures, 'if verified.device.state != "active" and not revoked_ok:', "if False:"),
        (signatures, "if device is None or keys is None:", "if keys is None:"),
        (signatures, 'if key_id != f"{agency_id}/{device_id}":', "if False:"),
        (
            signatures,
            "if covered != [*ALWAYS_COVERED, *present] or names not in (PARAMETERS, PARAMETERS_WITHOUT_ANCHOR):",
            "if False:",
        ),
        (signatures, 'if has_body() and "content-digest" not in present:', "if False:"),
        (signatures, "                _check_digest()\n", ""),
        (signatures, "sealing.verify(self.public_key, message, signature)", "pass"),
        (signatures, "_anchor_time(keys, device, parameters) if anchor else None", "None"),
        (signatures, 'if unquote_to_bytes(path).decode("utf-8", "replace") != request.path:', "if False:"),
        ("field_api/platform/anchors.py", "if not now - LIFETIME <= at <= now + DRIFT:", "if False:"),
        (
            "field_api/platform/anchors.py",
            'if (claims["v"], claims["agency"], claims["device"]) != (1, str(agency_id), str(device_id)):',
            "if False:",
        ),
        (
            "field_api/platform/anchors.py",
            "        verify_by_any(door_publics, CONTEXT + body, from_b64u(signature_text))\n",
            "",
        ),
        (forms, "if owner != (str(device.agency_id), str(device.id)):", "if False:"),
        (forms, "verify(device.signing_public, SIGNATURE_CONTEXT + protected + ct_sha256, sig)", "pass"),
        (forms, "if version != 1:", "if False:"),
        (uploads, "upload.device_id != device_id or ", ""),
        ("sync/door/feed.py", "                FeedItem.device_id == device.id,\n", ""),
        (
            "sync/door/feed.py",
            "            FeedItem.device_id == device.id,\n            FeedItem.epoch == cursor",
            "            FeedItem.epoch == cursor",
        ),
        ("sync/door/feed.py", "or not same(stored, cursor.roll)", ""),
        ("sync/door/feed.py", "cursor.epoch != device.epoch or ", ""),
        ("sync/door/feed.py", ", SheetKey.device_id == device.id", ""),
        ("sync/door/feed.py", ", table.device_id == device.id", ""),
        ("sync/door/snapshots.py", "                Snapshot.device_id == device.id,\n", ""),
        ("sync/door/ops.py", ", InboxOp.device_id == device.id", ""),
        ("sync/door/receive.py", "device_id = %(device)s AND op_id", "op_id"),
        ("sync/door/wipe_orders.py", ", WipeOrder.device_id == device_id", ""),
        (
            "sync/door/enrolments.py",
            "if enrolment is None or enrolment.expires_at <= clock().now():",
            "if enrolment is None:",
        ),
    ]
    tests = (
        *DOOR,
        "tests/uploads/test_photo_uploads.py",
        "tests/database/test_sync_day.py",
        "tests/database/test_sync_publish.py",
        "tests/database/test_two_phones.py",
    )
    for file, old, new in cases:
        yield Mutant(f"{file}: {old.strip()}", file, old, new, tests)
    for file in ("feed", "log", "ops", "snapshots", "anchors"):
        yield Mutant(
            f"sync/door/{file}.py: signed_by_device",
            f"sync/door/{file}.py",
            "@signed_by_device(",
            "@(lambda **_: lambda view: view)(",
            tests,
        )
    for nth in range(4):
        yield Mutant(
            f"media/door/http.py: signed_by_device {nth}",
            "media/door/http.py",
            "@signed_by_device(",
            "@(lambda **_: lambda view: view)(",
            tests,
            nth,
        )


def egress(_tree: Path) -> Iterator[Mutant]:
    """Values, schemas, gates."""
    gate, doorgate, shapes = "field_api/http/gate.py", "field_api/platform/door_gate.py", "field_api/http/shapes.py"
    confidential, labelled, out = (
        "field_api/domain/confidential.py",
        "field_api/http/schemas/labelled.py",
        "field_api/platform/egress.py",
    )
    office = ("tests/http/test_response_gate.py", "tests/guards/test_wire_labels.py", f"{HTTP}/test_routes.py")
    floor = (
        "tests/unit/test_confidential_values.py",
        "tests/unit/test_egress.py",
        "tests/guards/test_outlets.py",
        "tests/guards/test_wire_labels.py",
        "tests/http/test_door_gate.py",
    )
    cases = [
        (confidential, "if _declared.get() is not to:", "if False:", floor),
        (confidential, "if not may_see(to, self._label):", "if False:", floor),
        (labelled, "    if label is None:\n        raise", "    if False:\n        raise", office),
        (labelled, "    if blind:\n", "    if False:\n", office),
        (labelled, "if not audiences:", "if False:", office),
        (
            labelled,
            "if missing := audiences - nested.audiences:",
            "if (missing := audiences - nested.audiences) and False:",
            office,
        ),
        (labelled, "if is_free(part) and label is not Label.CONFIDENTIAL:", "if False:", office),
        (labelled, "if isinstance(part, _WITHOUT_SHAPE):", "if False:", office),
        (shapes, " and may_see(audience, label)", "", office),
        (
            shapes,
            "            if member is None:\n                raise OutOfShape(name)\n",
            "            if member is None:\n                continue\n",
            office,
        ),
        (gate, "    check_headers(app, response)\n", "", office),
        (gate, "if response.is_streamed or response.direct_passthrough:", "if False:", office),
        (gate, "if who is None or declared is None:", "if declared is None:", office),
        (gate, "    if body is None:\n", "    if False:\n", office),
        (gate, "    _check_name(response, body)\n", "", office),
        (gate, "if who not in declared.shapes:", "if False:", office),
        (gate, "        declared.shapes[who](_parsed(response.get_data()))\n", "        pass\n", office),
        (
            gate,
            "        check_pdf(response.get_data(), inside=Label.CONFIDENTIAL in body.labels)\n",
            "        pass\n",
            office,
        ),
        (gate, "        check_jpeg(response.get_data())\n", "        pass\n", office),
        (gate, "    if not right:\n", "    if False:\n", office),
        (gate, "if environ.get(_PASSED):", "if True:", office),
        (doorgate, "    _check_headers(response.headers.items())\n", "", floor),
        (doorgate, "if response.get_data().translate(None, bytes(answers.sealed[status])):", "if False:", floor),
        (
            doorgate,
            "elif status not in answers.empty or (status != 304 and response.get_data()):",
            "elif False:",
            floor,
        ),
        (doorgate, "    passed(way, {str(status): json.loads(body)})\n", "    return\n", floor),
        (doorgate, "        passed(PROBLEMS, json.loads(response.get_data()))\n", "", floor),
        (out, "if label not in labels:", "if False:", floor),
        (out, "        if missing:\n", "        if False:\n", floor),
        (out, "if known != outlet:", "if False:", floor),
        (out, "if declared_audience() not in way.audiences:", "if False:", floor),
        (out, "if chosen is None or chosen not in way.audiences:", "if False:", floor),
        (out, "if isinstance(value, Confidential):", "if False:", floor),
        (out, "isinstance(shape, Closed) and not shape.form.fullmatch(str(value))", "False", floor),
        (out, "if way.shape is None:", "if False:", floor),
    ]
    for file, old, new, tests in cases:
        yield Mutant(f"{file}: {old.strip()}", file, old, new, tests)


def doubly_held(tree: Path) -> Iterator[Mutant]:
    """The filters by agency, those of a file at once: row-level security stands under each, none should be missed."""
    office = ["field_api/usecases", "field_api/queries", "field_api/http", "sync/office", "media/office"]
    for folder, mine, tests in [
        *((folder, r"current_agency\(\)", (AGENCY, PHONE)) for folder in office),
        *((folder, r"[\w.]*agency_id\b", (PHONE,)) for folder in ("sync/door", "media/door")),
    ]:
        for path in sorted((tree / folder).glob("*.py")):
            text, file = path.read_text(), str(path.relative_to(tree))
            without, number = re.subn(rf"([\w.]+)\.agency_id == {mine}", r"\1.agency_id == \1.agency_id", text)
            if number:
                yield Mutant(f"{file}: {number} filters", file, text, without, tests)
    yield Mutant(
        "field_api/records/base.py: load",
        "field_api/records/base.py",
        "row = session.get(kind, key, with_for_update=True if lock else None)",
        "row = session.query(kind).filter(kind.id == row_id).first()",
        (AGENCY,),
    )


GROUPS: dict[str, Callable[[Path], Iterator[Mutant]]] = {
    "creditors": creditors,
    "frame": frame,
    "tenancy": tenancy,
    "door": door,
    "egress": egress,
    "doubly held": doubly_held,
}
"""What `doubly held` lists has a second line below it: a mutant that no test notices proves that one."""
