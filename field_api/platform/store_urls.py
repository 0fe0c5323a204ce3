"""Where objects lie when they do not lie in a local directory: an address of a bucket, read strictly.

Credentials never stand in it: they come the ways of each cloud (docs/operations.md, Stores). Nothing of a cloud's
library is loaded here: a process without such an address does without.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from field_api.platform.crash import StartRefused

_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}")
_PREFIX = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
SCHEMES = ("s3", "az", "gs")


class UnsafeStore(StartRefused):
    """The process refuses to start on this store; the text names the setting and repeats nothing of its value."""


@dataclass(frozen=True)
class StoreUrl:
    """`scheme` s3, az or gs; `bucket` (Azure: container) and `prefix` in it, which may be empty.

    `endpoint`: a service of one's own that speaks the cloud's protocol; empty for the cloud itself.
    """

    scheme: str
    bucket: str
    prefix: str = ""
    endpoint: str = ""
    allow_http: bool = False

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}" + (f"/{self.prefix}" if self.prefix else "")

    def overlaps(self, other: StoreUrl) -> bool:
        """Whether one lies in the other."""
        if (self.scheme, self.bucket, self.endpoint) != (other.scheme, other.bucket, other.endpoint):
            return False
        mine, theirs = self.prefix.split("/"), other.prefix.split("/")
        shorter = min(len(mine), len(theirs))
        return not self.prefix or not other.prefix or mine[:shorter] == theirs[:shorter]


@dataclass(frozen=True)
class StoreUrls:
    """Of both parts; None: a directory below DOORSTEP_HOME. The door's process is told its own alone."""

    office: StoreUrl | None = None
    door: StoreUrl | None = None


LOCAL = StoreUrls()


def store_urls_from(environment: Mapping[str, str]) -> StoreUrls:
    """DOORSTEP_OFFICE_OBJECTS and DOORSTEP_DOOR_OBJECTS. Raises UnsafeStore."""
    office = _read("DOORSTEP_OFFICE_OBJECTS", environment.get("DOORSTEP_OFFICE_OBJECTS", ""), environment)
    door = _read("DOORSTEP_DOOR_OBJECTS", environment.get("DOORSTEP_DOOR_OBJECTS", ""), environment)
    if office and door and office.overlaps(door):
        raise UnsafeStore("DOORSTEP_OFFICE_OBJECTS and DOORSTEP_DOOR_OBJECTS must not lie in one another")
    return StoreUrls(office, door)


def store_environment(urls: StoreUrls, part: str) -> dict[str, str]:
    """What a child process of this part (office, worker, door) is told of the stores."""
    told = {"DOORSTEP_DOOR_OBJECTS": urls.door, "DOORSTEP_OFFICE_OBJECTS": urls.office if part != "door" else None}
    named = {name: str(url) for name, url in told.items() if url is not None}
    if any(url is not None and url.allow_http for url in told.values()):
        named["DOORSTEP_OBJECTS_ALLOW_HTTP"] = "1"
    return named


def _read(setting: str, text: str, environment: Mapping[str, str]) -> StoreUrl | None:
    if not text:
        return None
    scheme, bucket, prefix = _parts(setting, text)
    endpoint = _endpoint(scheme, environment)
    allowed = environment.get("DOORSTEP_OBJECTS_ALLOW_HTTP", "") == "1"
    if endpoint and not endpoint.startswith("https://") and not (allowed and endpoint.startswith("http://")):
        raise UnsafeStore(
            f"the endpoint of {setting} must be https://…: without TLS credentials could be misused by whoever is on "
            "the way, who could also swap and drop what is stored. DOORSTEP_OBJECTS_ALLOW_HTTP=1 allows http:// where "
            "nobody is, such as on one machine"
        )
    if "@" in endpoint:
        raise UnsafeStore(f"the endpoint of {setting} must not hold credentials")
    return StoreUrl(scheme, bucket, prefix, endpoint, allowed)


def _parts(setting: str, text: str) -> tuple[str, str, str]:
    try:
        split = urlsplit(text)
        port = split.port
    except ValueError:
        raise UnsafeStore(f"{setting} is no address") from None
    if split.scheme not in SCHEMES:
        raise UnsafeStore(
            f"{setting} must be s3://BUCKET/PREFIX, az://CONTAINER/PREFIX or gs://BUCKET/PREFIX; leave it out for the "
            "directory below DOORSTEP_HOME"
        )
    if "@" in split.netloc or split.query or split.fragment or port is not None:
        raise UnsafeStore(
            f"{setting} must be a bucket and a prefix alone: credentials come from the environment or from the "
            "machine's role, never from an address"
        )
    prefix = split.path.strip("/")
    if not _BUCKET.fullmatch(split.netloc) or (prefix and not _PREFIX.fullmatch(prefix)):
        raise UnsafeStore(f"{setting}: bucket and prefix are letters, digits, dots, hyphens and underscores")
    return split.scheme, split.netloc, prefix


def _endpoint(scheme: str, environment: Mapping[str, str]) -> str:
    """Read here and given on, so that what is looked at is what is used."""
    if scheme == "s3":
        names = (environment.get("AWS_ENDPOINT_URL_S3"), environment.get("AWS_ENDPOINT_URL"))
        return next(filter(None, (*names, environment.get("AWS_ENDPOINT"))), "")
    if scheme == "az":
        return environment.get("AZURE_ENDPOINT", "")
    return environment.get("GOOGLE_BASE_URL", "")
