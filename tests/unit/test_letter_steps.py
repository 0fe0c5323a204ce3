"""Which letter goes with a visit, how a creditor's look is read, and which pictures may be on letters."""

from __future__ import annotations

import struct
import zlib
from dataclasses import replace
from itertools import product

import pytest

from field_api.domain.image_form import MAX_BYTES, BadImage, clean_image
from field_api.domain.letter_brand import BadBrand, contrast_with_white, read_brand
from field_api.domain.letter_model import LetterKind
from field_api.domain.letter_steps import ASKED_FOR, DEMANDS, Stage, Step, Why, holds_against, next_letter
from field_api.domain.strategy import BadStrategy, LetterSteps, read_strategy
from field_api.domain.vocabulary import HoldKind

GIVEN = Stage(demands=2, visits=3)
STEPS = LetterSteps(final_warning_after_visits=3, final_warning_after_letters=2, confirm_promises=True)


@pytest.mark.parametrize(
    ("stage", "steps", "kind", "why"),
    [
        (Stage(), STEPS, LetterKind.NOTIFICATION, Why.FIRST),
        (Stage(visits=9), STEPS, LetterKind.NOTIFICATION, Why.FIRST),  # nobody took one yet: no warning comes first
        (replace(GIVEN, visits=2), STEPS, LetterKind.REMINDER, Why.GIVEN_BEFORE),
        (replace(GIVEN, demands=1), STEPS, LetterKind.REMINDER, Why.GIVEN_BEFORE),
        (GIVEN, STEPS, LetterKind.FINAL_WARNING, Why.OFTEN_ENOUGH),
        (GIVEN, replace(STEPS, final_warning_after_letters=None), LetterKind.FINAL_WARNING, Why.OFTEN_ENOUGH),
        (GIVEN, LetterSteps(), LetterKind.REMINDER, Why.GIVEN_BEFORE),
        (replace(GIVEN, warnings=1), STEPS, LetterKind.REMINDER, Why.WARNED),
        (replace(GIVEN, promised=True), STEPS, LetterKind.REMINDER, Why.PROMISE_RUNS),
        (replace(GIVEN, promised=True, unconfirmed=True), STEPS, LetterKind.PROMISE_CONFIRMATION, Why.PROMISED),
        (replace(GIVEN, promised=True, unconfirmed=True, as_plan=True), STEPS, LetterKind.PAYMENT_PLAN, Why.PROMISED),
        (replace(GIVEN, promised=True, unconfirmed=True), LetterSteps(), LetterKind.REMINDER, Why.PROMISE_RUNS),
    ],
)
def test_the_next_letter_follows_from_what_happened(stage, steps, kind, why) -> None:
    assert next_letter(stage, steps) == Step(kind, why)


def test_whatever_happened_a_hold_lets_no_letter_go_with_a_visit() -> None:
    for flags in product((False, True), repeat=3):
        stage = Stage(4, 1, 9, *flags, held=True)
        assert next_letter(stage, STEPS) == Step(None, Why.HELD)


def test_only_what_a_letter_may_be_sent_under_lets_it_out() -> None:
    for kind in DEMANDS:
        assert all(holds_against(kind, [hold]) == [hold] for hold in HoldKind)
    for kind in ASKED_FOR:
        for hold in (HoldKind.CEASE_CONTACT, HoldKind.ATTORNEY, HoldKind.DECEASED, HoldKind.MINOR):
            assert holds_against(kind, [hold]) == [hold]
        assert holds_against(kind, [HoldKind.DO_NOT_VISIT]) == []
    assert holds_against(LetterKind.DISPUTE_ACKNOWLEDGEMENT, [HoldKind.DISPUTE]) == []
    assert holds_against(LetterKind.PAYMENT_PLAN, [HoldKind.DISPUTE]) == [HoldKind.DISPUTE]


@pytest.mark.parametrize(
    ("letters", "at"),
    [
        ({"final_warning": 1}, "letters"),
        ({"final_warning_after_visits": 0}, "letters.final_warning_after_visits"),
        ({"confirm_promises": 1}, "letters.confirm_promises"),
        ([], "letters"),
    ],
)
def test_a_strategy_of_letters_that_is_not_understood_names_the_place(letters, at) -> None:
    with pytest.raises(BadStrategy) as refused:
        read_strategy({"letters": letters})
    assert refused.value.at == at


def test_a_brand_is_read_with_its_own_words_by_kind_and_language() -> None:
    brand = read_brand({"in_name_of": "creditor", "colour": "#1F3A5F", "sender_lines": [" Mueblería Ficticia "],
                        "paragraphs": {"reminder": {"es": ["Le atendemos con gusto."]}}})  # fmt: skip
    assert (brand.in_name_of, brand.look.colour, brand.look.sender_lines) == (
        "creditor", "#1f3a5f", ("Mueblería Ficticia",),
    )  # fmt: skip
    assert brand.own_words("reminder", "es-MX") == ("Le atendemos con gusto.",)
    assert brand.own_words("reminder", "en") == brand.own_words("notification", "es") == ()
    assert contrast_with_white("#000000") == pytest.approx(21) and contrast_with_white("#767676") > 4.5


@pytest.mark.parametrize(
    ("stored", "at"),
    [
        ({"in_name_of": "court"}, "in_name_of"),
        ({"colour": "red"}, "colour"),
        ({"colour": "#ffff00"}, "colour"),  # yellow on white
        ({"logo": "../etc"}, "logo"),
        ({"sender_lines": ["a"] * 7}, "sender_lines"),
        ({"sender_lines": ["a\nb"]}, "sender_lines.0"),
        ({"signature_name": "x" * 81}, "signature_name"),
        ({"paragraphs": {"eviction": {}}}, "paragraphs"),
        ({"paragraphs": {"reminder": {"Spanish": []}}}, "paragraphs.reminder"),
        ({"paragraphs": {"reminder": {"es": ["x" * 601]}}}, "paragraphs.reminder.es.0"),
        ({"seal": "x"}, "brand"),
        ([], "brand"),
    ],
)
def test_a_brand_that_is_not_understood_names_the_place(stored, at) -> None:
    with pytest.raises(BadBrand) as refused:
        read_brand(stored)
    assert refused.value.at == at


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int = 3, height: int = 2, *, rows: bytes | None = None, more: bytes = b"", interlace: int = 0) -> bytes:
    packed = zlib.compress(b"\0" * (height * (1 + 3 * width)) if rows is None else rows)
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, interlace))
    return b"\x89PNG\r\n\x1a\n" + header + more + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def svg(inside: str, attributes: str = 'viewBox="0 0 10 5"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="http://www.w3.org/1999/xlink" {attributes}>{inside}</svg>'.encode()


def test_a_picture_is_kept_with_what_is_drawn_and_nothing_else() -> None:
    told = png(more=chunk(b"tEXt", b"Comment\0deudor Fulano"))
    assert clean_image(told).form == "png"
    assert b"Fulano" not in clean_image(told).body and clean_image(told).body == clean_image(png()).body
    drawn = svg('<title>Fulano</title><!-- x --><g style="fill:#123456;font:x"><rect width="10" height="5"/>said</g>')
    clean = clean_image(drawn)
    assert clean.form == "svg" and b'fill="#123456"' in clean.body
    assert not any(word in clean.body for word in (b"Fulano", b"said", b"<!--", b"font", b"style"))
    assert clean_image(clean.body) == clean, "what was cleaned stays as it is"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"GIF89a",
        b"x" * (MAX_BYTES + 1),
        png()[:-4],
        png()[:40] + b"\0" + png()[41:],
        png() + b"more",
        png(rows=b"\0" * 5),
        png(rows=b"\0" * 50_000_000),  # a bomb: 49 kB that would be 50 MB
        png(rows=b"\7" * 20),
        png(9_000, 9_000, rows=b""),
        png(interlace=1),
        png(more=chunk(b"EViL", b"")),
    ],
    ids=range(12),
)
def test_what_is_no_plain_png_is_refused(body: bytes) -> None:
    with pytest.raises(BadImage):
        clean_image(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (svg("<script>x</script>"), "script"),
        (svg("<text>Juzgado segundo</text>"), "text"),
        (svg("<image x:href='data:image/png;base64,x'/>"), "image"),
        (svg("<style>@import 'http://x.example'</style>"), "style"),
        (svg("<foreignObject/>"), "foreignObject"),
        (svg("<use x:href='#a'/>"), "use"),
        (svg("<svg/>"), "within"),
        (svg("<rect onclick='x'/>"), "handler"),
        (svg("<rect fill='url(http://x.example/a)'/>"), "reference"),
        (svg("<rect style='fill: url( //x.example/a )'/>"), "reference"),
        (svg("<linearGradient x:href='http://x.example'/>"), "reference"),
        (svg("<rect fill='expression:alert'/>"), "fill"),
        (svg("", ""), "viewBox"),
        (svg("", 'viewBox="0 0 1000 1"'), "times"),
        (svg("", 'viewBox="0 0 1e-300 1e-300"'), "extent"),
        (svg("<clipPath id='a'><path clip-path='url(#b)'/></clipPath>"), "clipped itself"),  # twenty: a million shapes
        (svg("<clipPath id='a'><g><path style='clip-path: url(#b)'/></g></clipPath>"), "clipped itself"),
        (svg("<clipPath id='a' clip-path='url(#b)'/>"), "clipped itself"),
        (svg("<g clip-path='url(#a)'/>" * 65), "elements with a clip"),
        (svg("<g>" * 30 + "</g>" * 30), "nested"),
        (b"<!DOCTYPE svg [<!ENTITY a 'b'>]>" + svg("&a;"), "document type"),
        (b"<?xml-stylesheet href='http://x.example'?>" + svg(""), "instruction"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "neither"),
        (svg("<rect>"), "neither"),
    ],
)
def test_an_svg_that_acts_fetches_or_says_something_is_refused(body: bytes, said: str) -> None:
    with pytest.raises(BadImage, match=said):
        clean_image(body)
