"""Where a process is killed: named functions of door, worker and phone, by number. Production knows nothing of it.

`arm` wraps the named function in the process that is to die: SIGKILL before it is entered, or after it has returned,
the n-th time. Nothing of the process gets a chance to tidy up.
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Failpoint:
    number: int
    part: str
    """door, worker or phone"""
    place: str
    """MODULE:NAME as the callers reach it"""
    when: str
    """before, after, or the step of the phone's that it is at"""
    told: str

    @property
    def most_times(self) -> int:
        """How often one session of a phone may come by. A worker's round takes all that a phone sent at once, and a
        worker that never comes by a second time would be waited for in vain."""
        return 1 if self.part == "worker" else 3

    def __str__(self) -> str:
        return f"{self.number}-{self.part}-{self.told.replace(' ', '-')}"


@dataclass(frozen=True)
class Armed:
    point: Failpoint
    times: int = 1


_DOOR = [
    ("sync.door.receive:Receiver.receive", "before", "asked, nothing inserted"),
    ("sync.door.receive:Receiver.receive", "after", "inserted, not committed"),
    ("sync.door.receive:Receipt.wire", "before", "committed, no reply"),
    ("sync.door.feed:_items_after", "before", "a page asked for"),
    ("sync.door.feed:_newest", "after", "a page made, no reply"),
]
_WORKER = [
    ("sync.office.decide_operation:record_operation", "before", "before the effect"),
    ("sync.office.decide_operation:record_operation", "after", "after the effect"),
    ("sync.office.run:settle", "after", "effect and verdict, not committed"),
    ("sync.office.work:apply_device", "after", "effects committed"),
    ("sync.office.publish:_move_head", "before", "items sealed"),
    ("sync.office.publish:_move_head", "after", "head moved, not committed"),
    ("sync.office.publish:note_written", "before", "items written, no digest"),
    ("sync.office.work:publish_changes", "after", "items written, not committed"),
    ("sync.office.work:state_durable", "after", "durable stated, not committed"),
    ("sync.office.work:sequence_log", "before", "before the log"),
    ("sync.office.work:sequence_log", "after", "log written, not committed"),
]
_STEPS = "sync.phone.handset:Handset.step"
_PHONE = [
    (_STEPS, "op.packed", "packed"),
    (_STEPS, "op.sealed", "sealed"),
    (_STEPS, "op.signed", "signed"),
    (_STEPS, "op.written", "written, not committed"),
    (_STEPS, "op.stored", "stored, not shown"),
    (_STEPS, "push.sending", "before sending"),
    (_STEPS, "send.half", "half sent"),
    (_STEPS, "push.answered", "answered, no receipt stored"),
    ("sync.phone.pushing:_take", "before", "before the receipt is stored"),
    ("sync.phone.pushing:_take", "after", "receipt written, not committed"),
    (_STEPS, "push.batch", "receipts stored"),
    ("sync.phone.pushing:drop_durable", "before", "before what is durable is deleted"),
    ("sync.phone.pushing:drop_durable", "after", "after what is durable was deleted"),
    ("sync.phone.pulling:take_sheet_keys", "after", "sheet keys written, not committed"),
    ("sync.phone.sheet:apply", "after", "an item written, not committed"),
    ("sync.phone.pulling:save_cursor", "before", "items written, no cursor"),
    ("sync.phone.pulling:save_cursor", "after", "cursor written, not committed"),
    (_STEPS, "pull.page", "page stored"),
    ("sync.phone.phone:drop_durable", "before", "pulled, nothing deleted"),
]
_ALL = [
    *(("door", *row) for row in _DOOR),
    *(("worker", *row) for row in _WORKER),
    *(("phone", *row) for row in _PHONE),
]
FAILPOINTS = [Failpoint(number, *row) for number, row in enumerate(_ALL, start=1)]


def arm(armed: Armed | None) -> None:
    """Make this process die there. Raises AttributeError where the named function is gone: then the list is wrong."""
    if armed is None:
        return
    point, left = armed.point, [armed.times]

    def die(_name: str = "") -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    if point.place == _STEPS:
        return  # the phone takes it as its `step`: see `step_of`
    owner, last = named(point)
    original = getattr(owner, last)

    @functools.wraps(original)
    def deadly(*arguments: Any, **options: Any) -> Any:
        if point.when == "before":
            die()
        result = original(*arguments, **options)
        if point.when == "after":
            die()
        return result

    setattr(owner, last, deadly)


def named(point: Failpoint) -> tuple[Any, str]:
    """What holds the function, and its name there. Raises AttributeError, ImportError."""
    module, _, name = point.place.partition(":")
    owner: Any = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    return owner, last


def step_of(armed: Armed | None) -> Any:
    """What a phone is given as `step`: it dies at the step that is armed."""
    left = [armed.times if armed else 0]

    def step(name: str) -> None:
        if armed and armed.point.place == _STEPS and name == armed.point.when:
            left[0] -= 1
            if left[0] <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return step
