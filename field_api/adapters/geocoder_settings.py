"""Which geocoders are asked, by the environment; keys of paid services from a file that its owner alone reads."""

from __future__ import annotations

import ipaddress
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from field_api.platform.settings import UnsafeSettings

if TYPE_CHECKING:
    from field_api.adapters.geocoder_geopy import GeocoderChain

LONGEST_DELAY_S = 3_600.0


def geocoder_from(environment: Mapping[str, str] | None = None) -> GeocoderChain | None:
    """The geocoders of DOORSTEP_GEOCODERS in their order; None where there are none: addresses then wait for a
    dispatcher. Raises UnsafeSettings with the setting's name and what would be right.

    DOORSTEP_GEOCODERS: `nominatim@https://nominatim.internal, here`, names of geocoder_services.SERVICES, each with
    `@` and an address where it is not the provider's own. DOORSTEP_GEOCODER_URL, as before, is one Nominatim alone.
    """
    env = os.environ if environment is None else environment
    named = _named(env.get("DOORSTEP_GEOCODERS", ""), env.get("DOORSTEP_GEOCODER_URL", ""))
    if not named:
        return None
    # Here: geopy brings all its geocoders along, a quarter second that only who asks one should pay.
    from field_api.adapters.geocoder_geopy import GeocoderChain, GeopyService
    from field_api.adapters.geocoder_services import SERVICES

    unknown = [kind for kind, _ in named if kind not in SERVICES]
    if unknown:
        raise UnsafeSettings(f"DOORSTEP_GEOCODERS: {unknown[0]!r} is none of {', '.join(SERVICES)}")
    keys = _keys(env.get("DOORSTEP_GEOCODER_KEYS_FILE", ""))
    delays = _delays(env.get("DOORSTEP_GEOCODER_DELAY_S", ""))
    agent = _agent(env.get("DOORSTEP_GEOCODER_AGENT", ""))
    chosen = []
    for kind, url in named:
        service, key = SERVICES[kind], keys.get(kind)
        if service.needs_url and url is None:
            raise UnsafeSettings(f"DOORSTEP_GEOCODERS: {kind} needs its address, as in {kind}@https://{kind}.internal")
        if service.needs_key and key is None:
            raise UnsafeSettings(f"DOORSTEP_GEOCODERS names {kind}: its key belongs into DOORSTEP_GEOCODER_KEYS_FILE")
        if key is not None and url is not None and url.scheme != "https" and not _is_loopback(url.hostname or ""):
            raise UnsafeSettings(f"DOORSTEP_GEOCODERS: {kind} has a key, so its address must be https://")
        delay_s = delays.get(kind, delays.get(""))
        chosen.append(GeopyService(kind, url, key, user_agent=agent, delay_s=delay_s))
    return GeocoderChain(chosen)


def _named(services: str, old_url: str) -> list[tuple[str, SplitResult | None]]:
    if services.strip() and old_url.strip():
        raise UnsafeSettings("set DOORSTEP_GEOCODERS or DOORSTEP_GEOCODER_URL, not both: the second is the old name")
    if old_url.strip():
        return [("nominatim", _url("DOORSTEP_GEOCODER_URL", old_url.strip()))]
    parts = [part.strip() for part in services.split(",")]
    if services.strip() and "" in parts:
        raise UnsafeSettings("DOORSTEP_GEOCODERS: names with commas between them")
    pairs = [part.partition("@") for part in parts if part]
    return [(kind.strip().lower(), _url("DOORSTEP_GEOCODERS", url.strip()) if at else None) for kind, at, url in pairs]


def _url(setting: str, text: str) -> SplitResult:
    """Never quoted: somebody may have put a password into it."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or any(mark.isspace() for mark in text):
        raise UnsafeSettings(f"{setting} must have http(s) addresses of geocoding services")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UnsafeSettings(f"{setting}: no user, password or key in an address; keys belong into a file")
    return parts


def _delays(text: str) -> dict[str, float]:
    """Seconds by service; under "" those of all others."""
    delays: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        kind, named, number = part.rpartition("=")
        try:
            delay_s = float(number)
        except ValueError:
            delay_s = math.nan
        if not 0 <= delay_s <= LONGEST_DELAY_S:
            raise UnsafeSettings(
                "DOORSTEP_GEOCODER_DELAY_S must be seconds from 0 to 3600, as in 1 or nominatim=0, here=0.2"
            )
        delays[kind.strip().lower() if named else ""] = delay_s
    return delays


def _agent(text: str) -> str:
    agent = text or "doorstep"
    if not (agent.isascii() and agent.isprintable() and len(agent) <= 200):
        raise UnsafeSettings("DOORSTEP_GEOCODER_AGENT must be up to 200 plain characters: it is sent as User-Agent")
    return agent


def _keys(path: str) -> dict[str, str]:
    """Lines `service = key`; blank ones and those behind # are left out."""
    if not path:
        return {}
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        others = Path(path).stat().st_mode & 0o077
    except (OSError, UnicodeDecodeError) as error:
        raise UnsafeSettings("DOORSTEP_GEOCODER_KEYS_FILE cannot be read") from error
    if others:
        raise UnsafeSettings("DOORSTEP_GEOCODER_KEYS_FILE must be readable by its owner alone (mode 0600)")
    keys = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        kind, equals, key = (part.strip() for part in line.partition("="))
        if not (kind and equals and key and key.isascii() and key.isprintable()):
            raise UnsafeSettings(f"DOORSTEP_GEOCODER_KEYS_FILE, line {number}: service = key")
        keys[kind.lower()] = key
    return keys


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
