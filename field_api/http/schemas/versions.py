"""The version of a plan that a request was made for."""

from __future__ import annotations

import marshmallow as ma

from field_api.http.schemas.audiences import OFFICE
from field_api.http.schemas.labelled import Schema, internal


class VersionHeaders(Schema):
    """Not required by the schema: where it has to be there, the answer without it is 428; with an older one 412."""

    audiences = OFFICE
    if_match = internal(
        ma.fields.String(
            data_key="If-Match",
            metadata={"description": "the plan's version that was looked at, as its ETag says it; * for any"},
        )
    )
