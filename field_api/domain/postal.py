"""Addresses as a local writes them: on envelopes, and on the visit sheet of somebody who looks for the door."""

from __future__ import annotations

from dataclasses import dataclass

WITHOUT_NUMBER = "S/N"
_NO_NUMBER = frozenset({"", "0", "SN", "S/N", "S.N.", "S N"})  # as creditors' files write it
_NUMBER_FIRST = frozenset({"US", "CA", "GB", "IE", "FR", "LU", "AU", "NZ"})
_POSTCODE_LAST = frozenset({"US", "CA", "GB", "AU", "NZ"})


@dataclass(frozen=True)
class PostalAddress:
    """The parts of an address as the creditor gave them; empty where unknown."""

    street: str
    country: str  # ISO 3166-1 alpha-2
    number: str = ""
    interior: str = ""
    between_1: str = ""
    between_2: str = ""
    neighbourhood: str = ""
    city: str = ""
    municipality: str = ""
    postcode: str = ""
    state: str = ""


def postal_lines(address: PostalAddress) -> list[str]:
    """The lines below the name on an envelope, in the order and spelling of the address's country."""
    if address.country == "MX":
        return _mexican_lines(address)
    return [line for line in (street_line(address), *_place_lines(address)) if line]


def street_line(address: PostalAddress) -> str:
    """Street and number; a Mexican address without a number says S/N, others say nothing."""
    number, interior = _number(address.number), _number(address.interior)
    street = address.street.strip()
    if address.country == "MX":
        return _words(street, number or WITHOUT_NUMBER, f"int. {interior}" if interior else "")
    if address.country in _NUMBER_FIRST:
        return ", ".join(filter(None, [_words(number, street), interior]))
    return ", ".join(filter(None, [_words(street, number), interior]))


def between_line(address: PostalAddress, words: tuple[str, str]) -> str:
    """How irregularly numbered houses are found: between which streets. `words` are "between" and "and"."""
    between, and_ = words
    streets = [street for street in (address.between_1.strip(), address.between_2.strip()) if street]
    return (
        f"{between} {f' {and_} '.join(streets)}" if len(streets) == 2 else f"{between} {streets[0]}" if streets else ""
    )


def _number(written: str) -> str:
    return "" if written.strip().upper() in _NO_NUMBER else written.strip()


def _mexican_lines(address: PostalAddress) -> list[str]:
    neighbourhood = f"Col. {address.neighbourhood}" if address.neighbourhood else ""
    towns = list(dict.fromkeys(filter(None, [address.city, address.municipality, address.state])))
    return list(filter(None, [street_line(address), neighbourhood, _words(address.postcode, ", ".join(towns))]))


def _place_lines(address: PostalAddress) -> list[str]:
    town = address.city or address.municipality
    if address.country == "GB":
        return [town, address.postcode]
    if address.country in _POSTCODE_LAST:
        return [", ".join(filter(None, [town, _words(address.state, address.postcode)]))]
    return [_words(address.postcode, town)]


def _words(*parts: str) -> str:
    return " ".join(part for part in parts if part)
