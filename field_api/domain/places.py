"""Countries, states and languages as creditors write them, and which rules file an address falls under."""

from __future__ import annotations

from functools import cache

from babel import Locale

from field_api.domain.cells import Cell, fold, read_text
from field_api.domain.row_errors import CellRefused, RowCode

FILE_LANGUAGES = ("es", "en", "de", "fr")
"""Languages that headers and words of a file may be in."""

_COUNTRY_WORDS = {"usa": "US", "eeuu": "US", "eua": "US", "uk": "GB", "greatbritain": "GB", "england": "GB"}
_COUNTRY_WORDS |= {"mejico": "MX", "estadosunidosmexicanos": "MX", "unitedstatesofamerica": "US"}

US_STATES = {
    "AL": "Alabama", "AK": "Alaska", "AZ": "Arizona", "AR": "Arkansas", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DE": "Delaware", "DC": "District of Columbia", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas", "KY": "Kentucky",
    "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan", "MN": "Minnesota",
    "MS": "Mississippi", "MO": "Missouri", "MT": "Montana", "NE": "Nebraska", "NV": "Nevada", "NH": "New Hampshire",
    "NJ": "New Jersey", "NM": "New Mexico", "NY": "New York", "NC": "North Carolina", "ND": "North Dakota",
    "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "PR": "Puerto Rico", "RI": "Rhode Island",
    "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VT": "Vermont",
    "VA": "Virginia", "WA": "Washington", "WV": "West Virginia", "WI": "Wisconsin", "WY": "Wyoming",
}  # fmt: skip
CA_PROVINCES = {
    "AB": "Alberta", "BC": "British Columbia", "MB": "Manitoba", "NB": "New Brunswick",
    "NL": "Newfoundland and Labrador", "NS": "Nova Scotia", "NT": "Northwest Territories", "NU": "Nunavut",
    "ON": "Ontario", "PE": "Prince Edward Island", "QC": "Québec", "SK": "Saskatchewan", "YT": "Yukon",
}  # fmt: skip
_FEDERAL = {"US": US_STATES, "CA": CA_PROVINCES}
"""Countries whose states make rules of their own (rules/README.md)."""


@cache
def _country_words() -> dict[str, str]:
    words = dict(_COUNTRY_WORDS)
    for language in FILE_LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("EU", "UN", "ZZ", "EZ", "XA", "XB"):
                words.setdefault(fold(name), code)
                words[fold(code)] = code
    return words


@cache
def _language_words() -> dict[str, str]:
    words: dict[str, str] = {}
    for language in FILE_LANGUAGES:
        for code, name in Locale(language).languages.items():
            if len(code) == 2:
                words.setdefault(fold(name), code)
                words[code] = code
    return words


def read_country(cell: Cell) -> str:
    """ISO 3166-1 alpha-2 from a code or a name in es, en, de, fr. Raises CellRefused."""
    code = _country_words().get(fold(read_text(cell)))
    if code is None:
        raise CellRefused(RowCode.UNKNOWN_COUNTRY, "not a country's code or name")
    return code


def read_language(cell: Cell) -> str:
    """A language code, with its region where given ("es", "es-MX"), from a tag or a name. Raises CellRefused."""
    text = read_text(cell)
    known = _language_words()
    base, _, region = text.replace("_", "-").partition("-")
    if base.lower() in known and len(base) == 2 and len(region) == 2 and region.isalpha():
        return f"{base.lower()}-{region.upper()}"
    if fold(text) in known:
        return known[fold(text)]
    raise CellRefused(RowCode.UNKNOWN_LANGUAGE, "not a language's code or name")


def state_code(country: str, state: str) -> str | None:
    """The code of a US state or Canadian province from its code or name; None elsewhere. Raises CellRefused."""
    states = _FEDERAL.get(country)
    if states is None or not state:
        return None
    wanted = fold(state.removeprefix(f"{country}-"))
    for code, name in states.items():
        if wanted in (fold(code), fold(name)):
            return code
    raise CellRefused(RowCode.UNKNOWN_STATE, f"not a state or province of {country}")


def jurisdiction_of(country: str, state: str | None) -> str:
    """The rules file an address falls under: "MX", "US-MD", "CA-QC". Raises CellRefused for an unknown state."""
    code = state_code(country, state or "")
    return f"{country}-{code}" if code else country
