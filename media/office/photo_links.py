"""Links to photographs: signed, for one member of staff, one photograph and one use, and for a few minutes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

from field_api.platform.problems import Problem


class Use(StrEnum):
    """What a link opens. A page's thumbnail is the small picture; that it was shown stands on record with its page."""

    SMALL = "small"
    LARGE = "large"
    THUMBNAIL = "thumbnail"
    ORIGINAL = "original"


@dataclass(frozen=True)
class PhotoLink:
    photo_id: UUID
    use: Use
    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True)
class PhotoLinks:
    """The links of one member of staff: nobody else can make or read them, since the signing key is derived for each.

    A token says which photograph, what for and until when; whoever finds it learns an id, and opens nothing without
    that person's session.
    """

    secret: str = field(repr=False)
    agency_id: UUID
    staff_id: UUID
    lasts: timedelta

    def write(self, photo_id: UUID, use: Use, now: datetime) -> PhotoLink:
        expires_at = (now + self.lasts).astimezone(UTC).replace(microsecond=0)
        written = self._serializer().dumps([str(photo_id), use.value, int(expires_at.timestamp())])
        return PhotoLink(photo_id, use, written if isinstance(written, str) else written.decode(), expires_at)

    def read(self, token: str, photo_id: UUID, uses: frozenset[Use], now: datetime) -> Use:
        """What the link is for. Raises Problem `not-permitted` for every other one, whatever is wrong with it."""
        try:
            named, use, until = self._serializer().loads(token)
            right = named == str(photo_id) and now.timestamp() < until and Use(use) in uses
        except (BadSignature, ValueError, TypeError) as error:
            raise _refused() from error
        if not right:
            raise _refused()
        return Use(use)

    def _serializer(self) -> URLSafeSerializer:
        whose = f"photo-link:{self.agency_id}:{self.staff_id}"
        return URLSafeSerializer(self.secret, salt=whose, signer_kwargs={"digest_method": hashlib.sha256})


def _refused() -> Problem:
    return Problem(
        "not-permitted", "this link is not for you or not for this, or its time is over: ask anew", at="link"
    )
