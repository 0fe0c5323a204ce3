"""Bodies of every other kind of operation (docs/outcomes.md)."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from field_api.domain.identity import AnswerKind
from field_api.domain.vocabulary import (
    IdentityDocument,
    IdentityMethod,
    LetterHandling,
    LockClaim,
    LockedPart,
    NotDeliveredReason,
    OpKind,
    PhotoSubject,
    Relation,
    Whom,
)
from field_api.usecases.operation_schemas.fields import (
    NAME,
    SHORT,
    Body,
    Several,
    Text,
    Variant,
    contacts,
    moment,
    place_hazards,
    position,
    word,
    words,
)
from field_api.usecases.operation_schemas.outcomes import OUTCOMES

MAX_PHOTO_BYTES = 12_582_912  # docs/photo-format.md §3
SHA256_B64U = validate.Regexp(r"\A[A-Za-z0-9_-]{43}\Z")


class Session(Body):
    app_version = Text(40, required=True)
    platform = Text(80)
    oldest_seq = fields.Integer(strict=True, validate=validate.Range(1, 1 << 53))
    battery_percent = fields.Integer(strict=True, validate=validate.Range(0, 100))
    position = position()


class Arrived(Body):
    position = position()
    house_found = fields.Boolean()  # true: the position is that of the house itself
    hazards = place_hazards()
    hazards_gone = place_hazards()
    note = words()


class Encounter(Body):
    relation = word(Relation, required=True)
    location_asked = fields.Boolean(load_default=False)  # the one question that may be put to a third party
    whom = word(Whom, load_default=None)  # where the person asked is found
    asked_for_company = fields.Boolean(load_default=False)  # expressly; only then its name was told
    position = position()
    note = words()


class IdentityCheck(Body):
    """One try. Which answers were asked, never what was answered."""

    person = fields.UUID()
    method = word(IdentityMethod, required=True)
    passed = fields.Boolean(required=True)
    kinds = Several(word(AnswerKind), 2, load_default=list)
    tries_left = fields.Integer(strict=True, validate=validate.Range(0, 5))
    document = word(IdentityDocument)
    claim = word(LockClaim, load_default=LockClaim.SOUGHT)  # who they said to be
    position = position()


class Opened(Body):
    person = fields.UUID()
    parts = Several(word(LockedPart), 2, required=True)
    shown_s = fields.Integer(strict=True, validate=validate.Range(0, 86_400))
    before_arrival = fields.Boolean(load_default=False)  # read on the way, where the agency's policy lets it be
    position = position()


class Letter(Body):
    handling = word(LetterHandling, required=True)
    recipient = word(Relation)
    serial = Text(40)
    reason = word(NotDeliveredReason)
    note = words()

    @validates_schema
    def _recipient_named(self, data: dict[str, Any], **_: Any) -> None:
        if data["handling"] is LetterHandling.HANDED_OVER and "recipient" not in data:
            raise ValidationError("required", "recipient")


class Contact(Body):
    source = word(Relation, required=True)
    person = fields.UUID()
    contacts = contacts()
    note = words()

    @validates_schema
    def _not_empty(self, data: dict[str, Any], **_: Any) -> None:
        if not data["contacts"]:
            raise ValidationError("at least one", "contacts")


class Notice(Body):
    """The privacy notice that was shown: field_api/rules/photo_notice.json has the words of each."""

    version = Text(20, required=True)
    language = fields.String(required=True, validate=validate.Regexp(r"\A[a-z]{2,3}\Z"))


class PhotoPermission(Body):
    """`granted` false takes an earlier permission back."""

    granted = fields.Boolean(required=True)
    by = word(Relation, required=True)
    subjects = Several(word(PhotoSubject), 4, load_default=list)
    name = Text(NAME)
    words = words()
    notice = fields.Nested(Notice)


class Photo(Body):
    """Declares a photograph; its id is the operation's own (docs/photo-format.md §1)."""

    sha256 = fields.String(required=True, validate=SHA256_B64U)  # of the sealed bytes, as in `protected`
    size_bytes = fields.Integer(strict=True, validate=validate.Range(1, MAX_PHOTO_BYTES))
    subject = word(PhotoSubject, required=True)
    permission = fields.UUID(load_default=None)  # op id of the photo_permission
    media_type = Text(SHORT)
    taken_at = moment()
    position = position()


class Correction(Body):
    corrects = fields.UUID(required=True)
    words = words(required=True)
    outcome = Variant("outcome", OUTCOMES)  # the outcome as it should have been, where one is corrected


class Note(Body):
    words = words(required=True)


KINDS: dict[OpKind, type[Body]] = {
    OpKind.SESSION: Session,
    OpKind.ARRIVED: Arrived,
    OpKind.ENCOUNTER: Encounter,
    OpKind.IDENTITY_CHECK: IdentityCheck,
    OpKind.OPENED: Opened,
    OpKind.LETTER: Letter,
    OpKind.CONTACT: Contact,
    OpKind.PHOTO_PERMISSION: PhotoPermission,
    OpKind.PHOTO: Photo,
    OpKind.CORRECTION: Correction,
    OpKind.NOTE: Note,
}
