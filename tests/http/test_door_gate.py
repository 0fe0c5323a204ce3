"""Nothing leaves the door but listed shapes and ciphertext, whatever a view does."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from flask import Flask, Response
from werkzeug.test import TestResponse

from field_api.platform import door_gate
from field_api.platform.door_gate import check_door_routes
from field_api.platform.egress import UndeclaredOutlet
from field_api.platform.log import configure_logging
from field_api.platform.problems import Problem
from tests.door_client import Phone, record

pytest_plugins = ["tests.door_fixtures"]
CANARY = "saldo-7751204"


@pytest.fixture
def lines() -> Iterator[Any]:
    import logging

    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    root.handlers[:], level = before
    root.setLevel(level)


def _is_a_bare_500(response: TestResponse) -> None:
    assert response.status_code == 500
    assert set(response.json) == {"type", "title", "status", "code", "incident"}
    assert CANARY not in response.text + str(response.headers)


@pytest.mark.parametrize(
    "leak",
    [
        lambda: {"anchor": "aa.bb", "balance": 7751204},  # a key that nobody listed
        lambda: {"anchor": f"{CANARY} MXN"},  # a listed key whose text has not its form
        lambda: ({"anchor": "aa.bb"}, 201),  # another status
        lambda: ({"anchor": "aa.bb"}, 200, {"X-Balance": CANARY}),  # a header that nobody listed
        lambda: ({"anchor": "aa.bb"}, 200, {"Content-Disposition": f"attachment; filename={CANARY}.pdf"}),
        lambda: ({"anchor": "aa.bb"}, 200, {"ETag": f'"{CANARY}"'}),
        lambda: ({"anchor": "aa.bb"}, 200, {"Set-Cookie": f"seen={CANARY}"}),
        lambda: Response(CANARY, mimetype="text/plain"),
        lambda: Response(CANARY, mimetype="application/octet-stream"),
        lambda: [CANARY],
    ],
)
def test_a_view_that_says_more_is_answered_with_an_incident(door: Flask, phone: Phone, lines: Any, leak: Any) -> None:
    door.view_functions["anchors.give_anchor"] = leak
    _is_a_bare_500(phone.client.post("/phone/v1/anchors"))
    (line,) = lines()
    assert (line["event"], line["endpoint"]) == ("egress-refused", "anchors.give_anchor")
    assert CANARY not in json.dumps(line)


@pytest.mark.parametrize(
    "problem",
    [
        Problem("conflict", extra={"balance": CANARY}),
        Problem("conflict", f"¡{CANARY}!"),
        Problem("conflict", at=f"at {CANARY}"),
        Problem("conflict", headers={"X-Why": CANARY}),
        Problem("device-revoked", extra={"wipe": {"order": "aa", "sig": "bb", "why": CANARY}}),
    ],
)
def test_a_refusal_has_the_closed_shape_of_problems(door: Flask, phone: Phone, problem: Problem) -> None:
    def refuse() -> None:
        raise problem

    door.view_functions["anchors.give_anchor"] = refuse
    _is_a_bare_500(phone.client.post("/phone/v1/anchors"))


def test_sealed_bytes_with_a_sentence_in_them_stay(door: Flask, phone: Phone) -> None:
    sealed, said = bytes(540), b"debe 7751 pesos"
    key = b'{"key":"00112233aabbccdd"}'
    for body in (
        said,
        record(7, b"", key, sealed) + said,
        record(7, b"", key, said),
        record(7, b"", b'{"key":"debe"}', sealed),
        record(7, b"", b'{"key":"00112233aabbccdd","owes":7751}', sealed),
        record(7, said.ljust(64), key, sealed),
        record(4, b"", b'{"more":false}'),
        record(9, b"", said),
        record(7, b"", key, sealed)[:-1],
    ):
        door.view_functions["snapshots.snapshot"] = lambda body=body: Response(
            body, mimetype="application/octet-stream"
        )
        _is_a_bare_500(phone.client.get("/phone/v1/feed/snapshot"))
    door.view_functions["snapshots.snapshot"] = lambda: Response(
        record(7, b"", key, sealed), mimetype="application/octet-stream"
    )
    assert phone.client.get("/phone/v1/feed/snapshot").status_code == 200


def test_an_unexpected_error_tells_neither_the_phone_nor_the_log_its_text(
    door: Flask, phone: Phone, lines: Any
) -> None:
    def crash() -> None:
        raise ValueError(f"{CANARY} is owed")

    door.view_functions["anchors.give_anchor"] = crash
    response = phone.client.post("/phone/v1/anchors")
    _is_a_bare_500(response)
    (line,) = lines()
    assert (line["event"], line["error"], line["incident"]) == ("incident", "ValueError", response.json["incident"])
    assert CANARY not in json.dumps(line)


@pytest.mark.parametrize("crashes", [False, True], ids=["an answer", "an error"])
def test_what_fails_while_it_answers_sends_nothing_unchecked(
    door: Flask, phone: Phone, lines: Any, crashes: bool
) -> None:
    """Flask sends the response as it stands where its processing fails while an error is being answered."""

    def view() -> Response:
        if crashes:
            raise ValueError(CANARY)
        return Response("{}", mimetype="application/json")

    def spoil(response: Response) -> Response:
        response.headers["X-Why"] = CANARY
        response.set_data(CANARY)
        raise RuntimeError(CANARY)

    door.view_functions["anchors.give_anchor"] = view
    door.after_request_funcs.setdefault(None, []).append(spoil)
    response = phone.client.post("/phone/v1/anchors")
    _is_a_bare_500(response)
    last = lines()[-1]
    assert (last["event"], last["place"], last["incident"]) == (
        "egress-refused",
        "RuntimeError",
        response.json["incident"],
    )
    assert CANARY not in json.dumps(lines())


def test_what_cannot_be_looked_at_stays(door: Flask, phone: Phone) -> None:
    def passed_through() -> Response:
        response = Response(io.BytesIO(CANARY.encode()), mimetype="application/json")
        response.direct_passthrough = True
        return response

    door.view_functions["anchors.give_anchor"] = passed_through
    _is_a_bare_500(phone.client.post("/phone/v1/anchors"))


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000])
@pytest.mark.parametrize("form", ["application/json", "application/problem+json"])
def test_what_is_no_json_stays(door: Flask, phone: Phone, body: bytes, form: str) -> None:
    door.view_functions["anchors.give_anchor"] = lambda: Response(body, mimetype=form)
    _is_a_bare_500(phone.client.post("/phone/v1/anchors"))


def test_a_route_that_does_not_say_what_it_answers_stops_the_start(door: Flask) -> None:
    check_door_routes(door)
    door.url_map.add(door.url_rule_class("/phone/v1/balances", methods=["GET"], endpoint="balances"))
    with pytest.raises(UndeclaredOutlet, match="door_route GET /phone/v1/balances"):
        check_door_routes(door)


def test_every_declared_answer_belongs_to_a_route(door: Flask) -> None:
    assert set(door_gate.route_names(door)) == set(door_gate._ANSWERS)


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD", "TRACE", "PUT"])
def test_what_flask_answers_by_itself_passes(door: Flask, method: str) -> None:
    response = door.test_client().open("/healthz", method=method)
    assert response.status_code in {200, 405} and response.status_code != 500
