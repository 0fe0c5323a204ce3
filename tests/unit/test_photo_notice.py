"""The notice that phones show before a photograph: the phones' copy, its languages, and no word of why one came."""

from __future__ import annotations

from pathlib import Path

import pytest

from field_api.domain.debt_words import find_debt_words
from field_api.domain.photo_notice import CURRENT, VERSIONS, notice_words
from sync.phone import script
from sync.phone.notice import LANGUAGES, photo_notice

ROOT = Path(__file__).parents[2]


def test_the_phones_copy_is_the_offices_file_byte_for_byte() -> None:
    name = "photo_notice.json"
    assert (ROOT / "sync" / "phone" / name).read_bytes() == (ROOT / "field_api" / "rules" / name).read_bytes()


def test_the_present_one_is_there_in_every_language_of_the_door() -> None:
    assert {"es", "en", "fr"} <= LANGUAGES == script.LANGUAGES
    for language in LANGUAGES:
        notice = photo_notice(language)
        assert (notice.version, notice.words) == (CURRENT, notice_words(CURRENT, language))
    assert notice_words("0", "es") is None and notice_words(CURRENT, "xx") is None


@pytest.mark.parametrize("version", VERSIONS)
def test_no_version_says_why_anybody_came(version: str) -> None:
    for language, words in VERSIONS[version].items():
        assert find_debt_words(words) == [], language
