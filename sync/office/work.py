"""What the worker does for sync: claims, operations, changes, snapshots, durable statements, the log, and
what the next publication will need, in this order.

Each unit has its own transaction and its own boundary: one agent's or one device's trouble is logged and tried again
next round, and holds up nobody else. What of an agent's changes cannot be sealed stays by itself, and holds up none of
the agent's other ones. Each runs for the audience that its job declares: secrets come out inside alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from flask import Flask
from psycopg.errors import SerializationFailure
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from field_api.domain.disclosure import Audience
from field_api.platform.crash import place_of
from field_api.platform.database import transaction
from field_api.platform.egress import OutletKind, declare, outlet, working_for
from field_api.platform.keyring import OfficeKeys
from field_api.platform.wiring import office_keys
from sync.office.announce_keys import hold_keys, use_told_keys
from sync.office.apply import apply_device, devices_with_operations
from sync.office.durable import state_durable
from sync.office.enrolment import verify_claims
from sync.office.log import sequence_log
from sync.office.publish import agents_with_changes, publish_changes
from sync.office.returning import take_back_returning, waits_for_a_person
from sync.office.snapshots import build_snapshot, wanted_snapshots
from sync.office.stretch_ahead import stretch_ahead

TURNS_BETWEEN_APPLYING = 8  # of at most `publish.BATCH` changes: some seconds

log = structlog.get_logger()

JOBS = {
    "sync.claims": Audience.OFFICE_JOB,
    "sync.returning": Audience.OFFICE_JOB,
    "sync.apply": Audience.OFFICE_JOB,
    "sync.publish": Audience.OFFICE_JOB,
    "sync.keys": Audience.MACHINE,  # names of keys
    "sync.snapshot": Audience.OFFICE_JOB,
    "sync.stretch": Audience.OFFICE_JOB,
    "sync.durable": Audience.MACHINE,  # numbers of operations
    "sync.log": Audience.MACHINE,  # hashes
}
for _name, _audience in JOBS.items():
    declare(OutletKind.JOB, _name, _audience)


def work_once(app: Flask, agency_id: UUID, now: datetime) -> int:
    """One round for one agency. Returns the units done; 0 means that nothing waits."""
    with app.app_context():
        return _Round(agency_id, office_keys().of(agency_id), now).run()


def number_waiting(agency_id: UUID, now: datetime) -> int:
    """What waits for its number in the log gets it now, as in the worker's rounds. Returns the leaves added."""
    done = 0
    with working_for(outlet(OutletKind.JOB, "sync.log")):
        while True:
            with transaction(agency_id) as session:
                added = sequence_log(session, _signing_keys(session, agency_id), now=now)
            done += added
            if not added:
                return done


def _signing_keys(session: Session, agency_id: UUID) -> OfficeKeys:
    """The keys as they stand now; none comes into use before the transaction ends. So no phone that enrols
    meanwhile, and is told of the newest alone, gets what an older one signed."""
    hold_keys(session, announcing=False)
    return office_keys().fresh(agency_id)


class _Round:
    def __init__(self, agency_id: UUID, keys: OfficeKeys, now: datetime) -> None:
        self.agency_id, self.keys, self.now = agency_id, keys, now

    def run(self) -> int:
        return sum(
            (
                self._unit("sync.claims", lambda: self._in_one(verify_claims)),
                self._unit("sync.returning", lambda: self._in_one(take_back_returning)),
                self._apply_all(),
                self._publish_in_turns(),
                self._unit("sync.keys", lambda: self._use_told_keys()),
                self._each(wanted_snapshots, "sync.snapshot", self._snapshot),
                self._unit("sync.durable", lambda: self._in_one(state_durable)),
                self._unit("sync.log", lambda: self._in_one(sequence_log)),
                self._unit("sync.stretch", lambda: self._in_one(stretch_ahead)),
            )
        )

    def _in_one(self, step: Callable[..., int]) -> int:
        with transaction(self.agency_id) as session:
            return step(session, _signing_keys(session, self.agency_id), now=self.now)

    def _each(self, find: Callable[[Session], list[UUID]], name: str, work: Callable[[UUID], int]) -> int:
        with transaction(self.agency_id) as session:
            found = find(session)
        return sum(self._unit(name, partial(work, unit)) for unit in found)

    def _unit(self, name: str, work: Callable[[], int]) -> int:
        try:
            with working_for(outlet(OutletKind.JOB, name)):
                return work()
        except Exception as error:  # noqa: BLE001 - the boundary of a unit: logged by kind, tried again next round
            log.error(
                "sync-unit-failed",
                step=name,
                agency=str(self.agency_id),
                error=type(error).__name__,
                place=place_of(error),
            )
            return 0

    def _apply_all(self) -> int:
        return self._each(devices_with_operations, "sync.apply", self._apply)

    def _apply(self, device_id: UUID) -> int:
        with transaction(self.agency_id) as session:
            if waits_for_a_person(session, device_id):
                return 0
        return apply_device(self.agency_id, self.keys, device_id, now=self.now)

    def _publish_in_turns(self) -> int:
        """One bounded turn for each agent, and between a few turns what phones sent takes effect: however much some are
        to be told, nobody waits for more than one turn of each, and no promise for more than a few."""
        with transaction(self.agency_id) as session:
            agents = agents_with_changes(session, now=self.now)
        done = 0
        for first in range(0, len(agents), TURNS_BETWEEN_APPLYING):
            done += self._apply_all() if first else 0
            turns = agents[first : first + TURNS_BETWEEN_APPLYING]
            done += sum(self._unit("sync.publish", partial(self._publish, agent)) for agent in turns)
        return done

    def _publish(self, agent_id: UUID) -> int:
        with transaction(self.agency_id) as session:
            return publish_changes(session, _signing_keys(session, self.agency_id), agent_id, now=self.now)

    def _use_told_keys(self) -> int:
        with transaction(self.agency_id) as session:
            return use_told_keys(session, now=self.now)

    def _snapshot(self, device_id: UUID) -> int:
        try:
            with transaction(self.agency_id) as session:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
                return int(build_snapshot(session, _signing_keys(session, self.agency_id), device_id, now=self.now))
        except DBAPIError as error:
            if not isinstance(error.orig, SerializationFailure):
                raise
            return 0  # somebody published in between: the request stands, and the next round begins anew
