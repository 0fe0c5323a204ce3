"""Write `detector.json`: texts with their normal form, their line of tokens and the terms found (docs/detector.md).

    python -m tests.vectors.make_detector_vectors

Look at what changed before committing it: other phones are held to these.
"""

from __future__ import annotations

import json
from pathlib import Path

from field_api.domain.debt_words import find_debt_words
from field_api.domain.detector.lexicon import lexicon
from field_api.domain.detector.normal import plain, tokens_of
from field_api.domain.detector.shapes import shaped

TEXTS = (
    "", "Portón azul", "DEUDA", "adeudo de $98,765.43", "d e u d a", "d.e.u.d.a", "deu\u200bda", "ｄｅｂｔ", "d3bt", "p@go", "p*go", "pa go",
    "deuuda", "recouvremnt", "pegado", "dueda", "lоan", "œuvre ß", "¿debe?", "past-due", "l'argent d'Hydro", "sin embargo", "se dio cuenta", "debe tocar",
    "debe 3 meses", "il doit revenir", "il doit 300", "1,500", "1.500,50", "15:30", "8.30", "12/10/2026", "12-10-26", "555-0142", "55 1234 5678",
    "1 5 0 0", "uno cinco cero cero", "cinco cinco uno dos tres cuatro cinco", "mil quinientos", "twenty-five hundred", "quatre-vingts dollars",
    "quinientos metros", "depto quinientos dos", "2k", "5k run", "3rd floor", "B12", "2004", "20.67361, -103.34402", "220 Court Street", "in court",
    "Calle Banco de Londres 22", "viene del banco", "next to the bank", "50 a week", "50 people", "ofrece 800", "la carta de la compañía\nno paga",
    "💰 friday", "a" * 41, "tarjeta", "expediente en la agencia",
    "quedó a deber en dos lados", "ofrece dar algo a cuenta el sábado", "no le alcanza", "il en doit encore pas mal", "n'a pas les moyens",
    "c'est rendu a 4 200", "q le den chance pa la qna", "4x250", "neighbour in 27", "on the hook for it", "letter from the law firm", "card reader at the gate", "saisir le code puis monter", "suéter de lana",
)  # fmt: skip


def vector(text: str) -> dict[str, object]:
    words = lexicon()
    line = shaped(tokens_of(text, words), words)
    return {"text": text, "plain": plain(text, words), "line": line, "terms": find_debt_words(text)}


if __name__ == "__main__":
    rows = ",\n".join(json.dumps(vector(text), ensure_ascii=False) for text in TEXTS)
    (Path(__file__).parent / "detector.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")
