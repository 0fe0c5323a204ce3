"""Words and amounts that would tell a third party why somebody is sought, in Spanish, English and French.

A help, not the guarantee: what third parties are shown comes from closed vocabularies; this finds what slipped into
free text (a location hint, a note). Source of the list: the product's script rules (docs/glossary.md, "detector").
"""

from __future__ import annotations

import re
import unicodedata

# Term -> pattern over accent-free lower case. A stem ends in \w* where the language inflects it. "court" and "contract"
# are also street names in English, so names and addresses are not passed through here: only free text is.
_TERMS: dict[str, str] = {
    # es
    "deuda": r"deud\w*",
    "adeudo": r"adeud\w*",
    "saldo": r"saldos?",
    "cobro": r"cobr(?:o|os|ar\w*|anzas?|ador\w*|amos|an)",
    "pago": r"pag(?:o|os|ar\w*|ue|uen|ado|ados|aron|are|ares)",
    "mora": r"moros\w*|en mora",
    "credito": r"creditos?",
    "contrato": r"contratos?",
    "banco": r"bancos?",
    "demanda": r"demandas?|demandar\w*",
    "embargo": r"embarg\w*",
    "juzgado": r"juzgados?",
    "urgente": r"urgen(?:te|tes|temente|cia)",
    "asunto legal": r"asuntos? legal(?:es)?",
    "vencido": r"vencid[oa]s?",
    # en
    "debt": r"debts?|debtors?|indebted",
    "owe": r"owe[sd]?|owing",
    "balance": r"balances?",
    "collect": r"collect\w*",
    "payment": r"pay|pays|paid|paying|payments?|payable|repay\w*",
    "account": r"accounts?",
    "loan": r"loans?",
    "creditor": r"creditors?",
    "legal": r"legal(?:es|ly)?",
    "court": r"courts?",
    "lawsuit": r"lawsuits?|sued",
    "overdue": r"overdue|past due|arrears",
    "urgent": r"urgent(?:e|es|ly)?",
    # fr
    "dette": r"dettes?|endett\w*",
    "solde": r"soldes?",
    "creance": r"creanc\w*",
    "recouvrement": r"recouvr\w*",
    "paiement": r"paiements?|payer|payez|impay\w*",
    "compte": r"comptes?",
    "pret": r"prets?",
    "huissier": r"huissiers?",
    "tribunal": r"tribun(?:al|ales|aux)",
}
_WORDS = {term: re.compile(rf"(?<!\w)(?:{pattern})(?!\w)") for term, pattern in _TERMS.items()}

# Begins only where a run of digits does, and has at most eight groups: else a long row of digits takes quadratic time.
_NUMBER = r"(?<!\d)(?:\d{1,3}(?:[.,'\u00a0\u202f ]\d{3}){1,8}(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?)"
_MONEY = r"mxn|usd|eur|chf|gbp|cad|pesos?|dollars?|dolares|euros?|francs?|francos|libras?|pounds?"
_AMOUNT = re.compile(
    rf"[$€£]\s*(?:{_NUMBER})|(?:{_NUMBER})\s*(?:[$€£]|(?:{_MONEY})(?!\w))|(?<!\w)(?:{_MONEY})\s*(?:{_NUMBER})"
)

AMOUNT = "amount"


def find_debt_words(text: str) -> list[str]:
    """The terms that `text` contains, in the list's order, `amount` last. Never the matched text: it may be secret."""
    plain = _plain(text)
    found = [term for term, pattern in _WORDS.items() if pattern.search(plain)]
    return [*found, AMOUNT] if _AMOUNT.search(plain) else found


def _plain(text: str) -> str:
    """Lower case without accents, so that "Crédito" and "CREDITO" are one word."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
