"""The sealed photograph: every vector, every chunk boundary, and what must not open."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from field_api.platform import sealing
from field_api.platform.sealing import Unsealable, from_b64u
from media.sealed_photo import (
    CHUNK_BYTES,
    HEADER,
    MAX_SEALED_BYTES,
    TAG_BYTES,
    PhotoName,
    Unopenable,
    open_photo,
    seal_photo,
    seal_plaintext,
)
from sync.phone.sealed_photos import seal_photo as phone_seals
from tests.photo_vectors import altered, expanded

VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> list[dict[str, Any]]:
    return json.loads((VECTORS / f"photo_{name}.json").read_text())


def name_of(ids: dict[str, str]) -> PhotoName:
    return PhotoName(UUID(ids["agency"]), UUID(ids["device"]), UUID(ids["photo"]))


@pytest.mark.parametrize("vector", vectors("opens"), ids=lambda vector: vector["title"])
def test_a_sealed_photo_is_these_bytes_and_opens(vector: dict[str, Any]) -> None:
    key, image = from_b64u(vector["key"]), expanded(vector["image"])
    sealed = seal_photo(key, name_of(vector), vector["type"], image)
    assert hashlib.sha256(sealed).hexdigest() == vector["sealed_sha256"]
    assert len(sealed) == vector["sealed_bytes"]
    if "sealed" in vector:
        assert from_b64u(vector["sealed"]) == sealed
    opened = open_photo(key, name_of(vector), sealed)
    assert (opened.media_type, opened.image) == (vector["type"], image)
    assert hashlib.sha256(opened.image).hexdigest() == vector["image_sha256"]


@pytest.mark.parametrize("vector", vectors("refused"), ids=lambda vector: f"{vector['case']}-{vector['expected']}")
def test_an_altered_photo_is_refused_by_name(vector: dict[str, Any]) -> None:
    name = name_of(vector)
    # The wrong-key vector names a key of its own: the untouched bytes are those of the title's key.
    made_with = hashlib.sha256(b"photo vector key: " + vector["title"].encode()).digest()
    sealed = seal_photo(made_with, name, vector["type"], expanded(vector["image"]))
    assert hashlib.sha256(sealed).hexdigest() == vector["sealed_sha256"]
    changes = vector["alter"]
    if changes and changes[0][0] == "plaintext":
        sealed = seal_plaintext(made_with, name, from_b64u(changes[0][1]))
    else:
        sealed = altered(sealed, changes)
    with pytest.raises(Unopenable) as refusal:
        open_photo(from_b64u(vector["key"]), name_of(vector.get("open_as", vector)), sealed)
    assert refusal.value.reason == vector["expected"]


@pytest.mark.parametrize("said", [b'{"type":[],"v":1}', b'{"type":{},"v":1}', b'{"type":null,"v":1}', b'{"v":1}'])
def test_a_type_that_is_no_text_is_bad_metadata(said: bytes) -> None:
    """Whatever else it raised would be no one's to catch: neither the worker's nor that of whoever fetches a file."""
    key, name = os.urandom(32), PhotoName(uuid4(), uuid4(), uuid4())
    with pytest.raises(Unopenable, match="bad-metadata"):
        open_photo(key, name, seal_plaintext(key, name, len(said).to_bytes(4, "big") + said + b"image"))


def test_every_kind_of_refusal_has_a_vector() -> None:
    cases = {vector["case"] for vector in vectors("refused")}
    assert cases >= {"truncated", "reordered", "swapped", "other-device", "other-agency", "flipped-bit", "wrong-key"}
    codes = {vector["expected"] for vector in vectors("refused")}
    assert codes == {"too-large", "bad-header", "bad-size", "not-authentic", "bad-metadata"}


@pytest.mark.parametrize("vector", vectors("wraps"), ids=lambda vector: vector.get("case", "opens"))
def test_a_wrapped_key_opens_for_its_own_photo_alone(vector: dict[str, Any]) -> None:
    private, wrap = from_b64u(vector["sealing_private"]), from_b64u(vector["wrap"])
    info = name_of(vector.get("open_as", vector)).key_info
    if "expected" in vector:
        with pytest.raises(Unsealable):
            sealing.open_sealed(private, info, wrap)
    else:
        assert sealing.open_sealed(private, info, wrap) == from_b64u(vector["key"])


@settings(max_examples=60, deadline=None)
@given(chunks=st.integers(0, 3), shift=st.integers(-40, 40), data=st.data())
def test_around_every_chunk_boundary_it_opens_and_no_cut_or_flip_does(chunks: int, shift: int, data: Any) -> None:
    image = os.urandom(max(0, chunks * CHUNK_BYTES + shift))
    key, name = os.urandom(32), PhotoName(uuid4(), uuid4(), uuid4())
    sealed = seal_photo(key, name, "image/jpeg", image)
    assert open_photo(key, name, sealed).image == image
    starts = range(len(HEADER), len(sealed), CHUNK_BYTES + TAG_BYTES)
    near = data.draw(st.sampled_from([*starts, len(sealed)])) + data.draw(st.integers(-20, 20))
    keep = min(max(near, 0), len(sealed) - 1)
    with pytest.raises(Unopenable):
        open_photo(key, name, sealed[:keep])
    with pytest.raises(Unopenable):
        open_photo(key, name, altered(sealed, [["flip", keep, data.draw(st.integers(0, 7))]]))


def test_a_photo_larger_than_the_format_is_not_sealed() -> None:
    name = PhotoName(uuid4(), uuid4(), uuid4())
    with pytest.raises(ValueError, match="12582912"):
        seal_photo(os.urandom(32), name, "image/jpeg", bytes(MAX_SEALED_BYTES))
    with pytest.raises(ValueError, match="media type"):
        seal_photo(os.urandom(32), name, "image/tiff", b"II*\x00")


def test_what_the_reference_phone_seals_opens_here() -> None:
    """Two implementations that share no code, at the boundaries of a chunk."""
    private = sealing.new_private_key()
    public = sealing.public_key_of(private)
    for length in (0, CHUNK_BYTES - 31, CHUNK_BYTES - 30, CHUNK_BYTES - 29, 200_000):
        image = b"\xff\xd8\xff" + os.urandom(length)
        name = PhotoName(uuid4(), uuid4(), uuid4())
        sent = phone_seals(image, str(name.agency_id), str(name.device_id), str(name.photo_id), public)
        key = sealing.open_sealed(private, name.key_info, sent.wrap)
        opened = open_photo(key, name, sent.sealed)
        assert (opened.media_type, opened.image) == ("image/jpeg", image)
        assert (sent.key_id, sent.sha256) == (sealing.key_id_of(public), sealing.sha256(sent.sealed))
