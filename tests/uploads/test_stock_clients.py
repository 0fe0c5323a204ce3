"""Clients that are not ours bring photographs: tuspy and tus-js-client, with nothing but a signing hook.

Neither knows of anchors, photographs or our order of things. tuspy creates without data and cannot terminate.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
import tusclient.request
import tusclient.uploader.baseuploader
import tusclient.uploader.uploader
from flask import Flask
from node_tools import run_script, workshop
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError, TusUploadFailed
from tusclient.storage.filestorage import FileStorage
from tusclient.uploader.baseuploader import BaseUploader
from upload_world import PIECE, by_waitress, keys, row, stored

from field_api.platform.clock import SystemClock
from field_api.platform.sealing import b64u
from field_api.platform.settings import Settings
from tests.door_client import Phone, sha256
from tests.faults.proxy import Fault, FaultProxy
from tests.photo_phone import PHOTOS, SealedPhoto, base64_text, head, send_piece

pytestmark = pytest.mark.xdist_group("stock_clients")


@pytest.fixture
def clock() -> SystemClock:
    """Real time: these clients meet anchors that grow older."""
    return SystemClock()


@pytest.fixture
def proxy(door: Flask) -> Iterator[FaultProxy]:
    """The door behind the server we ship, and a network before it that can be spoiled."""
    with by_waitress(door) as port, FaultProxy(port) as proxy:
        yield proxy


def is_complete(phone: Phone, photo: SealedPhoto, settings: Settings) -> None:
    (file,), (key,) = stored(settings), keys(settings)
    assert file.read_bytes() == photo.sealed and key.read_bytes() == photo.wrap
    assert row(phone.agency).state == "complete"


class SigningRequests:
    """What tuspy calls `requests`, with the phone's signature on every request."""

    exceptions = requests.exceptions

    def __init__(self, phone: Phone, base: str) -> None:
        self.phone, self.base = phone, base
        for name in ("post", "head", "patch"):
            setattr(self, name, lambda url, _name=name, **options: self.send(_name.upper(), url, **options))

    def send(
        self, method: str, url: str, headers: dict[str, str], data: bytes | None = None, **_: Any
    ) -> requests.Response:
        headers = dict(headers)
        if data is not None:
            headers["Content-Digest"] = f"sha-256=:{base64_text(sha256(data))}:"
        headers |= self.phone.signature_headers(method, url.removeprefix(self.base), "", headers, True)
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(method, url, headers=headers, data=data, timeout=10)
        self.phone.anchor = response.headers.get("Doorstep-Anchor", self.phone.anchor)
        return response


@pytest.fixture
def tuspy(phone: Phone, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> TusClient:
    for module in (tusclient.request, tusclient.uploader.uploader, tusclient.uploader.baseuploader):
        monkeypatch.setattr(module, "requests", SigningRequests(phone, proxy.url))
    monkeypatch.setattr(BaseUploader, "CHECKSUM_ALGORITHM_PAIR", ("sha256", hashlib.sha256))  # its own is sha1
    return TusClient(proxy.url + PHOTOS)


class Kept(io.BytesIO):
    """tuspy closes what it reads to find a stored URL, and reads it again after that."""

    def close(self) -> None:
        pass


def uploader(tuspy: TusClient, photo: SealedPhoto, **options: Any) -> Any:
    fixed = {"chunk_size": PIECE, "metadata": photo.metadata, "upload_checksum": True, "retry_delay": 0}
    return tuspy.uploader(file_stream=Kept(photo.sealed), **fixed, **options)


def test_tuspy_uploads(tuspy: TusClient, phone: Phone, photo: SealedPhoto, settings: Settings) -> None:
    one = uploader(tuspy, photo)
    one.upload()
    assert one.offset == len(photo.sealed)
    is_complete(phone, photo, settings)


def test_tuspy_goes_on_from_a_stored_url(
    tuspy: TusClient, phone: Phone, photo: SealedPhoto, settings: Settings, proxy: FaultProxy, tmp_path: Path
) -> None:
    """The connection breaks in the second piece, and tuspy gives up; another run finds the URL and goes on."""
    with closing(FileStorage(str(tmp_path / "urls"))) as urls:
        first = uploader(tuspy, photo, store_url=True, url_storage=urls)
        first.upload_chunk()
        proxy.spoil(Fault(cut_body_at=100_000), "PATCH")
        with pytest.raises((TusUploadFailed, TusCommunicationError)):
            first.upload_chunk()
        again = uploader(tuspy, photo, store_url=True, url_storage=urls)
        assert (again.url, again.offset) == (first.url, PIECE)
        again.upload()
    is_complete(phone, photo, settings)


def test_tuspy_retries_by_itself(
    tuspy: TusClient, phone: Phone, photo: SealedPhoto, settings: Settings, proxy: FaultProxy
) -> None:
    proxy.spoil(Fault(cut_body_at=1), "PATCH")
    proxy.spoil(Fault(drop_reply=True), "PATCH")
    uploader(tuspy, photo, retries=2).upload()
    is_complete(phone, photo, settings)


def test_tuspy_with_a_wrong_checksum_stores_nothing(
    tuspy: TusClient, phone: Phone, photo: SealedPhoto, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(BaseUploader, "CHECKSUM_ALGORITHM_PAIR", ("sha256", lambda _: hashlib.sha256(b"other")))
        with pytest.raises(TusUploadFailed) as refused:
            uploader(tuspy, photo).upload()
    assert refused.value.status_code == 460 and stored(settings) == []
    uploader(tuspy, photo).upload()
    is_complete(phone, photo, settings)


class TusJs:
    """tus-js-client, a process of its own for each run, with the phone's key."""

    def __init__(self, folder: Path, phone: Phone, proxy: FaultProxy, photo: SealedPhoto) -> None:
        self.folder, self.phone, self.photo = folder, phone, photo
        self.endpoint = proxy.url + PHOTOS
        (folder / "sealed").write_bytes(photo.sealed)

    def run(self, **task: Any) -> dict[str, Any]:
        self.phone.take_anchor()
        return run_script(self.folder, "upload.mjs", {
            "device": self._device(), "endpoint": self.endpoint, "metadata": self.photo.metadata,
            "file": str(self.folder / "sealed"), "chunkSize": PIECE, "retryDelays": None, **task,
        })  # fmt: skip

    def _device(self) -> dict[str, Any]:
        secret = self.phone.signing.private_numbers()
        public = secret.public_numbers
        values = {"d": secret.private_value, "x": public.x, "y": public.y}
        jwk = {"kty": "EC", "crv": "P-256"} | {name: b64u(value.to_bytes(32, "big")) for name, value in values.items()}
        phone = self.phone
        key_id = f"{phone.agency}/{phone.device}"
        return {"jwk": jwk, "keyId": key_id, "authority": phone.authority, "anchor": phone.anchor}


def asked(result: dict[str, Any]) -> list[tuple[str, int | None]]:
    return [(request["method"], request.get("status")) for request in result["requests"]]


@pytest.fixture
def tus_js(tmp_path: Path, phone: Phone, proxy: FaultProxy, photo: SealedPhoto) -> TusJs:
    (folder := tmp_path / "node").mkdir()
    return TusJs(workshop(folder), phone, proxy, photo)


def test_tus_js_uploads(tus_js: TusJs, phone: Phone, photo: SealedPhoto, settings: Settings) -> None:
    result = tus_js.run()
    assert result["outcome"] == "success", result
    assert asked(result) == [("POST", 201), *[("PATCH", 204)] * 3]
    is_complete(phone, photo, settings)


def test_tus_js_goes_on_from_a_stored_url(
    tus_js: TusJs, phone: Phone, photo: SealedPhoto, settings: Settings, proxy: FaultProxy, tmp_path: Path
) -> None:
    """The connection breaks in the second piece, and the client gives up; another run finds the URL and goes on."""
    proxy.spoil(Fault(), "PATCH")
    proxy.spoil(Fault(cut_body_at=100_000), "PATCH")
    urls = str(tmp_path / "urls.json")
    broken = tus_js.run(storage=urls)
    assert broken["outcome"] == "error" and row(phone.agency).received_bytes == PIECE
    result = tus_js.run(storage=urls)
    assert result["outcome"] == "success" and result["url"] == broken["url"], result
    assert asked(result) == [("HEAD", 200), *[("PATCH", 204)] * 2]
    is_complete(phone, photo, settings)


def test_tus_js_retries_by_itself(
    tus_js: TusJs, phone: Phone, photo: SealedPhoto, settings: Settings, proxy: FaultProxy
) -> None:
    proxy.spoil(Fault(drop_reply=True), "POST")
    proxy.spoil(Fault(cut_body_at=5), "PATCH")
    proxy.spoil(Fault(drop_reply=True), "PATCH")
    result = tus_js.run(retryDelays=[0, 0, 0])
    assert result["outcome"] == "success", result
    assert row(phone.agency).received_bytes == len(photo.sealed)
    is_complete(phone, photo, settings)


def test_tus_js_sends_data_with_the_creation(
    tus_js: TusJs, phone: Phone, photo: SealedPhoto, settings: Settings
) -> None:
    result = tus_js.run(duringCreation=True)
    assert result["outcome"] == "success", result
    assert asked(result) == [("POST", 201), *[("PATCH", 204)] * 2]
    is_complete(phone, photo, settings)


def test_tus_js_repeats_a_creation_with_data(
    tus_js: TusJs, phone: Phone, photo: SealedPhoto, settings: Settings, proxy: FaultProxy
) -> None:
    """Its answer was lost, so it creates again; the door tells it where the upload stands by now."""
    proxy.spoil(Fault(drop_reply=True), "POST")
    result = tus_js.run(duringCreation=True, retryDelays=[0])
    assert result["outcome"] == "success", result
    assert asked(result) == [("POST", None), ("POST", 201), *[("PATCH", 204)] * 2]
    is_complete(phone, photo, settings)


def test_tus_js_finds_what_another_client_began(
    tus_js: TusJs, phone: Phone, photo: SealedPhoto, settings: Settings
) -> None:
    """It lost the URL and creates again. Without data it starts at 0, is told 409, asks, and goes on; with data the
    answer tells it."""
    location = tus_js.run(wrongChecksum=True)["url"].split("/phone/")[1]
    assert head(phone, f"/phone/{location}").status_code == 200
    assert send_piece(phone, f"/phone/{location}", 0, photo.sealed[:1_000]).status_code == 204
    result = tus_js.run(retryDelays=[0])
    assert asked(result)[:3] == [("POST", 201), ("PATCH", 409), ("HEAD", 200)]
    assert result["outcome"] == "success", result
    is_complete(phone, photo, settings)


@pytest.mark.parametrize("during_creation", [False, True])
def test_tus_js_with_a_wrong_checksum_stores_nothing(
    tus_js: TusJs, phone: Phone, photo: SealedPhoto, settings: Settings, during_creation: bool
) -> None:
    refused = tus_js.run(wrongChecksum=True, duringCreation=during_creation)
    assert (refused["outcome"], refused["status"]) == ("error", 460)
    assert stored(settings) == [] and row(phone.agency).received_bytes == 0
    assert tus_js.run(duringCreation=during_creation)["outcome"] == "success"
    is_complete(phone, photo, settings)


def test_tus_js_terminates(
    tus_js: TusJs, phone: Phone, photo: SealedPhoto, settings: Settings, proxy: FaultProxy
) -> None:
    proxy.spoil(Fault(), "PATCH")
    proxy.spoil(Fault(cut_body_at=5), "PATCH")
    broken = tus_js.run()
    assert len(stored(settings)) == len(keys(settings)) == 1
    ended = tus_js.run(terminate=broken["url"])
    assert asked(ended) == [("DELETE", 204)]
    assert stored(settings) == keys(settings) == []
    assert tus_js.run()["outcome"] == "success"
    is_complete(phone, photo, settings)
