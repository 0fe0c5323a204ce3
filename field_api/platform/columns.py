"""Column types of secret data: amounts are plain in the table, confidential in Python; the rest is sealed at rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import BigInteger, Date, LargeBinary, Text, TypeDecorator
from sqlalchemy.engine import Dialect

from field_api.domain.confidential import Confidential, sealed_value_of
from field_api.domain.disclosure import Label
from field_api.platform.keyring import OfficeKeys
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.tenancy import current_agency

_keyring: OfficeKeyring | None = None


def use_office_keyring(keyring: OfficeKeyring) -> None:
    """Give the sealed columns their keys, once at the office's start-up. The door never calls this."""
    global _keyring
    _keyring = keyring


def _keys() -> OfficeKeys:
    if _keyring is None:
        raise RuntimeError("this process holds no office keys: sealed columns cannot be read or written here")
    return _keyring.of(current_agency())


class _Plain(TypeDecorator[Confidential[Any]]):
    """Stored plain (reports sum it), confidential in Python. Binding takes the value or its Confidential."""

    cache_ok = True
    label = Label.CONFIDENTIAL

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return sealed_value_of(value) if isinstance(value, Confidential) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Confidential[Any] | None:
        return None if value is None else Confidential(value, self.label)

    def compare_values(self, x: Any, y: Any) -> bool:
        return bool(_bare(x) == _bare(y))


class ConfidentialAmount(_Plain):
    """Integer minor units of the row's currency."""

    impl = BigInteger
    cache_ok = True


class ConfidentialDate(_Plain):
    impl = Date
    cache_ok = True


class ConfidentialText(_Plain):
    impl = Text
    cache_ok = True


class Sealed(TypeDecorator[Confidential[str]]):
    """Text sealed under the agency's key and bound to `place` ("table.column"); Confidential in Python."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, place: str, label: Label = Label.PERSONAL) -> None:
        super().__init__()
        self.place = place
        self.label = label

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        return _keys().seal_at_rest(self.place, str(_bare(value)).encode())

    def process_result_value(self, value: Any, dialect: Dialect) -> Confidential[str] | None:
        if value is None:
            return None
        return Confidential(_keys().open_at_rest(self.place, value).decode(), self.label)

    def compare_values(self, x: Any, y: Any) -> bool:
        return bool(_bare(x) == _bare(y))


def _bare(value: Any) -> Any:
    return sealed_value_of(value) if isinstance(value, Confidential) else value


def fingerprint(place: str) -> Callable[[str], bytes]:
    """A keyed hash for looking up equal values of a sealed column, for the running agency."""
    return lambda plaintext: _keys().fingerprint(place, plaintext.encode())
