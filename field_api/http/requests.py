"""The office's request class: JSON comes through the bounded parser and no other way."""

from __future__ import annotations

from typing import Any

from flask import Request

from field_api.platform import bounded_json
from field_api.platform.problems import Problem

MAX_JSON_BYTES = 4 * 1024 * 1024


class BoundedRequest(Request):
    """`get_json` refuses duplicate keys, NaN, deep nesting, unstorable text and bodies above MAX_JSON_BYTES."""

    def get_json(self, force: bool = False, silent: bool = False, cache: bool = True) -> Any:
        """The parsed body. Raises Problem `media-type`, `too-large` or `invalid-json`; with `silent`, None instead."""
        try:
            return self._bounded_json(force)
        except Problem:
            if silent:
                return None
            raise

    def _bounded_json(self, force: bool) -> Any:
        if not (force or self.is_json):
            raise Problem("media-type", "application/json is expected")
        if "doorstep.json" not in self.environ:
            if (self.content_length or 0) > MAX_JSON_BYTES:
                raise Problem("too-large", f"JSON is limited to {MAX_JSON_BYTES} bytes")
            try:
                self.environ["doorstep.json"] = bounded_json.loads(self.get_data(), max_bytes=MAX_JSON_BYTES)
            except bounded_json.BadJson as error:
                raise Problem("invalid-json", str(error)) from error
        return self.environ["doorstep.json"]
