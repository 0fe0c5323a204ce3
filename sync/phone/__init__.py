"""The phone as a program: an independent client of docs/protocol.md. It imports nothing of the office or the door."""

from sync.phone.checks import Check
from sync.phone.clock import Clock, ShiftedClock, SystemClock
from sync.phone.encounters import Asked, Met
from sync.phone.errors import DoorRefused, Later, NotAllowed, PhoneError, Revoked, StoreTrouble, Untrusted
from sync.phone.locks import Brief
from sync.phone.operations import Recorded
from sync.phone.patience import Patience
from sync.phone.phone import Phone
from sync.phone.pulling import Pulled
from sync.phone.pushing import Pushed
from sync.phone.script import Line, MaySay
from sync.phone.sheet import Stop
from sync.phone.uploading import Uploaded

__all__ = [
    "Asked",
    "Brief",
    "Check",
    "Clock",
    "DoorRefused",
    "Later",
    "Line",
    "MaySay",
    "Met",
    "NotAllowed",
    "Patience",
    "Phone",
    "PhoneError",
    "Pulled",
    "Pushed",
    "Recorded",
    "Revoked",
    "ShiftedClock",
    "Stop",
    "StoreTrouble",
    "SystemClock",
    "Untrusted",
    "Uploaded",
]
