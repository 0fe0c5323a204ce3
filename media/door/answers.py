"""What the upload routes answer: nothing but headers (docs/photo-format.md §5)."""

from __future__ import annotations

from field_api.platform.door_gate import Answers, declare_answers

PREFIX = "/phone/v1/photos"
ONE = f"{PREFIX}/<uuid:upload_id>"

declare_answers(
    Answers("OPTIONS", PREFIX, empty=frozenset({204})),
    Answers("OPTIONS", ONE, empty=frozenset({204})),
    Answers("POST", PREFIX, empty=frozenset({201})),
    Answers("HEAD", ONE, empty=frozenset({200})),
    Answers("PATCH", ONE, empty=frozenset({204})),
    Answers("DELETE", ONE, empty=frozenset({204})),
)
