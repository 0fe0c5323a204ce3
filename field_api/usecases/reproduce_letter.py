"""Make an issued letter again from what is kept of it, and compare it with what was issued, byte for byte."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.domain.confidential import audience
from field_api.domain.disclosure import Audience
from field_api.domain.ports import ObjectAbsent, Objects, PaperJob, PaperRefused, Papers
from field_api.platform.problems import Problem
from field_api.platform.sealing import sha256
from field_api.platform.tenancy import current_agency
from field_api.records.letter_templates import LetterHouse
from field_api.records.visits import Letter
from field_api.usecases.issue_papers import letter_jobs


@dataclass(frozen=True)
class Reproduction:
    """`identical`: the same bytes came out as were issued. `reasons`: why they did not, or could not; for a person."""

    pdf: bytes  # as it comes out now; empty where it does not
    identical: bool
    reasons: tuple[str, ...]


def reproduce_letter(session: Session, serial: str, *, renderer: Papers, objects: Objects) -> Reproduction:
    """By the template, the pictures and the house's templates that it was issued with. Nothing is changed.

    Raises `not-found`, `conflict` (never issued, or before this was kept), PaperFailed.
    """
    query = select(Letter).where(Letter.agency_id == current_agency(), Letter.serial == serial.strip().upper())
    letter = session.scalars(query).one_or_none()
    if letter is None:
        raise Problem("not-found", "no such letter")
    if letter.pdf_sha256 is None or letter.house_sha256 is None:
        raise Problem("conflict", "this letter was never issued, or before templates were kept")
    house = _house(session, bytes(letter.house_sha256), renderer, objects)
    with audience(Audience.ENTITLED_PARTY):
        [job] = letter_jobs(session, [letter], objects)
        if isinstance(job, PaperRefused):
            return Reproduction(b"", False, ("a picture or the template of this letter is gone",))
        [paper] = renderer.render([_as_then(job, house, renderer)])
    reasons = renderer.changed_since(house)
    if isinstance(paper, PaperRefused):
        return Reproduction(b"", False, (f"it cannot be laid out any more: {paper.reason}", *reasons))
    if sha256(paper.pdf) == bytes(letter.pdf_sha256):
        return Reproduction(paper.pdf, True, ())
    return Reproduction(paper.pdf, False, tuple(_differing(paper.pdf, letter, objects) + reasons))


def _house(session: Session, digest: bytes, renderer: Papers, objects: Objects) -> bytes:
    """The body of the house's templates at the time."""
    running = renderer.house()
    if bytes.fromhex(running.sha256) == digest:
        return running.body
    query = select(LetterHouse.object_key).where(
        LetterHouse.agency_id == current_agency(), LetterHouse.sha256 == digest
    )
    try:
        body = objects.get(session.scalars(query).one())
    except ObjectAbsent as error:
        raise Problem("conflict", "the house's templates of that time are gone from the object store") from error
    if sha256(body) != digest:
        raise Problem("conflict", "the house's templates of that time were altered")
    return body


def _as_then(job: PaperJob, house: bytes, renderer: Papers) -> PaperJob:
    """A template is not asked again what it must show: the letter was issued, and the bytes alone count."""
    return replace(job, must_show={}, house=b"" if renderer.house().body == house else house)


def _differing(pdf: bytes, letter: Letter, objects: Objects) -> list[str]:
    if letter.object_key is None:
        return ["the issued PDF is gone: only its hash can be compared, and differs"]
    try:
        issued = objects.get(letter.object_key)
    except ObjectAbsent:
        return ["the issued PDF is gone: only its hash can be compared, and differs"]
    first = next((place for place, (a, b) in enumerate(zip(issued, pdf, strict=False)) if a != b), None)
    if sha256(issued) != bytes(letter.pdf_sha256 or b""):
        return ["the PDF in the object store is not the one that was issued"]
    where = f"from byte {first}" if first is not None else "at its end"
    return [f"{len(issued)} bytes were issued, {len(pdf)} come out now; they differ {where}"]
