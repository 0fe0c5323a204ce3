"""Every outlet that the code has is declared, with its audience; what is declared is really there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

import doorstep.app
import doorstep.door
import doorstep.worker
import media.office.work
import media.stores
import sync.office.work
from doorstep.cli import COMMANDS
from field_api.adapters import typst_worker
from field_api.domain.disclosure import Audience, Label
from field_api.platform.egress import (
    Closed,
    OutletKind,
    UndeclaredOutlet,
    check_declared,
    outlet,
    outlets,
    shape_labels,
)
from field_api.platform.log_events import ALWAYS, EVENTS
from field_api.queries import visit_export
from sync.office import item_outlets
from sync.office.contents import _CONTENT_OF_CHANGE

ROOT = Path(__file__).parents[2]
FOLDERS = ("doorstep", "field_api", "sync", "media")
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "log", "msg"}


def trees() -> Iterator[tuple[Path, ast.Module]]:
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            yield path, ast.parse(path.read_text())


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    """Calls of `log.LEVEL(...)` and `structlog.get_logger().LEVEL(...)`, with the place."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
                owner = ast.unparse(node.func.value)
                if owner in {"log", "logger", "structlog.get_logger()"}:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_log_call_names_an_event_of_the_catalogue_and_fields_that_it_lists() -> None:
    """What is not listed would be dropped: "who looked at the photograph" was, and nobody noticed."""
    wrong, seen = [], set()
    for place, call in log_calls():
        event = call.args[1 if call.func.attr == "log" else 0]
        if not (isinstance(event, ast.Constant) and event.value in EVENTS):
            wrong.append(f"{place}: {ast.unparse(event)}")
            continue
        seen.add(event.value)
        fields = {keyword.arg for keyword in call.keywords}
        wrong += [f"{place}: {event.value} {field}" for field in fields - EVENTS[event.value] - ALWAYS]
    assert wrong == []
    assert seen == set(EVENTS) - {"unnamed"}, "an event of the catalogue that nobody writes"


def test_nobody_writes_to_the_log_or_to_standard_error_beside_the_catalogue() -> None:
    beside = []
    allowed = {
        "field_api/platform/log.py",
        "field_api/platform/crash.py",
        "doorstep/commands/export.py",  # rows to standard output, on request
    }
    for path, tree in trees():
        name = str(path.relative_to(ROOT))
        for node in ast.walk(tree):
            used = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if used in {"sys.stderr", "sys.stdout", "logging.getLogger", "traceback.print_exc"} and name not in allowed:
                beside.append(f"{name}:{node.lineno} {used}")
    # The two processes that decode what strangers made speak to their parents over standard output, and to nobody else.
    decoders = ("media/sandbox/", "field_api/adapters/xlsx_reader.py", "field_api/adapters/typst_worker.py")
    assert [place for place in beside if not place.startswith(decoders)] == []


def test_log_events_are_for_machines_and_carry_internal_fields_alone() -> None:
    declared = {way.name: way for way in outlets(OutletKind.LOG_EVENT)}
    assert set(declared) == set(EVENTS)
    for way in declared.values():
        assert way.audiences == {Audience.MACHINE}
        assert {label for _, label in shape_labels(way.shape)} <= {Label.INTERNAL}


def test_every_unit_of_the_workers_round_is_a_declared_job() -> None:
    """Collected from the code, not from the table: a unit that was forgotten there is found here."""
    found = set(doorstep.worker.steps())
    for module in (sync.office.work, media.office.work):
        for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"^(?:sync|media)\.[a-z]+$", node.value))
    assert found == {way.name for way in outlets(OutletKind.JOB)}
    for name in found:
        assert outlet(OutletKind.JOB, name).audiences <= {Audience.OFFICE_JOB, Audience.MACHINE}


PARTS = {"common", "blocks", "brand", "windows", "house"}
"""Files that lay out nothing by themselves."""


def test_every_template_is_declared_and_no_sheet_or_card_may_get_a_secret() -> None:
    files = {path.stem for path in typst_worker.TEMPLATES.glob("*.typ")}
    parts = {stem for stem in files if stem.endswith(("_body", "_page")) or stem in PARTS}
    assert files - parts == set(typst_worker.NAMES)
    check_declared((OutletKind.TEMPLATE, name) for name in typst_worker.NAMES)
    for name in ("sheet", "legend", "letter.address_page"):
        assert outlet(OutletKind.TEMPLATE, name).labels <= {Label.OPEN, Label.PLACE, Label.INTERNAL}
    assert outlet(OutletKind.TEMPLATE, "letter.address_page").audiences == {Audience.THIRD_PARTY}


def test_every_kind_of_feed_item_is_declared_and_its_open_part_holds_nothing_secret() -> None:
    kinds = set(_CONTENT_OF_CHANGE.values())
    assert kinds == {way.name for way in outlets(OutletKind.FEED_ITEM)} - {item_outlets.BRIEF.name}
    for kind in kinds:
        labels = {label for _, label in shape_labels(outlet(OutletKind.FEED_ITEM, kind).shape)}
        assert labels <= {Label.OPEN, Label.PLACE, Label.INTERNAL}
    assert item_outlets.BRIEF.audiences == {Audience.ENTITLED_PARTY}


def test_every_export_is_declared() -> None:
    """A function of queries that streams rows to a file is an export: `..._rows` modules and the audit log."""
    written = {
        path.stem for path, tree in trees() if path.parts[-2] == "commands" for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"write_table", "write_csv"}
    }  # fmt: skip
    assert written == {"export"}, "a new export: declare it as an outlet"
    assert outlet(OutletKind.EXPORT, "visits") == visit_export.EXPORT
    assert [place for place, _ in shape_labels(visit_export.EXPORT.shape)] == list(visit_export.COLUMNS)


def test_a_metric_has_closed_labels_and_its_values_are_numbers() -> None:
    declared = outlets(OutletKind.METRIC)
    assert {way.name for way in declared} >= {
        "doorstep_door_call_seconds",
        "doorstep_phones",
        "doorstep_verdicts_total",
    }
    for way in declared:
        assert way.audiences == {Audience.MACHINE} and isinstance(way.shape, dict)
        assert set(way.shape) <= {"kind", "status", "step", "verdict", "store", "flaw", "value"}
        assert all(isinstance(form, Closed) and not form.form.fullmatch(str(uuid4())) for form in way.shape.values())


def test_no_mail_is_sent_and_no_metric_served_undeclared() -> None:
    """There is no mail yet, and metrics are our own; whoever brings one in has to declare it here."""
    assert outlets(OutletKind.EMAIL) == []
    brought_in = [
        f"{path.relative_to(ROOT)}: {ast.unparse(node)}" for path, tree in trees() for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and re.search(r"\b(smtplib|email\.mime|prometheus_client|opentelemetry|statsd|sentry_sdk)\b", ast.unparse(node))
    ]  # fmt: skip
    assert brought_in == []


def test_object_names_are_declared_for_machines() -> None:
    names = {way.name: way.audiences for way in outlets(OutletKind.OBJECT_KEY)}
    assert names == {name: {Audience.MACHINE} for name in ("office", "uploads", "photo-keys")}


@pytest.mark.parametrize("kind", list(OutletKind))
def test_an_outlet_that_nobody_declared_stops_a_start(kind: OutletKind) -> None:
    with pytest.raises(UndeclaredOutlet, match=f"{kind.value} invented"):
        check_declared([(kind, "invented")])


def test_the_worker_does_not_start_with_an_undeclared_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorstep.worker, "worker_app", lambda _settings: None)
    monkeypatch.setattr(doorstep.worker, "steps", lambda: {"sync": None, "mail": None})
    with pytest.raises(UndeclaredOutlet, match="job mail"):
        doorstep.worker.run_worker(None)


def test_the_start_tells_the_operator_which_outlet_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        check_declared([(OutletKind.METRIC, "amounts")])

    monkeypatch.setattr("doorstep.commands.serve._serve_all", refuse)
    monkeypatch.setattr("doorstep.commands.serve.configure_logging", lambda: None)
    answer = CliRunner().invoke(doorstep.cli.main, ["serve"])
    assert answer.exit_code == 1 and "metric amounts" in answer.output


def test_the_doors_refusals_are_constants_of_the_code() -> None:
    """A detail is for a person and passes the door's gate by its form: none may be made of what was asked or stored."""
    made = []
    for path, tree in trees():
        name = str(path.relative_to(ROOT))
        if not name.startswith(("sync/door/", "media/door/", "field_api/platform/signatures.py", "doorstep/door.py")):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Problem" and len(node.args) > 1:
                made += [f"{name}:{node.lineno} {part}" for part in _variables(node.args[1])]
    # BadJson's texts are constants too; the rest are numbers and header names of the code
    assert sorted({entry.partition(" ")[2] for entry in made}) == ["error", "length", "max_body_bytes", "name"]


def _variables(node: ast.expr) -> set[str]:
    """Names in lower case, that is to say no constants, in an expression."""
    names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)} - {"str"}
    return {name for name in names if not name.isupper()}


def test_every_command_is_known_to_the_guard() -> None:
    """What a command prints is its operator's own terminal; those that print a secret once are declared as such."""
    import doorstep.commands.terminal_outlets  # noqa: F401  - its import declares them

    printing = {way.name for way in outlets(OutletKind.TERMINAL)}
    assert printing <= {f"doorstep {name}" for name in COMMANDS}
    for name, target in COMMANDS.items():
        code = _file_of(target).read_text()
        shows_a_secret = re.search(r"echo\([^)]*(password|wire|issued\.line|told)", code)
        assert not shows_a_secret or f"doorstep {name}" in printing, f"{name} prints a secret and is not declared"


def _file_of(target: str) -> Path:
    return ROOT / (target.partition(":")[0].replace(".", "/") + ".py")
