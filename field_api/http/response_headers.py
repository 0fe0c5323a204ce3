"""Headers of every response: nothing is framed, sniffed, referred or kept; JSON answers carry an ETag."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Flask, Response, request

# Pages are plain HTML with a stylesheet of their own; nothing may run or load from elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
OF_PICTURES = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
"""Instead of the two above, for what came from a phone: opened by itself it runs nothing, loads nothing, tells nobody
the address that it came from."""
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp", "image/avif", "image/heic", "application/octet-stream"})
"""The media types of what came from a phone, and no other answer's."""
KEPT_AN_HOUR = "public, max-age=3600"
"""For answers that say nothing about anybody, and for no other (the gate)."""
STRICT_TRANSPORT = "max-age=31536000"


def install_response_headers(app: Flask) -> None:
    @app.after_request
    def add(response: Response) -> Response:
        asked = request.method in {"GET", "HEAD"} and response.status_code == 200 and response.is_json
        # A version that a view said itself is for If-Match: names and addresses may be others without a new one.
        if asked and "ETag" not in response.headers:
            response.add_etag()
            response.make_conditional(request)
        if response.status_code == HTTPStatus.NO_CONTENT:
            response.set_data(b"")  # flask-smorest writes `null`
        if response.location is not None:
            _keep_inside(response)
        return with_headers(response)


def with_headers(response: Response) -> Response:
    response.headers.update(ALWAYS | OF_PICTURES if response.mimetype in PICTURES else ALWAYS)
    if response.headers.get("Cache-Control") != KEPT_AN_HOUR:
        response.headers["Cache-Control"] = "no-store"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = STRICT_TRANSPORT
    return response


def _keep_inside(response: Response) -> None:
    """Werkzeug writes the requested host into a redirect to the path with a slash; and a page that nobody reads."""
    where = urlsplit(response.location)
    if where.netloc == request.host:
        response.location = where._replace(scheme="", netloc="").geturl()
    response.set_data(b"")
