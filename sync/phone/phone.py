"""The phone: open one, pull, record, push. The reference client of docs/protocol.md for whoever writes another.

    with Phone.open(directory, passphrase) as phone:
        phone.pull()
        for stop in phone.today():
            phone.arrive(stop.visit)
            phone.encounter(stop.visit, "nobody")
            phone.record_outcome(stop.visit, "nobody_there")
        phone.push()

Everything an agent records is on the disk, signed and sealed to the agency, when the verb returns; the network is
needed for pull, push and upload alone. One process at a time has a phone open.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import requests

from sync.phone import photographs, sheet, sheet_digest
from sync.phone.calls import Door, Transport, usual_transport
from sync.phone.clock import Clock, SystemClock
from sync.phone.enrolment import Enrolment, make_keys
from sync.phone.errors import Later, PhoneError, Revoked, Untrusted
from sync.phone.feed import load_cursor, load_durable
from sync.phone.handset import Handset, Step
from sync.phone.operations import Recorded
from sync.phone.patience import Patience
from sync.phone.pulling import Pulled, pull
from sync.phone.pushing import Pushed, drop_durable, push
from sync.phone.recording import Recorder
from sync.phone.sheet import Stop
from sync.phone.store import Store
from sync.phone.uploading import Uploaded, drop_safe, upload_photos
from sync.phone.vault import SCRYPT_COST, read_vault, write_vault
from sync.phone.work import work_at

ENROL_WAIT_S = 60.0


def _no_step(name: str) -> None:
    return None


class Phone(Recorder):
    """An enrolled phone. The verbs at the door are `Recorder`'s; here are the sheet, the network and the disk."""

    def __init__(self, handset: Handset, transport: Transport | None, patience: Patience) -> None:
        super().__init__(handset)
        self.own_transport: requests.Session | None = None
        if transport is None:
            transport = self.own_transport = usual_transport()
        self.door = Door(handset, transport, patience)
        photographs.finish(handset)
        if self.is_wiped:
            handset.store.scrub()

    @classmethod
    def enrol(
        cls,
        directory: Path,
        passphrase: str,
        code_line: str,
        app: str = "doorstep-phone/1",
        *,
        clock: Clock | None = None,
        transport: Transport | None = None,
        patience: Patience | None = None,
        step: Step = _no_step,
        scrypt_cost: int = SCRYPT_COST,
        wait_s: float = ENROL_WAIT_S,
    ) -> Phone:
        """Make a phone of an empty directory, or take up an enrolment that was broken off (same code, same passphrase).

        `code_line` is `DOOR-ADDRESS#SECRET` as the office shows it. Raises as `Enrolment.run`, and StoreTrouble.
        """
        clock, patience = clock or SystemClock(), patience or Patience()
        keys = make_keys(directory, passphrase, scrypt_cost)
        store = Store(directory, keys.store)
        try:
            with usual_transport() as own:
                Enrolment(store, keys, clock, transport or own, patience, step).run(code_line, app, wait_s)
            return cls(Handset(directory, store, keys, clock, step), transport, patience)
        except BaseException:
            store.close()
            raise

    @classmethod
    def open(
        cls,
        directory: Path,
        passphrase: str,
        *,
        clock: Clock | None = None,
        transport: Transport | None = None,
        patience: Patience | None = None,
        step: Step = _no_step,
    ) -> Phone:
        """Raises StoreTrouble `no-phone`, `wrong-passphrase`, `vault-broken`, `store-broken` or `in-use`, and
        NotAllowed `not-enrolled`."""
        keys = read_vault(directory, passphrase)
        store = Store(directory, keys.store)
        try:
            handset = Handset(directory, store, keys, clock or SystemClock(), step)
            return cls(handset, transport, patience or Patience())
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        self.lock_again()
        if self.own_transport is not None:
            self.own_transport.close()
        self.handset.store.close()

    def __enter__(self) -> Phone:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def change_passphrase(self, passphrase: str, scrypt_cost: int = SCRYPT_COST) -> None:
        write_vault(self.handset.directory, passphrase, self.handset.keys, scrypt_cost)

    @property
    def is_wiped(self) -> bool:
        return self.handset.store.get("state", "wiped") is not None

    def pull(self, limit: int = 100) -> Pulled:
        """Bring the sheet up to date; briefs of visits that were taken back are locked, durable things deleted.

        Raises Later, Untrusted (then nothing unverified was kept), DoorRefused or Revoked (then the sheet is gone,
        if the agency's order came with it).
        """
        try:
            pulled = pull(self.door, limit)
        except Revoked:
            self.lock_again()
            raise
        except PhoneError:  # some of it came, and a withdrawal may have been among that
            self._after_pulling()
            raise
        self._after_pulling()
        return pulled

    def _after_pulling(self) -> None:
        self.lock_again(but={stop.visit for stop in self.today()})
        drop_durable(self.handset)
        drop_safe(self.handset)

    def push(self, batch: int = 50) -> Pushed:
        """Send what the door lacks. Raises Later, Untrusted or DoorRefused; the queue keeps what was not receipted.

        A receipt by a key that this phone was not told of yet is asked for once more, after the feed was read.
        """
        try:
            return push(self.door, batch)
        except Untrusted as error:
            if error.code != "bad-signature":
                raise
        with suppress(Revoked, Later):  # its refusals bring keys too, and a snapshot that is to come needs none
            self.pull()
        return push(self.door, batch)

    def upload_photos(self) -> Uploaded:
        """Raises Later or DoorRefused; goes on where it stopped when called again."""
        return upload_photos(self.door)

    def today(self) -> list[Stop]:
        """The sheet's visits by day and position, with what may be shown before any identity check."""
        return sheet.stops(self.handset)

    def stop(self, visit: str) -> Stop:
        """Raises NotAllowed `unknown-visit` or `visit-withdrawn`."""
        sheet.visit_of(self.handset, visit)
        return next(stop for stop in self.today() if stop.visit == visit)

    def routes(self) -> list[dict[str, Any]]:
        return sheet.routes(self.handset)

    def photo(
        self, visit: str, image: Path | bytes, subject: str, permission: str | None = None, **body: Any
    ) -> Recorded:
        """Seal and declare a photograph; `body` takes `taken_at` and `position`. Raises NotAllowed `no-permission`."""
        data = image if isinstance(image, bytes) else image.read_bytes()
        return photographs.take_photo(self.handset, visit, data, subject, permission, **body)

    def save_draft(self, visit: str, draft: dict[str, Any]) -> None:
        """Keep unfinished input for a visit, sealed; the next operation recorded there removes it."""
        work_at(self.handset, visit)
        self.handset.store.put("draft", visit, draft)

    def draft(self, visit: str) -> dict[str, Any] | None:
        kept: dict[str, Any] | None = self.handset.store.get("draft", visit)
        return kept

    def queue(self) -> list[dict[str, Any]]:
        """What waits, in order: `seq`, `op`, `sent` (how often) and `receipt` (a status, or None)."""
        store = self.handset.store
        return [
            {
                "seq": seq,
                "op": kept["op"],
                "sent": (store.get("sent", int(seq)) or {"times": 0})["times"],
                "receipt": (store.get("receipt", int(seq)) or {}).get("status"),
            }
            for seq, kept in store.all("op")
        ]

    def verdicts(self) -> list[dict[str, Any]]:
        """What the office made of this phone's operations: `op`, `seq`, `verdict`, `reason`, `flags`."""
        return [verdict for _, verdict in self.handset.store.all("verdict")]

    def status(self) -> dict[str, Any]:
        """Counts and codes, no names: fit for a log."""
        handset = self.handset
        tally: dict[str, int] = handset.store.get("state", "tally") or {}
        recorded = {name.removeprefix("recorded."): n for name, n in tally.items() if name.startswith("recorded.")}
        anchor = handset.anchor
        return {
            "device": handset.device,
            "epoch": handset.epoch,
            "feed_seq": load_cursor(handset).seq,
            "stops": len(self.today()),
            "sheet": sheet_digest.compared(handset),
            "recorded": recorded,
            "ops_recorded": sum(recorded.values()),
            "sent": tally.get("sent", 0),
            "sent_again": tally.get("sent_again", 0),
            "queue": dict(Counter(entry["receipt"] or "unreceipted" for entry in self.queue())),
            "durable_seq": (load_durable(handset) or {"seq": 0})["seq"],
            "ops_deleted": tally.get("durable", 0),
            "verdicts": dict(Counter(str(verdict["verdict"]) for verdict in self.verdicts())),
            "photos": dict(Counter(row["state"] for row in photographs.rows(handset))),
            "anchor_at": anchor.at.isoformat() if anchor else None,
            "wiped": self.is_wiped,
        }
