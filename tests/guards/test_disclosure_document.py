"""The matrix that a compliance officer reads is the matrix that the program obeys."""

from __future__ import annotations

from pathlib import Path

from field_api.domain.disclosure import MATRIX, Cell, Item
from field_api.domain.disclosure_matrix import SAME_ROW
from field_api.domain.vocabulary import Relation

DOCUMENT = Path(__file__).parents[2] / "docs" / "disclosure.md"
SIGNS = {
    Cell.YES: "Y",
    Cell.ASKED: "A",
    Cell.VERIFIED: "V",
    Cell.DOCUMENTED: "C",
    Cell.NEVER: "–",
    Cell.ONCE: "1",
    Cell.PLACE_ONLY: "1",
    Cell.OFF: "off",
}


def test_the_documents_matrix_is_the_data() -> None:
    assert _in_the_document() == _in_the_data()


def _in_the_document() -> dict[str, list[str]]:
    _, _, table = DOCUMENT.read_text().partition("<!-- matrix:")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line[:1] == "|"]
    return {row[0]: row[1:] for row in rows[2 : 2 + len(_in_the_data())]}


def _in_the_data() -> dict[str, list[str]]:
    shown = {}
    for relation in Relation:
        if relation is Relation.NOBODY or relation in SAME_ROW:
            continue
        same = [relation.value, *(other.value for other, row in SAME_ROW.items() if row is relation)]
        cells = [SIGNS[MATRIX.default.cells[relation, item]] for item in Item]
        shown[", ".join(same).replace("_", " ")] = cells
    return shown
