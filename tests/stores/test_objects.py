"""One contract for every store of the office's objects, and what each adds: sealed, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import stat
import time
from base64 import b64encode
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import obstore
import pytest
from obstore.store import MemoryStore

from field_api.adapters.objects_cloud import CloudObjects
from field_api.adapters.objects_local import LocalObjects
from field_api.domain.ports import ObjectAbsent, Objects
from field_api.platform.clock import SystemClock
from field_api.platform.create_keys import create_agency_keys
from field_api.platform.ids import new_id
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.object_stores import PART_BYTES, ObjectStore, open_store
from field_api.platform.sealing import Unsealable
from field_api.platform.store_trouble import StoreUnavailable
from field_api.platform.store_urls import StoreUrl
from field_api.platform.tenancy import acting_for
from tests.fake_objects import MemoryObjects
from tests.seaweed import Seaweed

pytest_plugins = ["tests.store_fixtures"]
S3 = pytest.mark.xdist_group("stores")

AGENCY, OTHER = new_id(), new_id()


@pytest.fixture
def keyring(tmp_path: Path) -> OfficeKeyring:
    for agency in (AGENCY, OTHER):
        create_agency_keys(tmp_path, agency, SystemClock().now())
    return OfficeKeyring(tmp_path / "keys" / "office")


@pytest.fixture
def local(tmp_path: Path, keyring: OfficeKeyring) -> LocalObjects:
    return LocalObjects(tmp_path / "objects", keyring)


@pytest.fixture
def in_s3(s3: Seaweed, keyring: OfficeKeyring) -> tuple[CloudObjects, Seaweed, str]:
    """The adapter, the server, and the prefix of this test."""
    prefix = f"office/{new_id().hex}"
    url = StoreUrl("s3", "photos", prefix, s3.endpoint, allow_http=True)
    return CloudObjects(ObjectStore("office", lambda: open_store(url)), keyring), s3, prefix


@pytest.fixture(params=["local", "fake", "memory", pytest.param("s3", marks=S3)])
def store(request: pytest.FixtureRequest, keyring: OfficeKeyring) -> Objects:
    if request.param == "local":
        return request.getfixturevalue("local")
    if request.param == "s3":
        return request.getfixturevalue("in_s3")[0]
    memory = MemoryStore()
    return MemoryObjects() if request.param == "fake" else CloudObjects(ObjectStore("office", lambda: memory), keyring)


@pytest.mark.parametrize(
    "body",
    [b"", b"x", bytes(range(256)) * 1_172, os.urandom(2 * PART_BYTES + 1)],
    ids=["empty", "short", "long", "parts"],
)
def test_what_was_put_comes_back(store: Objects, body: bytes) -> None:
    with acting_for(AGENCY):
        assert store.get(store.put(body)) == body


def test_equal_bodies_are_objects_of_their_own(store: Objects) -> None:
    with acting_for(AGENCY):
        first, second = store.put(b"same"), store.put(b"same")
        store.delete(first)
        assert first != second and store.get(second) == b"same"


@pytest.mark.parametrize("key", ["0" * 32, "", "../../etc/passwd", "nul\0", "A" * 32])
def test_a_key_that_names_nothing_is_absent(store: Objects, key: str) -> None:
    with acting_for(AGENCY), pytest.raises(ObjectAbsent):
        store.get(key)


def test_deleting_twice_is_deleting(store: Objects) -> None:
    with acting_for(AGENCY):
        key = store.put(b"gone")
        store.delete(key)
        store.delete(key)
        with pytest.raises(ObjectAbsent):
            store.get(key)


def test_another_agency_does_not_get_it(store: Objects) -> None:
    with acting_for(AGENCY):
        key = store.put(b"ours")
    with acting_for(OTHER), pytest.raises(ObjectAbsent):
        store.get(key)


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_the_disk_holds_sealed_bytes_for_the_owner_alone(local: LocalObjects, tmp_path: Path) -> None:
    with acting_for(AGENCY):
        local.put(b"a balance of 1,234.56")
    [path] = _files(tmp_path / "objects")
    assert b"1,234.56" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0 and path.parent.stat().st_mode & 0o077 == 0


def test_swapped_or_altered_bytes_do_not_open(local: LocalObjects, tmp_path: Path) -> None:
    with acting_for(AGENCY):
        first, second = local.put(b"first"), local.put(b"second")
        one, two = (next((tmp_path / "objects").rglob(key)) for key in (first, second))
        one.write_bytes(two.read_bytes())
        two.write_bytes(two.read_bytes()[:-1] + b"\0")
        for key in (first, second):
            with pytest.raises(Unsealable):
                local.get(key)


@pytest.mark.parametrize("of", ["file", "directory"])
def test_a_write_that_fails_leaves_nothing(local: LocalObjects, tmp_path: Path, monkeypatch, of: str) -> None:
    synced = os.fsync

    def full(descriptor: int) -> None:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) == (of == "file"):
            raise OSError(28, "No space left on device")
        synced(descriptor)

    monkeypatch.setattr("field_api.adapters.objects_local.new_key", lambda: "ab" + secrets.token_hex(15))
    with acting_for(AGENCY):
        local.put(b"directories are there")
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(StoreUnavailable):
            local.put(b"never whole")
    assert len(_files(tmp_path / "objects")) == 1


@S3
def test_the_bucket_holds_sealed_bytes_under_names_that_tell_nothing(in_s3: tuple[CloudObjects, Seaweed, str]) -> None:
    objects, server, prefix = in_s3
    with acting_for(AGENCY):
        key = objects.put(b"a balance of 1,234.56")
    assert list(server.bodies(prefix)) == [f"{AGENCY}/{key[:2]}/{key}"]
    assert b"1,234.56" not in b"".join(server.bodies(prefix).values())


@S3
@pytest.mark.parametrize("size", [100, 2 * PART_BYTES], ids=["whole", "parts"])
def test_what_the_bucket_holds_is_never_overwritten_and_a_repeated_call_is_no_other(
    in_s3: tuple[CloudObjects, Seaweed, str], size: int
) -> None:
    _, server, prefix = in_s3
    url = StoreUrl("s3", "photos", prefix, server.endpoint, allow_http=True)
    store, body = ObjectStore("office", lambda: open_store(url)), os.urandom(size)
    store.put_new("taken", body)
    store.put_new("taken", body)  # its answer was lost, and it was called again
    with pytest.raises(StoreUnavailable):
        store.put_new("taken", os.urandom(size))
    assert server.bodies(prefix) == {"taken": body}


def test_the_store_is_told_checksum_and_condition(keyring: OfficeKeyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """It compares the bytes that came with it, and refuses a name that is taken: shown by what goes over the wire."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    told = {}

    class Listener(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.update(self.headers, body=body)
            self.send_response(200)
            self.send_header("ETag", '"1"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = StoreUrl("s3", "photos", "", f"http://127.0.0.1:{server.server_port}", allow_http=True)
        with acting_for(AGENCY):
            CloudObjects(ObjectStore("office", lambda: open_store(url)), keyring).put(b"counted")
        server.shutdown()
    headers = {name.lower(): value for name, value in told.items()}
    assert headers["x-amz-checksum-sha256"] == b64encode(hashlib.sha256(told["body"]).digest()).decode()
    assert headers["if-none-match"] == "*"
    assert "/eu-west-3/s3/" in headers["authorization"], "region and credentials are the environment's"
    assert b"counted" not in told["body"]


@S3
def test_altered_and_swapped_bytes_in_the_bucket_do_not_open_and_missing_ones_are_absent(
    in_s3: tuple[CloudObjects, Seaweed, str],
) -> None:
    objects, server, prefix = in_s3
    with acting_for(AGENCY):
        first, second, third = objects.put(b"first"), objects.put(b"second"), objects.put(b"third")
        bucket, bodies = server.open(prefix), server.bodies(prefix)
        one, two, three = (f"{AGENCY}/{key[:2]}/{key}" for key in (first, second, third))
        obstore.put(bucket, one, bodies[two])
        obstore.put(bucket, two, bytes([bodies[two][0] ^ 1]) + bodies[two][1:])
        obstore.delete(bucket, three)
        for key in (first, second):
            with pytest.raises(Unsealable):
                objects.get(key)
        with pytest.raises(ObjectAbsent):
            objects.get(third)


@S3
@pytest.mark.parametrize("trouble", ["nobody-listens", "wrong-secret", "no-bucket", "no-credentials"])
def test_a_store_that_is_away_or_refuses_says_nothing_of_an_object(
    s3: Seaweed, keyring: OfficeKeyring, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """S3 answers 404 for a bucket that is not there as for an object: nothing may be given up for a typing error."""
    url = StoreUrl("s3", "photos", "", s3.endpoint, allow_http=True)
    if trouble == "nobody-listens":
        url = replace(url, endpoint="http://127.0.0.1:9")
    elif trouble == "no-bucket":
        url = replace(url, bucket="no-such-bucket")
    else:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong" if trouble == "wrong-secret" else "")
    objects = CloudObjects(ObjectStore("office", lambda: open_store(url)), keyring)
    key, began = "0" * 32, time.monotonic()
    with acting_for(AGENCY):
        for call in (lambda: objects.put(b"x"), lambda: objects.get(key), lambda: objects.delete(key)):
            with pytest.raises(StoreUnavailable) as refused:
                call()
            assert refused.value.headers["Retry-After"] and "127.0.0.1" not in str(refused.value.__dict__)
    assert time.monotonic() - began < 30


@pytest.mark.prove
def test_a_store_that_takes_calls_and_never_answers_is_given_up_in_time(
    keyring: OfficeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A phone hangs up after 60 s, and a thread of the door waits with it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = StoreUrl("s3", "photos", "", f"http://127.0.0.1:{silent.getsockname()[1]}", allow_http=True)
        objects = CloudObjects(ObjectStore("office", lambda: open_store(url)), keyring)
        for call in (lambda: objects.put(b"x"), lambda: objects.get("0" * 32)):
            began = time.monotonic()
            with acting_for(AGENCY), pytest.raises(StoreUnavailable):
                call()
            assert time.monotonic() - began < 40
