"""`doorstep`: every command, loaded when it is asked for, so that a phone's process never loads the office."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

COMMANDS = {
    "init": "doorstep.commands.init:init",
    "serve": "doorstep.commands.serve:serve",
    "worker": "doorstep.commands.serve:worker",
    "demo": "doorstep.commands.demo:demo",
    "agency": "doorstep.commands.agency:agency",
    "creditor": "doorstep.commands.creditor:creditor",
    "import": "doorstep.commands.import_file:import_file",
    "address": "doorstep.commands.address:address",
    "attempts": "doorstep.commands.attempts:attempts",
    "agent": "doorstep.commands.agent:agent",
    "plan": "doorstep.commands.plan:plan",
    "replan": "doorstep.commands.replan:replan",
    "visit": "doorstep.commands.visit:visit",
    "hold": "doorstep.commands.hold:hold",
    "letter": "doorstep.commands.letter:letter",
    "sheet": "doorstep.commands.sheet:sheet",
    "print": "doorstep.commands.print_papers:print_papers",
    "export": "doorstep.commands.export:export",
    "staff": "doorstep.commands.staff:staff",
    "device": "doorstep.commands.device:device",
    "keys": "doorstep.commands.keys:keys",
    "quarantine": "doorstep.commands.quarantine:quarantine",
    "photo": "doorstep.commands.photo:photo",
    "backup": "doorstep.commands.backup:backup",
    "restore": "doorstep.commands.backup:restore",
    "sync": "doorstep.commands.sync:sync",
    "audit": "doorstep.commands.audit:audit",
    "openapi": "doorstep.commands.openapi:openapi",
    "phone": "doorstep.commands.phone:phone",
}
"""Command name -> module:object. A guard test loads them all."""


class LazyGroup(click.Group):
    """Imports a command's module only when that command runs or is listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def main(self, args: Any = None, *rest: Any, **more: Any) -> Any:
        """The whole process where no arguments are handed in: then nothing it did not expect tells its text."""
        if args is None:
            from field_api.platform.crash import hide_crash_texts

            if sys.argv[1:2] != ["phone"]:  # which has no office data and is started often
                from field_api.platform.log import configure_logging

                configure_logging()
            hide_crash_texts()
        return super().main(args, *rest, **more)

    def invoke(self, ctx: click.Context) -> Any:
        """An error that no command foresaw becomes one line with an incident: its text may quote a row."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            raise click.ClickException(_told(error)) from error


def _told(error: Exception) -> str:
    from field_api.platform.crash import StartRefused, log_incident, place_of

    if isinstance(error, StartRefused):
        return str(error)
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}"
    return f"internal error {log_incident(error)}: {type(error).__name__} at {place_of(error)}"


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="doorstep")
def main() -> None:
    """Field visits for collection agencies: plan, print, carry offline, take back, audit."""


if __name__ == "__main__":
    main()
