"""The process that the internet reaches holds as little as can be: in code, in keys, in grants."""

from __future__ import annotations

import subprocess
import sys


def test_the_door_loads_no_code_of_the_office() -> None:
    code = (
        "import sys, doorstep.door\n"
        "bad = [m for m in sys.modules if m.startswith(('field_api.http', 'field_api.usecases', 'field_api.queries',"
        " 'field_api.records', 'field_api.adapters', 'sync.office', 'sync.phone', 'media.office'))]\n"
        "print(bad, file=sys.stderr); sys.exit(bool(bad))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
