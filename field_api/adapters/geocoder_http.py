"""How geopy's geocoders reach their services: one host, no redirect, no proxy, bounded answers, nothing in errors.

geopy's own adapters follow redirects, read HTTP_PROXY, take any length, and quote addresses of calls, which hold both
the place and a paid service's key, in their errors and log lines.
"""

from __future__ import annotations

import json
import ssl
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from geopy.adapters import AdapterHTTPError, BaseSyncAdapter
from geopy.exc import GeocoderParseError, GeocoderServiceError, GeocoderTimedOut, GeocoderUnavailable
from geopy.util import logger

logger.disabled = True  # its debug lines are the calls' whole addresses, with the key

MOST_BYTES = 1_000_000
"""Answers have a few kilobytes; whoever sends more is no geocoder, or not well."""
_CHUNK = 65_536


class PlainAdapter(BaseSyncAdapter):
    """One GET per question on a connection of its own. `proxies` is not used: who is asked is who was configured.

    Raises geopy's errors with constant texts.
    """

    def __init__(self, *, proxies: Any = None, ssl_context: ssl.SSLContext | None = None) -> None:
        super().__init__(proxies=None, ssl_context=ssl_context)
        self._tls = ssl_context or _tls()

    def get_json(self, url: str, *, timeout: float, headers: dict[str, str]) -> Any:
        text = self.get_text(url, timeout=timeout, headers=headers)
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            failure = GeocoderParseError("no JSON")
        raise failure

    def get_text(self, url: str, *, timeout: float, headers: dict[str, str]) -> str:
        try:
            status, body, retry_after = self._get(url, timeout, headers)
        except TimeoutError:
            failure: Exception = GeocoderTimedOut("no answer in time")
        except (OSError, HTTPException, ValueError):
            failure = GeocoderUnavailable("cannot be reached")
        except GeocoderServiceError as error:
            failure = type(error)(str(error))
        else:
            if status == 200:
                return body.decode("utf-8", "replace")
            told = {"retry-after": retry_after} if retry_after else {}
            # Without the text: geopy would quote it, and it may quote the call.
            failure = AdapterHTTPError(f"status {status}", status_code=status, headers=told, text="{}")
        raise failure  # out here: its context would be the error whose locals hold the address

    def _get(self, url: str, timeout: float, headers: dict[str, str]) -> tuple[int, bytes, str | None]:
        parts = urlsplit(url)
        connection = self._connection(parts.scheme, parts.hostname or "", parts.port, timeout)
        until = monotonic() + timeout
        try:
            path = f"{parts.path}?{parts.query}" if parts.query else parts.path
            connection.request("GET", path, headers={**headers, "Accept": "application/json", "Connection": "close"})
            response = connection.getresponse()
            return response.status, _bounded(response, until), response.getheader("Retry-After")
        finally:
            connection.close()

    def _connection(self, scheme: str, host: str, port: int | None, timeout: float) -> HTTPConnection:
        if scheme == "https":
            return HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        return HTTPConnection(host, port, timeout=timeout)


@cache
def _tls() -> ssl.SSLContext:
    """The system's authorities, read once."""
    return ssl.create_default_context()


def _bounded(response: HTTPResponse, until: float) -> bytes:
    """The whole body. A service that sends drop by drop has no more time than one that is silent."""
    body = bytearray()
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > MOST_BYTES:
            raise GeocoderServiceError("the answer is too long")
        if monotonic() > until:
            raise TimeoutError
    return bytes(body)
