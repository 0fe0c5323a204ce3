"""The office's HTTP side: `register(app)` puts every route of the office into an application."""

from field_api.http.office import register

__all__ = ["register"]
