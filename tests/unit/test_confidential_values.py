"""A Confidential does not leave by accident: every way by which Python, a library or a debugger shows a value is tried.

Each refusal and each text is looked at for the value itself, so that no way is harmless by luck.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import io
import json
import logging
import pickle
import pprint
import sys
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import flask
import marshmallow as ma
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.debug.repr import DebugReprGenerator
from werkzeug.debug.tbtools import DebugTraceback

from field_api.domain.confidential import Confidential, DisclosureRefused, audience, sealed_value_of
from field_api.domain.disclosure import Audience, Label
from field_api.platform.log import configure_logging

VALUE = 73_219_954
WORDS = "Kontonummer-88231"


@dataclasses.dataclass(frozen=True)
class Owed:
    account: str
    amount: Confidential[int]


def secret() -> Confidential[int]:
    return Confidential(VALUE)


def words() -> Confidential[str]:
    return Confidential(WORDS)


USES: dict[str, Callable[[], Any]] = {
    "str": lambda: str(secret()),
    "format": lambda: format(secret()),
    "f-string": lambda: f"owes {secret()}",
    "f-string with a width": lambda: f"{secret():>12}",
    "str.format": lambda: "{}".format(secret()),  # noqa: UP032 the way is what is tried
    "format_map": lambda: "{owed}".format_map({"owed": secret()}),
    "%s": lambda: "%s" % secret(),  # noqa: UP031
    "%d": lambda: "%d" % secret(),  # noqa: UP031
    "%x": lambda: "%x" % secret(),  # noqa: UP031
    "join": lambda: ", ".join(["a", words()]),  # type: ignore[list-item]  # what a slip does
    "text + secret": lambda: "a" + words(),  # type: ignore[operator]
    "secret + text": lambda: words() + "a",
    "replace": lambda: "a".replace("a", words()),  # type: ignore[arg-type]
    "print": lambda: print(secret(), file=io.StringIO()),
    "bytes": lambda: bytes(words()),  # type: ignore[call-overload]
    "int": lambda: int(secret()),
    "float": lambda: float(secret()),
    "Decimal": lambda: Decimal(secret()),  # type: ignore[arg-type]
    "round": lambda: round(secret()),  # type: ignore[call-overload]
    "abs": lambda: abs(secret()),  # type: ignore[arg-type]
    "sum": lambda: sum([secret(), secret()]),  # type: ignore[list-item]
    "-": lambda: secret() - 1,  # type: ignore[operator]
    "*": lambda: secret() * 2,  # type: ignore[operator]
    "divmod": lambda: divmod(secret(), 10),  # type: ignore[operator]
    "bool": lambda: bool(secret()),
    "not": lambda: not secret(),
    "len": lambda: len(words()),
    "list": lambda: list(words()),
    "index": lambda: words()[0],  # type: ignore[index]
    "in it": lambda: "K" in words(),  # type: ignore[operator]
    "as an index": lambda: [1, 2][secret()],  # type: ignore[call-overload]
    "range": lambda: range(secret()),  # type: ignore[call-overload]
    "==": lambda: secret() == VALUE,
    "== from the left": lambda: secret() == VALUE,
    "== of two": lambda: secret() == secret(),
    "!=": lambda: secret() != VALUE,
    "<": lambda: secret() < VALUE,
    ">= from the left": lambda: secret() <= VALUE,
    "in a list": lambda: VALUE in [secret()],
    "in a tuple's ==": lambda: (1, secret()) == (1, VALUE),
    "list.index": lambda: [secret()].index(VALUE),  # type: ignore[arg-type]
    "sorted": lambda: sorted([secret(), secret()]),
    "max": lambda: max(secret(), secret()),
    "hash": lambda: hash(secret()),
    "set": lambda: {secret()},
    "key": lambda: {secret(): 1},
    "dataclass ==": lambda: Owed("a", secret()) == Owed("a", secret()),
    "dataclass hash": lambda: hash(Owed("a", secret())),
    "asdict": lambda: dataclasses.asdict(Owed("a", secret())),
    "astuple": lambda: dataclasses.astuple(Owed("a", secret())),
    "copy": lambda: copy.copy(secret()),
    "deepcopy": lambda: copy.deepcopy({"owed": [secret()]}),
    "getstate": lambda: secret().__getstate__(),
    "reduce": lambda: secret().__reduce__(),
    "reduce_ex": lambda: secret().__reduce_ex__(4),
    "json": lambda: json.dumps({"owed": secret()}),
    "json by str": lambda: json.dumps({"owed": secret()}, default=str),
    "json key": lambda: json.dumps({secret(): 1}),
    "json by vars": lambda: json.dumps({"owed": secret()}, default=vars),
    "vars": lambda: vars(secret()),
    "__dict__": lambda: secret().__dict__,
    "ma Integer": lambda: ma.Schema.from_dict({"amount": ma.fields.Integer()})().dump(Owed("a", secret())),
    "ma String": lambda: ma.Schema.from_dict({"amount": ma.fields.String()})().dump(Owed("a", secret())),
    "ma Float": lambda: ma.Schema.from_dict({"amount": ma.fields.Float()})().dump(Owed("a", secret())),
    "ma Boolean, then JSON": lambda: json.dumps(
        ma.Schema.from_dict({"amount": ma.fields.Boolean()})().dump(Owed("a", secret()))
    ),
    "ma Date": lambda: ma.Schema.from_dict({"amount": ma.fields.Date()})().dump(Owed("a", secret())),
    "ma List": lambda: ma.Schema.from_dict({"amount": ma.fields.List(ma.fields.Raw())})().dump(Owed("a", words())),  # type: ignore[arg-type]
    "ma Raw, then JSON": lambda: json.dumps(
        ma.Schema.from_dict({"amount": ma.fields.Raw()})().dump(Owed("a", secret()))
    ),
    "match": lambda: _matched(secret()),
} | {
    f"pickle {protocol}": lambda protocol=protocol: pickle.dumps([secret()], protocol)  # type: ignore[misc]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
}


def _matched(value: object) -> bool:
    match value:
        case 73_219_954:
            return True
    return False


def shown(error: BaseException) -> str:
    """Everything that a log, a console or a debugger makes of an error and its causes, with the locals of its frames."""
    with_locals = traceback.TracebackException.from_exception(error, capture_locals=True)
    own = [frame for frame in with_locals.stack if frame.filename == __file__]
    return "".join([*traceback.format_exception(error), repr(error), str(error), *(str(f.locals) for f in own)])


@pytest.mark.parametrize("way", USES)
def test_a_use_without_reveal_refuses_and_its_error_tells_nothing(way: str) -> None:
    with pytest.raises((DisclosureRefused, TypeError, AttributeError)) as refused:
        USES[way]()
    assert not leaks(shown(refused.value))


def leaks(text: str) -> bool:
    # The constants above stand in source lines that a traceback quotes, written otherwise than a value prints.
    return str(VALUE) in text or f"{WORDS}'" in text or f"{WORDS}," in text


def test_the_search_for_leaks_finds_one() -> None:
    try:
        raise ValueError(f"owes {VALUE}")
    except ValueError as error:
        assert leaks(shown(error))
    assert leaks(repr([VALUE])) and leaks(repr([WORDS]))


TEXTS: dict[str, Callable[[], str]] = {
    "repr": lambda: repr(secret()),
    "f-string !r": lambda: f"{secret()!r}",
    "%r": lambda: "%r" % secret(),  # noqa: UP031
    "ascii": lambda: ascii(secret()),
    "in a list": lambda: str([secret(), words()]),
    "in a dict": lambda: str({"owed": secret()}),
    "dataclass": lambda: str(Owed("a", secret())),
    "pprint": lambda: pprint.pformat({"owed": [secret(), words()]}),
    "dir": lambda: str([getattr(secret(), name) for name in dir(secret())]),
    "getmembers": lambda: str(inspect.getmembers(secret())),
    "json by repr": lambda: json.dumps({"owed": secret()}, default=repr),
    "the debugger's repr": lambda: DebugReprGenerator().repr(secret()),
    "the debugger's dump": lambda: DebugReprGenerator().dump_object(secret()),
    "the debugger's dump of what holds it": lambda: DebugReprGenerator().dump_object(Owed("a", secret())),
    "the debugger's locals": lambda: DebugReprGenerator().dump_locals({"owed": secret(), "all": [words()]}),
    "size": lambda: str(sys.getsizeof(Confidential("x" * 1000)) == sys.getsizeof(Confidential(""))),
}


@pytest.mark.parametrize("way", TEXTS)
def test_what_is_shown_is_the_label(way: str) -> None:
    text = TEXTS[way]()
    assert not leaks(text)
    assert way in ("dir", "getmembers", "size") or "confidential" in text
    assert way != "size" or text == "True"


@given(st.text(min_size=4) | st.integers(min_value=10_000) | st.binary(min_size=4), st.sampled_from(Label))
def test_no_value_shows_in_its_repr(value: Any, label: Label) -> None:
    assert repr(Confidential(value, label)) == f"<{label.value}>"


def test_a_traceback_with_locals_shows_labels() -> None:
    def fails(owed: Confidential[int]) -> None:
        everything = {"owed": owed, "rows": [Owed("a", owed)]}
        owed.reveal(Audience.THIRD_PARTY)
        raise AssertionError(everything)

    with audience(Audience.THIRD_PARTY), pytest.raises(DisclosureRefused) as refused:
        fails(secret())
    text = shown(refused.value)
    assert "<confidential>" in text
    assert not leaks(text)


def test_the_debuggers_page_shows_labels() -> None:
    def fails(owed: Confidential[int], held: Owed) -> None:
        raise RuntimeError("no")

    try:
        fails(secret(), Owed("a", words()))  # type: ignore[arg-type]  # any secret
    except RuntimeError as error:
        page = DebugTraceback(error)
    # What its console offers: each frame's locals, by name.
    for frame in page.all_frames:
        if frame.filename == __file__:
            assert not leaks(DebugReprGenerator().dump_locals(frame.local_ns))
    html = page.render_debugger_html(evalex=True, secret="x", evalex_trusted=True)
    assert str(VALUE) not in html


def test_the_standard_librarys_log_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    log = logging.Logger("plain")
    log.addHandler(handler)
    log.warning("owes %s", secret())
    log.warning("owes %(owed)d", {"owed": secret()})
    log.warning(secret())
    log.warning("owes %r", secret())
    log.warning("owes", extra={"owed": secret()})
    try:
        str(secret())
    except DisclosureRefused:
        log.exception("no")
    text = stream.getvalue() + capsys.readouterr().err
    assert "<confidential>" in text
    assert not leaks(text)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    written = io.StringIO()
    configure_logging(written)
    yield written
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_the_programs_log_drops_it(stream: io.StringIO) -> None:
    structlog.get_logger().warning("photo-destroyed", photo=words(), sha256=secret())
    library = logging.Logger("library")
    # The program's handler alone: the test runner's own would format the text.
    library.handlers = [one for one in logging.getLogger().handlers if type(one).__module__ == "field_api.platform.log"]
    library.warning("owes %s", secret())
    assert len(stream.getvalue().splitlines()) == 2
    assert not leaks(stream.getvalue())
    assert "<confidential>" not in stream.getvalue()


@pytest.mark.parametrize(
    "renderer",
    [structlog.processors.JSONRenderer(), structlog.processors.KeyValueRenderer(), structlog.dev.ConsoleRenderer()],
    ids=lambda one: type(one).__name__,
)
def test_structlogs_own_renderers_show_the_label_at_most(renderer: Any) -> None:
    written = io.StringIO()
    log = structlog.wrap_logger(
        structlog.WriteLogger(written), processors=[structlog.processors.format_exc_info, renderer]
    )
    try:
        log.warning("owes", owed=repr(secret()), all=[words()])
    except DisclosureRefused as error:
        assert not leaks(shown(error))
    assert not leaks(written.getvalue())


def test_flasks_json_refuses_it() -> None:
    app = flask.Flask("x")
    with app.app_context(), pytest.raises((TypeError, DisclosureRefused)) as refused:
        flask.jsonify(owed=secret())
    assert not leaks(shown(refused.value))


def test_a_template_that_prints_it_refuses() -> None:
    app = flask.Flask("x")
    with app.app_context():
        for source in (
            "{{ owed }}",
            "{{ owed|int }}",
            "{{ owed|tojson }}",
            "{% if owed %}yes{% endif %}",
            "{{ owed~'' }}",
        ):
            with pytest.raises((TypeError, DisclosureRefused)) as refused:
                flask.render_template_string(source, owed=secret())
            assert not leaks(shown(refused.value))


def test_only_the_declared_audience_that_may_see_gets_the_value() -> None:
    one = secret()
    with pytest.raises(DisclosureRefused, match="was not declared"):
        one.reveal(Audience.MANAGER)
    with audience(Audience.MANAGER):
        assert one.reveal(Audience.MANAGER) == VALUE
        with pytest.raises(DisclosureRefused, match="dispatcher was not declared"):
            one.reveal(Audience.DISPATCHER)
    for who in Audience:
        with audience(who):
            sees = who not in (Audience.THIRD_PARTY, Audience.AGENT, Audience.ADMIN, Audience.MACHINE)
            if sees:
                assert one.reveal(who) == VALUE
            else:
                with pytest.raises(DisclosureRefused, match="may not see confidential"):
                    one.reveal(who)


def test_a_declaration_ends_with_its_block_even_by_an_error_and_inside_another() -> None:
    with audience(Audience.MANAGER):
        with pytest.raises(ValueError), audience(Audience.MACHINE):
            raise ValueError
        assert secret().reveal(Audience.MANAGER) == VALUE
    with pytest.raises(DisclosureRefused):
        secret().reveal(Audience.MANAGER)


@pytest.mark.parametrize("label", [VALUE, WORDS, "confidential", None])
def test_arguments_in_the_wrong_order_are_refused_before_anything_is_shown(label: Any) -> None:
    with pytest.raises(TypeError, match="has a Label") as refused:
        Confidential("x", label)
    assert not leaks(f"{refused.value!r} {refused.value}")


def test_the_deliberate_ways_in_are_two_and_named() -> None:
    """What no language can prevent is a line that one finds by searching: the private slot and the columns' own way."""
    assert secret()._value == VALUE
    assert sealed_value_of(secret()) == VALUE
    assert Confidential.__slots__ == ("_label", "_value")
    assert not hasattr(secret(), "__dict__")
