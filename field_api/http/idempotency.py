"""Idempotency-Key on POST: the answer is stored in the transaction that does the work; a repeat is answered, not done.

Two at once: the second waits on the unique key until the first committed, then gets its answer; if the first rolled
back, the second does the work. A refusal stores nothing: repeating it asks again. Keys live as long as their rows.
Stored answers are sealed and requests fingerprinted under the agency's key: they may hold a name or a password.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable
from typing import IO, Any, cast

from flask import Response, after_this_request, g, request
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from field_api.http.permits import Actor
from field_api.platform import sealing
from field_api.platform.database import joint_transaction
from field_api.platform.ids import new_id
from field_api.platform.problems import Problem
from field_api.platform.wiring import office_keys
from field_api.records.staff import IdempotencyKey

HEADER = "Idempotency-Key"
_PLACE = "idempotency_key"
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_BLOCK_BYTES = 64 * 1024
_SPOOL_BYTES = 1024 * 1024  # larger raw bodies wait on disk while they are hashed
_MAX_ANSWER_BYTES = 1024 * 1024


class _Refused(Exception):
    """The view answered with an error document: undo everything, its key included, and still send the answer."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def answered_once(do: Callable[[], Response], *, may_store: bool) -> Response:
    """Run `do`, or give the stored answer of the same actor's earlier POST with the same key and content.

    Raises Problem `idempotency-mismatch` where the key came with other content, `bad-request` for a malformed key or
    where this route's answers must not be stored.
    """
    key = request.headers.get(HEADER)
    actor: Actor | None = g.get("actor")
    if key is None or request.method != "POST" or actor is None:
        return do()
    if not _KEY.fullmatch(key):
        raise Problem("bad-request", "1 to 200 printable ASCII characters without spaces", at=HEADER)
    if not may_store:
        raise Problem("bad-request", "the answer holds a secret shown once and cannot be stored", at=HEADER)
    content = office_keys().of(actor.agency_id).fingerprint(_PLACE, _request_sha256())
    route = f"{request.method} {request.path}"
    try:
        with joint_transaction(actor.agency_id) as session:
            if not _claim(session, actor, route, key, content):
                return _stored(session, actor, route, key, content)
            response = do()
            if response.status_code >= 400:
                raise _Refused(response)
            _store(session, actor, route, key, response)
            return response
    except _Refused as refused:
        return refused.response


def _claim(session: Session, actor: Actor, route: str, key: str, content: bytes) -> bool:
    """Insert the key; waits for another transaction that holds it. False if its answer is there already."""
    statement = (
        insert(IdempotencyKey)
        .values(
            agency_id=actor.agency_id,
            id=new_id(),
            actor_id=actor.id,
            route=route,
            key=key,
            request_sha256=content,
            status=0,
            body=b"",
        )
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.id)
    )
    return session.execute(statement).scalar() is not None


def _stored(session: Session, actor: Actor, route: str, key: str, content: bytes) -> Response:
    row = session.scalars(select(IdempotencyKey).where(*_of(actor, route, key))).one()
    if not sealing.same(row.request_sha256, content):
        raise Problem("idempotency-mismatch", "this key came with another request before", at=HEADER)
    mimetype, _, body = office_keys().of(actor.agency_id).open_at_rest(_PLACE, row.body).partition(b"\n")
    response = Response(body, status=row.status, mimetype=mimetype.decode())
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _store(session: Session, actor: Actor, route: str, key: str, response: Response) -> None:
    if response.direct_passthrough or response.is_streamed:
        raise RuntimeError("a streamed answer cannot be stored under an Idempotency-Key")
    body = response.get_data()
    if len(body) > _MAX_ANSWER_BYTES:
        raise RuntimeError("an answer is too large for an Idempotency-Key")
    answer = (response.mimetype or "").encode() + b"\n" + body
    session.execute(
        update(IdempotencyKey)
        .where(*_of(actor, route, key))
        .values(status=response.status_code, body=office_keys().of(actor.agency_id).seal_at_rest(_PLACE, answer))
    )


def _of(actor: Actor, route: str, key: str) -> tuple[Any, ...]:
    return IdempotencyKey.actor_id == actor.id, IdempotencyKey.route == route, IdempotencyKey.key == key


def _request_sha256() -> bytes:
    """What makes two requests the same: query and content. A multipart boundary, new each time, does not count."""
    digest = hashlib.sha256()
    _add(digest, request.query_string)
    if request.mimetype == "multipart/form-data":
        for name, value in request.form.items(multi=True):
            _add(digest, b"field", name.encode(), value.encode())
        for name, file in request.files.items(multi=True):
            _add(digest, b"file", name.encode(), (file.filename or "").encode(), _file_sha256(file))
    elif request.is_json or request.mimetype == "application/x-www-form-urlencoded":
        _add(digest, request.get_data())
    else:
        _add(digest, _raw_sha256())
    return digest.digest()


def _add(digest: Any, *parts: bytes) -> None:
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)


def _file_sha256(file: FileStorage) -> bytes:
    result = hashlib.file_digest(cast(Any, file.stream), "sha256").digest()
    file.stream.seek(0)
    return result


def _raw_sha256() -> bytes:
    """Hash a raw body and put a rewound copy in its place, for the view to read as if nothing had happened."""
    # Closed once the request is answered; a context manager would close it before the view reads it.
    spool = cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES))  # noqa: SIM115
    digest = hashlib.sha256()
    while block := request.stream.read(_BLOCK_BYTES):
        digest.update(block)
        spool.write(block)
    spool.seek(0)
    request.__dict__["stream"] = spool

    @after_this_request
    def close(response: Response) -> Response:
        spool.close()
        return response

    return digest.digest()
