"""Every command that `doorstep --help` lists can be loaded and explains itself."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from doorstep.cli import COMMANDS, main


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_command_has_help(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    command = main.get_command(click.Context(main), name)
    assert command is not None and command.help


def test_the_phone_never_loads_the_office() -> None:
    """The reference phone runs without the office's code, the server side of sync, Flask or SQLAlchemy."""
    code = (
        "import sys; from doorstep.cli import main\n"
        "try: main(['phone', '--help'])\n"
        "except SystemExit: pass\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in {'field_api', 'flask', 'sqlalchemy'}"
        " or m.startswith(('sync.door', 'sync.office', 'sync.records'))]\n"
        "print(bad, file=sys.stderr); sys.exit(bool(bad))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
