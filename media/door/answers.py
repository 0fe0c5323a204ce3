"""What the upload routes answer: nothing but headers (docs/photo-format.md §5)."""

from __future__ import annotations

from field_api.platform.door_gate import Answers, declare_answers
from field_api.platform.overload import Load

PREFIX = "/phone/v1/photos"
ONE = f"{PREFIX}/<uuid:upload_id>"

declare_answers(
    Answers("OPTIONS", PREFIX, empty=frozenset({204}), load=Load.PHOTOS),
    Answers("OPTIONS", ONE, empty=frozenset({204}), load=Load.PHOTOS),
    Answers("POST", PREFIX, empty=frozenset({201}), load=Load.PHOTOS),
    Answers("HEAD", ONE, empty=frozenset({200}), load=Load.PHOTOS),
    Answers("PATCH", ONE, empty=frozenset({204}), load=Load.PHOTOS),
    Answers("DELETE", ONE, empty=frozenset({204}), load=Load.PHOTOS),
)
