"""What an operation may answer with: each body's media type, and either its schema or the labels it may hold.

`@blueprint.response` declares JSON and empty answers; `@sends` the rest: pages, PDFs, pictures, JSON outside the API.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from field_api.domain.disclosure import Label
from field_api.http.schemas.labelled import Schema

View = TypeVar("View", bound=Callable[..., Any])

JSON = "application/json"
PDF = "application/pdf"
JPEG = "image/jpeg"
HTML = "text/html"
CSS = "text/css"
BYTES = "application/octet-stream"


@dataclass(frozen=True)
class Body:
    """One kind of answer. `mimetype` None: without a body. JSON is walked against `schema`; what is not JSON has
    `labels`, the most that it may hold, and where it is downloaded the one `name` that it has. `as_it_came`: a file of
    somebody else's, with whatever is in it: only ever an attachment."""

    mimetype: str | None
    schema: Any = None  # an instance of Schema, with `many` where it is a list
    labels: frozenset[Label] = frozenset()
    name: str | None = None
    as_it_came: bool = False


EMPTY = Body(None)


def sends(
    mimetype: str,
    *labels: Label,
    schema: type[Schema] | None = None,
    name: str | None = None,
    as_it_came: bool = False,
) -> Callable[[View], View]:
    """Declare one more body of this view. A download's `name` is a constant that says nothing."""
    body = Body(mimetype, schema() if schema else None, frozenset(labels), name, as_it_came)

    def mark(view: View) -> View:
        view.doorstep_bodies = (*getattr(view, "doorstep_bodies", ()), body)  # type: ignore[attr-defined]  # as permits
        return view

    return mark


def bodies_of(view: Any) -> tuple[Body, ...]:
    """Everything that the view declared, by either decorator."""
    return (*getattr(view, "doorstep_bodies", ()), *_documented(view))


def _documented(view: Any) -> Iterator[Body]:
    for status, documents in getattr(view, "_apidoc", {}).get("response", {}).get("responses", {}).items():
        for document in documents:
            if int(status) >= 300 or document.get("content_type") not in (None, JSON):
                continue  # problems have one schema for all; other media types are declared by `sends`
            schema = document.get("schema")
            yield EMPTY if schema is None else Body(JSON, schema)


def requests_of(view: Any) -> Iterator[tuple[str, Any]]:
    """Where the view takes something from (`query`, `json`, `files`), with the schema of it."""
    for parameter in getattr(view, "_apidoc", {}).get("arguments", {}).get("parameters", []):
        if isinstance(parameter, dict) and "schema" in parameter:
            schema = parameter["schema"]
            yield parameter["in"], schema() if isinstance(schema, type) else schema
