"""The pictures that letters show, out of the object store, as they lie beside a paper's data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.letter_brand import IMAGES
from field_api.domain.ports import ObjectAbsent, Objects
from field_api.platform.tenancy import current_agency
from field_api.records.agency import BrandImage


class LetterFiles:
    """`of(content)`: the pictures of one letter by file name, or KeyError where one is gone. Loaded once for many
    letters, in one statement. A letter's content (the wire form of LetterContent) names them by hash."""

    def __init__(self, session: Session, objects: Objects, contents: Iterable[Mapping[str, Any]]) -> None:
        wanted = {bytes.fromhex(digest) for content in contents for digest in _digests(content)}
        self._files = dict(_load(session, objects, wanted))

    def of(self, content: Mapping[str, Any]) -> dict[str, bytes]:
        return dict(self._files[digest] for digest in _digests(content))


def _digests(content: Mapping[str, Any]) -> list[str]:
    brand = content.get("brand") or {}
    return [brand[name] for name in IMAGES if brand.get(name)]


def _load(session: Session, objects: Objects, wanted: set[bytes]) -> Iterable[tuple[str, tuple[str, bytes]]]:
    """Two creditors may have the same picture: then either's object will do."""
    if not wanted:
        return
    query = select(BrandImage.sha256, BrandImage.form, BrandImage.object_key).where(
        BrandImage.agency_id == current_agency(), BrandImage.sha256.in_(wanted)
    )
    for digest, form, key in session.execute(query.order_by(BrandImage.id)):
        name = bytes(digest).hex()
        try:
            yield name, (f"{name}.{form}", objects.get(key))
        except ObjectAbsent:
            continue
