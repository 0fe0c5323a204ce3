"""`doorstep phone`: the reference phone, one short process per verb on one directory (docs/phone-script.md).

Secrets never come as arguments: the passphrase from a file or the terminal, codes and answers from standard input.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import asdict
from inspect import signature
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import click

from sync.phone import Later, Phone, PhoneError, Recorded

P = ParamSpec("P")
R = TypeVar("R")
EXIT_LATER = 75  # EX_TEMPFAIL: nothing is lost, try again

directory_option = click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    envvar="DOORSTEP_PHONE_DIR",
    help="The phone's directory. [env: DOORSTEP_PHONE_DIR]",
)
passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path, exists=True, allow_dash=True),
    envvar="DOORSTEP_PHONE_PASSPHRASE_FILE",
    help="Its first line is the passphrase; asked for otherwise. [env: DOORSTEP_PHONE_PASSPHRASE_FILE]",
)


def refusals(verb: Callable[P, R]) -> Callable[P, R]:
    """A refusal of the phone becomes one line and exit status 1, or 75 for "later"."""

    @functools.wraps(verb)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return verb(*args, **kwargs)
        except PhoneError as error:
            refusal = click.ClickException(str(error))
            refusal.exit_code = EXIT_LATER if isinstance(error, Later) else 1
            raise refusal from error

    return told


def read_passphrase(file: Path | None) -> str:
    if file is None:
        entered: str = click.prompt("Passphrase", hide_input=True)
        return entered
    with click.open_file(str(file), encoding="utf-8") as opened:
        line = opened.readline().rstrip("\r\n")
    if not line:
        raise click.ClickException("the passphrase file is empty")
    return line


def phone_options(verb: Callable[P, R]) -> Callable[P, R]:
    return directory_option(passphrase_option(refusals(verb)))


def open_phone(directory: Path, passphrase_file: Path | None) -> Phone:
    return Phone.open(directory, read_passphrase(passphrase_file))


def tell(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def read_body(body: str | None, settings: tuple[str, ...]) -> dict[str, Any]:
    """JSON from a file or `-`, then NAME=VALUE settings, whose values are JSON where they parse as such."""
    result: dict[str, Any] = {}
    if body is not None:
        with click.open_file(body, encoding="utf-8") as file:
            result = _object(file.read())
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise click.BadParameter(f"{name}: NAME=VALUE is needed")
        result[name] = _value(value)
    return result


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.ClickException(f"not JSON at line {error.lineno}, column {error.colno}") from error
    if not isinstance(value, dict):
        raise click.ClickException("a JSON object is needed")
    return value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def warn(recorded: Recorded) -> None:
    """On standard error: the words are kept as they were written, a third party must not be told them."""
    if recorded.warnings:
        click.echo(f"warning: these words tell of a debt: {', '.join(recorded.warnings)}", err=True)


VERBS = (
    "session", "arrive", "encounter", "location", "company", "outcome", "letter", "contact", "permission", "note",
    "correction",
)  # fmt: skip
"""What `record` takes: the verbs that need nothing but their words and a body."""


@click.group()
def phone() -> None:
    """A phone as a program. The network is needed to enrol, pull, push and upload photographs only."""


@phone.command()
@phone_options
@click.option(
    "--code-file", type=click.File(encoding="utf-8"), help="The line DOOR-ADDRESS#SECRET; `-` is standard input."
)
@click.option("--app", default="doorstep-phone/1", show_default=True, help="What the office sees as the app's name.")
@click.option("--wait-s", default=60.0, show_default=True, help="How long to wait for the office.")
def enrol(directory: Path, passphrase_file: Path | None, code_file: Any, app: str, wait_s: float) -> None:
    """Make a phone of an empty directory with a one-time code."""
    line = code_file.readline() if code_file else click.prompt("Code", hide_input=True)
    with Phone.enrol(directory, read_passphrase(passphrase_file), line, app, wait_s=wait_s) as made:
        tell({"device": made.handset.device, "agency": made.handset.agency_name, "agent": made.handset.agent})


@phone.command()
@phone_options
def pull(directory: Path, passphrase_file: Path | None) -> None:
    """Bring the visit sheet up to date."""
    with open_phone(directory, passphrase_file) as opened:
        tell(asdict(opened.pull()))


@phone.command()
@phone_options
def today(directory: Path, passphrase_file: Path | None) -> None:
    """The stops in order: what may be said before an identity check."""
    with open_phone(directory, passphrase_file) as opened:
        for stop in opened.today():
            click.echo(f"{stop.day} {stop.position:>3}  {stop.arrival_from}  {stop.visit}  {stop.open.get('name', '')}")


@phone.command("open")
@phone_options
@click.argument("visit")
def open_stop(directory: Path, passphrase_file: Path | None, visit: str) -> None:
    """One stop's open part, and which questions the person sought can be asked."""
    with open_phone(directory, passphrase_file) as opened:
        tell(asdict(opened.stop(visit)))


@phone.command()
@phone_options
@click.argument("visit", required=False)
def who(directory: Path, passphrase_file: Path | None, visit: str | None) -> None:
    """Who may be at a door, in plain words; with VISIT what may be said there now, and nothing else."""
    with open_phone(directory, passphrase_file) as opened:
        if visit is not None:
            tell(asdict(opened.may_say(visit)))
            return
        for entry in opened.who_may_be_there():
            click.echo(f"{entry['relation']:<20}  {entry['words']}")


@phone.command()
@phone_options
@click.argument("visit")
@click.option(
    "--whose",
    type=click.Choice(["sought", "other"]),
    default="sought",
    show_default=True,
    help="Who somebody says to be: the one sought, or another who is entitled.",
)
@click.option("--try-file", type=click.File(encoding="utf-8"), default="-", show_default=True)
def check(directory: Path, passphrase_file: Path | None, visit: str, whose: str, try_file: Any) -> None:
    """One identity check by two answers or a code; it is on record before the brief is shown.

    The try is JSON: {"answers": {KIND: TEXT, KIND: TEXT}} or {"code": TEXT}. Exit status 2: it did not pass.
    """
    attempt = _object(try_file.read())
    with open_phone(directory, passphrase_file) as opened:
        result = opened.check_identity(visit, whose, attempt.get("answers"), attempt.get("code"))
        contents = result.brief.contents if result.brief else None
        tell({"passed": result.passed, "tries_left": result.tries_left, "op": result.recorded.op, "brief": contents})
    if not result.passed:
        raise SystemExit(2)


@phone.command()
@phone_options
@click.argument(
    "verb",
    type=click.Choice(VERBS),
)
@click.argument("what", nargs=-1)
@click.option("--body", help="The body's JSON: a file, or `-` for standard input (docs/outcomes.md).")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="One key of the body; may be repeated.")
def record(
    directory: Path,
    passphrase_file: Path | None,
    verb: str,
    what: tuple[str, ...],
    body: str | None,
    settings: tuple[str, ...],
) -> None:
    """Record one operation; it is durable when this returns.

    \b
    session                         letter VISIT HANDLING
    arrive VISIT                    contact VISIT SOURCE      (contacts in the body)
    encounter VISIT RELATION        permission VISIT BY       (granted in the body)
    location VISIT WHOM             company VISIT             (they asked which company)
    outcome VISIT OUTCOME           note VISIT WORDS
    correction OP WORDS
    """
    contents = read_body(body, settings)
    with open_phone(directory, passphrase_file) as opened:
        names, method = {
            "session": ([], opened.session),
            "arrive": (["visit"], opened.arrive),
            "encounter": (["visit", "relation"], opened.encounter),
            "location": (["visit", "whom"], opened.ask_location),
            "company": (["visit"], opened.asked_for_company),
            "outcome": (["visit", "kind"], opened.record_outcome),
            "letter": (["visit", "handling"], opened.letter),
            "contact": (["visit", "source"], opened.contact),
            "permission": (["visit", "by"], opened.photo_permission),
            "note": (["visit", "words"], opened.note),
            "correction": (["corrects", "words"], opened.correction),
        }[verb]
        if len(what) != len(names):
            raise click.UsageError(f"{verb} takes {' '.join(names).upper() or 'nothing more'}")
        keys = {"body": contents} if verb == "outcome" else contents
        try:
            bound = signature(method).bind(**dict(zip(names, what, strict=True)), **keys)
        except TypeError as error:
            raise click.UsageError(f"{verb}: {error}") from error
        recorded = method(*bound.args, **bound.kwargs)
        warn(recorded)
        tell(asdict(recorded))


@phone.command()
@phone_options
def queue(directory: Path, passphrase_file: Path | None) -> None:
    """What waits: sequence number, operation, how often sent, receipt."""
    with open_phone(directory, passphrase_file) as opened:
        for entry in opened.queue():
            click.echo(f"{entry['seq']:>6}  {entry['op']}  sent {entry['sent']}x  {entry['receipt'] or '-'}")


@phone.command()
@phone_options
@click.option("--batch", type=click.IntRange(1, 50), default=50, show_default=True)
def push(directory: Path, passphrase_file: Path | None, batch: int) -> None:
    """Send what the door lacks; delete what is receipted and durable."""
    with open_phone(directory, passphrase_file) as opened:
        tell(asdict(opened.push(batch)))


@phone.command()
@phone_options
@click.argument("visit", required=False)
@click.argument("image", type=click.Path(dir_okay=False, exists=True, path_type=Path), required=False)
@click.option(
    "--subject", type=click.Choice(["facade", "house_number", "street", "meter"]), default="facade", show_default=True
)
@click.option("--upload", is_flag=True, help="Bring all waiting photographs to the door.")
def photo(
    directory: Path, passphrase_file: Path | None, visit: str | None, image: Path | None, subject: str, upload: bool
) -> None:
    """Seal and declare a photograph (a permission must be on record), or upload what waits."""
    if (visit is None or image is None) and not upload:
        raise click.UsageError("VISIT and IMAGE, or --upload")
    with open_phone(directory, passphrase_file) as opened:
        if visit is not None and image is not None:
            tell(asdict(opened.photo(visit, image, subject)))
        if upload:
            tell(asdict(opened.upload_photos()))


@phone.command()
@phone_options
def status(directory: Path, passphrase_file: Path | None) -> None:
    """Counts and codes, no names."""
    with open_phone(directory, passphrase_file) as opened:
        tell(opened.status())


@phone.command()
@phone_options
@click.argument("script_file", type=click.Path(dir_okay=False, exists=True, path_type=Path))
@click.option(
    "--folder",
    type=click.Path(file_okay=False, exists=True, path_type=Path),
    help="Where the script's files are; its own folder otherwise.",
)
def day(directory: Path, passphrase_file: Path | None, script_file: Path, folder: Path | None) -> None:
    """Run a day's script; after a kill, the same call goes on where it stopped. Prints JSON lines, a summary last."""
    from doorstep.phone_day.run import Unexpected, run_day
    from doorstep.phone_day.script import BadScript, read_script

    try:
        script = read_script(script_file)
        tell(run_day(directory, read_passphrase(passphrase_file), script, folder or script_file.parent, tell))
    except BadScript as error:
        raise click.ClickException(str(error)) from error
    except Unexpected as error:
        tell(error.line)
        raise click.ClickException(f"{error} went otherwise than expected") from error
