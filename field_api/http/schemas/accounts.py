"""What crosses the wire about creditors, their files and their accounts."""

from __future__ import annotations

import marshmallow as ma
from flask_smorest.fields import Upload

from field_api.domain.amounts import MOST_MINOR
from field_api.http.paging import PageArguments
from field_api.http.schemas.audiences import BOOKS, CARRIERS
from field_api.http.schemas.labelled import Schema, confidential, internal
from field_api.http.schemas.revealed import RevealedDate, RevealedInteger, RevealedString

NAME = ma.validate.Length(1, 200)
MINOR = ma.validate.Range(0, MOST_MINOR)
STATUSES = ("open", "paid", "closed")


class CreditorChangesSchema(Schema):
    """What is not sent stays. `column_map`: docs/import.md. `threshold_minor`: visited only above it."""

    audiences = CARRIERS

    name = confidential(ma.fields.String(validate=NAME))
    sector = confidential(ma.fields.String(validate=ma.validate.OneOf(["financial", "commercial"])))
    threshold_minor = confidential(ma.fields.Integer(strict=True, validate=ma.validate.Range(0, 2**31 - 1)))
    language = confidential(ma.fields.String(validate=ma.validate.Length(2, 35)))
    address = confidential(ma.fields.String(validate=ma.validate.Length(max=500)))
    phone = confidential(ma.fields.String(validate=ma.validate.Length(max=50)))
    complaints_unit = confidential(
        ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String(validate=ma.validate.Length(max=500)))
    )
    payment_ways = confidential(
        ma.fields.List(ma.fields.String(validate=ma.validate.Length(1, 500)), validate=ma.validate.Length(max=20))
    )
    column_map = confidential(ma.fields.Dict(keys=ma.fields.String()))
    strategy = confidential(ma.fields.Dict(keys=ma.fields.String(), metadata={"description": "docs/strategy.md"}))
    exclusions = confidential(
        ma.fields.List(
            ma.fields.String(validate=ma.validate.Length(1, 80)),
            validate=ma.validate.Length(max=20_000),
            metadata={"description": "references and customer numbers that nobody is to contact"},
        )
    )


class NewCreditorSchema(CreditorChangesSchema):
    name = confidential(ma.fields.String(required=True, validate=NAME))
    jurisdiction = confidential(ma.fields.String(required=True, validate=ma.validate.Length(2, 6)))
    currency = confidential(ma.fields.String(required=True, validate=ma.validate.Length(equal=3)))
    language = confidential(ma.fields.String(required=True, validate=ma.validate.Length(2, 35)))


class CreditorSchema(Schema):
    audiences = BOOKS
    id = internal(ma.fields.UUID())
    name = confidential(ma.fields.String())
    jurisdiction = confidential(ma.fields.String())
    sector = confidential(ma.fields.String())
    currency = confidential(ma.fields.String())
    threshold_minor = confidential(ma.fields.Integer())
    language = confidential(ma.fields.String())
    address = confidential(ma.fields.String())
    phone = confidential(ma.fields.String())
    complaints_unit = confidential(ma.fields.Dict())
    payment_ways = confidential(ma.fields.List(ma.fields.String()))
    column_map = confidential(ma.fields.Dict())
    strategy = confidential(ma.fields.Dict())
    exclusions = confidential(ma.fields.List(ma.fields.String()))


class ImportQuery(Schema):
    audiences = CARRIERS
    dry_run = internal(ma.fields.Boolean(load_default=False, metadata={"description": "do all of it and take it back"}))


class ImportUploadSchema(Schema):
    audiences = CARRIERS
    file = confidential(Upload(required=True, metadata={"description": "CSV or XLSX"}))


class RowErrorSchema(Schema):
    audiences = CARRIERS
    row = internal(ma.fields.Integer(metadata={"description": "as a person counts: the header is row 1"}))
    column = confidential(
        ma.fields.String(metadata={"description": "the file's own header, or a field's name where it has none"})
    )
    code = internal(ma.fields.String())
    message = internal(ma.fields.String())


class ImportReportSchema(Schema):
    audiences = CARRIERS
    file_name = confidential(ma.fields.String())
    sha256 = internal(ma.fields.String())
    dry_run = internal(ma.fields.Boolean())
    already_imported = internal(ma.fields.Boolean())
    read_as = confidential(ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String()))
    ignored_columns = confidential(ma.fields.List(ma.fields.String()))
    rows_total = internal(ma.fields.Integer())
    rows_imported = internal(ma.fields.Integer())
    rows_rejected = internal(ma.fields.Integer())
    created = internal(ma.fields.Integer())
    updated = internal(ma.fields.Integer())
    unchanged = internal(ma.fields.Integer())
    closed = internal(ma.fields.Integer())
    reopened = internal(ma.fields.Integer())
    never_placed = internal(ma.fields.Integer())
    payments_added = internal(ma.fields.Integer())
    errors = confidential(
        ma.fields.List(ma.fields.Nested(RowErrorSchema), metadata={"description": "the first thousand"})
    )


class AccountQuery(PageArguments):
    audiences = BOOKS
    creditor = internal(ma.fields.UUID(load_default=None))
    state = internal(ma.fields.String(load_default=None, validate=ma.validate.OneOf(["placed", "closed"])))


class AccountSearchSchema(Schema):
    """References are confidential and so travel in a body, never in an address."""

    audiences = BOOKS

    creditor_id = internal(ma.fields.UUID(required=True))
    references = confidential(
        ma.fields.List(
            ma.fields.String(validate=ma.validate.Length(1, 80)), required=True, validate=ma.validate.Length(1, 200)
        )
    )


class AccountSchema(Schema):
    audiences = BOOKS
    id = internal(ma.fields.UUID())
    creditor_id = internal(ma.fields.UUID())
    reference = confidential(RevealedString())
    product = confidential(RevealedString())
    original_creditor = confidential(RevealedString(allow_none=True))
    currency = confidential(ma.fields.String())
    balance_minor = confidential(RevealedInteger())
    principal_minor = confidential(RevealedInteger())
    interest_minor = confidential(RevealedInteger())
    fees_minor = confidential(RevealedInteger())
    balance_calculated_on = confidential(RevealedDate())
    due_on = confidential(RevealedDate())
    contract_on = confidential(RevealedDate(allow_none=True))
    last_payment_on = confidential(RevealedDate(allow_none=True))
    last_payment_minor = confidential(RevealedInteger(allow_none=True))
    options = confidential(RevealedString(allow_none=True))
    visits_consented_on = confidential(RevealedDate(allow_none=True))
    state = confidential(ma.fields.String())
    closed_reason = confidential(ma.fields.String(allow_none=True))
    placed_at = confidential(ma.fields.AwareDateTime())
    closed_at = confidential(ma.fields.AwareDateTime(allow_none=True))
    version = internal(ma.fields.Integer())


class AccountListSchema(Schema):
    audiences = BOOKS
    items = confidential(ma.fields.List(ma.fields.Nested(AccountSchema)))


class NewPaymentSchema(Schema):
    audiences = CARRIERS
    ref = confidential(ma.fields.String(required=True, validate=ma.validate.Length(1, 80)))
    paid_on = confidential(ma.fields.Date(required=True))
    amount_minor = confidential(
        ma.fields.Integer(required=True, strict=True, validate=ma.validate.Range(1, MOST_MINOR))
    )


class AccountChangesSchema(Schema):
    """What is not sent stays. Amounts in minor units; parts must make the balance; a balance alone is principal.
    A payment lowers what is owed, unless a balance is sent with it."""

    audiences = CARRIERS

    balance_minor = confidential(ma.fields.Integer(strict=True, validate=MINOR))
    principal_minor = confidential(ma.fields.Integer(strict=True, validate=MINOR))
    interest_minor = confidential(ma.fields.Integer(strict=True, validate=MINOR))
    fees_minor = confidential(ma.fields.Integer(strict=True, validate=MINOR))
    balance_calculated_on = confidential(ma.fields.Date())
    due_on = confidential(ma.fields.Date())
    contract_on = confidential(ma.fields.Date(metadata={"description": "the day of the contract"}))
    product = confidential(ma.fields.String(validate=ma.validate.Length(max=300)))
    original_creditor = confidential(ma.fields.String(validate=ma.validate.Length(1, 300)))
    options = confidential(ma.fields.String(validate=ma.validate.Length(1, 2000)))
    status = confidential(ma.fields.String(validate=ma.validate.OneOf(STATUSES)))
    visits_consented_on = confidential(
        ma.fields.Date(
            allow_none=True,
            metadata={"description": "day of the debtor's written consent to more visits; null: it was taken back"},
        )
    )
    payment = confidential(ma.fields.Nested(NewPaymentSchema))
