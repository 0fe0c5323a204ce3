"""A phone's process that is killed from inside (at a named step) or from outside: run by test_phone_crashes.

Arguments: directory, passphrase file, visit, person, step or "", how many of it. Prints what was shown as done.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from sync.phone import Phone

RIGHT = {"birth_date": "31/12/1956", "mother_maiden_name": "peña"}
WRONG = {"birth_date": "31/12/1956", "mother_maiden_name": "ruiz"}


def main() -> None:
    directory, passphrase_file, visit, person, where, times = sys.argv[1:]
    left = [int(times)]

    def step(name: str) -> None:
        if name == where:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    with Phone.open(Path(directory), Path(passphrase_file).read_text(), step=step) as phone:
        done = lambda recorded: print(recorded.op, recorded.seq, recorded.kind, flush=True)  # noqa: E731 - four letters
        if not where:
            while True:
                done(phone.note(visit, "again and again"))
        done(phone.arrive(visit))
        done(phone.encounter(visit, "claims_to_be_sought"))
        done(phone.check_identity(visit, person, WRONG).recorded)
        done(phone.check_identity(visit, person, RIGHT).recorded)
        done(phone.photo_permission(visit, True, "relative"))
        done(phone.photo(visit, b"\xff\xd8\xff" + bytes(100_000), "facade"))
        done(phone.record_outcome(visit, "client_located", {"results": [{"result": "refusal"}]}))
        print("end", flush=True)


main()
