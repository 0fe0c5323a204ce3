"""The office's applications: with routes, and without for jobs and commands. The door's is in `doorstep.door`."""

from __future__ import annotations

from flask import Flask, request

import media.office.http
import media.office.pages
import sync.office.http
from doorstep.bare import bare_app
from doorstep.panels import PANELS
from doorstep.planning import planning_parts, refuse_unsafe_travel
from field_api.adapters import typst_worker
from field_api.adapters.objects import office_objects
from field_api.adapters.typst_papers import TypstPapers
from field_api.http import chase_page, paper_page, register
from field_api.http.panels import add_pages, add_panels
from field_api.platform.columns import use_office_keyring
from field_api.platform.egress import OutletKind, check_declared
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.measured import BOARD, measure_calls
from field_api.platform.metrics import OF_THE_OFFICE, OF_THE_WORKER, OFFICE_CALLS, Board
from field_api.platform.restore_journal import RestoreJournal
from field_api.platform.settings import Settings
from sync.office.heard import agents_heard


def worker_app(settings: Settings) -> Flask:
    """The office's keys and database without routes: for jobs and commands. Raises UndeclaredOutlet."""
    app = bare_app("doorstep.worker", settings)
    app.extensions[BOARD] = Board(OF_THE_WORKER, processes=1)
    keyring = OfficeKeyring(settings.office_keys)
    use_office_keyring(keyring)
    app.extensions["doorstep.office_keys"] = keyring
    app.extensions["doorstep.objects"] = office_objects(settings, keyring)
    if settings.journal:
        app.extensions["doorstep.journal"] = RestoreJournal(settings.journal)
    refuse_unsafe_travel()
    app.extensions["doorstep.planning"] = planning_parts
    app.extensions["doorstep.heard"] = agents_heard
    app.extensions["doorstep.papers"] = TypstPapers()
    check_declared((OutletKind.TEMPLATE, name) for name in typst_worker.NAMES)
    return app


def office_app(settings: Settings) -> Flask:
    """The office inside: API, sign-in and console, on the worker's keys and database."""
    app = worker_app(settings)
    measure_calls(app, Board(OF_THE_OFFICE), OFFICE_CALLS, _read_or_write)
    register(
        app, more=(media.office.http.blueprint, *sync.office.http.BLUEPRINTS), pages=(media.office.pages.blueprint,)
    )
    add_panels(app, PANELS)
    add_pages(app, (*chase_page.LINKS, *paper_page.LINKS, *media.office.pages.LINKS))
    return app


def _read_or_write() -> str:
    return "read" if request.method in ("GET", "HEAD", "OPTIONS") else "write"
