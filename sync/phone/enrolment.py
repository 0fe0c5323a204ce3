"""Enrolment: from one line of 26 typed characters to a phone that the agency knows (docs/protocol.md §4).

Killed at any moment, it is taken up again by the same call: keys, secret and request lie sealed in the store until
the answer is verified; then the secret is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from sync.phone import crypto, wire
from sync.phone.address import DoorAddress, read_address
from sync.phone.calls import Outgoing, Transport, problem_of, read_body, refusal_of, retry_after_s, send
from sync.phone.clock import Clock
from sync.phone.crockford import read_secret
from sync.phone.errors import Later, NotAllowed, Untrusted
from sync.phone.patience import Patience
from sync.phone.store import Store
from sync.phone.trust import ROLES, Moment, Trust, signed_part
from sync.phone.vault import FILE, Keys, new_keys, prove, read_vault, write_vault

MAX_APP_CHARACTERS = 80
POLL_S = 1.0


def make_keys(directory: Path, passphrase: str, scrypt_cost: int) -> Keys:
    """Store new keys, read them back and use what was read. Keys that are there already are proved, not replaced."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (directory / FILE).exists():
        write_vault(directory, passphrase, new_keys(), scrypt_cost)
    keys = read_vault(directory, passphrase)
    prove(keys)
    return keys


class Enrolment:
    """One enrolment in progress. `step` as for `Handset`."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        clock: Clock,
        transport: Transport,
        patience: Patience,
        step: Callable[[str], None],
    ) -> None:
        self.store, self.keys, self.clock = store, keys, clock
        self.transport, self.patience, self.step = transport, patience, step

    def run(self, code_line: str, app: str, wait_s: float) -> None:
        """Raises NotAllowed, DoorRefused `enrolment-refused`, Later (also `enrolment-pending`) or Untrusted."""
        if self.store.get("state", "identity") is not None:
            raise NotAllowed("already-enrolled", "an installation is enrolled once; a new one starts empty")
        door, _, secret_text = code_line.strip().rpartition("#")
        address, secret = read_address(door), read_secret(secret_text)
        request = self._request(secret, app)
        self.step("enrol.keys")
        body = {
            "hash": crypto.b64u(crypto.sha256(b"doorstep-enrol-v1", secret)),
            "request": crypto.b64u(request),
            "mac": crypto.b64u(crypto.mac(crypto.derive(secret, b"doorstep-enrol-request-v1"), request)),
        }
        enrolment = wire.field(self._exchange(address, "POST", "/enrolments", body), "enrolment", str)
        if not wire.is_id(enrolment):
            raise wire.bad("enrolment")
        self.step("enrol.sent")
        answer = self._wait_for(address, enrolment, wait_s)
        self._accept(door, app, secret, answer)
        self.step("enrol.done")

    def _request(self, secret: bytes, app: str) -> bytes:
        """The request's bytes: the very same after a crash, so that the door knows them again."""
        waiting = self.store.get("state", "enrolment")
        if waiting and crypto.same(crypto.from_b64u(waiting["secret"]), secret):
            return crypto.from_b64u(waiting["request"])
        public = {name: crypto.b64u(crypto.public_of(getattr(self.keys, name))) for name in ("signing", "sealing")}
        request = wire.write_json({"v": 1, **public, "app": app[:MAX_APP_CHARACTERS]})
        kept = {"secret": crypto.b64u(secret), "request": crypto.b64u(request)}
        self.store.put("state", "enrolment", kept)
        return request

    def _wait_for(self, address: DoorAddress, enrolment: str, wait_s: float) -> Any:
        until_ms = self.clock.mono_ms() + int(wait_s * 1000)
        while True:
            answer = self._exchange(address, "GET", f"/enrolments/{enrolment}", None)
            if "answer" in answer:
                return answer
            pause_s = max(POLL_S, answer.get("retry_after_s", 0.0))
            if self.clock.mono_ms() + pause_s * 1000 > until_ms:
                raise Later("enrolment-pending", "the office has not answered yet; enrol again with the same code")
            self.patience.sleep(pause_s)

    def _exchange(self, address: DoorAddress, method: str, path: str, value: Any) -> Any:
        """The JSON answer to an unsigned call; a 202 without one tells `retry_after_s`."""

        def once() -> Any:
            body = wire.write_json(value) if value is not None else b""
            headers = {"content-type": "application/json"} if body else {}
            outgoing = Outgoing(body, self.step) if body else None
            url = f"{address.origin}{address.path}{path}"
            with send(self.transport, method, url, headers, outgoing) as response:
                return self._read(response)

        return self.patience.insist(once)

    @staticmethod
    def _read(response: requests.Response) -> Any:
        if response.status_code not in (200, 202):
            raise refusal_of(response, problem_of(response))
        body = read_body(response, 64 * 1024)
        document = wire.read_json(body) if body else {}
        if not isinstance(document, dict):
            raise wire.bad("no object")
        return {"retry_after_s": retry_after_s(response), **document}

    def _accept(self, door: str, app: str, secret: bytes, document: Any) -> None:
        """Verify the answer and become this device, in one transaction. Raises Untrusted."""
        answer_bytes = wire.binary(document, "answer")
        expected = crypto.mac(crypto.derive(secret, b"doorstep-enrol-answer-v1"), answer_bytes)
        if not crypto.same(expected, wire.binary(document, "mac", 32)):
            raise Untrusted("enrolment-mac", "the answer is not from whoever issued the code")
        answer = wire.read_json(answer_bytes)
        agency, device, root = (wire.field(answer, name, str) for name in ("agency", "device", "root"))
        if answer.get("v") != 1 or not (wire.is_id(agency) and wire.is_id(device)):
            raise wire.bad("answer")
        moment = Moment(None, self.clock.now())
        trust = Trust(wire.from_b64u(root, 65), agency, wire.field(answer, "certificates", list))
        offices = {role: trust.keys(role, moment) for role in ROLES}["office"]
        named = signed_part(offices, b"doorstep-device-v1", wire.field(answer, "device_certificate", dict), "cert")
        own = {name: crypto.b64u(crypto.public_of(getattr(self.keys, name))) for name in ("signing", "sealing")}
        if {name: named.get(name) for name in ("v", "agency", "device", *own)} != {
            "v": 1,
            "agency": agency,
            "device": device,
            **own,
        }:
            raise Untrusted("device-certificate", "it does not name this phone's keys")
        texts = {"agency": agency, "device": device, "root": root, "door": door, "app": app[:MAX_APP_CHARACTERS]}
        told = {"agent": wire.field(answer, "agent", dict), "agency_name": wire.field(answer, "agency_name", str)}
        certificate = {"device_certificate": answer["device_certificate"]}
        with self.store.transaction():
            self.store.put("state", "identity", {**texts, **told, **certificate})
            self.store.put("state", "certificates", trust.documents())
            self.store.put("state", "epoch", wire.field(answer, "epoch", int))
            self.store.delete("state", "enrolment")
        self.store.scrub()
