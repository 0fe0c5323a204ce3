"""The fields that a column of a creditor's file can hold, and the headers by which they are known (docs/import.md).

Headers are compared folded (no case, accents, spaces, punctuation). A party's fields are written `role.field`; the
debtor's headers may stand alone ("Nombre"), another role's carry the role's word before or after ("Aval nombre").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from field_api.domain.cells import fold
from field_api.domain.vocabulary import Role

ACCOUNT_FIELDS: dict[str, tuple[str, ...]] = {
    "reference": (
        "referencia", "contrato", "no. contrato", "número de contrato", "cuenta", "número de cuenta", "crédito",
        "account", "account number", "account no", "contract", "contract number", "loan number",
        "vertragsnummer", "vertrag", "konto", "kontonummer", "aktenzeichen", "référence", "contrat",
        "numéro de contrat",
    ),
    "product": ("producto", "tipo de crédito", "product", "produkt", "produit"),
    "original_creditor": (
        "acreedor original", "acreedor originario", "original creditor", "ursprünglicher gläubiger",
        "créancier d'origine",
    ),
    "currency": ("moneda", "divisa", "currency", "währung", "devise", "monnaie"),
    "balance": (
        "saldo", "saldo total", "adeudo", "adeudo total", "total adeudado", "balance", "current balance", "amount due",
        "total due", "offener betrag", "gesamtforderung", "forderung", "solde", "solde dû", "montant dû",
    ),
    "principal": ("capital", "saldo capital", "principal", "hauptforderung", "kapital", "principal dû"),
    "interest": ("intereses", "interés", "interest", "zinsen", "intérêts"),
    "fees": ("comisiones", "gastos", "cargos", "fees", "charges", "costs", "gebühren", "kosten", "frais"),
    "balance_calculated_on": (
        "fecha de corte", "fecha corte", "fecha de cálculo", "saldo al", "balance date", "as of", "as of date",
        "stichtag", "saldo per", "date du solde", "arrêté au",
    ),
    "due_on": (
        "vencimiento", "fecha de vencimiento", "fecha vencimiento", "due", "due date", "oldest due date",
        "fällig", "fällig am", "fälligkeit", "fälligkeitsdatum", "échéance", "date d'échéance",
    ),
    "contract_on": (
        "fecha de contrato", "fecha del contrato", "fecha de firma", "fecha de apertura", "contract date",
        "date of contract", "signed on", "opening date", "vertragsdatum", "datum des vertrags", "vertrag vom",
        "vertragsabschluss", "date du contrat", "date de signature",
    ),
    "last_payment_on": (
        "fecha último pago", "fecha de último pago", "fecha del último pago", "last payment date", "last paid on",
        "letzte zahlung am", "datum letzte zahlung", "date dernier paiement", "date du dernier paiement",
    ),
    "last_payment": (
        "último pago", "monto último pago", "importe último pago", "last payment", "last payment amount",
        "letzte zahlung", "betrag letzte zahlung", "dernier paiement", "montant dernier paiement",
    ),
    "payment_on": ("fecha de pago", "fecha pago", "payment date", "paid on", "zahlungsdatum", "date de paiement"),
    "payment": ("pago", "importe pagado", "monto pagado", "payment", "amount paid", "zahlung", "paiement"),
    "payment_ref": (
        "referencia de pago", "folio de pago", "payment reference", "payment id", "zahlungsreferenz",
        "référence de paiement",
    ),
    "options": ("opciones", "opciones de pago", "options", "payment options", "optionen", "zahlungsoptionen"),
    "auto_pay": (
        "domiciliado", "pago automático", "cargo automático", "auto pay", "autopay", "direct debit", "lastschrift",
        "prélèvement automatique",
    ),
    "auto_pay_failed_on": (
        "fecha de rechazo del cargo", "rechazo del cargo", "auto pay failed on", "failed payment date", "returned on",
        "rücklastschrift am", "prélèvement rejeté le",
    ),
    "guarantor_first": ("aval primero", "guarantor first", "bürge zuerst", "caution d'abord"),
    "status": ("estado de la cuenta", "estatus", "situación", "status", "account status", "kontostatus", "statut"),
    "language": ("idioma", "language", "sprache", "langue"),
}  # fmt: skip

PARTY_FIELDS: dict[str, tuple[str, ...]] = {
    "ref": (
        "no. cliente", "número de cliente", "id cliente", "customer number", "customer id", "client id", "kundennummer",
        "numéro client",
    ),
    "name": (
        "nombre", "nombre completo", "cliente", "nombre del cliente", "name", "full name", "customer", "customer name",
        "kunde", "kundenname", "nom", "nom complet", "nom du client",
    ),
    "alias": ("alias", "apodo", "nombre comercial", "trading name", "also known as", "nom commercial", "rufname"),
    "kind": ("tipo de persona", "person type", "personenart", "type de personne"),
    "language": ("idioma de la persona", "person language", "sprache der person", "langue de la personne"),
    "is_minor": ("menor de edad", "minor", "minderjährig", "mineur"),
    "phone": (
        "teléfono", "teléfonos", "tel", "celular", "móvil", "phone", "phones", "telephone", "mobile", "telefon",
        "handy", "téléphone", "portable",
    ),
    "phone_2": ("teléfono 2", "otro teléfono", "phone 2", "other phone", "telefon 2", "téléphone 2"),
    "email": (
        "correo", "correo electrónico", "email", "e-mail", "e-mail address", "e-mail-adresse", "courriel",
    ),
    "address.kind": ("tipo de domicilio", "address type", "adressart", "type d'adresse"),
    "address.street": (
        "calle", "domicilio", "dirección", "street", "address", "address line 1", "straße", "strasse", "adresse", "rue",
    ),
    "address.number": (
        "número", "número exterior", "no. exterior", "num ext", "no ext", "número ext", "house number", "street number",
        "hausnummer", "hausnr", "numéro",
    ),
    "address.interior": (
        "interior", "número interior", "no. interior", "num int", "no int", "unit", "apartment", "apt", "suite",
        "address line 2", "wohnung", "appartement",
    ),
    "address.between": ("entre calles", "entre", "between streets", "zwischen", "entre les rues"),
    "address.between_1": ("entre calle 1", "entre calle", "between street 1", "between 1"),
    "address.between_2": ("entre calle 2", "y calle", "between street 2", "between 2"),
    "address.neighbourhood": (
        "colonia", "barrio", "fraccionamiento", "neighbourhood", "neighborhood", "ortsteil", "stadtteil", "quartier",
    ),
    "address.city": ("ciudad", "localidad", "población", "city", "town", "ort", "stadt", "wohnort", "ville"),
    "address.municipality": (
        "municipio", "alcaldía", "delegación", "municipality", "county", "gemeinde", "commune",
    ),
    "address.postcode": (
        "código postal", "cp", "postcode", "postal code", "zip", "zip code", "plz", "postleitzahl", "code postal",
    ),
    "address.state": (
        "estado", "entidad", "entidad federativa", "provincia", "state", "province", "bundesland", "région",
    ),
    "address.country": ("país", "country", "land", "pays"),
    "address.hint": (
        "referencias", "referencias del domicilio", "señas", "location hint", "directions", "hint", "hinweis",
        "wegbeschreibung", "repères", "indications",
    ),
    "address.latitude": ("latitud", "latitude", "lat", "breitengrad"),
    "address.longitude": ("longitud", "longitude", "lon", "lng", "long", "längengrad"),
    "answer.tax_id": ("rfc", "nif", "nie", "tax id", "tax number", "ssn", "steuernummer", "steuer-id", "numéro fiscal"),
    "answer.curp": ("curp",),
    "answer.birth_date": (
        "fecha de nacimiento", "nacimiento", "birth date", "date of birth", "dob", "geburtsdatum", "geboren am",
        "date de naissance",
    ),
    "answer.account_last4": ("últimos 4", "últimos cuatro", "last 4", "last four", "letzte 4", "4 derniers chiffres"),
    "answer.postcode": ("código postal de facturación", "billing postcode", "billing zip", "rechnungs-plz"),
    "answer.mother_maiden_name": (
        "apellido materno", "apellido de la madre", "mother's maiden name", "mädchenname der mutter",
        "nom de jeune fille de la mère",
    ),
    "answer.ssn_last4": ("ssn last 4", "last 4 ssn"),
    "answer.id_document_last4": ("últimos 4 ine", "últimos 4 identificación", "id last 4", "ausweis letzte 4"),
    "answer.phone_last4": ("últimos 4 teléfono", "phone last 4", "telefon letzte 4"),
    "answer.agreed_word": ("palabra clave", "agreed word", "kennwort", "mot convenu"),
}  # fmt: skip

ROLE_WORDS: dict[Role, tuple[str, ...]] = {
    Role.DEBTOR: ("deudor", "titular", "debtor", "schuldner", "débiteur"),
    Role.GUARANTOR: ("aval", "obligado solidario", "fiador", "guarantor", "co-signer", "bürge", "garant", "caution"),
    Role.PAYER: ("pagador", "responsable de pago", "payer", "zahler", "payeur"),
    Role.ATTORNEY: ("abogado", "attorney", "anwalt", "avocat"),
    Role.EXECUTOR: ("albacea", "executor", "nachlassverwalter", "exécuteur"),
    Role.GUARDIAN: ("tutor", "guardian", "vormund", "tuteur"),
}


@dataclass(frozen=True, slots=True)
class FieldName:
    """`name` as in a column map: "balance", "guarantor.address.street"; `role` None for the account's own."""

    name: str
    role: Role | None
    part: str

    @property
    def is_secret_word(self) -> bool:
        return self.part.startswith("answer.")


@cache
def field_names() -> dict[str, FieldName]:
    """Every field by name."""
    own = {name: FieldName(name, None, name) for name in ACCOUNT_FIELDS}
    parties = {
        f"{role.value}.{part}": FieldName(f"{role.value}.{part}", role, part) for role in Role for part in PARTY_FIELDS
    }
    return own | parties


@cache
def field_by_header() -> dict[str, FieldName]:
    """Folded header -> field. A header that two fields could claim belongs to the first."""
    found: dict[str, FieldName] = {}
    for header, field in _headers():
        found.setdefault(fold(header), field)
    return found


def _headers() -> Iterator[tuple[str, FieldName]]:
    for field in field_names().values():
        yield field.name, field
    for name, aliases in ACCOUNT_FIELDS.items():
        for alias in aliases:
            yield alias, field_names()[name]
    for role, words in ROLE_WORDS.items():
        for word in words:
            yield word, field_names()[f"{role.value}.name"]
        for part, aliases in PARTY_FIELDS.items():
            field = field_names()[f"{role.value}.{part}"]
            for alias in (part, part.rpartition(".")[2], *aliases):
                if role is Role.DEBTOR and alias in aliases:
                    yield alias, field
                for word in words:
                    yield f"{word} {alias}", field
                    yield f"{alias} {word}", field
                    yield f"{alias} del {word}", field
