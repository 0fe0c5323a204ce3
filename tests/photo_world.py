"""A visit, a phone that photographs on it, the door it uploads to and the worker that develops."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from doorstep.server import Server
from field_api.domain.vocabulary import OpKind
from field_api.platform.clock import SetClock
from field_api.platform.database import transaction
from field_api.platform.ids import new_id
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.sealing import b64u
from field_api.platform.settings import Settings
from field_api.records.visits import Visit, VisitAccount
from media.office.records import Photo
from media.office.work import work_once
from media.records import Upload
from tests import outcome_world
from tests.door_client import Phone
from tests.photo_phone import SealedPhoto, enrolled_phone, photo_door, seal_for, upload

PLACE = {"lat": 19.4326, "lon": -99.1332, "accuracy_m": 8.0}


@dataclass
class PhotoWorld:
    app: Flask
    door: Flask
    agency: UUID
    clock: SetClock
    settings: Settings
    visit: outcome_world.Phone
    phone: Phone = field(init=False)

    def __post_init__(self) -> None:
        self.phone = enrolled_phone(self.door, self.agency, self.clock, self.visit.agent_id)
        self.visit.device_id = self.phone.device

    def seal(self, image: bytes, **changes: Any) -> SealedPhoto:
        public = OfficeKeyring(self.settings.office_keys).of(self.agency).sealing_certificate.public
        return seal_for(self.phone, public, image, **changes)

    def permit(self, *subjects: str, granted: bool = True, by: str = "sought", **body: Any) -> UUID:
        op_id = new_id()
        body = {"granted": granted, "by": by, "subjects": list(subjects), **body}
        self.visit.records(OpKind.PHOTO_PERMISSION, body, op_id=op_id)
        return op_id

    def declare(self, photo: SealedPhoto, permission: UUID | None, subject: str = "facade", **body: Any) -> None:
        body = {
            "sha256": b64u(photo.sha256),
            "subject": subject,
            "taken_at": "2026-11-18T16:00:00.000Z",
            "position": PLACE,
            **({"permission": str(permission)} if permission else {}),
            **body,
        }
        self.visit.records(OpKind.PHOTO, body, op_id=photo.photo_id)

    def upload(self, photo: SealedPhoto) -> str:
        return upload(self.phone, photo)

    def work(self) -> int:
        return work_once(self.app, self.agency, self.clock.now())

    def goes_on(self) -> None:
        """The same agent and phone, on a second visit to the same person."""
        with transaction(self.agency) as session:
            here = session.get_one(Visit, {"agency_id": self.agency, "id": self.visit.visit_id})
            place = {name: getattr(here, name) for name in ("agent_id", "person_id", "address_id", "published_at")}
            there = Visit(state="published", **place)
            session.add(there)
            session.flush()
            account = VisitAccount(visit_id=there.id, account_id=self.visit.accounts[0], role="debtor")
            session.add(account)
            self.visit = replace(self.visit, visit_id=there.id)

    def photos(self) -> list[Photo]:
        with transaction(self.agency) as session:
            rows = session.scalars(select(Photo).order_by(Photo.id)).all()
            for row in rows:
                session.expunge(row)
            return list(rows)

    def only(self) -> Photo:
        (photo,) = self.photos()
        return photo

    def uploads(self) -> list[Upload]:
        with transaction(self.agency) as session:
            rows = session.scalars(select(Upload)).all()
            for row in rows:
                session.expunge(row)
            return list(rows)

    def developed(self, image: bytes, subject: str = "facade") -> Photo:
        photo = self.seal(image)
        self.declare(photo, self.permit(), subject)
        self.upload(photo)
        self.work()
        return self.photos()[-1]


def photo_world(app: Flask, agency: UUID, settings: Settings, database: Server, clock: SetClock) -> PhotoWorld:
    door = photo_door(settings, database, clock)
    return PhotoWorld(app, door, agency, clock, settings, outcome_world.published_visit(agency))
