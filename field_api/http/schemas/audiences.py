"""Sets of audiences that schemas are for: everybody whom some route shows them to, and nobody else."""

from __future__ import annotations

from field_api.domain.disclosure import Audience

OFFICE = frozenset({Audience.DISPATCHER, Audience.MANAGER})
"""Who plans and looks after the day."""

MANAGERS = frozenset({Audience.MANAGER})

CARRIERS = MANAGERS | {Audience.INTEGRATOR}
"""Who writes down what the creditor says."""

RESULTS = CARRIERS | {Audience.CONTROLLER}
"""Who gets what came of it."""

BOOKS = OFFICE | {Audience.CONTROLLER, Audience.INTEGRATOR}
"""Who may look into accounts: all but those who keep the system running, and agents."""

KEEPERS = OFFICE | {Audience.ADMIN}
"""Who looks after people and phones. An administrator sees no debtor and no debt."""

SYSTEM = frozenset({Audience.ADMIN, Audience.MANAGER})

SIGNED_IN = BOOKS | KEEPERS | {Audience.AGENT}
"""Everybody with a sign-in or a token."""

OUTSIDE = frozenset({Audience.MACHINE})
"""Whoever asks, signed in or not: health, the document, the sign-in itself."""

EVERYBODY = SIGNED_IN | OUTSIDE
