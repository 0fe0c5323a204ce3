"""Plain words of the pages about photographs: states, reasons, hints, who allowed. Codes stay in the API."""

from __future__ import annotations

from typing import NamedTuple

from media.office.hints import Hint
from media.office.photo_links import Use
from media.office.records import PhotoState

STATES = {
    PhotoState.AWAITING: "waits to be developed",
    PhotoState.DEVELOPING: "is being developed",
    PhotoState.DEVELOPED: "developed",
    PhotoState.QUARANTINED: "could not be read",
    PhotoState.REFUSED: "waits for your decision",
    PhotoState.DESTROYED: "destroyed",
}
SUBJECTS = {"facade": "façade", "house_number": "house number", "street": "street", "meter": "meter"}
REASONS = {
    "no-permission": "nobody allowed it, or the permission was another visit's or taken back",
    "cannot-allow": "a minor or nobody allowed it: their word allows nothing",
    "other-subject": "what was allowed was a photograph of something else",
    "permission-withdrawn": "the permission was withdrawn",
    "erasure-order": "its erasure was ordered",
    "retention-end": "it was kept as long as it may be",
    "not-needed": "it was not needed",
    "not-allowed": "a manager did not allow it",
    "not-decided": "nobody decided in 72 hours",
    "upload-differs": "the bytes that came are not those that were declared",
    "bytes-differ": "the stored bytes are not those that came",
    "bytes-missing": "the stored bytes are missing",
    "key-missing": "its key is missing",
    "not-a-picture": "the file is no picture of a known kind",
    "undecodable": "the picture cannot be decoded",
    "too-many-pixels": "the picture has too many pixels",
    "too-much-memory": "the picture needs too much memory",
    "too-slow": "the picture takes too long to decode",
    "rendition-missing": "a stored picture was lost; it is made anew from the file, if that is there",
    "rendition-differs": "a stored picture was altered; it is made anew from the file, if that is there",
    "given-up": "three attempts to read it ended badly",
}
"""Others are shown as their code (docs/photo-format.md §6, §7)."""
DESTROY = {
    "permission-withdrawn": "The permission was withdrawn",
    "erasure-order": "Its erasure was ordered",
    "retention-end": "It was kept as long as it may be",
    "not-needed": "It is not needed",
    "not-allowed": "It was not allowed",
}
SHOWN = {
    Use.SMALL: "the small picture",
    Use.LARGE: "the large picture",
    Use.THUMBNAIL: "the small picture",
    Use.ORIGINAL: "the file as it came",
}
RELATIONS = {
    "claims_to_be_sought": "somebody who says they are the person sought",
    "sought": "the person sought",
    "guarantor": "a guarantor",
    "attorney": "an attorney",
    "executor": "an executor",
    "guardian": "a guardian",
    "spouse": "a spouse or partner",
    "relative": "a relative",
    "minor": "a minor",
    "older_or_disabled": "an older person or one with a disability",
    "neighbour": "a neighbour",
    "guard": "a guard or concierge",
    "employer": "an employer or colleague",
    "authority": "an authority",
    "nobody": "nobody",
}


class HintWords(NamedTuple):
    """Its name, what it says, and what it does not mean."""

    name: str
    says: str
    not_meant: str


HINTS: dict[Hint, HintWords] = {
    Hint.NO_POSITION: HintWords(
        "No position",
        "neither the phone nor the file says where it was taken",
        "that it was hidden: indoors and in narrow streets there is none, and a phone may have been told not to",
    ),
    Hint.FAR_FROM_ADDRESS: HintWords(
        "Far from the address",
        "taken more than 300 m from the visited address",
        "the wrong house: addresses without a number are placed at a street's or a town's middle",
    ),
    Hint.FAR_FROM_VISIT: HintWords(
        "Far from the visit",
        "taken more than 300 m from every place that the visit's records name",
        "that the visit did not take place: either position may be the wrong one",
    ),
    Hint.FILE_ELSEWHERE: HintWords(
        "Two positions",
        "the file's own position is more than 300 m from the phone's",
        "a forgery: cameras keep the last place they knew",
    ),
    Hint.OUTSIDE_VISIT: HintWords(
        "Outside the visit's time",
        "taken more than 30 minutes before the visit began or after it ended",
        "an old picture: phone clocks are wrong, and things may be written down later",
    ),
    Hint.FILE_OTHER_TIME: HintWords(
        "Two times",
        "the file's own time and the phone's are more than 10 minutes apart",
        "an old picture: cameras run in other zones and on clocks that were never set",
    ),
    Hint.SAME_PICTURE: HintWords(
        "Same picture elsewhere",
        "a picture that looks the same was brought for another visit",
        "the same file: rows of like houses, one meter model, fog and shutters look alike",
    ),
    Hint.NEAR_PICTURE: HintWords(
        "Near picture elsewhere",
        "a picture that looks nearly the same was brought for another visit",
        "the same file: rows of like houses, one meter model, fog and shutters look alike",
    ),
    Hint.OTHER_AGENTS_PICTURE: HintWords(
        "By another agent",
        "one of the like pictures came by another agent's phone",
        "that it was passed on: two agents may stand before one house",
    ),
    Hint.NO_CAMERA_DATA: HintWords(
        "No camera named",
        "the file names no camera",
        "editing: browsers, messengers and privacy settings take that out",
    ),
    Hint.METADATA_UNREADABLE: HintWords(
        "Camera data unreadable",
        "the file's data about its making cannot be read",
        "anything about the picture",
    ),
    Hint.EDITING_SOFTWARE: HintWords(
        "Went through an editor",
        "the file names a known picture editor",
        "that what it shows was changed: turning and cropping write that, too",
    ),
    Hint.LIKE_A_SCREENSHOT: HintWords(
        "Like a screenshot",
        "the file says so, or is of a kind that cameras do not write",
        "that it is one",
    ),
}
"""As docs/photo-format.md §7 argues them."""


def reason_words(code: str | None) -> str | None:
    return REASONS.get(code, code) if code else None
