"""The door lets in what an enrolled device signed over all that the protocol names, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask, g, request

from doorstep.app import bare_app
from doorstep.postgres import Server
from field_api.platform.clock import SetClock
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.database import db, transaction
from field_api.platform.devices import Device
from field_api.platform.ids import new_id
from field_api.platform.keyring_files import DoorKeyring
from field_api.platform.settings import Settings
from field_api.platform.signatures import WIPE_ORDER_EXTENSION, signed_by_device
from tests.door_client import Phone, point


@pytest.fixture
def door(settings: Settings, database: Server, clock: SetClock) -> Iterator[Flask]:
    """An application with three signed routes, as the door's database role."""
    app = bare_app("door", replace(settings, database_url=database.url("door")))
    app.extensions["doorstep.door_keys"] = DoorKeyring(settings.door_keys)
    app.extensions["doorstep.clock"] = clock
    app.extensions[WIPE_ORDER_EXTENSION] = lambda agency, device: {"order": str(device), "sig": "s"}
    app.add_url_rule(
        "/phone/v1/anchors",
        "anchors",
        signed_by_device(anchor=False)(lambda: {"anchor": "see header"}),
        methods=["POST"],
    )

    @app.post("/phone/v1/echo")
    @signed_by_device(max_body_bytes=1_000)
    def echo():
        return {"device": str(g.device.id), "agent": str(g.device.agent_id), "body": request.get_data(as_text=True)}

    @app.post("/phone/v1/queue")
    @signed_by_device(revoked_ok=True)
    def queue():
        return {"device": str(g.device.id)}

    yield app
    with app.app_context():
        db.engine.dispose()


def enrol(phone: Phone, clock: SetClock, state: str = "active") -> None:
    with transaction(phone.agency) as session:
        session.add(
            Device(
                id=phone.device,
                agent_id=uuid4(),
                state=state,
                signing_public=point(phone.signing),
                sealing_public=point(phone.sealing),
                enrolled_at=clock.now(),
            )
        )


@pytest.fixture
def phone(app: Flask, agency: UUID, door: Flask, clock: SetClock) -> Phone:
    phone = Phone(door.test_client(), agency, uuid4())
    enrol(phone, clock)
    phone.take_anchor()
    return phone


def code(response) -> str:
    assert response.mimetype == "application/problem+json", response.text
    return response.json["code"]


def test_a_signed_request_is_let_in_and_answered_with_a_fresh_anchor(phone: Phone) -> None:
    first = phone.anchor
    response = phone.call("POST", "/phone/v1/echo", b'{"a":1}', query="x=%20y&z")
    assert response.json["device"] == str(phone.device)
    assert response.json["body"] == '{"a":1}'
    assert phone.anchor and phone.anchor != first


def test_an_anchor_may_be_used_again_until_it_is_ten_minutes_old(phone: Phone, clock: SetClock) -> None:
    anchor = phone.anchor
    for minutes, status in ((0, 200), (10, 200), (1, 401)):
        clock.advance(timedelta(minutes=minutes))
        phone.anchor = anchor
        response = phone.call("POST", "/phone/v1/echo", b"{}")
        assert response.status_code == status
    assert code(response) == "anchor-stale"
    assert phone.call("POST", "/phone/v1/echo", b"{}").status_code == 200  # with the anchor of the refusal


def test_a_phone_whose_clock_says_1970_is_let_in(phone: Phone) -> None:
    assert phone.call("POST", "/phone/v1/echo", b"{}", created=12).status_code == 200


def test_an_anchor_of_another_device_is_stale(phone: Phone, door: Flask, clock: SetClock) -> None:
    other = Phone(door.test_client(), phone.agency, uuid4())
    enrol(other, clock)
    other.anchor = phone.anchor
    assert code(other.call("POST", "/phone/v1/echo", b"{}")) == "anchor-stale"
    other.anchor = "nonsense.AAAA"
    assert code(other.call("POST", "/phone/v1/echo", b"{}")) == "anchor-stale"
    assert code(other.call("POST", "/phone/v1/echo", b"{}", anchored=False)) == "anchor-stale"


def test_an_unsigned_request_is_asked_for_a_signature(door: Flask) -> None:
    assert code(door.test_client().post("/phone/v1/echo", data=b"{}")) == "signature-required"


def test_a_swapped_body_is_refused(phone: Phone) -> None:
    assert code(phone.call("POST", "/phone/v1/echo", b'{"a":1}', sent_body=b'{"a":2}')) == "digest-mismatch"


def test_a_body_without_digest_is_refused(phone: Phone) -> None:
    headers = {"Content-Type": "application/json"}
    headers |= phone.signature_headers("POST", "/phone/v1/echo", "", headers, True)
    assert code(phone.client.post("/phone/v1/echo", data=b"{}", headers=headers)) == "signature-invalid"


def test_unknown_device_unknown_agency_and_another_devices_key_look_the_same(
    phone: Phone, door: Flask, settings: Settings, clock: SetClock
) -> None:
    elsewhere = new_id()
    create_agency_keys(settings.home, elsewhere, clock.now())
    stranger = replace(phone, signing=Phone(phone.client, phone.agency, phone.device).signing)
    answers = [
        stranger.call("POST", "/phone/v1/echo", b"{}"),
        phone.call("POST", "/phone/v1/echo", b"{}", key_id=f"{phone.agency}/{uuid4()}"),
        phone.call("POST", "/phone/v1/echo", b"{}", key_id=f"{uuid4()}/{phone.device}"),
        phone.call("POST", "/phone/v1/echo", b"{}", key_id=f"{elsewhere}/{phone.device}"),
        phone.call("POST", "/phone/v1/echo", b"{}", key_id=f"{phone.agency}/{phone.device}".upper()),
        phone.call("POST", "/phone/v1/echo", b"{}", key_id="' OR 1=1"),
    ]
    assert {(answer.status_code, answer.data, "Doorstep-Anchor" in answer.headers) for answer in answers} == {
        (401, answers[0].data, False)
    }
    assert code(answers[0]) == "signature-invalid"


@pytest.mark.parametrize("lost", ["@method", "@authority", "@path", "@query", "content-digest", "content-type"])
def test_every_component_must_be_covered(phone: Phone, lost: str) -> None:
    import base64

    from tests.door_client import es256, sha256

    body = b"{}"
    values = {
        "@method": "POST", "@authority": "door.test", "@path": "/phone/v1/echo", "@query": "?",
        "content-digest": f"sha-256=:{base64.b64encode(sha256(body)).decode()}:", "content-type": "application/json",
    }  # fmt: skip
    headers = {"Content-Digest": values["content-digest"], "Content-Type": values["content-type"]}
    del values[lost]
    parameters = (
        f"({' '.join(json.dumps(name) for name in values)});created=1"
        f';keyid="{phone.agency}/{phone.device}";alg="ecdsa-p256-sha256";nonce="{phone.anchor}";tag="doorstep-phone-v1"'
    )
    base = "".join(f'"{name}": {value}\n' for name, value in values.items()) + f'"@signature-params": {parameters}'
    signature = base64.b64encode(es256(phone.signing, base.encode())).decode()
    headers |= {"Signature-Input": f"doorstep={parameters}", "Signature": f"doorstep=:{signature}:"}
    assert code(phone.client.post("/phone/v1/echo", data=body, headers=headers)) == "signature-invalid"


def test_the_host_header_counts_for_nothing(phone: Phone) -> None:
    phone.authority = "evil.test"
    response = phone.call("POST", "/phone/v1/echo", b"{}", headers={"Host": "evil.test"})
    assert code(response) == "signature-invalid"


def test_another_path_or_query_than_the_signed_one_is_refused(phone: Phone) -> None:
    headers = phone.signature_headers("POST", "/phone/v1/echo", "after=1", {}, True)
    assert code(phone.client.post("/phone/v1/echo?after=2", headers=headers)) == "signature-invalid"
    assert code(phone.client.post("/phone/v1/queue?after=1", headers=headers)) == "signature-invalid"
    assert phone.client.post("/phone/v1/echo?after=1", headers=headers).status_code == 200


def test_the_signed_target_is_the_one_that_was_routed(phone: Phone) -> None:
    """A server or proxy that reads the request's first line in another way than the router must not divert a call."""
    headers = phone.signature_headers("POST", "/phone/v1/queue", "", {}, anchored=True)
    diverted = {"REQUEST_URI": "/phone/v1/queue"}
    answer = phone.client.post("/phone/v1/echo", headers=headers, environ_overrides=diverted)
    assert (answer.status_code, answer.json["code"]) == (401, "signature-invalid")
    answer = phone.client.post("/phone/v1/queue", headers=headers, environ_overrides=diverted)
    assert answer.status_code == 200


def test_a_body_above_the_routes_limit_is_refused(phone: Phone) -> None:
    assert code(phone.call("POST", "/phone/v1/echo", b"x" * 1_001)) == "too-large"
    assert code(phone.call("POST", "/phone/v1/queue", b"x" * 300 * 1024)) == "too-large"


def test_a_revoked_phone_gets_its_wipe_order_and_may_still_hand_in_its_queue(
    phone: Phone, door: Flask, clock: SetClock
) -> None:
    with transaction(phone.agency) as session:
        session.get(Device, (phone.agency, phone.device)).state = "revoked"
    response = phone.call("POST", "/phone/v1/echo", b"{}")
    assert code(response) == "device-revoked"
    assert response.json["wipe"] == {"order": str(phone.device), "sig": "s"}
    assert phone.call("POST", "/phone/v1/queue", b"{}").status_code == 200


def test_malformed_signature_headers_are_refused_and_never_crash(phone: Phone) -> None:
    for headers in (
        {"Signature-Input": "doorstep=((", "Signature": "doorstep=:AA==:"},
        {"Signature-Input": 'doorstep=();tag="doorstep-phone-v1"', "Signature": "doorstep=:AA==:"},
        {"Signature-Input": "doorstep=1", "Signature": "doorstep=1"},
        {"Signature-Input": "x" * 5_000, "Signature": "doorstep=:AA==:"},
    ):
        assert code(phone.client.post("/phone/v1/echo", headers=headers)) == "signature-invalid"
