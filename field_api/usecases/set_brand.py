"""How a creditor's letters look: set as a whole, with pictures that came before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from field_api.domain.image_form import BadImage, clean_image
from field_api.domain.letter_brand import IMAGES, BadBrand, Brand, read_brand
from field_api.domain.letter_words import check_words
from field_api.domain.ports import Objects
from field_api.platform.bounded_json import canonical
from field_api.platform.problems import Problem
from field_api.platform.sealing import sha256
from field_api.platform.tenancy import current_agency
from field_api.records.agency import BrandImage, Creditor
from field_api.records.base import load
from field_api.rules.letters import all_rules

MOST_IMAGES = 40
"""Of a creditor. They are never deleted: letters that were issued with them are to be made again years later."""


def brand_version(creditor: Creditor) -> str:
    """Of what is stored, two numbers: another brand has another version, the same one the same."""
    digest = int.from_bytes(sha256(canonical(creditor.brand))[:8], "big")
    return f"{digest // 10**9 % 10**9}.{digest % 10**9}"


def set_brand(
    session: Session, creditor_id: UUID, wanted: Mapping[str, Any], *, seen: Collection[str] | None = None
) -> Creditor:
    """Set all of it (field_api.domain.letter_brand); an empty table takes it away. `seen`: versions that the caller
    looked at. Letters that are wanted or issued stay as they are: their content holds the look that they had.

    Raises `not-found`, `precondition-failed`, `invalid-fields` naming the place: of what is not understood, of a
    picture that this creditor has not sent, of words that no letter may say anywhere.
    """
    creditor = load(session, Creditor, creditor_id, lock=True)
    if seen is not None and brand_version(creditor) not in seen:
        raise Problem("precondition-failed", "somebody changed the brand since: look at it again", at="If-Match")
    try:
        brand = read_brand(wanted)
    except BadBrand as error:
        raise Problem("invalid-fields", error.message, at=f"brand.{error.at}") from error
    _check_images(session, creditor, brand)
    _check_words(brand)
    creditor.brand = brand_data(brand)
    session.flush()
    return creditor


def add_brand_image(session: Session, creditor_id: UUID, body: bytes, *, objects: Objects, now: datetime) -> BrandImage:
    """Keep a picture for the creditor's brand, cleaned; the same picture again is the one that is there.

    Raises `not-found`; `invalid-file` for what is no PNG or SVG that may be on letters; `conflict` for one too many.
    """
    creditor = load(session, Creditor, creditor_id, lock=True)
    try:
        image = clean_image(body)
    except BadImage as error:
        raise Problem("invalid-file", str(error), at="file") from error
    digest = sha256(image.body)
    mine = (BrandImage.agency_id == current_agency(), BrandImage.creditor_id == creditor.id)
    known = session.scalars(select(BrandImage).where(*mine, BrandImage.sha256 == digest)).one_or_none()
    if known is not None:
        return known
    if session.scalars(select(func.count()).select_from(BrandImage).where(*mine)).one() >= MOST_IMAGES:
        raise Problem("conflict", f"a creditor has at most {MOST_IMAGES} pictures", at="file")
    kept = BrandImage(
        creditor_id=creditor.id,
        sha256=digest,
        form=image.form,
        object_key=objects.put(image.body),
        length_bytes=len(image.body),
        added_at=now,
    )
    session.add(kept)
    session.flush()
    return kept


def brand_data(brand: Brand) -> dict[str, Any]:
    """As it is stored: nothing that is left out, texts without spaces around them."""
    said = {
        "in_name_of": brand.in_name_of,
        **{name: getattr(brand.look, name) for name in ("colour", *IMAGES, "signature_name", "signature_title")},
        "sender_lines": list(brand.look.sender_lines),
        "paragraphs": {
            kind: {language: list(texts) for language, texts in languages.items() if texts}
            for kind, languages in brand.paragraphs.items()
            if any(languages.values())
        },
    }
    return {name: value for name, value in said.items() if value and (name, value) != ("in_name_of", "agency")}


def _check_images(session: Session, creditor: Creditor, brand: Brand) -> None:
    named = {name: getattr(brand.look, name) for name in IMAGES if getattr(brand.look, name)}
    query = select(BrandImage.sha256).where(
        BrandImage.agency_id == current_agency(),
        BrandImage.creditor_id == creditor.id,
        BrandImage.sha256.in_([bytes.fromhex(digest) for digest in named.values()]),
    )
    known = {bytes(digest).hex() for digest in session.scalars(query)} if named else set()
    for name, digest in named.items():
        if digest not in known:
            raise Problem("invalid-fields", "no such picture of this creditor: send it first", at=f"brand.{name}")


def _check_words(brand: Brand) -> None:
    """By the rules of every place: nobody knows where the creditor's debtors will live."""
    places = {rules.jurisdiction: rules for rules in all_rules().values()}
    for place, text in brand.texts():
        for rules in places.values():
            for found in check_words(text, rules):
                raise Problem("invalid-fields", f"a word that letters may not say: {found.source}", at=f"brand.{place}")
