"""Our door and the tus project's own server, asked the same where the protocol's text leaves room.

Each row says what both answer. Where they differ it says why ours does, and docs/photo-format.md §5 says the same; a row
that gives a reason although both answer alike fails, and so does one that differs without a reason.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from node_tools import running_script, workshop
from upload_world import agency_key, by_waitress

from field_api.platform.clock import SystemClock
from field_api.platform.settings import Settings
from media.sealed_photo import MAX_SEALED_BYTES
from tests.door_client import Phone, sha256
from tests.photo_phone import PHOTOS, TUS, base64_text, first_headers, piece_headers, seal_for

pytestmark = pytest.mark.xdist_group("stock_clients")

DOCUMENT = Path(__file__).parents[2] / "docs" / "photo-format.md"
UNKNOWN = "b2f7c1de-4a39-4c58-9d1e-0123456789ab"


@dataclass
class Side:
    """One server. `send` answers a request; `announced` makes an upload of this content and tells its path."""

    collection: str
    send: Callable[..., requests.Response]
    content: Callable[[], tuple[bytes, dict[str, str]]]

    def announced(self) -> tuple[str, bytes]:
        content, headers = self.content()
        created = self.send("POST", self.collection, headers)
        assert created.status_code == 201, created.text
        return urlsplit(created.headers["Location"]).path, content

    def creates(self, without: str = "", **changes: str) -> requests.Response:
        headers = {**self.content()[1], **{name.replace("_", "-"): value for name, value in changes.items()}}
        return self.send("POST", self.collection, {name: value for name, value in headers.items() if name != without})

    def patches(self, path: str, offset: int, piece: bytes, without: str = "", **changes: str) -> requests.Response:
        headers = piece_headers(offset, piece) | {name.replace("_", "-"): value for name, value in changes.items()}
        return self.send("PATCH", path, {name: value for name, value in headers.items() if name != without}, piece)

    def completed(self) -> tuple[str, bytes]:
        path, content = self.announced()
        assert self.patches(path, 0, content).status_code == 204
        return path, content


def options(side: Side) -> requests.Response:
    return side.send("OPTIONS", side.collection, {}, signed=False)


def head_of_nothing(side: Side) -> requests.Response:
    return side.send("HEAD", f"{side.collection}/{UNKNOWN}", TUS)


def patch_of_nothing(side: Side) -> requests.Response:
    return side.patches(f"{side.collection}/{UNKNOWN}", 0, b"x")


def delete_of_nothing(side: Side) -> requests.Response:
    return side.send("DELETE", f"{side.collection}/{UNKNOWN}", TUS)


def another_method(side: Side) -> requests.Response:
    return side.send("PUT", side.announced()[0], TUS)


def download(side: Side) -> requests.Response:
    return side.send("GET", side.completed()[0], TUS)


def twice(side: Side) -> requests.Response:
    """The second answer, under a status that tells whether it is the same upload."""
    _, headers = side.content()
    first, again = (side.send("POST", side.collection, headers) for _ in range(2))
    again.status_code += first.headers["Location"] == again.headers["Location"]
    return again


def with_data(side: Side) -> requests.Response:
    content, headers = side.content()
    more = {name: value for name, value in piece_headers(0, content).items() if name != "Upload-Offset"}
    response = side.send("POST", side.collection, {**more, **headers}, content)
    assert response.headers["Upload-Offset"] == str(len(content))
    return response


def with_data_of_another_type(side: Side) -> requests.Response:
    content, headers = side.content()
    return side.send("POST", side.collection, {**headers, "Content-Type": "text/plain"}, content)


def on_announced(act: Callable[[Side, str, bytes], requests.Response]) -> Callable[[Side], requests.Response]:
    return lambda side: act(side, *side.announced())


def on_completed(act: Callable[[Side, str, bytes], requests.Response]) -> Callable[[Side], requests.Response]:
    return lambda side: act(side, *side.completed())


def after_its_end(side: Side, path: str, _content: bytes) -> requests.Response:
    assert side.send("DELETE", path, TUS).status_code == 204
    return side.send("HEAD", path, TUS)


def overridden(side: Side, path: str, content: bytes) -> requests.Response:
    return side.send("POST", path, {**piece_headers(0, content), "X-HTTP-Method-Override": "PATCH"}, content)


def head_of_announced(side: Side, path: str, content: bytes) -> requests.Response:
    response = side.send("HEAD", path, TUS)
    assert response.headers["Upload-Offset"] == "0" and response.headers["Upload-Length"] == str(len(content))
    assert response.headers["Cache-Control"] == "no-store"
    return response


WRONG_SUM = f"sha256 {base64_text(sha256(b'other'))}"


@dataclass(frozen=True)
class Row:
    name: str
    act: Callable[[Side], requests.Response] = field(repr=False)
    ours: int
    theirs: int
    reason: str = ""


ROWS = [
    Row("what is offered", options, 204, 204),
    Row("HEAD of an unknown id", head_of_nothing, 404, 404),
    Row("PATCH of an unknown id", patch_of_nothing, 404, 404),
    Row("DELETE of an unknown id", delete_of_nothing, 404, 404),
    Row("creation without a length", lambda s: s.creates(without="Upload-Length"), 400, 400),
    Row("creation with a bad length", lambda s: s.creates(Upload_Length="-1"), 400, 400),
    Row("creation beyond the limit", lambda s: s.creates(Upload_Length=str(MAX_SEALED_BYTES + 1)), 413, 413),
    Row("creation with bad metadata", lambda s: s.creates(Upload_Metadata="a !!"), 400, 400),
    Row("creation without a version", lambda s: s.creates(without="Tus-Resumable"), 412, 412),
    Row("creation in another version", lambda s: s.creates(Tus_Resumable="0.2.2"), 412, 400,
        "tus asks for 412 with Tus-Version"),
    Row("creation of nothing", lambda s: s.creates(Upload_Length="0"), 400, 201, "no photograph is empty"),
    Row("creation of a length to be told later",
        lambda s: s.creates(without="Upload-Length", Upload_Defer_Length="1"), 400, 201,
        "the quota counts announced bytes; a sealed photograph's size is known"),
    Row("creation of a part of an upload", lambda s: s.creates(Upload_Concat="partial"), 400, 501,
        "neither concatenates; at the door a 5xx would mean that it is to blame"),
    Row("the same creation twice", twice, 202, 201, "idempotent by content: 202 stands here for a 201 that names the same upload"),
    Row("creation with data", with_data, 201, 201),
    Row("creation with data of another type", with_data_of_another_type, 415, 201,
        "theirs drops the body silently; ours says that it cannot take it"),
    Row("HEAD", on_announced(head_of_announced), 200, 200),
    Row("HEAD without a version", on_announced(lambda s, path, _: s.send("HEAD", path, {})), 412, 412),
    Row("PATCH", on_announced(lambda s, path, content: s.patches(path, 0, content[:10])), 204, 204),
    Row("PATCH without a version", on_announced(lambda s, path, _: s.patches(path, 0, b"x", "Tus-Resumable")), 412, 412),
    Row("PATCH of another type", on_announced(lambda s, path, _: s.patches(path, 0, b"x", Content_Type="text/plain")),
        415, 400, "tus asks for 415"),
    Row("PATCH without an offset", on_announced(lambda s, path, _: s.patches(path, 0, b"x", "Upload-Offset")), 400, 403,
        "a missing header is a bad request, as everywhere at the door"),
    Row("PATCH at another offset", on_announced(lambda s, path, _: s.patches(path, 5, b"x")), 409, 409),
    Row("PATCH past the end", on_announced(lambda s, path, content: s.patches(path, 0, content + b"x")), 400, 413,
        "413 stands for limits at the door; this body contradicts the announced length"),
    Row("PATCH of nothing", on_announced(lambda s, path, _: s.patches(path, 0, b"")), 400, 204,
        "it would move nothing, and a client that sends it is lost"),
    Row("PATCH of a complete upload", on_completed(lambda s, path, c: s.patches(path, len(c), b"x")), 409, 413,
        "no offset is the right one any more: HEAD tells that it is complete"),
    Row("PATCH with a wrong checksum",
        on_announced(lambda s, path, _: s.patches(path, 0, b"x", Upload_Checksum=WRONG_SUM)), 460, 204,
        "theirs has no checksum extension"),
    Row("PATCH in the clothes of a POST", on_announced(overridden), 405, 400,
        "the method is signed: no header may change it; theirs takes it for a creation"),
    Row("DELETE of an incomplete upload", on_announced(lambda s, path, _: s.send("DELETE", path, TUS)), 204, 204),
    Row("HEAD after DELETE", on_announced(after_its_end), 404, 404),
    Row("DELETE of a complete upload", on_completed(lambda s, path, _: s.send("DELETE", path, TUS)), 409, 204,
        "a complete upload is evidence"),
    Row("GET of a complete upload", download, 405, 200, "what came in does not go out at the door"),
    Row("another method", another_method, 405, 404, "405 tells which methods there are"),
]  # fmt: skip


@pytest.fixture
def clock() -> SystemClock:
    return SystemClock()


def signing(phone: Phone, port: int) -> Callable[..., requests.Response]:
    def send(
        method: str, path: str, headers: dict[str, str], body: bytes | None = None, signed: bool = True
    ) -> requests.Response:
        if body:
            headers = {**headers, "Content-Digest": f"sha-256=:{base64_text(sha256(body))}:"}
        if signed:
            headers = headers | phone.signature_headers(method, path, "", headers, True)
        response = plain(port)(method, path, headers, body)
        phone.anchor = response.headers.get("Doorstep-Anchor", phone.anchor)
        return response

    return send


def plain(port: int) -> Callable[..., requests.Response]:
    def send(method: str, path: str, headers: dict[str, str], body: bytes | None = None, **_: Any) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            url = f"http://127.0.0.1:{port}{path}"
            return session.request(method, url, headers=headers, data=body, timeout=10)

    return send


def test_the_door_answers_as_the_tus_server_does_or_says_why(
    door: Flask, phone: Phone, settings: Settings, tmp_path: Path
) -> None:
    (kept := tmp_path / "kept").mkdir()
    (node := tmp_path / "node").mkdir()

    def content() -> tuple[bytes, dict[str, str]]:
        photo = seal_for(phone, agency_key(settings, phone.agency), os.urandom(100))
        return photo.sealed, photo.creation_headers

    with ExitStack() as both:
        port = both.enter_context(by_waitress(door))
        theirs = both.enter_context(running_script(workshop(node), "server.mjs", str(kept), str(MAX_SEALED_BYTES)))
        sides = Side(PHOTOS, signing(phone, port), content), Side("/files", plain(int(theirs)), content)
        answers = {row.name: tuple(row.act(side).status_code for side in sides) for row in ROWS}
    assert answers == {row.name: (row.ours, row.theirs) for row in ROWS}
    assert [row.name for row in ROWS if (row.ours == row.theirs) == bool(row.reason)] == []


def test_the_document_names_every_difference() -> None:
    section = DOCUMENT.read_text().split("\n## 5. ")[1].split("\n## ")[0]
    written = re.findall(r"^\| ([^|]+) \| (\d+) \| (\d+) \| ([^|]+) \|$", section, re.MULTILINE)
    assert written == [(row.name, str(row.ours), str(row.theirs), row.reason) for row in ROWS if row.reason]


def test_head_does_not_give_the_key_back(door: Flask, phone: Phone, settings: Settings) -> None:
    """tus asks that HEAD repeats Upload-Metadata. Ours holds the wrapped key, which goes in and never out."""
    photo = seal_for(phone, agency_key(settings, phone.agency), os.urandom(100))
    with by_waitress(door) as port:
        send = signing(phone, port)
        created = send("POST", PHOTOS, first_headers(photo, photo.sealed), photo.sealed)
        response = send("HEAD", created.headers["Location"], TUS)
    assert response.status_code == 200 and "Upload-Metadata" not in response.headers
