"""What crosses the wire about holds."""

from __future__ import annotations

import marshmallow as ma

from field_api.domain.disclosure import Audience
from field_api.domain.vocabulary import HoldKind
from field_api.http.paging import PageArguments
from field_api.http.schemas.audiences import BOOKS, OFFICE
from field_api.http.schemas.labelled import Schema, confidential, internal
from field_api.http.schemas.revealed import RevealedString

REASON = ma.validate.Length(1, 2000)


class HoldQuery(PageArguments):
    audiences = BOOKS
    account = internal(ma.fields.UUID(load_default=None))
    lifted = internal(ma.fields.Boolean(load_default=False, metadata={"description": "show lifted ones as well"}))


class NewHoldSchema(Schema):
    """On an account, or on everything a person owes (kinds that concern a person only)."""

    audiences = OFFICE | {Audience.INTEGRATOR}

    kind = confidential(ma.fields.String(required=True, validate=ma.validate.OneOf([kind.value for kind in HoldKind])))
    reason = confidential(ma.fields.String(required=True, validate=REASON))
    account_id = internal(ma.fields.UUID(load_default=None, allow_none=True))
    person_id = internal(ma.fields.UUID(load_default=None, allow_none=True))

    @ma.validates_schema
    def _of_somebody(self, body: dict[str, object], **_: object) -> None:
        if not body.get("account_id") and not body.get("person_id"):
            raise ma.ValidationError("a hold needs an account or a person", "account_id")


class LiftSchema(Schema):
    audiences = OFFICE | {Audience.INTEGRATOR}
    reason = confidential(ma.fields.String(required=True, validate=REASON))


class HoldSchema(Schema):
    audiences = BOOKS
    id = internal(ma.fields.UUID())
    kind = confidential(ma.fields.String())
    account_id = internal(ma.fields.UUID(allow_none=True))
    person_id = internal(ma.fields.UUID(allow_none=True))
    reason = confidential(RevealedString())
    placed_at = internal(ma.fields.AwareDateTime())
    placed_by = internal(ma.fields.UUID(allow_none=True))
    lifted_at = internal(ma.fields.AwareDateTime(allow_none=True))
    lifted_by = internal(ma.fields.UUID(allow_none=True))
    lift_reason = confidential(RevealedString(allow_none=True))
