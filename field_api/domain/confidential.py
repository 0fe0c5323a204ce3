"""Values that do not leak by accident: printing, comparing, pickling and JSON refuse; `reveal` is the way out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Generic, NoReturn, TypeVar

from field_api.domain.disclosure import Audience, Label, may_see

T = TypeVar("T")

_declared: ContextVar[Audience | None] = ContextVar("declared_audience", default=None)


class DisclosureRefused(Exception):
    """A secret was about to leave without an audience that may see it. Its text never contains the value."""


@contextmanager
def audience(who: Audience) -> Iterator[None]:
    """Declare for whom the running request, job or render works. Values are revealed to that audience alone."""
    token = _declared.set(who)
    try:
        yield
    finally:
        _declared.reset(token)


def declared_audience() -> Audience | None:
    return _declared.get()


class Confidential(Generic[T]):
    """A value with a label. `reveal(audience)` returns it where that audience was declared and may see the label.

    Nothing gives the value away by accident: not printing, logging, comparing, hashing, copying, pickling, JSON or a
    debugger that walks over attributes. Whoever writes `secret._value` means to; what was revealed is a plain value
    and as exposed as any other, so reveal late and keep it in no attribute.
    """

    __slots__ = ("_label", "_value")

    def __init__(self, value: T, label: Label = Label.CONFIDENTIAL) -> None:
        if label.__class__ is not Label:  # arguments in the wrong order would put the value where the label is shown
            raise TypeError("a Confidential has a Label")
        self._value = value
        self._label = label

    def reveal(self, to: Audience) -> T:
        """Return the value. Raises DisclosureRefused unless `to` is the declared audience and may see the label."""
        if _declared.get() is not to:
            raise DisclosureRefused(f"audience {to.value} was not declared for this work")
        if not may_see(to, self._label):
            raise DisclosureRefused(f"audience {to.value} may not see {self._label.value} data")
        return self._value

    def __repr__(self) -> str:
        return f"<{self._label.value}>"

    def _refuse(self, *_: object) -> NoReturn:
        raise DisclosureRefused(f"a {self._label.value} value was used without reveal()")

    __str__ = __format__ = __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __bool__ = __iter__ = __len__ = __int__ = __float__ = __index__ = __add__ = __radd__ = _refuse
    __hash__ = None  # type: ignore[assignment]

    __reduce__ = __reduce_ex__ = __getstate__ = __copy__ = __deepcopy__ = _refuse

    def __dir__(self) -> list[str]:
        """What a debugger, `inspect.getmembers` or a template walks over: the way out alone."""
        return ["reveal"]


def sealed_value_of(secret: Confidential[T]) -> T:
    """For the column types alone: the value on its way into the database."""
    return secret._value
