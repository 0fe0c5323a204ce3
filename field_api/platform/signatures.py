"""Signed requests of enrolled phones: HTTP Message Signatures (RFC 9421) with Content-Digest (docs/protocol.md §5).

A view declares `@signed_by_device(...)` and finds the verified device in `g.device`. The tenant comes from the key id
`AGENCY/DEVICE` before anything is looked up. An unknown device and a wrong signature look the same from outside.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec
from urllib.parse import unquote_to_bytes, urlsplit
from uuid import UUID

from flask import Response, after_this_request, current_app, g, request
from flask.typing import ResponseReturnValue
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import HTTPSignatureAlgorithm
from http_message_signatures.digests import ContentDigest
from http_message_signatures.exceptions import HTTPMessageSignaturesException
from sqlalchemy.exc import SQLAlchemyError

from field_api.platform import sealing
from field_api.platform.anchors import StaleAnchor, as_told, make_anchor, read_anchor
from field_api.platform.database import transaction
from field_api.platform.devices import Device
from field_api.platform.keyring import DoorKeys, NoKeys
from field_api.platform.problems import Problem
from field_api.platform.tenancy import acting_for
from field_api.platform.wiring import clock, door_keys, settings

LABEL, TAG, ALGORITHM = "doorstep", "doorstep-phone-v1", "ecdsa-p256-sha256"
ALWAYS_COVERED = ("@method", "@authority", "@path", "@query")
COVERED_IF_PRESENT = (
    "content-digest", "content-type", "upload-offset", "upload-length", "upload-metadata", "upload-checksum",
    "tus-resumable",
)  # fmt: skip
PARAMETERS = ["created", "keyid", "alg", "nonce", "tag"]
PARAMETERS_WITHOUT_ANCHOR = ["created", "keyid", "alg", "tag"]
MAX_BODY_BYTES = 256 * 1024
MAX_SIGNATURE_HEADER_CHARACTERS = 4_096
HEARD_EXTENSION = "doorstep.heard"
"""`app.extensions` key of a function that is told of every request whose signature holds, where there is one."""
WIPE_ORDER_EXTENSION = "doorstep.wipe_order"
"""`app.extensions` key of a function (agency id, device id) -> the signed wipe order as JSON data, or None."""

_NOBODY = sealing.public_key_of(sealing.new_private_key())  # verified against where the device is unknown: same work

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


@dataclass(frozen=True)
class DeviceRequest:
    """A request that this device signed. `anchor_at` is when the door gave out the anchor it carries, if it does;
    `answer_at` is when it made the one that the answer carries; `created` is the phone's clock, in seconds since 1970:
    evidence."""

    agency_id: UUID
    device: Device  # detached: its attributes are loaded, nothing more can be
    anchor_at: dt.datetime | None
    answer_at: dt.datetime
    created: int


def signed_by_device(
    *,
    anchor: bool = True,
    revoked_ok: bool = False,
    max_body_bytes: int = MAX_BODY_BYTES,
    before_body: Callable[..., None] | None = None,
) -> Callable[[View[P]], View[P]]:
    """Let only enrolled devices in. The view runs with tenancy set, `g.device` and `g.device_request` filled.

    Raises Problem `signature-required`, `signature-invalid`, `anchor-stale`, `device-revoked`, `digest-mismatch` or
    `too-large`. `anchor=False` is for the one call that fetches the first anchor; `revoked_ok=True` for the calls that
    take a revoked phone's old queue. `before_body` gets the view's arguments once the signature holds and before the
    body is waited for: a request that stalls in its body has then already taken its place in the order of requests.
    The answer to every request with a good signature carries a fresh anchor.
    """

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def signed(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            request.max_content_length = max_body_bytes
            if (request.content_length or 0) > max_body_bytes:
                raise Problem("too-large", f"at most {max_body_bytes} bytes")
            verified = verify_request(anchor=anchor)
            with acting_for(verified.agency_id):
                if verified.device.state != "active" and not revoked_ok:
                    raise _revoked(verified)
                g.device_request, g.device = verified, verified.device
                if HEARD_EXTENSION in current_app.extensions:
                    current_app.extensions[HEARD_EXTENSION](verified)
                if before_body:
                    before_body(*args, **kwargs)
                _check_digest()
                return view(*args, **kwargs)

        return signed

    return decorate


def verify_request(*, anchor: bool = True) -> DeviceRequest:
    """Verify the running request's signature and anchor; its body is not touched. Raises Problem as above."""
    for name in ("Signature-Input", "Signature"):
        if name not in request.headers:
            raise Problem("signature-required", f"no {name} header")
        if len(request.headers[name]) > MAX_SIGNATURE_HEADER_CHARACTERS:
            raise _invalid()
    resolver = _Devices()
    parameters = _verified_parameters(resolver)
    device, keys = resolver.device, resolver.keys
    if device is None or keys is None:
        raise _invalid()
    answer_at = as_told(clock().now())
    fresh = make_anchor(keys, device.id, answer_at)

    @after_this_request
    def hand_out(response: Response) -> Response:
        response.headers["Doorstep-Anchor"] = fresh
        return response

    anchor_at = _anchor_time(keys, device, parameters) if anchor else None
    return DeviceRequest(device.agency_id, device, anchor_at, answer_at, parameters["created"])


def _anchor_time(keys: DoorKeys, device: Device, parameters: dict[str, Any]) -> dt.datetime:
    try:
        return read_anchor(keys, device.id, str(parameters.get("nonce", "")), clock().now())
    except StaleAnchor as error:
        raise Problem("anchor-stale", "take the anchor of this answer and sign again") from error


def _revoked(verified: DeviceRequest) -> Problem:
    order = current_app.extensions[WIPE_ORDER_EXTENSION](verified.agency_id, verified.device.id)
    return Problem("device-revoked", extra={"wipe": order} if order else {})


def _invalid() -> Problem:
    return Problem("signature-invalid", "not signed by an enrolled device over the required components")


def _verified_parameters(resolver: _Devices) -> dict[str, Any]:
    """The signed parameters. Exactly one form is accepted: these components and these parameters, in this order."""
    verifier = _Verifier(signature_algorithm=_Es256, key_resolver=resolver)
    try:
        (result,) = verifier.verify(_Message(), expect_tag=TAG, expect_label=LABEL, max_age=None)
    except (HTTPMessageSignaturesException, ValueError) as error:
        if resolver.trouble:  # the library calls every error a bad signature; an unreachable database is none
            raise resolver.trouble from error
        raise _invalid() from error
    covered = [name.strip('"') for name in result.covered_components][:-1]  # the last is @signature-params
    present = [name for name in COVERED_IF_PRESENT if name in request.headers]
    names = list(result.parameters)
    if covered != [*ALWAYS_COVERED, *present] or names not in (PARAMETERS, PARAMETERS_WITHOUT_ANCHOR):
        raise _invalid()
    if has_body() and "content-digest" not in present:
        raise Problem("signature-invalid", "a body needs a signed Content-Digest")
    return dict(result.parameters)


def has_body() -> bool:
    return bool(request.content_length) or "Transfer-Encoding" in request.headers


def _check_digest() -> None:
    """Compare the body with its digest: sha-256 alone, as the protocol says. Raises `digest-mismatch`."""
    value = request.headers.get("Content-Digest")
    if value is None:
        return
    if not value.startswith("sha-256=:") or "," in value:
        raise Problem("digest-mismatch", "one sha-256 digest is needed", at="Content-Digest")
    try:
        ContentDigest.verify(value, request.get_data(cache=True))
    except HTTPMessageSignaturesException as error:
        raise Problem("digest-mismatch", "the body is not what was signed", at="Content-Digest") from error


class _Message:
    """The request as RFC 9421 sees it: the authority is the configured one, whatever Host says."""

    def __init__(self) -> None:
        door = urlsplit(settings().door_url)
        target = str(request.environ.get("REQUEST_URI") or "")
        path, question, query = target.partition("?")
        if unquote_to_bytes(path).decode("utf-8", "replace") != request.path:
            raise ValueError("the request target is not the path that was routed")
        self.method = request.method
        self.url = f"{door.scheme}://{door.netloc}{path}{question}{query}"
        self.headers = request.headers


class _Devices(HTTPSignatureKeyResolver):
    """Finds the device's public key inside its own agency; remembers what it found."""

    def __init__(self) -> None:
        self.device: Device | None = None
        self.keys: DoorKeys | None = None
        self.trouble: SQLAlchemyError | Problem | None = None

    def resolve_public_key(self, key_id: str) -> bytes:
        agency_text, _, device_text = key_id.partition("/")
        try:
            agency_id, device_id = UUID(agency_text), UUID(device_text)
            self.keys = door_keys().of(agency_id)
        except (ValueError, NoKeys):
            return _NOBODY
        if key_id != f"{agency_id}/{device_id}":
            return _NOBODY
        try:
            self.device = _find(agency_id, device_id)
        except (SQLAlchemyError, Problem) as error:  # a Problem: the database is being restored
            self.trouble = error
            raise
        return self.device.signing_public if self.device else _NOBODY

    def resolve_private_key(self, key_id: str) -> bytes:
        raise NotImplementedError


def _find(agency_id: UUID, device_id: UUID) -> Device | None:
    with transaction(agency_id) as session:
        device = session.get(Device, (agency_id, device_id))
        if device is not None:
            session.expunge(device)
        return device


class _Es256(HTTPSignatureAlgorithm):
    """The house's own ES256 over 65-byte points."""

    algorithm_id = ALGORITHM

    def __init__(self, public_key: bytes = b"", private_key: None = None) -> None:
        self.public_key = public_key

    def verify(self, signature: bytes, message: bytes) -> None:
        sealing.verify(self.public_key, message, signature)


class _Verifier(HTTPMessageVerifier):
    """`created` comes from the phone's clock: evidence, never a reason to refuse. The anchor is what ages."""

    def validate_created_and_expires(self, sig_input: Any, max_age: dt.timedelta | None = None) -> None:
        if type(sig_input.params.get("created")) is not int:
            raise HTTPMessageSignaturesException("created must be an integer")
