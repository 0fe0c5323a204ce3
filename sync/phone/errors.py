"""What can go wrong on a phone. Every refusal has a stable code and holds no secret."""

from __future__ import annotations


class PhoneError(Exception):
    """`code` is stable; `detail` is for a person and quotes neither keys, answers nor contents."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class Untrusted(PhoneError):
    """Something from outside did not verify: nothing of it was stored."""


class NotAllowed(PhoneError):
    """The phone's own rules refuse: it would break a promise of docs/protocol.md or docs/outcomes.md."""


class StoreTrouble(PhoneError):
    """The directory is no phone, another process has it, the passphrase is wrong, or its bytes were changed."""


class DoorRefused(PhoneError):
    """The door answered with a problem document. `status` is the HTTP status."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code, f"the door answered {status}")
        self.status = status


class Later(PhoneError):
    """The door cannot be reached or asks to come back: nothing is lost, try again. `after_s` is a hint in seconds."""

    def __init__(self, code: str, detail: str = "", after_s: float = 0.0) -> None:
        super().__init__(code, detail)
        self.after_s = after_s


class Revoked(PhoneError):
    """The agency has revoked this phone. With a verified order the sheet is gone; the queue can still be pushed."""

    def __init__(self, wiped: bool) -> None:
        super().__init__("device-revoked", "the sheet was destroyed by order" if wiped else "no valid wipe order came")
        self.wiped = wiped
