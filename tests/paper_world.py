"""What letters need beside the planning world: an agency and creditors that state all that jurisdictions require."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from field_api.records.agency import Agency, Creditor
from tests.planning_world import World

LETTER_POLICY = {"responsible_persons": ["Responsable Inventada"], "registration": "REG-00", "permit_number": "P-00"}
STATED = {
    "address": "Avenida Ficticia 1, 06000 Ciudad Inventada",
    "phone": "+52 55 0000 0001",
    "complaints_unit": {
        "address": "Avenida Ficticia 1",
        "email": "quejas@muebleria.example",
        "phone": "+52 55 0000 0002",
    },
    "payment_ways": ["Transferencia a la CLABE 000000000000000000 de la entidad", "En cualquier sucursal"],
}


def paper_world(session: Session) -> World:
    """A world whose agency may write letters."""
    agency = session.scalars(select(Agency)).one()
    agency.policy = {**agency.policy, "letters": LETTER_POLICY}
    agency.email = "hola@puerta.example"
    return World(session)


def stating(world: World, jurisdiction: str = "MX", currency: str = "MXN", language: str = "es") -> Creditor:
    """A creditor with everything that a letter must state."""
    return world.creditor(jurisdiction, currency, language, **STATED)
