"""What `doorstep.app` put into the running application, for views, jobs and commands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from field_api.domain.ports import Objects, Papers, PlanningParts
from field_api.platform.clock import Clock, SystemClock
from field_api.platform.keyring_files import DoorKeyring, OfficeKeyring
from field_api.platform.settings import Settings


def settings() -> Settings:
    value: Settings = current_app.extensions["doorstep.settings"]
    return value


def office_keys() -> OfficeKeyring:
    value: OfficeKeyring = current_app.extensions["doorstep.office_keys"]
    return value


def door_keys() -> DoorKeyring:
    value: DoorKeyring = current_app.extensions["doorstep.door_keys"]
    return value


def clock() -> Clock:
    """The system's clock, unless a test or a scripted day put another one in."""
    value: Clock = current_app.extensions.get("doorstep.clock") or SystemClock()
    return value


def objects() -> Objects:
    """The office's object store: sheets, letters, developed photographs, sealed at rest."""
    value: Objects = current_app.extensions["doorstep.objects"]
    return value


def papers() -> Papers:
    """What lays out PDFs."""
    value: Papers = current_app.extensions["doorstep.papers"]
    return value


def planning() -> PlanningParts:
    """Rules, calendars, travel times and the solver, put together when first asked for."""
    value: PlanningParts = current_app.extensions["doorstep.planning"]()
    return value


def heard(session: Session) -> Mapping[UUID, datetime]:
    """By agent, when their phones were heard last."""
    value: Mapping[UUID, datetime] = current_app.extensions["doorstep.heard"](session)
    return value
