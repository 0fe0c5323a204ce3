"""A key of the agency is replaced: asked for where it will be used, certified where the root is, installed, announced,
used (docs/operations.md, Keys).

The root may lie on another machine: what travels between is two small JSON files, neither secret. Every step writes one
file by one rename, and may be repeated: killed in between, the same command goes on with the keys that are there.
A new office or door key is `next` until every phone's feed announces it; a new sealing key opens at once.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from field_api.platform import sealing
from field_api.platform.bounded_json import canonical
from field_api.platform.clock import utc_text
from field_api.platform.durable_directories import sync_directory
from field_api.platform.keyring import (
    CERTIFICATE_CONTEXT,
    ROLES,
    Certificate,
    NoKeys,
    certificate_of,
    certificates_of,
    certify,
)
from field_api.platform.sealing import Unsealable, b64u, from_b64u

ROOT_CONTEXT = b"doorstep-root-v1"
ROOT = "root"
BACKDATED = timedelta(minutes=10)  # clocks of the root's machine, the office and the door may differ
Document = dict[str, Any]
BeforeUse = Callable[[Sequence["Certificate"], Sequence[dict[str, str]]], None]
"""Told of new certificates and steps of the root before anybody can use them; what it raises stops the change."""


class KeyTrouble(RuntimeError):
    """A key file or a certified answer is not what it has to be. Says what, never a key."""


@dataclass(frozen=True)
class KeyLine:
    """A key as lists show it. `state`: requested, next, in use, retired."""

    role: str
    key_id: str
    state: str
    valid_from: str = ""
    valid_until: str = ""


class KeyFiles:
    """One agency's key files below `keys`. Either half may be absent: door and office may be two machines."""

    def __init__(self, keys: Path, agency_id: UUID) -> None:
        self.agency_id = agency_id
        self.office, self.door = (keys / half / f"{agency_id}.json" for half in ("office", "door"))

    def request(self, role: str, now: datetime) -> Document:
        """What the root has to certify: the public half of a new key, or for `root` every key that is in its time.

        The new key is kept in the file of its half; asked again, the same one is asked for. Raises NoKeys, KeyTrouble.
        """
        document = {"v": 1, "agency": str(self.agency_id), "role": role}
        if role == ROOT:
            stored = read_file(self.office)
            keys = [_wanted(each) for each in _in_time(stored, now)]
            return document | {"root": stored["root_public"], "keys": keys}
        if role not in ROLES:
            raise KeyTrouble(f"{role}: a role is one of {', '.join((*ROLES, ROOT))}")
        with changing(self.door if role == "door" else self.office) as stored:
            pending = stored.setdefault("pending", {})
            if role not in pending:
                pending[role] = {"private": b64u(sealing.new_private_key())}
            public = sealing.public_key_of(from_b64u(pending[role]["private"]))
            root = stored.get("root_public")
        return document | {"root": root, "keys": [{"role": role, "key": b64u(public)}]}

    def install(
        self, certified: Document, now: datetime, first: BeforeUse = lambda new, steps: None
    ) -> list[Certificate]:
        """Take what the root certified; the certificates that are new here. Raises KeyTrouble, and changes nothing.

        At the office `first` hears of all that is new, then a new key waits to be announced. Where only the door's key
        lies it is used at once: have the office announce it first.
        """
        certificates = [_readable(entry) for entry in certified.get("certificates", [])]
        if certified.get("agency") != str(self.agency_id) or not certificates:
            raise KeyTrouble("the certified answer is for another agency, or holds nothing")
        if not self.office.exists():
            return self._install_at_the_door(certificates)
        with changing(self.office) as stored:
            steps = take_root_steps(stored, self.agency_id, certified.get("roots", []))
            for each in certificates:
                check_certificate(from_b64u(stored["root_public"]), self.agency_id, each, now)
            new = [each for each in certificates if _put_in_place(stored, each)]
            waiting = {*stored.get("unannounced", []), *(str(each.ref) for each in new)}
            stored["unannounced"] = [str(ref) for ref in refs_of(stored) if str(ref) in waiting]
            first(new, steps)
            if self.door.exists():  # before the office's file: a door's key that nobody uses yet does no harm
                self._install_at_the_door(certificates, use=False)
        return new

    def _install_at_the_door(self, certificates: list[Certificate], use: bool = True) -> list[Certificate]:
        new = []
        with changing(self.door) as stored:
            for each in certificates:
                if each.key_id == stored["kid"]:
                    stored.update(each.wire())
                elif private := requested_private(stored, "door", each):
                    stored["next"] = {"kid": each.key_id, "private": private, **each.wire()}
                    new.append(each)
                elif each.key_id == stored.get("next", {}).get("kid"):
                    stored["next"].update(each.wire())
            if use:
                _use_next_door_key(stored)
        return new

    def mark_announced(self, refs: Collection[UUID]) -> None:
        """Change rows of these certificates are committed."""
        with changing(self.office) as stored:
            done = {str(ref) for ref in refs}
            stored["unannounced"] = [ref for ref in stored.get("unannounced", []) if ref not in done]

    def use_next(self) -> list[str]:
        """From now on sign with what phones have been told of. Returns the roles; a private key it replaces is gone."""
        roles = []
        if self.door.exists():
            with changing(self.door) as stored:
                roles += ["door"] if _use_next_door_key(stored) else []
        with changing(self.office) as stored:
            for role, entry in stored.pop("next", {}).items():
                place = "signing" if role == "office" else "door"
                old = {name: stored[place][name] for name in ("cert", "sig")}
                stored.setdefault("retired", {}).setdefault(role, []).append(old)
                stored[place] = entry
                roles += [role]
        return sorted(set(roles))

    def lines(self) -> Iterator[KeyLine]:
        """Every key whose public half is known here."""
        if self.office.exists():
            stored = read_file(self.office)
            yield KeyLine(ROOT, sealing.key_id_of(from_b64u(stored["root_public"])), "in use")
            for role in ROLES:
                waiting = stored.get("next", {}).get(role)
                known = certificates_of(stored, role)
                for each in known:
                    state = "in use" if each is known[-1] else "retired"
                    if waiting and each == certificate_of(waiting):
                        state = "next"
                    yield KeyLine(role, each.key_id, state, each.claims["from"], each.claims["until"])
        for path in (self.office, self.door):
            for role, entry in (read_file(path).get("pending", {}) if path.exists() else {}).items():
                yield KeyLine(role, sealing.key_id_of(sealing.public_key_of(from_b64u(entry["private"]))), "requested")


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


def read_file(path: Path) -> Document:
    """Raises NoKeys."""
    try:
        return dict(json.loads(path.read_text()))
    except FileNotFoundError as error:
        raise NoKeys(f"no keys at {path.parent.name}/{path.name}") from error


@contextmanager
def changing(path: Path) -> Iterator[Document]:
    """The file's content; what it has become replaces it, whole, by one rename. Nobody else changes it meanwhile."""
    if not path.exists():
        raise NoKeys(f"no keys at {path.parent.name}/{path.name}")
    with os.fdopen(os.open(path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        content = read_file(path)
        before = json.dumps(content)
        yield content
        if json.dumps(content) != before:
            write_file(path, content)


def write_file(path: Path, content: Document) -> None:
    """Either the old or the new content is there after a crash, readable by nobody else."""
    waiting = path.with_suffix(".new")
    waiting.unlink(missing_ok=True)
    descriptor = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    waiting.replace(path)
    sync_directory(path.parent)


def refs_of(stored: Document) -> list[UUID]:
    """The names of all certificates in an office's file."""
    return [each.ref for role in ROLES for each in certificates_of(stored, role)]


def _in_time(stored: Document, now: datetime) -> list[Certificate]:
    return [each for role in ROLES for each in certificates_of(stored, role) if each.until > now]


def _wanted(certificate: Certificate) -> dict[str, str]:
    return {name: certificate.claims[name] for name in ("role", "key", "from", "until")}


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


def _readable(entry: Document) -> Certificate:
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


def _new_root(step: Document) -> str:
    return str(json.loads(from_b64u(step["root"]))["new"])


def _put_in_place(stored: Document, certificate: Certificate) -> bool:
    """Where the key of this certificate stands in the office's file. False: it was there already, word for word.

    Raises KeyTrouble for a key that nobody here asked for.
    """
    role, wire = certificate.claims["role"], certificate.wire()
    for entry in entries_of(stored, role):
        if certificate_of(entry).key_id == certificate.key_id:
            known = {name: entry[name] for name in ("cert", "sig")} == wire
            entry.update(wire)
            return not known
    private = requested_private(stored, role, certificate)
    if private is None and role != "door":  # the door's key may have been made on the door's own machine
        raise KeyTrouble("a certificate is for a key that was not requested here")
    entry = wire if private is None else {"kid": certificate.key_id, "private": private, **wire}
    if role == "sealing":
        stored["sealing"].append(entry)
    elif role in stored.get("next", {}):
        raise KeyTrouble(f"another {role} key is still waiting for phones to be told")
    else:
        stored.setdefault("next", {})[role] = entry
    return True


def entries_of(stored: Document, role: str) -> Iterator[Document]:
    """Every key of a role in an office's file that has a certificate."""
    if role == "sealing":
        yield from stored["sealing"]
        return
    yield stored["signing" if role == "office" else "door"]
    yield from stored.get("retired", {}).get(role, [])
    if role in stored.get("next", {}):
        yield stored["next"][role]


def requested_private(stored: Document, role: str, certificate: Certificate) -> str | None:
    """The private half that was requested for this certificate, taken out of what is pending."""
    entry = stored.get("pending", {}).get(role)
    if certificate.claims["role"] != role or entry is None:
        return None
    if sealing.public_key_of(from_b64u(entry["private"])) != certificate.public:
        return None
    del stored["pending"][role]
    return str(entry["private"])


def _use_next_door_key(stored: Document) -> bool:
    entry = stored.pop("next", None)
    if entry is None:
        return False
    stored.setdefault("retired", []).append({name: stored[name] for name in ("cert", "sig")})
    stored.update(entry)
    return True
