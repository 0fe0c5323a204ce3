"""The name of an upload, which follows from what it brings."""

from __future__ import annotations

from uuid import UUID

from field_api.platform.sealing import sha256
from field_api.platform.tenancy import current_agency


def upload_id_of(device_id: UUID, digest: bytes) -> UUID:
    """An upload's id follows from agency, device and content, so that creating it again finds it, also after a crash
    between the key's file and the row; and so that the office can name one that has not come yet."""
    seed = b"doorstep-upload-v1\x00" + current_agency().bytes + device_id.bytes + digest
    return UUID(bytes=sha256(seed)[:16], version=4)
