"""What crosses the wire about photographs; all of it for managers."""

from __future__ import annotations

import marshmallow as ma

from field_api.http.paging import PageArguments, page_schema
from field_api.http.schemas.audiences import MANAGERS
from field_api.http.schemas.labelled import Schema, confidential, internal, personal, place
from field_api.http.schemas.revealed import RevealedJson
from media.office.darkroom import LARGE, SMALL
from media.office.hints import Hint
from media.office.records import PhotoState

REASON = (ma.validate.Length(1, 500), ma.validate.Regexp(r"\s*\S", error="Say a reason."))
"""Some words: blanks alone are none."""
DESTROY_REASONS = ("permission-withdrawn", "erasure-order", "retention-end", "not-needed", "not-allowed")


class PhotoQuery(PageArguments):
    audiences = MANAGERS
    visit = internal(ma.fields.UUID(load_default=None))
    state = internal(
        ma.fields.String(load_default=None, validate=ma.validate.OneOf([state.value for state in PhotoState]))
    )

    hint = internal(ma.fields.Enum(Hint, by_value=ma.fields.String, load_default=None))
    thumbnails = internal(
        ma.fields.Boolean(
            load_default=False,
            metadata={"description": "with links to the small pictures: an entry in the log says who saw which"},
        )
    )


class PhotoSchema(Schema):
    """A declared photograph whose bytes came."""

    audiences = MANAGERS

    id = internal(ma.fields.UUID())
    visit_id = internal(ma.fields.UUID())
    op = internal(ma.fields.UUID(attribute="op_id"))
    permission_op = internal(ma.fields.UUID(attribute="permission_op_id", allow_none=True))
    device_id = internal(ma.fields.UUID())
    state = internal(ma.fields.String(validate=ma.validate.OneOf([state.value for state in PhotoState])))
    reason = internal(
        ma.fields.String(allow_none=True, metadata={"description": "stable code (docs/photo-format.md §7)"})
    )
    subject = personal(ma.fields.String())
    captured_at = internal(ma.fields.AwareDateTime(allow_none=True, metadata={"description": "as the phone says"}))
    latitude = place(ma.fields.Float(allow_none=True))
    longitude = place(ma.fields.Float(allow_none=True))
    accuracy_m = place(ma.fields.Float(allow_none=True))
    evidence = confidential(
        RevealedJson(allow_none=True, metadata={"description": "what the file said of itself: hints"})
    )
    hints = internal(
        ma.fields.List(
            ma.fields.String(validate=ma.validate.OneOf([hint.value for hint in Hint])),
            metadata={"description": "what to look at, never verdicts (docs/photo-format.md §7)"},
        )
    )
    from_address_m = internal(
        ma.fields.Float(allow_none=True, metadata={"description": "metres from the visited address"})
    )
    from_visit_m = internal(
        ma.fields.Float(
            allow_none=True, metadata={"description": "metres from the nearest place that the visit's operations name"}
        )
    )
    width = internal(ma.fields.Integer(allow_none=True))
    height = internal(ma.fields.Integer(allow_none=True))
    received_at = internal(ma.fields.AwareDateTime())
    decide_by = internal(
        ma.fields.AwareDateTime(
            allow_none=True, metadata={"description": "refused: destroyed then, if nobody allows it before"}
        )
    )
    allowed_at = internal(ma.fields.AwareDateTime(allow_none=True))
    allowed_by = internal(ma.fields.UUID(allow_none=True))
    developed_at = internal(ma.fields.AwareDateTime(allow_none=True))
    destroyed_at = internal(ma.fields.AwareDateTime(allow_none=True))


class LinkQuery(Schema):
    audiences = MANAGERS
    link = internal(ma.fields.String(required=True, validate=ma.validate.Length(1, 500)))


class LinkSchema(Schema):
    """A link for whoever asked, and nobody else: it opens with their session alone."""

    audiences = MANAGERS
    url = internal(ma.fields.String(required=True, metadata={"description": "a path at this office"}))
    expires_at = internal(ma.fields.AwareDateTime(required=True))


class OriginalLinkSchema(LinkSchema):
    warning = internal(
        ma.fields.String(
            allow_none=True,
            metadata={"description": "quarantined: why nothing of it could be developed; open it with care"},
        )
    )


class SizeSchema(Schema):
    audiences = MANAGERS
    size = internal(ma.fields.String(required=True, validate=ma.validate.OneOf((LARGE, SMALL))))


class PhotoPageSchema(page_schema(PhotoSchema)):  # type: ignore[misc]  # a class made by the list's own function
    thumbnails = internal(
        ma.fields.Dict(
            keys=ma.fields.UUID(),
            values=ma.fields.Nested(LinkSchema),
            metadata={"description": "by photograph, where asked for; of those that are developed"},
        )
    )


class NoticeSchema(Schema):
    audiences = MANAGERS
    version = internal(ma.fields.String())
    language = internal(ma.fields.String())
    words = internal(
        ma.fields.String(allow_none=True, metadata={"description": "null where this office has none such"})
    )


class PermissionSchema(Schema):
    """Who allowed a photograph, as the phone recorded it."""

    audiences = MANAGERS
    op = internal(ma.fields.UUID(attribute="op_id"))
    at = internal(ma.fields.AwareDateTime())
    by = personal(ma.fields.String(attribute="allowed_by", metadata={"description": "relation (docs/outcomes.md)"}))
    subjects = personal(ma.fields.List(ma.fields.String(), metadata={"description": "for what; empty: for all"}))
    name = personal(ma.fields.String(allow_none=True))
    words = confidential(ma.fields.String(allow_none=True, metadata={"description": "as the agent wrote them down"}))
    notice = internal(ma.fields.Nested(NoticeSchema, allow_none=True))


class PhotoFactsSchema(Schema):
    """One photograph, with who allowed it."""

    audiences = MANAGERS
    photo = personal(ma.fields.Nested(PhotoSchema))
    permission = personal(ma.fields.Nested(PermissionSchema, allow_none=True))


class LookAlikeSchema(Schema):
    """A photograph on another visit."""

    audiences = MANAGERS

    id = internal(ma.fields.UUID())
    visit_id = internal(ma.fields.UUID())
    agent_id = internal(ma.fields.UUID(metadata={"description": "whose phone brought it"}))
    received_at = internal(ma.fields.AwareDateTime())
    bits_apart = internal(ma.fields.Integer(metadata={"description": "of 64 bits; 0: the same difference hash"}))


class LookAlikesSchema(Schema):
    audiences = MANAGERS
    items = internal(ma.fields.List(ma.fields.Nested(LookAlikeSchema), required=True))


class ExpectedQuery(Schema):
    audiences = MANAGERS
    visit = internal(ma.fields.UUID(required=True))


class ExpectedPhotoSchema(Schema):
    """Declared, and not here yet."""

    audiences = MANAGERS

    op = internal(ma.fields.UUID(attribute="op_id"))
    device_id = internal(ma.fields.UUID())
    subject = personal(ma.fields.String())
    permission_stands = internal(ma.fields.Boolean())
    captured_at = internal(ma.fields.AwareDateTime(attribute="taken_at", allow_none=True))


class ExpectedPhotosSchema(Schema):
    audiences = MANAGERS
    items = personal(ma.fields.List(ma.fields.Nested(ExpectedPhotoSchema), required=True))


class DestroySchema(Schema):
    audiences = MANAGERS
    reason = internal(ma.fields.String(required=True, validate=ma.validate.OneOf(DESTROY_REASONS)))


class AllowSchema(Schema):
    audiences = MANAGERS
    reason = confidential(ma.fields.String(required=True, validate=REASON))


class OriginalSchema(Schema):
    audiences = MANAGERS
    reason = confidential(ma.fields.String(required=True, validate=REASON))
