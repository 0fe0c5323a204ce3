"""A key of the agency is replaced: asked for where it will be used, certified where the root is, installed, announced,
used (docs/operations.md, Keys).

The root may lie on another machine: what travels between is two small JSON files, neither secret. Every step writes one
file by one rename, and may be repeated: killed in between, the same command goes on with the keys that are there.
A new office or door key is `next` until every phone's feed announces it; a new sealing key opens at once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from field_api.platform import sealing
from field_api.platform.certificates import ROLES, ROOT, Certificate, certificate_of, certificates_of
from field_api.platform.key_file import Document, KeyTrouble, changing, read_file
from field_api.platform.root_keys import check_certificate, readable_certificate, take_root_steps
from field_api.platform.sealing import b64u, from_b64u
from field_api.platform.stored_keys import put_in_place, refs_of, requested_private, use_next_door_key

BeforeUse = Callable[[Sequence[Certificate], Sequence[dict[str, str]]], None]
"""Told of new certificates and steps of the root before anybody can use them; what it raises stops the change."""


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
        certificates = [readable_certificate(entry) for entry in certified.get("certificates", [])]
        if certified.get("agency") != str(self.agency_id) or not certificates:
            raise KeyTrouble("the certified answer is for another agency, or holds nothing")
        if not self.office.exists():
            return self._install_at_the_door(certificates)
        with changing(self.office) as stored:
            steps = take_root_steps(stored, self.agency_id, certified.get("roots", []))
            for each in certificates:
                check_certificate(from_b64u(stored["root_public"]), self.agency_id, each, now)
            new = [each for each in certificates if put_in_place(stored, each)]
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
                use_next_door_key(stored)
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
                roles += ["door"] if use_next_door_key(stored) else []
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


def _in_time(stored: Document, now: datetime) -> list[Certificate]:
    return [each for role in ROLES for each in certificates_of(stored, role) if each.until > now]


def _wanted(certificate: Certificate) -> dict[str, str]:
    return {name: certificate.claims[name] for name in ("role", "key", "from", "until")}
