"""Headers of every response: nothing is framed, sniffed, referred or kept; JSON answers carry an ETag."""

from __future__ import annotations

from flask import Flask, Response, request

# Pages are plain HTML with a stylesheet of their own; nothing may run or load from elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def install_response_headers(app: Flask) -> None:
    @app.after_request
    def add(response: Response) -> Response:
        if request.method in {"GET", "HEAD"} and response.status_code == 200 and response.is_json:
            response.add_etag()
            response.make_conditional(request)
        headers = response.headers
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Referrer-Policy"] = "same-origin"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        headers.setdefault("Cache-Control", "no-store")
        if request.is_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        return response
