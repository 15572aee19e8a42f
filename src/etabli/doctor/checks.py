"""All checks, in the order in which a mistake in one explains those after it."""

from etabli.doctor import installation, machine, parts
from etabli.doctor.findings import Check

CHECKS: tuple[Check, ...] = (
    machine.python,
    machine.processor,
    machine.memory,
    machine.disk,
    machine.clock,
    machine.characters,
    installation.settings,
    installation.permissions,
    installation.leftovers,
    installation.port,
    parts.database,
    parts.model,
    parts.embeddings,
    machine.recognition,
    installation.assistants,
    installation.outbound,
)
