"""Settings: one frozen value per process, read once from the environment; every field says why it exists."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from field_api.platform.crash import StartRefused
from field_api.platform.store_urls import LOCAL, StoreUrls, store_urls_from


class UnsafeSettings(StartRefused):
    """The process refuses to start on this value; the text names the setting and what would be right."""


@dataclass(frozen=True)
class Settings:
    """What a process must be told. Passwords stay in files (`passfile` of the database URL), never in here."""

    home: Path
    """Where this installation keeps keys, objects, secrets and the embedded database."""
    database_url: str
    """SQLAlchemy URL of this process's own role; its `passfile` names a 0600 file with the password."""
    door_url: str
    """Public address of the phone door: request signatures cover its authority, enrolment codes carry it."""
    office_url: str
    """Address of the office API and console, for links and cookies."""
    journal: Path | None = None
    """Another machine's directory for what a restored backup must not forget; None: there is none, and a page warns."""
    photo_link_s: int = 300
    """Seconds a link to a photograph works: to look and to save, too short to be passed on for later."""
    stores: StoreUrls = LOCAL
    """Where objects lie instead of in the directories below: buckets, without their credentials."""
    max_request_bytes: int = 64 * 1024 * 1024
    """Upper bound of any request body; each route sets a smaller one of its own."""

    @property
    def office_keys(self) -> Path:
        return self.home / "keys" / "office"

    @property
    def door_keys(self) -> Path:
        return self.home / "keys" / "door"

    @property
    def root_keys(self) -> Path:
        return self.home / "keys" / "root"

    @property
    def office_objects(self) -> Path:
        """Sheets, letters and developed photographs, sealed at rest; unless `stores` says another place."""
        return self.home / "objects" / "office"

    @property
    def door_objects(self) -> Path:
        """Uploaded ciphertext, as the phones sent it; unless `stores` says another place."""
        return self.home / "objects" / "door"

    @property
    def photo_keys(self) -> Path:
        """The key store of photographs: kept apart from main backups, so that destroying a key means something."""
        return self.home / "photo-keys"


def home_from(environment: Mapping[str, str]) -> Path:
    """DOORSTEP_HOME, or ./var below the working directory."""
    return Path(environment.get("DOORSTEP_HOME") or "var").absolute()


def journal_from(environment: Mapping[str, str]) -> Path | None:
    """DOORSTEP_JOURNAL: where decisions are written that must outlive this machine (docs/operations.md)."""
    named = environment.get("DOORSTEP_JOURNAL", "")
    return Path(named).absolute() if named else None


def settings_from(environment: Mapping[str, str] | None = None) -> Settings:
    """What .env.example tells of every process. Raises UnsafeSettings, UnsafeStore."""
    env = os.environ if environment is None else environment
    url = env.get("DOORSTEP_DATABASE_URL", "")
    if not url.startswith("postgresql+psycopg://"):
        raise UnsafeSettings("DOORSTEP_DATABASE_URL must be a postgresql+psycopg:// address of this process's role")
    return Settings(
        home=home_from(env),
        database_url=url,
        door_url=env.get("DOORSTEP_DOOR_URL", "http://127.0.0.1:8401"),
        office_url=env.get("DOORSTEP_OFFICE_URL", "http://127.0.0.1:8400"),
        journal=journal_from(env),
        stores=store_urls_from(env),
        photo_link_s=_photo_link_s(env),
    )


def _photo_link_s(env: Mapping[str, str]) -> int:
    """Half a minute for a slow line to an hour at most: a link is for now."""
    named = env.get("DOORSTEP_PHOTO_LINK_S") or "300"
    if not named.isascii() or not named.isdigit() or not 30 <= int(named) <= 3600:
        raise UnsafeSettings("DOORSTEP_PHOTO_LINK_S must be a number of seconds from 30 to 3600")
    return int(named)
