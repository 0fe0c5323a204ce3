"""Objects in S3, Azure or Google Cloud by obstore: few verbs, bounded time, and no error of the library gets out.

A store is opened at its first use, once per process: what was used before a fork hangs after it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property, lru_cache

import obstore
from obstore import store as stores
from obstore.exceptions import AlreadyExistsError, BaseError

from field_api.platform.store_trouble import store_unavailable
from field_api.platform.store_urls import StoreUrl

PART_BYTES = 5 * 1024 * 1024
"""S3's smallest part. What is larger goes up in parts, so that one that is lost is sent again alone."""
CONNECT_S, CALL_S = 2, 10
RETRIES, RETRY_S = 2, 12
"""A call ends within some 20 s: a phone hangs up after 60, and a thread of the door waits with it."""
LISTS, LIST_CHUNK = 3, 1_000

Opened = stores.S3Store | stores.AzureStore | stores.GCSStore | stores.MemoryStore


class NoObject(LookupError):
    """The store answers, and there is no such object."""


class ObjectStore:
    """Bytes under paths. `name` (office, door) is for log and numbers. All verbs raise StoreUnavailable."""

    def __init__(self, name: str, open_store: Callable[[], Opened]) -> None:
        self._name = name
        self._open = open_store

    @cached_property
    def _store(self) -> Opened:
        return self._open()

    def put_new(self, path: str, body: bytes) -> None:
        """Keep `body` where nothing is. Durable when this returns. What is there already is never overwritten: that is
        StoreUnavailable as well."""
        with self._answers():
            if len(body) > PART_BYTES:
                self._put_parts(path, body)
                return
            try:
                obstore.put(self._store, path, body, mode="create", use_multipart=False)
            except AlreadyExistsError:
                self._refuse_others(path, body)

    def put(self, path: str, body: bytes) -> None:
        """Keep `body`, in place of what is there. Durable when this returns; nobody ever sees a part of it."""
        with self._answers():
            obstore.put(self._store, path, body, use_multipart=len(body) > PART_BYTES, chunk_size=PART_BYTES)

    def get(self, path: str) -> bytes:
        """Raises NoObject."""
        with self._answers():
            try:
                return bytes(obstore.get(self._store, path).bytes())
            except FileNotFoundError:
                self._ask_for_bucket()
        raise NoObject("no such object")

    def sizes(self, prefix: str = "") -> dict[str, int]:
        """Every path below `prefix` with its size in bytes."""
        with self._answers():
            listed = obstore.list(self._store, prefix or None).collect()
        return {str(meta["path"]): int(meta["size"]) for meta in listed}

    def paths(self) -> Iterator[str]:
        """Every path there is, a thousand at a time."""
        with self._answers():
            listed = iter(obstore.list(self._store, chunk_size=LIST_CHUNK))
        while True:
            with self._answers():
                chunk = next(listed, None)
            if chunk is None:
                return
            yield from (str(meta["path"]) for meta in chunk)

    def delete(self, paths: Sequence[str]) -> None:
        """Forget them. An absent one is no error, and keeps no other one from going."""
        with self._answers():
            try:
                if paths:
                    obstore.delete(self._store, list(paths))
            except FileNotFoundError:  # some clouds say so, and stop there
                self._ask_for_bucket()
                for path in paths:
                    self._delete_one(path)

    def delete_below(self, prefix: str) -> None:
        """Forget everything below `prefix`, also what comes while this goes on; gone when this returns."""
        for _ in range(LISTS):
            paths = list(self.sizes(prefix))
            if not paths:
                return
            self.delete(paths)
        raise store_unavailable(self._name, TimeoutError("it took what was deleted for kept"))

    def _put_parts(self, path: str, body: bytes) -> None:
        """No cloud's library here completes parts on a condition: asked before. Whose names are random meets nobody."""
        try:
            obstore.head(self._store, path)
        except FileNotFoundError:
            obstore.put(self._store, path, body, use_multipart=True, chunk_size=PART_BYTES, max_concurrency=4)
        else:
            self._refuse_others(path, body)

    def _refuse_others(self, path: str, body: bytes) -> None:
        """A reply may be lost and the call made again: then what is there is ours. Raises FileExistsError."""
        if bytes(obstore.get(self._store, path).bytes()) != body:
            raise FileExistsError("another object has this name")

    def _ask_for_bucket(self) -> None:
        """S3 answers 404 for an object as for a bucket that is not there. A list tells them apart."""
        next(obstore.list(self._store, chunk_size=1), None)

    def _delete_one(self, path: str) -> None:
        try:
            obstore.delete(self._store, path)
        except FileNotFoundError:
            return

    @contextmanager
    def _answers(self) -> Iterator[None]:
        # Besides its own errors the library raises built-in ones for what they stand for.
        try:
            yield
        except (BaseError, OSError, ValueError) as error:
            raise store_unavailable(self._name, error) from None  # its text quotes requests


def object_store(name: str, url: StoreUrl) -> ObjectStore:
    """This process's store at `url`, the same for every caller: it keeps connections."""
    return _object_store(name, url, os.getpid())


@lru_cache(maxsize=16)
def _object_store(name: str, url: StoreUrl, _process: int) -> ObjectStore:
    return ObjectStore(name, lambda: open_store(url))


def open_store(url: StoreUrl) -> Opened:
    """Credentials, region and account come from the environment or the machine's role, as each cloud has it.

    Raises an error of obstore's where they are not to be had.
    """
    client: stores.ClientConfig = {
        "allow_http": url.allow_http,
        "allow_invalid_certificates": False,  # whatever the environment says
        "connect_timeout": timedelta(seconds=CONNECT_S),
        "timeout": timedelta(seconds=CALL_S),
    }
    retry: stores.RetryConfig = {
        "max_retries": RETRIES,
        "retry_timeout": timedelta(seconds=RETRY_S),
        "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
    }
    prefix = url.prefix or None
    if url.scheme == "s3":
        # The checksum is computed here and compared by the store, so that what was bent on the way is refused.
        own: stores.S3Config = {"checksum_algorithm": "SHA256", "conditional_put": "etag", "skip_signature": False}
        if url.endpoint:
            own["endpoint"] = url.endpoint
        return stores.S3Store(url.bucket, prefix=prefix, config=own, client_options=client, retry_config=retry)
    if url.scheme == "az":
        azure: stores.AzureConfig = {"skip_signature": False, "use_emulator": False}
        if url.endpoint:
            azure["endpoint"] = url.endpoint
        return stores.AzureStore(url.bucket, prefix=prefix, config=azure, client_options=client, retry_config=retry)
    google: stores.GCSConfig = {"skip_signature": False}
    if url.endpoint:
        google["base_url"] = url.endpoint
    return stores.GCSStore(url.bucket, prefix=prefix, config=google, client_options=client, retry_config=retry)
