"""What others wrote, on its way to paper: every letter stays, and nothing that is unseen goes with it."""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_api.domain.printable import ISOLATE, ISOLATED, LOST, printable, printable_in

UNSEEN = "\u200b\u00ad\u2060\ufeff"
TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("María Núñez-Ångström", "María Núñez-Ångström"),
        ("  Anna \t\n\u2028 Beispiel \u3000", "Anna Beispiel"),
        ("1\N{NO-BREAK SPACE}000\N{NARROW NO-BREAK SPACE}€", "1\N{NO-BREAK SPACE}000\N{NARROW NO-BREAK SPACE}€"),
        ("e\u0301", "é"),
        ("e\u200b\u0301", "é"),
        ("pay\u202eevil", "payevil"),
        ("a\x00b\x1b[31mc\x7f", "ab[31mc"),
        ("half \ud83d of a pair", f"half {LOST} of a pair"),
        ("private \ue000\ufffe", f"private {LOST}{LOST}"),
        ("blank\u3164\u115f\u034fname", "blankname"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("نامه\u200cها", f"{ISOLATE}نامه\u200cها{ISOLATED}"),
        ("\u200d loose \u200c", "loose"),
        ("Zalgo" + "\u0336\u0310" * 30 + "!", "Zalgo" + "\u0336" * 4 + "!"),
        ("a" + "\u200d\u0301" * 30, "a" + "\u200d\u0301" * 4),
        ("\u0301 \u0301x", "x"),
        ("שָּׁ", f"{ISOLATE}{unicodedata.normalize('NFC', 'שָּׁ')}{ISOLATED}"),
        ("ཧྐྵྨླྺྼྻྂ", unicodedata.normalize("NFC", "ཧྐྵྨླྺྼྻྂ")),
        ("١٢٣\u0600٤", "١٢٣\u0600٤"),
        ("#panic() *b* _i_ $x$ @a <b> \\u{41} // /* `c` [d] {e} ~ -- ...", "#panic() *b* _i_ $x$ @a <b> \\u{41} // /* `c` [d] {e} ~ -- ..."),
    ],
)  # fmt: skip
def test_what_is_printed_of_what_was_written(written: str, printed: str) -> None:
    assert printable(written) == printed


TEXTS = st.text(st.one_of(st.characters(exclude_categories=()), st.sampled_from(UNSEEN + TURNING + "\u0301\u200d x")))


@given(TEXTS)
def test_once_more_changes_nothing_and_nothing_steers(text: str) -> None:
    once = printable(text)
    assert printable(once) == once == unicodedata.normalize("NFC", once)
    assert not set(once.removeprefix(ISOLATE).removesuffix(ISOLATED)) & set(TURNING + UNSEEN)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Co") for character in once)


@given(st.text(st.characters(categories=("L", "N", "P", "S"))))
def test_every_letter_digit_and_sign_stays_in_its_order(text: str) -> None:
    bare = printable(text).removeprefix(ISOLATE).removesuffix(ISOLATED)
    blank = dict.fromkeys(map(ord, "\u115f\u1160\u3164\uffa0"))
    kept = unicodedata.normalize("NFC", text.translate(blank | {0xFFFC: LOST, 0x2800: " "}))
    assert bare.replace(" ", "") == kept.replace(" ", "")


def test_no_letter_of_any_script_is_lost() -> None:
    """One by one, all of Unicode's letters."""
    blank = {"\u115f", "\u1160", "\u3164", "\uffa0"}
    for number in range(sys.maxunicode + 1):
        letter = chr(number)
        if unicodedata.category(letter)[0] == "L" and letter not in blank:
            shown = printable(letter).removeprefix(ISOLATE).removesuffix(ISOLATED)
            assert shown == unicodedata.normalize("NFC", letter), hex(number)


def test_a_record_is_made_printable_to_its_depth() -> None:
    class Kind(StrEnum):
        ONE = "one"

    @dataclass(frozen=True)
    class Inner:
        name: str

    @dataclass(frozen=True)
    class Record:
        kind: Kind
        amount_minor: int
        inner: Inner | None
        lines: tuple[str, ...]
        more: dict[str, list[str]]

    made = printable_in(Record(Kind.ONE, 5, Inner("a\u202e"), ("b\n", "c"), {"d\n": ["e\x00"]}))
    assert made == Record(Kind.ONE, 5, Inner("a"), ("b", "c"), {"d\n": ["e"]})
    assert made.kind is Kind.ONE
