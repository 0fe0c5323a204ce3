"""Which store a setting names, what refuses to start, and what each process is told of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from obstore.store import AzureStore, GCSStore, S3Store

from doorstep.installation import Installation
from doorstep.serve import parts_of
from doorstep.server import Server
from field_api.platform.object_stores import open_store
from field_api.platform.settings import settings_from
from field_api.platform.store_urls import StoreUrl, StoreUrls, UnsafeStore, store_urls_from

OFFICE, DOOR, HTTP = "DOORSTEP_OFFICE_OBJECTS", "DOORSTEP_DOOR_OBJECTS", "DOORSTEP_OBJECTS_ALLOW_HTTP"


def test_without_a_setting_objects_lie_below_the_home_directory() -> None:
    assert store_urls_from({}) == store_urls_from({OFFICE: "", DOOR: ""}) == StoreUrls(None, None)


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        ("s3://photos", S3Store, ("photos", None)),
        ("s3://photos/a/b-1/", S3Store, ("photos", "a/b-1")),
        ("az://photos/door", AzureStore, ("photos", "door")),
        ("gs://photos.example/door", GCSStore, ("photos.example", "door")),
    ],
)
def test_an_address_opens_its_clouds_store(
    text: str, kind: type, told: tuple[str, str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "made-up", "AWS_SECRET_ACCESS_KEY": "made-up",
        "AZURE_STORAGE_ACCOUNT_NAME": "madeup", "AZURE_STORAGE_ACCOUNT_KEY": "bWFkZSB1cA==",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    url = store_urls_from({DOOR: text}).door
    assert url is not None
    store = open_store(url)
    assert isinstance(store, kind)
    bucket = store.config.get("bucket") or store.config.get("container_name")
    assert (bucket, str(store.prefix) if store.prefix else None) == told
    assert store.client_options is not None and store.client_options["allow_http"] in (False, "false")


@pytest.mark.parametrize(
    "text",
    [
        "s3://key:secret@photos/door",
        "s3://photos@host/door",
        "s3://photos/door?access_key=secret",
        "s3://photos/door#secret",
        "s3://photos:9000/door",
        "s3://photos/../other",
        "s3://photos/a//b",
        "s3://photos/a b",
        "s3://",
        "s3:/photos",
        "photos",
        "file:///var/secret",
        "http://photos.internal/secret",
        "s3://[secret",
    ],
)
def test_an_address_that_is_unsafe_or_none_refuses_to_start_and_is_not_repeated(text: str) -> None:
    with pytest.raises(UnsafeStore, match=DOOR) as refused:
        settings_from({"DOORSTEP_DATABASE_URL": "postgresql+psycopg://door@db/x", DOOR: text})
    assert "secret" not in str(refused.value)
    with pytest.raises(UnsafeStore):
        Installation.from_environment({DOOR: text})


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"])
def test_an_endpoint_without_tls_needs_the_explicit_word(name: str) -> None:
    plain = {DOOR: "s3://photos/door", name: "http://10.0.0.7:9000"}
    with pytest.raises(UnsafeStore, match=HTTP):
        store_urls_from(plain)
    with pytest.raises(UnsafeStore, match=HTTP):
        store_urls_from({**plain, "AWS_ALLOW_HTTP": "true"})
    url = store_urls_from({**plain, HTTP: "1"}).door
    assert url == StoreUrl("s3", "photos", "door", "http://10.0.0.7:9000", allow_http=True)
    for bad in ("https://key:secret@10.0.0.7", "ftp://10.0.0.7", "10.0.0.7:9000"):
        with pytest.raises(UnsafeStore) as refused:
            store_urls_from({**plain, HTTP: "1", name: bad})
        assert "secret" not in str(refused.value)
    assert store_urls_from({**plain, name: "https://s3.internal"}).door is not None


@pytest.mark.parametrize(
    ("office", "door", "fine"),
    [
        ("s3://one/office", "s3://one/door", True),
        ("s3://one/door", "s3://two/door", True),
        ("s3://one/objects", "s3://one/objects-of-door", True),
        ("s3://one/door", "s3://one/door", False),
        ("s3://one", "s3://one/door", False),
        ("s3://one/a/b", "s3://one/a", False),
    ],
)
def test_one_store_never_lies_in_the_other(office: str, door: str, fine: bool) -> None:
    if fine:
        assert store_urls_from({OFFICE: office, DOOR: door}).office is not None
        return
    with pytest.raises(UnsafeStore, match="in one another"):
        store_urls_from({OFFICE: office, DOOR: door})


def test_the_doors_process_is_told_its_own_store_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = {"DOORSTEP_HOME": str(tmp_path), OFFICE: "s3://one/office", DOOR: "s3://one/door", HTTP: "1"}
    names["AWS_ENDPOINT_URL"] = "http://127.0.0.1:9"
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    server = Server(5432, tmp_path)
    told = {part.name: part.environment for part in parts_of(Installation.from_environment(os.environ), server)}
    assert OFFICE not in told["door"]
    assert {part: told[part][OFFICE] for part in ("office", "worker")} == dict.fromkeys(
        ("office", "worker"), "s3://one/office"
    )
    assert {part[DOOR] for part in told.values()} == {"s3://one/door"}
    for environment in told.values():
        read = store_urls_from(environment)
        assert read.door is not None and read.door.allow_http and read.door.endpoint == "http://127.0.0.1:9"


def test_a_process_with_directories_loads_no_clouds_library() -> None:
    code = "import sys, doorstep.door, doorstep.app; sys.exit('obstore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
