"""The pictures that letters show and the templates that lay them out, as they lie beside a paper's data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.letter_brand import IMAGES
from field_api.domain.ports import ObjectAbsent, Objects
from field_api.platform.sealing import Unsealable
from field_api.platform.tenancy import current_agency
from field_api.records.agency import BrandImage
from field_api.records.letter_templates import LetterTemplate


class LetterFiles:
    """`of(content)`: the files of one letter by name, or KeyError where one is gone. Loaded once for many letters, in
    one statement for pictures and one for templates. A letter's content (the wire form of LetterContent) names them by
    hash."""

    def __init__(self, session: Session, objects: Objects, contents: Iterable[Mapping[str, Any]]) -> None:
        wanted, templates = set[bytes](), set[bytes]()
        for content in contents:
            wanted |= {bytes.fromhex(digest) for digest in _digests(content)}
            templates |= {bytes.fromhex(content["template"])} if content.get("template") else set()
        self._files = {**dict(_load(session, objects, wanted)), **dict(_load_templates(session, templates))}

    def of(self, content: Mapping[str, Any]) -> dict[str, bytes]:
        template = [content["template"]] if content.get("template") else []
        return dict(self._files[digest] for digest in [*_digests(content), *template])


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
        except (ObjectAbsent, Unsealable):  # gone or altered: that letter is refused, not all of them
            continue


def _load_templates(session: Session, wanted: set[bytes]) -> Iterable[tuple[str, tuple[str, bytes]]]:
    if not wanted:
        return
    query = select(LetterTemplate.sha256, LetterTemplate.source).where(
        LetterTemplate.agency_id == current_agency(), LetterTemplate.sha256.in_(wanted)
    )
    for digest, source in session.execute(query):
        name = bytes(digest).hex()
        yield name, (f"{name}.typ", source.encode())
