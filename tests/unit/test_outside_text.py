"""What third parties said of a debt does not leave the agency in words."""

from __future__ import annotations

from field_api.domain.outside_text import WITHHELD, for_outside


def test_a_third_partys_words_of_a_debt_are_withheld_wherever_they_stand() -> None:
    recorded = {
        "outcome": "moved",
        "note": "la vecina sabe de la deuda",
        "told_by": "neighbour",
        "contacts": [
            {"kind": "address", "street": "Calle 5", "hint": "debe $300"},
            {"kind": "address", "hint": "portón azul"},
        ],
        "neighbours_asked": [{"where": "la tienda donde debe 500", "answer": "knows_the_place"}],
    }
    shown = for_outside(recorded)
    assert shown["note"] == shown["contacts"][0]["hint"] == shown["neighbours_asked"][0]["where"] == WITHHELD
    assert shown["contacts"][1]["hint"] == "portón azul" and shown["contacts"][0]["street"] == "Calle 5"
    assert recorded["note"] == "la vecina sabe de la deuda"


def test_what_the_client_said_of_the_own_debt_stays() -> None:
    recorded = {
        "outcome": "client_located",
        "note": "paga el viernes",
        "results": [{"result": "refusal", "words": "no pagará"}],
    }
    assert for_outside(recorded) == recorded
