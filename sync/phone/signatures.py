"""HTTP Message Signatures (RFC 9421) in the one form that the door takes (docs/protocol.md §5)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping

from sync.phone.crypto import sha256

COVERED_IF_PRESENT = (
    "content-digest", "content-type", "upload-offset", "upload-length", "upload-metadata", "upload-checksum",
    "tus-resumable",
)  # fmt: skip
TAG = "doorstep-phone-v1"


def content_digest(body: bytes) -> str:
    """RFC 9530."""
    return f"sha-256=:{base64.b64encode(sha256(body)).decode()}:"


def signature_base(lines: list[tuple[str, str]], parameters: str) -> bytes:
    """RFC 9421 §2.5: one line per component, the parameters last."""
    text = [f'"{name}": {value}' for name, value in lines]
    return "\n".join([*text, f'"@signature-params": {parameters}']).encode()


def signed_headers(
    method: str,
    authority: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    *,
    created: int,
    key_id: str,
    nonce: str | None,
    sign: Callable[[bytes], bytes],
) -> dict[str, str]:
    """`Signature-Input` and `Signature` for a request. `query` is without `?`; `headers` has lower-case names."""
    lines = [("@method", method), ("@authority", authority), ("@path", path), ("@query", f"?{query}")]
    lines += [(name, headers[name]) for name in COVERED_IF_PRESENT if name in headers]
    names = " ".join(f'"{name}"' for name, _ in lines)
    anchor = f';nonce="{nonce}"' if nonce else ""
    parameters = f'({names});created={created};keyid="{key_id}";alg="ecdsa-p256-sha256"{anchor};tag="{TAG}"'
    signature = base64.b64encode(sign(signature_base(lines, parameters))).decode()
    return {"signature-input": f"doorstep={parameters}", "signature": f"doorstep=:{signature}:"}
