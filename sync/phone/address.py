"""The door's address, and what of it is signed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from sync.phone.errors import NotAllowed

_USUAL_PORT = {"https": 443, "http": 80}


@dataclass(frozen=True)
class DoorAddress:
    """`origin` = scheme and authority, `authority` as RFC 9421 §2.2.3 wants it, `path` = where `/phone/v1` starts."""

    origin: str
    authority: str
    path: str


def read_address(text: str) -> DoorAddress:
    """Raises NotAllowed `door-address`: https is required except on this machine and for the reserved `.test` names,
    since the signatures protect what is said, but not with whom one talks and when."""
    parts = urlsplit(text.strip())
    host = parts.hostname or ""
    if parts.scheme not in _USUAL_PORT or not host or parts.query or parts.fragment or parts.username:
        raise NotAllowed("door-address", "https://HOST[:PORT] is needed")
    if parts.scheme == "http" and not _stays_here(host):
        raise NotAllowed("door-address", "http is for this machine only")
    name = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _USUAL_PORT[parts.scheme]) else f":{parts.port}"
    authority = f"{name}{port}"
    return DoorAddress(f"{parts.scheme}://{authority}", authority, parts.path.rstrip("/") + "/phone/v1")


def _stays_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".test")
