"""What the agency's root says, and whether it said so: certificates of keys, and steps to a new root.

The root may lie on another machine than everything else: nothing here needs more of it than its own file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from field_api.platform import sealing
from field_api.platform.bounded_json import canonical
from field_api.platform.certificates import CERTIFICATE_CONTEXT, ROLES, ROOT, Certificate, certificate_of, certify
from field_api.platform.clock import utc_text
from field_api.platform.key_file import Document, KeyTrouble, changing
from field_api.platform.sealing import Unsealable, b64u, from_b64u

ROOT_CONTEXT = b"doorstep-root-v1"
BACKDATED = timedelta(minutes=10)  # clocks of the root's machine, the office and the door may differ


def certify_request(root_file: Path, request: Document, now: datetime, new_root: bool = False) -> Document:
    """The root's answer to a request, on whichever machine the root lies. Raises NoKeys, KeyTrouble.

    `new_root` replaces the root first, for a request of the role `root`: the old and the new one sign the step between
    them. The old one stays in the file for phones that were told of neither.
    """
    try:
        agency_id, keys, known = UUID(request["agency"]), list(request["keys"]), request.get("root")
    except (KeyError, TypeError, ValueError) as error:
        raise KeyTrouble("not a request for certificates") from error
    if new_root != (request.get("role") == ROOT):
        raise KeyTrouble("a new root needs a request of the role root, which lists what it certifies again")
    with changing(root_file) as stored:
        chain = [*stored.get("retired", []), stored["private"]]
        publics = [b64u(sealing.public_key_of(from_b64u(private))) for private in chain]
        if known is not None and known not in publics:
            raise KeyTrouble("this is not the root of that agency")
        if new_root and known == publics[-1]:  # asked again after a crash, the step there is told again
            stored["retired"], stored["private"] = [*chain], b64u(sealing.new_private_key())
            chain.append(stored["private"])
    privates = [from_b64u(private) for private in chain]
    first = publics.index(known) if known is not None else len(privates) - 1
    steps = [root_step(agency_id, *pair, now) for pair in zip(privates[first:-1], privates[first + 1 :], strict=True)]
    certificates = [_certified(privates[-1], agency_id, wanted, now) for wanted in keys]
    return {"v": 1, "agency": str(agency_id), "roots": steps, "certificates": [each.wire() for each in certificates]}


def root_step(agency_id: UUID, old: bytes, new: bytes, now: datetime) -> dict[str, str]:
    """`old` hands over to `new`, and both sign it (docs/protocol.md §3)."""
    publics = {name: b64u(sealing.public_key_of(key)) for name, key in (("old", old), ("new", new))}
    body = canonical({"v": 1, "agency": str(agency_id), **publics, "at": utc_text(now)})
    signatures = {name: b64u(sealing.sign(key, ROOT_CONTEXT + body)) for name, key in (("old", old), ("new", new))}
    return {"root": b64u(body), **signatures}


def check_certificate(root: bytes, agency_id: UUID, certificate: Certificate, now: datetime) -> None:
    """Raises KeyTrouble unless the root certified it for this agency and a role, and its time is not over."""
    try:
        sealing.verify(root, CERTIFICATE_CONTEXT + certificate.body, certificate.signature)
    except Unsealable as error:
        raise KeyTrouble("a certificate is not signed by the agency's root") from error
    claims = certificate.claims
    right = claims["agency"] == str(agency_id) and claims["role"] in ROLES
    if not right or claims["kid"] != sealing.key_id_of(certificate.public) or certificate.until <= now:
        raise KeyTrouble("a certificate is for another agency, role or key, or its time is over")


def readable_certificate(entry: Document) -> Certificate:
    """Raises KeyTrouble where it names another key than it holds, or cannot be read."""
    try:
        certificate = certificate_of(entry)
        if (
            certificate.key_id == sealing.key_id_of(certificate.public)
            and certificate.until
            and certificate.claims["role"]
        ):
            return certificate
    except (KeyError, TypeError, ValueError, Unsealable) as error:
        raise KeyTrouble("a certificate cannot be read") from error
    raise KeyTrouble("a certificate names another key than it holds")


def take_root_steps(stored: Document, agency_id: UUID, steps: Sequence[Document]) -> list[Document]:
    """Follow them in an office's file; those that were new. Raises KeyTrouble."""
    new_steps = []
    for step in steps:
        try:
            body = from_b64u(step["root"])
            claims = json.loads(body)
            old, new = from_b64u(claims["old"]), from_b64u(claims["new"])
            for public, signature in ((old, step["old"]), (new, step["new"])):
                sealing.verify(public, ROOT_CONTEXT + body, from_b64u(signature))
        except (KeyError, TypeError, ValueError, Unsealable) as error:
            raise KeyTrouble("a step of the root is not signed by both") from error
        if claims.get("v") != 1 or claims["agency"] != str(agency_id):
            raise KeyTrouble("a step of the root is another agency's")
        if claims["old"] == stored["root_public"]:
            stored["root_public"] = claims["new"]
            stored.setdefault("roots", []).append(step)
            new_steps.append(step)
        elif claims["new"] not in (stored["root_public"], *(_new_root(known) for known in stored.get("roots", []))):
            raise KeyTrouble("a step of the root does not go on from ours")
    return new_steps


def _certified(root: bytes, agency_id: UUID, wanted: Document, now: datetime) -> Certificate:
    """As long as before where a key is certified again, else from now on."""
    try:
        public, role = sealing.public_point(from_b64u(wanted["key"])), wanted["role"]
        again = "until" in wanted
        # Not a sealing key's: the newest by `from` is the one that phones seal to.
        start = datetime.fromisoformat(wanted["from"]) if again else now - BACKDATED * (role != "sealing")
        until = datetime.fromisoformat(wanted["until"]) if again else None
    except (KeyError, TypeError, ValueError, Unsealable) as error:
        raise KeyTrouble("a key in the request cannot be read") from error
    if role not in ROLES:
        raise KeyTrouble("a key in the request has no known role")
    return certify(root, agency_id, role, public, start, until)


def _new_root(step: Document) -> str:
    return str(json.loads(from_b64u(step["root"]))["new"])
